/** What a refusal may teach: a thing that is left out, or sent in another form. */
export type LessonName =
  // Parameters that are left out, always or while the model reasons.
  | "temperature"
  | "topP"
  | "topK"
  | "stopSequences"
  | "serviceTier"
  | "latency"
  | "temperature-while-reasoning"
  | "topP-while-reasoning"
  | "topK-while-reasoning"
  | "one-sampling"
  // How long an answer may be; and the name that a server has for it, and whether it knows `stream_options`.
  | "most-tokens"
  | "length-field"
  | "no-stream-options"
  // How the model takes a level of reasoning.
  | "reasons-adaptively"
  | "reasons-by-budget"
  | "takes-no-level"
  | "levels"
  | "always-reasons"
  | "minds-forced-tool"
  | "minds-lost-reasoning"
  // Reasoning of earlier answers.
  | "old-reasoning"
  | "no-reasoning-blocks"
  | "no-encrypted-reasoning"
  | "no-reasoning-summary"
  // Forms of a schema.
  | "no-native-form"
  | "no-tool-form"
  | "no-offered-tool-form"
  // Tools.
  | "no-tool-choice"
  | "no-named-tool-choice"
  | "plain-tool-results"
  | "separate-tool-turns"
  | "no-streamed-tools"
  | "flat-tool-schemas"
  | "tool-ids"
  // The conversation.
  | "no-cache-points"
  | "short-cache-points"
  | "no-system"
  | "no-prefill"
  | "no-documents"
  | "no-images"
  // A field of the model's own; the profile that reaches the model; that the model is called by another API.
  | "field"
  | "profile"
  | "other-wire";

export interface Lesson {
  name: LessonName;
  /** Of `most-tokens` a number, of `levels` all that there are, of `tool-ids`, `length-field`, `field` and `profile` a name. */
  value?: number | string | readonly string[];
  /** That it holds for this call or for what was said so far, and not for the model. */
  isPassing?: true;
}

export interface Refusal {
  message: string;
  /** The field that it is about, where the service names one beside its message. */
  param?: string | undefined;
}

/** One wording. `text` is the message in small letters without quotes and apostrophes. */
interface RefusalRow {
  pattern: RegExp;
  /** What it teaches, most likely first: what changes nothing of the request is passed over. */
  teaches: (match: RegExpExecArray) => readonly Lesson[];
}

const teach =
  (...names: readonly LessonName[]) =>
  (): readonly Lesson[] =>
    names.map((name) => ({ name }));

const passing =
  (...names: readonly LessonName[]) =>
  (): readonly Lesson[] =>
    names.map((name) => ({ name, isPassing: true }));

const mostTokens =
  (isPassing: boolean) =>
  ([, most, used = "0"]: RegExpExecArray): readonly Lesson[] => {
    const value = Number(most) - Number(used);
    return value > 0 ? [{ name: "most-tokens", value, ...(isPassing ? { isPassing } : {}) }] : [];
  };

