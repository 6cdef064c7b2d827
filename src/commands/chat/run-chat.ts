import { type Setup, readSetup } from "../../session/session.ts";
import { listMisspelt } from "../../config/nearest-setting.ts";
import { parametersOf, type ParameterOptions } from "../../command-line/parameter-flags.ts";
import { asksForSources, type Query, runTurn } from "../../chat/run-turn.ts";
import { type ShownTurn, showTurn } from "../../chat/show-turn.ts";
import type { FilledTemplate } from "../../chat/template.ts";
import type { GoneOn } from "../../chat/tools/given-results.ts";
import { findStdinFlag, readPrompt, readSystemPrompt } from "../../chat/prompt.ts";
import { type ChatParameters, userMessage } from "../../converse/request.ts";
import { boundOpening } from "../../converse/deadlines.ts";
import { asksForCode } from "../../credentials/chosen.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { priceOf } from "../../models/price.ts";
import { defaultModels, splitModelNames } from "../../models/default-models.ts";
import { describeTaken, isComplete, type ResolvedModel, namedModel } from "../../models/resolve-model.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { Conversation } from "../../chat/sessions/kept-conversation.ts";
import type { WantedTools } from "../../chat/tools/toolbox.ts";
import { answerRenderer } from "../../terminal/answer-renderer.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { checkToolOptions, type ToolOptions, wantedTools } from "./tool-options.ts";
import type { TurnTools } from "./with-tools.ts";
import { anySignal } from "../../until-aborted.ts";

export interface ChatOptions extends GlobalOptions, ParameterOptions, ToolOptions {
  prompt: string[];
  model?: string;
  system?: string;
  systemFile?: string;
  showReasoning?: boolean;
  /** Shows the text as the model wrote it, on a terminal too. */
  raw?: boolean;
  stream: boolean;
  usage?: boolean;
  /** Paths; `-` is stdin. */
  file?: string[];
  /** A JSON Schema, or the path of one. */
  schema?: string;
  /** Asks for the sources in documents. */
  citations?: boolean;
  /** Lets the model search the web. */
  web?: boolean;
  /** `ID:VERSION`. */
  guardrail?: string;
  guardrailTrace?: boolean;
  /** `KEY=VALUE`. */
  metadata?: string[];
  dryRun?: boolean;
  /** Id of the session to go on with. */
  session?: string;
  /** Go on with the latest session of this folder. */
  continue?: boolean;
  /** False with `--no-save`. */
  save: boolean;
  /** Seconds. */
  timeout?: number;
  /** Seconds. */
  firstTokenTimeout?: number;
  /** Seconds. */
  waitForQuota?: number;
  /** A file that gets the answer, `-` for stdout. */
  output?: string;
  /** Prints the first code block alone. */
  extract?: boolean;
  template?: string;
  /** `NAME=VALUE`, for the template. */
  param?: string[];
  /** USD. */
  maxCost?: number;
  /** Calls although a budget is spent. */
  ignoreBudget?: boolean;
}

/** Options with what a template brings: flags go before it. */
interface Asked extends ChatOptions {
  templateParams?: ChatParameters;
}

/** What is asked: the question of a turn, or what its calls came to where it goes on. */
interface Newest extends Partial<GoneOn> {
  messages: Query["messages"];
  tools?: TurnTools | undefined;
  /** Told when a model is called. */
  onCall?: (() => void) | undefined;
}

const SILENCE_MS = 300_000;

/** Puts the one question of a command line, or talks where a person sits at both ends. Throws as `run` does. */
export async function runChat(
  options: ChatOptions,
  setup: Setup,
  { screen, template }: { screen: Screen | undefined; template: FilledTemplate | undefined },
): Promise<void> {
  const wanted = wantedTools(options, template);
  checkToolOptions(options, wanted);
  if (screen) return talk(template ? withTemplate(options, template, "") : options, setup, screen, wanted);
  const { runtime } = setup;
  const [extras, { prompt, input }, goOn] = await Promise.all([
    readExtras(options, runtime),
    readQuestion(options, runtime, template),
    readResults(options, runtime),
  ]);
  const conversation = await openNamed(options, runtime);
  const opening = openingOf(options, setup);
  const bounded = opening ? { ...setup, runtime: { ...runtime, signal: opening.signal } } : setup;
  try {
    const asked = template ? withTemplate(options, template, input) : options;
    const newest = goOn ? goOn(conversation, prompt) : { messages: [userMessage(prompt)] };
    const put = (tools?: TurnTools): Promise<void> =>
      ask(asked, bounded, conversation, extras, { ...newest, tools, onCall: opening?.stop });
    if (!wanted) return await put();
    const { withTools } = await import("./with-tools.ts");
    await withTools(wanted, options, bounded, put);
  } finally {
    opening?.stop();
    await conversation?.close();
  }
}

