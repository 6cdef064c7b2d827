import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { JsonObject } from "../../json.ts";
import { refused, type RequestField } from "../request-field.ts";
import type { Upstream } from "../upstream.ts";
import { matchesPattern } from "../../chat/tools/leave.ts";

/** The name under which the models stand that are asked where a caller names none. */
export const DEFAULT = "default";

/** What the tools call models with, and within which bounds. */
export interface ServedBy {
  options: GlobalOptions;
  upstream: Upstream;
  /** Whether there is a model for who names none. */
  hasDefault: boolean;
  /** Patterns of the ids and keys of models that may be asked; none where all may be. */
  allowed: readonly string[];
  /** The most that one call may cost, in USD. */
  mostUsd: number | undefined;
}

/** One call of a tool. */
export interface ToolRequest {
  input: RequestField;
  /** With the call's own signal. */
  runtime: Runtime;
  /** Tells the client how far the call is, in words; undefined where it did not ask. */
  tell: ((words: string) => void) | undefined;
}

/** What a tool answers: `text` for a model to read, by itself the value as JSON. */
export interface ToolAnswer {
  value: JsonObject;
  text?: string | undefined;
}

/** A tool that other programs are offered. */
export interface ServedTool {
  name: string;
  title: string;
  description: string;
  /** Whether a call costs nothing. */
  isFree: boolean;
  /** JSON Schemas, each with `type: "object"` at its root. */
  inputSchema: { type: "object"; properties: Record<string, object>; required?: string[] };
  outputSchema: { type: "object"; properties: Record<string, object>; required?: string[] };
  /** Throws what goes wrong, `invalid-request` for the input. */
  run(request: ToolRequest, by: ServedBy): Promise<ToolAnswer>;
}

/** Whether a model may be asked, by any of its names. */
export function mayAsk({ allowed }: Pick<ServedBy, "allowed">, ...names: readonly string[]): boolean {
  return (
    allowed.length === 0 || allowed.some((pattern) => names.some((name) => matchesPattern(name, pattern)))
  );
}

/** The error for a model that the one who runs the server does not allow. */
export function notAllowed(id: string, { allowed }: Pick<ServedBy, "allowed">): Error {
  return refused(`This server does not let '${id}' be asked, only: ${allowed.join(", ")}.`, "model");
}

/** JSON Schemas of what the tools share. */
export const USAGE_SCHEMA = {
  type: "object",
  description: "Tokens.",
  additionalProperties: { type: "number" },
};
export const COST_SCHEMA = {
  type: ["number", "null"],
  description: "Cost in USD by list prices; null where the price is not known.",
};
