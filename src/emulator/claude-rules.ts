import { isRecord, textAt } from "../json.ts";
import type { ContentBlock, ConverseRequest } from "./converse-model.ts";
import { betaFault, ownToolFault } from "./claude-tools.ts";
import { schemaFault } from "./schema-rules.ts";

export interface ModelRule {
  models: RegExp;
  /** What is said of a request; undefined where the model takes it. */
  refuse: (request: ConverseRequest, modelId: string) => string | undefined;
}

const ANY = /anthropic\./;
/** Claude that reasons adaptively alone, and has no sampling. */
export const ADAPTIVE_ONLY = /anthropic\.claude-((opus|sonnet|haiku)-(4-[7-9]|[5-9])|fable|mythos)/;
/** Claude that does not think. */
const WITHOUT_THINKING = /anthropic\.claude-(3-5|3-(haiku|sonnet|opus)|instant|v2)/;
/** Claude that can be held to a schema by Converse: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
const HELD_TO_SCHEMA = /anthropic\.claude-((opus|sonnet|haiku)-(4-[56]|[5-9])|fable|mythos)/;
/** Claude that answers with an effort: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html */
const WITHOUT_EFFORT =
  /anthropic\.claude-((sonnet|haiku)-4-5|(opus|sonnet|haiku)-4-([014]-|\d{8})|3|instant|v2)/;
/** Claude up to 4.5 takes 20 images and documents of a request, newer 100: https://github.com/boto/boto3/issues/4632 */
const FEW_FILES = /anthropic\.claude-(3|instant|v2)/;

/**
 * Fields of Claude's own that Converse hands on, by https://platform.claude.com/docs/en/api/messages. Others are refused:
 * https://github.com/BerriAI/litellm/issues/13825, https://github.com/BerriAI/litellm/issues/13609
 */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "anthropic_beta",
  "anthropic_version",
  "cache_control",
  "context_management",
  "metadata",
  "output_config",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
]);

const THINKING_TYPES = ["enabled", "disabled", "adaptive", "between_tools"];
const EFFORTS = ["low", "medium", "high", "xhigh", "max"];
const PAGE =
  "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking";

