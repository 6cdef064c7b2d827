import { type AwsSession, serviceOf, urlOf } from "../session/session.ts";
import type { Service } from "../aws/endpoint.ts";
import { findAll } from "../credentials/findings.ts";
import { profileInForce } from "../credentials/shared-config.ts";
import { OpenclawError } from "../errors.ts";
import { SET_CLOCK, tellSkew } from "../network/clock-skew.ts";
import { hostOfRedirect } from "../network/network-errors.ts";
import { findProxy } from "../network/proxy-settings.ts";
import { explainFailure } from "../session/aws-errors.ts";
import { oncePer } from "../once.ts";
import { type Check, fail, failAs, ok, type Outcome, skip, warn } from "./check.ts";
import type { Examination } from "./examination.ts";
import type { Reached } from "./reach.ts";

/** An endpoint in use and how it answered. */
export interface Way {
  service: Service;
  url: string;
  /** Who named it; undefined for the region's own. */
  source: string | undefined;
  proxy: string | undefined;
  outcome: Reached | OpenclawError;
}

/** DNS, TLS, proxy and CA bundle on the way to each endpoint in use. */
const networkCheck: Check<Examination> = {
  id: "network",
  title: "network/proxy/CA",
  needs: ["region"],
  hint: "Check the endpoint, and HTTPS_PROXY, NO_PROXY and AWS_CA_BUNDLE.",
  run: async (examination) => {
    const [ways, bundle] = await Promise.all([waysOf(examination), bundleOf(examination)]);
    const outcome = judgeWays(ways, bundle);
    if (outcome.status !== "ok") return outcome;
    const { decision } = await examination.setup();
    const found = findAll(decision).find(({ topic }) => topic === "the way");
    if (found && !examination.runtime.isEmulated)
      return warn(`${outcome.detail}. ${found.message}`, found.hint);
    return (await findClearText(ways, examination)) ?? outcome;
  },
};

/** Tries each endpoint in use, once for all checks. */
const waysOf = oncePer(tryWays);

async function tryWays(examination: Examination): Promise<Way[]> {
  const { runtime } = examination;
  const session = await examination.session();
  const [{ reach }, models] = await Promise.all([import("./reach.ts"), examination.bedrockModels()]);
  // Without a model it is the session of discovery that would call one.
  const callers = models.length > 0 ? models.map((model) => model.session) : [session];
  const isBearer = session.decision.chosen.source === "AWS_BEARER_TOKEN_BEDROCK";
  const services: [Service, AwsSession][] = [
    ["bedrock", session],
    ...callers.map((own): [Service, AwsSession] => [serviceOf(own.target), own]),
    ...(isBearer ? [] : [["sts", session] as [Service, AwsSession]]),
  ];
  const profile = profileInForce(session.setup.shared, session.decision.profileName);
  const attempt = oncePer(
    ({ url, source }: { url: string; source?: string }) =>
      reach(url, runtime, { profile, source, ahead: session.setup.ahead }).catch(asOutcome),
    ({ url }) => url,
  );
  return Promise.all(
    services.map(async ([service, own]): Promise<Way> => {
      const named = own.endpoint(service);
      const url = await urlOf(own, service);
      const answer = await attempt({ url, ...(named && { source: named.source }) });
      const outcome = answer instanceof OpenclawError ? explainFailure(answer, own, service) : answer;
      // What is wrong with a proxy, or with the variable that names it, is in the error.
      const isReached = !(outcome instanceof OpenclawError);
      const proxy = isReached && !runtime.isEmulated ? findProxy(url, runtime.env)?.shown : undefined;
      return { service, url, source: named?.source, proxy, outcome };
    }),
  );
}

function asOutcome(failure: unknown): OpenclawError {
  if (failure instanceof OpenclawError && failure.code !== "interrupted") return failure;
  throw failure;
}

/** The CA bundle in force, in words. */
async function bundleOf(examination: Examination): Promise<string | undefined> {
  const { decideCaBundle } = await import("../network/certificates.ts");
  const { shared, decision } = await examination.setup();
  const bundle = decideCaBundle(examination.runtime.env, profileInForce(shared, decision.profileName));
  return bundle && (bundle.source === "AWS_CA_BUNDLE" ? bundle.file : `${bundle.file} (${bundle.source})`);
}