/** Levels of reasoning as OpenAI's APIs have them, the weakest first. */
export const EFFORTS: readonly string[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
/** Those as messages list them: `low, medium, and high`. */
const LEVELS = new RegExp(`\\b(${EFFORTS.join("|")})\\b`, "g");

const levelsOf = (list = ""): readonly Lesson[] => {
  const value = [...list.matchAll(LEVELS)].map(([level]) => level);
  return value.length === 0 ? [] : [{ name: "levels", value }];
};

/** The levels below one that is refused, the weakest first. */
const weakerThan = (refused = ""): readonly Lesson[] => {
  const weaker = EFFORTS.slice(0, EFFORTS.indexOf(refused));
  // Beside that a model need not reason, nothing is left.
  return weaker.length > 1 ? [{ name: "levels", value: weaker }] : [];
};

/**
 * Wordings of a certain thing. The first that matches counts, before the frames below. They are AWS's and, behind "The
 * model returned the following errors:", those of the models' own APIs, which servers repeat.
 */
const ROWS: readonly RefusalRow[] = [
  // Reasoning of earlier answers.
  {
    // https://github.com/anomalyco/opencode/issues/48637
    // https://github.com/can1357/oh-my-pi/pull/10486
    pattern:
      /invalid signature|signature: field required|invalid data in redacted_thinking|each thinking block must contain|block is bound to a different conversation|thinking blocks in the latest assistant message cannot be modified/,
    teaches: passing("old-reasoning"),
  },
  {
    // https://github.com/langchain-ai/langchain-aws/issues/844
    pattern: /expected thinking or redacted_thinking, but found/,
    teaches: passing("minds-lost-reasoning"),
  },
  {
    // https://github.com/langchain-ai/langchain-aws/issues/401
    pattern: /(cannot contain|doesnt support|does not support) (the )?reasoning ?content/,
    teaches: teach("no-reasoning-blocks"),
  },
  {
    // https://github.com/openai/codex/issues/8145
    pattern: /encrypted content .*could not be (verified|decrypted)/,
    teaches: passing("old-reasoning"),
  },
  {
    // https://github.com/NousResearch/hermes-agent/pull/24234
    pattern: /encrypted content is not supported|(?:invalid|unsupported) value: reasoning\.encrypted_content/,
    teaches: teach("no-encrypted-reasoning"),
  },
  {
    // https://github.com/BerriAI/litellm/issues/16032
    pattern: /verified to generate reasoning summaries/,
    teaches: teach("no-reasoning-summary"),
  },
  // How the model is told to reason.
  {
    // https://github.com/can1357/oh-my-pi/pull/333
    pattern:
      /thinking may not be enabled when tool_choice forces|tool_choice forces tool use is not compatible with thinking/,
    teaches: passing("minds-forced-tool", "no-tool-form", "no-tool-choice"),
  },
  {
    // https://github.com/earendil-works/pi/issues/6212
    pattern: /thinking\.type\.enabled is not supported|input tag enabled found using type does not match/,
    teaches: teach("reasons-adaptively", "takes-no-level"),
  },
  {
    // https://github.com/docker/docker-agent/pull/3381
    pattern:
      /adaptive thinking is not supported|thinking\.type\.adaptive is not supported|input tag adaptive found using type does not match|thinking\.type: input should be (enabled|disabled)/,
    teaches: teach("reasons-by-budget", "takes-no-level"),
  },
  {
    // https://github.com/cline/cline/issues/13203
    pattern:
      /thinking\.type\.disabled is not supported|input tag disabled found using type does not match|thinking cannot be disabled/,
    teaches: teach("always-reasons"),
  },
  {
    // https://github.com/coder/coder/issues/25356
    // https://github.com/Kilo-Org/cloud/pull/3807
    pattern:
      /(?:effort|reasoning\b|unsupported value: (?:none|minimal|low|medium|high|xhigh|max)\b).*?(?:input should be|(?:supported|valid|allowed|accepted) (?:values|levels|options)(?: are)?:?|(?:must be|expected) one of:?) (.+)$/,
    teaches: ([, list]) => [...levelsOf(list), { name: "takes-no-level" }],
  },
  {
    // https://github.com/BerriAI/litellm/pull/27074
    pattern:
      /invalid (?:value for )?(?:reasoning[ _.]?)?effort(?: level| value)?:? (low|medium|high|xhigh|max)\b/,
    teaches: ([, refused]) => [...weakerThan(refused), { name: "takes-no-level" }],
  },
  {
    // https://github.com/anthropics/claude-agent-sdk-typescript/issues/214
    // https://github.com/anthropics/claude-code/issues/30795
    pattern: /does not support the effort parameter|output_config\.effort: extra inputs are not permitted/,
    teaches: teach("reasons-by-budget", "takes-no-level"),
  },
  // Sampling.
  {
    // https://github.com/aws-samples/bedrock-access-gateway/issues/191
    pattern:
      /temperature and top_?p cannot both be specified|(temperature|top_?p) and (temperature|top_?p) are mutually exclusive/,
    teaches: teach("one-sampling"),
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
    pattern:
      /temperature (may only be set to 1|is not supported|must be unset|cannot be set) (when|while|with) (\S+ )?thinking/,
    teaches: teach("temperature-while-reasoning"),
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
    pattern: /top_p must be (greater than or equal to|unset|>=).*thinking|top_p must be unset when thinking/,
    teaches: teach("topP-while-reasoning"),
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
    pattern: /top_k must be unset when thinking/,
    teaches: teach("topK-while-reasoning"),
  },
  {
    // https://github.com/HKUDS/nanobot/pull/4967
    pattern:
      /\btemperature\b.*(?:\bonly (?:the default )?\(?[\d.]+\)? (?:value )?is (?:allowed|supported|accepted)|\b(?:must|should|has to) be (?:set to |equal to |exactly )?1(?:\.0)?(?: (?:for|with) (?:this|the) model)?\W*$)/,
    teaches: teach("temperature"),
  },
  // More of it than the model takes, which holds for this call.
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
    pattern:
      /\btop_?k: (?:input should|(?:value )?must) be (?:less|greater) than|\btop_?k: expected \S+ value/,
    teaches: passing("topK"),
  },
  {
    // https://github.com/boto/boto3/issues/3993
    // https://github.com/continuedev/continue/issues/2296
    pattern:
      /\bstop_?sequences: (?:expected maximum item count|list should have at most)|\bstop_?sequences failed to satisfy constraint: member must have length/,
    teaches: passing("stopSequences"),
  },
  // Length.
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
    pattern: /maximum tokens you requested exceeds the model limit of (\d+)/,
    teaches: mostTokens(false),
  },
  {
    // https://platform.claude.com/docs/en/api/errors
    pattern: /max_tokens: \d+ > (\d+)/,
    teaches: mostTokens(false),
  },
  {
    // https://platform.claude.com/docs/en/build-with-claude/context-windows
    // The limit stands behind what is used of it.
    pattern: /input length and max_tokens exceed context limit: (?=\d+ \+ \d+ > (\d+))(\d+)/,
    teaches: mostTokens(true),
  },
  {
    // https://github.com/ChatGPTNextWeb/NextChat/issues/3195
    pattern: /max_(?:completion_)?tokens is too large: \d+\. this model supports at most (\d+)/,
    teaches: mostTokens(false),
  },
  {
    // https://github.com/claude-code-best/claude-code/issues/272
    pattern:
      /max_(?:completion_)?tokens is too large: \d+\. this models maximum context length is (\d+) tokens and your request has (\d+) input tokens/,
    teaches: mostTokens(true),
  },
  {
    // https://platform.openai.com/docs/guides/error-codes
    pattern:
      /maximum context length is (\d+) tokens\. however, you requested \d+ tokens \((\d+) in the messages, \d+ in the completion\)/,
    teaches: mostTokens(true),
  },
  {
    // https://github.com/Gitlawb/openclaude/issues/331
    pattern: /max_(?:completion_)?tokens\b.*expected a value <= (\d+)/,
    teaches: mostTokens(false),
  },
  {
    // https://github.com/vllm-project/vllm/issues/42474
    pattern:
      /maximum context length is (\d+) tokens\. however, you requested \d+ output tokens and your prompt contains at least (\d+) input tokens/,
    teaches: mostTokens(true),
  },
  {
    // https://github.com/anomalyco/opencode/issues/1000
    // https://github.com/DaviRain-Su/hyper-grok-build/issues/44
    pattern:
      /max_?(?:completion_?|output_?|new_?)?tokens\b.*?(?:(?:less than or equal to|at most|<=) |exceeds (?:the |models )(?:maximum|limit)\D{1,30})(\d+)/,
    teaches: mostTokens(false),
  },
  {
    // https://github.com/griptape-ai/ComfyUI-Griptape/issues/312
    pattern: /(use|did you mean) max_completion_tokens/,
    teaches: () => [{ name: "length-field", value: "max_completion_tokens" }],
  },
  // The service.
  {
    // https://github.com/envoyproxy/ai-gateway/pull/1749
    // https://github.com/NousResearch/hermes-agent/pull/34476
    pattern:
      /service[ _]?tier\b.*(not supported|not available|unsupported|invalid)|(doesnt|does not|not) support.* service[ _]?tier|reservation not found/,
    teaches: teach("serviceTier"),
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html
    pattern:
      /latency performance configuration is not supported|(doesnt|does not) support.*(latency|performance ?config)/,
    teaches: teach("latency"),
  },
  // The prompt cache.
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
    pattern:
      /(cache_?(point|control)\S*ttl|extended cache ttl|ttl field|1h cache).*(not supported|not permitted|unsupported|invalid|doesnt|does not|input should be)|(doesnt|does not) support.*\bttl\b/,
    teaches: teach("short-cache-points", "no-cache-points"),
  },
  {
    // https://github.com/Boise-State-Development/agentcore-public-stack/pull/1064
    pattern:
      /access to explicit prompt caching|(doesnt|does not) support.*(prompt caching|cache_?points?|cache_?control)|(prompt caching|cache_?point|cache_?control)\S* (is|are) not supported|extraneous key \[cache_?(point|control)\]/,
    teaches: teach("no-cache-points"),
  },
  // The conversation.
  {
    // https://github.com/danny-avila/LibreChat/issues/6456
    // https://github.com/tailcallhq/forgecode/issues/1177
    pattern:
      /(doesnt|does not) support system (messages?|prompts?|instructions?)|system role (is )?not supported|messages\[\d+\]\.role does not support system|incompatible with system messages/,
    teaches: teach("no-system"),
  },
  {
    // https://github.com/NousResearch/hermes-agent/issues/105780
    pattern: /does not support assistant message prefill|conversation must end with a user message/,
    teaches: teach("no-prefill"),
  },
  {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
    pattern: /(doesnt|does not) support documents|(doesnt|does not) support the document/,
    teaches: teach("plain-tool-results", "no-documents"),
  },
  {
    // https://github.com/anomalyco/opencode/issues/49443
    // https://github.com/vllm-project/vllm/issues/11629
    pattern:
      /(doesnt|does not) support the image (field|content)|(doesnt|does not) support image (input|content)|image_url is only supported by certain models|not a multimodal model|content type image_url (is )?not supported/,
    teaches: teach("plain-tool-results", "no-images"),
  },
  // Tools.
  {
    // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html
    pattern: /(doesnt|does not) support the (toolresult\.)?status field/,
    teaches: teach("plain-tool-results"),
  },
  {
    // https://github.com/earendil-works/pi/issues/3739
    // https://github.com/simonw/llm-llama-server/issues/3
    pattern: /(doesnt|does not) support tool use in streaming mode|cannot use tools with stream/,
    teaches: teach("no-streamed-tools"),
  },
  {
    // https://github.com/strands-agents/harness-sdk/issues/1223
    pattern: /blocks and tool (use|result) blocks cannot be provided in the same turn/,
    teaches: teach("separate-tool-turns"),
  },
  {
    // https://github.com/code-yeongyu/senpi/issues/1947
    pattern: /does not support oneof, allof, or anyof at the top level/,
    teaches: teach("flat-tool-schemas"),
  },
  {
    // https://github.com/anomalyco/opencode/pull/48843
    pattern: /must be a-z, a-z, 0-9, with a length of 9/,
    teaches: () => [{ name: "tool-ids", value: "nine" }],
  },
  {
    // https://github.com/earendil-works/pi/pull/781
    pattern: /tool_?(use|result)?\S*id: string should match pattern/,
    teaches: () => [{ name: "tool-ids", value: "plain" }],
  },
  {
    // https://docs.vllm.ai/en/latest/features/tool_calling.html
    pattern: /tool choice requires --enable-auto-tool-choice/,
    teaches: teach("no-tool-form", "no-offered-tool-form"),
  },
  {
    // https://platform.claude.com/docs/en/build-with-claude/structured-outputs
    pattern:
      /tool_choice: type tool and any are not supported|only named tools are (currently )?supported|currently only named tools are supported/,
    teaches: teach("no-tool-form", "no-tool-choice"),
  },
  {
    // https://github.com/vectorize-io/hindsight/issues/3300
    pattern:
      /response_format type is unavailable|response_format\S* (of type )?json_schema is not supported|output_config\.format: extra inputs are not permitted/,
    teaches: teach("no-native-form"),
  },
];

