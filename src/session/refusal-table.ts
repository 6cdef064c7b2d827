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

/**
 * One wording, as it fits the message in small letters without quotes and apostrophes, and what it teaches, most likely first:
 * what changes nothing of the request is passed over.
 */
type RefusalRow = readonly [pattern: RegExp, teaches: (match: RegExpExecArray) => readonly Lesson[]];

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
  // https://github.com/anomalyco/opencode/issues/48637
  // https://github.com/can1357/oh-my-pi/pull/10486
  [
    /invalid signature|signature: field required|invalid data in redacted_thinking|each thinking block must contain|block is bound to a different conversation|thinking blocks in the latest assistant message cannot be modified/,
    passing("old-reasoning"),
  ],
  // https://github.com/langchain-ai/langchain-aws/issues/844
  [/expected thinking or redacted_thinking, but found/, passing("minds-lost-reasoning")],
  // https://github.com/langchain-ai/langchain-aws/issues/401
  [
    /(cannot contain|doesnt support|does not support) (the )?reasoning ?content/,
    teach("no-reasoning-blocks"),
  ],
  // https://github.com/openai/codex/issues/8145
  [/encrypted content .*could not be (verified|decrypted)/, passing("old-reasoning")],
  // https://github.com/NousResearch/hermes-agent/pull/24234
  [
    /encrypted content is not supported|(?:invalid|unsupported) value: reasoning\.encrypted_content/,
    teach("no-encrypted-reasoning"),
  ],
  // https://github.com/BerriAI/litellm/issues/16032
  [/verified to generate reasoning summaries/, teach("no-reasoning-summary")],
  // How the model is told to reason.
  // https://github.com/can1357/oh-my-pi/pull/333
  [
    /thinking may not be enabled when tool_choice forces|tool_choice forces tool use is not compatible with thinking/,
    passing("minds-forced-tool", "no-tool-form", "no-tool-choice"),
  ],
  // https://github.com/earendil-works/pi/issues/6212
  [
    /thinking\.type\.enabled is not supported|input tag enabled found using type does not match/,
    teach("reasons-adaptively", "takes-no-level"),
  ],
  // https://github.com/docker/docker-agent/pull/3381
  [
    /adaptive thinking is not supported|thinking\.type\.adaptive is not supported|input tag adaptive found using type does not match|thinking\.type: input should be (enabled|disabled)/,
    teach("reasons-by-budget", "takes-no-level"),
  ],
  // https://github.com/cline/cline/issues/13203
  [
    /thinking\.type\.disabled is not supported|input tag disabled found using type does not match|thinking cannot be disabled/,
    teach("always-reasons"),
  ],
  // https://github.com/coder/coder/issues/25356
  // https://github.com/Kilo-Org/cloud/pull/3807
  [
    /(?:effort|reasoning\b|unsupported value: (?:none|minimal|low|medium|high|xhigh|max)\b).*?(?:input should be|(?:supported|valid|allowed|accepted) (?:values|levels|options)(?: are)?:?|(?:must be|expected) one of:?) (.+)$/,
    ([, list]) => [...levelsOf(list), { name: "takes-no-level" }],
  ],
  // https://github.com/BerriAI/litellm/pull/27074
  [
    /invalid (?:value for )?(?:reasoning[ _.]?)?effort(?: level| value)?:? (low|medium|high|xhigh|max)\b/,
    ([, refused]) => [...weakerThan(refused), { name: "takes-no-level" }],
  ],
  // https://github.com/anthropics/claude-agent-sdk-typescript/issues/214
  // https://github.com/anthropics/claude-code/issues/30795
  [
    /does not support the effort parameter|output_config\.effort: extra inputs are not permitted/,
    teach("reasons-by-budget", "takes-no-level"),
  ],
  // Sampling.
  // https://github.com/aws-samples/bedrock-access-gateway/issues/191
  [
    /temperature and top_?p cannot both be specified|(temperature|top_?p) and (temperature|top_?p) are mutually exclusive/,
    teach("one-sampling"),
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
  [
    /temperature (may only be set to 1|is not supported|must be unset|cannot be set) (when|while|with) (\S+ )?thinking/,
    teach("temperature-while-reasoning"),
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
  [
    /top_p must be (greater than or equal to|unset|>=).*thinking|top_p must be unset when thinking/,
    teach("topP-while-reasoning"),
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
  [/top_k must be unset when thinking/, teach("topK-while-reasoning")],
  // https://github.com/HKUDS/nanobot/pull/4967
  [
    /\btemperature\b.*(?:\bonly (?:the default )?\(?[\d.]+\)? (?:value )?is (?:allowed|supported|accepted)|\b(?:must|should|has to) be (?:set to |equal to |exactly )?1(?:\.0)?(?: (?:for|with) (?:this|the) model)?\W*$)/,
    teach("temperature"),
  ],
  // More of it than the model takes, which holds for this call.
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
  [
    /\btop_?k: (?:input should|(?:value )?must) be (?:less|greater) than|\btop_?k: expected \S+ value/,
    passing("topK"),
  ],
  // https://github.com/boto/boto3/issues/3993
  // https://github.com/continuedev/continue/issues/2296
  [
    /\bstop_?sequences: (?:expected maximum item count|list should have at most)|\bstop_?sequences failed to satisfy constraint: member must have length/,
    passing("stopSequences"),
  ],
  // Length.
  // https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
  [/maximum tokens you requested exceeds the model limit of (\d+)/, mostTokens(false)],
  // https://platform.claude.com/docs/en/api/errors
  [/max_tokens: \d+ > (\d+)/, mostTokens(false)],
  // https://platform.claude.com/docs/en/build-with-claude/context-windows
  // The limit stands behind what is used of it.
  [/input length and max_tokens exceed context limit: (?=\d+ \+ \d+ > (\d+))(\d+)/, mostTokens(true)],
  // https://github.com/ChatGPTNextWeb/NextChat/issues/3195
  [/max_(?:completion_)?tokens is too large: \d+\. this model supports at most (\d+)/, mostTokens(false)],
  // https://github.com/claude-code-best/claude-code/issues/272
  [
    /max_(?:completion_)?tokens is too large: \d+\. this models maximum context length is (\d+) tokens and your request has (\d+) input tokens/,
    mostTokens(true),
  ],
  // https://platform.openai.com/docs/guides/error-codes
  [
    /maximum context length is (\d+) tokens\. however, you requested \d+ tokens \((\d+) in the messages, \d+ in the completion\)/,
    mostTokens(true),
  ],
  // https://github.com/Gitlawb/openclaude/issues/331
  [/max_(?:completion_)?tokens\b.*expected a value <= (\d+)/, mostTokens(false)],
  // https://github.com/vllm-project/vllm/issues/42474
  [
    /maximum context length is (\d+) tokens\. however, you requested \d+ output tokens and your prompt contains at least (\d+) input tokens/,
    mostTokens(true),
  ],
  // https://github.com/anomalyco/opencode/issues/1000
  // https://github.com/DaviRain-Su/hyper-grok-build/issues/44
  [
    /max_?(?:completion_?|output_?|new_?)?tokens\b.*?(?:(?:less than or equal to|at most|<=) |exceeds (?:the |models )(?:maximum|limit)\D{1,30})(\d+)/,
    mostTokens(false),
  ],
  // https://github.com/griptape-ai/ComfyUI-Griptape/issues/312
  [
    /(use|did you mean) max_completion_tokens/,
    () => [{ name: "length-field", value: "max_completion_tokens" }],
  ],
  // The service.
  // https://github.com/envoyproxy/ai-gateway/pull/1749
  // https://github.com/NousResearch/hermes-agent/pull/34476
  [
    /service[ _]?tier\b.*(not supported|not available|unsupported|invalid)|(doesnt|does not|not) support.* service[ _]?tier|reservation not found/,
    teach("serviceTier"),
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html
  [
    /latency performance configuration is not supported|(doesnt|does not) support.*(latency|performance ?config)/,
    teach("latency"),
  ],
  // The prompt cache.
  // https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
  [
    /(cache_?(point|control)\S*ttl|extended cache ttl|ttl field|1h cache).*(not supported|not permitted|unsupported|invalid|doesnt|does not|input should be)|(doesnt|does not) support.*\bttl\b/,
    teach("short-cache-points", "no-cache-points"),
  ],
  // https://github.com/Boise-State-Development/agentcore-public-stack/pull/1064
  [
    /access to explicit prompt caching|(doesnt|does not) support.*(prompt caching|cache_?points?|cache_?control)|(prompt caching|cache_?point|cache_?control)\S* (is|are) not supported|extraneous key \[cache_?(point|control)\]/,
    teach("no-cache-points"),
  ],
  // The conversation.
  // https://github.com/danny-avila/LibreChat/issues/6456
  // https://github.com/tailcallhq/forgecode/issues/1177
  [
    /(doesnt|does not) support system (messages?|prompts?|instructions?)|system role (is )?not supported|messages\[\d+\]\.role does not support system|incompatible with system messages/,
    teach("no-system"),
  ],
  // https://github.com/NousResearch/hermes-agent/issues/105780
  [
    /does not support assistant message prefill|conversation must end with a user message/,
    teach("no-prefill"),
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
  [
    /(doesnt|does not) support documents|(doesnt|does not) support the document/,
    teach("plain-tool-results", "no-documents"),
  ],
  // https://github.com/anomalyco/opencode/issues/49443
  // https://github.com/vllm-project/vllm/issues/11629
  [
    /(doesnt|does not) support the image (field|content)|(doesnt|does not) support image (input|content)|image_url is only supported by certain models|not a multimodal model|content type image_url (is )?not supported/,
    teach("plain-tool-results", "no-images"),
  ],
  // Tools.
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html
  [/(doesnt|does not) support the (toolresult\.)?status field/, teach("plain-tool-results")],
  // https://github.com/earendil-works/pi/issues/3739
  // https://github.com/simonw/llm-llama-server/issues/3
  [
    /(doesnt|does not) support tool use in streaming mode|cannot use tools with stream/,
    teach("no-streamed-tools"),
  ],
  // https://github.com/strands-agents/harness-sdk/issues/1223
  [/blocks and tool (use|result) blocks cannot be provided in the same turn/, teach("separate-tool-turns")],
  // https://github.com/code-yeongyu/senpi/issues/1947
  [/does not support oneof, allof, or anyof at the top level/, teach("flat-tool-schemas")],
  // https://github.com/anomalyco/opencode/pull/48843
  [/must be a-z, a-z, 0-9, with a length of 9/, () => [{ name: "tool-ids", value: "nine" }]],
  // https://github.com/earendil-works/pi/pull/781
  [/tool_?(use|result)?\S*id: string should match pattern/, () => [{ name: "tool-ids", value: "plain" }]],
  // https://docs.vllm.ai/en/latest/features/tool_calling.html
  [/tool choice requires --enable-auto-tool-choice/, teach("no-tool-form", "no-offered-tool-form")],
  // https://platform.claude.com/docs/en/build-with-claude/structured-outputs
  [
    /tool_choice: type tool and any are not supported|only named tools are (currently )?supported|currently only named tools are supported/,
    teach("no-tool-form", "no-tool-choice"),
  ],
  // https://github.com/vectorize-io/hindsight/issues/3300
  [
    /response_format type is unavailable|response_format\S* (of type )?json_schema is not supported|output_config\.format: extra inputs are not permitted/,
    teach("no-native-form"),
  ],
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
const FRAMES: readonly RegExp[] = [
  // https://github.com/vllm-project/vllm/issues/6631
  new RegExp(String.raw`loc: \(body, ${FIELD}\), msg: extra inputs are not permitted`),
  // https://github.com/aws-samples/sample-kolya-br-proxy/pull/104
  new RegExp(`(?:doesnt|does not) support the ${FIELD} (?:field|parameter|option)`),
  // https://github.com/promptfoo/promptfoo/issues/10307
  new RegExp(`${FIELD} is deprecated for this model`),
  // https://github.com/griptape-ai/ComfyUI-Griptape/issues/312
  new RegExp(`unsupported (?:parameter|value|field)s?: ${FIELD}`),
  // https://github.com/langchain-ai/langchain-aws/issues/62
  new RegExp(String.raw`extraneous key \[${FIELD}\] is not permitted`),
  // https://github.com/vllm-project/vllm/issues/6631
  new RegExp(`${FIELD}:? extra inputs are not permitted`),
  // https://platform.openai.com/docs/guides/error-codes
  new RegExp(
    `un(?:known|recognized|expected) (?:request )?(?:parameter|argument|field|key)s?(?: supplied)?:? ${FIELD}`,
  ),
  // Older servers, on pydantic 1.
  new RegExp(`extra fields not permitted: ${FIELD}`),
  // https://github.com/koosoli/ESPHomeDesigner/issues/379
  new RegExp(
    `${FIELD} (?:parameter |field )?is not (?:supported|allowed|permitted|available) (?:with|by|for|on|in) (?:this|the) model`,
  ),
  // Sent by this program alone, and never worth a failure.
  /\b(stream_options)\b/,
];

/** What a field that is refused teaches, by its name in any API. The first that matches counts. */
const FIELDS: readonly (readonly [RegExp, ...LessonName[]])[] = [
  [/(^|\.)temperature$/, "temperature"],
  [/(^|\.)top_?p$/, "topP"],
  [/(^|\.)top_?k$/, "topK"],
  [/(^|\.)stop(_?sequences)?$/, "stopSequences"],
  [/service_?tier/, "serviceTier"],
  [/performance_?config|latency/, "latency"],
  [/stream_options/, "no-stream-options"],
  [/tool_?choice\.tool$/, "no-named-tool-choice", "no-tool-form", "no-tool-choice"],
  [/tool_?choice/, "no-tool-form", "no-tool-choice"],
  [/cache_?(point|control)\S*ttl/, "short-cache-points", "no-cache-points"],
  [/cache_?(point|control)/, "no-cache-points"],
  [/response_format|text[_.]?format|outputconfig|output_config\.format/, "no-native-form"],
  [/reasoning_?content/, "no-reasoning-blocks"],
  [/^include\b|encrypted_content/, "no-encrypted-reasoning"],
  [/reasoning\.summary$/, "no-reasoning-summary"],
  [/thinking|^reasoning/, "takes-no-level"],
  [/output_config|effort/, "reasons-by-budget", "takes-no-level"],
  [/^system$|messages\[\d+\]\.role/, "no-system"],
  [/toolresult/, "plain-tool-results"],
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
const TOPICS: readonly (readonly [RegExp, ...LessonName[]])[] = [
  [/prompt cach|cache[ _]?(point|control)/, "no-cache-points"],
  [/service[ _]?tier|\b(flex|priority|reserved)( \w+)? tier/, "serviceTier"],
  [/latency|performance[ _]?config/, "latency"],
  [/tool[ _]?choice/, "no-tool-form", "no-tool-choice"],
  [
    /structured (output|response)|json[ _]?schema|response[ _]?format|output[ _]?config|text[ _]?format/,
    "no-native-form",
  ],
  [/stop[ _]?sequence/, "stopSequences"],
  [/\btop[ _-]?p\b/, "topP"],
  [/\btop[ _-]?k\b/, "topK"],
  [/temperature/, "temperature"],
  [/\bsampling\b/, "temperature", "topP", "topK"],
  [/system[ _](message|prompt|instruction|role)/, "no-system"],
  [/\bthinking\b|\breasoning\b|\beffort\b/, "takes-no-level", "no-reasoning-blocks"],
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
  for (const [pattern, teaches] of ROWS) {
    const match = pattern.exec(text);
    if (match) return teaches(match);
  }
  const named = param ?? FRAMES.map((frame) => frame.exec(text)?.[1]).find((field) => field !== undefined);
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
  const names = TOPICS.flatMap(([topic, ...taught]) => (topic.test(text) ? taught : []));
  return [...new Set(names)].map((name) => ({ name }));
}

function lessonsOfField(named: string, text: string, message: string): readonly Lesson[] {
  const field = named.toLowerCase();
  if (/(^|\.)max_(completion_)?tokens$/.test(field)) {
    const wanted = field.includes("completion") ? "max_tokens" : "max_completion_tokens";
    return text.includes("max_completion_tokens") ? [{ name: "length-field", value: wanted }] : [];
  }
  const [pattern, ...taught] = FIELDS.find(([known]) => known.test(field)) ?? [];
  if (pattern) return taught.map((name) => ({ name }));
  if (NEVER_LEFT_OUT.test(field)) return [];
  const ofTopic = lessonsOfTopic(text);
  if (ofTopic.length > 0) return ofTopic;
  // As the message writes it: fields of a model's own have capitals.
  const [written = named] = new RegExp(named.replaceAll(/[.[\]]/g, String.raw`\$&`), "i").exec(message) ?? [];
  return [{ name: "field", value: written }];
}