/** What Claude refuses of the parameters, the tools and the files of a request, in its words. */
export const CLAUDE_RULES: readonly ModelRule[] = [
  {
    models: ANY,
    refuse: ({ additionalFields }) => {
      const unknown = Object.keys(additionalFields).find((name) => !OWN_FIELDS.has(name));
      return unknown && `${unknown}: Extra inputs are not permitted`;
    },
  },
  { models: ANY, refuse: betaFault },
  { models: ANY, refuse: ownToolFault },
  {
    // https://github.com/langchain-ai/langchainjs/pull/8338
    models: WITHOUT_THINKING,
    refuse: ({ additionalFields: { thinking } }) =>
      thinking === undefined ? undefined : "thinking: Extra inputs are not permitted",
  },
  { models: ANY, refuse: ({ additionalFields: { thinking } }) => thinkingFault(thinking) },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
    models: ANY,
    refuse: ({ additionalFields: { top_k: topK } }) =>
      topK === undefined || Number.isInteger(topK) ? undefined : "top_k: Input should be a valid integer",
  },
  {
    // https://github.com/n8n-io/n8n/issues/14288, https://github.com/MartialBE/one-hub/issues/529
    models: ANY,
    refuse: ({ additionalFields: { thinking, top_k: topK }, temperature, topP }, modelId) => {
      const type = textAt(thinking, "type");
      if ((type !== "enabled" && type !== "adaptive") || ADAPTIVE_ONLY.test(modelId)) return undefined;
      if (temperature !== undefined && temperature !== 1)
        return `\`temperature\` may only be set to 1 when thinking is enabled. ${PAGE}`;
      if (topK !== undefined) return `\`top_k\` must be unset when thinking is enabled. ${PAGE}`;
      return typeof topP === "number" && topP < 0.95
        ? `\`top_p\` must be greater than or equal to 0.95 or unset when thinking is enabled. ${PAGE}`
        : undefined;
    },
  },
  {
    // https://github.com/promptfoo/promptfoo/issues/10307
    models: ADAPTIVE_ONLY,
    refuse: ({ additionalFields: { top_k: topK } }) =>
      topK === undefined ? undefined : "`top_k` is deprecated for this model.",
  },
  {
    // https://github.com/anthropics/claude-code/issues/30795, https://github.com/coder/coder/issues/25356
    models: ANY,
    refuse: ({ additionalFields: { output_config: config } }, modelId) => {
      const effort = isRecord(config) ? config["effort"] : undefined;
      if (effort === undefined) return undefined;
      if (WITHOUT_EFFORT.test(modelId)) return "This model does not support the effort parameter.";
      const known = /opus-4-5/.test(modelId) ? EFFORTS.slice(0, 3) : EFFORTS;
      const listed = known.map((name) => `'${name}'`);
      const list = `${listed.slice(0, -1).join(", ")} or ${listed.at(-1)}`;
      return known.includes(String(effort)) ? undefined : `output_config.effort: Input should be ${list}`;
    },
  },
  {
    models: ANY,
    refuse: ({ additionalFields: { output_config: config } }, modelId) => {
      const format = isRecord(config) ? config["format"] : undefined;
      if (format === undefined) return undefined;
      if (!HELD_TO_SCHEMA.test(modelId)) return "output_config.format: Extra inputs are not permitted";
      if (textAt(format, "type") !== "json_schema")
        return "output_config.format.type: Input should be 'json_schema'";
      return isRecord(format) && isRecord(format["schema"])
        ? undefined
        : "output_config.format.schema: Field required";
    },
  },
  {
    // https://github.com/future-agi/future-agi/pull/412
    models: HELD_TO_SCHEMA,
    refuse: ({ structure }) =>
      structure && structure.toolName === undefined && hasOpenObject(structure.schema)
        ? "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
        : undefined,
  },
  {
    // Both: https://github.com/anomalyco/opencode/issues/1279
    models: ANY,
    refuse: ({ messages }) => {
      const ids = new Set<string>();
      for (const [index, { content }] of messages.entries()) {
        for (const [position, { toolUse }] of content.entries()) {
          if (!toolUse) continue;
          const { toolUseId: id } = toolUse;
          const place = `messages.${index}.content.${position}`;
          if (!/^[a-zA-Z0-9_-]+$/.test(id))
            return `${place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
          if (ids.has(id)) return `${place}: \`tool_use\` ids must be unique`;
          ids.add(id);
        }
      }
      return undefined;
    },
  },
  {
    // https://github.com/BerriAI/litellm/issues/3286
    models: ANY,
    refuse: ({ stopSequences }) =>
      stopSequences.some((stop) => stop.trim() === "")
        ? "stop_sequences: each stop sequence must contain non-whitespace"
        : undefined,
  },
  {
    models: ANY,
    refuse: ({ tools = [] }) => {
      for (const [index, { toolSpec }] of tools.filter(({ cachePoint }) => !cachePoint).entries()) {
        const fault = schemaFault(toolSpec?.inputSchema.json);
        if (fault !== undefined) return `tools.${index}.custom.input_schema${fault}`;
      }
      return undefined;
    },
  },
  {
    // https://github.com/Portkey-AI/gateway/issues/1762
    models: ANY,
    refuse: ({ tools = [], system, messages }) => {
      const places = [
        ...cachedIn(tools, "tools"),
        ...cachedIn(system as readonly ContentBlock[], "system"),
        ...messages.flatMap(({ content }, index) => cachedIn(content, `messages.${index}.content`)),
      ];
      const short = places.findIndex(({ ttl }) => ttl === "5m");
      const late = short < 0 ? undefined : places.slice(short).find(({ ttl }) => ttl === "1h");
      return (
        late &&
        `${late.place}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`
      );
    },
  },
  {
    // https://github.com/boto/boto3/issues/4632, https://github.com/cline/cline/issues/1844
    models: ANY,
    refuse: ({ messages }, modelId) => {
      const blocks = messages.flatMap(({ content }) => content.flatMap(withResults));
      const images = blocks.filter(({ image }) => image).length;
      const documents = blocks.filter(({ document }) => document).length;
      const most = FEW_FILES.test(modelId) ? 20 : 100;
      return images + documents > most
        ? `too many images and documents: ${images} + ${documents} > ${most}`
        : undefined;
    },
  },
  {
    // https://platform.claude.com/docs/en/build-with-claude/vision; sizes are those of the base64
    models: ANY,
    refuse: ({ messages }) => {
      for (const [index, { content }] of messages.entries()) {
        for (const [position, { image }] of content.entries()) {
          const source = isRecord(image) ? image["source"] : undefined;
          const bytes = textAt(source, "bytes") ?? "";
          const size = bytes.length;
          // https://github.com/anthropics/claude-code/issues/13131
          const format = textAt(image, "format");
          const kind = IMAGE_KINDS.find(([beginning]) => beginning.test(bytes))?.[1];
          if (kind !== undefined && kind !== format)
            return `messages.${index}.content.${position}.image.source.base64.data: Image does not match the provided media type image/${format}`;
          if (size > MOST_IMAGE_BYTES)
            return `messages.${index}.content.${position}.image.source.base64: image exceeds 5 MB maximum: ${size} bytes > ${MOST_IMAGE_BYTES} bytes`;
        }
      }
      return undefined;
    },
  },
];

