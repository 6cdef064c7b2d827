import type { Message, ToolResultBlock, ToolResultContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { readTextInput } from "../../disk/read-input.ts";
import { type OpenclawError, shorten, usageError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { parseBoundedJson } from "../../json-bounds.ts";
import type { Runtime } from "../../runtime.ts";
import { callsIn, type ToolCall } from "./tool.ts";

const FLAG = "--tool-result";
/** A line as it has to be, for hints. */
const FORM = `A line for each call: {"toolUseId": "ID", "content": "TEXT"}`;

/** A turn whose last answer calls tools that nobody has run. */
export interface LeftTurn {
  /** Its messages up to that answer. */
  messages: readonly Message[];
  calls: readonly ToolCall[];
}

/**
 * What a turn was left at; undefined where its last answer calls no tool. Results that were sent and not answered count for
 * nothing: they may be given once more.
 */
export function leftTurn(messages: readonly Message[]): LeftTurn | undefined {
  const last = messages.findLastIndex(({ role, content = [] }) => role === "assistant" && content.length > 0);
  const calls = callsIn(messages[last]?.content ?? []);
  return calls.length === 0 ? undefined : { messages: messages.slice(0, last + 1), calls };
}

/**
 * Reads the results of calls, as JSON a line, into the message that answers them, in the order of the calls. Throws `usage`
 * naming the line or the call where they are not one for each.
 */
export async function readGivenResults(
  file: string,
  calls: readonly ToolCall[],
  runtime: Runtime,
): Promise<Message> {
  const text = await readTextInput(file, FLAG, FORM, runtime);
  return toMessage(text, calls, `${FLAG} '${shorten(file)}'`);
}

/** Reads the text of such a file; `label` begins the sentence about what is wrong with it. */
export function toMessage(text: string, calls: readonly ToolCall[], label: string): Message {
  const results = new Map<string, { line: number; block: ToolResultBlock }>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const number = index + 1;
    const block = readLine(line, `${label}, line ${number}`);
    const { toolUseId = "" } = block;
    const other = results.get(toolUseId);
    if (other)
      throw usageError(
        `${label} has two results for the call '${shorten(toolUseId)}', in lines ${other.line} and ${number}.`,
        "Leave one of them out.",
      );
    if (!calls.some((call) => call.toolUseId === toolUseId))
      throw usageError(
        `${label}, line ${number}: the last answer makes no call '${shorten(toolUseId)}'.`,
        `It makes: ${calls.map(nameCall).join(", ")}`,
      );
    results.set(toolUseId, { line: number, block });
  }
  const missing = calls.filter(({ toolUseId }) => !results.has(toolUseId));
  if (missing.length > 0)
    throw usageError(`${label} has no result for ${missing.map(nameCall).join(" and ")}.`, FORM);
  const content = calls.flatMap(({ toolUseId }) => {
    const result = results.get(toolUseId);
    return result ? [{ toolResult: result.block }] : [];
  });
  return { role: "user", content };
}

function nameCall({ toolUseId, name }: ToolCall): string {
  return `'${shorten(toolUseId, 80)}' (${shorten(name, 80)})`;
}

function readLine(line: string, place: string): ToolResultBlock {
  const wrong = (what: string): OpenclawError => usageError(`${place}: ${what}.`, FORM);
  const value = parseLine(line, wrong);
  if (!isRecord(value)) throw wrong("it is no object");
  const { toolUseId, content, status = "success" } = value;
  if (typeof toolUseId !== "string") throw wrong("it has no toolUseId");
  if (content === undefined) throw wrong("it has no content");
  if (status !== "success" && status !== "error")
    throw wrong(`status is "success" or "error", not ${shorten(JSON.stringify(status))}`);
  return { toolUseId, content: [toBlock(content)], ...(status === "error" ? { status } : {}) };
}

function parseLine(line: string, wrong: (what: string) => OpenclawError): unknown {
  try {
    return parseBoundedJson(line);
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong(`it is no JSON (${shorten(error.message)})`);
    throw error;
  }
}

/** Converse takes only objects as JSON; what else there is stands as text. */
function toBlock(content: unknown): ToolResultContentBlock {
  if (isRecord(content)) return { json: content as never };
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { text: text === "" ? "(nothing)" : text };
}
