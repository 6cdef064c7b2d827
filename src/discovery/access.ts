import { type ErrorCode, OpenclawError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { toWarning, type Warning } from "../models/discovered.ts";
import type { ListedModel } from "../models/list.ts";
import { listedBase } from "../models/listed-id.ts";
import { isMantle, providerOfKey } from "../models/provider-api.ts";
import { targetOf } from "../models/resolve-model.ts";
import { openSession, type AwsSession } from "../session/session.ts";
import type { Runtime } from "../runtime.ts";
import { isFresh } from "./cache.ts";
import { readEntry } from "./cache-entry.ts";
import { type AccessVerdict, type Availability, type GateAnswers, judgeAccess } from "./judge-access.ts";
import type { LoadOptions } from "./load.ts";
import { count } from "../terminal/numbers.ts";
import { type ModelSurvey, withAwsSpinner } from "./survey.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = 2;

/** What AWS said about access to one model. */
interface AccessAnswer extends GateAnswers {
  /** Milliseconds since 1970. */
  fetchedAt: number;
  availability: Availability;
}

/** Access to a listed model: the verdict, and what AWS says in its own words; null where it said nothing. */
export interface Access extends AccessVerdict {
  agreement: string | null;
  authorization: string | null;
  entitlement: string | null;
  region: string | null;
}

/** GetFoundationModelAvailability knows one model at a time; so many questions are on their way together. */
const CONCURRENCY = 8;

/** Failures that no other question will escape. */
const COMMON_FAILURES: ReadonlySet<ErrorCode> = new Set([
  "network",
  "timeout",
  "bad-response",
  "no-credentials",
  "credentials-expired",
  "credentials-rejected",
]);

export interface AccessSurvey {
  /** By the key of the model. */
  access: ReadonlyMap<string, Access>;
  /** Questions that were not answered, by what was in the way. */
  warnings: Warning[];
}

/**
 * Asks AWS which of the listed models this identity can call, with bounded concurrency; answers are kept beside the list
 * for as long as it is. A model whose question fails is `unknown`, and why is a warning. Throws `interrupted`.
 */
export async function surveyAccess(
  { load, models, setup, wanted }: ModelSurvey,
  options: LoadOptions,
): Promise<AccessSurvey> {
  const { discovered, cacheFile } = load;
  const bases = new Map(
    models.flatMap(({ key, id }) => {
      if (isOfMantle(key)) return [];
      const base = discovered && listedBase(id, discovered)?.id;
      return base === undefined ? [] : [[key, base] as const];
    }),
  );
  const startedAt = setup.runtime.now();
  const file = cacheFile === undefined ? undefined : accessFile(cacheFile);
  const baseIds = [...new Set(bases.values())];
  const needed = (answers: ReadonlyMap<string, AccessAnswer>): string[] =>
    baseIds.filter((id) => {
      const answer = answers.get(id);
      return !answer || !isFresh(answer, setup) || (options.refresh === true && answer.fetchedAt < startedAt);
    });
  let answers = file === undefined ? new Map<string, AccessAnswer>() : await readAccess(file);
  const failures = new Map<string, OpenclawError>();
  if (needed(answers).length > 0 && !options.offline && load.hasCredentials) {
    const session = await openSession(setup, wanted ? targetOf(wanted) : { kind: "discovery" });
    try {
      answers = await withAwsSpinner(setup, "Asking AWS about access", () =>
        refreshAnswers(session, file, answers, needed, failures),
      );
    } finally {
      session.close();
    }
  }
  const nobodyAsked = options.offline
    ? "it was not asked, because of --offline"
    : "no AWS credentials were found";
  const accessOf = ({ key }: ListedModel): Access => {
    const base = bases.get(key);
    if (isOfMantle(key)) return unknown("only a call tells whether bedrock-mantle lets these credentials in");
    if (base === undefined || !discovered) return unknown("AWS's lists do not tell which model answers");
    const answer = answers.get(base);
    const failure = failures.get(base);
    if (!answer) return failure ? unknown(failure.message, failure.hint) : unknown(nobodyAsked);
    const place = { modelId: base, region: discovered.region };
    return withWords(judgeAccess(answer, place), answer.availability);
  };
  return {
    access: new Map(models.map((model) => [model.key, accessOf(model)])),
    warnings: toWarnings(failures),
  };
}

function isOfMantle(key: string): boolean {
  return isMantle({ providerId: providerOfKey(key) });
}

function unknown(reason: string, hint: string | null = null): Access {
  return withWords({ status: "unknown", callable: null, gate: null, reason, hint }, {});
}

/** Adds what AWS says in its own words. */
function withWords(verdict: AccessVerdict, availability: Availability): Access {
  const { agreement = null, authorization = null, entitlement = null, region = null } = availability;
  return { ...verdict, agreement, authorization, entitlement, region };
}

/** The file beside a cached list that keeps the answers about access: as private, and of the same identity. */
export function accessFile(cacheFile: string): string {
  return cacheFile.replace(/\.json$/, ".access.json");
}

/** Reads the answers kept in a file, by model id; empty when there are none, or when what is there is none. */
export async function readAccess(file: string): Promise<Map<string, AccessAnswer>> {
  const { answers } = (await readEntry(file, FORM)) ?? {};
  const pairs = Object.entries(isRecord(answers) ? answers : {});
  return new Map(pairs.filter((pair): pair is [string, AccessAnswer] => isAnswer(pair[1])));
}

/** The text of a file that keeps answers. */
export function formatAccess(answers: ReadonlyMap<string, AccessAnswer>): string {
  return JSON.stringify({ form: FORM, answers: Object.fromEntries(answers) });
}

function isAnswer(value: unknown): value is AccessAnswer {
  return (
    isRecord(value) &&
    typeof value["fetchedAt"] === "number" &&
    ["sent", "missing", undefined].includes(value["form"] as undefined) &&
    ["string", "undefined"].includes(typeof value["retention"]) &&
    isRecord(value["availability"]) &&
    Object.values(value["availability"]).every((word) => typeof word === "string")
  );
}

/** Of several processes that want the same answers, one asks AWS. */
async function refreshAnswers(
  session: AwsSession,
  file: string | undefined,
  older: ReadonlyMap<string, AccessAnswer>,
  needed: (answers: ReadonlyMap<string, AccessAnswer>) => string[],
  failures: Map<string, OpenclawError>,
): Promise<Map<string, AccessAnswer>> {
  const answers = new Map(older);
  const refresh = (): Promise<void> => askAll(session, needed(answers), answers, failures);
  await (file === undefined ? refresh() : changeKept(file, answers, session.setup.runtime, refresh));
  return answers;
}

/** Keeps what AWS has just said of a model, in place of what is kept of it. */
export async function keepAccess(
  cacheFile: string,
  modelId: string,
  { availability, form, retention }: GateAnswers,
  runtime: Runtime,
): Promise<void> {
  if (!availability) return;
  const answers = new Map<string, AccessAnswer>();
  await changeKept(accessFile(cacheFile), answers, runtime, async () => {
    answers.set(modelId, { fetchedAt: runtime.now(), availability, form, retention });
  });
}

/** Adds what a file keeps to answers, has them changed, and keeps them there: one process at a time. */
async function changeKept(
  file: string,
  answers: Map<string, AccessAnswer>,
  runtime: Runtime,
  change: () => Promise<void>,
): Promise<void> {
  const [{ tryToKeep, withCacheLock }, { replaceFile }] = await Promise.all([
    import("./cache-write.ts"),
    import("../disk/replace-file.ts"),
  ]);
  await withCacheLock(file, runtime, async () => {
    for (const [id, answer] of await readAccess(file)) answers.set(id, answer);
    await change();
    await tryToKeep(runtime, () => replaceFile(file, formatAccess(answers)));
  });
}

async function askAll(
  session: AwsSession,
  ids: readonly string[],
  answers: Map<string, AccessAnswer>,
  failures: Map<string, OpenclawError>,
): Promise<void> {
  const [{ AVAILABILITY, createGateAsker }, { toOpenclawError }] = await Promise.all([
    import("./ask-gates.ts"),
    import("../session/aws-errors.ts"),
  ]);
  const asker = createGateAsker(session);
  let common: OpenclawError | undefined;
  const ask = async (id: string): Promise<void> => {
    try {
      if (common) throw common;
      answers.set(id, { fetchedAt: session.setup.runtime.now(), ...(await asker.ask(id)) });
    } catch (failure) {
      const error = toOpenclawError(failure, { session, action: AVAILABILITY, modelId: id });
      if (error.code === "interrupted") throw error;
      if (COMMON_FAILURES.has(error.code)) common = error;
      failures.set(id, error);
    }
  };
  const waiting = ids.values();
  const work = async (): Promise<void> => {
    for (const id of waiting) await ask(id);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** One warning for each thing that was in the way. */
function toWarnings(failures: ReadonlyMap<string, OpenclawError>): Warning[] {
  const groups = new Map<ErrorCode, { error: OpenclawError; models: number }>();
  for (const error of failures.values()) {
    const group = groups.get(error.code);
    groups.set(error.code, { error: group?.error ?? error, models: (group?.models ?? 0) + 1 });
  }
  return [...groups.values()].map(({ error, models }) =>
    toWarning(error, `Access to ${count(models, "model")} could not be asked`),
  );
}
