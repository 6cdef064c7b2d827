import type { Message } from "@aws-sdk/client-bedrock-runtime";
import { SessionPool } from "../../session/session-pool.ts";
import type { Setup } from "../../session/session.ts";
import {
  type Arrivals,
  asksForSources,
  type Query,
  runTurn,
  type TurnOptions,
  USUAL_CACHE,
  withRenewal,
} from "../run-turn.ts";
import { knownModels } from "../bedrock-wire.ts";
import { showTurn } from "../show-turn.ts";
import { isFresh } from "../../discovery/cache.ts";
import type { Discovered } from "../../models/discovered.ts";
import type { Attachment } from "../../converse/attachments.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Price, TokenUsage } from "../../models/usage.ts";
import { answerOf, questionOf, type Turn } from "../../converse/conversation.ts";
import { type ChatParameters, userMessage } from "../../converse/request.ts";
import { type ResolvedModel, targetOf } from "../../models/resolve-model.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { type TurnEnd, TurnKeeper } from "../sessions/turn-keeper.ts";
import { type Conversation, unkeptConversation } from "../sessions/kept-conversation.ts";
import { answerRenderer } from "../../terminal/answer-renderer.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { anySignal, untilAborted } from "../../until-aborted.ts";
import { WrappedText } from "../../terminal/word-wrap.ts";
import type { AskRound, TurnArrivals } from "../tools/run-rounds.ts";
import type { WantedTools } from "../tools/toolbox.ts";
import { describeAttachment } from "./describe-attachment.ts";
import type { Keyboard } from "./keyboard.ts";
import { attachmentOf, filesToSendAgain } from "./files-to-send-again.ts";
import type { Choosing } from "./picker.ts";
import type { SessionTools } from "./session-tools.ts";
import { untilStopped } from "./until-stopped.ts";

/** What a person sits down to: everything that the command line has decided. */
export interface InteractiveOptions {
  runtime: Runtime;
  screen: Screen;
  setup: Setup;
  /** Looks for credentials anew, where they may have changed. */
  survey: () => Promise<Setup>;
  conversation: Conversation;
  begin: () => Promise<Conversation>;
  /** Goes on with the session of an id. Throws `usage` where it is open elsewhere. */
  resume: (id: string) => Promise<Conversation>;
  /** Asked in order. */
  models: ResolvedModel[];
  /** What a name, or several with commas between them, stand for, looked up at once. Throws `usage` and `model-not-found`. */
  choose: (names: string, setup: Setup, noted: Set<string>) => Promise<ResolvedModel[]>;
  priceOf: (model: ResolvedModel | undefined, modelId: string) => Price | undefined;
  /** What goes with every question. */
  query: Omit<
    Query,
    "messages" | "attachments" | "earlier" | "recorder" | "open" | "known" | "noted" | "usualCache" | "system"
  > & { system?: string | undefined };
  /** Files of the first question. */
  attachments: Query["attachments"];
  /** Shows the model's text as it came. */
  isRaw: boolean;
  isStreamed: boolean;
  showsUsage: boolean;
  ledger: Ledger;
  /** The most that the answer to a question may cost, in USD. */
  mostUsd?: number | undefined;
  /** Whether what is typed may be written to the disk. */
  keepsHistory: boolean;
  tools: ToolOptions;
}

export interface ToolOptions {
  wanted: WantedTools;
  /** The patterns of what may run without a question. */
  allowed: readonly string[];
  /** The most rounds of an answer in which tools are called, where it is said. */
  maxSteps: number | undefined;
}

interface Asked {
  message: Message;
  attachments: readonly Attachment[];
  /** Whether its answer takes the place of the last one. */
  isRetry: boolean;
  /** Whether it is asked without tools. */
  isPlain?: boolean;
}

interface Edit {
  /** Whether the next question takes the place of the last turn: not of a question that has none yet. */
  isRetry: boolean;
  /** What was attached for the next question before. */
  files: readonly Attachment[];
}

/** What a model is asked for by /compact, and what then stands before its summary. */
const SUMMARY_REQUEST =
  "Sum up our conversation so far, so that it can go on from the summary alone: what I want, what was found and decided, names, numbers, files and code that still matter, and what is open. Leave out what no longer matters. Answer with the summary only.";

/** How long tools that are stopped with the turn may take to end, and to be taken down, in ms. */
const TOOLS_MS = 1000;

const FIRST_ROUND = { model: undefined, spentUsd: 0 };

