import type { Message, ToolResultBlock, ToolResultContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { textBlocks } from "../../converse/conversation.ts";
import { readTextInput } from "../../disk/read-input.ts";
import { type OpenclawError, shorten, usageError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { parseBoundedExactly } from "../../json-bounds.ts";
import { toJson } from "../../json-numbers.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import type { Conversation } from "../sessions/kept-conversation.ts";
import type { KeptTurn } from "../sessions/session-record.ts";
import { boundText } from "./tool-result.ts";
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

/** What a turn goes on with. */
export interface GoneOn {
  /** The turn so far, and as the newest message the results. */
  messages: readonly Message[];
  /** It alone, up to the calls. */
  goesOn: KeptTurn;
}

/**
 * Reads a file with the results of calls. What is returned makes of them what the last turn of a conversation goes on with;
 * words that are not empty go behind the results. Both throw `usage`.
 */
export async function readGivenResults(
  file: string,
  runtime: Runtime,
): Promise<(conversation: Pick<Conversation, "id" | "turns"> | undefined, words: string) => GoneOn> {
  const text = await readTextInput(file, FLAG, FORM, runtime);
  return (conversation, words) => {
    const last = conversation?.turns.at(-1);
    const left = last && leftTurn(last.messages);
    const { id = "" } = conversation ?? {};
    if (!left)
      throw usageError(
        last
          ? `The last answer of session '${id}' calls no tool, so there is nothing to give a result for.`
          : `Session '${id}' has no answer yet, so there is nothing to give a result for.`,
        last ? `openclaw sessions show ${quoteForShell(id)}` : "openclaw sessions list",
      );
    const results = toMessage(text, left.calls, `${FLAG} '${shorten(file)}'`);
    const newest = { ...results, content: [...(results.content ?? []), ...textBlocks(words)] };
    return { messages: [...left.messages, newest], goesOn: { ...last, messages: left.messages } };
  };
}

/**
 * The message that answers calls, in their order, from JSON a line: `toolUseId`, `content`, `status`. Throws `usage` naming
 * the line or the call where there is not one result for each; `label` begins the sentence.
 */
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
    return parseBoundedExactly(line);
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong(`it is no JSON (${shorten(error.message)})`);
    throw error;
  }
}

/** Converse takes only objects as JSON; what else there is stands as text, and so does what is cut because it is long. */
function toBlock(content: unknown): ToolResultContentBlock {
  const text = typeof content === "string" ? content : toJson(content);
  const bounded = boundText(text);
  if (isRecord(content) && bounded === text) return { json: content as never };
  return { text: bounded === "" ? "(nothing)" : bounded };
}
