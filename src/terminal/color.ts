import { once } from "../once.ts";
import { isLinkStart, ownLink, ownSequence } from "./neutralise.ts";

export type ColorLevel = 0 | 1 | 2 | 3;

/** How each look begins and ends: ECMA-48, Select Graphic Rendition. */
const LOOKS = {
  bold: ["1", "22"],
  dim: ["2", "22"],
  italic: ["3", "23"],
  underline: ["4", "24"],
  strikethrough: ["9", "29"],
  red: ["31", "39"],
  green: ["32", "39"],
  yellow: ["33", "39"],
  blue: ["34", "39"],
  magenta: ["35", "39"],
  cyan: ["36", "39"],
} as const;

/** The few colours and weights this program uses; each a function from text to text. */
export type Style = Record<keyof typeof LOOKS, (text: string) => string>;

function styleOf(look: (name: keyof Style) => Style[keyof Style]): Style {
  const names = Object.keys(LOOKS) as (keyof Style)[];
  return Object.fromEntries(names.map((name) => [name, look(name)])) as Style;
}

/** Leaves every text as it is: for pipes, NO_COLOR and `--no-color`. */
export const plainStyle = styleOf(() => (text) => text);

/**
 * Styles a text in sequences that only the Terminal can write. Where another look that ends the same way ends within the
 * text this one begins again, and no look reaches over a line end.
 */
const colorStyle = once(() =>
  styleOf((name) => {
    const [begin, end] = LOOKS[name].map((code) => ownSequence(code, "m")) as [string, string];
    return (text) =>
      text === ""
        ? ""
        : begin + text.replaceAll(end, end + begin).replaceAll(/\r?\n/g, `${end}$&${begin}`) + end;
  }),
);

/** What ends each look, by what begins it: our own sequences. */
const endOfLook = once(
  () => new Map(Object.values(LOOKS).map(([begin, end]) => [ownSequence(begin, "m"), ownSequence(end, "m")])),
);

/** The looks and the link that a text stands in, as far as it was passed. */
export class OpenLooks {
  /** What began them, in this order, each with what will end it. */
  #open: { begin: string; end: string }[] = [];

  /** Passes one of our own sequences. */
  pass(sequence: string): void {
    const end = endOfLook().get(sequence) ?? (isLinkStart(sequence) ? ownLink("") : undefined);
    if (end === undefined) this.#open = this.#open.filter((look) => look.end !== sequence);
    else this.#open.push({ begin: sequence, end });
  }

  /** Ends them all, for a place that has no part in them. */
  get end(): string {
    return [...new Set(this.#open.map(({ end }) => end))].toReversed().join("");
  }

  /** Begins them again. */
  get begin(): string {
    return this.#open.map(({ begin }) => begin).join("");
  }
}

/** The Style of a level. */
export function styleFor(level: ColorLevel): Style {
  return level === 0 ? plainStyle : colorStyle();
}

/**
 * How many colours to use: none in a pipe, with `--no-color` or NO_COLOR (https://no-color.org);
 * FORCE_COLOR (0 to 3, as Node reads it) decides against the terminal.
 */
export function colorLevel(
  isTTY: boolean,
  isAllowed: boolean,
  env: Readonly<Record<string, string | undefined>>,
): ColorLevel {
  if (!isAllowed) return 0;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) {
    if (forced === "0" || forced === "false") return 0;
    if (forced === "2") return 2;
    if (forced === "3") return 3;
    return 1;
  }
  if (env["NO_COLOR"] !== undefined || !isTTY || env["TERM"] === "dumb") return 0;
  if (env["COLORTERM"] === "truecolor" || env["COLORTERM"] === "24bit") return 3;
  return env["TERM"]?.includes("256color") ? 2 : 1;
}
