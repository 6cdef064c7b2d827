import { AwsError } from "./aws-error.ts";
import { type MetricQuery, readMetricRequest } from "./metric-request.ts";

export interface CountedCall {
  /** Milliseconds since 1970. */
  time: number;
  /** As the call named the model. */
  modelId: string;
  inputTokens: number;
  outputTokens: number;
  /** How many tokens of the quota one of output takes. */
  burndown: number;
  /** It was refused for the quota. */
  isThrottled?: true;
}

type Statistic = (values: readonly number[]) => number;

const sum: Statistic = (values) => values.reduce((total, value) => total + value, 0);
const STATISTICS: Readonly<Record<string, Statistic>> = {
  Sum: sum,
  Average: (values) => sum(values) / values.length,
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
  SampleCount: (values) => values.length,
};

/** Of the namespace `AWS/Bedrock`: https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring.html. A call without a value is none. */
const METRICS: Readonly<Record<string, (call: CountedCall) => number | undefined>> = {
  Invocations: ({ isThrottled }) => (isThrottled ? undefined : 1),
  InvocationThrottles: ({ isThrottled }) => (isThrottled ? 1 : undefined),
  InputTokenCount: ({ isThrottled, inputTokens }) => (isThrottled ? undefined : inputTokens),
  OutputTokenCount: ({ isThrottled, outputTokens }) => (isThrottled ? undefined : outputTokens),
  EstimatedTPMQuotaUsage: ({ isThrottled, inputTokens, outputTokens, burndown }) =>
    isThrottled ? undefined : inputTokens + outputTokens * burndown,
};

const MOST_KEPT = 10_000;

/** What the emulator's models were called with, for CloudWatch to tell. */
export class CallCounter {
  readonly calls: CountedCall[] = [];

  add(call: CountedCall): void {
    this.calls.push(call);
    if (this.calls.length > MOST_KEPT) this.calls.splice(0, MOST_KEPT / 2);
  }
}

/**
 * Answers GetMetricData with what the emulator itself was called for. Times are seconds since 1970, the newest first unless
 * asked for otherwise. Throws `AwsError` for what CloudWatch refuses, and for metric math, which is not computed here.
 */
export function getMetricData(body: unknown, calls: readonly CountedCall[]): object {
  const request = readMetricRequest(body);
  const [start, end] = [timeOf(request.StartTime, "StartTime"), timeOf(request.EndTime, "EndTime")];
  if (start === end) throw invalid("The parameter StartTime must not equal parameter EndTime.");
  if (start > end) throw invalid("The parameter StartTime must be less than the parameter EndTime.");
  // None is ever handed out.
  if (request.NextToken) throw invalid("The next token specified is invalid.", "InvalidNextToken");
  const isAscending = request.ScanBy === "TimestampAscending";
  return {
    MetricDataResults: request.MetricDataQueries.map((query) =>
      answerQuery(query, { start, end, isAscending }, calls),
    ),
    Messages: [
      { Code: "Simulated", Value: "Simulated by the openclaw emulator from the calls it answered." },
    ],
  };
}

interface Window {
  /** In ms. */
  start: number;
  end: number;
  isAscending: boolean;
}

function answerQuery(
  { Id, Label, Expression, MetricStat }: MetricQuery,
  window: Window,
  calls: readonly CountedCall[],
): object {
  if (Expression) throw invalid("The emulator computes no metric math: ask for a MetricStat.");
  if (!MetricStat) throw invalid(`The query ${Id} has neither a MetricStat nor an Expression.`);
  const { Metric, Period, Stat } = MetricStat;
  const { Namespace, MetricName, Dimensions } = Metric;
  if (Period >= 60 && Period % 60 !== 0)
    throw invalid("Period must be 1, 5, 10, 20, 30 or a multiple of 60.");
  const statistic = STATISTICS[Stat];
  if (!statistic)
    throw invalid(`The emulator computes ${Object.keys(STATISTICS).join(", ")}, and no ${Stat}.`);
  const valueOf = Namespace === "AWS/Bedrock" ? METRICS[MetricName ?? ""] : undefined;
  const modelId = modelIn(Dimensions ?? []);
  const groups = new Map<number, number[]>();
  for (const call of calls) {
    const value = valueOf?.(call);
    const time = Math.floor(call.time / (Period * 1000)) * Period;
    const isIn = time * 1000 >= window.start && time * 1000 < window.end;
    if (value === undefined || !isIn || (modelId !== undefined && modelId !== call.modelId)) continue;
    groups.set(time, [...(groups.get(time) ?? []), value]);
  }
  const points = [...groups].sort(([one], [other]) => (window.isAscending ? one - other : other - one));
  return {
    Id,
    Label: Label ?? MetricName,
    Timestamps: points.map(([time]) => time),
    Values: points.map(([, values]) => statistic(values)),
    StatusCode: "Complete",
  };
}

/** The model that the dimensions name; undefined where they name none, and none at all where they name something else. */
function modelIn(dimensions: readonly { Name: string; Value: string }[]): string | undefined {
  const [only] = dimensions;
  if (only === undefined) return undefined;
  return dimensions.length === 1 && only.Name === "ModelId" ? only.Value : "";
}

/** A number of seconds, or ISO 8601. */
function timeOf(value: unknown, name: string): number {
  const ms = typeof value === "number" ? value * 1000 : Date.parse(String(value));
  if (Number.isNaN(ms)) throw invalid(`The parameter ${name} is required.`, "MissingParameter");
  return ms;
}

function invalid(message: string, name = "ValidationError"): AwsError {
  return new AwsError(name, message, 400);
}
