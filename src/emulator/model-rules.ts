import { createHash } from "node:crypto";
import { isRecord, textAt } from "../json.ts";
import { AwsError, validationError } from "./aws-error.ts";
import { ADAPTIVE_ONLY, CLAUDE_RULES, type ModelRule } from "./claude-rules.ts";
import type { ContentBlock, ConverseRequest, Message } from "./converse-model.ts";
import type { EmulatedModel } from "./models.ts";

/*
 * What models demand of a conversation beyond what Converse does, in their own words where an issue is named for them.
 */

/** Claude that knows budgets alone. */
const BUDGETS_ONLY = /anthropic\.claude-((opus|sonnet|haiku)-4-([0-5]-|\d{8})|3-7)/;

/** Claude up to 4.5. */
const TAKES_PREFILL = /anthropic\.claude-(3|instant|v2|(opus|sonnet|haiku)-4-([0-5]-|\d{8}))/;

/** What a message says, without cache points. */
function saidIn(message: Message | undefined): readonly ContentBlock[] {
  return (message?.content ?? []).filter(({ cachePoint }) => !cachePoint);
}

function claudeType({ reasoningContent, toolUse, text }: ContentBlock): string {
  if (reasoningContent) return "thinking";
  return toolUse ? "tool_use" : text === undefined ? "image" : "text";
}

/** The place of the model's first message since a person said something other than what its tools came to; -1 for none. */
function startOfAnswer(messages: readonly Message[]): number {
  const asked = messages.findLastIndex(
    ({ role, content }) => role === "user" && !content.some(({ toolResult }) => toolResult),
  );
  return messages.findIndex(({ role }, index) => index > asked && role === "assistant");
}