export interface Spending {
  key: string;
  model: string;
  usage: TokenUsage;
  /** How often it was called for the answer. */
  rounds: number;
}

/** A conversation at the terminal: puts questions with everything said before, shows the answers, keeps the turns. */
export class Talk {
  readonly options: InteractiveOptions;
  readonly #keyboard: Keyboard;
  readonly #pool: SessionPool;
  setup: Setup;
  conversation: Conversation;
  models: ResolvedModel[];
  parameters: ChatParameters;
  system: string | undefined;
  /** What the answers are to be grounded in. */
  grounding: Pick<Query, "cites" | "searchesWeb">;
  files: Attachment[];
  /** What the next question begins as. */
  draft = "";
  /** Set where the next question is to stand in the place of the last. */
  edited: Edit | undefined;
  isOver = false;
  /** What every answer cost, those that were asked again or stopped, too. */
  readonly spending: Spending[];
  /** Undefined as long as there were none. */
  tools: SessionTools | undefined;
  /** Stops the tools that run; undefined where none does, or they are stopped already. */
  #stopTools: (() => void) | undefined;
  #last: Asked | undefined;
  /** Notices of requests that were shown: what holds for every question is told once. */
  readonly #noted = new Set<string>();
  /** What AWS lists, by region and model. */
  readonly #lists = new Map<string, Discovered>();

  constructor(options: InteractiveOptions, keyboard: Keyboard) {
    this.options = options;
    this.#keyboard = keyboard;
    this.setup = options.setup;
    this.#pool = new SessionPool(options.setup);
    this.conversation = options.conversation;
    this.models = options.models;
    this.parameters = options.query.parameters;
    this.system = options.query.system;
    this.grounding = { cites: options.query.cites, searchesWeb: options.query.searchesWeb };
    this.files = [...(options.attachments ?? [])];
    this.spending = spendingOf(options.conversation);
  }

  /** Opens the tools of names, besides those there are. Throws what is wrong with one; then none of them is there. */
  async addTools(names: WantedTools): Promise<void> {
    const tools = await this.openTools();
    await this.waitForServers((signal) => tools.add(names, signal));
  }

  /** The tools of the conversation, of which there may be none yet. */
  async openTools(): Promise<SessionTools> {
    this.tools ??= await this.#beginTools();
    return this.tools;
  }

  async #beginTools(): Promise<SessionTools> {
    const { runtime, screen, tools } = this.options;
    const [{ SessionTools }, { Permits }, { askByKey }, { sourcesOf }] = await Promise.all([
      import("./session-tools.ts"),
      import("../tools/permits.ts"),
      import("./ask-for-leave.ts"),
      import("../tools/tool-sources.ts"),
    ]);
    const asker = { runtime, screen, keyboard: this.#keyboard, onInterrupt: () => void this.#stopRunning() };
    const permits = new Permits({
      allowed: tools.allowed,
      ask: (request, signal) => askByKey(request, signal, asker),
      terminal: runtime.terminal,
      wayToAllow: (name) => `/allow ${name}`,
    });
    return new SessionTools(permits, runtime.terminal, (signal) => {
      const { config, options } = this.setup;
      return sourcesOf(config.value, { ...this.setup.runtime, signal }, options);
    });
  }

