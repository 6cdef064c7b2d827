import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { TurnClock } from "../../converse/deadlines.ts";
import { ANSWER_MS, askSchemaWorker } from "../../converse/schema-workers.ts";
import { OpenclawError, shorten } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { toJson } from "../../json-numbers.ts";
import type { Runtime } from "../../runtime.ts";
import { settlesWithin } from "../../settles-within.ts";
import { anySignal, untilAborted } from "../../until-aborted.ts";
import { withoutOwnSecrets } from "./tool-result.ts";
import {
  type AnsweredCall,
  textResult,
  type Tool,
  type ToolCall,
  type ToolResult,
  type TurnEvent,
} from "./tool.ts";

/** Whether a call may run: undefined, or else the result that refuses it. Rejects with the signal's reason. */
export type Permit = (tool: Tool, call: ToolCall, signal: AbortSignal) => Promise<ToolResult | undefined>;

/** What is stopped has this long to end by itself before nobody waits for it any more, in ms. */
const GRACE_MS = 500;
/** Of the names of tools that a model is told, in characters. */
const MOST_NAMES = 2000;

export interface CallRunOptions {
  runtime: Pick<Runtime, "signal" | "elapsed" | "env" | "terminal">;
  permit: Permit;
  /** The time of the turn, which stands while a person is asked. */
  clock: Pick<TurnClock, "signal" | "whileStanding">;
  onTools?: ((stop: (() => void) | undefined) => void) | undefined;
}

/** The calls of one answer while they are run: leave is asked for one after the other, and what has it runs at once. */
export class CallRun {
  readonly #calls: readonly ToolCall[];
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #options: CallRunOptions;
  /** Aborted when the tools are to end, by whatever that is. */
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  /** Aborted when a person stops the tools and not the turn. */
  readonly #stopped = new AbortController();
  /** By the place of their call. */
  readonly #answers: (AnsweredCall | undefined)[];
  readonly #running: Promise<void>[] = [];
  /** Answers that nobody was told of yet. */
  readonly #untold: AnsweredCall[] = [];
  #wake: () => void = () => undefined;
  #bug: { error: unknown } | undefined;

  constructor(calls: readonly ToolCall[], tools: readonly Tool[], options: CallRunOptions) {
    this.#calls = calls;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#options = options;
    this.#answers = calls.map(() => undefined);
    this.#signal = anySignal(this.#over.signal, options.runtime.signal, options.clock.signal);
  }

