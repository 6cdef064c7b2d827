import { ownLink } from "./neutralise.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Terminals that show links (OSC 8), by what they call themselves in TERM_PROGRAM, and since which version:
 * https://github.com/Alhadis/OSC8-Adoption and https://github.com/chalk/supports-hyperlinks. Konsole, where they are off
 * until somebody turns them on, is none.
 */
const PROGRAMS: ReadonlyMap<string, readonly number[]> = new Map([
  ["ghostty", []],
  ["Hyper", []],
  ["iTerm.app", [3, 1]],
  ["mintty", [2, 9, 7]],
  // The first with xterm.js 5.
  ["vscode", [1, 72]],
  ["WarpTerminal", []],
  ["WezTerm", [20180218]],
  ["zed", []],
]);

/** The same by TERM, which ssh hands on. */
const TERMS = /^(?:xterm-kitty|xterm-ghostty|alacritty|contour|foot|wezterm)(?:-|$)/;

/**
 * Whether a terminal shows links whose address is not seen, by what is known of it. FORCE_HYPERLINK decides, as it does for
 * many programs; where nothing is known there are none, and the address stands behind its words. tmux and screen hide what
 * they stand in, and most of them take links away.
 */
export function showsLinks(env: Environment): boolean {
  const forced = env["FORCE_HYPERLINK"];
  if (forced) return forced !== "0" && forced !== "false";
  const term = env["TERM"] ?? "";
  if (env["CI"] || env["TMUX"] || env["STY"] || /^(?:screen|tmux|dumb)/.test(term)) return false;
  const since = PROGRAMS.get(env["TERM_PROGRAM"] ?? "");
  if (since) return isAtLeast(env["TERM_PROGRAM_VERSION"] ?? "", since);
  // VTE 0.50.0 ends when it is pointed at a link: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
  if (env["VTE_VERSION"]) return Number(env["VTE_VERSION"]) > 5000;
  // Windows Terminal, kitty and DomTerm say that they are there.
  if (env["WT_SESSION"] || env["KITTY_WINDOW_ID"] || env["DOMTERM"]) return true;
  return TERMS.test(term);
}

/** Whether a version such as `3.5.0beta` or `20240203-110809` is not older than another; one that is not known is. */
function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** What terminals take, as the page on OSC 8 has it: 2083 with room for what stands around it. */
const LONGEST_ADDRESS = 2000;

/**
 * The words as a link to an address; undefined where that is none to open, such as a place within a text: only addresses of
 * the web and of mail are.
 */
export function linkTo(address: string, words: string): string | undefined {
  if (!/^(?:https?:\/\/|mailto:)./i.test(address)) return undefined;
  const encoded = address.toWellFormed().replaceAll(/[^!-~]+/g, encodeURIComponent);
  return encoded.length > LONGEST_ADDRESS ? undefined : ownLink(encoded) + words + ownLink("");
}