/** How a service says that it does not call the model by the API that it was asked by. `text` is as above. */
const OTHER_WIRE: readonly RegExp[] = [
  // Converse of a model that it does not take: https://repost.aws/knowledge-center/bedrock-validation-exception-errors
  /action doesnt support the model that you provided/,
  /model\b.* (is )?(not supported|unsupported) (for|by|with|in) (this |the )?(converse|operation|action|api|endpoint)/,
  /(doesnt|does not) support (the )?(converse|this (api|operation|endpoint))/,
  // https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
  /isnt supported on this route/,
  // https://github.com/enricoros/big-AGI/pull/1167
  /does not support the \/v1\/[\w/]+ api/,
  // OpenAI's own: https://github.com/HeyPuter/puter/issues/1303, https://github.com/truefoundry/models/pull/846
  /only supported in v1\/responses|not supported in the v1\/chat\/completions endpoint/,
  // https://github.com/intel/intel-ai-super-builder/issues/111
  /to use function tools, use \/v1\/responses/,
];

/** Whether a refusal says that the model is called by another API. Pure. */
export function saysOtherWire(message: string): boolean {
  const text = plainText(message);
  return OTHER_WIRE.some((pattern) => pattern.test(text));
}

/** A name of a field, as it stands in a refusal. */
const FIELD = String.raw`([a-z_][\w.[\]-]*[\w\]])`;

