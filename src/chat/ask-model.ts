import { isDeepStrictEqual } from "node:util";
import { isSameLesson, type Lessons, refusalOf } from "../converse/apply-lessons.ts";
import type { ChatEvents } from "../converse/chat-event.ts";
import { boundsFor, Deadlines, type WantedBounds } from "../converse/deadlines.ts";
import type { LengthBound } from "../converse/length-bound.ts";
import type { Ask } from "../converse/plan-request.ts";
import { readEvents } from "../converse/read-events.ts";
import { toStreamError } from "../converse/stream-failure.ts";
import type { TurnRecorder } from "../converse/message-assembler.ts";
import type { RequestPlan, Wire } from "../converse/wire.ts";
import { keepLessons, recallLessons } from "../discovery/lesson-cache.ts";
import { asSentence, type ErrorCode, OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { keyAtMantle, nameOfWay, type Way } from "../models/provider-api.ts";
import { saysRetired } from "../session/error-table.ts";
import { type Lesson, saysOtherWire } from "../session/refusal-table.ts";
import type { AttemptGate } from "../session/rest-client.ts";
import type { Setup } from "../session/session.ts";
import type { WireOptions } from "./bedrock-wire.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { askForContent } from "./ask-for-content.ts";
import { findLengthBound } from "./find-length-bound.ts";
import { openWires } from "./open-wire.ts";
import type { PaceTerms } from "./pace.ts";
import { tracedWork } from "../trace-headers.ts";

export interface Question extends Ask, WireOptions {
  bounds: WantedBounds;
  /** Notices that were shown before, to which this question's are added: each is shown once. */
  noted?: Set<string> | undefined;
  /** Whether an answer without anything in it stands, and is not asked for again. */
  asksOnce?: boolean | undefined;
  /** Whether the answer's events have the signatures of its reasoning, for whoever sends them back. */
  passesSignatures?: boolean | undefined;
  /** Whether they have what only Converse tells, for whoever speaks it. */
  passesDetails?: boolean | undefined;
  /** How calls are kept below the account's quotas; undefined where they are not. */
  pacing?: PaceTerms | undefined;
  /** Keeps what is sent and what comes back; none where nothing follows the answer. */
  recorder?: TurnRecorder | undefined;
}

/** Refusals of a request for what is in it, or of the way to the model. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "invalid-request",
  "bad-attachment",
  "input-too-long",
  "needs-inference-profile",
  "model-not-found",
  "model-access",
  "access-denied",
  // With status 424 AWS hands on what the model's own API has refused.
  "model-error",
]);

/** The most that is learnt in one turn: the forms of a schema, a profile, and two things more. */
const MOST_LESSONS = 6;

/**
 * Puts a question to a model and yields the answer's events. Where AWS does not call the model by an API, the next one is
 * tried, each once; that is learnt, too. Throws the errors of its wires; `model-not-found` names the nearest ids,
 * `stream-broken` an answer that is not whole.
 */
export async function* askModel(setup: Setup, question: Question): ChatEvents {
  const noted = question.noted ?? new Set<string>();
  const wires = openWires(setup, question, question);
  const refused: Refused[] = [];
  // The profile that one wire needs is that of the next.
  const carried: Lesson[] = [];
  try {
    for (let opened = await wires.next(); opened;) {
      const { wire, way } = opened;
      let hasStarted = false;
      try {
        for await (const event of askByWire(setup, { ...question, noted, carried }, wire)) {
          if (!hasStarted) for (const { wire: other } of refused) await keep(setup, other, [OTHER_WIRE]);
          hasStarted = true;
          yield event;
        }
        return;
      } catch (error) {
        const isRefused =
          !hasStarted && error instanceof OpenclawError && isOfWire(error, wire, refused.length);
        if (isRefused) refused.push({ wire, way, error });
        opened = isRefused ? await wires.next() : undefined;
        if (!opened) throw await explainRefused(error, wire, refused, question.model);
        setup.runtime.terminal.verbose(() => `${String(error)} Trying another API: ${opened?.way.api ?? ""}`);
      }
    }
  } finally {
    wires.close();
  }
}

/** What is learnt of a wire that does not call the model. */
const OTHER_WIRE: Lesson = { name: "other-wire" };

interface Refused {
  wire: Wire;
  way: Way;
  error: OpenclawError;
}

/**
 * Whether an error says that the model is not called by the wire's API: in so many words, or of a model that there is, that
 * there is none. Once one has said so, the others need not explain themselves.
 */
function isOfWire({ code, details }: OpenclawError, wire: Wire, others: number): boolean {
  if (saysOtherWire(refusalOf(details))) return true;
  if (code === "model-not-found") return !saysRetired(refusalOf(details)) && (others > 0 || wire.isListed());
  return others > 0 && code === "bad-response";
}

/** The error that a model's refusals come to, with what was tried. */
async function explainRefused(
  error: unknown,
  wire: Wire,
  refused: readonly Refused[],
  { providerId, id }: Question["model"],
): Promise<unknown> {
  // What the last one says otherwise counts more than that the others do not have the model.
  const told = (refused.at(-1)?.error === error ? refused[0] : undefined) ?? { wire, error };
  if (!(told.error instanceof OpenclawError)) return told.error;
  const isUnknown = told.error.code === "model-not-found";
  const known = isUnknown ? await told.wire.explainUnknown(told.error) : told.error;
  const key = isUnknown || refused.length > 0 ? keyAtMantle({ providerId, id }) : undefined;
  const elsewhere =
    key && `It is at the endpoint bedrock-mantle only: openclaw chat -m ${quoteForShell(key)}`;
  const tried = refused.map(({ way }) => nameOfWay(way));
  if (tried.length < 2 && elsewhere === undefined) return known;
  return new OpenclawError(known.code, {
    message: tried.length < 2 ? known.message : `${asSentence(known.message)} Tried: ${tried.join(", ")}.`,
    hint: elsewhere ?? known.hint,
    requestId: known.requestId,
    details: { ...known.details, tried },
    cause: known,
  });
}

/**
 * Puts a question by one wire. What the model refuses by name is left out or said in another way, and asked again, before
 * anything was said; each thing once, with a notice. What proves right is kept for the next calls. `carried` has the
 * profile that was learnt by the wires before, and then by this one.
 */
async function* askByWire(
  setup: Setup,
  question: Question & { noted: Set<string>; carried: Lesson[] },
  wire: Wire,
): ChatEvents {
  const { runtime } = setup;
  const { noted, carried } = question;
  const tried: RequestPlan[] = [];
  let learnt: Lessons = [...carried];
  // What is learnt of a model holds whatever ends the call, and is kept when that is known.
  let unkept: Lessons = learnt;
  try {
    const known = (await recallLessons(setup, wire.place)).filter(({ name }) => name !== OTHER_WIRE.name);
    let plan = await wire.plan([...known, ...learnt]);
    for (;;) {
      tried.push(plan);
      const notices = [...plan.notices, ...(await noticesOfWindow(question, plan))];
      for (const notice of notices.filter((text) => !noted.has(text))) {
        noted.add(notice);
        runtime.terminal.note(`openclaw: ${notice}`);
      }
      let hasStarted = false;
      try {
        const lengthBound = findLengthBound(question, setup.config.value, plan);
        for await (const event of answerTo(wire, plan, { ...question, runtime, lengthBound })) {
          if (!hasStarted) await keep(setup, wire, unkept);
          hasStarted = true;
          unkept = [];
          yield event;
        }
        return;
      } catch (error) {
        // A way to the model that is refused itself is not kept, whatever asking for another one ends in.
        if (error instanceof OpenclawError && error.code === "needs-inference-profile")
          unkept = unkept.filter(({ name }) => name !== "profile");
        const taught = hasStarted ? [] : await teachingsOf(error, wire, plan.form);
        const next = await planAnew(taught, { wire, tried, known, learnt });
        // What the last refusal says again has helped nothing.
        unkept =
          next?.learnt ?? unkept.filter((lesson) => !taught.some((other) => isSameLesson(lesson, other)));
        if (!next) throw error;
        runtime.terminal.verbose(() => `${String(error)} Learnt: ${next.learnt.at(-1)?.name ?? ""}`);
        ({ learnt, plan } = next);
      }
    }
  } finally {
    carried.splice(0, carried.length, ...learnt.filter(({ name }) => name === "profile"));
    await keep(setup, wire, unkept);
  }
}

/** Some servers cut what they have no room for, and say nothing: what the settings say of a model is held against it here. */
async function noticesOfWindow({ model }: Question, { input }: RequestPlan): Promise<string[]> {
  const window = model.configured?.contextWindow;
  if (window === undefined) return [];
  const { guessTokens } = await import("./count-question.ts");
  const tokens = guessTokens(input);
  return tokens > window
    ? [`'${model.id}' has a contextWindow of ${window} tokens by its settings, and about ${tokens} are sent`]
    : [];
}

/** What a refusal teaches of the model, and of the form in which it was asked; nothing where it is about something else. */
async function teachingsOf(
  error: unknown,
  wire: Wire,
  form: RequestPlan["form"],
): Promise<readonly Lesson[]> {
  if (!(error instanceof OpenclawError) || !REFUSALS.has(error.code)) return [];
  // What is wrong with the way to the model is not in the request.
  if (saysOtherWire(refusalOf(error.details))) return [];
  const ofForm = form && (await import("../converse/structured-output.ts")).lessonsOfForm(error, form);
  return [...(await wire.learn(error)), ...(ofForm ?? [])];
}

/** Finds the first thing taught that leads to a request not yet tried; undefined where there is none. */
async function planAnew(
  taught: readonly Lesson[],
  {
    wire,
    tried,
    known,
    learnt,
  }: { wire: Wire; tried: readonly RequestPlan[]; known: Lessons; learnt: Lessons },
): Promise<{ learnt: Lessons; plan: RequestPlan } | undefined> {
  if (learnt.length >= MOST_LESSONS) return undefined;
  for (const lesson of taught) {
    if (learnt.some((other) => isSameLesson(lesson, other))) continue;
    const more = [...learnt, lesson];
    const next = await wire.plan([...known, ...more]);
    const isTried = tried.some(
      ({ input, body, isWhole }) =>
        input.modelId === next.input.modelId &&
        isWhole === next.isWhole &&
        isDeepStrictEqual(body, next.body),
    );
    if (!isTried) return { learnt: more, plan: next };
  }
  return undefined;
}

/** Keeps what holds for the model and not only for this call. */
async function keep(setup: Setup, wire: Wire, learnt: Lessons): Promise<void> {
  const lasting = learnt.filter(({ isPassing }) => !isPassing);
  if (lasting.length > 0) await keepLessons(setup, wire.place, lasting);
}

/** The answer to one request: as it comes, or held to the schema of the question. */
function answerTo(
  wire: Wire,
  plan: RequestPlan,
  question: Pick<
    Question,
    "model" | "bounds" | "recorder" | "schema" | "asksOnce" | "passesSignatures" | "passesDetails" | "pacing"
  > & {
    runtime: Runtime;
    lengthBound: LengthBound;
  },
): ChatEvents {
  const events = askForContent(
    () => {
      const { pacing } = question;
      tracedWork()?.onAsk(wire.region, question.model.providerId);
      return pacing ? askPaced(wire, plan, question, pacing) : streamAnswer(wire, plan, question);
    },
    (model) => question.runtime.terminal.note(`openclaw: '${model}' answered with nothing; asking once more`),
    question,
  );
  return question.schema && plan.form ? structured(events, plan.form, question.schema) : events;
}

async function* structured(
  events: ChatEvents,
  form: NonNullable<RequestPlan["form"]>,
  schema: NonNullable<Question["schema"]>,
): ChatEvents {
  const { readStructured } = await import("../converse/structured-output.ts");
  yield* readStructured(events, form, schema);
}

/** Asks when the quota has room. The time that waiting takes is part of the turn's. */
async function* askPaced(
  wire: Wire,
  plan: RequestPlan,
  question: Parameters<typeof streamAnswer>[2] & Pick<Question, "model">,
  pacing: PaceTerms,
): ChatEvents {
  const { callToPace } = await import("./pace.ts");
  const { bounds, runtime } = question;
  // Waiting has a bound of its own.
  bounds.onCall?.();
  let waitedMs = 0;
  const terms: PaceTerms = {
    ...pacing,
    onQueued: (ms) => {
      waitedMs = ms;
      pacing.onQueued?.(ms);
    },
  };
  yield* pacing.pace.ask(callToPace(wire, plan, question.model), terms, {
    signal: runtime.signal,
    ask: (gate) => {
      const spentMs = (bounds.spentMs ?? 0) + waitedMs;
      return streamAnswer(wire, plan, { ...question, bounds: { ...bounds, spentMs } }, gate);
    },
  });
}

/**
 * Sends one request and yields its answer: within its deadlines, recorded, and whole only with a `messageStop`. Throws
 * the errors of the wire, `timeout`, `stream-broken` and `interrupted`.
 */
export async function* streamAnswer(
  wire: Pick<Wire, "region" | "open" | "explain" | "tellBreak" | "isSaid">,
  plan: RequestPlan,
  {
    bounds,
    recorder,
    runtime,
    passesSignatures,
    passesDetails,
  }: Pick<Question, "bounds" | "recorder" | "passesSignatures" | "passesDetails"> & {
    runtime: Runtime;
  },
  gate?: AttemptGate,
): ChatEvents {
  const model = plan.input.modelId ?? "";
  const deadlines = new Deadlines(boundsFor(bounds, plan.isReasoning), runtime.signal, runtime.elapsed);
  const { signal } = deadlines;
  try {
    await recorder?.begin(plan);
    const { batches, requestId, attempts } = await wire.open(plan, deadlines, gate);
    yield { type: "start", model, region: wire.region, requestId, attempts };
    yield* readEvents(batches, {
      requestId,
      deadlines,
      hasTools: (plan.input.toolConfig?.tools ?? []).some(({ toolSpec }) => toolSpec),
      toolNames: plan.toolNames,
      asked: {
        serviceTier: plan.input.serviceTier?.type,
        latency: plan.input.performanceConfig?.latency,
      },
      coalesces: runtime.terminal.format !== "ndjson",
      passesSignatures,
      passesDetails,
      recorder,
      toFailure: (failure) => toStreamError(failure, wire, { signal, model, requestId, hasBegun: true }),
      isSaid: (failure) => wire.isSaid(failure),
    });
  } finally {
    deadlines.stop();
  }
}
