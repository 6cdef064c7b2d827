import { describeChosen } from "./describe.ts";
import type { InstanceAnswer } from "./imds.ts";
import type { Finding } from "./finding.ts";
import { explainChosen, findAll } from "./findings.ts";
import type { CredentialDecision, OrderRow, SourceName } from "./order.ts";

/** What `doctor` and `models status` show of the credentials. */
export interface CredentialReport {
  /** The source that signs; `none` when nothing does. */
  source: SourceName | "none";
  detail: string;
  order: readonly OrderRow[];
  findings: readonly Finding[];
}

/**
 * Puts a decision into words for people. `instance` is what the instance metadata service said, where the default chain
 * ends there: without it nobody knows whether the last source answers, and with a refusal it counts as not set.
 */
export function reportCredentials(decision: CredentialDecision, instance?: InstanceAnswer): CredentialReport {
  const { chosen, order } = decision;
  const findings = findAll(decision).filter(({ topic }) => topic === "credentials");
  const detail = explainChosen(decision)?.message ?? describeChosen(chosen, instance);
  const step = "step" in chosen ? chosen.step : undefined;
  if (step === "instance-metadata" && instance) {
    const source = "default-chain";
    const isThere = instance.status === "role";
    const answered: OrderRow = { source, status: isThere ? "used" : "not set", detail };
    const rows = order.map((row) => (row.source === source ? answered : row));
    return { source: isThere ? source : "none", detail, order: rows, findings };
  }
  const isNone = chosen.source === "invalid" || step === "none";
  return { source: isNone ? "none" : chosen.source, detail, order, findings };
}
