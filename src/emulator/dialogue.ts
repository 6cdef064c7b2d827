import { isDeeperThan, isRecord } from "../json.ts";
import { MOST_DEPTH } from "../json-bounds.ts";
import type { ContentBlock, ConverseRequest } from "./converse-model.ts";

/** Why an answer ends, by Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
const STOP_REASONS = [
  "end_turn",
  "tool_use",
  "max_tokens",
  "stop_sequence",
  "guardrail_intervened",
  "content_filtered",
  "malformed_model_output",
  "malformed_tool_use",
  "model_context_window_exceeded",
] as const;

export type StopReason = (typeof STOP_REASONS)[number];

/** One answer of a model, or the error in its place. */
export interface DialogueStep {
  /** `$result` in it stands for what the tools of the last round came to. */
  text?: string;
  /** What it thinks before it says anything; signed where a wire carries signatures. */
  reasoning?: string;
  /** The calls that it makes at once, behind the text; of tools that the request has or has not. */
  toolCalls?: readonly { name: string; input?: object; id?: string }[];
  /** By itself `tool_use` where it calls, and `end_turn` where not. */
  stopReason?: StopReason;
  /** An error by AWS's name, with the status that belongs to it. */
  error?: { name: string; message?: string };
}

/**
 * What models say in place of made-up answers: the steps of every conversation, or those of conversations by what their
 * first question contains; the first that fits is taken.
 */
export type Dialogue =
  | readonly DialogueStep[]
  | { conversations: readonly { when?: string; steps: readonly DialogueStep[] }[] };

/**
 * The step that answers a request: of its conversation's the one whose place is the number of answers so far. Undefined
 * where there is none, or no more.
 */
export function stepFor(
  dialogue: Dialogue,
  { messages }: Pick<ConverseRequest, "messages">,
): DialogueStep | undefined {
  const question = (messages[0]?.content ?? []).flatMap(({ text }) => text ?? []).join("\n");
  const steps =
    "conversations" in dialogue
      ? dialogue.conversations.find(({ when = "" }) => question.includes(when))?.steps
      : dialogue;
  return steps?.[messages.filter(({ role }) => role === "assistant").length];
}

/** What the tools came to whose results stand in the last message, as text. */
export function resultText({ messages }: Pick<ConverseRequest, "messages">): string {
  const parts = (messages.at(-1)?.content ?? []).flatMap(({ toolResult }) => toolResult?.content ?? []);
  return parts.map(partText).join("\n");
}

function partText({ text, json, ...file }: ContentBlock & { json?: unknown }): string {
  return text ?? (json === undefined ? `[${Object.keys(file).join(" ")}]` : JSON.stringify(json));
}

/** Something in a file that is no dialogue. */
export class DialogueFault extends Error {
  readonly path: readonly (string | number)[];

  /** `message` says what is wrong, and follows the name of the place: "takes a text". */
  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.path = path;
  }
}

/** Takes what a file holds for a dialogue. Throws `DialogueFault` for the first thing in it that is none. */
export function readDialogue(value: unknown): Dialogue {
  if (isDeeperThan(value, MOST_DEPTH)) throw new DialogueFault([], `goes deeper than ${MOST_DEPTH} levels`);
  if (Array.isArray(value)) {
    checkSteps(value, []);
  } else {
    const fields = checkObject(
      value,
      [],
      ["conversations"],
      "a list of steps, or an object of conversations",
    );
    const { conversations } = fields;
    if (!Array.isArray(conversations))
      throw new DialogueFault(["conversations"], "takes a list of {when, steps}");
    for (const [index, conversation] of (conversations as unknown[]).entries()) {
      const path = ["conversations", index];
      const { when, steps } = checkObject(conversation, path, ["when", "steps"]);
      checkText(when, [...path, "when"]);
      checkSteps(steps, [...path, "steps"]);
    }
  }
  return value as Dialogue;
}

type Place = readonly (string | number)[];

function checkSteps(steps: unknown, path: Place): void {
  if (!Array.isArray(steps)) throw new DialogueFault(path, "takes a list of steps");
  for (const [index, step] of (steps as unknown[]).entries()) checkStep(step, [...path, index]);
}

function checkStep(step: unknown, path: Place): void {
  const fields = checkObject(step, path, ["text", "reasoning", "toolCalls", "stopReason", "error"]);
  const { text, reasoning, toolCalls = [], stopReason, error } = fields;
  checkText(text, [...path, "text"]);
  checkText(reasoning, [...path, "reasoning"]);
  if (!Array.isArray(toolCalls))
    throw new DialogueFault([...path, "toolCalls"], "takes a list of {name, input}");
  for (const [index, call] of (toolCalls as unknown[]).entries()) {
    const place = [...path, "toolCalls", index];
    const { name, input = {}, id = "1" } = checkObject(call, place, ["name", "input", "id"]);
    if (typeof name !== "string" || name === "")
      throw new DialogueFault([...place, "name"], "takes the name of a tool");
    if (!isRecord(input)) throw new DialogueFault([...place, "input"], "takes an object");
    if (typeof id !== "string" || id === "") throw new DialogueFault([...place, "id"], "takes a text");
  }
  if (stopReason !== undefined && !STOP_REASONS.some((known) => known === stopReason))
    throw new DialogueFault([...path, "stopReason"], `takes one of ${STOP_REASONS.join(", ")}`);
  if (error === undefined) return;
  const others = Object.keys(fields).filter((name) => name !== "error");
  if (others.length > 0)
    throw new DialogueFault([...path, "error"], `stands alone in its step, and beside it is ${others[0]}`);
  const { name, message } = checkObject(error, [...path, "error"], ["name", "message"]);
  if (typeof name !== "string" || !/^[A-Z]\w*$/.test(name))
    throw new DialogueFault([...path, "error", "name"], "takes an error of AWS, such as ThrottlingException");
  checkText(message, [...path, "error", "message"]);
}

function checkText(value: unknown, path: Place): void {
  if (value !== undefined && typeof value !== "string") throw new DialogueFault(path, "takes a text");
}

function checkObject(
  value: unknown,
  path: Place,
  known: readonly string[],
  what = `an object of ${known.join(", ")}`,
): Record<string, unknown> {
  if (!isRecord(value)) throw new DialogueFault(path, `takes ${what}`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return value;
  throw new DialogueFault([...path, unknown], `is not known; there are ${known.join(", ")}`);
}
