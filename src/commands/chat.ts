import { type Surroundings, surveySurroundings } from "../aws/session.ts";
import { defaultModel, loadConfig } from "../config/resolve.ts";
import { AnswerWriter } from "../converse/answer-writer.ts";
import { askModel } from "../converse/ask-model.ts";
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
  /** Seconds. */
  timeout?: number;
  /** Seconds. */
  firstTokenTimeout?: number;
}

const FIRST_TOKEN_SECONDS = 120;
const SILENCE_MS = 300_000;

/** Asks a model and writes its answer as it arrives. Every failure is thrown, also one after the first token. */
export async function run(options: ChatOptions, runtime: Runtime): Promise<void> {
  const [config, prompt, system] = await Promise.all([
    loadConfig(options, runtime),
    readPrompt(options.prompt, runtime),
    readSystemPrompt(options, runtime),
  ]);
  const surroundings = await surveySurroundings(options, runtime, config);
  const model = resolveModel(chooseModel(options, surroundings), config.value);
  const writer = new AnswerWriter(runtime, {
    priceOf: (modelId) => priceOf(model, modelId),
    showsReasoning: options.showReasoning === true,
    isStreamed: options.stream,
    showsUsage: options.usage === true,
  });
  try {
    const events = askModel(surroundings, {
      model,
      messages: [userMessage(prompt)],
      system,
      parameters: parametersOf(options),
      bounds: {
        firstEventMs: (options.firstTokenTimeout ?? FIRST_TOKEN_SECONDS) * 1000,
        silenceMs: SILENCE_MS,
        totalMs: options.timeout === undefined ? undefined : options.timeout * 1000,
      },
    });
    for await (const event of events) await writer.take(event);
    await writer.finish();
  } catch (failure) {
    throw await writer.fail(failure);
  }
}

function chooseModel({ model }: ChatOptions, { config, runtime }: Surroundings): string {
  if (model !== undefined) {
    if (model.trim() === "")
      throw usageError("--model names no model.", "List the models you can call: openclaw models list");
    return model;
  }
  const { primary } = defaultModel(config.value);
  if (primary !== undefined) return primary;
  if (runtime.isEmulated) return EMULATED_MODEL;
  throw new OpenclawError("no-default-model", {
    message: "No model is named, and the configuration has no default model.",
    hint: "Choose one from `openclaw models list`, then: openclaw models set MODEL",
  });
}

function parametersOf({ maxTokens, temperature, topP, stop }: ChatOptions): ChatParameters {
  return { maxTokens, temperature, topP, stopSequences: stop };
}

function priceOf({ configured, id }: ResolvedModel, modelId: string): Price | undefined {
  const cost = costOf(configured);
  if (cost) return { cost, source: "config" };
  const known = (lookUpCatalog(modelId) ?? lookUpCatalog(id))?.cost;
  return known ? { cost: known, source: "catalog" } : undefined;
}
