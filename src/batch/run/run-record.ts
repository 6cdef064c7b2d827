/** Reads the ids of the lines that ask something, in their order. */
export type LineSource = () => AsyncIterable<string>;

/** What was asked for, in the words of a person, and its value. A run goes on only with all of the same. */
export type RunRecord = Readonly<Record<string, string | number | boolean | null>>;