/** What models refuse, each with its page. The texts stand behind "The model returned the following errors:". */
const MODEL_RULES: readonly ModelRule[] = [
  {
    models: /anthropic\./,
    refuse: ({ messages }, modelId) =>
      messages.at(-1)?.role !== "assistant" || TAKES_PREFILL.test(modelId)
        ? undefined
        : "This model does not support assistant message prefill. The conversation must end with a user message.",
  },
  {
    // https://github.com/aws-samples/bedrock-access-gateway/issues/191
    models: /anthropic\.claude-(opus|sonnet|haiku)-4-[156]/,
    refuse: ({ temperature, topP }) =>
      temperature === undefined || topP === undefined
        ? undefined
        : "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
  },
  {
    // https://github.com/promptfoo/promptfoo/issues/10307
    models: ADAPTIVE_ONLY,
    refuse: ({ temperature, topP }) => {
      const sent = temperature === undefined ? (topP === undefined ? undefined : "top_p") : "temperature";
      return sent && `\`${sent}\` is deprecated for this model.`;
    },
  },
  {
    // https://github.com/earendil-works/pi/issues/6212
    models: ADAPTIVE_ONLY,
    refuse: ({ additionalFields: { thinking } }) =>
      textAt(thinking, "type") === "enabled"
        ? '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
        : undefined,
  },
  {
    // https://github.com/docker/docker-agent/pull/3381
    models: BUDGETS_ONLY,
    refuse: ({ additionalFields: { thinking } }) =>
      textAt(thinking, "type") === "adaptive"
        ? "adaptive thinking is not supported on this model"
        : undefined,
  },
  {
    // https://github.com/can1357/oh-my-pi/pull/333
    models: /anthropic\./,
    refuse: ({ additionalFields: { thinking }, structure }) =>
      structure?.toolName !== undefined && isRecord(thinking) && thinking["type"] !== "disabled"
        ? "Thinking may not be enabled when tool_choice forces tool use."
        : undefined,
  },
  {
    // https://github.com/OpenHands/software-agent-sdk/issues/738
    models: /anthropic\./,
    refuse: ({ messages }) => {
      for (const [index, { role, content }] of messages.entries()) {
        const [first] = content;
        if (role !== "assistant" || !first || first.reasoningContent) continue;
        if (content.some(({ reasoningContent }) => reasoningContent))
          return `messages.${index}.content.0: If an assistant message contains any thinking blocks, the first block must be \`thinking\` or \`redacted_thinking\`. Found \`${claudeType(first)}\`.`;
      }
      return undefined;
    },
  },
  {
    // https://github.com/langchain-ai/langchain-aws/issues/844, https://github.com/anomalyco/opencode/issues/3077; where it
    // thinks adaptively it does not mind: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
    models: /anthropic\./,
    refuse: ({ messages, additionalFields: { thinking } }) => {
      const index = startOfAnswer(messages);
      const [first] = saidIn(messages[index]);
      return textAt(thinking, "type") !== "enabled" || !first || first.reasoningContent
        ? undefined
        : `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${claudeType(first)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking`;
    },
  },
  {
    // Calls end a message and their results lead the next one: https://github.com/BerriAI/litellm/issues/24361,
    // https://github.com/V1ki/dsh-plugin-subscriptions/issues/22 (measured)
    models: /anthropic\./,
    refuse: ({ messages }) => {
      for (const [index, message] of messages.entries()) {
        const said = saidIn(message);
        const calls = said.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []);
        const answers = saidIn(messages[index + 1]);
        const end = answers.findIndex(({ toolResult }) => !toolResult);
        const leading = new Set(
          (end < 0 ? answers : answers.slice(0, end)).map(({ toolResult }) => toolResult?.toolUseId),
        );
        const isBrokenOff = said
          .slice(said.findIndex(({ toolUse }) => toolUse))
          .some(({ text }) => text !== undefined);
        const missing = calls.filter((id) => isBrokenOff || !leading.has(id));
        if (missing.length > 0)
          return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
      }
      return undefined;
    },
  },
  {
    // https://github.com/ding113/claude-code-hub/issues/366
    models: /anthropic\./,
    refuse: ({ tools = [] }) => {
      const names = tools.flatMap(({ toolSpec }) => toolSpec?.name ?? []);
      return new Set(names).size < names.length ? "tools: Tool names must be unique." : undefined;
    },
  },
  {
    // https://github.com/NousResearch/hermes-agent/issues/97281
    models: /amazon\.nova/,
    refuse: ({ tools = [] }) => {
      const index = tools.findIndex(({ cachePoint }) => cachePoint);
      return index < 0 ? undefined : extraneous(`#/toolConfig/tools/${index}`, "cachePoint");
    },
  },
  {
    // https://github.com/earendil-works/pi/issues/2053, https://github.com/aws-samples/bedrock-engineer/pull/71,
    // https://github.com/aws-samples/generative-ai-use-cases/pull/1077
    models: /amazon\.nova/,
    refuse: ({ messages }) => {
      for (const [index, { content }] of messages.entries()) {
        const at = content.findIndex(
          ({ cachePoint }, place) => cachePoint && content[place - 1]?.text === undefined,
        );
        if (at >= 0) return extraneous(`#/messages/${index}/content/${Math.max(at - 1, 0)}`, "cachePoint");
      }
      return undefined;
    },
  },
  {
    // Measured: https://github.com/lastmile-ai/mcp-agent/pull/126, https://github.com/zed-industries/zed/issues/28521,
    // https://github.com/aws-samples/bedrock-chat/pull/645
    models: /amazon\.nova/,
    refuse: ({ tools = [] }) => {
      for (const [index, { toolSpec }] of tools.entries()) {
        const schema = toolSpec?.inputSchema.json;
        const key = ["$defs", "definitions", "title"].find((name) => isRecord(schema) && name in schema);
        if (key !== undefined)
          return extraneous(`#/toolConfig/tools/${index}/toolSpec/inputSchema/json`, key);
      }
      return undefined;
    },
  },
  {
    // https://github.com/anomalyco/opencode/issues/29760
    models: /anthropic\./,
    refuse: ({ messages }) => {
      if (messages.at(-1)?.role !== "assistant") return undefined;
      const last = messages.at(-1)?.content.at(-1)?.text;
      return last === last?.trimEnd()
        ? undefined
        : "messages: final assistant content cannot end with trailing whitespace";
    },
  },
  {
    models: /anthropic\./,
    // https://github.com/code-yeongyu/senpi/issues/1947
    refuse: ({ tools = [] }) => {
      const index = tools.findIndex(({ toolSpec }) => {
        const schema = toolSpec?.inputSchema.json;
        return isRecord(schema) && ["oneOf", "allOf", "anyOf"].some((keyword) => keyword in schema);
      });
      const place = `tools.${index}.custom.input_schema`;
      return index < 0
        ? undefined
        : `${place}: input_schema does not support oneOf, allOf, or anyOf at the top level`;
    },
  },
  {
    // https://github.com/SEMOSS/Semoss/issues/2323
    models: /anthropic\./,
    refuse: ({ messages }) => {
      const index = messages.findIndex(
        ({ role, content }) => role === "assistant" && content.some(({ image }) => image),
      );
      return index < 0
        ? undefined
        : `messages.${index}.content: 'image' blocks are not permitted within assistant turns.`;
    },
  },
  {
    // https://github.com/twentyhq/twenty/issues/26217
    models: /anthropic\./,
    refuse: ({ messages, system, tools = [] }) => {
      const blocks = [...tools, ...system, ...messages.flatMap(({ content }) => content)];
      const count = blocks.filter((block) => "cachePoint" in block).length;
      return count <= 4
        ? undefined
        : `A maximum of 4 blocks with cache_control may be provided. Found ${count}.`;
    },
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html; the default is measured:
    // https://github.com/BerriAI/litellm/issues/41529
    models: /anthropic\./,
    refuse: ({ additionalFields: { thinking }, maxTokens = 4096 }) => {
      const budget = isRecord(thinking) ? thinking["budget_tokens"] : undefined;
      return typeof budget !== "number" || budget < maxTokens
        ? undefined
        : "`max_tokens` must be greater than `thinking.budget_tokens`.";
    },
  },
  {
    // https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html,
    // https://docs.aws.amazon.com/nova/latest/nova2-userguide/request-response-schema.html
    models: /amazon\.nova/,
    refuse: ({ additionalFields }, modelId) => {
      const known = /nova-2/.test(modelId) ? ["inferenceConfig", "reasoningConfig"] : ["inferenceConfig"];
      const unknown = Object.keys(additionalFields).find((name) => !known.includes(name));
      if (unknown !== undefined) return extraneous("#", unknown);
      const { inferenceConfig = {} } = additionalFields;
      const topK = isRecord(inferenceConfig) ? (inferenceConfig["topK"] ?? 0) : 0;
      if (typeof topK === "number" && !Number.isInteger(topK))
        return "Malformed input request: #/inferenceConfig/topK: expected type: Integer, found: Double, please reformat your input and try again.";
      if (typeof topK !== "number" || topK < 0 || topK > 128)
        return `Malformed input request: #/inferenceConfig/topK: ${JSON.stringify(topK)} is not less or equal to 128, please reformat your input and try again.`;
      return undefined;
    },
  },
  {
    // https://github.com/anomalyco/opencode/pull/48843
    models: /mistral\./,
    refuse: ({ messages }) => {
      const ids = messages.flatMap(({ content }) =>
        content.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []),
      );
      // Ids that Bedrock made are taken.
      const unfit = ids.find((id) => !/^([a-zA-Z0-9]{9}|tooluse_.*)$/.test(id));
      return unfit === undefined
        ? undefined
        : `Tool call id was ${unfit} but must be a-z, A-Z, 0-9, with a length of 9.`;
    },
  },
  {
    // https://github.com/anomalyco/opencode/issues/48637
    models: /anthropic\./,
    refuse: (request, modelId) => {
      for (const [index, { content }] of request.messages.entries()) {
        for (const [at, { reasoningContent }] of content.entries()) {
          const fault = signatureFault(reasoningContent, request, modelId);
          if (fault !== undefined) return `messages.${index}.content.${at}${fault}`;
        }
      }
      return undefined;
    },
  },
  ...CLAUDE_RULES,
];

