import stringWidth from "string-width";
import { OpenclawError, shorten } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { askLine } from "../../terminal/ask-yes.ts";
import { plainStyle, type Style } from "../../terminal/color.ts";
import { escapeInJson, neutralise, onOneLine } from "../../terminal/neutralise.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { withoutSpinner } from "../../terminal/spinner.ts";
import { hang } from "../../terminal/word-wrap.ts";
import type { AskForLeave, LeaveRequest } from "./permits.ts";
import type { ToolSource } from "./tool.ts";
import { parseExactly, toJson } from "../../json-numbers.ts";

/** A text in a call's input that is longer than this loses its middle, in characters: the rest is still seen. */
const LONGEST_TEXT = 600;
/** More lines of input as JSON than this lose their middle. */
const MOST_LINES = 60;
/** Input as JSON that is no longer than this stands on one line, in characters. */
const SHORT_JSON = 72;
/** How long before the question what was typed is waited for and dropped, in ms. */
const DROP_MS = 50;
/** What Ctrl-C sends where it is a key and not a signal. */
const CTRL_C = 0x03;

/** Asks the person at the terminal, in a line of their own. The end of the input, and Enter alone, are a no. */
export function askAtTerminal(runtime: Runtime): AskForLeave {
  return (request, signal) =>
    withoutSpinner(runtime, async () => {
      const { terminal, stdin, untilForeground } = runtime;
      await untilForeground();
      await dropTyped(stdin, signal);
      const columns = terminal.screen?.columns ?? Number.POSITIVE_INFINITY;
      const style = await terminal.stderrStyle();
      terminal.writeAside(`${leaveLines(request, columns, style).join("\n")}\n`);
      const answer = await askLine(questionFor(request, columns), { ...runtime, signal });
      // The end of the input leaves the cursor where it is.
      if (answer === undefined) terminal.writeAside("\n");
      if (/^y(es)?$/i.test(answer ?? "")) return "once";
      return request.offersAlways && /^a(lways)?$/i.test(answer ?? "") ? "always" : "no";
    });
}

/** What a person has to know who is asked about a call: which tool, where it comes from, and what it is to do. */
export function leaveLines(request: LeaveRequest, columns: number, style: Style = plainStyle): string[] {
  const { tool, call, hasChanged } = request;
  const source = neutralise(onOneLine(describeSource(tool.source)));
  const { text, isHidden, isCut } = inputOf(request);
  return [
    ...hang("", `${style.bold(tool.name)} is to run ${style.dim(`(${source})`)}`, columns),
    ...frame(text, columns, style),
    ...(isHidden ? hang("", style.yellow("Some of its characters cannot be seen."), columns) : []),
    ...(isCut ? hang("", style.yellow("Not all of what it is given is shown."), columns) : []),
    ...(hasChanged ? hang("", style.yellow(`The definition of '${call.name}' has changed.`), columns) : []),
  ];
}

/** Where a tool comes from, in words: foreign text. */
export function describeSource(source: ToolSource): string {
  switch (source.kind) {
    case "built-in":
      return source.folder === undefined ? "built in" : `built in, for ${source.folder}`;
    case "command":
      return `command ${source.command.map(quoteForShell).join(" ")}`;
    case "server":
      return `tool '${shorten(source.tool, 100)}' of the MCP server '${shorten(source.server, 100)}'`;
  }
}

/** The question itself, with the answers to it; shorter for a narrow terminal. */
function questionFor({ offersAlways }: LeaveRequest, columns: number): string {
  if (columns < 60) return `Run it? ${offersAlways ? "[y/a/N]" : "[y/N]"}`;
  return `Run it? [y]es, ${offersAlways ? "[a]lways in this session, " : ""}[N]o:`;
}

/** What a call is to do: as its tool says it, whole, or its input as JSON, of which each part is seen. */
function inputOf({ tool, call }: LeaveRequest): { text: string; isHidden: boolean; isCut: boolean } {
  const told = tool.describe?.(call.input);
  if (told !== undefined) {
    const text = told.replaceAll("\t", "    ");
    return { text, isHidden: neutralise(text) !== text, isCut: false };
  }
  const seen = toJson(call.input, (_, value) =>
    typeof value === "string" ? shorten(value, LONGEST_TEXT) : value,
  );
  const isShortened = seen !== toJson(call.input);
  const lines = seen.length <= SHORT_JSON ? [seen] : toJson(parseExactly(seen), undefined, 2).split("\n");
  const left = lines.length - MOST_LINES;
  if (left > 0) lines.splice(MOST_LINES - 10, left, `… (${left} lines are not shown) …`);
  return { text: escapeInJson(lines.join("\n")), isHidden: false, isCut: isShortened || left > 0 };
}

/**
 * Puts a foreign text behind an edge, so that no line of it passes for one of this program. A line that is too long goes on
 * in the next row, behind another edge: nothing of it is left out.
 */
function frame(text: string, columns: number, style: Style): string[] {
  const room = Math.max(1, columns - 3);
  return neutralise(text)
    .split("\n")
    .flatMap((line) =>
      rowsOf(line, room).map((row, index) => `${index === 0 ? style.dim("│ ") : style.dim("┆ ")}${row}`),
    );
}

function rowsOf(line: string, columns: number): string[] {
  const rows = [""];
  let width = 0;
  for (const character of line) {
    const wide = stringWidth(character);
    if (width + wide > columns && width > 0) {
      rows.push("");
      width = 0;
    }
    rows[rows.length - 1] += character;
    width += wide;
  }
  return rows;
}

/**
 * Drops what was typed before there was a question: it answers none. Without its line mode a terminal hands out lines that
 * were not sent yet, too. Rejects with `interrupted` for a Ctrl-C among it, which is no signal then.
 */
async function dropTyped(stdin: Runtime["stdin"], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!stdin.setRawMode || !stdin.readable) return;
  let hasInterrupted = false;
  const take = (typed: string | Uint8Array): void => {
    hasInterrupted ||= Buffer.from(typed).includes(CTRL_C);
  };
  stdin.setRawMode(true);
  try {
    stdin.on("data", take);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, DROP_MS);
      function end(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        // Where the process was busy for longer, what was typed is read only now: Node looks at it before this.
        setImmediate(resolve);
      }
      signal.addEventListener("abort", end, { once: true });
    });
  } finally {
    stdin.off("data", take);
    stdin.pause();
    stdin.setRawMode(false);
  }
  signal.throwIfAborted();
  if (hasInterrupted)
    throw new OpenclawError("interrupted", {
      message: "Interrupted by Ctrl-C.",
      hint: "Run the command again.",
    });
}
