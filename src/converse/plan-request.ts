import type { ContentBlock, Message, ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import { flagName, type ParameterNames } from "../config/parameters.ts";
import type { Configuration } from "../config/settings.ts";
import { lookUpCatalog, lookUpUndated } from "../models/catalog.ts";
import type { Discovered } from "../models/discovered.ts";
import { isRecord, type JsonObject, textAt } from "../json.ts";
import type { InputKind } from "../models/list.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Attachment, Recipient } from "./attachments.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { cachePointFor } from "../models/cache-points.ts";
import { blocksOf, type Turn } from "./conversation.ts";
import { finishRequest } from "./finish-request.ts";
import { chooseGuardrail, type Guardrail } from "./guardrail.ts";
import { groundedTools } from "./grounding.ts";
import type { Invocation } from "./invocation.ts";
import type { OutputSchema } from "./output-schema.ts";
import { type OwnTools, placeOwnTools } from "./own-tools.ts";
import type { LengthBound } from "./length-bound.ts";
import { planReasoning } from "./reasoning.ts";
import {
  ANY_ATTACHMENTS,
  type CacheTime,
  type FamilyFacts,
  familyOf,
  type Fields,
  mediaKindsOf,
  type Obstacle,
  readsFromS3,
} from "../models/families.ts";
import { priceOf } from "../models/price.ts";
import { buildRequest, type ChatParameters, mergeParameters, type SystemPrompt } from "./request.ts";
import { familyAsLearnt, isLearnt, type Lessons, mostTokensLearnt } from "./apply-lessons.ts";
import type { RequestPlan } from "./wire.ts";
import { withKeyMark } from "./request-metadata.ts";

/** What is asked, before it is known what the model that answers takes. */
export interface Ask {
  model: ResolvedModel;
  /** The turns before, of which each model gets what it may be sent. */
  earlier?: readonly Turn[] | undefined;
  /** What notices call the parameters, where that is not by their flags. */
  nameOf?: ParameterNames | undefined;
  /** What is asked now; the last message is the question. */
  messages: readonly Message[];
  system?: SystemPrompt | undefined;
  parameters: ChatParameters;
  /** What names the most tokens among them, where that is no flag. */
  boundBy?: LengthBound | undefined;
  /** The most tokens to reason, of models that take a number. */
  mostReasoning?: number | undefined;
  /** Whether the answer is to say which of the texts that end it has done so, where the model tells. */
  namesStop?: boolean | undefined;
  /** Files of the newest turn, put before its text. */
  attachments?: readonly Attachment[] | undefined;
  /** How long the prompt is cached where nobody says, by the models that take cache points. */
  usualCache?: CacheTime | undefined;
  /** Fields of the model's own, which go with the request as they are. */
  ownFields?: JsonObject | undefined;
  /** Those of the model's own answer that are wanted, as JSON pointers; only Converse hands them on. */
  responseFields?: readonly string[] | undefined;
  /** Asks in the words of the model's vendor, with nothing of all that is said here. */
  invocation?: Invocation | undefined;
  /** Overrides the config's guardrail. */
  guardrail?: Guardrail | undefined;
  /** Asks for the guardrail's trace, which names the policies that act. */
  asksForTrace?: boolean | undefined;
  metadata?: Readonly<Record<string, string>> | undefined;
  /** The name of the key of `serve` that asks: Converse's metadata has it. */
  keyName?: string | undefined;
  schema?: OutputSchema | undefined;
  tools?: ToolConfiguration | undefined;
  /** Those that the model is to know by their types; others than Claude refuse them. */
  ownTools?: OwnTools | undefined;
  /** Asks for the places in documents that the answer is from; undefined leaves it to each document. */
  cites?: boolean | undefined;
  /** Lets the model search the web: always, or where it can. */
  searchesWeb?: boolean | "where-possible" | undefined;
  /** Whether a person wants to read the reasoning. */
  showsReasoning?: boolean | undefined;
}

/** A model as it is known here, whatever it is called where it is asked. */
export interface KnownAs {
  /** The id of the foundation model; undefined where it is none that is known. */
  baseId: string | undefined;
  family: FamilyFacts;
  /** The kinds of input that its API has a place for. */
  kinds: readonly InputKind[];
}

/** What a model is planned for by, as it was learnt. */
interface ModelFacts extends Omit<KnownAs, "kinds"> {
  /** The kinds of input that it takes where it is asked; undefined where nobody knows. */
  kinds: readonly InputKind[] | undefined;
  canReason: boolean | undefined;
  /** Whether it names its sources; undefined where nobody knows. */
  canCite: boolean | undefined;
  /** Its own limit of an answer, in tokens. */
  mostTokens: number | undefined;
}

function factsOf(
  { model }: Pick<Ask, "model">,
  modelId: string,
  discovered: Discovered | undefined,
  { lessons, knownAs }: { lessons: Lessons; knownAs: KnownAs | undefined },
): ModelFacts {
  const baseId = knownAs ? knownAs.baseId : baseModelId(modelId, discovered);
  const known = lookUpCatalog(baseId ?? modelId);
  const family = familyAsLearnt(knownAs?.family ?? familyOf(baseId), lessons);
  return {
    baseId,
    family,
    kinds: within(knownAs?.kinds, inputKinds(model, baseId, discovered)),
    canReason: isLearnt(lessons, "takes-no-level")
      ? false
      : (model.configured?.reasoning ?? known?.reasoning),
    canCite: family.citations ? true : baseId === undefined ? undefined : false,
    mostTokens: mostTokensLearnt(lessons, model.configured?.maxTokens ?? known?.maxTokens),
  };
}

/**
 * Plans the request for a question to one model, by what was learnt of the model. `knownAs` says what the model is where its
 * id does not. Throws `bad-attachment` and `invalid-request`.
 */
export async function planRequest(
  ask: Ask,
  modelId: string,
  config: Configuration,
  discovered: Discovered | undefined,
  lessons: Lessons = [],
  knownAs?: KnownAs,
): Promise<RequestPlan> {
  const { model } = ask;
  const facts = factsOf(ask, modelId, discovered, { lessons, knownAs });
  const { baseId, family, kinds, canCite, mostTokens } = facts;
  const wanted = mergeParameters(ask.parameters, config, [model.id, model.key]);
  const reasoning = planReasoning({
    modelId: model.id,
    family,
    canReason: facts.canReason,
    parameters: wanted,
    mostTokens,
    mostReasoning: ask.mostReasoning,
    isShown: ask.showsReasoning === true,
    obstacle: obstacleOf(ask, lessons),
    nameOf: ask.nameOf,
  });
  const topK = planTopK(reasoning.parameters.topK, family, ask);
  const cache = cachePointFor(wanted.cache ?? usualCacheOf(ask, family), { modelId: model.id, family });
  const grounded = groundedTools(ask, {
    modelId: model.id,
    calledAs: modelId,
    cites: canCite,
    // Of the other API's servers none is known to have Converse's tools of the service.
    webSearch: knownAs ? undefined : family.webSearch,
  });
  const attached = await attach(ask, {
    baseId,
    input: kinds,
    // What is not Converse takes only what is in the request itself.
    ...(knownAs && { readsS3: false }),
  });
  // Only Converse has invocation logs to mark.
  const marks = withKeyMark(ask.metadata, knownAs ? undefined : ask.keyName);
  const placed = placeTools(ask, withOwnFields({ ...reasoning.fields, ...topK.fields }, ask.ownFields), {
    family,
    modelId: model.id,
    tools: grounded.tools,
  });
  const input = buildRequest({
    modelId,
    messages: attached.messages,
    system: ask.system,
    parameters: reasoning.parameters,
    guardrail: chooseGuardrail(ask.guardrail, ask.asksForTrace === true, config),
    cachePoint: cache.point,
    cachePlaces: family.cachePoints,
    additionalFields: placed.fields,
    responseFields: responseFieldsOf(ask, reasoning.parameters, family),
    metadata: marks.metadata,
    tools: placed.tools,
  });
  const notices = [grounded, attached, reasoning, topK, cache, marks].flatMap((part) => part.notices);
  const isReasoning = isToldToReason(ask.ownFields) ?? reasoning.isReasoning;
  const finished = await finishRequest(
    ask,
    input,
    {
      family,
      mostTokens,
      isReasoning,
      canCite,
      reads: { kinds, inS3: knownAs ? false : readsFromS3(baseId) },
      // "You can't include more than 5 documents in a request.": https://github.com/aws-samples/generative-ai-use-cases/issues/1685
      mostDocuments: knownAs ? undefined : (family.attachments ?? ANY_ATTACHMENTS).most.document,
      lessons,
    },
    ({ structuredForm }, schema) =>
      structuredForm(schema, {
        family,
        lessons,
        isReasoning,
        hasTools: (ask.tools ?? ask.ownTools) !== undefined,
      }),
  );
  if (ask.cites && !blocksOf(finished.input).some(({ document }) => document?.citations?.enabled))
    notices.push("Nothing is attached that can be cited, so the answer names no sources");
  const { modelId: _, ...body } = finished.input;
  return {
    ...finished,
    body,
    notices: [...notices, ...finished.notices],
    ...(isLearnt(lessons, "no-streamed-tools") && finished.input.toolConfig ? { isWhole: true } : {}),
    ...(isLearnt(lessons, "old-reasoning") ? { endsReasoning: true } : {}),
  };
}

/**
 * Fields for the model with those of the caller's. What is an object in both is one of both, unless it is of a type, of which
 * the other knows nothing.
 */
export function withOwnFields(fields: JsonObject, own: JsonObject = {}): JsonObject {
  const both = Object.entries(own).map(([name, value]) => {
    const other = fields[name];
    const isOfBoth = isRecord(value) && isRecord(other) && value["type"] === undefined;
    return [name, isOfBoth ? { ...other, ...value } : value] as const;
  });
  return { ...fields, ...Object.fromEntries(both) };
}

/** The tools of a request, in Converse's own list and among the fields of the model's own. */
function placeTools(
  { ownTools }: Pick<Ask, "ownTools">,
  fields: JsonObject,
  { tools, ...model }: { family: FamilyFacts; modelId: string; tools: ToolConfiguration | undefined },
): { fields: JsonObject; tools: ToolConfiguration | undefined } {
  return ownTools ? placeOwnTools(ownTools, { ...model, tools, fields }) : { fields, tools };
}

/** Which of the fields of the model's own answer are asked for. */
function responseFieldsOf(
  { namesStop, responseFields = [] }: Ask,
  { stopSequences }: ChatParameters,
  family: FamilyFacts,
): string[] {
  const ofStop = (namesStop && stopSequences && family.namesStop?.paths) || [];
  return [...new Set([...ofStop, ...responseFields])];
}

/** Whether fields of the caller's let a model think, Claude or Nova; undefined where they say nothing of it. */
function isToldToReason(own: JsonObject = {}): boolean | undefined {
  const type = textAt(own["thinking"], "type") ?? textAt(own["reasoningConfig"], "type");
  return type === undefined ? undefined : type !== "disabled";
}

/** The cache time that a question asks a model for, from flags, settings and what is usual; undefined where it asks for none. */
export function cacheTimeFor(
  ask: Pick<Ask, "model" | "parameters" | "usualCache">,
  config: Configuration,
): CacheTime | "off" | undefined {
  const { cache } = mergeParameters(ask.parameters, config, [ask.model.id, ask.model.key]);
  return cache ?? usualCacheOf(ask, familyOf(baseModelId(ask.model.id)));
}

/** The cache that is used unasked, where the model has one and its price is as known as that of the rest. */
function usualCacheOf(
  { model, usualCache }: Pick<Ask, "model" | "usualCache">,
  { cachePoints }: FamilyFacts,
): CacheTime | undefined {
  // Nobody could tell any more what a conversation costs.
  const cost = priceOf(model, model.id)?.cost;
  if (cost && cost.cacheWrite === undefined) return undefined;
  return cachePoints && cachePoints.times.length > 0 ? usualCache : undefined;
}

/** Converse has no field for top-k: it goes in the model's own, and is left out where that is not known. */
export function planTopK(
  count: number | undefined,
  { topK }: FamilyFacts,
  { model, nameOf = flagName }: Pick<Ask, "model" | "nameOf">,
): { fields: Fields; notices: string[] } {
  if (count === undefined) return { fields: {}, notices: [] };
  if (topK) return { fields: topK.fields(count), notices: [] };
  const notice = `'${model.id}' is not known to take ${nameOf("topK")}, so ${count} is left out`;
  return { fields: {}, notices: [notice] };
}

function obstacleOf({ messages, tools, ownTools }: Ask, lessons: Lessons): Obstacle | undefined {
  const begun = beginningOfCalls(messages);
  const isSent = !isLearnt(lessons, "old-reasoning", "no-reasoning-blocks");
  const isThoughtOf = isSent && begun?.content?.some(isProven) === true;
  if (begun && !isThoughtOf) return "lost-reasoning";
  const isForced = (tools?.toolChoice && !tools.toolChoice.auto) ?? ownTools?.choice !== undefined;
  return isForced ? "forced-tool" : undefined;
}

/** Whether a block is reasoning that goes back: what nothing proves does not. */
function isProven({ reasoningContent }: ContentBlock): boolean {
  const { redactedContent, reasoningText } = reasoningContent ?? {};
  return Boolean(redactedContent?.length ?? reasoningText?.signature);
}

/**
 * The answer with the first of the calls whose results are what the model goes on with: what was thought before that is what
 * counts, behind results there may be no more. Beside results a message may hold words; undefined where it holds no others.
 */
function beginningOfCalls(messages: readonly Message[]): Message | undefined {
  let begun: Message | undefined;
  let hasResults = false;
  let later: Message | undefined;
  for (const message of messages.toReversed()) {
    const { role, content = [] } = message;
    if (role === "user") {
      if (later?.role !== "user") hasResults = false;
      hasResults ||= content.some(({ toolResult }) => toolResult);
    } else if (hasResults) begun = message;
    else break;
    later = message;
  }
  return begun;
}

/**
 * Whether a plan depends on what the model is. For an application profile AWS's list has to tell, which is worth two
 * calls only then.
 */
export function dependsOnModel(ask: Ask, config: Configuration): boolean {
  const { reasoning, cache, topK } = mergeParameters(ask.parameters, config, [ask.model.id, ask.model.key]);
  const hasFiles = ask.attachments !== undefined && ask.attachments.length > 0;
  return (
    hasFiles ||
    (ask.searchesWeb ?? false) !== false ||
    ask.schema !== undefined ||
    ask.ownTools !== undefined ||
    reasoning !== undefined ||
    topK !== undefined ||
    (cache !== undefined && cache !== "off")
  );
}

/** Puts the files before the text of the newest turn, for a model of which that much is known. Throws `bad-attachment`. */
export async function attach(
  { attachments = [], messages, model, cites }: Ask,
  known: Omit<Recipient, "modelId" | "cites">,
): Promise<{ messages: readonly Message[]; notices: string[] }> {
  const newest = messages.at(-1);
  if (attachments.length === 0 || !newest) return { messages, notices: [] };
  const { attachmentBlocks } = await import("./attachments.ts");
  const recipient = { modelId: model.id, ...known, cites };
  const { blocks, notices } = attachmentBlocks(attachments, recipient);
  const content = [...blocks, ...(newest.content ?? [])];
  return { messages: [...messages.slice(0, -1), { ...newest, content }], notices };
}

/**
 * The kinds of input a model takes: the config's or the catalog's, and those that neither names because there was no
 * place for them: documents where the catalog knows them, videos and sound by the table of families and AWS's list.
 * Undefined when nobody knows the model.
 */
export function inputKinds(
  { configured }: ResolvedModel,
  baseId: string | undefined,
  discovered?: Discovered,
): readonly InputKind[] | undefined {
  const known = baseId === undefined ? undefined : lookUpUndated(baseId)?.input;
  const listed = discovered?.models.find(({ id }) => id === baseId)?.input ?? [];
  const kinds = configured?.input ?? known;
  if (!kinds) return undefined;
  const takesDocuments = known === undefined || known.includes("document");
  const media = [...(familyOf(baseId).media?.kinds ?? []), ...mediaKindsOf(listed)];
  return [...new Set<InputKind>([...kinds, ...(takesDocuments ? (["document"] as const) : []), ...media])];
}

/** The kinds that both a model takes and its API has a place for; where one of them is not known, those of the other. */
export function within(
  ofApi: readonly InputKind[] | undefined,
  ofModel: readonly InputKind[] | undefined,
): readonly InputKind[] | undefined {
  return ofApi && ofModel ? ofModel.filter((kind) => ofApi.includes(kind)) : (ofModel ?? ofApi);
}