/** What Nova says of a field that it does not know. */
function extraneous(place: string, key: string): string {
  return `Malformed input request: ${place}: extraneous key [${key}] is not permitted, please reformat your input and try again.`;
}

/** What is wrong with the proof that reasoning is the model's own, and under this prompt; undefined where nothing is. */
function signatureFault(reasoning: unknown, request: ConverseRequest, modelId: string): string | undefined {
  const thought = isRecord(reasoning) ? reasoning["reasoningText"] : undefined;
  if (!isRecord(thought)) return undefined;
  const { text, signature } = thought;
  if (typeof signature !== "string") return ".thinking.signature: Field required";
  return signature === signReasoning(modelId, request, String(text))
    ? undefined
    : ": Invalid `signature` in `thinking` block";
}

/** Proves that reasoning came from a model under a system prompt and tools, as the service does it since Claude 4.8. */
export function signReasoning(
  modelId: string,
  { system, tools = [] }: Pick<ConverseRequest, "system" | "tools">,
  text: string,
): string {
  const said = system.flatMap((block) => block.text ?? []);
  const offered = tools.flatMap(({ toolSpec }) =>
    toolSpec ? [[toolSpec.name, toolSpec.inputSchema.json]] : [],
  );
  return createHash("sha256")
    .update(JSON.stringify([modelId, said, offered, text]))
    .digest("base64");
}

