import { describe, expect, it } from "vitest";
import { type Lesson, type LessonName, readRefusal, saysOtherWire } from "../../src/session/refusal-table.ts";

const MODEL = "The model returned the following errors: ";

/** A service's own wording, and what it teaches: names, or lessons with a value. */
type Wording = [message: string, ...teaches: (LessonName | Lesson)[]];

/** As AWS, the models behind it and servers of OpenAI's API word it; the table has their sources. */
const WORDINGS: readonly Wording[] = [
  // Fields of Converse.
  ["This model doesn't support the temperature field. Remove temperature and try again.", "temperature"],
  ["This model doesn't support the topP field. Remove topP and try again.", "topP"],
  [
    "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
    "stopSequences",
  ],
  [`${MODEL}\`temperature\` is deprecated for this model.`, "temperature"],
  ["temperature is deprecated for this model", "temperature"],
  [`${MODEL}\`top_p\` is deprecated for this model.`, "topP"],
  [`${MODEL}\`top_k\` is deprecated for this model.`, "topK"],
  [
    `${MODEL}\`temperature\` and \`top_p\` cannot both be specified for this model. Please use only one.`,
    "one-sampling",
  ],
  [
    `${MODEL}\`temperature\` may only be set to 1 when thinking is enabled. Please consult our documentation`,
    "temperature-while-reasoning",
  ],
  [
    `${MODEL}\`top_p\` must be greater than or equal to 0.95 or unset when thinking is enabled.`,
    "topP-while-reasoning",
  ],
  [`${MODEL}\`top_k\` must be unset when thinking is enabled.`, "topK-while-reasoning"],
  [
    "Malformed input request: extraneous key [stop_sequences] is not permitted, please reformat your input and try again.",
    "stopSequences",
  ],
  [
    "Malformed input request: #: extraneous key [topK] is not permitted, please reformat your input and try again.",
    "topK",
  ],
  [
    "Malformed input request: extraneous key [promptVariant] is not permitted, please reformat your input and try again.",
    { name: "field", value: "promptVariant" },
  ],
  // More of it than the model takes.
  [`${MODEL}top_k: Input should be less than or equal to 500`, { name: "topK", isPassing: true }],
  ["top_k: Input should be greater than or equal to 1", { name: "topK", isPassing: true }],
  [
    "Malformed input request: #/stop_sequences: expected maximum item count: 4, found: 5, please reformat your input and try again.",
    { name: "stopSequences", isPassing: true },
  ],
  [
    "1 validation error detected: Value '[a, b, c, d, e]' at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must have length less than or equal to 4",
    { name: "stopSequences", isPassing: true },
  ],
  [
    "Invalid reasoning_effort: max",
    { name: "levels", value: ["none", "minimal", "low", "medium", "high", "xhigh"] },
    "takes-no-level",
  ],
  [
    `${MODEL}Invalid reasoning effort 'xhigh'`,
    { name: "levels", value: ["none", "minimal", "low", "medium", "high"] },
    "takes-no-level",
  ],
  [
    "Invalid value for reasoning_effort: 'low'",
    { name: "levels", value: ["none", "minimal"] },
    "takes-no-level",
  ],
  // Length.
  [
    "The maximum tokens you requested exceeds the model limit of 8192. Try again with a maximum tokens value that is lower than 8192.",
    { name: "most-tokens", value: 8192 },
  ],
  [
    `${MODEL}max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for claude-opus-4-8`,
    { name: "most-tokens", value: 128_000 },
  ],
  [
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
    { name: "most-tokens", value: 16_384 },
  ],
  [
    "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again",
    { name: "most-tokens", value: 10_000, isPassing: true },
  ],
  [
    "This model's maximum context length is 8192 tokens. However, you requested 10000 tokens (2000 in the messages, 8000 in the completion). Please reduce the length of the messages or completion.",
    { name: "most-tokens", value: 6192, isPassing: true },
  ],
  [
    "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 1000 input tokens (5000 > 4096 - 1000).",
    { name: "most-tokens", value: 3096, isPassing: true },
  ],
  [
    "The parameter `max_completion_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 12288, but got 32000 instead.",
    { name: "most-tokens", value: 12_288 },
  ],
  [
    "This model's maximum context length is 128000 tokens. However, you requested 65535 output tokens and your prompt contains at least 62466 input tokens, for a total of at least 128001 tokens.",
    { name: "most-tokens", value: 65_534, isPassing: true },
  ],
  [
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    { name: "length-field", value: "max_completion_tokens" },
  ],
  [
    "Unrecognized request argument supplied: max_completion_tokens",
    { name: "length-field", value: "max_tokens" },
  ],
  ["extra fields not permitted: stream_options", "no-stream-options"],
  ["body.stream_options: Extra inputs are not permitted", "no-stream-options"],
  // How to reason.
  [
    `${MODEL}"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`,
    "reasons-adaptively",
    "takes-no-level",
  ],
  [`${MODEL}adaptive thinking is not supported on this model`, "reasons-by-budget", "takes-no-level"],
  [
    `${MODEL}thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'`,
    "reasons-by-budget",
    "takes-no-level",
  ],
  [
    `${MODEL}thinking: Input tag 'disabled' found using 'type' does not match any of the expected tags: 'adaptive'`,
    "always-reasons",
  ],
  [`${MODEL}"thinking.type.disabled" is not supported for this model.`, "always-reasons"],
  [
    "output_config.effort: Input should be 'low', 'medium' or 'high'",
    { name: "levels", value: ["low", "medium", "high"] },
    "takes-no-level",
  ],
  [
    "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'.",
    { name: "levels", value: ["minimal", "low", "medium", "high"] },
    "takes-no-level",
  ],
  [
    "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
    { name: "levels", value: ["high", "low", "max", "medium"] },
    "takes-no-level",
  ],
  [
    'output_config.effort "high" is not supported by model claude-opus-4.7; supported values: [medium]',
    { name: "levels", value: ["medium"] },
    "takes-no-level",
  ],
  [`${MODEL}output_config.effort: Extra inputs are not permitted`, "reasons-by-budget", "takes-no-level"],
  [`${MODEL}This model does not support the effort parameter.`, "reasons-by-budget", "takes-no-level"],
  ["Unsupported parameter: 'reasoning_effort' is not supported with this model.", "takes-no-level"],
  [
    "Malformed input request: #: extraneous key [thinking] is not permitted, please reformat your input and try again.",
    "takes-no-level",
  ],
  [
    `${MODEL}Thinking may not be enabled when tool_choice forces tool use.`,
    { name: "minds-forced-tool", isPassing: true },
    { name: "no-tool-form", isPassing: true },
    { name: "no-tool-choice", isPassing: true },
  ],
  // Reasoning of earlier answers.
  [
    `${MODEL}messages.1.content.0: Invalid \`signature\` in \`thinking\` block`,
    { name: "old-reasoning", isPassing: true },
  ],
  ["The encrypted content gAAA...DQ== could not be verified.", { name: "old-reasoning", isPassing: true }],
  [
    "The encrypted content for item rs_0a18 could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
    { name: "old-reasoning", isPassing: true },
  ],
  ["Encrypted content is not supported with this model.", "no-encrypted-reasoning"],
  [
    "Invalid value: 'reasoning.encrypted_content'. Supported values are: 'message.output_text.logprobs'.",
    "no-encrypted-reasoning",
  ],
  [
    "Your organization must be verified to generate reasoning summaries. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.",
    "no-reasoning-summary",
  ],
  ["Unsupported parameter: 'reasoning.summary' is not supported with this model.", "no-reasoning-summary"],
  ["Unsupported parameter: 'reasoning.effort' is not supported with this model.", "takes-no-level"],
  ["Unsupported parameter: 'text.format' is not supported with this model.", "no-native-form"],
  ["messages.1.content.0: Invalid signature in thinking block", { name: "old-reasoning", isPassing: true }],
  [
    `${MODEL}messages.369.content.0.thinking.signature: Field required`,
    { name: "old-reasoning", isPassing: true },
  ],
  [
    `${MODEL}messages.5.content.3: \`thinking\` or \`redacted_thinking\` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.`,
    { name: "old-reasoning", isPassing: true },
  ],
  [
    `${MODEL}messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`text\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`,
    { name: "minds-lost-reasoning", isPassing: true },
  ],
  [
    "User messages cannot contain reasoning content. Please remove the reasoning content and try again.",
    "no-reasoning-blocks",
  ],
  [
    "This model doesn't support the reasoningContent field. Remove reasoningContent and try again.",
    "no-reasoning-blocks",
  ],
  // The service.
  ["Reservation not found.", "serviceTier"],
  ["The service tier flex is not supported for this model.", "serviceTier"],
  ["service tier provided is invalid", "serviceTier"],
  ["The provided service tier is not supported for this model", "serviceTier"],
  ["Latency performance configuration is not supported for amazon.nova-lite-v1:0.", "latency"],
  ["This model doesn't support the performanceConfig.latency field. Remove it and try again.", "latency"],
  // The prompt cache.
  ["You do not have access to explicit prompt caching", "no-cache-points"],
  ["This model doesn't support the cachePoint field. Remove cachePoint and try again.", "no-cache-points"],
  [
    "Malformed input request: #/messages/0/content/1: extraneous key [cachePoint] is not permitted, please reformat your input and try again.",
    "no-cache-points",
  ],
  [
    "This model doesn't support the cachePoint.ttl field. Remove cachePoint.ttl and try again.",
    "short-cache-points",
    "no-cache-points",
  ],
  // Tools and forms.
  [
    "This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.",
    "no-tool-form",
    "no-tool-choice",
  ],
  [
    "This model doesn't support the toolConfig.toolChoice.tool field. Remove toolConfig.toolChoice.tool and try again.",
    "no-named-tool-choice",
    "no-tool-form",
    "no-tool-choice",
  ],
  [
    `${MODEL}tool_choice: type "tool" and "any" are not supported for this model.`,
    "no-tool-form",
    "no-tool-choice",
  ],
  [
    "[{'type': 'extra_forbidden', 'loc': ('body', 'tool_choice'), 'msg': 'Extra inputs are not permitted', 'input': 'auto'}]",
    "no-tool-form",
    "no-tool-choice",
  ],
  [
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "no-tool-form",
    "no-offered-tool-form",
  ],
  [`${MODEL}output_config.format: Extra inputs are not permitted`, "no-native-form"],
  ["This model doesn't support the outputConfig field. Remove outputConfig and try again.", "no-native-form"],
  ["This response_format type is unavailable now", "no-native-form"],
  [
    "messages.2.content: Conversation blocks and tool result blocks cannot be provided in the same turn.",
    "separate-tool-turns",
  ],
  [
    `${MODEL}tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`,
    "flat-tool-schemas",
  ],
  [
    `${MODEL}Tool call id was toolu_1 but must be a-z, A-Z, 0-9, with a length of 9.`,
    { name: "tool-ids", value: "nine" },
  ],
  [
    `${MODEL}messages.1.content.1.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`,
    { name: "tool-ids", value: "plain" },
  ],
  ["This model doesn't support tool use in streaming mode.", "no-streamed-tools"],
  ["Cannot use tools with stream", "no-streamed-tools"],
  // The conversation.
  [
    "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
    "no-system",
  ],
  ["Unsupported value: 'messages[0].role' does not support 'system' with this model.", "no-system"],
  ["System role not supported", "no-system"],
  [
    `${MODEL}This model does not support assistant message prefill. The conversation must end with a user message.`,
    "no-prefill",
  ],
  [
    "This model doesn't support documents. Remove documents and try again.",
    "plain-tool-results",
    "no-documents",
  ],
  [
    "This model doesn't support the image field for user messages. Remove image and try again.",
    "plain-tool-results",
    "no-images",
  ],
  [
    "This model doesn't support the image content block that you provided. Update the content block and try again.",
    "plain-tool-results",
    "no-images",
  ],
  ["Invalid content type. image_url is only supported by certain models.", "plain-tool-results", "no-images"],
  ["This model doesn't support the status field. Remove status and try again.", "plain-tool-results"],
  // OpenAI's values.
  [
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    "temperature",
  ],
  ["Unsupported parameter: 'top_p' is not supported with this model.", "topP"],
  ["Unsupported parameter: 'stop' is not supported with this model.", "stopSequences"],
  ["Unknown parameter: 'service_tier'.", "serviceTier"],
  // In no known frame, by what they are about.
  [
    "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.",
    "no-cache-points",
  ],
  ["Unsupported service tier: flex", "serviceTier"],
  ["On-demand flex tier isn't supported for this model.", "serviceTier"],
  ["Latency optimized inference is not supported for this model", "latency"],
  ["Tool choice is not supported by this model", "no-tool-form", "no-tool-choice"],
  [`${MODEL}This model does not support setting tool_choice to any`, "no-tool-form", "no-tool-choice"],
  ["Structured output is not supported for this model", "no-native-form"],
  ["output_config.format: this model does not support JSON schema", "no-native-form"],
  ["Stop sequences aren't available with this model", "stopSequences"],
  ["This model doesn't allow top-p", "topP"],
  ["temperature: this field is not supported for this model", "temperature"],
  ["System messages are not supported by this model", "no-system"],
  ["This model does not support extended thinking.", "takes-no-level", "no-reasoning-blocks"],
  [`${MODEL}\`temperature\` is not supported when thinking is enabled`, "temperature-while-reasoning"],
  ["cache_control.ttl: Input should be '5m'", "short-cache-points", "no-cache-points"],
  ["`max_tokens` must be less than or equal to `16384`", { name: "most-tokens", value: 16_384 }],
  [
    "max_tokens (384000) exceeds model's maximum output tokens (65536)",
    { name: "most-tokens", value: 65_536 },
  ],
  ["maxTokens: Value must be at most 5000", { name: "most-tokens", value: 5000 }],
  [
    'Invalid value for reasoning effort "minimal". Expected one of: low, medium, high',
    { name: "levels", value: ["low", "medium", "high"] },
    "takes-no-level",
  ],
  [
    "Unsupported value: 'xhigh' is not supported with the 'gpt-5' model. Supported values are: 'low', 'medium', and 'high'.",
    { name: "levels", value: ["low", "medium", "high"] },
    "takes-no-level",
  ],
  // Other words for reasoning that is not the model's.
  [`${MODEL}messages.1.content.0.signature: Invalid signature`, { name: "old-reasoning", isPassing: true }],
  [
    `${MODEL}messages.1.content.0: Invalid \`data\` in \`redacted_thinking\` block`,
    { name: "old-reasoning", isPassing: true },
  ],
  [
    `${MODEL}messages.1.content.0.thinking: each thinking block must contain thinking`,
    { name: "old-reasoning", isPassing: true },
  ],
  ...[
    "messages.1.content.0: The signature of the thinking block could not be verified",
    "Thinking block signature verification failed",
    "The reasoning signature is invalid.",
    "thinking_signature is invalid or expired",
    "Invalid encrypted_content in reasoning item",
    "messages.1.content.0: the thinking block was made by a different model",
    "Item 'rs_12' of type 'reasoning' was provided without its required following item.",
  ].map((message): [string, Lesson] => [message, { name: "old-reasoning", isPassing: true }]),
  // Sampling in other words; where several are named, each is tried.
  ["invalid temperature: only 1 is allowed for this model", "temperature"],
  ["invalid temperature: only 0.6 is allowed for this model", "temperature"],
  ["The value of temperature must be 1 for this model", "temperature"],
  [
    "Sampling parameters (temperature, top_p, top_k) are not supported on this model",
    "topP",
    "topK",
    "temperature",
  ],
  ["Sampling parameters are not supported by this model", "temperature", "topP", "topK"],
  [
    "This model does not support reasoning. Choose a different model.",
    "takes-no-level",
    "no-reasoning-blocks",
  ],
];

