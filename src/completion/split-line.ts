/** A command line of bash, up to the cursor. */
export interface SplitLine {
  /** The finished words after the command's name, without their quotes. */
  words: string[];
  /** The word that the cursor is in, without its quotes. */
  current: string;
  /** Where in `current` the text begins that bash replaces: after the last character that breaks words for it. */
  replacedFrom: number;
  /** The quote that is open at the cursor. */
  quote: "" | "'" | '"';
}

interface Word {
  text: string;
  replacedFrom: number;
}

/**
 * Splits a command line the way bash does, and finds the part of the last word that bash replaces by a completion: it
 * begins after the last unquoted character of COMP_WORDBREAKS, such as the colon of a model id or the equals sign of
 * `--model=`, or after an open quote. `breaks` is COMP_WORDBREAKS.
 */
export function splitLine(line: string, breaks: string): SplitLine {
  const words: Word[] = [];
  let word: Word | undefined;
  let quote: SplitLine["quote"] = "";
  const add = (text: string): Word => {
    word ??= { text: "", replacedFrom: 0 };
    word.text += text;
    return word;
  };
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    if (quote !== "") {
      if (character === quote) quote = "";
      else if (character === "\\" && quote === '"' && /["\\$`]/.test(line[at + 1] ?? ""))
        add(line[(at += 1)] ?? "");
      else add(character);
    } else if (character === "'" || character === '"') {
      quote = character;
      const opened = add("");
      if (isOpenToTheEnd(line, at)) opened.replacedFrom = opened.text.length;
    } else if (character === "\\") {
      add(line[(at += 1)] ?? "");
    } else if (/\s/.test(character)) {
      if (word) words.push(word);
      word = undefined;
    } else {
      const grown = add(character);
      if (breaks.includes(character)) grown.replacedFrom = grown.text.length;
    }
  }
  const current = word ?? { text: "", replacedFrom: 0 };
  // `NAME=value openclaw …` sets a variable for the command.
  const command = words.findIndex(({ text }) => !/^\w+=/.test(text));
  return {
    words: words.slice(command + 1).map(({ text }) => text),
    current: current.text,
    replacedFrom: current.replacedFrom,
    quote,
  };
}

/** The text that bash puts in the place of what it replaces, quoted as the rest of the word is. */
export function replacement(value: string, { replacedFrom, quote }: SplitLine): string {
  const text = value.slice(replacedFrom);
  if (quote === "'") return text.replaceAll("'", "'\\''");
  if (quote === '"') return text.replaceAll(/["\\$`]/g, "\\$&");
  return text.replaceAll(/[^\w@%+=:,./~^-]/g, "\\$&");
}

/** Whether the quote at a place is not closed before the line ends. */
function isOpenToTheEnd(line: string, at: number): boolean {
  const quote = line[at];
  for (let next = at + 1; next < line.length; next += 1) {
    if (quote === '"' && line[next] === "\\") next += 1;
    else if (line[next] === quote) return false;
  }
  return true;
}