/** Claude that names its sources in documents. */
const CITES = /anthropic\.claude-(?!3-(haiku|sonnet|opus)|instant|v2)/;

/** Nova that searches the web: https://docs.aws.amazon.com/nova/latest/nova2-userguide/web-grounding.html */
const SEARCHES = /amazon\.nova-(premier|2-lite)/;

function checkGrounding({ messages, tools = [] }: ConverseRequest, modelId: string): void {
  // Where only tokens are counted no model says what it takes.
  if (modelId === "") return;
  if (tools.some(({ systemTool }) => systemTool) && !SEARCHES.test(modelId))
    throw validationError(
      "This model doesn't support the systemTool field. Remove systemTool and try again.",
    );
  for (const [index, { content }] of messages.entries()) {
    for (const [position, { document, toolResult }] of content.entries()) {
      // https://github.com/boto/boto3/issues/4648
      if (toolResult?.content.some((part) => part.document?.citations?.enabled === true))
        throw validationError("Citations are not supported in tool result documents.");
      if (document?.citations?.enabled !== true) continue;
      // https://github.com/boto/boto3/issues/4608
      if (!CITES.test(modelId)) throw validationError("This model doesn't support citations.");
      // https://github.com/boto/boto3/issues/4726
      if (document.format !== "pdf" && document.format !== "txt")
        throw validationError(
          "Unsupported document format. Only txt and pdf formats are supported when citations are enabled",
        );
      if (document.format === "txt" && document.source && "bytes" in document.source)
        throw validationError(
          `The model returned the following errors: messages.${index}.content.${position}.image.source.bytes: The PDF specified was not valid.`,
        );
    }
  }
}

/** The words of AWS's list for what the content of a file is. */
const MODALITIES = { image: ["IMAGE"], video: ["VIDEO"], audio: ["AUDIO", "SPEECH"] } as const;

/** Refuses files of a kind that the model does not take, in the words that `session/error-table.ts` knows it by. */
function checkMedia(messages: ConverseRequest["messages"], modalities: readonly string[] | undefined): void {
  if (!modalities) return;
  for (const [kind, names] of Object.entries(MODALITIES)) {
    const isGiven = messages.some(({ content }) => content.some((block) => kind in block));
    if (!isGiven || names.some((name) => modalities.includes(name))) continue;
    throw validationError(
      `This model doesn't support the ${kind} content block that you provided. Update the content block and try again.`,
    );
  }
}

/** https://github.com/danny-avila/LibreChat/issues/6456, https://github.com/567-labs/instructor/issues/1753 */
export const NO_SYSTEM_MESSAGES =
  "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.";

/**
 * What Converse does not have for some models, by the columns of AWS's table, and what it says then:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html. The words are
 * those that `session/refusal-table.ts` knows.
 */
const FEATURES: readonly {
  without: RegExp;
  isAsked: (request: ConverseRequest, isStreamed: boolean) => boolean;
  message: string;
}[] = [
  {
    // Column "System prompts".
    without: /^(amazon\.titan-text|cohere\.command-(text|light)|mistral\.(mistral-7b|mixtral))/,
    isAsked: ({ system }) => system.length > 0,
    message: NO_SYSTEM_MESSAGES,
  },
  {
    // Column "Tool use".
    without:
      /^(ai21\.jamba-instruct|amazon\.titan-text|anthropic\.claude-(v2|instant)|cohere\.command-(text|light)|deepseek\.r1|meta\.llama(2|3-8b|3-70b)|mistral\.(mistral-7b|mixtral))/,
    isAsked: ({ tools }) => tools !== undefined,
    message: "This model doesn't support tool use.",
  },
  {
    // Column "Streaming tool use"; Llama 4: https://github.com/earendil-works/pi/issues/3739
    without: /^(meta\.llama|mistral\.(mistral-(large|small)-24|pixtral-large)|writer\.palmyra-x)/,
    isAsked: ({ tools }, isStreamed) => isStreamed && tools !== undefined,
    message: "This model doesn't support tool use in streaming mode.",
  },
  {
    // Column "Document chat".
    without: /^(ai21\.jamba-instruct|amazon\.(nova-micro|titan-text-premier)|mistral\.mistral-small-2402)/,
    isAsked: ({ messages }) => messages.some(({ content }) => content.some(({ document }) => document)),
    message: "This model doesn't support documents.",
  },
];

