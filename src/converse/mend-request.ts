import type {
  CachePointBlock,
  ContentBlock,
  ConverseStreamCommandInput,
  DocumentBlock,
  Message,
  Tool,
  ToolInputSchema,
  ToolResultBlock,
  ToolResultContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { sha256Hex } from "../aws/digest.ts";
import { type ChatParameters, flagName, type ParameterNames } from "../config/parameters.ts";
import { LONGEST_MESSAGE, OpenclawError, shorten } from "../errors.ts";
import { isRecord, isWellFormed, numberOf, wellFormed } from "../json.ts";
import { parseExactlyIfJson } from "../json-bounds.ts";
import { toJsonText } from "../network/json-body.ts";
import { mapInTurns, nextTurn, piecesOf, TURN_BYTES, turnOver } from "../next-turn.ts";
import { once } from "../once.ts";
import type { InputKind } from "../models/list.ts";
import { ANSWER_TOKENS, ANY_TOOL_IDS, type FamilyFacts, type ToolIds } from "../models/families.ts";
import { leaveOutRefused, type Lessons, withDocumentsAsText } from "./apply-lessons.ts";
import {
  answerOf,
  blocksOf,
  fileOf,
  isAnswered,
  isSameModel,
  systemAsContent,
  textBlocks,
  textOf,
  type Turn,
} from "./conversation.ts";
import { documentName } from "./document-name.ts";
import { inputInWords, isBlank, KIND_WORDS, TEXT_FORMATS } from "./file-kind.ts";
import { ANSWER_TOOL } from "./request.ts";
import { toolSchema } from "./tool-schema.ts";
import { isOnlyBlanks } from "../only-blanks.ts";

/** What a request is mended for. */
export interface Recipient {
  /** As a person knows the model, for notices. */
  modelId: string;
  /** What the model takes. */
  family: FamilyFacts;
  /** The model's own limit for its output, in tokens. */
  mostTokens?: number | undefined;
  /** Whether the model will reason. */
  isReasoning: boolean;
  /** What the call itself asks for: where a model takes only one of two, it wins over what the configuration asks for. */
  asked?: ChatParameters;
  /** What notices call the parameters. */
  nameOf?: ParameterNames | undefined;
  /** The turns before, of which the model gets what it may be sent. */
  earlier?: readonly Turn[] | undefined;
  /** Whether the documents are to be cited, those of earlier turns, too; undefined leaves it to each of them. */
  cites?: boolean | undefined;
  /** Whether it can say where in a document its words are from; undefined where nobody knows. */
  canCite?: boolean | undefined;
  /** What files the model is known to take, of earlier turns, too. */
  reads?: ReadableFiles | undefined;
  /** The most documents of a request, those of earlier turns among them; undefined where nothing bounds them. */
  mostDocuments?: number | undefined;
  /** What the model refused before. Facts of its family that were learnt are in `family`. */
  lessons?: Lessons;
}

/** Which files a model takes, as far as that is known. */
export interface ReadableFiles {
  kinds: readonly InputKind[] | undefined;
  /** Whether it reads files in Amazon S3. */
  inS3: boolean | undefined;
}

export interface MendedRequest {
  input: Input;
  /** The newest message by itself, which the mended request may have together with others. */
  question: Message | undefined;
  /** What was changed that a person would see, for the one who asked. */
  notices: string[];
  /** The caller's names of the tools that are sent under another, by that one. */
  toolNames: ReadonlyMap<string, string>;
  /**
   * Identifies the system prompt and the tools that the answer will be given under; undefined where there are none. Made
   * when it is asked for: it takes its time, and only who keeps the answer wants it.
   */
  promptDigest(): string | undefined;
}

type Input = ConverseStreamCommandInput;

interface Mending extends Recipient {
  tell: (notice: string) => void;
  toolNames: Map<string, string>;
}

/** In the order in which they have to be applied: each leaves alone what an earlier one has mended. */
const RULES: readonly ((input: Input, mending: Mending) => Input | Promise<Input>)[] = [
  mendTools,
  mendSystem,
  mendFiles,
  addHistory,
  sayDocuments,
  leaveOutRefused,
  mendCharacters,
  mendBlocks,
  mendTurns,
  mendPairs,
  mendEnds,
  separateToolTurns,
  leaveOutDocuments,
  mendDocuments,
  mendCachePoints,
  mendSampling,
  mendLength,
];

/**
 * Makes a request one that the service and the model take, whatever the conversation holds: nothing else stands between
 * what was said, here or by a program, and a refusal that every later turn would meet again. What is fit stays as it is, a
 * mended request is not changed again, and the same history is mended the same way in every turn, so that it is found in
 * the prompt cache. What Converse demands is in its service model (botocore's `bedrock-runtime`), in
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html, and in the refusals that
 * `emulator/converse-request.ts` cites; what differs by model in `models/families.ts`. Of a conversation that is long others
 * have their turn between the rules, and of many tools between these. Throws `bad-attachment` for a file of what is asked now
 * that the model is known not to take.
 */
export async function mendRequest(request: Input, recipient: Recipient): Promise<MendedRequest> {
  const notices = new Set<string>();
  const toolNames = new Map<string, string>();
  const mending = {
    ...recipient,
    toolNames,
    tell: (notice: string) => void notices.add(shorten(notice, LONGEST_MESSAGE)),
  };
  let input = request;
  for (const rule of RULES) {
    await turnOver();
    input = await rule(input, mending);
  }
  const question = newestOf(request, input);
  return { input, question, notices: [...notices], toolNames, promptDigest: once(() => digestOf(input)) };
}

/** The newest message as it was asked, its documents under the names that the model knows them by. */
function newestOf(request: Input, mended: Input): Message | undefined {
  const newest = request.messages?.at(-1);
  if (!newest) return undefined;
  const names = (mended.messages?.at(-1)?.content ?? []).flatMap(({ document }) => document?.name ?? []);
  const content = (newest.content ?? []).toReversed().map((block): ContentBlock => {
    const { document } = block;
    return document ? { document: { ...document, name: names.pop() ?? document.name } } : block;
  });
  return { ...newest, content: content.toReversed() };
}

/**
 * Earlier turns go first. Reasoning goes back to the model that it came from and nobody else, and only under the system
 * prompt and the tools that it came under: recent Claude models refuse it under others. What was refused once stays left
 * out. A question without an answer goes with the next one, unless one of them was refused since: nobody knows which of
 * them it was, and it would be again. So does a turn of which the results of its tools were refused.
 */
function addHistory(input: Input, mending: Mending): Input {
  const { earlier = [], modelId, tell } = mending;
  if (earlier.length === 0) return input;
  const digest = digestOf(input);
  let isReasoningLost = false;
  const refusedUntil = earlier.findLastIndex(({ endsReasoning }) => endsReasoning);
  const history: Message[] = [];
  let unanswered: Message[] = [];
  for (const [index, turn] of earlier.entries()) {
    const isUnderSame = (turn.promptDigest ?? digestOfSystem(turn.system)) === digest;
    const isOwn = isSameModel(turn.model, input.modelId ?? "");
    const hasReasoning = turn.messages.some(({ content = [] }) => content.some(isReasoning));
    // Told of the latest answer only: with the next one the same reasoning is no news any more.
    const isKept = isOwn && isUnderSame && index >= refusedUntil;
    isReasoningLost = hasReasoning && isOwn && !isUnderSame;
    const messages = turn.messages.map(({ role, content = [] }): Message => {
      const kept = content.filter((block) => !isReasoning(block) || isKept);
      return { role, content: kept.map((block) => readable(block, mending)) };
    });
    const isRefused =
      REFUSED.has(turn.failure?.code ?? "") && !isAnswered({ ...turn, messages: [answerOf(turn)] });
    if (isAnswered(turn) && !isRefused) {
      for (const message of [...unanswered, ...messages]) history.push(message);
      unanswered = [];
    } else if (isRefused) unanswered = [];
    else unanswered.push(...messages.slice(0, 1));
  }
  if (isReasoningLost)
    tell(
      `The earlier reasoning of '${modelId}' is left out: it holds for the system prompt and tools of then`,
    );
  return { ...input, messages: [...history, ...unanswered, ...(input.messages ?? [])] };
}

/**
 * Files that the model does not take: what is asked now would be another question without them, so they are refused; what was
 * answered before goes without them. Throws `bad-attachment`.
 */
function mendFiles(input: Input, mending: Mending): Input {
  const { reads, modelId } = mending;
  if (!reads?.kinds && reads?.inS3 !== false) return input;
  const messages = input.messages ?? [];
  const answered = messages.findLastIndex(({ role }) => role === "assistant");
  for (const { content = [] } of messages.slice(answered + 1)) {
    const unread = content.map((block) => unreadKind(block, mending)).find((what) => what !== undefined);
    if (unread === undefined) continue;
    throw new OpenclawError("bad-attachment", {
      message: `'${modelId}' takes no ${unread}${reads.kinds ? `, only ${inWords(reads.kinds)}` : ""}.`,
      hint: "Choose a model that does, or leave them out.",
      details: { model: modelId },
    });
  }
  const before = messages.slice(0, answered + 1).map(({ role, content = [] }): Message => {
    return { role, content: content.map((block) => readable(block, mending)) };
  });
  return { ...input, messages: [...before, ...messages.slice(answered + 1)] };
}

/** Documents that are text go as text to a model that takes no documents. */
function sayDocuments(input: Input, mending: Mending): Input {
  return mending.reads?.kinds?.includes("document") === false ? withDocumentsAsText(input, mending) : input;
}

function inWords(kinds: readonly InputKind[]): string {
  return kinds.map(inputInWords).join(", ");
}

/**
 * A block of an earlier turn as the model can read it. A file that it does not take would be refused in every turn to come;
 * the words of a text are mended where they are refused.
 */
function readable(block: ContentBlock, mending: Mending): ContentBlock {
  const text = tellUnread(block, "of earlier questions", mending);
  return text === undefined ? block : { text };
}

/** What is said in place of a file that the model does not take; undefined for any other block. */
function tellUnread(
  block: ContentBlock | ToolResultContentBlock,
  place: string,
  mending: Mending,
): string | undefined {
  const { modelId, tell } = mending;
  const what = unreadKind(block, mending);
  if (what === undefined) return undefined;
  tell(`'${modelId}' takes no ${what}, so those ${place} are left out`);
  return `(A file stood here, which this model cannot read: it takes no ${what}.)`;
}

/** What of its kind the model does not take; undefined for a block that it can be sent. */
function unreadKind(block: ContentBlock | ToolResultContentBlock, { reads }: Mending): string | undefined {
  const file = fileOf(block);
  if (!file) return undefined;
  const isTaken = reads?.kinds?.includes(file.kind) !== false;
  if (isTaken && !(file.s3Location && reads?.inS3 === false)) return undefined;
  if (!file.isOpaque && !file.s3Location) return undefined;
  return isTaken ? "files from Amazon S3" : KIND_WORDS[file.kind].many;
}

/** Failures of what was asked, in codes. */
const REFUSED: ReadonlySet<string> = new Set([
  "invalid-request",
  "input-too-long",
  "bad-attachment",
  "blocked",
]);

function isReasoning({ reasoningContent }: ContentBlock): boolean {
  return reasoningContent !== undefined;
}

/** Identifies a prompt: its texts and its tools. Cache points do not count. */
function digestOf({ system = [], toolConfig }: Pick<Input, "system" | "toolConfig">): string | undefined {
  const parts = [...system, ...(toolConfig?.tools ?? [])].filter(({ cachePoint }) => !cachePoint);
  return parts.length === 0 ? undefined : sha256Hex(JSON.stringify(wellFormed(parts))).slice(0, 16);
}

/** Turns from before digests were kept have their system prompt, and no tools. */
function digestOfSystem(system: string | undefined): string | undefined {
  return system === undefined || isOnlyBlanks(system) ? undefined : digestOf({ system: [{ text: system }] });
}

/** JSON can say half a character, and those who read it refuse to. */
async function mendCharacters(input: Input, { tell }: Mending): Promise<Input> {
  if (isWellFormed(input)) return input;
  tell("Halves of characters, which no model reads, are sent as U+FFFD");
  return (await inTurnsWellFormed(input)) as Input;
}

/** What `wellFormed` makes of a value, piece by piece: to mend a text takes ten times as long as to look at it. */
async function inTurnsWellFormed(value: unknown): Promise<unknown> {
  if (typeof value === "string" && value.length > TURN_BYTES) {
    const mended = (await mapInTurns(piecesOf(value), wellFormed)).join("");
    await nextTurn();
    return mended;
  }
  if (Array.isArray(value)) return mapInTurns(value, inTurnsWellFormed);
  if (!isRecord(value) || value instanceof Uint8Array) return wellFormed(value);
  const entries = await mapInTurns(
    Object.entries(value),
    async ([name, item]) => [name.toWellFormed(), await inTurnsWellFormed(item)] as const,
  );
  return Object.fromEntries(entries);
}

/** Tools have distinct names of `[a-zA-Z0-9_-]{1,64}`, no empty description, and take an object. */
async function mendTools(input: Input, mending: Mending): Promise<Input> {
  const { toolConfig, ...rest } = input;
  if (!toolConfig) return input;
  const names = new Set<string>();
  const tools: Tool[] = [];
  for (const tool of toolConfig.tools ?? []) {
    if (!tool.toolSpec) {
      if (tool.systemTool || tool.cachePoint) tools.push(tool);
      continue;
    }
    const { name = "", description = "", inputSchema, ...spec } = tool.toolSpec;
    const sent = toolName(name);
    if (names.has(sent)) {
      mending.tell(`The tool '${name}' is declared more than once, and only its first declaration is sent`);
      continue;
    }
    names.add(sent);
    if (sent !== name) mending.toolNames.set(sent, name);
    const over = turnOver();
    if (over) await over;
    const json = toolSchema(inputSchema?.json, name, mending) as ToolInputSchema.JsonMember["json"];
    const described = isOnlyBlanks(description) ? {} : { description };
    tools.push({ toolSpec: { ...spec, name: sent, ...described, inputSchema: { json } } });
  }
  if (tools.every(({ cachePoint }) => cachePoint)) return rest;
  const chosen = toolConfig.toolChoice?.tool?.name;
  if (chosen === undefined) return { ...input, toolConfig: { ...toolConfig, tools } };
  const name = toolName(chosen);
  if (names.has(name))
    return { ...input, toolConfig: { ...toolConfig, tools, toolChoice: { tool: { name } } } };
  mending.tell(`The tool '${chosen}', which the model was to call, is not declared, so it may choose`);
  return { ...input, toolConfig: { tools } };
}

/** A fit name stays. Another one gets a mark of its own: what is fit of two may be the same. */
function toolName(name: string): string {
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return name;
  return `${name.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, 55)}_${sha256Hex(name).slice(0, 8)}`;
}

/** Blank text is refused, and so is a system prompt of nothing else. */
function mendSystem(input: Input): Input {
  const { system, ...rest } = input;
  const kept = (system ?? []).filter(({ text }) => text === undefined || !isOnlyBlanks(text));
  return kept.every(({ cachePoint }) => cachePoint) ? rest : { ...input, system: kept };
}

/** Files and what was found, which only a person's message may hold. */
const MEDIA = ["image", "document", "video", "audio", "searchResult"] as const;

/**
 * Each block is one that its message may hold, with something in it. Calls and results of tools are told as text where no
 * tools are declared: Converse wants them declared, and a model that has them declared may call them.
 */
async function mendBlocks(input: Input, mending: Mending): Promise<Input> {
  const names = new Map(
    blocksOf(input).flatMap(({ toolUse }) => (toolUse ? [[toolUse.toolUseId, toolUse.name] as const] : [])),
  );
  const mend = async (block: ContentBlock, role: string): Promise<ContentBlock[]> => {
    const { toolUse, toolResult, citationsContent } = block;
    if (citationsContent || block.text !== undefined) return textBlocks(textOf(block));
    // What the service did by itself while it answered is in the answer.
    if (toolUse?.type === "server_tool_use") return [];
    if (toolUse) {
      const use = mendCall(toolUse, mending);
      const isCall = input.toolConfig && role === "assistant";
      return isCall ? [{ toolUse: use }] : tellCall(use);
    }
    if (toolResult) {
      const result = await mendResult(toolResult, mending);
      if (input.toolConfig && role === "user") return result;
      const name = names.get(toolResult.toolUseId);
      return (await mapInTurns(result, (part) => tellResult(part, name))).flat();
    }
    if (block.reasoningContent) return role === "assistant" ? mendReasoning(block) : [];
    const words = tellEmpty(block, mending) ?? tellFound(block, mending);
    if (words !== undefined) return [{ text: words }];
    const isFit = isMedia(block) || block.cachePoint || (block.guardContent && role === "user");
    return isFit ? [block] : [];
  };
  const messages: Message[] = [];
  /** What an assistant cannot say, for the person's next message. */
  let moved: ContentBlock[] = [];
  for (const { role, content } of input.messages ?? []) {
    const given = (content ?? []).filter(isRecord);
    const blocks = (await mapInTurns(given, (block) => mend(block, role ?? ""))).flat();
    if (role === "assistant") {
      messages.push({ role, content: blocks.filter((block) => !isMedia(block)) });
      for (const block of blocks) if (isMedia(block)) moved.push(block);
      if (moved.length > 0) mending.tell("Files in an answer are sent with the message after it");
      continue;
    }
    messages.push({ role, content: [...moved, ...blocks] });
    moved = [];
  }
  if (moved.length > 0) messages.push({ role: "user", content: moved });
  return { ...input, messages };
}

function isMedia(block: ContentBlock | ToolResultContentBlock): boolean {
  return MEDIA.some((kind) => kind in block);
}

/** What is said in place of a file without anything in it, which the service refuses. */
function tellEmpty(block: ContentBlock | ToolResultContentBlock, { tell }: Mending): string | undefined {
  const { kind, text, bytes, isOpaque } = fileOf(block) ?? {};
  const isBlankText =
    (text !== undefined && isOnlyBlanks(text)) || (bytes !== undefined && !isOpaque && isBlank(bytes));
  if (bytes?.length !== 0 && !isBlankText) return undefined;
  const { name = "document" } = block.document ?? {};
  const empty =
    kind === "document"
      ? `The document '${name}' is empty`
      : `The ${kind === "audio" ? "recording" : kind} is empty`;
  tell(`${empty}, and words that say so are sent in its place`);
  return `(${empty}.)`;
}

/** What a search has found, as text: only models that cite have a place for it. Undefined for any other block. */
function tellFound(
  { searchResult }: ContentBlock | ToolResultContentBlock,
  { family }: Mending,
): string | undefined {
  if (!searchResult || family.citations) return undefined;
  const { title = "", source = "", content = [] } = searchResult;
  const said = content.map(({ text }) => text ?? "").join("\n");
  return `<search_result title=${JSON.stringify(shorten(title, LONGEST_MESSAGE))} source=${JSON.stringify(shorten(source, LONGEST_MESSAGE))}>\n${said}\n</search_result>`;
}

/** A tool's input is an object. Models write others, and programs send what was cut off. */
function mendCall(use: ToolUseBlock, { tell }: Mending): ToolUseBlock {
  const { toolUseId = "", input } = use;
  const name = toolName(use.name ?? "");
  const read = typeof input === "string" ? parseExactlyIfJson(isOnlyBlanks(input) ? "{}" : input) : input;
  if (isRecord(read)) return { toolUseId, name, input: read as ToolUseBlock["input"] };
  tell(`The arguments of a call of '${use.name}' are no JSON object, and sent as {}`);
  return { toolUseId, name, input: {} };
}

async function tellCall({ name, input }: ToolUseBlock): Promise<ContentBlock[]> {
  const said = await toJsonText(input);
  return [{ text: name === ANSWER_TOOL ? said : `(called ${name} with ${said})` }];
}

/** A result as text, with its files behind it; any other block as it is. */
async function tellResult(block: ContentBlock, name = "a tool"): Promise<ContentBlock[]> {
  if (!block.toolResult) return [block];
  const content = block.toolResult.content ?? [];
  const said = await mapInTurns(
    content,
    ({ text, json }) => text ?? (json === undefined ? "" : toJsonText(json)),
  );
  return [{ text: `(${name} returned: ${said.join("")})` }, ...(content.filter(isMedia) as ContentBlock[])];
}

/** A result holds something, `json` is an object, and files go behind it where the model takes none in it. */
async function mendResult(result: ToolResultBlock, mending: Mending): Promise<ContentBlock[]> {
  const { family, modelId, tell } = mending;
  const { toolUseId = "", status } = result;
  const moved: ContentBlock[] = [];
  const mend = async (block: ToolResultContentBlock): Promise<ToolResultContentBlock[]> => {
    if (block.text !== undefined) return isOnlyBlanks(block.text) ? [] : [{ text: block.text }];
    if (block.json !== undefined)
      return [isRecord(block.json) ? { json: block.json } : { text: await toJsonText(block.json) }];
    const words =
      tellEmpty(block, mending) ??
      tellFound(block, mending) ??
      tellUnread(block, "in results of tools", mending);
    if (words !== undefined) return [{ text: words }];
    if (!isMedia(block)) return [];
    // Converse has no place for sound in a result, whatever the model takes.
    if (family.richToolResults && !("audio" in block)) return [block];
    moved.push(block as ContentBlock);
    tell(`'${modelId}' takes no files in the result of a tool, so they are sent behind it`);
    return [];
  };
  const content = (await mapInTurns((result.content ?? []).filter(isRecord), mend)).flat();
  const none = moved.length > 0 ? "(see the file below)" : "(no output)";
  const kept = content.length === 0 ? [{ text: none }] : content;
  const told = family.richToolResults && status !== undefined ? { status } : {};
  return [{ toolResult: { toolUseId, content: kept, ...told } }, ...moved];
}

/** Reasoning goes back only with what proves that it is the model's own. */
function mendReasoning({ reasoningContent }: ContentBlock): ContentBlock[] {
  const { reasoningText, redactedContent } = reasoningContent ?? {};
  if (redactedContent) return redactedContent.length === 0 ? [] : [{ reasoningContent: { redactedContent } }];
  const { text = "", signature } = reasoningText ?? {};
  return signature ? [{ reasoningContent: { reasoningText: { text, signature } } }] : [];
}

/** Roles alternate, and each message says something: reasoning and cache points alone are nothing. */
function mendTurns(input: Input): Input {
  return { ...input, messages: alternating(input.messages ?? []) };
}

function alternating(messages: readonly Message[]): Message[] {
  const turns: { role: Message["role"]; content: ContentBlock[] }[] = [];
  for (const { role, content = [] } of messages) {
    if (!content.some(saysSomething)) continue;
    const last = turns.at(-1);
    // One by one: as arguments of one call they can be too many.
    if (last && last.role === role) for (const block of content) last.content.push(block);
    else turns.push({ role, content: [...content] });
  }
  return turns;
}

function saysSomething({ reasoningContent, cachePoint }: ContentBlock): boolean {
  return !reasoningContent && !cachePoint;
}

/**
 * The results of a message's calls begin the next one, each of them once and in the order of the calls. A result that
 * comes later is brought there, a call without one gets one that says so, a result without a call is told as text.
 * Ids that the model does not take, or that came before, are replaced: always the same way, for both of a pair.
 */
async function mendPairs(input: Input, mending: Mending): Promise<Input> {
  const messages = input.messages ?? [];
  const { resultOf, orphans } = pairUp(messages);
  const ids = new IdMaker(mending.family.toolIds ?? ANY_TOOL_IDS);
  const paired: Message[] = [];
  let results: ContentBlock[] = [];
  for (const [index, { role, content = [] }] of messages.entries()) {
    if (role === "assistant") {
      const said = await mapInTurns(content, (block): ContentBlock[] | Promise<ContentBlock[]> => {
        const { toolUse } = block;
        if (!toolUse) return [block];
        const result = resultOf.get(block)?.toolResult;
        if (!result && toolUse.name === ANSWER_TOOL) return tellCall(toolUse);
        if (!result)
          mending.tell(`A call of '${toolUse.name}' has no result, and is sent with one that says so`);
        const toolUseId = ids.idFor(toolUse.toolUseId ?? "");
        results.push({ toolResult: { ...(result ?? NO_RESULT), toolUseId } });
        return [{ toolUse: { ...toolUse, toolUseId } }];
      });
      paired.push({ role, content: said.flat() });
      // Where no message follows, its results are one.
      if (messages[index + 1]) continue;
    }
    const others = content.filter(({ toolUse }) => role === "user" && !toolUse);
    const told = await mapInTurns(others, (block): ContentBlock[] | Promise<ContentBlock[]> =>
      orphans.has(block) ? tellResult(block) : block.toolResult ? [] : [block],
    );
    paired.push({ role: "user", content: [...results, ...told.flat()] });
    results = [];
  }
  if (orphans.size > 0) mending.tell("A result of a tool that was not called is sent as text");
  const turns = alternating(paired);
  return {
    ...input,
    messages: turns.map(({ role, content = [] }) => ({
      role,
      content: role === "assistant" ? inOrder(content) : content,
    })),
  };
}

/** What is said in an answer: its reasoning begins it, and its calls end it, where Claude refuses another order. */
function inOrder(content: readonly ContentBlock[]): ContentBlock[] {
  const firstCall = content.findIndex(({ toolUse }) => toolUse);
  const isCallLast = firstCall < 0 || !content.slice(firstCall).some(({ text }) => text !== undefined);
  const said = isCallLast ? content : parted(content, ({ toolUse }) => !toolUse);
  const first = said.find(({ cachePoint }) => !cachePoint);
  return first?.reasoningContent ? [...said] : parted(said, isReasoning);
}

function parted(content: readonly ContentBlock[], isFirst: (block: ContentBlock) => boolean): ContentBlock[] {
  return [...content.filter(isFirst), ...content.filter((block) => !isFirst(block))];
}

const NO_RESULT: Omit<ToolResultBlock, "toolUseId"> = { content: [{ text: "(no result)" }] };

/** Finds the result of each call: the next one of its id, which no later call has. Orphans are those that are left. */
function pairUp(messages: readonly Message[]): {
  resultOf: ReadonlyMap<ContentBlock, ContentBlock>;
  orphans: ReadonlySet<ContentBlock>;
} {
  const resultOf = new Map<ContentBlock, ContentBlock>();
  const orphans = new Set<ContentBlock>();
  /** Results that are behind the message, by their id, the nearest last. */
  const behind = new Map<string, ContentBlock[]>();
  for (const { content = [] } of messages.toReversed()) {
    for (const block of content) {
      const result = block.toolUse && behind.get(block.toolUse.toolUseId ?? "")?.pop();
      if (!result) continue;
      resultOf.set(block, result);
      orphans.delete(result);
    }
    for (const block of content.toReversed()) {
      if (!block.toolResult) continue;
      const id = block.toolResult.toolUseId ?? "";
      const sameId = behind.get(id) ?? [];
      sameId.push(block);
      behind.set(id, sameId);
      orphans.add(block);
    }
  }
  return { resultOf, orphans };
}

/** Of an id so many characters count for the one that is made of it, and its length: one may have millions. */
const COUNTED_CHARACTERS = 1000;

/** Gives each call an id that the model takes and no other call has. */
class IdMaker {
  readonly #rule: ToolIds;
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();

  constructor(rule: ToolIds) {
    this.#rule = rule;
  }

  idFor(id: string): string {
    const chosen = this.#rule.fits.test(id) && !this.#taken.has(id) ? id : this.#make(id);
    this.#taken.add(chosen);
    return chosen;
  }

  #make(id: string): string {
    for (;;) {
      const count = (this.#counts.get(id) ?? 0) + 1;
      this.#counts.set(id, count);
      const short = id.length <= COUNTED_CHARACTERS ? id : `${id.length} ${id.slice(0, COUNTED_CHARACTERS)}`;
      const made = sha256Hex(`${count} ${short}`).slice(0, this.#rule.length);
      if (!this.#taken.has(made)) return made;
    }
  }
}

/** What a person is taken to have said where a conversation wants it and nobody said anything. */
const BEGINNING = "(The conversation begins here.)";
const GO_ON = "Continue.";

/**
 * A conversation begins with a person's message, and ends with one unless the model goes on with what its answer begins
 * with. A system prompt that nothing follows is what is asked.
 */
function mendEnds(input: Input, { family, isReasoning, modelId, tell }: Mending): Input {
  const messages = [...(input.messages ?? [])];
  const { system, ...rest } = input;
  if (messages.length === 0) {
    const content = systemAsContent(system);
    if (content.length === 0)
      return { ...input, messages: [{ role: "user", content: [{ text: BEGINNING }] }] };
    tell("There is nothing but a system prompt, so it is sent as the question");
    return { ...rest, messages: [{ role: "user", content }] };
  }
  if (messages[0]?.role === "assistant") {
    tell("The conversation begins with an answer, so a message is put before it");
    messages.unshift({ role: "user", content: [{ text: BEGINNING }] });
  }
  const last = messages.at(-1);
  if (last?.role !== "assistant") return { ...input, messages };
  if (!family.prefill || isReasoning || input.toolConfig?.toolChoice) {
    tell(`'${modelId}' does not go on with the beginning of an answer, so it is asked to continue`);
    return { ...input, messages: [...messages, { role: "user", content: [{ text: GO_ON }] }] };
  }
  // "final assistant content cannot end with trailing whitespace": Anthropic's refusal of one.
  const content = (last.content ?? []).map((block) =>
    block.text === undefined || block !== last.content?.at(-1) ? block : { text: block.text.trimEnd() },
  );
  return { ...input, messages: [...messages.slice(0, -1), { ...last, content }] };
}

/** Some models refuse a message that has anything beside calls, or results, of tools. */
function separateToolTurns(input: Input, { family }: Mending): Input {
  if (!family.separateToolTurns) return input;
  const messages = (input.messages ?? []).flatMap((message): Message[] => {
    const content = message.content ?? [];
    const isOfTools = (block: ContentBlock): boolean => Boolean(block.toolUse ?? block.toolResult);
    const [tools, others] = [content.filter(isOfTools), content.filter((block) => !isOfTools(block))];
    const { role } = message;
    if (tools.length === 0) return [message];
    if (!others.some(saysSomething)) return [{ role, content: tools }];
    return role === "assistant"
      ? [
          { role, content: others },
          { role: "user", content: [{ text: GO_ON }] },
          { role, content: tools },
        ]
      : [
          { role, content: tools },
          { role: "assistant", content: [{ text: "…" }] },
          { role, content: others },
        ];
  });
  return { ...input, messages };
}

/** Of more documents than a request has room for the newest are sent: it would be refused, and every later turn with it. */
function leaveOutDocuments(input: Input, { mostDocuments = Number.POSITIVE_INFINITY, tell }: Mending): Input {
  const messages = input.messages ?? [];
  const count = messages.flatMap(({ content }) => content ?? []).filter(({ document }) => document).length;
  let over = count - mostDocuments;
  if (over <= 0) return input;
  tell(`A request has room for ${mostDocuments} documents, so of ${count} the oldest are left out`);
  const leave = (block: ContentBlock): ContentBlock =>
    block.document && over-- > 0
      ? { text: `(The document '${block.document.name ?? "document"}' stood here, and is not sent again.)` }
      : block;
  return {
    ...input,
    messages: messages.map(({ role, content }) => ({ role, content: content?.map(leave) })),
  };
}

/** Documents have distinct names of certain characters, and a text beside them; where it is asked for they are cited. */
function mendDocuments(input: Input, { cites, canCite, modelId, tell }: Mending): Input {
  const taken = new Set<string>();
  const named = <Block extends ContentBlock | ToolResultContentBlock>(
    block: Block,
    isOwn: boolean,
  ): Block => {
    if (!block.document) return block;
    const { citations, ...document } = block.document;
    const isCited = cites === undefined && citations?.enabled === true;
    if (isCited && canCite === false)
      tell(`'${modelId}' does not say where in a document its words are from, so no sources are named`);
    const given = isCited ? (canCite === false ? uncited(document) : block.document) : document;
    const asked = cites && isOwn ? citable(document) : given;
    return { ...block, document: { ...asked, name: documentName(document.name, taken) } };
  };
  const messages = (input.messages ?? []).map(({ role, content: blocks = [] }): Message => {
    const content = blocks.map((block): ContentBlock => {
      const { toolResult } = block;
      if (!toolResult) return named(block, true);
      // "Citations are not supported in tool result documents": https://github.com/boto/boto3/issues/4648
      const results = (toolResult.content ?? []).map((part) => named(part, false));
      return { toolResult: { ...toolResult, content: results } };
    });
    const last = content.findLastIndex(({ document }) => document);
    const isWithoutText = last >= 0 && !content.some(({ text }) => text !== undefined);
    if (isWithoutText) content.splice(last + 1, 0, { text: "See the document." });
    return { role, content };
  });
  return { ...input, messages };
}

/** A text that is not cited, as any model takes it: only those that cite take it as such. */
function uncited(document: DocumentBlock): DocumentBlock {
  const { text, content } = document.source ?? {};
  const said = text ?? content?.map((part) => part.text ?? "").join("\n");
  return said === undefined ? document : { ...document, source: { bytes: Buffer.from(said) } };
}

/**
 * A document that is cited where it can be: a PDF, or a text, which is given as such since its bytes are taken for a PDF
 * (https://github.com/boto/boto3/issues/4726).
 */
function citable(document: DocumentBlock): DocumentBlock {
  const { format = "txt", source } = document;
  const citations = { enabled: true };
  if (!TEXT_FORMATS.has(format)) return format === "pdf" ? { ...document, citations } : document;
  if (!source?.bytes) return source?.s3Location ? document : { ...document, citations };
  const text = Buffer.from(source.bytes).toString("utf8");
  return { ...document, citations, format: "txt", source: { text } };
}

/** The most cache points of a request: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html */
const MOST_CACHE_POINTS = 4;

/**
 * Cache points stand behind something, where the model can cache it, at most four of them and those for an hour first.
 * What is over the most are the oldest in the messages.
 */
function mendCachePoints(input: Input, { family, modelId, tell }: Mending): Input {
  const { toolConfig } = input;
  const times = family.cachePoints?.times ?? [];
  const tools = placeCachePoints(toolConfig?.tools ?? []).filter(
    (tool) => !tool.cachePoint || family.cachePoints?.inTools,
  );
  const system = placeCachePoints(input.system ?? []);
  const messages = (input.messages ?? []).map(({ role, content }) => ({
    role,
    content: placeCachePoints(content ?? [], family.cachePoints?.onlyBehindText),
  }));
  const before = [...tools, ...system].filter(isCachePoint).length;
  const behind = messages.flatMap(({ content }) => content).filter(isCachePoint).length;
  if (times.length === 0 && before + behind > 0)
    tell(`'${modelId}' is not known to take cache points, so they are left out`);
  const most = times.length === 0 ? 0 : MOST_CACHE_POINTS;
  let [overBefore, overBehind] = [before - most, Math.min(before, most) + behind - most];
  let mayBeLong = times.includes("1h");
  const keep = <Block extends MayBeCachePoint>(block: Block, isOver: () => boolean): Block[] => {
    if (!block.cachePoint) return [block];
    if (isOver()) return [];
    mayBeLong &&= block.cachePoint.ttl === "1h";
    return [{ ...block, cachePoint: { type: "default", ...(mayBeLong ? { ttl: "1h" } : {}) } }];
  };
  const keepBefore = <Block extends MayBeCachePoint>(block: Block): Block[] =>
    keep(block, () => overBefore-- > 0);
  // In the order in which the model reads them.
  return {
    ...input,
    ...(toolConfig ? { toolConfig: { ...toolConfig, tools: tools.flatMap(keepBefore) } } : {}),
    ...(input.system ? { system: system.flatMap(keepBefore) } : {}),
    messages: messages.map(({ role, content }) => ({
      role,
      content: content.flatMap((block) => keep(block, () => overBehind-- > 0)),
    })),
  };
}

type MayBeCachePoint = { cachePoint?: CachePointBlock | undefined };

function isCachePoint({ cachePoint }: MayBeCachePoint): boolean {
  return cachePoint !== undefined;
}

/**
 * A cache point is refused behind reasoning ("Cache point cannot be inserted after reasoning block") and behind a document
 * other than a pdf (https://github.com/strands-agents/harness-sdk/pull/2001): it goes before them. `onlyBehindText` has the
 * models that refuse it behind all but text.
 */
function placeCachePoints<Block extends MayBeCachePoint>(
  list: readonly Block[],
  onlyBehindText = false,
): Block[] {
  const placed: Block[] = [];
  for (const block of list) {
    if (!block.cachePoint) {
      placed.push(block);
      continue;
    }
    const before = placed.findLastIndex(
      (other: Block & Pick<ContentBlock, "text" | "reasoningContent" | "document">) => {
        const { text, reasoningContent, document } = other;
        if (onlyBehindText) return text !== undefined || other.cachePoint !== undefined;
        return !reasoningContent && (!document || document.format === "pdf");
      },
    );
    const behind = placed[before];
    if (behind && !behind.cachePoint) placed.splice(before + 1, 0, block);
  }
  return placed;
}

/**
 * Temperature and top-p are in their ranges, and one of them where the model takes no more. No text that ends an answer is
 * empty, or blank where the model minds.
 */
function mendSampling(
  input: Input,
  { family, modelId, asked = {}, nameOf = flagName, tell }: Mending,
): Input {
  const { inferenceConfig } = input;
  if (!inferenceConfig) return input;
  const { stopSequences, ...config } = inferenceConfig;
  const bounds = { temperature: family.temperature?.most ?? 1, topP: 1 };
  for (const name of ["temperature", "topP"] as const) {
    const value = config[name];
    const nearest = value === undefined ? undefined : Math.min(Math.max(value, 0), bounds[name]);
    if (nearest === value || nearest === undefined) continue;
    tell(`'${modelId}' takes ${nameOf(name)} from 0 to ${bounds[name]}, so ${value} becomes ${nearest}`);
    config[name] = nearest;
  }
  const { temperature, topP } = config;
  if (family.oneSampling && temperature !== undefined && topP !== undefined) {
    const isOneAsked = (asked.temperature === undefined) !== (asked.topP === undefined);
    // Of two that are meant alike, the one that says something: 1 is what both are by themselves.
    const isTopPMeant = isOneAsked ? asked.topP !== undefined : temperature === 1 && topP < 1;
    const left = isTopPMeant ? "temperature" : "topP";
    const either = `${nameOf("temperature")} or ${nameOf("topP")}`;
    tell(`'${modelId}' takes either ${either}, so ${nameOf(left)} ${config[left]} is left out`);
    delete config[left];
  }
  const isFit = (text: string): boolean => (family.stopsWithWords ? !isOnlyBlanks(text) : text !== "");
  const stops = stopSequences?.filter(isFit) ?? [];
  const dropped = stopSequences?.filter((text) => !isFit(text)) ?? [];
  if (dropped.length > 0) {
    const which = dropped.map((text) => JSON.stringify(shorten(text))).join(", ");
    tell(`'${modelId}' takes no blank ${nameOf("stopSequences")}, so ${which} is left out`);
  }
  const mended = { ...config, ...(stops.length === 0 ? {} : { stopSequences: stops }) };
  const { inferenceConfig: _, ...rest } = input;
  return Object.keys(mended).length === 0 ? rest : { ...rest, inferenceConfig: mended };
}

/** An answer may be longer than what the model may think: the service's own default may not be. */
function mendLength(input: Input, { mostTokens = Number.POSITIVE_INFINITY }: Mending): Input {
  const fields = input.additionalModelRequestFields;
  const thinking = isRecord(fields) ? fields["thinking"] : undefined;
  const budget = numberOf(isRecord(thinking) ? thinking["budget_tokens"] : undefined);
  if (budget === undefined || input.inferenceConfig?.maxTokens !== undefined) return input;
  const maxTokens = Math.min(budget + ANSWER_TOKENS, mostTokens);
  return { ...input, inferenceConfig: { ...input.inferenceConfig, maxTokens } };
}