/** What bounds the time before the first call, where a flag does. A person's time to type an MFA code does not count. */
function openingOf(
  options: ChatOptions,
  { runtime, decision }: Setup,
): { signal: AbortSignal; stop: () => void } | undefined {
  const bounds = boundsOf(options);
  if ((bounds.totalMs ?? bounds.firstEventMs) === undefined || asksForCode(decision)) return undefined;
  const { signal, stop } = boundOpening(bounds);
  return { signal: anySignal(runtime.signal, signal), stop };
}

/** What is asked, and what of it was typed and piped in. Results of calls need no words, and stand for what is piped in. */
async function readQuestion(
  options: ChatOptions,
  runtime: Runtime,
  template: FilledTemplate | undefined,
): Promise<{ prompt: string; input: string }> {
  const { prompt: words, file, toolResult } = options;
  const stdinFlag = findStdinFlag(options);
  if (toolResult !== undefined && !(words.length === 1 && words[0] === "-"))
    return { prompt: words.join(" "), input: "" };
  return readPrompt(words, runtime, { stdinFlag, hasFiles: file !== undefined, template });
}

async function readResults({ toolResult }: ChatOptions, runtime: Runtime) {
  if (toolResult === undefined) return undefined;
  const { readGivenResults } = await import("../../chat/tools/given-results.ts");
  return readGivenResults(toolResult, runtime);
}

function withTemplate(options: ChatOptions, template: FilledTemplate, input: string): Asked {
  // A turn that goes on does so under the system prompt that it began with.
  const isBegun = options.systemFile !== undefined || options.toolResult !== undefined;
  const { system = isBegun ? undefined : template.system(input) } = options;
  const { model = template.model } = options;
  return {
    ...options,
    ...(system === undefined ? {} : { system }),
    ...(model === undefined ? {} : { model }),
    templateParams: template.params,
  };
}

function ledgerOf({ ignoreBudget }: ChatOptions, { runtime, config }: Setup): Ledger {
  return new Ledger(runtime, config.value, { command: "chat", ignoresBudget: ignoreBudget });
}

/** Puts one question, in the conversation that it belongs to. */
async function ask(
  options: Asked,
  setup: Setup,
  conversation: Conversation | undefined,
  extras: Extras,
  { messages, goesOn, tools, onCall }: Newest,
): Promise<void> {
  const { runtime } = setup;
  const { terminal } = runtime;
  const names = goesOn && options.model === undefined ? [goesOn.key] : undefined;
  const models = await nameModels(names ?? (await chooseModels(options, setup, conversation)), setup);
  const plain = await queryOf(options, runtime, conversation);
  const query = {
    ...plain,
    bounds: { ...plain.bounds, onCall },
    ...extras,
    messages,
    // Without this turn, which has a place of its own among them as soon as it is asked.
    earlier: conversation?.turns.slice(0, goesOn ? -1 : undefined),
  };
  if (options.dryRun && models[0]) {
    const { dryRun } = await import("../../chat/dry-run.ts");
    return dryRun(setup, { ...query, tools: await tools?.config(), model: models[0] }, (modelId) =>
      priceOf(models[0], modelId),
    );
  }
  const context = {
    key: models[0]?.key ?? "",
    system: query.system,
    goesOn,
    runtime,
    onUnkept: ({ message, hint }: OpenclawError) =>
      terminal.warn(`The conversation is not kept. ${message}`, hint),
  };
  const keeper =
    conversation &&
    new (await import("../../chat/sessions/turn-keeper.ts")).TurnKeeper(conversation, context);
  const ledger = ledgerOf(options, setup);
  const arriving = { keeper, ledger, mostUsd: options.maxCost };
  const turn: ShownTurn = {
    runtime,
    models,
    arrivals: tools ? tools.arrivals(models, query, arriving) : runTurn(setup, models, query, arriving),
    show: {
      showsReasoning: options.showReasoning === true,
      isStreamed: options.stream,
      extractsCode: options.extract,
      isKeptApart: options.output !== undefined && !(await writesToStdout(options.output)),
      showsUsage: options.usage === true,
      hasTools: tools !== undefined,
      isStructured: query.schema !== undefined,
      showsSources: asksForSources(query),
      searchesWeb: query.searchesWeb,
      marksSources: terminal.isStdoutTTY && !isRaw(options),
      renderer: terminal.isStdoutTTY ? await answerRenderer(runtime, isRaw(options)) : undefined,
      sessionId: () => conversation?.keptId,
    },
    priceOf,
    keep: async (answering, failure) => {
      await keeper?.end({ key: answering?.key, failure });
      const isStopped = failure instanceof OpenclawError && failure.code === "interrupted";
      if (isStopped && keeper?.hasBegun && conversation?.keptId !== undefined)
        terminal.note(`openclaw: stopped; kept as far as it came in session ${conversation.keptId}`);
    },
  };
  try {
    await showTurn(turn);
    await tools?.printLeft();
  } finally {
    await ledger.settle();
  }
}