/** How a refusal says that it is about a field, whatever the field is. */
const FRAMES: readonly { pattern: RegExp }[] = [
  {
    // https://github.com/vllm-project/vllm/issues/6631
    pattern: new RegExp(String.raw`loc: \(body, ${FIELD}\), msg: extra inputs are not permitted`),
  },
  {
    // https://github.com/aws-samples/sample-kolya-br-proxy/pull/104
    pattern: new RegExp(`(?:doesnt|does not) support the ${FIELD} (?:field|parameter|option)`),
  },
  {
    // https://github.com/promptfoo/promptfoo/issues/10307
    pattern: new RegExp(`${FIELD} is deprecated for this model`),
  },
  {
    // https://github.com/griptape-ai/ComfyUI-Griptape/issues/312
    pattern: new RegExp(`unsupported (?:parameter|value|field)s?: ${FIELD}`),
  },
  {
    // https://github.com/langchain-ai/langchain-aws/issues/62
    pattern: new RegExp(String.raw`extraneous key \[${FIELD}\] is not permitted`),
  },
  {
    // https://github.com/vllm-project/vllm/issues/6631
    pattern: new RegExp(`${FIELD}:? extra inputs are not permitted`),
  },
  {
    // https://platform.openai.com/docs/guides/error-codes
    pattern: new RegExp(
      `un(?:known|recognized|expected) (?:request )?(?:parameter|argument|field|key)s?(?: supplied)?:? ${FIELD}`,
    ),
  },
  {
    // Older servers, on pydantic 1.
    pattern: new RegExp(`extra fields not permitted: ${FIELD}`),
  },
  {
    // https://github.com/koosoli/ESPHomeDesigner/issues/379
    pattern: new RegExp(
      `${FIELD} (?:parameter |field )?is not (?:supported|allowed|permitted|available) (?:with|by|for|on|in) (?:this|the) model`,
    ),
  },
  // Sent by this program alone, and never worth a failure.
  { pattern: /\b(stream_options)\b/ },
];

