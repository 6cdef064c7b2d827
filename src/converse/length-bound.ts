/** What holds an answer to so many tokens, for whoever is told that one was cut there. */
export interface LengthBound {
  /** What the limit is, as it goes on behind "its token limit, "; undefined where what allows more says it. */
  is?: string | undefined;
  /** The flag that allows more; undefined where nothing does. */
  flag?: string | undefined;
  /** The most tokens that the model puts out, whoever asks for more; undefined where nobody knows. */
  most?: number | undefined;
}

/** The bound that nobody has set: more than a model has by itself may be asked of many. */
export const UNSET_LENGTH: LengthBound = { flag: "--max-tokens" };
/** The one that nobody can. */
export const LENGTH_OF_MODEL: LengthBound = { is: "the most that the model puts out" };

/** Says, behind "its token limit", which one an answer of so many tokens was cut at, and what sets a higher one. */
export function describeBound(bound: LengthBound = UNSET_LENGTH, outputTokens = 0): string {
  const { most = Number.POSITIVE_INFINITY } = bound;
  const { is, flag } = outputTokens >= most ? LENGTH_OF_MODEL : bound;
  return (is === undefined ? "" : `, ${is}`) + (flag === undefined ? "" : `; ${flag} sets a higher one`);
}

/** What may be done about an answer that was cut there. */
export function allowMore({ flag }: LengthBound = UNSET_LENGTH): string {
  return flag === undefined ? "Ask for a shorter answer, or another model." : `Allow more with ${flag}.`;
}