async function writesToStdout(name: string): Promise<boolean> {
  const { namesStdout } = await import("../../disk/output-file.ts");
  return namesStdout(name);
}

async function talk(
  options: Asked,
  setup: Setup,
  screen: Screen,
  wanted: WantedTools = { tools: [], servers: [] },
): Promise<void> {
  const { runtime, config } = setup;
  const stdinFlag = findStdinFlag(options);
  if (stdinFlag) throw usageError(`${stdinFlag} reads stdin, which is the keyboard here.`, "Name a file.");
  const [{ runInteractive }, { openConversation }, extras] = await Promise.all([
    import("../../chat/interactive/run-interactive.ts"),
    import("../../chat/sessions/open-conversation.ts"),
    readExtras(options, runtime),
  ]);
  await extras.schema?.checked;
  const survey = (): Promise<Setup> => readSetup(options, runtime, config);
  const choose = async (names: string, current: Setup, noted: Set<string>): Promise<ResolvedModel[]> => {
    const { checkModel } = await import("../../chat/interactive/check-model.ts");
    const chosen: ResolvedModel[] = [];
    for (const name of splitModelNames(names, runtime)) chosen.push(await checkModel(name, current, noted));
    return chosen;
  };
  const ledger = ledgerOf(options, setup);
  const conversation = await openConversation(options, runtime, false);
  try {
    const { attachments, ...others } = extras;
    await runInteractive({
      runtime,
      screen,
      setup,
      survey,
      conversation,
      begin: () => openConversation({ save: options.save }, runtime, false),
      resume: (session) => openConversation({ session, save: options.save }, runtime, false),
      models: await nameModels(await chooseModels(options, setup, conversation), setup),
      choose,
      priceOf,
      query: { ...(await queryOf(options, runtime, conversation)), ...others },
      attachments,
      isRaw: isRaw(options),
      isStreamed: options.stream,
      showsUsage: options.usage === true,
      keepsHistory: options.save,
      ledger,
      mostUsd: options.maxCost,
      tools: { wanted, allowed: options.allow ?? [], maxSteps: options.maxSteps },
    });
  } finally {
    await conversation.close();
    await ledger.settle();
  }
}

/** The conversation that the command line names. A single question that names none leaves no trace. */
async function openNamed(options: ChatOptions, runtime: Runtime): Promise<Conversation | undefined> {
  if (options.session === undefined && !options.continue) return undefined;
  const { openConversation } = await import("../../chat/sessions/open-conversation.ts");
  // A dry run keeps nothing.
  return openConversation({ ...options, save: options.save && !options.dryRun }, runtime, true);
}

/** What goes with every question of this command line. */
async function queryOf(
  options: Asked,
  runtime: Runtime,
  conversation: Conversation | undefined,
): Promise<Omit<Query, "messages" | "system"> & { system: string | undefined }> {
  return {
    system: (await readSystemPrompt(options, runtime)) ?? conversation?.turns.at(-1)?.system,
    parameters: { ...options.templateParams, ...parametersOf(options) },
    boundBy: boundOfTemplate(options),
    // The documents of --json and --ndjson hold the reasoning that was asked for.
    showsReasoning:
      options.showReasoning === true ||
      (options.reasoning !== undefined && runtime.terminal.format !== "text"),
    pacing: await pacingOf(options, runtime),
    bounds: boundsOf(options),
  };
}

function boundsOf({ firstTokenTimeout, timeout }: ChatOptions): Query["bounds"] {
  return {
    firstEventMs: firstTokenTimeout === undefined ? undefined : firstTokenTimeout * 1000,
    silenceMs: SILENCE_MS,
    totalMs: timeout === undefined ? undefined : timeout * 1000,
  };
}

/** What holds the answer to so many tokens, where the template says it. */
function boundOfTemplate({ template, templateParams, maxTokens }: Asked): Query["boundBy"] {
  if (templateParams?.maxTokens === undefined || maxTokens !== undefined) return undefined;
  return { is: `which the template '${shorten(template ?? "")}' sets`, flag: "--max-tokens" };
}

