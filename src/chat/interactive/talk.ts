import type { Message } from "@aws-sdk/client-bedrock-runtime";
import { SessionPool } from "../../session/session-pool.ts";
import type { Setup } from "../../session/session.ts";
import { type Arrivals, type Query, runTurn, withRenewal } from "../run-turn.ts";
import { showTurn } from "../show-turn.ts";
import type { Attachment } from "../../converse/attachments.ts";
import type { CacheTime } from "../../models/families.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Price, TokenUsage } from "../../models/usage.ts";
import { questionOf } from "../../converse/conversation.ts";
import { type ChatParameters, userMessage } from "../../converse/request.ts";
import { type ResolvedModel, targetOf } from "../../models/resolve-model.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { type TurnEnd, TurnKeeper } from "../sessions/turn-keeper.ts";
import type { Conversation } from "../sessions/kept-conversation.ts";
import { answerRenderer } from "../../terminal/answer-renderer.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { WrappedText } from "../../terminal/word-wrap.ts";
import type { Keyboard } from "./keyboard.ts";
import { untilStopped } from "./until-stopped.ts";

/** What a person sits down to: everything that the command line has decided. */
export interface InteractiveOptions {
  runtime: Runtime;
  screen: Screen;
  setup: Setup;
  /** Looks for credentials anew, where they may have changed. */
  survey: () => Promise<Setup>;
  conversation: Conversation;
  /** Begins another conversation. */
  begin: () => Promise<Conversation>;
  /** Asked in order. */
  models: ResolvedModel[];
  /** What a name, or several with commas between them, stand for, looked up at once. Throws `usage` and `model-not-found`. */
  choose: (names: string, setup: Setup) => Promise<ResolvedModel[]>;
  priceOf: (model: ResolvedModel | undefined, modelId: string) => Price | undefined;
  /** What goes with every question. */
  query: Omit<Query, "messages" | "attachments" | "earlier" | "recorder" | "open" | "noted" | "usualCache">;
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
}

/** A question as it was put. */
interface Asked {
  message: Message;
  attachments: readonly Attachment[];
  /** Whether its answer takes the place of the last one. */
  isRetry: boolean;
}

/** How long a prompt is cached where nobody says: each question sends again what was said before. */
export const USUAL_CACHE: CacheTime = "5m";

/** What a model was paid for. */
export interface Spending {
  key: string;
  model: string;
  usage: TokenUsage;
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
  /** Files for the next question. */
  files: Attachment[];
  /** What the next question begins as. */
  draft = "";
  /** Set when the person wants to leave. */
  isOver = false;
  /** What every answer cost, those that were asked again or stopped, too. */
  readonly spending: Spending[];
  #last: Asked | undefined;
  /** Notices of requests that were shown: what holds for every question is told once. */
  readonly #noted = new Set<string>();

  constructor(options: InteractiveOptions, keyboard: Keyboard) {
    this.options = options;
    this.#keyboard = keyboard;
    this.setup = options.setup;
    this.#pool = new SessionPool(options.setup);
    this.conversation = options.conversation;
    this.models = options.models;
    this.parameters = options.query.parameters;
    this.system = options.query.system;
    this.files = [...(options.attachments ?? [])];
    this.spending = options.conversation.turns.flatMap(({ key, model, usage }) =>
      usage ? [{ key, model, usage }] : [],
    );
  }

  /** Puts a question. Throws what goes wrong with it; /retry then asks it again. */
  async ask(text: string): Promise<void> {
    const attachments = this.files;
    this.files = [];
    return this.#answer({ message: userMessage(text), attachments, isRetry: false });
  }