const lessonsOf = (teaches: readonly (LessonName | Lesson)[]): Lesson[] =>
  teaches.map((lesson) => (typeof lesson === "string" ? { name: lesson } : lesson));

describe("a refusal teaches what it names", () => {
  it.each(WORDINGS.map(([message, ...teaches]) => ({ message, teaches })))(
    "$message",
    ({ message, teaches }) => {
      expect(readRefusal({ message })).toEqual(lessonsOf(teaches));
    },
  );

  it.each(WORDINGS.map(([message, ...teaches]) => ({ message, teaches })))(
    "in any case, with any quotes: $message",
    ({ message, teaches }) => {
      const quoted = message.replaceAll("`", "").replaceAll("'", "’").replaceAll(". ", ".\n");
      expect(readRefusal({ message: quoted })).toEqual(lessonsOf(teaches));
      const names = (lessons: readonly Lesson[]): LessonName[] => lessons.map(({ name }) => name);
      expect(names(readRefusal({ message: message.toUpperCase() }))).toEqual(names(lessonsOf(teaches)));
    },
  );

  it("takes the field that a server names beside its message", () => {
    expect(readRefusal({ message: "Not with this one.", param: "temperature" })).toEqual([
      { name: "temperature" },
    ]);
    expect(readRefusal({ message: "No.", param: "logit_bias" })).toEqual([
      { name: "field", value: "logit_bias" },
    ]);
  });
});

