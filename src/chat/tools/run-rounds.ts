import { isDeepStrictEqual } from "node:util";
import type { Message, ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import { answerOf } from "../../converse/conversation.ts";
import { TurnClock } from "../../converse/deadlines.ts";
import { TurnRecorder } from "../../converse/message-assembler.ts";
import { OpenclawError } from "../../errors.ts";
import { priceOf } from "../../models/price.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import { estimateCost } from "../../models/usage.ts";
import type { Runtime } from "../../runtime.ts";
import { SessionPool } from "../../session/session-pool.ts";
import type { Setup } from "../../session/session.ts";
import { anySignal, untilAborted } from "../../until-aborted.ts";
import type { TurnKeeper } from "../sessions/turn-keeper.ts";
import {
  type Arrival,
  type Arrivals,
  type Query,
  runTurn,
  type TurnOptions,
  USUAL_CACHE,
} from "../run-turn.ts";
import { CallRun, type Permit } from "./run-calls.ts";
import { count } from "../../terminal/numbers.ts";
import { callsIn, type Toolbox, type ToolCall, toToolConfig, type TurnEvent } from "./tool.ts";

/** How many rounds of a turn may call tools where nobody says. */
export const USUAL_STEPS = 20;

export interface Round {
  /** The model that has answered the rounds before, which answers this one; undefined in the first. */
  model: ResolvedModel | undefined;
  /** What the rounds before have cost, in USD. */
  spentUsd: number;
}

/** Asks a model once. It is given the recorder of the turn, and puts what comes into it. */
export type AskRound = (query: Query, round: Round) => Arrivals;

export interface RoundsOptions {
  runtime: Pick<Runtime, "signal" | "elapsed" | "env" | "terminal">;
  toolbox: Pick<Toolbox, "tools">;
  permit: Permit;
  maxSteps: number;
  /** Whether the calls are left to whoever asked: the turn ends with them. */
  leavesCalls?: boolean | undefined;
  keeper?: TurnKeeper | undefined;
  /** The most that the turn may cost, in USD. */
  mostUsd?: number | undefined;
  /** Told how to stop the tools that run, and with undefined that none does any more. The model is told who stopped them. */
  onTools?: ((stop: (() => void) | undefined) => void) | undefined;
}

export type TurnArrivals = AsyncGenerator<Arrival<TurnEvent>, void, undefined>;

/** How an answer ends that calls nothing, whatever is in it: it was cut off, or withheld. */
const ENDS_TURN: ReadonlySet<string> = new Set([
  "max_tokens",
  "model_context_window_exceeded",
  "guardrail_intervened",
  "content_filtered",
  "refusal",
  "malformed_model_output",
  "malformed_tool_use",
]);

/**
 * Runs a turn in which the model has tools: asks, runs what it calls, and asks again with what that came to, until it
 * answers without a call. Later rounds ask the model that answered the first. Whatever ends it, no tool goes on running. A
 * turn that goes on has its messages so far before the results in `query.messages`. Throws what asking throws, `timeout` for
 * the time of the whole turn, `max-steps`, and `budget-exceeded` where nobody knows any more what the turn costs.
 */
export async function* runRounds(ask: AskRound, query: Query, options: RoundsOptions): TurnArrivals {
  const { runtime, keeper, toolbox, maxSteps, leavesCalls = false } = options;
  const recorder = keeper?.recorder ?? new TurnRecorder(undefined, query.messages.slice(0, -1));
  const clock = new TurnClock(query.bounds.totalMs, runtime.elapsed);
  const { noted = new Set<string>(), usualCache = USUAL_CACHE } = query;
  const first: Query = { ...query, recorder, noted, usualCache };
  let round: Round = { model: undefined, spentUsd: 0 };
  let given: ToolConfiguration | undefined;
  try {
    for (let steps = 0; ; steps += 1) {
      const tools = await untilAborted(toolbox.tools(), anySignal(runtime.signal, clock.signal));
      const config = toToolConfig(tools);
      // It was signed under other tools, and would be refused under these.
      if (steps > 0 && !isDeepStrictEqual(config, given)) recorder.dropReasoning();
      given = config;
      const later = steps === 0 ? {} : { messages: messagesSoFar(recorder), attachments: undefined };
      const bounds = { ...query.bounds, spentMs: clock.spentMs };
      const { model, stopReason, usd } = yield* passOn(
        ask({ ...first, ...later, tools: config, bounds }, round),
      );
      const calls = ENDS_TURN.has(stopReason) ? [] : callsOf(recorder);
      if (calls.length === 0 || !model) return;
      if (leavesCalls) {
        for (const call of calls)
          yield { model, event: { type: "tool-call", ...call, source: sourceOf(tools, call) } };
        return;
      }
      if (steps >= maxSteps) throw tooManySteps(maxSteps, model);
      if (usd === undefined && options.mostUsd !== undefined) throw uncounted(model);
      round = { model, spentUsd: round.spentUsd + (usd ?? 0) };
      await keeper?.jot();
      const run = new CallRun(calls, tools, { ...options, clock });
      try {
        for await (const event of run.events()) yield { model, event };
      } finally {
        const results: Message = { role: "user", content: run.results() };
        await (keeper ?? recorder).goOn(results);
      }
    }
  } finally {
    clock.stop();
  }
}

/** The same for several models, of which the first that can answers, and each is called over connections that stay open. */
export async function* runTurnWithTools(
  setup: Setup,
  models: readonly ResolvedModel[],
  query: Query,
  options: Omit<RoundsOptions, "runtime"> & Omit<TurnOptions, "spentUsd" | "boundTold">,
): TurnArrivals {
  const pool = new SessionPool(setup);
  const { open = pool.open } = query;
  const boundTold = new Set<string>();
  const ask: AskRound = (asked, { model, spentUsd }) =>
    runTurn(setup, model ? [model] : models, asked, { ...options, spentUsd, boundTold });
  try {
    yield* runRounds(ask, { ...query, open }, { ...options, runtime: setup.runtime });
  } finally {
    await pool.close();
  }
}

interface RoundEnd {
  model: ResolvedModel | undefined;
  stopReason: string;
  /** What it cost, in USD; undefined where nobody knows. */
  usd: number | undefined;
}

/** Passes on a round's answer, and returns what it came to. */
async function* passOn(arrivals: Arrivals): AsyncGenerator<Arrival, RoundEnd, undefined> {
  let model: ResolvedModel | undefined;
  let stopReason = "";
  let called = "";
  let usd: number | undefined;
  for await (const arrival of arrivals) {
    const { event } = arrival;
    ({ model } = arrival);
    if (event.type === "start") called = event.model;
    if (event.type === "stop") ({ stopReason } = event);
    if (event.type === "usage") usd = estimateCost(event, priceOf(model, event.invokedModel ?? called))?.usd;
    yield arrival;
  }
  return { model, stopReason, usd };
}

/** What the model is asked with after a round: all of the turn but the answer that is to come. */
function messagesSoFar(recorder: TurnRecorder): readonly Message[] {
  return recorder.turn()?.messages.slice(0, -1) ?? [];
}

function callsOf(recorder: TurnRecorder): ToolCall[] {
  const turn = recorder.turn();
  return turn ? callsIn(answerOf(turn).content ?? []) : [];
}

function sourceOf(tools: Awaited<ReturnType<Toolbox["tools"]>>, { name }: ToolCall) {
  return tools.find((tool) => tool.name === name)?.source;
}

function tooManySteps(maxSteps: number, { id }: ResolvedModel): OpenclawError {
  return new OpenclawError("max-steps", {
    message: `'${id}' goes on calling tools after ${count(maxSteps, "round")} of calls.`,
    hint: `Allow more with --max-steps, or ask for less at once.`,
    details: { maxSteps },
  });
}

function uncounted({ id }: ResolvedModel): OpenclawError {
  return new OpenclawError("budget-exceeded", {
    message: `--max-cost cannot be kept: '${id}' has called a tool, and nobody has said what its answer cost.`,
    hint: "Leave --max-cost out, or run the command again.",
    details: { model: id },
  });
}
