import type { QuotaWay } from "../../discovery/survey-quotas.ts";
import { type ModelQuota, type ServiceQuota, USE_MINUTES } from "../../models/quotas.ts";
import { type Fact, printFacts } from "../../terminal/fact-lines.ts";
import { count, formatLimitColumn, formatTokens } from "../../terminal/numbers.ts";
import { type Column, layoutTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { hang } from "../../terminal/word-wrap.ts";
import type { CallReport, ModelReport, QuotaOptions } from "./model-report.ts";

/** Prints a table for each model on a terminal; in a pipe a line for each way to it, or the answer alone where one was asked for. */
export async function printReports(
  reports: readonly ModelReport[],
  options: QuotaOptions,
  terminal: Terminal,
): Promise<void> {
  for (const [index, report] of reports.entries()) {
    if (terminal.isStdoutTTY) {
      if (index > 0) await terminal.print("");
      await printReport(report, terminal);
    } else if (report.call) {
      const line = [report.id, answerOf(report.call)];
      await terminal.print((options.model === undefined ? line : line.slice(1)).join("\t"));
    } else for (const way of report.survey.ways) await terminal.print(pipedCells(way).join("\t"));
  }
}

function pipedCells({ id, scope, quota, used }: QuotaWay): string[] {
  const isMantle = scope === "mantle";
  const value = (limit: ServiceQuota | undefined): string => (limit ? String(limit.value) : "");
  return [
    id,
    scope,
    value(quota?.requestsPerMinute),
    isMantle
      ? joined(value(quota?.inputTokensPerMinute), value(quota?.outputTokensPerMinute))
      : value(quota?.tokensPerMinute),
    value(quota?.tokensPerDay),
    used ? String(used.busiest.requests) : "",
    used ? String(used.busiest.tokens) : "",
    used ? String(used.throttles) : "",
  ];
}

/** Tokens of input and of output, which Mantle counts apart; once what is missing for both. */
function joined(input: string, output: string): string {
  return input === output && !/\d/.test(input) ? input : `${input}+${output}`;
}

const COLUMNS: readonly Column[] = [
  { title: "Called by" },
  { title: "Req/min", align: "right" },
  { title: "Tok/min", align: "right" },
  { title: "Tok/day", align: "right" },
];

async function printReport(report: ModelReport, terminal: Terminal): Promise<void> {
  const { bold, dim } = await terminal.stdoutStyle();
  const { name, region, survey } = report;
  const title = `${bold(terminal.foreign(name))} ${dim(`in ${region}`)}`;
  for (const line of hang("", title, terminal.columns)) await terminal.print(line);
  const rows = rowsOf(survey.ways);
  if (survey.ways.some(({ quota }) => quota)) {
    for (const line of layoutTable(COLUMNS, rows, terminal.columns, dim)) await terminal.print(line);
    await terminal.print("");
  }
  await printFacts(factsOf(report), terminal);
}

function rowsOf(ways: readonly QuotaWay[]): string[][] {
  /** Writes what stands in one column. AWS lists no quota of what it does not hold an account to. */
  const columnOf = (...fields: (keyof ModelQuota)[]) => {
    const limits = ways.flatMap(({ quota = {} }) => fields.flatMap((field) => quota[field]?.value ?? []));
    const format = formatLimitColumn(limits);
    return (limit: ServiceQuota | undefined): string => (limit ? format(limit.value) : "-");
  };
  const requests = columnOf("requestsPerMinute");
  const tokens = columnOf("tokensPerMinute", "inputTokensPerMinute", "outputTokensPerMinute");
  const daily = columnOf("tokensPerDay");
  return ways.map(({ id, scope, quota = {} }) =>
    scope === "mantle"
      ? [
          `${id} (Mantle)`,
          "-",
          joined(tokens(quota.inputTokensPerMinute), tokens(quota.outputTokensPerMinute)),
          "-",
        ]
      : [id, requests(quota.requestsPerMinute), tokens(quota.tokensPerMinute), daily(quota.tokensPerDay)],
  );
}

function factsOf(report: ModelReport): Fact[] {
  const { burndown, defaultMaxTokens, survey, call } = report;
  const zero = survey.ways.filter(({ quota }) => Object.values(quota ?? {}).some(({ value }) => value === 0));
  return [
    ...zero.map(({ id, quota }): Fact => ["no quota", `${id}: ${zeroInWords(Object.values(quota ?? {}))}`]),
    [
      "a call",
      call
        ? callInWords(call)
        : defaultMaxTokens === 0
          ? "takes its input when it begins"
          : `takes its input and --max-tokens when it begins; without it ${defaultMaxTokens.toLocaleString("en-US")}, the most of the model`,
    ],
    ["answer", call && `${answerOf(call)}${report.way ? `, by ${report.way.id}` : ""}`],
    ...survey.ways.flatMap((way): Fact[] => usedInWords(way)),
    [
      "output",
      burndown.output === 1
        ? "a token of it takes one of the quota"
        : `a token of it takes ${burndown.output} of the quota when the call has ended`,
    ],
    ["source", burndown.source, "whole"],
    [
      "account",
      survey.ofAccount && `${formatTokens(survey.ofAccount.value)} tokens a day for all models together`,
    ],
  ];
}

function zeroInWords(limits: readonly ServiceQuota[]): string {
  const zero = limits.filter(({ value }) => value === 0);
  const isAdjustable = zero.every((limit) => limit.isAdjustable);
  const [first] = zero;
  return isAdjustable && first
    ? `ask for more: aws service-quotas request-service-quota-increase --service-code bedrock --quota-code ${first.code} --desired-value 1000`
    : "no call passes; ask AWS Support for more: https://console.aws.amazon.com/support/home#/case/create";
}

function usedInWords({ id, quota, used }: QuotaWay): Fact[] {
  if (!used || (used.busiest.requests === 0 && used.busiest.tokens === 0 && used.throttles === 0)) return [];
  const share = (value: number, limit: ServiceQuota | undefined): string => {
    if (!limit || limit.value === 0) return "";
    const percent = (100 * value) / limit.value;
    return percent > 0 && percent < 1 ? " (<1 %)" : ` (${Math.round(percent)} %)`;
  };
  const { requests, tokens } = used.busiest;
  const parts = [
    `${count(requests, "request")}${share(requests, quota?.requestsPerMinute)}`,
    `${formatTokens(tokens)} tokens${share(tokens, quota?.tokensPerMinute)}`,
  ];
  const throttled = used.throttles > 0 ? `, ${used.throttles} throttled` : "";
  return [
    ["used", `${id}: at most ${parts.join(" and ")} a minute in the last ${USE_MINUTES} minutes${throttled}`],
  ];
}

function callInWords({
  inputTokens,
  maxTokens,
  maxTokensSource,
  reserves,
  settlesAtMost,
}: CallReport): string {
  const count = (tokens: number): string => tokens.toLocaleString("en-US");
  const most = maxTokensSource === "model" ? ", the most of the model," : "";
  const later = settlesAtMost > reserves ? `, and ${count(settlesAtMost)} at most when it has ended` : "";
  return `of ${count(inputTokens)} tokens and up to ${count(maxTokens)} of answer${most} takes ${count(reserves)} when it begins${later}`;
}

/** Whether a call passes, in a few words. */
function answerOf({ verdict, maxTokensSource }: CallReport): string {
  switch (verdict.answer) {
    case "fits":
      return "fits";
    case "wait":
      return `in ${verdict.waitSeconds} s`;
    case "too-large":
      if (verdict.fittingMaxTokens === undefined) return "too large: the input alone is more than the quota";
      return maxTokensSource === "model"
        ? `fits with --max-tokens ${verdict.fittingMaxTokens}`
        : `too large: fits with --max-tokens ${verdict.fittingMaxTokens}`;
    case "no-quota":
      return "never: the quota is 0";
    case "unknown":
      return "unknown: no quota of tokens is known";
  }
}