/** What a field that is refused teaches, by its name in any API. The first that matches counts. */
const FIELDS: readonly { field: RegExp; teaches: readonly LessonName[] }[] = [
  { field: /(^|\.)temperature$/, teaches: ["temperature"] },
  { field: /(^|\.)top_?p$/, teaches: ["topP"] },
  { field: /(^|\.)top_?k$/, teaches: ["topK"] },
  { field: /(^|\.)stop(_?sequences)?$/, teaches: ["stopSequences"] },
  { field: /service_?tier/, teaches: ["serviceTier"] },
  { field: /performance_?config|latency/, teaches: ["latency"] },
  { field: /stream_options/, teaches: ["no-stream-options"] },
  { field: /tool_?choice\.tool$/, teaches: ["no-named-tool-choice", "no-tool-form", "no-tool-choice"] },
  { field: /tool_?choice/, teaches: ["no-tool-form", "no-tool-choice"] },
  { field: /cache_?(point|control)\S*ttl/, teaches: ["short-cache-points", "no-cache-points"] },
  { field: /cache_?(point|control)/, teaches: ["no-cache-points"] },
  {
    field: /response_format|text[_.]?format|outputconfig|output_config\.format/,
    teaches: ["no-native-form"],
  },
  { field: /reasoning_?content/, teaches: ["no-reasoning-blocks"] },
  { field: /^include\b|encrypted_content/, teaches: ["no-encrypted-reasoning"] },
  { field: /reasoning\.summary$/, teaches: ["no-reasoning-summary"] },
  { field: /thinking|^reasoning/, teaches: ["takes-no-level"] },
  { field: /output_config|effort/, teaches: ["reasons-by-budget", "takes-no-level"] },
  { field: /^system$|messages\[\d+\]\.role/, teaches: ["no-system"] },
  { field: /toolresult/, teaches: ["plain-tool-results"] },
];

/**
 * Any other words about what proves a thought to be the model's own: nothing else in a request is signed.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningTextBlock.html
 */
const OF_PROOF =
  /^(?=.*(?:thinking|reasoning)).*(?:signature|encrypted|decrypt|tampered|(?:by|from|belongs? to) (?:a different|another) (?:model|conversation|session)|provided without its required)/;