  /**
   * Runs them, each call told when it is its turn and each result when it has come. However it ends, what was started ends
   * with it. Throws the signal's reason, `timeout`, and bugs.
   */
  async *events(): AsyncGenerator<TurnEvent, void, undefined> {
    const { onTools } = this.#options;
    onTools?.(() => this.#stopped.abort());
    try {
      for (const [place, call] of this.#calls.entries()) {
        this.#signal.throwIfAborted();
        const tool = this.#tools.get(call.name);
        yield { type: "tool-call", ...call, source: tool?.source };
        await this.#begin(place, call, tool);
      }
      yield* this.#results();
    } finally {
      this.#over.abort(new OpenclawError("interrupted", { message: "The turn has ended." }));
      await this.#settle();
      onTools?.(undefined);
    }
  }

  /** What the model is told, in the order of the calls: of one that has not come to its end, that it was stopped. */
  results(): ContentBlock[] {
    return this.#calls.map(({ toolUseId, name }, place) => {
      const answer = this.#answers[place] ?? { ...STOPPED, toolUseId, name };
      const { status } = answer;
      return { toolResult: { toolUseId, content: [...answer.content], status } };
    });
  }

  async #begin(place: number, call: ToolCall, tool: Tool | undefined): Promise<void> {
    if (this.#stopped.signal.aborted) return this.#answer(place, NOT_BEGUN, { isRefused: true });
    if (!tool) return this.#answer(place, textResult(this.#unknown(call.name), true));
    const problem = await problemOf(tool, call, this.#signal);
    if (problem !== undefined) return this.#answer(place, textResult(problem, true));
    const { permit, clock, runtime } = this.#options;
    const refusal = await clock.whileStanding(() => permit(tool, call, runtime.signal));
    if (refusal) return this.#answer(place, refusal, { isRefused: true });
    this.#running.push(this.#run(place, tool, call));
  }

  async #run(place: number, tool: Tool, call: ToolCall): Promise<void> {
    const { runtime } = this.#options;
    const { elapsed } = runtime;
    const startedAt = elapsed();
    const signal = anySignal(this.#signal, this.#stopped.signal);
    let result: ToolResult;
    try {
      signal.throwIfAborted();
      result = withoutOwnSecrets(await tool.run(call.input, signal), runtime);
    } catch (error) {
      // Why it was ended is known; the call has no result then, but for a person who wants the turn to go on.
      if (this.#signal.aborted) return this.#wake();
      if (this.#stopped.signal.aborted) result = STOPPED_BY_PERSON;
      else if (error instanceof OpenclawError) result = textResult(error.message, true);
      else {
        this.#bug ??= { error };
        return this.#wake();
      }
    }
    this.#answer(place, result, { durationMs: Math.round(elapsed() - startedAt) });
  }

  #answer(
    place: number,
    { content, isError }: ToolResult,
    { durationMs = 0, isRefused = false }: { durationMs?: number; isRefused?: boolean } = {},
  ): void {
    const { toolUseId = "", name = "" } = this.#calls[place] ?? {};
    const answer: AnsweredCall = {
      toolUseId,
      name,
      status: isError ? "error" : "success",
      ...(isRefused ? { refused: true } : {}),
      content,
      durationMs,
    };
    this.#answers[place] = answer;
    this.#untold.push(answer);
    this.#wake();
  }

  /** The results as they come. */
  async *#results(): AsyncGenerator<TurnEvent, void, undefined> {
    for (let told = 0; told < this.#calls.length;) {
      if (this.#bug) throw this.#bug.error;
      this.#signal.throwIfAborted();
      const answer = this.#untold.shift();
      if (answer) {
        told += 1;
        yield { type: "tool-result", ...answer };
        continue;
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await untilAborted(woken, this.#signal);
    }
  }

  /** Waits until what was started has ended, but not for what does not. */
  async #settle(): Promise<void> {
    await settlesWithin(GRACE_MS, Promise.all(this.#running));
  }

  #unknown(name: string): string {
    const names = [...this.#tools.keys()];
    const known = names.length === 0 ? "There is none." : `There is: ${names.join(", ")}.`;
    return `There is no tool '${shorten(name)}'. ${shorten(known, MOST_NAMES)}`;
  }
}

const STOPPED: Omit<AnsweredCall, "toolUseId" | "name"> = {
  status: "error",
  content: textResult("The call was stopped before it came to its end.").content,
  durationMs: 0,
};
const NOT_BEGUN = textResult("The call was not run: the person stopped the tools before it began.", true);
const STOPPED_BY_PERSON = textResult("The call was stopped by the person before it came to its end.", true);

/** What is wrong with the input of a call, for the model; undefined where nothing is, or where only the tool can tell. */
export async function problemOf(
  { name, inputSchema }: Tool,
  { input }: ToolCall,
  signal: AbortSignal,
): Promise<string | undefined> {
  const unfit = `The call was not run: the input of '${name}' `;
  if (!isRecord(input)) return `${unfit}must be a JSON object.`;
  const question = { schema: toJson(inputSchema), value: toJson(input) };
  const judged = await askSchemaWorker(question, signal).catch((error: unknown) => {
    // A machine that is busy fails this call, and not the turn.
    if (error instanceof OpenclawError && error.code === "service-unavailable") return error;
    throw error;
  });
  if (judged instanceof OpenclawError)
    return `${unfit}could not be checked by its schema: ${judged.message} Call again later.`;
  if ("unanswered" in judged)
    return `${unfit}could not be checked by its schema within ${ANSWER_MS / 1000} s.`;
  // Servers have schemas that are none: then the tool itself has to say what it does not take.
  if ("fault" in judged || judged.problems.length === 0) return undefined;
  return `${unfit}does not fit its schema: ${judged.problems.join("; ")}.`;
}
