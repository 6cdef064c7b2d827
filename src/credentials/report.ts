import { describeChosen, describeInstance } from "./describe.ts";
import type { InstanceAnswer } from "./imds.ts";
import type { CredentialDecision, Finding, OrderRow, SourceName } from "./order.ts";

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
  const { chosen, order, findings } = decision;
  const detail = describeChosen(chosen, instance);
  if (chosen.source === "invalid") return { source: "none", detail, order, findings };
  if (chosen.source !== "default-chain") return { source: chosen.source, detail, order, findings };
  if (chosen.step !== "instance-metadata" || instance === undefined) {
    return { source: chosen.step === "none" ? "none" : chosen.source, detail, order, findings };
  }
  const isThere = instance.status === "role";
  const chain: OrderRow = {
    source: chosen.source,
    status: isThere ? "used" : "not set",
    detail: describeInstance(instance),
  };
  const answered = order.map((row) => (row.source === chain.source ? chain : row));
  return { source: isThere ? chosen.source : "none", detail, order: answered, findings };
}