const MOST_IMAGE_BYTES = 5 * 1024 * 1024;

/** How the kinds of images begin, in base64. */
const IMAGE_KINDS: readonly [RegExp, string][] = [
  [/^iVBORw0KGgo/, "png"],
  [/^\/9j\//, "jpeg"],
  [/^R0lGODdh|^R0lGODlh/, "gif"],
  [/^UklGR.{7}RUJQ/, "webp"],
];

/** Whether a schema has an object in it that may have other members than it names. */
function hasOpenObject(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasOpenObject);
  if (!isRecord(schema)) return false;
  const isOpen = schema["type"] === "object" && schema["additionalProperties"] !== false;
  return isOpen || Object.values(schema).some(hasOpenObject);
}

/** A block, and what stands in it where it is the result of a tool. */
function withResults(block: ContentBlock): readonly ContentBlock[] {
  return block.toolResult ? block.toolResult.content : [block];
}

/** The cache points of a list, each as Claude has it: a mark of the block before. */
function cachedIn(
  blocks: readonly { cachePoint?: unknown }[],
  path: string,
): { place: string; ttl: string }[] {
  let place = -1;
  return blocks.flatMap((block) => {
    if (block.cachePoint === undefined) {
      place += 1;
      return [];
    }
    return [{ place: `${path}.${Math.max(place, 0)}`, ttl: textAt(block.cachePoint, "ttl") ?? "5m" }];
  });
}

/** What is wrong with `thinking`: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
function thinkingFault(thinking: unknown): string | undefined {
  if (thinking === undefined) return undefined;
  if (!isRecord(thinking)) return "thinking: Input should be a valid dictionary";
  const type = textAt(thinking, "type") ?? "";
  if (!THINKING_TYPES.includes(type)) {
    const tags = THINKING_TYPES.map((tag) => `'${tag}'`).join(", ");
    return `thinking: Input tag '${type}' found using 'type' does not match any of the expected tags: ${tags}`;
  }
  const budget = thinking["budget_tokens"];
  if (type !== "enabled") return undefined;
  if (typeof budget !== "number") return "thinking.enabled.budget_tokens: Field required";
  if (!Number.isInteger(budget)) return "thinking.enabled.budget_tokens: Input should be a valid integer";
  return budget < 1024
    ? "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    : undefined;
}