  /** Puts the last question again; a new answer takes the place of the old one. Throws `usage` when there is none. */
  async retry(): Promise<void> {
    if (this.#last) return this.#answer(this.#last);
    const last = this.conversation.turns.at(-1);
    if (!last) throw usageError("There is no question to ask again.", "Type one.");
    return this.#answer({ message: questionOf(last), attachments: [], isRetry: true });
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

  /** Asks other models from here on; those of before stay when one of the new ones is not there. Throws what is wrong. */
  async chooseModels(names: string): Promise<void> {
    const stop = new AbortController();
    const onInterrupt = (): void =>
      stop.abort(
        new OpenclawError("interrupted", {
          message: "Stopped at the terminal.",
          hint: "The model is the same.",
        }),
      );
    const signal = AbortSignal.any([this.options.runtime.signal, stop.signal]);
    const setup = { ...this.setup, runtime: { ...this.setup.runtime, signal } };
    const choose = (): Promise<ResolvedModel[]> => this.options.choose(names, setup);
    this.models = await this.#keyboard.whileBusy(onInterrupt, () =>
      this.#asksPerson ? this.#keyboard.lend(choose) : choose(),
    );
  }

  /** Begins a new conversation; the old one stays where it is kept. */
  async clear(): Promise<void> {
    await this.conversation.close();
    this.conversation = await this.options.begin();
    this.#last = undefined;
    this.spending.length = 0;
  }

  /** Closes every connection and the conversation. */
  async close(): Promise<void> {
    await this.#pool.close();
    await this.conversation.close();
  }

  async #answer(asked: Asked): Promise<void> {
    // Until the answer is kept, this is what /retry asks again.
    if (!asked.isRetry) this.#last = asked;
    const stop = new AbortController();
    const onInterrupt = (): void =>
      stop.abort(new OpenclawError("interrupted", { message: "Stopped at the terminal." }));
    await this.#keyboard.whileBusy(onInterrupt, () => this.#show(asked, stop.signal));
  }

  async #show(asked: Asked, stop: AbortSignal): Promise<void> {
    const { runtime: outer, query, priceOf, isRaw, isStreamed, showsUsage, screen } = this.options;
    const signal = AbortSignal.any([outer.signal, stop]);
    const runtime = { ...outer, signal };
    const { isRetry } = asked;
    const keeper = new TurnKeeper(this.conversation, {
      key: this.models[0]?.key ?? "",
      system: this.system,
      isRetry,
      runtime,
      onUnkept: ({ message, hint }) =>
        runtime.terminal.warn(`${message} The conversation goes on, unkept so far.`, hint),
    });
    const { turns } = this.conversation;
    // Without this turn, which has a place of its own among them as soon as it is asked.
    const earlier = isRetry ? turns.slice(0, -1) : [...turns];
    const run = (): Arrivals => this.#run(asked, earlier, runtime, keeper);
    await showTurn({
      runtime,
      models: this.models,
      arrivals: untilStopped(
        withRenewal(run, () => this.#renew()),
        signal,
      ),
      show: {
        showsReasoning: true,
        isStreamed,
        showsUsage,
        renderer: await answerRenderer(runtime, isRaw || query.schema !== undefined),
        reasoningRenderer: new WrappedText(screen.columns),
      },
      priceOf,
      keep: (answering, failure) => this.#keep(keeper, { key: answering?.key, failure }),
      stop,
    });
  }

  async *#run(
    { message, attachments }: Asked,
    earlier: Query["earlier"],
    runtime: Runtime,
    keeper: TurnKeeper,
  ): Arrivals {
    const { query } = this.options;
    await this.#authenticate();
    const question = {
      ...query,
      system: this.system,
      parameters: this.parameters,
      // Who sets a level wants to see what it brings.
      showsReasoning: query.showsReasoning === true || isSet(this.parameters.reasoning),
      earlier,
      messages: [message],
      attachments,
      open: this.#pool.open,
      noted: this.#noted,
      usualCache: USUAL_CACHE,
    };
    const { ledger, mostUsd } = this.options;
    yield* runTurn({ ...this.setup, runtime }, this.models, question, { keeper, ledger, mostUsd });
  }

  async #renew(): Promise<boolean> {
    this.options.runtime.terminal.note("openclaw: the credentials no longer hold; looking for new ones");
    this.setup = await this.options.survey();
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
    if (turn && keeper.usage) this.spending.push({ key, model: turn.model, usage: keeper.usage });
    if (keeper.hasBegun) this.#last = undefined;
  }
}

function isSet(level: ChatParameters["reasoning"]): boolean {
  return level !== undefined && level !== "off";
}
