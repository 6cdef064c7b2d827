import { createHash } from "node:crypto";
import { signReasoning } from "./model-rules.ts";
import { AwsError } from "./aws-error.ts";
import type { ContentBlock, ConverseRequest } from "./converse-model.ts";
import { type Dialogue, type DialogueStep, resultText, stepFor, type StopReason } from "./dialogue.ts";
import type { EmulatedModel } from "./models.ts";
import { sampleInstance } from "./sample-instance.ts";
import type { StreamStep } from "./script.ts";

/** An answer made up from the request: the same request gets the same answer. */
export interface SimulatedAnswer {
  reasoning: { text: string; signature: string } | undefined;
  text: string;
  /** What the web was searched for before the text. */
  search?: { toolUseId: string; query: string } | undefined;
  /** Where the text is from, as Converse has it. */
  citations?: readonly object[];
  /** The calls of tools, behind the text. */
  toolUses: readonly { name: string; toolUseId: string; input: unknown }[];
  stopReason: StopReason;
  /** The text that ended it, where one did. */
  stopSequence?: string | undefined;
  /** In tokens, by `estimateTokens`. */
  inputTokens: number;
  outputTokens: number;
  served: ConverseRequest["served"];
  /** What a guardrail did, and how it came to that where that is asked for. */
  guardrailAction?: "NONE" | "INTERVENED";
  trace?: object;
}

/** Characters per token: the usual rule of thumb for English. The emulator has no tokenizer of any model. */
const CHARACTERS_PER_TOKEN = 4;
/** What the input costs in tokens for an image or another file, whatever its size. */
const TOKENS_PER_FILE = 1000;
/** A longer prompt is not repeated whole. */
const MOST_ECHOED_CHARACTERS = 4000;
/** A word longer than this comes in several deltas, as tokens would. */
const MOST_DELTA_CHARACTERS = 24;

/**
 * Makes up the answer. It says that it is simulated, names the model and repeats the question, unless a dialogue has what
 * is to be said. Throws `AwsError` where that is an error.
 */
export function simulateAnswer(
  request: ConverseRequest,
  model: EmulatedModel,
  dialogue?: Dialogue,
): SimulatedAnswer {
  const step = dialogue && stepFor(dialogue, request);
  if (step) return sayStep(step, request, model);
  const question = request.messages.findLast((message) => message.role === "user")?.content ?? [];
  const { structure } = request;
  const made = structure && sampleInstance(structure.schema);
  if (structure?.toolName !== undefined) return simulateToolUse(request, structure.toolName, made);
  const whole =
    (structure && JSON.stringify(made)) ??
    `This is a simulated answer from the openclaw emulator (model ${model.modelName}). ` +
      `You asked: ${echo(question)}${describeFiles(question)}`;
  let budget = (request.maxTokens ?? Number.POSITIVE_INFINITY) * CHARACTERS_PER_TOKEN;
  const thought = wantsReasoning(request, model) ? cut(SIMULATED_REASONING, budget) : "";
  budget -= characterCount(thought);
  const stop = firstStop(whole, request.stopSequences);
  const permitted = stop === undefined ? whole : whole.slice(0, stop.place);
  const text = cut(permitted, budget);
  const isCut = text.length < permitted.length;
  return {
    reasoning:
      thought === ""
        ? undefined
        : { text: thought, signature: signReasoning(model.modelId, request, thought) },
    text,
    toolUses: [],
    stopReason: isCut ? "max_tokens" : stop === undefined ? "end_turn" : "stop_sequence",
    stopSequence: isCut ? undefined : stop?.text,
    inputTokens: countInputTokens(request),
    outputTokens: Math.ceil((characterCount(thought) + characterCount(text)) / CHARACTERS_PER_TOKEN),
    served: request.served,
    ...(isCut || stop ? {} : simulateSources(request, question)),
  };
}

/** Makes sources up for an answer that is asked for some: the documents that are attached, or pages of no site. */
function simulateSources(
  { tools = [] }: ConverseRequest,
  question: readonly ContentBlock[],
): Pick<SimulatedAnswer, "search" | "citations"> {
  if (tools.some(({ systemTool }) => systemTool)) {
    const query = cut(question.flatMap((block) => block.text ?? []).join(" "), 100);
    const pages = [1, 2].map((nth) => ({
      title: `A simulated page, ${nth}`,
      location: { web: { url: `https://simulated.example/${nth}`, domain: "simulated.example" } },
    }));
    return { search: { toolUseId: toolUseId(query), query }, citations: pages };
  }
  const documents = question.flatMap(({ document }) => (document ? [document] : []));
  const citations = documents.flatMap(({ name, format, citations: asked }, documentIndex) => {
    if (asked?.enabled !== true) return [];
    const location =
      format === "pdf"
        ? { documentPage: { documentIndex, start: 1, end: 2 } }
        : { documentChar: { documentIndex, start: 0, end: 10 } };
    return [{ title: name, sourceContent: [{ text: "Simulated words of the document." }], location }];
  });
  return citations.length === 0 ? {} : { citations };
}

function simulateToolUse(request: ConverseRequest, name: string, input: unknown): SimulatedAnswer {
  const json = JSON.stringify(input);
  return {
    reasoning: undefined,
    text: "",
    toolUses: [{ name, toolUseId: toolUseId(json), input }],
    stopReason: "tool_use",
    inputTokens: countInputTokens(request),
    outputTokens: estimateTokens(json),
    served: request.served,
  };
}

