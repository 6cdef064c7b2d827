export type ColorLevel = 0 | 1 | 2 | 3;

const COLORS = ["bold", "dim", "red", "green", "yellow", "blue", "cyan", "italic", "underline"] as const;

/** The few colours and weights this program uses; each a function from text to text. */
export type Style = Record<(typeof COLORS)[number], (text: string) => string>;

function styleOf(look: (name: keyof Style) => Style[keyof Style]): Style {
  return Object.fromEntries(COLORS.map((name) => [name, look(name)])) as Style;
}

/** Leaves every text as it is: for pipes, NO_COLOR and `--no-color`. */
export const plainStyle = styleOf(() => (text) => text);

/** The Style of a level. The colour library is loaded only where there are colours. */
export async function loadStyle(level: ColorLevel): Promise<Style> {
  if (level === 0) return plainStyle;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level });
  // Of one text: the library joins all that it is given, such as the index that map() adds.
  return styleOf((name) => (text) => chalk[name](text));
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