it.each([
  "The provided model identifier is invalid.",
  "temperature must be at most 2",
  "Your tokens for this system prompt are not enough.",
  "`max_tokens` must be greater than `thinking.budget_tokens`.",
  "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 5 instead.",
  "This model doesn't support tool use.",
  "This model doesn't support the messages field.",
  "Unsupported parameter: 'tools' is not supported with this model.",
  "Unsupported value: 'model' does not support 'x'",
  "Malformed input request, please reformat your input and try again.",
  "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again.",
  "This model's maximum context length is 8192 tokens. However, you requested 10000 tokens (9000 in the messages, 1000 in the completion).",
  "input length and `max_tokens` exceed context limit: 210000 + 32000 > 200000",
  "",
])("teaches nothing: %s", (message) => {
  expect(readRefusal({ message })).toEqual([]);
});

it("looks at a long refusal within bounds", () => {
  const started = performance.now();
  expect(readRefusal({ message: "reasoning effort input should be ".repeat(100_000) })).toEqual([
    { name: "takes-no-level" },
  ]);
  expect(performance.now() - started).toBeLessThan(500);
});

describe("a refusal of the API itself", () => {
  it.each([
    "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    "model `openai.gpt-5.5` isn't supported on this route",
    "The model 'openai.gpt-5.6-terra' does not support the '/v1/chat/completions' API",
    "The model 'openai.gpt-5.6-terra' does not support the '/v1/responses' API",
    "This model is only supported in v1/responses and not in v1/chat/completions.",
    "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?",
    "The model xai.grok-4.3 is not supported for this operation.",
    "This model doesn't support the Converse API.",
    "Function tools with reasoning_effort are not supported for gpt-5.6-sol in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
  ])("is known: %s", (message) => {
    expect(saysOtherWire(message)).toBe(true);
  });

  it.each([
    "This model doesn't support tool use in streaming mode.",
    "The model returned the following errors: temperature is deprecated for this model.",
    "Invocation of model ID openai.gpt-5.6-sol with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
    "The provided model identifier is invalid.",
    "You don't have access to the model with the specified model ID.",
    "This model doesn't support documents.",
    "Too many requests, please wait before trying again.",
    "The model is not supported in this region.",
  ])("is no other one: %s", (message) => {
    expect(saysOtherWire(message)).toBe(false);
  });
});