  /** Does what servers of tools may take long for; Ctrl-C and Esc end it. Rejects with `interrupted` then. */
  async waitForServers<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { runtime } = this.options;
    const stop = new AbortController();
    const signal = anySignal(runtime.signal, stop.signal);
    const wait = (): Promise<T> =>
      withSpinner(runtime, "Waiting for tools", () => untilAborted(work(signal), signal));
    return this.#untilInterrupted(stop, wait);
  }

  /** Puts a question. Throws what goes wrong with it; /retry then asks it again. */
  async ask(text: string): Promise<void> {
    const attachments = this.files;
    this.files = [];
    const isRetry = this.edited?.isRetry === true;
    this.edited = undefined;
    // Until the answer is kept, this is what /retry asks again.
    this.#last = { message: userMessage(text), attachments, isRetry };
    return this.#answer(this.#last);
  }

  /** Begins to edit the last question, which stays until the next one takes its place. Throws `usage` where there is none. */
  async editLast(): Promise<void> {
    const { message, attachments, isRetry } = this.#lastAsked("edit");
    const { content = [] } = message;
    // One that is kept has its files in itself.
    const sent = [...attachments, ...content.flatMap(attachmentOf)];
    this.edited = { isRetry, files: this.files };
    this.draft = content.findLast(({ text }) => text !== undefined)?.text ?? "";
    this.files = await filesToSendAgain(sent, this.draft, this.options.runtime);
  }

  /** Gives up the edit of a question, which is then as it was. */
  leaveEdit(): void {
    if (!this.edited) return;
    this.files = [...this.edited.files];
    this.edited = undefined;
    this.options.runtime.terminal.note("the last question stays as it was");
  }

  /** Puts the last question again; a new answer takes the place of the old one. Throws `usage` when there is none. */
  async retry(): Promise<void> {
    return this.#answer(this.#lastAsked("ask again"));
  }

  /** The last question: one that was not kept, or that of the last turn. Throws `usage` where there is none to do `what` with. */
  #lastAsked(what: string): Asked {
    const last = this.conversation.turns.at(-1);
    if (this.#last) return this.#last;
    if (!last) throw usageError(`There is no question to ${what}.`, "Type one.");
    return { message: questionOf(last), attachments: [], isRetry: true };
  }

  /**
   * Takes back the last question with its answer, which stay on the disk as taken back, or a summary that nothing has
   * followed. Resolves to the question that is gone; to undefined for a summary. Throws `usage` where there is nothing.
   */
  async undo(): Promise<Message | undefined> {
    const unkept = this.#last;
    this.#last = undefined;
    // One that failed before it was asked stands nowhere.
    if (unkept) return unkept.message;
    const { turns } = this.conversation;
    const last = turns.at(-1);
    if (!last) throw usageError("There is nothing to take back.", "/help shows what there is.");
    await this.conversation.undo();
    return turns.at(-1) === last ? undefined : questionOf(last);
  }

  /** Goes on with another session, with its model and its system prompt; this one stays where it is kept. */
  async resume(id: string): Promise<void> {
    const next = await this.options.resume(id);
    await this.conversation.close();
    this.conversation = next;
    this.#last = undefined;
    this.spending.splice(0, this.spending.length, ...spendingOf(next));
    const last = next.turns.at(-1);
    this.system = last?.system;
    const key = next.turns.findLast(({ failure }) => failure === undefined)?.key;
    if (key !== undefined && key !== this.models[0]?.key) await this.chooseModels(key);
  }

  /**
   * Has the model sum up all turns but the last, shows it, and puts the summary in their place. Resolves to how many
   * turns it stands for; to undefined where it was stopped. Throws `usage` where there is too little, and what goes wrong.
   */
  async compact(): Promise<number | undefined> {
    const older = this.conversation.turns.slice(0, -1);
    if (older.length === 0)
      throw usageError("There are no older questions to sum up.", "/undo takes back the last one.");
    const draft = unkeptConversation(older);
    const stop = new AbortController();
    const asked = { message: userMessage(SUMMARY_REQUEST), attachments: [], isRetry: false, isPlain: true };
    await this.#untilInterrupted(stop, () => this.#show(asked, stop.signal, draft));
    const summary = draft.turns.at(-1);
    // A call of a tool, which some models make all the same, sums nothing up.
    const says = summary && (answerOf(summary).content ?? []).some(({ text = "" }) => text.trim() !== "");
    if (stop.signal.aborted || !says) return undefined;
    await this.conversation.keep(summary, "summary");
    return older.length;
  }

  /** Runs a command of the person's shell, which Ctrl-C and Esc end, and offers its output for the next question. */
  async runShell(command: string): Promise<void> {
    const { runtime } = this.options;
    const { terminal } = runtime;
    const stop = new AbortController();
    const { runShell } = await import("./run-shell.ts");
    const signal = anySignal(runtime.signal, stop.signal);
    const { output, isCut, end } = await this.#untilInterrupted(stop, () =>
      runShell(command, runtime, signal),
    );
    const { dim } = await terminal.stderrStyle();
    if (end !== undefined) terminal.note(dim(`(${end})`));
    if (isCut) terminal.note(dim("(only the beginning can be sent)"));
    if (output.trim() === "" || output.includes("\0")) return;
    const attachment: Attachment = {
      label: `output of ${shorten(command)}`,
      fileName: "output.txt",
      file: { kind: "document", format: "txt" },
      bytes: Buffer.from(`$ ${command}\n${output}`),
    };
    terminal.ask(`Attach ${describeAttachment({ ...attachment, label: "its output" })}? [Y/n]`);
    const isWanted = await this.#answersYes();
    terminal.writeAside(isWanted ? "yes\n" : "no\n");
    if (isWanted) this.files = [...this.files, attachment];
  }

  /** Lets the person edit a text in their own editor. Throws `usage` and `internal`. */
  async edit(text: string): Promise<string> {
    const { openDraft } = await import("../../disk/draft.ts");
    const draft = await openDraft(text, "question.md", "usage", this.options.runtime);
    try {
      return (await this.#keyboard.lend(() => draft.edit())).replace(/\n+$/, "");
    } finally {
      await draft.close();
    }
  }

  /** Lets the person choose; undefined where they choose nothing, which Ctrl-C says, too. */
  async pick<T>(choosing: Choosing<T>): Promise<T | undefined> {
    const { runtime, screen } = this.options;
    const { Asker } = await import("./picker.ts");
    const asker = new Asker(runtime, screen, await runtime.terminal.stderrStyle(), this.#keyboard);
    try {
      return await asker.choose(choosing);
    } catch (error) {
      if (error instanceof OpenclawError && error.code === "interrupted" && !runtime.signal.aborted)
        return undefined;
      throw error;
    }
  }

  /** Enter and y are a yes; another character is a no, and begins what the person types next. */
  async #answersYes(): Promise<boolean> {
    const key = await this.#keyboard.next();
    if (!key) return false;
    const { name, ctrl } = key;
    if (name === "return" || name === "enter" || (name === "y" && !ctrl)) return true;
    const isNo = name === "escape" || (name === "n" && !ctrl) || (ctrl && name === "c");
    if (!isNo) this.#keyboard.putBack(key);
    return false;
  }

  /** Asks other models from here on; those of before stay when one of the new ones is not there. Throws what is wrong. */
  async chooseModels(names: string): Promise<void> {
    const stop = new AbortController();
    const signal = anySignal(this.options.runtime.signal, stop.signal);
    const setup = { ...this.setup, runtime: { ...this.setup.runtime, signal } };
    const choose = (): Promise<ResolvedModel[]> => this.options.choose(names, setup, this.#noted);
    const work = (): Promise<ResolvedModel[]> => (this.#asksPerson ? this.#keyboard.lend(choose) : choose());
    this.models = await this.#untilInterrupted(stop, work, "The model is the same.");
  }

  /** Begins a new conversation; the old one stays where it is kept. */
  async clear(): Promise<void> {
    await this.conversation.close();
    this.conversation = await this.options.begin();
    this.#last = undefined;
    this.spending.length = 0;
  }

  /** Ends what was started for tools, and closes every connection and the conversation. */
  async close(): Promise<void> {
    await Promise.all([this.tools?.close(), this.#pool.close()]);
    await this.conversation.close();
  }

  async #answer(asked: Asked): Promise<void> {
    const stop = new AbortController();
    await this.#untilInterrupted(stop, () => this.#show(asked, stop.signal, this.conversation));
  }

  /** Runs `work`; Ctrl-C and Esc stop the tools that run, or else abort `stop`, with a hint for whoever is told. */
  async #untilInterrupted<T>(stop: AbortController, work: () => Promise<T>, hint?: string): Promise<T> {
    const onInterrupt = (): void => {
      if (this.#stopRunning()) return;
      stop.abort(new OpenclawError("interrupted", { message: "Stopped at the terminal.", hint }));
    };
    return this.#keyboard.whileBusy(onInterrupt, work);
  }

  /** Stops the tools that run, once. Returns whether there were any. */
  #stopRunning(): boolean {
    const stop = this.#stopTools;
    this.#stopTools = undefined;
    stop?.();
    return stop !== undefined;
  }

  async #show(asked: Asked, stop: AbortSignal, conversation: Conversation): Promise<void> {
    const { runtime: outer, query, priceOf, isRaw, isStreamed, showsUsage, screen } = this.options;
    const signal = anySignal(outer.signal, stop);
    const runtime = { ...outer, signal };
    const { isRetry } = asked;
    const keeper = new TurnKeeper(conversation, {
      key: this.models[0]?.key ?? "",
      system: this.system,
      isRetry,
      runtime,
      onUnkept: ({ message, hint }) =>
        runtime.terminal.warn(`${message} The conversation goes on, unkept so far.`, hint),
    });
    const { turns } = conversation;
    // Without this turn, which has a place of its own among them as soon as it is asked.
    const earlier = isRetry ? turns.slice(0, -1) : [...turns];
    await showTurn({
      runtime,
      models: this.models,
      arrivals: untilStopped(this.#run(asked, earlier, runtime, keeper), signal, this.tools && TOOLS_MS),
      show: {
        showsReasoning: true,
        isStreamed,
        showsUsage,
        showsSources: asksForSources(this.grounding),
        searchesWeb: this.grounding.searchesWeb,
        marksSources: !isRaw,
        isStructured: query.schema !== undefined,
        renderer: await answerRenderer(runtime, isRaw || query.schema !== undefined),
        reasoningRenderer: new WrappedText(screen.columns),
      },
      priceOf,
      keep: (answering, failure) => this.#keep(keeper, { key: answering?.key, failure }),
      stop,
    });
  }

  async *#run(
    { message, attachments, isPlain = false }: Asked,
    earlier: Query["earlier"],
    runtime: Runtime,
    keeper: TurnKeeper,
  ): TurnArrivals {
    const { query, ledger, mostUsd } = this.options;
    const question = {
      ...query,
      ...this.grounding,
      system: this.system,
      parameters: this.parameters,
      // Who sets a level wants to see what it brings.
      showsReasoning: query.showsReasoning === true || isSet(this.parameters.reasoning),
      earlier,
      messages: [message],
      attachments,
      open: this.#pool.open,
      known: this.#known,
      noted: this.#noted,
      usualCache: USUAL_CACHE,
    };
    const ask: AskRound = (asked, { model, spentUsd }) => {
      const options = { keeper, ledger, mostUsd, spentUsd };
      const run = (): Arrivals => this.#askModels(asked, model ? [model] : this.models, runtime, options);
      return withRenewal(run, () => this.#renew());
    };
    if (!this.tools || isPlain) return yield* ask(question, FIRST_ROUND);
    const { runRounds, USUAL_STEPS } = await import("../tools/run-rounds.ts");
    yield* runRounds(ask, question, {
      runtime,
      keeper,
      mostUsd,
      toolbox: this.tools,
      permit: this.tools.permits.permit,
      maxSteps: this.options.tools.maxSteps ?? USUAL_STEPS,
      onTools: (stop) => (this.#stopTools = stop),
    });
  }

  /** What AWS lists, read from the disk again when it no longer counts as fresh, and not for every question. */
  readonly #known: NonNullable<Query["known"]> = async (session, ask) => {
    const key = `${session.region.value} ${ask.model.key}`;
    const kept = this.#lists.get(key);
    if (kept && isFresh(kept, this.setup)) return kept;
    const list = await knownModels(session, ask);
    if (list) this.#lists.set(key, list);
    return list;
  };

  async *#askModels(
    query: Query,
    models: readonly ResolvedModel[],
    runtime: Runtime,
    options: TurnOptions,
  ): Arrivals {
    await this.#authenticate();
    yield* runTurn({ ...this.setup, runtime }, models, query, options);
  }

  async #renew(): Promise<boolean> {
    this.options.runtime.terminal.note("openclaw: the credentials no longer hold; looking for new ones");
    this.setup = await this.options.survey();
    this.#lists.clear();
    await this.#pool.renew(this.setup);
    return true;
  }

  /** A program or a person that has to be asked for credentials needs the terminal as it was. */
  async #authenticate(): Promise<void> {
    const [model] = this.models;
    if (model && this.#asksPerson) await this.#keyboard.lend(() => this.#pool.authenticate(targetOf(model)));
  }

  get #asksPerson(): boolean {
    const profiles = [...this.setup.shared.profiles.values()];
    return profiles.some(({ keys }) => keys["mfa_serial"] ?? keys["credential_process"]);
  }

  async #keep(keeper: TurnKeeper, end: TurnEnd): Promise<void> {
    await keeper.end(end);
    const turn = keeper.recorder.turn();
    const key = end.key ?? "";
    if (turn && keeper.usage)
      this.spending.push({ key, model: turn.model, usage: keeper.usage, rounds: roundsOf(turn) });
    if (turn && keeper.hasBegun) this.#last = undefined;
  }
}

function spendingOf({ turns }: Conversation): Spending[] {
  return turns.flatMap((turn) => {
    const { key, model, usage } = turn;
    return usage ? [{ key, model, usage, rounds: roundsOf(turn) }] : [];
  });
}

/** How often the model was called in a turn. */
function roundsOf({ messages }: Turn): number {
  return messages.filter(({ role }) => role === "assistant").length;
}

function isSet(level: ChatParameters["reasoning"]): boolean {
  return level !== undefined && level !== "off";
}
