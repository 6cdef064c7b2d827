import { isRecord, type JsonObject, textAt } from "../json.ts";
import type { ConverseRequest, Tools } from "./converse-model.ts";

interface KnownTool {
  /** What it has to be called. */
  name: string;
  /** The beta feature that the type is. */
  beta?: string;
  /** Its own fields; those with `true` have to be there. */
  fields?: Readonly<Record<string, boolean>>;
  /** What Claude calls it with. */
  input: Readonly<Record<string, object>>;
}

const BASH = { command: { type: "string" } };
const EDITING = { command: { enum: ["view"] }, path: { type: "string" } };
const ACTING = { action: { enum: ["screenshot"] } };

const SCREEN = { display_width_px: true, display_height_px: true, display_number: false };
const FIRST = "computer-use-2024-10-22";

/**
 * The tools that Bedrock knows by a type: https://docs.aws.amazon.com/bedrock/latest/userguide/computer-use.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-tool-use.html. Those that
 * need no beta feature are what Bedrock lists in its refusal of others, measured in July 2026 for Claude Sonnet 4.6. What
 * runs on Anthropic's own servers is not in Bedrock.
 */
const TOOLS: Readonly<Record<string, KnownTool>> = {
  bash_20241022: { name: "bash", beta: FIRST, input: BASH },
  bash_20250124: { name: "bash", input: BASH },
  computer_20241022: { name: "computer", beta: FIRST, fields: SCREEN, input: ACTING },
  computer_20250124: { name: "computer", beta: "computer-use-2025-01-24", fields: SCREEN, input: ACTING },
  computer_20251124: {
    name: "computer",
    beta: "computer-use-2025-11-24",
    fields: { ...SCREEN, enable_zoom: false },
    input: ACTING,
  },
  memory_20250818: { name: "memory", input: EDITING },
  text_editor_20241022: { name: "str_replace_editor", beta: FIRST, input: EDITING },
  text_editor_20250124: { name: "str_replace_editor", input: EDITING },
  text_editor_20250429: { name: "str_replace_based_edit_tool", input: EDITING },
  text_editor_20250728: {
    name: "str_replace_based_edit_tool",
    fields: { max_characters: false },
    input: EDITING,
  },
};

/** Those with which Claude looks for others: by InvokeModel alone. */
const SEARCHES = ["bm25", "regex"].flatMap((kind) => [
  `tool_search_tool_${kind}`,
  `tool_search_tool_${kind}_20251119`,
]);
const SEARCH_BETA = "tool-search-tool-2025-10-19";

/** What any of them may have beside its own. */
const SHARED: ReadonlySet<string> = new Set([
  "type",
  "name",
  "cache_control",
  "defer_loading",
  "allowed_callers",
  "input_examples",
  "strict",
]);

/**
 * The beta features that Bedrock takes, each with the models of one that only some take:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html,
 * https://github.com/BerriAI/litellm/pull/19877, and of newer ones what gateways send on to it.
 */
const BETAS: Readonly<Record<string, RegExp>> = {
  [FIRST]: /./,
  "computer-use-2025-01-24": /./,
  "computer-use-2025-11-24": /./,
  "token-efficient-tools-2025-02-19": /./,
  "output-128k-2025-02-19": /./,
  "interleaved-thinking-2025-05-14": /./,
  "dev-full-thinking-2025-05-14": /./,
  "fine-grained-tool-streaming-2025-05-14": /./,
  "context-1m-2025-08-07": /./,
  "context-management-2025-06-27": /./,
  "effort-2025-11-24": /./,
  [SEARCH_BETA]: /./,
  "tool-examples-2025-10-29": /./,
  "compact-2026-01-12": /./,
  "thinking-binding-controls-2026-08-01": /./,
  "thinking-display-updates-2026-08-18": /./,
  "mid-conversation-output-config-2026-07-01": /./,
  "mid-conversation-tool-changes-2026-07-01": /./,
  "dangerous-tool-use-2026-09-03": /./,
  // Measured: https://github.com/anthropics/claude-code/issues/49648
  "claude-code-20250219": /anthropic\.claude-(3|(opus|sonnet|haiku)-4-([0-6]|\d{8}))/,
};

