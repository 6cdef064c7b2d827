import {
  type BatchEstimate,
  type EstimateOptions,
  estimateBatch,
  type ModelReport,
  type OutputSource,
  type Refusal,
} from "../../batch/estimate/estimate-batch.ts";
import type { Road, RoadName } from "../../batch/estimate/roads.ts";
import { linesInWords, refuseProblems, tellCheck } from "../../batch/lines/check-input.ts";
import { type BatchInput, openBatchInput } from "../../batch/lines/open-input.ts";
import { loadConfig } from "../../config/resolve.ts";
import { formatUsd } from "../../models/usage.ts";
import type { Runtime } from "../../runtime.ts";
import { type Fact, printFacts } from "../../terminal/fact-lines.ts";
import { formatAge, formatBytes, formatTokens } from "../../terminal/numbers.ts";
import { type Column, layoutTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";

export interface Options extends EstimateOptions {
  file: string;
}

/**
 * Tells what the lines of a file would cost on demand, in the tier `flex` and as a job of Bedrock's batch inference, how
 * long they take, and what such a job would refuse. Throws `usage` for lines that cannot be asked, and the errors of
 * `estimateBatch`.
 */
export async function run(options: Options, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const config = await loadConfig(options, runtime);
  const input = await openBatchInput(options.file, runtime);
  try {
    const estimate = await estimateBatch(input, options, { runtime, config });
    tellCheck(estimate.check, input, terminal);
    refuseProblems(estimate.check, input, terminal);
    if (terminal.format === "json") await terminal.printJson(documentOf(estimate, terminal));
    else if (terminal.isStdoutTTY) await printEstimate(estimate, input, runtime);
    else {
      for (const road of estimate.roads) await terminal.print(pipedCells(road).join("\t"));
      for (const refusal of estimate.refusals) await terminal.print(`refused\t${refusalInWords(refusal)}`);
    }
    for (const { id, missing } of estimate.models)
      if (missing)
        await terminal.warn(`The quotas of '${id}' are not known: ${missing.message}`, missing.hint);
  } finally {
    await input.close();
  }
}

/** The `--json` document: docs/schemas/batch-estimate.schema.json. */
function documentOf({ check, models, roads, refusals }: BatchEstimate, terminal: Terminal): object {
  const { kind, lines, bytes } = check;
  return {
    kind,
    lines,
    bytes,
    models: models.map(({ id, tally, rate, outputTokens, outputSource, missing }) => ({
      model: id,
      lines: tally.lines,
      inputTokens: tally.inputTokens,
      outputTokens: tally.outputTokens,
      mostOutputTokens: tally.mostOutputTokens,
      outputTokensPerLine: outputTokens,
      outputTokensSource: outputSource,
      requestsPerMinute: rate.requests ?? null,
      tokensPerMinute: rate.tokens ?? null,
      missing: missing
        ? terminal.told({ code: missing.code, message: missing.message, hint: missing.hint ?? "" })
        : null,
    })),
    roads: roads.map(({ name, usd, mostUsd, seconds }) => ({
      road: name,
      usd: inCents(usd),
      mostUsd: inCents(mostUsd),
      seconds: seconds === null ? null : Math.ceil(seconds),
    })),
    refusals: refusals.map(({ message, lines: about }) => ({
      message,
      lines: about?.count ?? null,
      firstLine: about?.first ?? null,
    })),
  };
}

/** Without the noise of floating point. */
function inCents(usd: number | null): number | null {
  return usd === null ? null : Number(usd.toFixed(10));
}

function pipedCells({ name, usd, mostUsd, seconds }: Road): string[] {
  const cell = (value: number | null): string => (value === null ? "" : String(value));
  return [name, cell(inCents(usd)), cell(inCents(mostUsd)), seconds === null ? "" : cell(Math.ceil(seconds))];
}

const ROADS: Readonly<Record<RoadName, string>> = {
  run: "batch run",
  "run-flex": "batch run, tier flex",
  submit: "batch submit",
};

const COLUMNS: readonly Column[] = [
  { title: "Road" },
  { title: "Price", align: "right" },
  { title: "At most", align: "right", dropOrder: 1 },
  { title: "Takes" },
];

async function printEstimate(
  { check, models, roads, refusals }: BatchEstimate,
  { label }: BatchInput,
  { terminal }: Runtime,
): Promise<void> {
  const { dim } = await terminal.stdoutStyle();
  const usd = (value: number | null): string => (value === null ? "-" : `$${formatUsd(value)}`);
  const rows = roads.map((road) => [ROADS[road.name], usd(road.usd), usd(road.mostUsd), takes(road)]);
  await printFacts(
    [
      ["file", `${label}: ${count(check.lines, "line")}, ${formatBytes(check.bytes)}`],
      ...models.flatMap((model): Fact[] => factsOf(model)),
    ],
    terminal,
  );
  await terminal.print("");
  for (const line of layoutTable(COLUMNS, rows, terminal.columns, dim)) await terminal.print(line);
  if (refusals.length === 0) return;
  await terminal.print("");
  await printFacts(
    refusals.map((refusal): Fact => ["submit refuses", refusalInWords(refusal)]),
    terminal,
  );
}

function factsOf({ id, tally, rate, outputTokens, outputSource }: ModelReport): Fact[] {
  const most = tally.mostOutputTokens === null ? "" : `, ${formatTokens(tally.mostOutputTokens)} at most`;
  const limits = [
    ...(rate.requests === undefined ? [] : [`${formatTokens(rate.requests)} requests`]),
    ...(rate.tokens === undefined ? [] : [`${formatTokens(rate.tokens)} tokens`]),
  ];
  return [
    ["model", id],
    ["tokens in", `about ${formatTokens(tally.inputTokens)} (give or take a quarter)`],
    [
      "tokens out",
      `about ${formatTokens(tally.outputTokens)}${most}: ${outputTokens} a line, ${SOURCES[outputSource]}`,
    ],
    ["quota", limits.length === 0 ? undefined : `${limits.join(" and ")} a minute`],
  ];
}

const SOURCES: Readonly<Record<OutputSource, string>> = {
  flag: "by --output-tokens",
  ledger: "as its answers have had here",
  usual: "which is a guess: --output-tokens N says it",
};

function takes({ name, seconds }: Road): string {
  if (seconds === null) return "not known: no quota is";
  return name === "submit" ? "up to 24 h" : `at least ${formatAge(seconds * 1000)}`;
}

function refusalInWords({ message, lines }: Refusal): string {
  if (!lines) return message;
  return `${linesInWords(lines)}: ${message}`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}