/** How a call waits for room in the quota, where it does: never for longer than the whole may take. */
async function pacingOf(
  { waitForQuota, timeout = Number.POSITIVE_INFINITY }: ChatOptions,
  runtime: Runtime,
): Promise<Query["pacing"]> {
  if (waitForQuota === undefined) return undefined;
  const { waitForRoom } = await import("../../chat/wait-for-room.ts");
  return waitForRoom(Math.min(waitForQuota, timeout) * 1000, runtime);
}

/** JSON and code are for programs: they stay as they are. */
function isRaw({ raw, schema, extract }: ChatOptions): boolean {
  return raw === true || schema !== undefined || extract === true;
}

/**
 * The models to ask, in order: those of `--model a,b,c`, else the one that the conversation was with, else the default
 * and its fallbacks, else what a person at the terminal chooses. Throws `no-default-model`.
 */
async function chooseModels(
  options: ChatOptions,
  { config, runtime, decision }: Setup,
  conversation: Conversation | undefined,
): Promise<string[]> {
  const { model } = options;
  if (model !== undefined) return splitModelNames(model, runtime);
  // One that failed may have been no model at all.
  const before = conversation?.turns.findLast(({ failure }) => failure === undefined)?.key;
  if (before !== undefined) return [before];
  const models = defaultModels(config.value, runtime);
  if (models.length > 0) return models;
  const chosen = await letChoose(options, runtime);
  if (chosen !== undefined) return [chosen];
  const error = new OpenclawError("no-default-model", {
    message: "No model is named, and the configuration has no default model.",
    hint: "Choose one from `openclaw models list`, then: openclaw models set MODEL",
  });
  const { explainError } = await import("../../credentials/findings.ts");
  throw explainError(error, decision, { place: { misspelt: listMisspelt(config.value) } });
}

/** Lets a person choose, and keeps it where they say so: that it cannot be kept is no reason not to ask. */
async function letChoose(options: ChatOptions, runtime: Runtime): Promise<string | undefined> {
  const { chooseModel } = await import("../models/choose-model.ts");
  return chooseModel(options, runtime, {
    keep: async (key) => {
      const { storeDefault } = await import("../models/set.ts");
      try {
        await storeDefault(key, options, runtime);
        runtime.terminal.note("openclaw: another one is kept with: openclaw models set");
      } catch (failure) {
        if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
        await runtime.terminal.warn(`It is not kept. ${failure.message}`, failure.hint);
      }
    },
  });
}

/**
 * The models that names stand for. Throws `model-not-found` for a name that stands for none; one of several that are asked
 * in turn is left to AWS, which refuses it when its turn comes.
 */
async function nameModels(names: readonly string[], setup: Setup): Promise<ResolvedModel[]> {
  const models: ResolvedModel[] = [];
  for (const name of names) models.push(await nameOne(name, names.length > 1, setup));
  return models;
}

async function nameOne(name: string, isOneOfSeveral: boolean, setup: Setup): Promise<ResolvedModel> {
  const config = setup.config.value;
  const exact = namedModel(name, config);
  if (isComplete(exact) && describeTaken(name, exact, config) === undefined) return exact;
  const { nameModel } = await import("../../discovery/name-model.ts");
  try {
    return await nameModel(name, setup);
  } catch (error) {
    if (isOneOfSeveral && error instanceof OpenclawError && error.code === "model-not-found") return exact;
    throw error;
  }
}

/** What else a command line asks for. */
type Extras = Partial<Omit<Query, "system">>;

/** What goes with the prompt: files, schema, guardrail, metadata. Each is loaded only when it is asked for. */
async function readExtras(options: ChatOptions, runtime: Runtime): Promise<Extras> {
  const { file, schema, guardrail, metadata } = options;
  const extras: Extras = { asksForTrace: options.guardrailTrace === true };
  const grounding = options.citations ? "--citations" : options.web ? "--web" : undefined;
  if (grounding !== undefined && schema !== undefined)
    throw usageError(
      `${grounding} and --schema exclude each other: an answer that is held to a schema names no sources.`,
      "Leave one of them out.",
    );
  extras.cites = options.citations === true;
  extras.searchesWeb = options.web === true;
  if (guardrail !== undefined)
    extras.guardrail = (await import("../../converse/guardrail.ts")).parseGuardrail(guardrail);
  if (metadata)
    extras.metadata = (await import("../../converse/request-metadata.ts")).parseRequestMetadata(metadata);
  if (schema !== undefined)
    extras.schema = await (await import("../../converse/output-schema.ts")).readOutputSchema(schema, runtime);
  if (file)
    extras.attachments = await (await import("../../converse/attachments.ts")).readAttachments(file, runtime);
  return extras;
}