/** A warning where what is sent to an endpoint, or to who gives credentials, can be read on its way and is secret. */
async function findClearText(ways: readonly Way[], examination: Examination): Promise<Outcome | undefined> {
  const clearText = await import("../network/clear-text.ts");
  const { runtime } = examination;
  const { chosen } = (await examination.session()).decision;
  const isBearer = chosen.source === "AWS_BEARER_TOKEN_BEDROCK";
  const identity = isBearer
    ? undefined
    : await examination.identity().catch((failure: unknown) => {
        // The check of the identity tells it.
        if (failure instanceof OpenclawError) return undefined;
        throw failure;
      });
  const open = ways.find(({ url }) => clearText.isReadableOnTheWay(url, runtime.env));
  const isSecret = isBearer || identity?.sessionToken !== undefined;
  const what = isBearer ? "a bearer token" : "a session token";
  const told =
    open && isSecret
      ? clearText.tellClearText(what, new URL(open.url).origin)
      : clearText.clearTextOf(runtime, clearText.CREDENTIALS);
  return told && warn(told.message, told.hint);
}

/** Judges the ways. STS is needed to name the identity only, so its failure warns. */
export function judgeWays(ways: readonly Way[], caBundle: string | undefined): Outcome {
  const detail = [...describeWays(ways), ...(caBundle ? [`CA bundle ${caBundle}`] : [])].join(", ");
  const failed = ways.filter(
    (way): way is Way & { outcome: OpenclawError } => way.outcome instanceof OpenclawError,
  );
  const blocking = failed.find(({ service }) => service !== "sts");
  if (blocking) return fail(blocking.outcome);
  for (const { service, url, proxy, outcome } of ways) {
    if (service === "sts" || outcome instanceof OpenclawError) continue;
    if (outcome.status === 407) {
      return failAs(
        "network",
        `The proxy${proxy ? ` ${proxy}` : ""} wants a name and password.`,
        "Put them into the variable: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
      );
    }
    if (outcome.status >= 300 && outcome.status < 400) {
      const place = outcome.location ? ` to ${hostOfRedirect(outcome.location)}` : "";
      return failAs(
        "bad-response",
        `${url} answers with a redirect (${outcome.status}${place}); AWS never does.`,
        "Log in to the network you are on, or check the endpoint.",
      );
    }
    if (!outcome.isAws) {
      return warn(
        `${detail}; ${url} answers ${outcome.status} without AWS's request id, so something else may be in between`,
        proxy ? `Check the proxy ${proxy}.` : "Check the endpoint.",
      );
    }
  }
  const [sts] = failed;
  return sts ? warn(`${detail}; ${sts.outcome.message}`, sts.outcome.hint) : ok(detail);
}

/** Services behind one URL are one way. */
function describeWays(ways: readonly Way[]): string[] {
  const different = [...new Map(ways.map((way) => [way.url, way])).values()];
  return different.map(({ url, source, proxy, outcome }) => {
    const time = outcome instanceof OpenclawError ? "unreachable" : `${outcome.durationMs} ms`;
    return [
      new URL(url).host,
      time,
      ...(source ? [`(${source})`] : []),
      ...(proxy ? [`through proxy ${proxy}`] : []),
    ].join(" ");
  });
}

/** AWS rejects signatures older than this: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const SIGNATURE_MS = 5 * 60_000;
const NOTICEABLE_MS = 30_000;

/** This machine's clock against the date in an answer. */
const clockCheck: Check<Examination> = {
  id: "clock",
  title: "clock",
  needs: ["region"],
  hint: SET_CLOCK,
  run: async (examination) => {
    const [ways, { decision }] = await Promise.all([waysOf(examination), examination.setup()]);
    for (const { outcome } of ways) {
      if (outcome instanceof OpenclawError || outcome.serverTime === undefined || !outcome.isAws) continue;
      // The date has whole seconds, cut off: half a second is the best guess for the rest.
      const skewMs = outcome.localTime - (outcome.serverTime + 500);
      return judgeClock(skewMs, decision.chosen.source !== "AWS_BEARER_TOKEN_BEDROCK");
    }
    return skip("no endpoint answered with a date");
  },
};

/** Judges how far this machine's clock is ahead, in ms. Bearer tokens are not signed, so they stand any clock. */
export function judgeClock(skewMs: number, isSigned: boolean): Outcome {
  const skew = tellSkew(skewMs);
  if (Math.abs(skewMs) > SIGNATURE_MS && isSigned) {
    return failAs(
      "credentials-rejected",
      `This machine's clock is ${skew}; AWS rejects signatures that are more than 5 minutes off.`,
      SET_CLOCK,
    );
  }
  if (Math.abs(skewMs) > NOTICEABLE_MS) return warn(`this machine's clock is ${skew}`, SET_CLOCK);
  return ok(Math.abs(skewMs) < 1500 ? "agrees with AWS" : skew);
}

/** What is asked of clock and network, in the order in which it is shown. */
export const networkChecks = [clockCheck, networkCheck];