/** Refuses what Converse does not have for the model. Throws `AwsError` ValidationException. */
export function checkFeatures(request: ConverseRequest, modelId: string, isStreamed: boolean): void {
  const missing = FEATURES.find(
    ({ without, isAsked }) => without.test(modelId) && isAsked(request, isStreamed),
  );
  if (missing) throw validationError(missing.message);
}

/** Models with cache points: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html */
const CACHES =
  /anthropic\.claude-((opus|sonnet|haiku)-[4-9]|fable|mythos|3-7|3-5-(haiku|sonnet-20241022))|amazon\.nova/;

/** Those that keep what is before them for an hour. */
const CACHES_AN_HOUR = /anthropic\.claude-((opus|sonnet|haiku)-(4-[5-9]|[5-9])|fable|mythos)/;

/**
 * Refuses cache points where the model has none: https://github.com/anomalyco/opencode/issues/782,
 * https://github.com/BerriAI/litellm/pull/39210 (the status is measured).
 */
function checkCachePoints({ messages, system, tools = [] }: ConverseRequest, modelId: string): void {
  const blocks = [...tools, ...system, ...messages.flatMap(({ content }) => content)];
  const points = blocks.flatMap((block) => ("cachePoint" in block ? [block.cachePoint] : []));
  const isTaken = points.every((point) =>
    (textAt(point, "ttl") === "1h" ? CACHES_AN_HOUR : CACHES).test(modelId),
  );
  if (modelId === "" || isTaken) return;
  throw new AwsError(
    "AccessDeniedException",
    "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.",
  );
}

/** Refuses what the model behind Converse does. Throws `AwsError` ValidationException. */
export function checkForModel(
  request: ConverseRequest,
  { modelId = "", inputModalities }: Partial<Pick<EmulatedModel, "modelId" | "inputModalities">>,
): void {
  const { messages } = request;
  checkMedia(messages, inputModalities);
  checkCachePoints(request, modelId);
  checkGrounding(request, modelId);
  // Where it stands in a result of a tool, all the same: https://github.com/can1357/oh-my-pi/pull/11685 (measured)
  if (
    /openai\.gpt/.test(modelId) &&
    messages.some(({ content }) =>
      content.some(({ toolResult }) => toolResult?.content.some(({ image }) => image)),
    )
  )
    throw validationError("This model doesn't support the image field for user messages.");
  // https://github.com/anomalyco/opencode/issues/36517
  for (const { content } of messages) {
    if (content.some(({ cachePoint }, at) => cachePoint && content[at - 1]?.reasoningContent)) {
      throw validationError(
        "Cache point cannot be inserted after reasoning block. Please remove the invalid cache point and try again.",
      );
    }
  }
  // https://github.com/strands-agents/harness-sdk/issues/1223, https://github.com/quarkiverse/quarkus-langchain4j/issues/1983
  for (const [index, { role, content }] of messages.entries()) {
    const count = content.filter(({ toolUse, toolResult }) => toolUse ?? toolResult).length;
    if (!/meta\.llama/.test(modelId) || count === 0 || count === content.length) continue;
    const blocks = role === "user" ? "tool result blocks" : "tool use blocks";
    throw validationError(
      `messages.${index}.content: Conversation blocks and ${blocks} cannot be provided in the same turn.`,
    );
  }
  for (const { models, refuse } of MODEL_RULES) {
    const refusal = models.test(modelId) ? refuse(request, modelId) : undefined;
    if (refusal !== undefined) throw validationError(`The model returned the following errors: ${refusal}`);
  }
}