/** What is wrong with the beta features of a request, which is never said of one by its name. */
export function betaFault(
  { additionalFields: { anthropic_beta: asked }, isVendorsForm = false }: ConverseRequest,
  modelId: string,
): string | undefined {
  if (asked === undefined) return undefined;
  if (!Array.isArray(asked)) return "anthropic_beta: Input should be a valid list";
  const betas = asked as unknown[];
  // Measured: https://github.com/agentgateway/agentgateway/issues/3240
  if (betas.includes(SEARCH_BETA) && !isVendorsForm)
    return "The tool-search-tool beta feature is not currently supported on the Converse and ConverseStream APIs";
  const isTaken = betas.every(
    (beta) => Object.hasOwn(BETAS, String(beta)) && BETAS[String(beta)]?.test(modelId),
  );
  return isTaken ? undefined : "invalid beta flag";
}

/** What is wrong with the tools that a request names by their types. */
export function ownToolFault({
  additionalFields: { tools, anthropic_beta: betas },
  tools: declared = [],
  isVendorsForm = false,
}: ConverseRequest): string | undefined {
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return "tools: Input should be a valid list";
  const features = Array.isArray(betas) ? (betas as unknown[]) : [];
  const tags = [
    "custom",
    ...(isVendorsForm ? SEARCHES : []),
    ...Object.entries(TOOLS).flatMap(([type, { beta }]) =>
      beta === undefined || features.includes(beta) ? type : [],
    ),
  ].toSorted();
  const names = declared.flatMap(({ toolSpec }) => toolSpec?.name ?? []);
  for (const [index, tool] of (tools as unknown[]).entries()) {
    if (!isRecord(tool)) return `tools.${index}: Input should be a valid dictionary`;
    const type = textAt(tool, "type") ?? "custom";
    if (!tags.includes(type))
      return `tools.${index}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${tags.map((tag) => `'${tag}'`).join(", ")}`;
    const fault = fieldFault(tool, type);
    if (fault !== undefined) return `tools.${index}.${type}.${fault}`;
    // In the vendor's own form they are among the others already.
    if (!isVendorsForm) names.push(String(tool["name"]));
  }
  return new Set(names).size < names.length ? "tools: Tool names must be unique." : undefined;
}

/** Tools that are known by their types as they would be described, in the form of Converse. */
export function describedTools(tools: unknown): Tools {
  return (Array.isArray(tools) ? (tools as unknown[]) : []).flatMap((tool) => {
    const type = textAt(tool, "type") ?? "";
    const known = Object.hasOwn(TOOLS, type) ? TOOLS[type] : undefined;
    if (!known) return [];
    const { name, input } = known;
    const json = { type: "object", properties: input, required: Object.keys(input) };
    return [{ toolSpec: { name, inputSchema: { json } } }];
  });
}

/** Of beta features named in a header those that Bedrock takes. */
export function betasOf(header: string | undefined): string[] {
  return (header ?? "").split(/\s*,\s*/).filter((beta) => Object.hasOwn(BETAS, beta));
}

function fieldFault(tool: JsonObject, type: string): string | undefined {
  const known = TOOLS[type];
  if (!known) return undefined;
  const { name, fields = {} } = known;
  if (tool["name"] !== name) return `name: Input should be '${name}'`;
  const missing = Object.keys(fields).find((field) => fields[field] && tool[field] === undefined);
  if (missing !== undefined) return `${missing}: Field required`;
  const extra = Object.keys(tool).find((field) => !SHARED.has(field) && !(field in fields));
  return extra && `${extra}: Extra inputs are not permitted`;
}
