import type { ToolResultBlock, ToolResultContentBlock, ToolUseBlock } from "@aws-sdk/client-bedrock-runtime";
import stringWidth from "string-width";
import { fileOf } from "../../converse/conversation.ts";
import { isRecord } from "../../json.ts";
import { toJson } from "../../json-numbers.ts";
import { formatSeconds } from "../../models/usage.ts";
import type { Style } from "../../terminal/color.ts";
import { neutralise, onOneLine } from "../../terminal/neutralise.ts";
import { formatBytes } from "../../terminal/numbers.ts";
import { cutText } from "../../terminal/word-wrap.ts";
import type { ToolCall, ToolResult, ToolSource } from "./tool.ts";

/** A terminal to write a line for: a line that is full would go on in the next one. */
interface LineOptions {
  columns: number;
  style: Style;
}

/** What a tool that nobody let run is told the model as, behind which is why. */
const NOT_RUN = /^The call was not run:\s*/;

/** What the model is told of a call that was stopped. */
const STOPPED = /^The call was stopped\b/;

/** No line of a terminal has room for more, in characters: the rest is not looked at. */
const MOST_SHOWN = 1000;

/**
 * A call as a line of a terminal: the tool and what it is given, as much as fits. Of a server's tool whose name does not
 * say so it says which one it is.
 */
export function callLine(
  call: ToolCall,
  source: ToolSource | undefined,
  { columns, style }: LineOptions,
): string {
  return style.dim(fit(`• ${nameOf(call.name, source)} ${wordsOfInput(call.input)}`.trimEnd(), columns));
}

/**
 * What came of a call as a line of a terminal, below the call: how much, how long it took, in ms, where that is known, and
 * how it begins, as much as fits. `of` names the call where others ran at the same time.
 */
export function resultLine(
  { content, isError }: ToolResult,
  durationMs: number | undefined,
  { columns, style, isRefused = false, of }: LineOptions & { isRefused?: boolean; of?: ToolCall | undefined },
): string {
  const name = of ? `${of.name} ${fit(wordsOfInput(of.input), 25)}`.trimEnd() : "";
  const { amount, beginning } = describeContent(content);
  if (isRefused) {
    const why = beginning.replace(NOT_RUN, "");
    return coloured(["  └ ", name], "not run", why === "" ? "" : `: ${why}`, columns, style);
  }
  const time = durationMs === undefined ? "" : formatSeconds(durationMs);
  if (isError && STOPPED.test(beginning))
    return coloured(["  └ ", name], "stopped", time === "" ? "" : `, ${time}`, columns, style);
  const facts = [amount, time].filter((fact) => fact !== "").join(", ");
  const rest = [facts, beginning].filter((said) => said !== "").join(": ");
  if (isError) return coloured(["  └ ", name], "error", `, ${rest}`, columns, style);
  return style.dim(fit(`  └ ${name === "" ? "" : `${name}: `}${rest}`, columns));
}

/** A call that was kept, and what came of it, as lines of a terminal. */
export function keptCallLines(
  { toolUseId = "", name = "", input }: ToolUseBlock,
  result: ToolResultBlock | undefined,
  look: LineOptions,
): string[] {
  const line = callLine({ toolUseId, name, input: isRecord(input) ? input : { input } }, undefined, look);
  if (!result) return [line];
  const { content = [], status } = result;
  const [first] = content;
  const isError = status === "error";
  const isRefused = isError && NOT_RUN.test(first?.text ?? "");
  return [line, resultLine({ content, isError }, undefined, { ...look, isRefused })];
}

/** A line with one word in red. */
function coloured(
  [mark, name]: [string, string],
  word: string,
  rest: string,
  columns: number,
  style: Style,
): string {
  const begin = fit(`${mark}${name === "" ? "" : `${name}: `}`, columns - 1 - word.length);
  const { dim, red } = style;
  return dim(begin) + red(word) + dim(fit(rest, columns - stringWidth(begin) - word.length));
}

function nameOf(name: string, source: ToolSource | undefined): string {
  if (source?.kind !== "server" || name === `${source.server}__${source.tool}`) return name;
  return `${name} (${source.tool} of ${source.server})`;
}

/** The input of a call on one line: what one property says, or each with its name; what is no object as it is. */
function wordsOfInput(input: unknown): string {
  if (!isRecord(input)) return sayValue(input);
  const entries = Object.entries(input);
  const [only] = entries;
  if (entries.length === 1 && typeof only?.[1] === "string") return only[1].slice(0, MOST_SHOWN);
  let words = "";
  for (const [name, value] of entries) {
    words += `${words === "" ? "" : ", "}${name}: ${sayValue(value)}`;
    if (words.length > MOST_SHOWN) break;
  }
  return words;
}

function sayValue(value: unknown): string {
  const said = typeof value === "string" ? value : (toJson(value) ?? "");
  return said.slice(0, MOST_SHOWN);
}

/** How much a result is, but for a text of one line, and how it begins. */
function describeContent(content: readonly ToolResultContentBlock[]): { amount: string; beginning: string } {
  const texts = content.flatMap(({ text, json }) => text ?? (json === undefined ? [] : toJson(json)));
  const files = content.flatMap((block) => {
    const file = fileOf(block);
    if (!file) return [];
    const kind = [file.format, file.kind].filter((word) => word !== undefined).join(" ");
    return file.bytes ? `${kind} of ${formatBytes(file.bytes.length)}` : kind;
  });
  const text = texts.join("\n").trim();
  const lines = text === "" ? 0 : text.split("\n").length;
  const ofText = lines > 1 ? [`${lines} lines, ${formatBytes(Buffer.byteLength(text))}`] : [];
  const end = text.indexOf("\n");
  return {
    amount: [...ofText, ...files].join(", "),
    beginning: text.slice(0, Math.min(end < 0 ? text.length : end, MOST_SHOWN)).trim(),
  };
}

/** A text as a line that does not fill so many columns, with a mark where it is cut. */
function fit(text: string, columns: number): string {
  const line = neutralise(onOneLine(text.slice(0, 4 * MOST_SHOWN)).replaceAll("\t", " "));
  const room = Math.max(0, columns - 1);
  if (stringWidth(line) <= room) return line;
  return room === 0 ? "" : `${cutText(line, room - 1).trimEnd()}…`;
}
