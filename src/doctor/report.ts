import type { Region } from "../aws/region.ts";
import type { CredentialReport } from "../credentials/report.ts";
import type { CheckResult } from "./check.ts";

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
