import type { JsonObject } from "../../json.ts";
import { sha256Hex } from "../../aws/digest.ts";
import type { Demand, Tool } from "./tool.ts";

/** What is allowed, by those who may allow something: the command line, the settings and the person. */
export interface LeaveRules {
  /** The patterns of `--allow`, in which `*` stands for any characters. */
  allowed: readonly string[];
  canAsk: boolean;
  /** Tools that the person has allowed for as long as this conversation lasts, by name, each with its `fingerprintOf`. */
  always: ReadonlyMap<string, string>;
  /** The tools as they were first seen, by name, each with its `fingerprintOf`: what is allowed is those. */
  seen: ReadonlyMap<string, string>;
}

/** Whether a call may run: yes, when a person says so, or not at all and why. */
export type Leave =
  | { kind: "run" }
  /** `offersAlways` says whether the answer may be for the whole conversation; `hasChanged`, that the tool is another now. */
  | { kind: "ask"; offersAlways: boolean; hasChanged: boolean }
  /** `why` completes "The call was not run: …"; `allow` is what `--allow` would have to name, where that helps. */
  | { kind: "refuse"; why: string; allow?: string | undefined };

/**
 * Judges whether a call of a tool may run. `never` of the settings stands above everything; what is allowed by name or
 * for always is the tool as it was then: one whose definition has changed is asked about again. Nothing that a tool or
 * its server says of itself counts, beyond where it comes from.
 */
export function judgeLeave(tool: Tool, input: JsonObject, rules: LeaveRules): Leave {
  if (tool.allow === "never") return { kind: "refuse", why: `the settings never allow '${tool.name}'` };
  const demand = demandFor(tool, input);
  const now = fingerprintOf(tool);
  const seen = rules.seen.get(tool.name);
  const hasChanged = seen !== undefined && seen !== now;
  if (!demand.isExact && rules.always.get(tool.name) === now) return { kind: "run" };
  const isAllowed = rules.allowed.some((pattern) =>
    demand.isExact ? pattern === demand.name : matchesPattern(demand.name, pattern),
  );
  const isAlways = tool.allow === "always" && !demand.isExact;
  if ((isAllowed || isAlways) && !hasChanged) return { kind: "run" };
  if (!demand.isAsked) {
    const because = demand.because === undefined ? "" : `it ${demand.because}, and `;
    return { kind: "refuse", why: `${because}only --allow ${demand.name} permits it`, allow: demand.name };
  }
  if (rules.canAsk) return { kind: "ask", offersAlways: !demand.isExact, hasChanged };
  if (isAllowed || isAlways)
    return { kind: "refuse", why: `the definition of '${tool.name}' has changed since it was allowed` };
  return { kind: "refuse", why: "nobody can be asked, and --allow does not name it", allow: demand.name };
}

/** The leave that a call needs: that of its tool, unless the tool knows better. */
export function demandFor(tool: Tool, input: JsonObject): Demand {
  return tool.demandOf?.(input) ?? { name: tool.name, isExact: false, isAsked: true };
}

/** Identifies what a tool is: where it comes from, what it says it does and what it takes. */
export function fingerprintOf({ name, source, description, inputSchema }: Tool): string {
  return sha256Hex(JSON.stringify([name, source, description, inputSchema]));
}

/** Whether a name fits a pattern, in which `*` stands for any characters. Takes time by the product of both lengths. */
export function matchesPattern(name: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false;
  let place = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, place);
    if (found < 0 || found + part.length > end) return false;
    place = found + part.length;
  }
  return true;
}
