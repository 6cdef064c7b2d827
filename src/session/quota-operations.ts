import { type QuotaUse, type ServiceQuota, USE_MINUTES } from "../models/quotas.ts";
import { isRecord, type JsonObject } from "../json.ts";
import { OpenclawError } from "../errors.ts";
import { toOpenclawError } from "./aws-errors.ts";
import { ANSWER_MS } from "./client-config.ts";
import { notForApiKey } from "./denial.ts";
import { readJson } from "./read-answer.ts";
import type { BedrockService, CalledService } from "./regional-endpoint.ts";
import type { AwsSession } from "./session.ts";
import { listIn, PageTokens } from "./strange-answer.ts";

/** An operation of a service that speaks AWS JSON: all go to one path, and a header names them. */
interface JsonOperation {
  service: Exclude<CalledService, BedrockService>;
  /** The service's name and the operation's, as the header has them. */
  target: string;
  /** Of the protocol. */
  version: "1.0" | "1.1";
  action: string;
  /** Besides target and content type. */
  headers?: Readonly<Record<string, string>>;
}

/** Targets and versions are those of the SDK's service models; test/session/rest-client.test.ts holds them to its clients. */
const JSON_OPERATIONS = {
  ListServiceQuotas: {
    service: "service-quotas",
    target: "ServiceQuotasV20190624.ListServiceQuotas",
    version: "1.1",
    action: "servicequotas:ListServiceQuotas",
  },
  GetMetricData: {
    service: "cloudwatch",
    target: "GraniteServiceVersion20100801.GetMetricData",
    version: "1.0",
    action: "cloudwatch:GetMetricData",
    headers: { "x-amzn-query-mode": "true" },
  },
} as const satisfies Record<string, JsonOperation>;

/** Calls an operation and reads its answer. Throws the errors of the error table, and `access-denied` for a Bedrock API key. */
async function callJson(
  session: AwsSession,
  operation: keyof typeof JSON_OPERATIONS,
  body: object,
): Promise<JsonObject> {
  const { service, target, version, action, ...rest }: JsonOperation = JSON_OPERATIONS[operation];
  if (session.decision.chosen.source === "AWS_BEARER_TOKEN_BEDROCK")
    throw notForApiKey(action, "openclaw quota --profile NAME");
  try {
    const client = await session.rest(service);
    const headers = {
      "content-type": `application/x-amz-json-${version}`,
      "x-amz-target": target,
      ...rest.headers,
    };
    const call = { method: "POST", path: "/", body, headers, timeoutMs: ANSWER_MS } as const;
    return (await client.send(call, readJson, session.setup.runtime.signal)).value;
  } catch (failure) {
    throw toOpenclawError(failure, { session, action });
  }
}

/** The most quotas of a page. */
const PAGE = 100;
/** Bedrock has some ten pages of quotas; a service that goes on for ever is none of AWS's. */
const MOST_PAGES = 100;

/**
 * All quotas that the account has for Amazon Bedrock in the session's region. Throws the errors of the error table, and
 * `access-denied` for a Bedrock API key.
 */
export async function listBedrockQuotas(session: AwsSession): Promise<ServiceQuota[]> {
  const quotas: ServiceQuota[] = [];
  let nextToken: unknown;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await callJson(session, "ListServiceQuotas", {
      ServiceCode: "bedrock",
      ...(typeof nextToken === "string" ? { NextToken: nextToken } : {}),
      MaxResults: PAGE,
    });
    const answered = { session, service: "service-quotas" } as const;
    quotas.push(...listIn(answer["Quotas"], "quotas", answered).flatMap(readQuota));
    nextToken = answer["NextToken"];
    if (typeof nextToken !== "string" || nextToken === "") return quotas;
  }
  throw new OpenclawError("bad-response", {
    message: `Service Quotas has more than ${MOST_PAGES} pages of quotas for Amazon Bedrock.`,
    hint: "Check who answers: openclaw doctor",
  });
}

