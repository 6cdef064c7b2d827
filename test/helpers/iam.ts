import type { Permission } from "../../src/emulator/emulator.ts";
import type { PolicyDocument, PolicyStatement } from "../../src/iam/policy.ts";

/**
 * Whether a policy allows what a call needs, as IAM evaluates statements that only allow: `*` and `?` in actions and
 * resources, every condition key there and like one of its values.
 */
export function allows(policy: PolicyDocument, permission: Permission): boolean {
  return policy.Statement.some((statement) => isCovered(statement, permission));
}

function isCovered({ Action, Resource, Condition }: PolicyStatement, permission: Permission): boolean {
  const { action, resource, context } = permission;
  const conditions = Object.entries(Condition?.StringLike ?? {});
  return (
    Action.some((pattern) => isLike(pattern.toLowerCase(), action.toLowerCase())) &&
    [Resource].flat().some((pattern) => isLike(pattern, resource)) &&
    conditions.every(([key, patterns]) => {
      const value = context[key];
      return value !== undefined && patterns.some((pattern) => isLike(pattern, value));
    })
  );
}

function isLike(pattern: string, text: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(text);
}
