import type { ContentBlock, ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import { flagName, type ParameterName, type ParameterNames } from "../config/parameters.ts";
import { shorten as shortenText } from "../errors.ts";
import { isRecord, textAt } from "../json.ts";
import {
  ANY_TOOL_IDS,
  REASONING_FORMS,
  type FamilyFacts,
  NINE_CHARACTERS,
  type ReasoningForm,
} from "../models/families.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Lesson, LessonName } from "../session/refusal-table.ts";
import { blocksOf, systemAsContent } from "./conversation.ts";
import { documentAsText, textOfDocument } from "./file-kind.ts";

/** What refusals have taught about a model, in the order in which it was learnt. */
export type Lessons = readonly Lesson[];

type Input = ConverseStreamCommandInput;

/** Whether something was learnt. */
export function isLearnt(lessons: Lessons, ...names: readonly LessonName[]): boolean {
  return lessons.some(({ name }) => names.includes(name));
}

/** Two lessons are one when they say the same of the same thing. */
export function isSameLesson(one: Lesson, other: Lesson): boolean {
  return one.name === other.name && JSON.stringify(one.value) === JSON.stringify(other.value);
}

/** The most tokens of an answer that a refusal has named; undefined where none has. */
export function mostTokensLearnt(lessons: Lessons, known: number | undefined): number | undefined {
  const named = lessons.flatMap(({ name, value }) =>
    name === "most-tokens" && typeof value === "number" ? [value] : [],
  );
  const all = known === undefined ? named : [known, ...named];
  return all.length === 0 ? undefined : Math.min(...all);
}

/** What was learnt of a model, with what its settings say that an answer of it has at most, as a refusal would teach it. */
export function withSettings(lessons: Lessons, { configured }: Pick<ResolvedModel, "configured">): Lessons {
  const value = configured?.maxTokens;
  return value === undefined ? lessons : [...lessons, { name: "most-tokens", value }];
}

const SOURCE = "the model's own refusal";

/** What is known of the model's family, with what the model itself has said since. */
export function familyAsLearnt(family: FamilyFacts, lessons: Lessons): FamilyFacts {
  const facts = { ...family };
  for (const lesson of lessons) Object.assign(facts, factsOf(lesson, facts));
  return facts;
}

/** The facts that a lesson changes; none for one about the request itself. */
function factsOf({ name, value }: Lesson, { reasoning }: FamilyFacts): FamilyFacts {
  const reasons = (changed: Partial<ReasoningForm>): FamilyFacts =>
    reasoning ? { reasoning: { ...reasoning, ...changed } } : {};
  switch (name) {
    case "one-sampling":
      return { oneSampling: { source: SOURCE } };
    case "reasons-adaptively":
      return { reasoning: { ...REASONING_FORMS.adaptive, source: SOURCE } };
    case "reasons-by-budget":
      return { reasoning: { ...REASONING_FORMS.budget, source: SOURCE } };
    case "takes-no-level":
      return { reasoning: undefined };
    case "levels": {
      const known = Array.isArray(value) ? (value as readonly string[]) : [];
      const levels = reasoning?.levels.filter((level) => known.includes(level)) ?? [];
      const isOffKnown = known.includes("none") || reasoning?.off?.["reasoning_effort"] !== "none";
      if (levels.length === 0) return { reasoning: undefined };
      return reasons(isOffKnown ? { levels } : { levels, off: undefined });
    }
    case "always-reasons":
      return reasons({ off: undefined });
    case "minds-forced-tool":
      return reasons({ minds: [...(reasoning?.minds ?? []), "forced-tool"] });
    case "minds-lost-reasoning":
      return reasons({ minds: [...(reasoning?.minds ?? []), "lost-reasoning"] });
    case "no-native-form":
      return { outputConfig: undefined };
    case "no-named-tool-choice":
      return { namedToolChoice: undefined };
    case "plain-tool-results":
      return { richToolResults: undefined };
    case "separate-tool-turns":
      return { separateToolTurns: { source: SOURCE } };
    case "flat-tool-schemas":
      return { flatToolSchemas: { source: SOURCE } };
    case "tool-ids":
      return { toolIds: value === "nine" ? NINE_CHARACTERS : ANY_TOOL_IDS };
    case "no-cache-points":
      return { cachePoints: { times: [], source: SOURCE } };
    case "short-cache-points":
      return { cachePoints: { times: ["5m"], source: SOURCE } };
    case "no-prefill":
      return { prefill: undefined };
    default:
      return {};
  }
}

/** What is left out of a request, or put in another way. */
interface Change {
  modelId: string;
  lessons?: Lessons;
  isReasoning: boolean;
  nameOf?: ParameterNames | undefined;
  tell: (notice: string) => void;
}

/**
 * Leaves out of a request what the model refused before, or says it in another way, so that it is not refused again. Each
 * change is told. What makes a question another one is never left out: the newest files, tools and schemas.
 */
export async function leaveOutRefused(input: Input, change: Change): Promise<Input> {
  let changed = input;
  for (const lesson of change.lessons ?? []) changed = await leaveOut(changed, lesson, change);
  return changed;
}

function leaveOut(input: Input, lesson: Lesson, change: Change): Input | Promise<Input> {
  const { isReasoning, modelId, nameOf = flagName, tell } = change;
  const refuses = (what: string, value?: unknown): void => {
    tell(`'${modelId}' refuses ${what}, so ${shown(value)} is left out`);
  };
  switch (lesson.name) {
    case "temperature":
    case "topP":
    case "stopSequences":
      return withoutInference(input, lesson.name, change, refuses);
    case "temperature-while-reasoning":
      return isReasoning ? withoutInference(input, "temperature", change, refuses) : input;
    case "topP-while-reasoning":
      return isReasoning ? withoutInference(input, "topP", change, refuses) : input;
    case "topK":
      return withoutTopK(input, change, refuses);
    case "topK-while-reasoning":
      return isReasoning ? withoutTopK(input, change, refuses) : input;
    case "field":
      return withoutFields(input, [String(lesson.value)], refuses);
    case "serviceTier": {
      const { serviceTier, ...rest } = input;
      if (!serviceTier) return input;
      refuses(nameOf("serviceTier"), serviceTier.type);
      return rest;
    }
    case "latency": {
      const { performanceConfig, ...rest } = input;
      if (!performanceConfig) return input;
      refuses(nameOf("latency"), performanceConfig.latency);
      return rest;
    }
    case "most-tokens":
      return shorten(input, Number(lesson.value), change);
    case "no-tool-choice":
      return withFreeChoice(input, change);
    case "no-named-tool-choice": {
      const { toolConfig } = input;
      if (!toolConfig?.toolChoice?.tool) return input;
      tell(
        `'${modelId}' cannot be held to the tool '${toolConfig.toolChoice.tool.name}', only to calling one`,
      );
      return { ...input, toolConfig: { ...toolConfig, toolChoice: { any: {} } } };
    }
    case "old-reasoning":
    case "no-reasoning-blocks":
      return withoutReasoning(input, change);
    case "no-system":
      return withSystemSaid(input, change);
    case "no-documents":
      return withDocumentsAsText(input, change);
    case "no-images":
      return withoutUnaskedImages(input, change);
    default:
      return input;
  }
}

/** A value as a notice has it: short, whatever was asked for; "it" where there is none. */
function shown(value: unknown): string {
  if (value === undefined) return "it";
  return shortenText(
    JSON.stringify(value, (_, item: unknown) => (typeof item === "string" ? shortenText(item) : item)),
  );
}

type Refuses = (what: string, value?: unknown) => void;

function withoutInference(
  input: Input,
  name: "temperature" | "topP" | "stopSequences",
  { nameOf = flagName }: Change,
  refuses: Refuses,
): Input {
  const { [name]: value, ...inferenceConfig } = input.inferenceConfig ?? {};
  if (value === undefined) return input;
  refuses(nameOf(name satisfies ParameterName), value);
  const { inferenceConfig: _, ...rest } = input;
  return Object.keys(inferenceConfig).length === 0 ? rest : { ...rest, inferenceConfig };
}

/** Top-k has no field of Converse: by the names that Claude and Nova have for it. */
function withoutTopK(input: Input, { nameOf = flagName }: Change, refuses: Refuses): Input {
  return withoutFields(input, ["top_k", "topK"], (_, value) => refuses(nameOf("topK"), value));
}

/** Fields of the model's own, at the root or in the object that Nova has for them. */
function withoutFields(input: Input, names: readonly string[], refuses: Refuses): Input {
  const { additionalModelRequestFields: fields, ...rest } = input;
  if (!isRecord(fields)) return input;
  let isStripped = false;
  const strip = (holder: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(holder).flatMap(([name, value]) => {
        if (names.includes(name)) {
          refuses(name, value);
          isStripped = true;
          return [];
        }
        return [[name, name === "inferenceConfig" && isRecord(value) ? strip(value) : value]];
      }),
    );
  const kept = strip(fields);
  if (!isStripped) return input;
  const additionalModelRequestFields = kept as Input["additionalModelRequestFields"];
  return Object.keys(kept).length === 0 ? rest : { ...rest, additionalModelRequestFields };
}

function shorten(input: Input, most: number, { modelId, nameOf = flagName, tell }: Change): Input {
  const { inferenceConfig = {} } = input;
  const { maxTokens } = inferenceConfig;
  if (maxTokens === undefined || maxTokens <= most) return input;
  tell(
    `'${modelId}' puts out at most ${most} tokens here, so ${nameOf("maxTokens")} ${maxTokens} becomes that`,
  );
  return { ...input, inferenceConfig: { ...inferenceConfig, maxTokens: most } };
}

/** Leaves it to the model whether it calls a tool. */
export function withFreeChoice(input: Input, { modelId, tell }: Pick<Change, "modelId" | "tell">): Input {
  const { toolConfig } = input;
  if (!toolConfig?.toolChoice || toolConfig.toolChoice.auto) return input;
  const { toolChoice, ...rest } = toolConfig;
  const named = toolChoice.tool?.name;
  const held = named === undefined ? "to calling a tool" : `to the tool '${named}'`;
  tell(`'${modelId}' cannot be held ${held}, so it may choose`);
  return { ...input, toolConfig: rest };
}

function withoutReasoning(input: Input, { modelId, tell }: Change): Input {
  const messages = (input.messages ?? []).map(({ role, content = [] }): Message => {
    return { role, content: content.filter(({ reasoningContent }) => !reasoningContent) };
  });
  if (!hasReasoning(input.messages)) return input;
  tell(`'${modelId}' refuses the reasoning of earlier answers, so it is left out`);
  return { ...input, messages };
}

function hasReasoning(messages: Input["messages"]): boolean {
  return (messages ?? []).some(({ content }) => content?.some(({ reasoningContent }) => reasoningContent));
}

/** The system prompt goes first in the conversation, as something that was said and heard. */
function withSystemSaid(input: Input, { modelId, tell }: Change): Input {
  const { system, ...rest } = input;
  const content = systemAsContent(system);
  if (content.length === 0) return input;
  tell(`'${modelId}' takes no system prompt, so it is sent as the first message`);
  const said: Message[] = [
    { role: "user", content },
    { role: "assistant", content: [{ text: "OK." }] },
  ];
  return { ...rest, messages: [...said, ...(input.messages ?? [])] };
}

/** Documents that are text are said as text; others stay, and are refused. */
export async function withDocumentsAsText(
  input: Input,
  { modelId, tell }: Pick<Change, "modelId" | "tell">,
): Promise<Input> {
  const said = new Map<ContentBlock, ContentBlock>();
  for (const block of blocksOf(input)) {
    const { document } = block;
    const text = document && (await textOfDocument(document));
    if (text === undefined) continue;
    tell(`'${modelId}' takes no documents, so the text of '${document?.name}' is sent as text`);
    said.set(block, { text: documentAsText(document?.name, text) });
  }
  return mapBlocks(input, (block) => said.get(block));
}

/** Images of earlier questions, and of tools, would keep a conversation stuck; those of the newest are what is asked about. */
function withoutUnaskedImages(input: Input, { modelId, tell }: Change): Input {
  const messages = input.messages ?? [];
  const last = messages.findLastIndex(({ role }) => role === "assistant");
  const leave = (place: string): { text: string } => {
    tell(`'${modelId}' takes no images, so those ${place} are left out`);
    return { text: "(An image stood here, which this model cannot see.)" };
  };
  const ofTools = mapBlocks(input, ({ toolResult }) => {
    if (!toolResult?.content?.some(({ image }) => image)) return undefined;
    const content = toolResult.content.map((part) => (part.image ? leave("in results of tools") : part));
    return { toolResult: { ...toolResult, content } };
  }).messages;
  const earlier = mapBlocks({ ...input, messages: ofTools?.slice(0, last + 1) }, ({ image }) =>
    image ? leave("of earlier questions") : undefined,
  );
  return { ...input, messages: [...(earlier.messages ?? []), ...(ofTools ?? []).slice(last + 1)] };
}

function mapBlocks(input: Input, change: (block: ContentBlock) => ContentBlock | undefined): Input {
  const messages = (input.messages ?? []).map(({ role, content = [] }): Message => {
    return { role, content: content.map((block) => change(block) ?? block) };
  });
  return { ...input, messages };
}

/** What a service said in a refusal, in full; empty for an error of another kind. */
export function refusalOf(details: Readonly<Record<string, unknown>> | undefined): string {
  return textAt(details, "awsMessage") ?? textAt(details, "serverMessage") ?? "";
}