function readQuota(value: unknown): ServiceQuota[] {
  if (!isRecord(value)) return [];
  const { QuotaName: name, QuotaCode: code, Value: number, Adjustable: adjustable } = value;
  if (typeof name !== "string" || typeof number !== "number" || !Number.isFinite(number)) return [];
  return [
    { name, code: typeof code === "string" ? code : "", value: number, isAdjustable: adjustable === true },
  ];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const MINUTE_MS = 60_000;

/** https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring.html; the dimension of each is `ModelId`. */
const METRICS = {
  requests: "Invocations",
  throttles: "InvocationThrottles",
  /** Output by its burndown, writes to the cache, without reads from it. */
  tokens: "EstimatedTPMQuotaUsage",
} as const;
type Metric = keyof typeof METRICS;
/** The most queries of one call. */
const MOST_QUERIES = 500;

/**
 * What was used through each id in the last minutes, by CloudWatch; an id that nobody called has zeros. Throws as
 * `listBedrockQuotas`.
 */
export async function readQuotaUse(
  session: AwsSession,
  ids: readonly string[],
): Promise<Map<string, QuotaUse>> {
  const now = session.setup.runtime.now();
  const end = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  const wanted = ids.flatMap((id) => (Object.keys(METRICS) as Metric[]).map((metric) => ({ id, metric })));
  const queries = wanted.map(({ id, metric }, index) => ({
    Id: `q${index}`,
    MetricStat: {
      Metric: {
        Namespace: "AWS/Bedrock",
        MetricName: METRICS[metric],
        Dimensions: [{ Name: "ModelId", Value: id }],
      },
      Period: 60,
      Stat: "Sum",
    },
  }));
  const points = new Map<string, [time: number, value: number][]>();
  const answered = { session, service: "cloudwatch" } as const;
  for (let first = 0; first < queries.length; first += MOST_QUERIES) {
    const tokens = new PageTokens();
    let nextToken: unknown;
    do {
      const answer = await callJson(session, "GetMetricData", {
        MetricDataQueries: queries.slice(first, first + MOST_QUERIES),
        StartTime: (end - USE_MINUTES * MINUTE_MS) / 1000,
        EndTime: end / 1000,
        ...(typeof nextToken === "string" ? { NextToken: nextToken } : {}),
      });
      for (const result of listIn(answer["MetricDataResults"], "metrics", answered)) {
        if (!isRecord(result) || typeof result["Id"] !== "string") continue;
        const own = points.get(result["Id"]) ?? [];
        points.set(result["Id"], own.concat(readPoints(result)));
      }
      nextToken = tokens.next(answer["NextToken"], "metrics", answered);
    } while (typeof nextToken === "string");
  }
  const pointsOf = (id: string, metric: Metric): [time: number, value: number][] => {
    const index = wanted.findIndex((query) => query.id === id && query.metric === metric);
    return points.get(`q${index}`) ?? [];
  };
  return new Map(
    ids.map((id) => {
      const [requests, tokens] = [pointsOf(id, "requests"), pointsOf(id, "tokens")];
      const throttles = pointsOf(id, "throttles").reduce((sum, [, value]) => sum + value, 0);
      return [
        id,
        {
          busiest: { requests: mostOf(requests), tokens: mostOf(tokens) },
          now: { requests: lastMinuteOf(requests, now), tokens: lastMinuteOf(tokens, now) },
          throttles,
        },
      ];
    }),
  );
}

function readPoints(result: JsonObject): [time: number, value: number][] {
  const values = listOf(result["Values"]);
  return listOf(result["Timestamps"]).flatMap((time, index): [number, number][] => {
    const value = values[index];
    // AWS JSON has seconds; what is written out is ISO 8601.
    const ms = typeof time === "number" ? time * 1000 : Date.parse(String(time));
    return typeof value === "number" && Number.isFinite(ms) ? [[ms, value]] : [];
  });
}

function mostOf(points: readonly (readonly [number, number])[]): number {
  return points.reduce((most, [, value]) => Math.max(most, value), 0);
}

/** The minute that runs, and as much of the one before as is no longer ago than 60 seconds. */
function lastMinuteOf(points: readonly (readonly [time: number, value: number])[], now: number): number {
  return points.reduce((sum, [time, value]) => {
    const age = now - (time + MINUTE_MS);
    const share = age <= 0 ? 1 : Math.max(0, 1 - age / MINUTE_MS);
    return sum + value * share;
  }, 0);
}
