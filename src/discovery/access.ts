import { openSession, type AwsSession } from "../session/session.ts";
import { discoverySettings } from "../config/resolve.ts";
import { type ErrorCode, OpenclawError } from "../errors.ts";
import { type AccessAnswer, accessFile, formatAccess, readAccess } from "./access-cache.ts";
import type { Warning } from "../models/discovered.ts";
import { type AccessVerdict, judgeAccess, mayLackForm, readAvailability } from "./judge-access.ts";
import type { ListedModel } from "../models/list.ts";
import { listedBase } from "../models/listed-id.ts";
import type { LoadOptions } from "./load.ts";
import { targetOf } from "../models/resolve-model.ts";
import type { ModelSurvey } from "./survey.ts";
import { withAwsSpinner } from "./aws-spinner.ts";

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
const HOPELESS: ReadonlySet<ErrorCode> = new Set([
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
      const base = discovered && listedBase(id, discovered)?.id;
      return base === undefined ? [] : [[key, base] as const];
    }),
  );
  const interval = discoverySettings(setup.config.value).refreshInterval * 1000;
  const startedAt = setup.runtime.now();
  const file = cacheFile === undefined ? undefined : accessFile(cacheFile);
  const baseIds = [...new Set(bases.values())];
  const needed = (answers: ReadonlyMap<string, AccessAnswer>): string[] =>
    baseIds.filter((id) => {
      const { fetchedAt } = answers.get(id) ?? {};
      if (fetchedAt === undefined || fetchedAt > setup.runtime.now()) return true;
      return options.refresh ? fetchedAt < startedAt : fetchedAt < setup.runtime.now() - interval;
    });
  let answers = file === undefined ? new Map<string, AccessAnswer>() : readAccess(file);
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
  const accessOf = (model: ListedModel): Access => {
    const base = bases.get(model.key);
    if (base === undefined || !discovered) return unknown("AWS's lists do not tell which model answers");
    const answer = answers.get(base);
    const failure = failures.get(base);
    if (answer) return toAccess(answer, discovered.region);
    return failure ? unknown(failure.message, failure.hint) : unknown(nobodyAsked);
  };
  return {
    access: new Map(models.map((model) => [model.key, accessOf(model)])),
    warnings: toWarnings(failures),
  };
}

function toAccess({ availability, isFormMissing }: AccessAnswer, region: string): Access {
  return {
    ...judgeAccess(availability, { region, isFormMissing }),
    agreement: availability.agreement ?? null,
    authorization: availability.authorization ?? null,
    entitlement: availability.entitlement ?? null,
    region: availability.region ?? null,
  };
}

function unknown(reason: string, hint?: string): Access {
  return {
    status: "unknown",
    callable: null,
    reason,
    hint: hint ?? null,
    agreement: null,
    authorization: null,
    entitlement: null,
    region: null,
  };
}

/** Of several processes that want the same answers, one asks AWS. */
async function refreshAnswers(
  session: AwsSession,
  file: string | undefined,
  older: ReadonlyMap<string, AccessAnswer>,
  needed: (answers: ReadonlyMap<string, AccessAnswer>) => string[],
  failures: Map<string, OpenclawError>,
): Promise<Map<string, AccessAnswer>> {
  const { runtime } = session.setup;
  const answers = new Map(older);
  const refresh = async (): Promise<void> => {
    const fresh = await askAll(session, needed(answers), failures);
    for (const [id, answer] of fresh) answers.set(id, answer);
  };
  if (file === undefined) {
    await refresh();
    return answers;
  }
  const { tryToKeep, withCacheLock } = await import("./cache-write.ts");
  const { replaceFile } = await import("../disk/replace-file.ts");
  await withCacheLock(file, runtime, async () => {
    for (const [id, answer] of readAccess(file)) answers.set(id, answer);
    await refresh();
    await tryToKeep(runtime, () => replaceFile(file, formatAccess(answers)));
  });
  return answers;
}

async function askAll(
  session: AwsSession,
  ids: readonly string[],
  failures: Map<string, OpenclawError>,
): Promise<Map<string, AccessAnswer>> {
  const [{ askAvailability, lacksUseCaseForm }, { toOpenclawError }] = await Promise.all([
    import("../session/availability.ts"),
    import("../session/aws-errors.ts"),
  ]);
  const answers = new Map<string, AccessAnswer>();
  let isFormMissing: Promise<boolean> | undefined;
  let hopeless: OpenclawError | undefined;
  const ask = async (id: string): Promise<void> => {
    try {
      if (hopeless) throw hopeless;
      const availability = readAvailability(await askAvailability(session, id));
      if (mayLackForm(id, availability)) isFormMissing ??= lacksUseCaseForm(session);
      answers.set(id, {
        fetchedAt: session.setup.runtime.now(),
        availability,
        isFormMissing: mayLackForm(id, availability) && (await isFormMissing) === true,
      });
    } catch (failure) {
      const action = "bedrock:GetFoundationModelAvailability";
      const error = toOpenclawError(failure, { session, action, modelId: id });
      if (error.code === "interrupted") throw error;
      if (HOPELESS.has(error.code)) hopeless = error;
      failures.set(id, error);
    }
  };
  const waiting = ids.values();
  const work = async (): Promise<void> => {
    for (const id of waiting) await ask(id);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return answers;
}

/** One warning for each thing that was in the way. */
function toWarnings(failures: ReadonlyMap<string, OpenclawError>): Warning[] {
  const groups = new Map<ErrorCode, { error: OpenclawError; count: number }>();
  for (const error of failures.values()) {
    const group = groups.get(error.code);
    groups.set(error.code, { error: group?.error ?? error, count: (group?.count ?? 0) + 1 });
  }
  return [...groups.values()].map(({ error, count }) => ({
    code: error.code,
    message: `Access to ${count === 1 ? "1 model" : `${count} models`} could not be asked: ${error.message}`,
    hint: error.hint ?? "openclaw doctor",
  }));
}
