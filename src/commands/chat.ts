import { type Surroundings, surveySurroundings } from "../aws/session.ts";
import { defaultModel, loadConfig } from "../config/resolve.ts";
import type { ModelParameters } from "../config/settings.ts";
import { AnswerWriter } from "../converse/answer-writer.ts";
import { askFirstAvailable, type Query } from "../converse/ask-first-available.ts";
import { readPrompt, readSystemPrompt } from "../converse/prompt.ts";
import { type ChatParameters, userMessage } from "../converse/request.ts";
import type { Price } from "../converse/usage.ts";
import { lookUpCatalog } from "../discovery/catalog.ts";
import { costOf } from "../discovery/list.ts";
import { type ResolvedModel, resolveModel } from "../discovery/resolve-model.ts";
import { EMULATED_MODEL } from "../emulator/default-model.ts";
import { OpenclawError, usageError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

export interface ChatOptions extends GlobalOptions {
  prompt: string[];
  model?: string;
  system?: string;
  systemFile?: string;
  /** Tokens. */
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  stop?: string[];
  showReasoning?: boolean;
  stream: boolean;
  usage?: boolean;
  /** Paths; `-` is stdin. */
  file?: string[];
  reasoning?: ModelParameters["reasoning"];
  /** A JSON Schema, or the path of one. */
  schema?: string;
  cache?: ModelParameters["cache"];
  /** `ID:VERSION`. */
  guardrail?: string;
  guardrailTrace?: boolean;
  serviceTier?: ModelParameters["serviceTier"];
  latency?: ModelParameters["latency"];
  /** `KEY=VALUE`. */
  metadata?: string[];
  dryRun?: boolean;
  /** Seconds. */
  timeout?: number;
  /** Seconds. */
  firstTokenTimeout?: number;
}

const FIRST_TOKEN_SECONDS = 120;
const SILENCE_MS = 300_000;

/** Asks a model and writes its answer as it arrives. Every failure is thrown, also one after the first token. */
export async function run(options: ChatOptions, runtime: Runtime): Promise<void> {
  const extras = await readExtras(options, runtime);
  const [config, prompt, system] = await Promise.all([
    loadConfig(options, runtime),
    readPrompt(options.prompt, runtime, { isStdinTaken: options.file?.includes("-") === true }),
    readSystemPrompt(options, runtime),
  ]);
  const surroundings = await surveySurroundings(options, runtime, config);
  const models = chooseModels(options, surroundings).map((text) => resolveModel(text, config.value));
  const query: Query = {
    messages: [userMessage(prompt)],
    system,
    parameters: parametersOf(options),
    showsReasoning: options.showReasoning === true,
    ...extras,
    bounds: {
      firstEventMs: (options.firstTokenTimeout ?? FIRST_TOKEN_SECONDS) * 1000,
      silenceMs: SILENCE_MS,
      totalMs: options.timeout === undefined ? undefined : options.timeout * 1000,
    },
  };
  if (options.dryRun && models[0]) {
    const { rehearse } = await import("../converse/dry-run.ts");
    return rehearse(surroundings, { ...query, model: models[0] }, (modelId) => priceOf(models[0], modelId));
  }
  let answering = models[0];
  const writer = new AnswerWriter(runtime, {
    priceOf: (modelId) => priceOf(answering, modelId),
    showsReasoning: options.showReasoning === true,
    isStreamed: options.stream,
    showsUsage: options.usage === true,
  });
  try {
    const events = askFirstAvailable(surroundings, models, query);
    for await (const { model, event } of events) {
      answering = model;
      await writer.take(event);
    }
    await writer.finish();
  } catch (failure) {
    throw await writer.fail(failure);
  }
}

/** The models to ask, in order: those of `--model a,b,c`, else the default and its fallbacks. Throws `no-default-model`. */
function chooseModels({ model }: ChatOptions, { config, runtime }: Surroundings): string[] {
  if (model !== undefined) {
    const named = model.split(",").map((text) => text.trim());
    if (named.some((text) => text === "")) {
      throw usageError(
        `--model '${model}' names no model.`,
        "List the models you can call: openclaw models list",
      );
    }
    return named;
  }
  const { primary, fallbacks } = defaultModel(config.value);
  if (primary !== undefined) return [primary, ...fallbacks];
  if (runtime.isEmulated) return [EMULATED_MODEL];
  throw new OpenclawError("no-default-model", {
    message: "No model is named, and the configuration has no default model.",
    hint: "Choose one from `openclaw models list`, then: openclaw models set MODEL",
  });
}

function parametersOf(options: ChatOptions): ChatParameters {
  const { maxTokens, temperature, topP, stop, reasoning, cache, serviceTier, latency } = options;
  return { maxTokens, temperature, topP, stopSequences: stop, reasoning, cache, serviceTier, latency };
}

/** What goes with the prompt: files, schema, guardrail, metadata. Each is loaded only when it is asked for. */
async function readExtras(options: ChatOptions, runtime: Runtime): Promise<Partial<Query>> {
  const { file, schema, guardrail, metadata } = options;
  const extras: Partial<Query> = { asksForTrace: options.guardrailTrace === true };
  if (guardrail !== undefined) extras.guardrail = (await import("../converse/guardrail.ts")).parseGuardrail(guardrail);
  if (metadata)
    extras.metadata = (await import("../converse/request-metadata.ts")).parseRequestMetadata(metadata);
  if (schema !== undefined)
    extras.schema = await (await import("../converse/output-schema.ts")).readOutputSchema(schema, runtime);
  if (file) extras.attachments = await (await import("../converse/attachments.ts")).readAttachments(file, runtime);
  return extras;
}

function priceOf(model: ResolvedModel | undefined, modelId: string): Price | undefined {
  const cost = costOf(model?.configured);
  if (cost) return { cost, source: "config" };
  const known = (lookUpCatalog(modelId) ?? lookUpCatalog(model?.id ?? modelId))?.cost;
  return known ? { cost: known, source: "catalog" } : undefined;
}