/** The answer of a dialogue. Throws `AwsError` where it is an error. */
function sayStep(step: DialogueStep, request: ConverseRequest, { modelId }: EmulatedModel): SimulatedAnswer {
  const { reasoning = "", toolCalls = [], error } = step;
  if (error) throw new AwsError(error.name, error.message ?? "Asked for by the script of the emulator.");
  const text = (step.text ?? "").replaceAll("$result", () => resultText(request));
  const toolUses = toolCalls.map(({ name, input = {}, id }, nth) => ({
    name,
    // Different for what is called twice at once, and again in another round.
    toolUseId: id ?? toolUseId(JSON.stringify([request.messages.length, nth, name, input])),
    input,
  }));
  const inputs = toolUses.map(({ input }) => JSON.stringify(input));
  return {
    reasoning:
      reasoning === ""
        ? undefined
        : { text: reasoning, signature: signReasoning(modelId, request, reasoning) },
    text,
    toolUses,
    stopReason: step.stopReason ?? (toolUses.length > 0 ? "tool_use" : "end_turn"),
    inputTokens: countInputTokens(request),
    outputTokens: estimateTokens([reasoning, text, ...inputs].join("")),
    served: request.served,
  };
}

/** The same for the same input. */
function toolUseId(input: string): string {
  return `tooluse_${createHash("sha256").update(input).digest("hex").slice(0, 22)}`;
}

const SIMULATED_REASONING =
  "This is simulated reasoning from the openclaw emulator: it repeats the question and thinks nothing.";

/**
 * Estimated tokens of a conversation, calls of tools and their results included: a quarter of its characters, and a flat
 * price for each file.
 */
export function countInputTokens(request: Pick<ConverseRequest, "messages" | "system">): number {
  const blocks: readonly ContentBlock[] = [
    ...request.system,
    ...request.messages.flatMap(({ content }) => content),
  ];
  let tokens = 0;
  for (const { toolUse, toolResult, ...said } of blocks) {
    if (toolUse) tokens += estimateTokens(toolUse.name + JSON.stringify(toolUse.input));
    for (const block of toolResult?.content ?? [said]) {
      const text = block.text ?? ("json" in block ? JSON.stringify(block.json) : undefined);
      if (text !== undefined) tokens += estimateTokens(text);
      if (fileKind(block) !== undefined) tokens += TOKENS_PER_FILE;
    }
  }
  return tokens;
}

/** Estimated tokens of a text: a quarter of its characters, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(characterCount(text) / CHARACTERS_PER_TOKEN);
}

/** Cuts a text into deltas of about a word each, which put together are the text again. */
export function splitIntoDeltas(text: string): string[] {
  return (text.match(/\s*\S+|\s+$/gu) ?? []).flatMap((word) => {
    if (word.length <= MOST_DELTA_CHARACTERS) return [word];
    const characters = Array.from(word);
    const pieces: string[] = [];
    for (let start = 0; start < characters.length; start += MOST_DELTA_CHARACTERS) {
      pieces.push(characters.slice(start, start + MOST_DELTA_CHARACTERS).join(""));
    }
    return pieces;
  });
}

/** The steps of a stream for the pieces of an answer, with a pause in ms between any two; none where it is 0. */
export function* paced<T>(
  pieces: readonly T[],
  delayMs: number,
  toStep: (piece: T) => StreamStep,
): Generator<StreamStep> {
  for (const [nth, piece] of pieces.entries()) {
    if (delayMs > 0 && nth > 0) yield { wait: delayMs };
    yield toStep(piece);
  }
}

function echo(blocks: readonly ContentBlock[]): string {
  const text = blocks.flatMap((block) => block.text ?? []).join("\n");
  const start = cut(text, MOST_ECHOED_CHARACTERS);
  return start.length === text.length ? text : `${start}… (${characterCount(text)} characters in all)`;
}

function describeFiles(blocks: readonly ContentBlock[]): string {
  const counts = new Map<string, number>();
  for (const block of blocks) {
    const kind = fileKind(block);
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  if (counts.size === 0) return "";
  const parts = [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  return `\nYou attached ${parts.join(", ")}.`;
}

function fileKind(block: ContentBlock): string | undefined {
  if (block.image !== undefined) return "image";
  if (block.document !== undefined) return "document";
  if (block.video !== undefined) return "video";
  return block.audio === undefined ? undefined : "recording";
}

/** The ways in which the model families are asked to reason, switched off or not. */
function wantsReasoning({ additionalFields }: ConverseRequest, model: EmulatedModel): boolean {
  if (model.canReason !== true) return false;
  const isOn = (field: unknown): boolean =>
    typeof field === "object" && field !== null && "type" in field && field.type !== "disabled";
  const { thinking, reasoning_config, reasoningConfig, reasoning_effort, reasoning } = additionalFields;
  const isLevel = (field: unknown): boolean => typeof field === "string" && field !== "none";
  return (
    isOn(thinking) ||
    isOn(reasoning_config) ||
    isOn(reasoningConfig) ||
    isLevel(reasoning_config) ||
    isLevel(reasoning_effort) ||
    isLevel((reasoning as { effort?: unknown } | undefined)?.effort)
  );
}

function firstStop(
  text: string,
  stopSequences: readonly string[],
): { text: string; place: number } | undefined {
  const found = stopSequences
    .map((stop) => ({ text: stop, place: text.indexOf(stop) }))
    .filter(({ place }) => place >= 0);
  return found.sort((one, other) => one.place - other.place)[0];
}

function characterCount(text: string): number {
  let pairs = 0;
  const pair = /[\ud800-\udbff][\udc00-\udfff]/g;
  while (pair.test(text)) pairs++;
  return text.length - pairs;
}

function cut(text: string, mostCharacters: number): string {
  if (text.length <= mostCharacters) return text;
  const most = Math.max(0, Math.floor(mostCharacters));
  // A character has one unit or two.
  return Array.from(text.slice(0, most * 2))
    .slice(0, most)
    .join("");
}
