import type { MissingPart, QuotaWay } from "../../discovery/survey-quotas.ts";
import { type ModelQuota, type ServiceQuota, USE_MINUTES } from "../../models/quotas.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { CallReport, ModelReport } from "./model-report.ts";

const FIELDS: readonly (keyof ModelQuota)[] = ["requestsPerMinute", "tokensPerMinute", "tokensPerDay"];
const MANTLE_FIELDS: readonly (keyof ModelQuota)[] = ["inputTokensPerMinute", "outputTokensPerMinute"];

/** The `--json` document: docs/schemas/quota.schema.json. */
export function quotaDocument(
  reports: readonly ModelReport[],
  missing: readonly MissingPart[],
  terminal: Terminal,
): object {
  return {
    models: reports.map(({ id, name, region, defaultMaxTokens, burndown, survey, call }) => ({
      model: id,
      name,
      region,
      defaultMaxTokens,
      burndown,
      ways: survey.ways.map(describeWay),
      accountTokensPerDay: describeLimit(survey.ofAccount),
      call: call ? describeCall(call) : null,
    })),
    missing: missing.map(({ service, action, error: { code, message, hint = "" } }) =>
      terminal.told({ service, action, code, message, hint }),
    ),
  };
}

function describeWay({ id, scope, quota, used }: QuotaWay): object {
  const fields = scope === "mantle" ? MANTLE_FIELDS : FIELDS;
  return {
    id,
    scope,
    ...Object.fromEntries(fields.map((field) => [field, describeLimit(quota?.[field])])),
    used: used
      ? {
          minutes: USE_MINUTES,
          mostRequestsPerMinute: used.busiest.requests,
          mostTokensPerMinute: used.busiest.tokens,
          throttles: used.throttles,
          lastMinuteRequests: Math.round(used.now.requests),
          lastMinuteTokens: Math.round(used.now.tokens),
        }
      : null,
  };
}

function describeLimit(limit: ServiceQuota | undefined): object | null {
  if (!limit) return null;
  const { value, name, code, isAdjustable } = limit;
  return { value, name, code, adjustable: isAdjustable };
}

function describeCall({ verdict, ...call }: CallReport): object {
  return {
    ...call,
    answer: verdict.answer,
    waitSeconds: verdict.answer === "wait" ? verdict.waitSeconds : null,
    fittingMaxTokens: verdict.answer === "too-large" ? (verdict.fittingMaxTokens ?? null) : null,
  };
}