/** How a service says that it does not take something, in whatever words. */
const REFUSES =
  /\bunsupported\b|\bdeprecated\b|\b(?:not|doesnt|dont|isnt|arent|didnt|cannot|cant)\b(?: \w+){0,2} (?:support|allow|accept|permit|available|compatible|enabled)/;

/**
 * What it may be about where no field is named in a known frame, by what people call it, most likely first. AWS
 * says of cache points that the model is "unsupported", with status 403: https://github.com/anomalyco/opencode/issues/782
 */
const TOPICS: readonly { topic: RegExp; teaches: readonly LessonName[] }[] = [
  { topic: /prompt cach|cache[ _]?(point|control)/, teaches: ["no-cache-points"] },
  { topic: /service[ _]?tier|\b(flex|priority|reserved)( \w+)? tier/, teaches: ["serviceTier"] },
  { topic: /latency|performance[ _]?config/, teaches: ["latency"] },
  { topic: /tool[ _]?choice/, teaches: ["no-tool-form", "no-tool-choice"] },
  {
    topic:
      /structured (output|response)|json[ _]?schema|response[ _]?format|output[ _]?config|text[ _]?format/,
    teaches: ["no-native-form"],
  },
  { topic: /stop[ _]?sequence/, teaches: ["stopSequences"] },
  { topic: /\btop[ _-]?p\b/, teaches: ["topP"] },
  { topic: /\btop[ _-]?k\b/, teaches: ["topK"] },
  { topic: /temperature/, teaches: ["temperature"] },
  { topic: /\bsampling\b/, teaches: ["temperature", "topP", "topK"] },
  { topic: /system[ _](message|prompt|instruction|role)/, teaches: ["no-system"] },
  { topic: /\bthinking\b|\breasoning\b|\beffort\b/, teaches: ["takes-no-level", "no-reasoning-blocks"] },
];

/** The most of a message that is looked at, in characters: what a service says comes first. */
const LONGEST = 2000;

/** Fields without which a question is another, and those that are the question. */
const NEVER_LEFT_OUT = /^(model|messages?|tools?|toolconfig|input|prompt|guardrail\w*)\b/;

/**
 * What a refusal teaches about what was sent, most likely first; empty where its wording is not known, or names what is
 * never left out. Pure.
 */
export function readRefusal({ message, param }: Refusal): readonly Lesson[] {
  const text = plainText(message);
  for (const { pattern, teaches } of ROWS) {
    const match = pattern.exec(text);
    if (match) return teaches(match);
  }
  const named =
    param ?? FRAMES.map(({ pattern }) => pattern.exec(text)?.[1]).find((field) => field !== undefined);
  return named === undefined ? lessonsOfTopic(text) : lessonsOfField(named, text, message);
}

/** A message in small letters, without quotes and apostrophes. */
function plainText(message: string): string {
  return message
    .slice(0, LONGEST)
    .replaceAll(/['"`‘’“”]/g, "")
    .replaceAll(/\s+/g, " ")
    .toLowerCase();
}

function lessonsOfTopic(text: string): readonly Lesson[] {
  if (OF_PROOF.test(text)) return [{ name: "old-reasoning", isPassing: true }];
  if (!REFUSES.test(text)) return [];
  const names = TOPICS.flatMap(({ topic, teaches }) => (topic.test(text) ? teaches : []));
  return [...new Set(names)].map((name) => ({ name }));
}

function lessonsOfField(named: string, text: string, message: string): readonly Lesson[] {
  const field = named.toLowerCase();
  if (/(^|\.)max_(completion_)?tokens$/.test(field)) {
    const wanted = field.includes("completion") ? "max_tokens" : "max_completion_tokens";
    return text.includes("max_completion_tokens") ? [{ name: "length-field", value: wanted }] : [];
  }
  const row = FIELDS.find(({ field: pattern }) => pattern.test(field));
  if (row) return row.teaches.map((name) => ({ name }));
  if (NEVER_LEFT_OUT.test(field)) return [];
  const ofTopic = lessonsOfTopic(text);
  if (ofTopic.length > 0) return ofTopic;
  // As the message writes it: fields of a model's own have capitals.
  const [written = named] = new RegExp(named.replaceAll(/[.[\]]/g, String.raw`\$&`), "i").exec(message) ?? [];
  return [{ name: "field", value: written }];
}
