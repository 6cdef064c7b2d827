import type { Region } from "../aws/region.ts";
import type { OrderRow } from "../credentials/order.ts";
import type { CredentialReport } from "../credentials/report.ts";
import type { Style } from "../terminal/color.ts";
import { hang, stepOf } from "../terminal/word-wrap.ts";
import type { CheckResult, CheckStatus } from "./check.ts";

/** What a run of `doctor` found out. */
export interface DoctorReport {
  results: readonly CheckResult[];
  credentials: CredentialReport;
  /** Undefined when no region could be decided, as with a flag that is no region name. */
  region: Region | undefined;
}

/** The `--json` document; docs/schemas/doctor.schema.json describes it. */
export function toDocument({ results, credentials, region }: DoctorReport) {
  const failed = results.find(({ status }) => status === "fail");
  return {
    schemaVersion: 1,
    ok: failed === undefined,
    exitCode: failed?.error?.exitCode ?? 0,
    credentials: {
      source: credentials.source,
      detail: credentials.detail,
      order: credentials.order.map(({ source, status, detail }) => ({ source, status, detail })),
      findings: credentials.findings.map(({ id, message, hint }) => ({ id, message, hint })),
    },
    region: region ? { value: region.value, source: region.source } : null,
    checks: results.map(({ id, title, status, detail, hint, durationMs }) => ({
      id,
      title,
      status,
      detail,
      ...(hint === undefined ? {} : { hint }),
      durationMs,
    })),
  };
}

const GAP = "  ";

/** Lays a report out for people: a line a check with its hint below, then the four credential sources in order. */
export function renderReport({ results, credentials }: DoctorReport, width: number, style: Style): string[] {
  return [
    ...renderChecks(results, width, style),
    "",
    ...hang("", style.bold("Credential sources, in order"), width),
    ...renderOrder(credentials.order, width, style),
  ];
}

function renderChecks(results: readonly CheckResult[], width: number, style: Style): string[] {
  const looks: Record<CheckStatus, (text: string) => string> = {
    ok: style.green,
    warn: style.yellow,
    fail: style.red,
    skip: style.dim,
  };
  const titleWidth = Math.max(...results.map(({ title }) => title.length));
  const indent = " ".repeat("skip".length + GAP.length + titleWidth + GAP.length);
  return results.flatMap(({ status, title, detail, hint }) => {
    const head = `${looks[status](status.padEnd("skip".length))}${GAP}${title.padEnd(titleWidth)}${GAP}`;
    return [
      ...hang(head, status === "skip" ? style.dim(detail) : detail, width),
      ...(hint === undefined ? [] : hangHint(indent, hint, width, style)),
    ];
  });
}

/** Where a hint cannot stand below the detail, it begins at the left. */
function hangHint(indent: string, hint: string, width: number, { dim }: Style): string[] {
  const title = `${dim("hint:")} `;
  const lines = hang(indent + title, hint, width);
  return lines[0]?.trim() === title.trim() ? hang(stepOf(width) + title, hint, width) : lines;
}

function renderOrder(order: readonly OrderRow[], width: number, style: Style): string[] {
  const looks: Record<OrderRow["status"], (text: string) => string> = {
    used: style.green,
    shadowed: style.yellow,
    "not set": style.dim,
    invalid: style.red,
  };
  const sourceWidth = Math.max(...order.map(({ source }) => source.length));
  const statusWidth = Math.max(...order.map(({ status }) => status.length));
  return order.flatMap(({ source, status, detail }, index) => {
    const head = `${index + 1}${GAP}${source.padEnd(sourceWidth)}${GAP}${looks[status](status.padEnd(statusWidth))}`;
    return hang(`${head}${GAP}`, detail, width).map((line) => line.trimEnd());
  });
}
