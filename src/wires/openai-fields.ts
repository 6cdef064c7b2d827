import type {
  ConverseStreamCommandInput,
  OutputConfig,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import type { ReasoningEffort } from "openai/resources/shared";
import { OpenclawError } from "../errors.ts";
import { isRecord, textAt } from "../json.ts";
import { parseExactly } from "../json-numbers.ts";
import { EFFORTS } from "../session/refusal-table.ts";

/*
 * What both of OpenAI's APIs, chat completions and Responses, ask of a model, read out of a Converse request. Each has a
 * form of its own for it.
 */

export interface CallerFunction {
  name: string;
  description: string | undefined;
  /** The JSON Schema of its input. */
  parameters: Record<string, unknown>;
  strict: boolean | undefined;
}

/** The tools of a request. Throws `invalid-request` for one that is no function of the caller's. */
export function functionsOf({ tools = [] }: ToolConfiguration): CallerFunction[] {
  return (tools ?? []).flatMap((tool): CallerFunction[] => {
    if (tool.cachePoint) return [];
    const { name, description, inputSchema, strict } = tool.toolSpec ?? {};
    if (name === undefined) {
      throw new OpenclawError("invalid-request", {
        message: `OpenAI's API has no counterpart of a tool of the kind ${Object.keys(tool)[0] ?? "unknown"}.`,
        hint: "Give the model tools with a toolSpec.",
      });
    }
    const parameters = (inputSchema?.json ?? { type: "object", properties: {} }) as Record<string, unknown>;
    return [{ name, description, parameters, strict }];
  });
}

/** Which tool must be called: its name, `required` for any, `auto` where the model may choose; undefined where nobody says. */
export function choiceOf(
  choice: ToolConfiguration["toolChoice"],
): { name: string } | "required" | "auto" | undefined {
  if (choice?.tool) return { name: choice.tool.name ?? "" };
  if (choice?.any) return "required";
  return choice?.auto ? "auto" : undefined;
}

export interface AnswerFormat {
  name: string;
  description?: string;
  schema: Record<string, unknown>;
}

/** The JSON Schema that the answer is held to; undefined where there is none. Throws `invalid-request` for what is no JSON. */
export function formatOf({ textFormat }: OutputConfig): AnswerFormat | undefined {
  const jsonSchema = textFormat?.structure?.jsonSchema;
  if (!jsonSchema?.schema) return undefined;
  const { name = "answer", description } = jsonSchema;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    schema: readSchema(jsonSchema.schema),
  };
}

function readSchema(text: string): Record<string, unknown> {
  try {
    return parseExactly(text) as Record<string, unknown>;
  } catch (cause) {
    throw new OpenclawError("invalid-request", {
      message: `The JSON Schema of outputConfig is not JSON: ${(cause as Error).message}.`,
      hint: "Send the schema as JSON text.",
      cause,
    });
  }
}

/** How Claude, Nova and others are told to reason: fields of those models alone, from which the effort is taken. */
const REASONING_FIELDS: ReadonlySet<string> = new Set([
  "thinking",
  "output_config",
  "reasoning_config",
  "reasoningConfig",
  "anthropic_beta",
]);

/** The fields of the model's own: those that may go as they are, and the effort that others come to. */
export function ownFields(additional: ConverseStreamCommandInput["additionalModelRequestFields"]): {
  fields: Record<string, unknown>;
  effort: NonNullable<ReasoningEffort> | undefined;
  dropped: string[];
} {
  const all = isRecord(additional) ? additional : {};
  const entries = Object.entries(all).filter(([name]) => !REASONING_FIELDS.has(name));
  const effort =
    textAt(all["output_config"], "effort") ??
    textAt(all["reasoningConfig"], "maxReasoningEffort") ??
    textAt(all, "reasoning_config") ??
    (textAt(all["thinking"], "type") === "disabled" ? "none" : undefined);
  const dropped = Object.keys(all).filter((name) => REASONING_FIELDS.has(name));
  return {
    fields: Object.fromEntries(entries),
    effort: isEffort(effort) ? effort : undefined,
    dropped: effort === undefined ? dropped : [],
  };
}

function isEffort(text: string | undefined): text is NonNullable<ReasoningEffort> {
  return text !== undefined && EFFORTS.includes(text);
}
