export type ColorLevel = 0 | 1 | 2 | 3;

const COLORS = ["bold", "dim", "red", "green", "yellow", "blue", "cyan", "italic", "underline"] as const;

/** The few colours and weights this program uses; each a function from text to text. */
export type Style = Record<(typeof COLORS)[number], (text: string) => string>;

const same = (text: string): string => text;

/** Leaves every text as it is: for pipes, NO_COLOR and `--no-color`. */
export const plainStyle: Style = {
  bold: same,
  dim: same,
  red: same,
  green: same,
  yellow: same,
  blue: same,
  cyan: same,
  italic: same,
  underline: same,
};

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
