import type { AudioFormat, DocumentFormat, ImageFormat, VideoFormat } from "@aws-sdk/client-bedrock-runtime";
import { parseArn } from "../aws/arn.ts";
import type { ModelParameters, ProviderSettings } from "../config/settings.ts";
import { once } from "../once.ts";
import { EMBEDDING_FORMS, type EmbeddingForm } from "./embedding-forms.ts";
import { withoutPrefix } from "./base-model-id.ts";

/** How a model may be called. */
export type Api = NonNullable<ProviderSettings["api"]>;

export type ReasoningLevel = NonNullable<ModelParameters["reasoning"]>;
export type Effort = Exclude<ReasoningLevel, "off">;

/** Fields of `additionalModelRequestFields`. */
export type Fields = Record<string, string | number | boolean | Record<string, string | number>>;

interface LevelContext {
  /** The most tokens to think, for models that take a budget: below what the answer may have. */
  mostBudget: number;
  /** Whether a person wants to read the reasoning. */
  isShown: boolean;
}

export type Parameter = "temperature" | "topP" | "topK" | "maxTokens" | "stopSequences";

/**
 * What keeps a model from reasoning in this turn: a tool that it must call, or results of calls that it made while it
 * reasoned, without that reasoning. OpenAI's format has no place for it.
 */
export type Obstacle = "forced-tool" | "lost-reasoning";

export interface ReasoningForm {
  /** The levels it knows, weakest first; empty when it reasons as it likes. */
  levels: readonly Effort[];
  fields: (level: Effort, context: LevelContext) => Fields;
  /** What switches reasoning off: `{}` where it is off unless asked for; undefined where it cannot be. */
  off: Fields | undefined;
  /** What makes the reasoning readable without asking for a level, where the model reasons by itself but hides it. */
  shown?: Fields;
  /** Whether a level is a number of tokens. */
  hasBudget?: true;
  /** What it refuses to reason with. */
  minds?: readonly Obstacle[];
  /** Parameters that the model refuses at a level, or whenever (level undefined). */
  refuses?: (level: ReasoningLevel | undefined) => readonly Parameter[];
  /** Values that a refused parameter may have all the same. */
  tolerates?: Partial<Record<Parameter, (value: number) => boolean>>;
  source: string;
}

/** How long a cache point keeps what is before it. */
export type CacheTime = Exclude<NonNullable<ModelParameters["cache"]>, "off">;

/** What Converse can be given a file as. */
export type FileKind =
  | { kind: "image"; format: ImageFormat }
  | { kind: "document"; format: DocumentFormat }
  | { kind: "video"; format: VideoFormat }
  | { kind: "audio"; format: AudioFormat };

/** The kinds of files that only a few models take. */
export type MediaKind = "video" | "audio";

/** The files that a message may carry. Sizes in bytes of the file itself. */
export interface AttachmentLimits {
  /** The most bytes of one file, by its format, else by its kind; `Infinity` where only the request as a whole bounds it. */
  mostBytes: Record<FileKind["kind"], number> & Partial<Record<DocumentFormat, number>>;
  /** The most pixels of an image's width and of its height. */
  mostPixels: number;
  most: Record<FileKind["kind"], number>;
  source: string;
}

export interface ReadsS3 {
  /** The most bytes of a video there. */
  mostVideoBytes: number;
  source: string;
}

export interface ToolIds {
  fits: RegExp;
  /** The length of one that is made in place of an unfit one, of letters and digits. */
  length: number;
  source: string;
}

/** What is known of a model because of its family. What is missing is not known, or as for most models. */
export interface FamilyFacts {
  reasoning?: ReasoningForm | undefined;
  /** The times to live that cache points may have; none where the model caches by itself and refuses them. */
  cachePoints?: {
    times: readonly CacheTime[];
    /** Whether they may stand behind tools, too. */
    inTools?: boolean;
    /** Whether they may stand behind a text alone: not behind a file or the result of a tool. */
    onlyBehindText?: boolean;
    source: string;
  };
  /** That Converse's `outputConfig.textFormat` holds it to a JSON Schema. */
  outputConfig?: { source: string } | undefined;
  /** That a tool choice may name the tool it forces; other models take `any`. */
  namedToolChoice?: { source: string } | undefined;
  /** That it chooses by itself whether to call a tool. */
  freeToolChoice?: { source: string };
  attachments?: AttachmentLimits;
  /** That it takes videos or sound. */
  media?: { kinds: readonly MediaKind[]; source: string };
  /** That it takes files that lie in Amazon S3; others are given the bytes. */
  readsS3?: ReadsS3;
  /** That it says what in a PDF or a text it has its words from, where that is asked for. */
  citations?: { source: string };
  /**
   * The tool of the service's own with which it searches the web, the only geography whose profiles have it, and what IAM
   * calls it.
   */
  webSearch?: { tool: string; geography?: string; resource?: string; source: string };
  /** That it knows tools by a type, the beta feature that each type is, and the field for those; none where it has left that state. */
  ownTools?: { betas: Readonly<Record<string, string>>; betaField: string; source: string };
  /** Where the ids of tool calls are others than `ANY_TOOL_IDS`. */
  toolIds?: ToolIds;
  /** That a tool's result may hold images and documents, and say whether the tool failed. */
  richToolResults?: { source: string } | undefined;
  /** That calls and results of tools share a message with nothing else. */
  separateToolTurns?: { source: string };
  /** That the root of a tool's schema may have its type, its fields and which are required, and nothing else. */
  bareToolSchemas?: { source: string };
  /** That a tool's schema may have no `oneOf`, `anyOf` or `allOf` at its root. */
  flatToolSchemas?: { source: string };
  /** That a tool's schema has to be one of draft 2020-12, as the forms of older drafts are not. */
  newestToolSchemas?: { source: string };
  /** The field that it takes top-k in; others are not known to take it. */
  topK?: { fields: (count: number) => Fields; source: string };
  /** That temperature and top-p exclude each other. */
  oneSampling?: { source: string };
  /** That a conversation may end with the beginning of the answer. */
  prefill?: { source: string } | undefined;
  /** The highest temperature, where it is not Converse's 1. */
  temperature?: { most: number; source: string };
  /** Who wants of each account a form about its use case before the first call. */
  useCaseForm?: { by: string; source: string };
  /** The mode of data retention that an account needs at least; others are not known to need one. */
  retention?: { least: "default" | "aws_review" | "provider_data_share"; source: string };
  /** That a text which ends its answer has to hold more than white space. */
  stopsWithWords?: { source: string };
  /** Where in the model's own answer it stands which text has ended it, as JSON pointers: of a streamed one, and of a whole one. */
  namesStop?: { paths: readonly string[]; source: string };
  /**
   * How InvokeModel gives it texts to embed, the most tokens of one, and what a million of them cost, in USD:
   * https://aws.amazon.com/bedrock/pricing/. The bounds of Titan's:
   * https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html
   */
  embedding?: EmbeddingForm & { mostTokens: number; price: number; source: string };
  /** What quotas call it, where AWS's list of models calls it otherwise. */
  quotaName?: { name: string; source: string };
  /** How many tokens of the quota one token of output takes, where it is more than one. */
  burndown?: { output: number; source: string };
  /** That Bedrock's batch inference takes it, at half the price. Of models that are newer than the page nobody knows. */
  batch?: { source: string };
  /** That it is asked in the service tier `flex`, too, at half the price. */
  flex?: { source: string };
  /** That most regions reach it through an inference profile only. */
  byProfile?: { source: string };
  /**
   * The APIs that take it at each endpoint, the best first, where those are not the usual ones; none at all where no
   * endpoint is named. The pattern holds for its id without the version.
   */
  apis?: { runtime?: readonly Api[]; mantle?: readonly Api[]; source: string };
}

interface ModelFamily extends FamilyFacts {
  /** Matches the id of the foundation model. */
  models: RegExp;
}

const USER_GUIDE = "https://docs.aws.amazon.com/bedrock/latest/userguide";
const API_REFERENCE = "https://docs.aws.amazon.com/bedrock/latest/APIReference";
const CLAUDE = "https://platform.claude.com/docs/en";

const LOW_TO_HIGH: readonly Effort[] = ["low", "medium", "high"];
const LOW_TO_MAX: readonly Effort[] = ["low", "medium", "high", "xhigh", "max"];

/** The least budget that Claude takes, in tokens: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
export const LEAST_BUDGET = 1024;
/** Tokens for the answer beside a budget, which counts into its length. */
export const ANSWER_TOKENS = 4096;
/** Budgets in tokens; above 32,000 Anthropic advises batches. Same page. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  minimal: LEAST_BUDGET,
  low: 4096,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_000,
};

/** The weakest level with at least so many tokens to think; the strongest where none has. */
export function levelOfBudget(tokens: number): Effort {
  const levels = Object.entries(BUDGETS) as [Effort, number][];
  return levels.find(([, budget]) => budget >= tokens)?.[0] ?? "max";
}

const refusesSampling = (): readonly Parameter[] => ["temperature", "topP", "topK"];
const refusesSamplingWhileThinking = (level: ReasoningLevel | undefined): readonly Parameter[] =>
  level === undefined || level === "off" ? [] : refusesSampling();
/** While Claude thinks, temperature may only be 1 and top-p only 0.95 or more. Same page as the budgets. */
const CLAUDE_TOLERATES = {
  temperature: (value: number) => value === 1,
  topP: (value: number) => value >= 0.95,
};

const REASONING_EFFORT = {
  levels: LOW_TO_HIGH,
  fields: (level: Effort): Fields => ({ reasoning_effort: level }),
  off: {},
};
const REASONING_OBJECT = {
  levels: LOW_TO_MAX,
  fields: (level: Effort): Fields => ({ reasoning: { effort: level } }),
  off: { reasoning: { effort: "none" } },
};
const REASONING_CONFIG = {
  levels: LOW_TO_HIGH,
  fields: (level: Effort): Fields => ({ reasoning_config: level }),
  off: {},
};

/** Claude up to 4.5: a budget in tokens. */
const BUDGETED = {
  levels: ["minimal", "low", "medium", "high", "xhigh", "max"],
  fields: (level, { mostBudget }) => ({
    thinking: { type: "enabled", budget_tokens: Math.min(BUDGETS[level], mostBudget) },
  }),
  hasBudget: true,
  // Adaptive thinking no longer wants its own thoughts back: see its source.
  minds: ["forced-tool", "lost-reasoning"],
  off: {},
  refuses: refusesSamplingWhileThinking,
  tolerates: CLAUDE_TOLERATES,
  source: `${USER_GUIDE}/claude-messages-extended-thinking.html`,
} satisfies ReasoningForm;

/** From Opus 4.7 on Claude hides what it thinks unless `display` says otherwise. */
const SUMMARIZED = { thinking: { type: "adaptive", display: "summarized" } };
/** Claude from 4.7 on. It thinks only where it may choose whether to call a tool: same page as the budgets. */
const ADAPTIVE = {
  levels: LOW_TO_MAX,
  fields: (level, { isShown }) => ({
    ...(isShown ? SUMMARIZED : { thinking: { type: "adaptive" } }),
    output_config: { effort: level },
  }),
  off: {},
  minds: ["forced-tool"],
  refuses: refusesSampling,
  source: `${USER_GUIDE}/claude-messages-adaptive-thinking.html`,
} satisfies ReasoningForm;
/** Claude from 5 on thinks without being asked. */
const THINKING = { ...ADAPTIVE, shown: SUMMARIZED };
const DISABLED = { thinking: { type: "disabled" } };

/** The two forms that Claude has had, for a model that turns out to want the other one. */
export const REASONING_FORMS = { adaptive: ADAPTIVE, budget: BUDGETED } satisfies Record<
  string,
  ReasoningForm
>;

/** The tables of quotas by model. */
const LIMITS = "https://docs.aws.amazon.com/general/latest/gr/bedrock.html#limits_bedrock";
const BURNDOWN = `${USER_GUIDE}/quotas-token-burndown.html`;
/** A model that the page does not name takes one for one. */
export const PLAIN_BURNDOWN = { output: 1, source: BURNDOWN };

const CACHING = `${USER_GUIDE}/prompt-caching.html`;
const FIVE_MINUTES = { times: ["5m"], inTools: true, source: CACHING } as const;
const UP_TO_AN_HOUR = { times: ["5m", "1h"], inTools: true, source: CACHING } as const;

const HELD_TO_SCHEMA = { source: `${USER_GUIDE}/structured-output.html` };
/** From 5 on Claude also refuses a forced tool. */
const CLAUDE_HELD_TO_SCHEMA = { source: `${CLAUDE}/build-with-claude/structured-outputs` };
const NAMED_TOOL_CHOICE = { source: `${API_REFERENCE}/API_runtime_SpecificToolChoice.html` };

/** https://docs.aws.amazon.com/bedrock/latest/userguide/computer-use.html, by the models that know the type. */
const COMPUTER_USE = {
  bash_20241022: "computer-use-2024-10-22",
  computer_20241022: "computer-use-2024-10-22",
  text_editor_20241022: "computer-use-2024-10-22",
  computer_20250124: "computer-use-2025-01-24",
  computer_20251124: "computer-use-2025-11-24",
};
const TOOLS_BY_TYPE = `${USER_GUIDE}/model-parameters-anthropic-claude-messages-tool-use.html`;

const RICH_TOOL_RESULTS = { source: `${API_REFERENCE}/API_runtime_ToolResultContentBlock.html` };
/** Ids that every model takes but Mistral's, and those of the service's model: what is not known to take more gets these. */
export const ANY_TOOL_IDS: ToolIds = {
  fits: /^[a-zA-Z0-9_-]{1,64}$/,
  length: 24,
  source: `${API_REFERENCE}/API_runtime_ToolUseBlock.html`,
};

/** The ids of Mistral's models. */
export const NINE_CHARACTERS: ToolIds = {
  fits: /^[a-zA-Z0-9]{9}$/,
  length: 9,
  source: "https://github.com/anomalyco/opencode/pull/48843 (measured)",
};

const MB = 1024 * 1024;
/** What Converse's reference says of files for any model. 3.75 MB are 5 MB in base64, which is what the service measures. */
export const ANY_ATTACHMENTS: AttachmentLimits = {
  mostBytes: {
    image: 3.75 * MB,
    document: 4.5 * MB,
    video: Number.POSITIVE_INFINITY,
    audio: Number.POSITIVE_INFINITY,
  },
  mostPixels: 8000,
  most: { image: 20, document: 5, video: Number.POSITIVE_INFINITY, audio: Number.POSITIVE_INFINITY },
  source: `${API_REFERENCE}/API_runtime_Message.html`,
};
/** 25,000,000 bytes in base64. */
const NOVA_MEDIA = 18_750_000;

/** Column "Converse". Image, video and embedding models are not here: their modalities already say so. */
const COMPATIBILITY = `${USER_GUIDE}/models-api-compatibility.html`;
const NOWHERE: NonNullable<FamilyFacts["apis"]> = { source: COMPATIBILITY };

/**
 * Models that Converse does not take; successors of them may. Every model of a list is held against these, so they stand
 * by themselves and the other rows are made when a model is asked.
 */
const OTHER_APIS: readonly ModelFamily[] = [
  {
    models: /^anthropic\.claude-mythos-(?:5|preview)$/,
    apis: { mantle: ["anthropic-messages"], source: COMPATIBILITY },
  },
  // Nova Sonic, 2 Sonic, 2.5 Sonic and what follows: InvokeModelWithBidirectionalStream.
  { models: /^amazon\.nova-(?:\d[\d-]*-)?sonic$/, apis: NOWHERE },
  // InvokeModel only.
  { models: /^(?:amazon|cohere)\.rerank(?:-.*)?$/, apis: NOWHERE },
  {
    models: /^openai\.gpt-5\.[45]$/,
    apis: { mantle: ["openai-responses"], source: `${USER_GUIDE}/model-card-openai-gpt-55.html` },
  },
  {
    models: /^xai\.grok-4\.3$/,
    apis: { mantle: ["openai-completions", "openai-responses"], source: COMPATIBILITY },
  },
  {
    models: /^google\.gemma-4-/,
    apis: {
      mantle: ["openai-completions", "openai-responses"],
      source: `${USER_GUIDE}/model-card-google-gemma-4-e2b.html`,
    },
  },
  // Video in, text out, streamed: InvokeModel only.
  { models: /^twelvelabs\.pegasus-[\d-]+$/, apis: NOWHERE },
];

/**
 * What families of models take. Each fact of a model is that of the first row that matches its id and names the fact: a
 * narrow row stands before a broad one, and names only what is different.
 */
export function families(): readonly ModelFamily[] {
  return [
    ...OTHER_APIS,
    {
      models: /^anthropic\.claude-(fable|mythos)-/,
      reasoning: { ...THINKING, off: undefined },
      cachePoints: UP_TO_AN_HOUR,
      outputConfig: CLAUDE_HELD_TO_SCHEMA,
    },
    {
      // "currently Claude Fable 5 and Claude Fable 5.1"
      models: /^anthropic\.claude-fable-5(-1)?(?!-\d)/,
      retention: { least: "aws_review", source: `${USER_GUIDE}/data-retention.html` },
    },
    {
      models: /^anthropic\.claude-opus-5-5/,
      reasoning: { ...THINKING, off: undefined, source: `${CLAUDE}/models/opus-5-5/migration-guide` },
    },
    {
      models: /^anthropic\.claude-sonnet-5-5/,
      reasoning: {
        ...THINKING,
        // No thinking before the answer; `disabled` is refused.
        off: { thinking: { type: "between_tools" } },
        source: `${CLAUDE}/models/sonnet-5-5/migration-guide`,
      },
    },
    {
      models: /^anthropic\.claude-haiku-5-5/,
      reasoning: { ...THINKING, off: DISABLED, source: `${CLAUDE}/models/haiku-5-5/migration-guide` },
    },
    {
      models: /^anthropic\.claude-(opus|sonnet)-5/,
      reasoning: { ...THINKING, off: DISABLED, source: `${CLAUDE}/models/opus-5/migration-guide` },
    },
    { models: /^anthropic\.claude-(opus|sonnet|haiku)-5/, outputConfig: CLAUDE_HELD_TO_SCHEMA },
    // Off unless asked for; AWS's page has `disabled` refused, so it is left out instead.
    { models: /^anthropic\.claude-opus-4-[78]/, reasoning: ADAPTIVE },
    {
      models: /^anthropic\.claude-(opus|sonnet)-4-6/,
      reasoning: {
        ...ADAPTIVE,
        levels: ["low", "medium", "high", "max"],
        fields: (level) => ({ thinking: { type: "adaptive" }, output_config: { effort: level } }),
        refuses: refusesSamplingWhileThinking,
        tolerates: CLAUDE_TOLERATES,
      },
      outputConfig: HELD_TO_SCHEMA,
    },
    { models: /^anthropic\.claude-(opus|sonnet|haiku)-4-5/, outputConfig: HELD_TO_SCHEMA },
    { models: /^anthropic\.claude-(opus|sonnet|haiku)-(4-[5-9]|[5-9])/, cachePoints: UP_TO_AN_HOUR },
    { models: /^anthropic\.claude-((opus|sonnet)-4|3-7-sonnet|3-5-haiku)/, cachePoints: FIVE_MINUTES },
    {
      models: /^anthropic\.claude-((opus|sonnet|haiku)-4|3-7-sonnet)/,
      reasoning: BUDGETED,
    },
    { models: /^anthropic\.claude-(3|instant|v2)/, attachments: ANY_ATTACHMENTS },
    {
      models: /^anthropic\.claude-(3|instant|v2|(opus|sonnet|haiku)-4-([0-5]-|\d{8}))/,
      // From 4.6 on: "This model does not support assistant message prefill."
      prefill: { source: `${CLAUDE}/about-claude/models/whats-new-claude-4-6` },
    },
    {
      models: /^anthropic\.claude-(3|instant|v2|(opus|sonnet|haiku)-4-([0-5]-|\d{8}))/,
      // Sent by https://github.com/vercel/ai/pull/11878, and for the memory in https://github.com/vercel/ai/issues/11886
      // (measured through ConverseStream).
      ownTools: {
        betas: {
          ...COMPUTER_USE,
          bash_20250124: "computer-use-2025-01-24",
          text_editor_20250124: "computer-use-2025-01-24",
          text_editor_20250429: "computer-use-2025-01-24",
          text_editor_20250728: "computer-use-2025-01-24",
          memory_20250818: "context-management-2025-06-27",
        },
        betaField: "anthropic_beta",
        source: TOOLS_BY_TYPE,
      },
    },
    {
      models: /^anthropic\.claude-(opus|sonnet|haiku)-4-[156]/,
      oneSampling: { source: "https://github.com/aws-samples/bedrock-access-gateway/pull/238 (measured)" },
    },
    {
      models: /^anthropic\.claude-/,
      topK: { fields: (count) => ({ top_k: count }), source: `${API_REFERENCE}/API_runtime_Converse.html` },
      richToolResults: RICH_TOOL_RESULTS,
      flatToolSchemas: { source: "https://github.com/code-yeongyu/senpi/issues/1947 (measured)" },
      newestToolSchemas: { source: "https://github.com/anthropics/claude-code/issues/7365" },
      namedToolChoice: NAMED_TOOL_CHOICE,
      // From 4.6 on all but the computer is taken without a beta feature, and newer models refuse most of those.
      ownTools: { betas: COMPUTER_USE, betaField: "anthropic_beta", source: TOOLS_BY_TYPE },
      attachments: {
        ...ANY_ATTACHMENTS,
        // PDF of 22 MB accepted, DOCX of 5.8 MB and an image of 4.96 MB refused:
        // https://github.com/aws-samples/generative-ai-use-cases/issues/1334
        mostBytes: { ...ANY_ATTACHMENTS.mostBytes, pdf: Number.POSITIVE_INFINITY },
        source: `${USER_GUIDE}/inference-api-restrictions.html`,
      },
    },
    {
      models: /^amazon\.titan-embed-(?:text-v1|g1-text-02)/,
      embedding: {
        ...EMBEDDING_FORMS.inputText,
        mostCharacters: 50_000,
        dimensions: [1536],
        mostTokens: 8192,
        price: 0.1,
        source: `${USER_GUIDE}/model-parameters-titan-embed-text.html`,
      },
    },
    {
      models: /^amazon\.titan-embed-text-v2/,
      embedding: {
        ...EMBEDDING_FORMS.inputTextWithDimensions,
        mostCharacters: 50_000,
        dimensions: [1024, 512, 256],
        mostTokens: 8192,
        price: 0.02,
        source: `${USER_GUIDE}/model-parameters-titan-embed-text.html`,
      },
    },
    {
      models: /^cohere\.embed-(?:english|multilingual)-v3/,
      embedding: {
        ...EMBEDDING_FORMS.texts,
        mostCharacters: 2048,
        dimensions: [1024],
        mostTokens: 512,
        price: 0.1,
        source: `${USER_GUIDE}/model-parameters-embed-v3.html`,
      },
    },
    {
      models: /^cohere\.embed-v4/,
      embedding: {
        ...EMBEDDING_FORMS.textsWithDimensions,
        dimensions: [1536, 1024, 512, 256],
        mostTokens: 128_000,
        price: 0.12,
        source: `${USER_GUIDE}/model-parameters-embed-v4.html`,
      },
    },
    {
      models: /^amazon\.nova-2-multimodal-embeddings/,
      embedding: {
        ...EMBEDDING_FORMS.singleEmbedding,
        mostCharacters: 8192,
        dimensions: [3072, 1024, 384, 256],
        mostTokens: 8192,
        price: 0.135,
        source: "https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html",
      },
    },
    { models: /^anthropic\.claude-v2/, quotaName: { name: "Claude V2", source: LIMITS } },
    {
      models: /^amazon\.titan-embed-(?:text-v1|g1-text-02)/,
      quotaName: { name: "Titan Text Embeddings", source: LIMITS },
    },
    {
      models: /^mistral\.mixtral-8x7b/,
      quotaName: { name: "Mixtral 8X7BB Instruct", source: LIMITS },
    },
    {
      models:
        /^(?:amazon\.(?:nova-(?:lite|micro|premier|pro)-v1|nova-2-lite|titan-embed-(?:image|text-v2))|anthropic\.claude-(?:3-(?:5-|7-)?(?:haiku|opus|sonnet)|sonnet-4-2025|(?:haiku|opus|sonnet)-4-[56](?!\d))|deepseek\.v3-v1|meta\.llama(?:3-[123]|4)-|minimax\.minimax-m2\.1|mistral\.(?:mistral-small-2402|mistral-large-2407|devstral-2-)|openai\.gpt-oss-(?!safeguard)|qwen\.qwen3-(?:235b|32b|coder-(?:30b|480b))|zai\.glm-4\.7-flash)/,
      batch: { source: `${USER_GUIDE}/batch-inference-supported.html` },
    },
    {
      models:
        /^(?:amazon\.nova-(?:(?:premier|pro)-v1|2-lite)|deepseek\.v3|google\.gemma-3-|nvidia\.nemotron-|openai\.gpt-oss-|qwen\.qwen3-|zai\.glm)/,
      flex: { source: `${USER_GUIDE}/service-tiers-inference.html` },
    },
    { models: /^anthropic\.claude-\w+-4-8(?!\d)/, burndown: { output: 15, source: BURNDOWN } },
    {
      models: /^anthropic\.claude-(?:(?:sonnet|opus)-5(?!-\d(?!\d))|fable-5-1(?!\d))/,
      burndown: { output: 10, source: BURNDOWN },
    },
    {
      models: /^anthropic\.claude-(?:3-7-|(?:opus|sonnet|haiku)-4)/,
      burndown: { output: 5, source: BURNDOWN },
    },
    {
      models: /^openai\.gpt-5\.6-(?:sol|terra|luna)(?![\w.])/,
      burndown: { output: 10, source: BURNDOWN },
    },
    {
      models: /^anthropic\.claude-(?!3-(haiku|sonnet|opus)|instant|v2)/,
      byProfile: { source: `${USER_GUIDE}/models-supported.html` },
      // All but the first of Claude 3.
      citations: { source: `${API_REFERENCE}/API_runtime_CitationsConfig.html` },
    },
    {
      models: /^anthropic\./,
      // "stop_sequences: each stop sequence must contain non-whitespace"
      stopsWithWords: { source: "https://github.com/BerriAI/litellm/issues/3286" },
      namesStop: {
        paths: ["/delta/stop_sequence", "/stop_sequence"],
        source: "https://github.com/vercel/ai/pull/11410 (measured)",
      },
    },
    { models: /^anthropic\./, useCaseForm: { by: "Anthropic", source: `${USER_GUIDE}/model-access.html` } },
    {
      models: /^amazon\.nova-2-/,
      reasoning: {
        levels: LOW_TO_HIGH,
        fields: (level) => ({ reasoningConfig: { type: "enabled", maxReasoningEffort: level } }),
        off: {},
        // "`maxTokens` must be unset when reasoningConfig type is 'enabled' and maxReasoningEffort is 'high'."
        refuses: (level) => (level === "high" ? ["temperature", "topP", "maxTokens"] : []),
        source: "https://docs.aws.amazon.com/nova/latest/nova2-userguide/using-converse-api.html",
      },
    },
    {
      models: /^amazon\.nova-(micro|lite|pro|premier|2-lite)/,
      // Measured: https://github.com/danny-avila/LibreChat/issues/13838 for tools, and for what is no text
      // https://github.com/aws-samples/bedrock-engineer/pull/71, https://github.com/earendil-works/pi/issues/2053 and
      // https://github.com/aws-samples/generative-ai-use-cases/pull/1077.
      cachePoints: { ...FIVE_MINUTES, inTools: false, onlyBehindText: true },
    },
    {
      models: /^amazon\.nova-(micro|lite|pro|premier)/,
      prefill: { source: "https://docs.aws.amazon.com/nova/latest/userguide/invoke.html" },
    },
    {
      models: /^amazon\.nova-/,
      topK: {
        fields: (count) => ({ inferenceConfig: { topK: count } }),
        source: "https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html",
      },
      richToolResults: RICH_TOOL_RESULTS,
      bareToolSchemas: { source: "https://github.com/lastmile-ai/mcp-agent/pull/126 (measured)" },
      namedToolChoice: NAMED_TOOL_CHOICE,
      attachments: {
        ...ANY_ATTACHMENTS,
        mostBytes: {
          ...ANY_ATTACHMENTS.mostBytes,
          image: NOVA_MEDIA,
          pdf: NOVA_MEDIA,
          docx: NOVA_MEDIA,
          video: NOVA_MEDIA,
        },
        most: { ...ANY_ATTACHMENTS.most, video: 1 },
        source: "https://docs.aws.amazon.com/nova/latest/userguide/modalities.html",
      },
    },
    {
      models: /^amazon\.nova-(lite|pro|premier|2-lite)/,
      media: {
        kinds: ["video"],
        source: "https://docs.aws.amazon.com/nova/latest/userguide/modalities-video.html",
      },
      readsS3: {
        mostVideoBytes: 1024 * MB,
        // Column "Amazon S3 links for multimedia"; Claude and the others have a no there.
        source: `${USER_GUIDE}/conversation-inference-supported-models-features.html`,
      },
    },
    {
      models: /^amazon\.nova-(premier|2-lite)/,
      webSearch: {
        tool: "nova_grounding",
        geography: "us",
        resource: "system-tool/amazon.nova_grounding",
        source: "https://docs.aws.amazon.com/nova/latest/nova2-userguide/web-grounding.html",
      },
    },
    {
      models: /^mistral\.voxtral-/,
      media: {
        kinds: ["audio"],
        source: "https://github.com/strands-agents/harness-sdk/pull/3862 (measured through Converse)",
      },
    },
    {
      models: /^openai\.gpt-oss-/,
      reasoning: {
        ...REASONING_EFFORT,
        // "none" is refused: https://github.com/stdapi-ai/stdapi.ai/blob/main/stdapi/models/chat/openai_gpt_oss.py
        off: undefined,
        source: `${USER_GUIDE}/model-parameters-openai.html`,
      },
    },
    {
      models: /^openai\.gpt-6-astra/,
      reasoning: {
        ...REASONING_OBJECT,
        // "none" is refused.
        off: undefined,
        refuses: () => ["temperature", "topP", "stopSequences"],
        source: "https://github.com/anomalyco/opencode/pull/48195 (measured)",
      },
    },
    {
      models: /^openai\.gpt-[5-9]/,
      reasoning: {
        // The flat field of gpt-oss is refused, and so are temperature, topP and stopSequences.
        ...REASONING_OBJECT,
        refuses: () => ["temperature", "topP", "stopSequences"],
        source: "https://github.com/stdapi-ai/stdapi.ai/issues/283 (measured)",
      },
    },
    { models: /^openai\.gpt-/, outputConfig: HELD_TO_SCHEMA },
    {
      models: /^xai\.grok-4\.3/,
      reasoning: {
        ...REASONING_OBJECT,
        levels: LOW_TO_HIGH,
        source: `${USER_GUIDE}/model-card-xai-grok-4-3.html`,
      },
    },
    {
      models: /^xai\.grok-4\.[67]/,
      reasoning: {
        ...REASONING_OBJECT,
        levels: ["low", "medium", "high", "xhigh"],
        off: undefined,
        source: `${USER_GUIDE}/model-card-xai-grok-4-7.html`,
      },
    },
    {
      models: /^moonshot(ai)?\.kimi-k[3-9]/,
      reasoning: { ...REASONING_OBJECT, source: `${USER_GUIDE}/model-card-moonshot-ai-kimi-k3.html` },
      cachePoints: { times: [], source: `${USER_GUIDE}/model-card-moonshot-ai-kimi-k3.html` },
    },
    {
      models: /^(moonshotai\.kimi-k2\.5|zai\.glm-)/,
      reasoning: {
        ...REASONING_CONFIG,
        levels: ["high"],
        source: `${USER_GUIDE}/model-card-zai-glm-5.html`,
      },
    },
    {
      models: /^deepseek\.v3/,
      reasoning: { ...REASONING_CONFIG, source: `${USER_GUIDE}/model-parameters-deepseek.html` },
      outputConfig: HELD_TO_SCHEMA,
    },
    {
      models: /^qwen\.qwen3-32b/,
      reasoning: {
        ...REASONING_EFFORT,
        source: "https://github.com/BerriAI/litellm/pull/34161 (measured)",
      },
    },
    {
      models: /^(deepseek\.r1|moonshot\.kimi-k2-thinking|minimax\.minimax-m2|mistral\.magistral-)/,
      reasoning: {
        levels: [],
        fields: () => ({}),
        off: undefined,
        source: `${USER_GUIDE}/inference-reasoning.html`,
      },
    },
    {
      models: /^minimax\.minimax-m2/,
      outputConfig: { source: "https://github.com/anomalyco/models.dev/pull/6822 (measured)" },
    },
    {
      models:
        /^(moonshot(ai)?\.kimi-|zai\.glm-|qwen\.qwen3-|nvidia\.nemotron-|mistral\.(devstral|magistral|ministral|mistral-large-3|voxtral)-)/,
      outputConfig: HELD_TO_SCHEMA,
    },
    { models: /^google\.gemma-3-(12|27)b/, outputConfig: HELD_TO_SCHEMA },
    { models: /^mistral\./, toolIds: NINE_CHARACTERS },
    {
      models: /^meta\.llama/,
      separateToolTurns: { source: "https://github.com/strands-agents/harness-sdk/issues/1223 (measured)" },
      freeToolChoice: { source: "https://github.com/maximhq/bifrost/pull/3196 (measured)" },
    },
    // Ids such as Kimi's own, `functions.clock:0`, go back as they came.
    {
      models: /^(?!anthropic\.)/,
      toolIds: { ...ANY_TOOL_IDS, fits: /^[a-zA-Z0-9_.:-]{1,64}$/ },
    },
  ];
}

/** "string too long. Expected a string with maximum length 40": OpenAI's refusal of others. */
const SERVED_IDS: ToolIds = { ...ANY_TOOL_IDS, fits: /^[\w.:-]{1,40}$/ };

/** What any server of OpenAI's API takes. */
export const SERVED: FamilyFacts = {
  reasoning: {
    levels: ["minimal", "low", "medium", "high", "xhigh", "max"],
    fields: (level) => ({ reasoning_effort: level }),
    off: { reasoning_effort: "none" },
    source: "https://platform.openai.com/docs/api-reference/chat/create",
  },
  toolIds: SERVED_IDS,
  temperature: { most: 2, source: "https://platform.openai.com/docs/api-reference/chat/create" },
  topK: {
    fields: (count) => ({ top_k: count }),
    source: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
  },
  prefill: { source: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html" },
};

/** What any server of OpenAI's Responses takes: results of tools hold files, and nobody but the model begins an answer. */
export const RESPONDING: FamilyFacts = {
  ...SERVED,
  richToolResults: { source: "https://platform.openai.com/docs/guides/function-calling" },
  prefill: undefined,
};

/**
 * What a model of Amazon Bedrock takes where it is called by one of OpenAI's APIs: its family's facts, but for what is the
 * API's own.
 */
export function familyServed(baseId: string, api: FamilyFacts = SERVED): FamilyFacts {
  const { richToolResults, prefill, temperature } = api;
  const own = { toolIds: SERVED_IDS, richToolResults, prefill, ...(temperature && { temperature }) };
  const family: FamilyFacts = { ...familyOf(baseId), ...own };
  if (!family.reasoning) return family;
  const { hasBudget: _, off, ...form } = family.reasoning;
  const isOffUnasked = off && Object.keys(off).length === 0;
  return {
    ...family,
    reasoning: {
      ...form,
      fields: (level) => ({ reasoning_effort: level }),
      off: off && !isOffUnasked ? { reasoning_effort: "none" } : off,
    },
  };
}

/**
 * The id that a server's Claude would have in Bedrock, without version: of `claude-haiku-4-5`,
 * `claude-haiku-4-5-20251001`, OpenRouter's `anthropic/claude-haiku-4.5`, Vertex AI's `claude-haiku-4-5@20251001` and of
 * Bedrock's own ids. Undefined for other models.
 */
export function idBehind(servedId: string): string | undefined {
  const ofBedrock = withoutPrefix(servedId);
  if (ofBedrock.startsWith("anthropic.claude-")) return ofBedrock;
  const [, name] = /(?:^|\/)(claude-[^/:]+)/.exec(servedId.toLowerCase()) ?? [];
  return name && `anthropic.${name.replaceAll(/[.@]/g, "-").replace(/-latest$/, "")}`;
}

/** What any server of Anthropic's Messages API takes, for models that are not Claude. */
export const MESSAGES_SERVED: FamilyFacts = {
  reasoning: REASONING_FORMS.budget,
  richToolResults: { source: `${CLAUDE}/api/messages` },
  namedToolChoice: { source: `${CLAUDE}/api/messages` },
  topK: { fields: (count) => ({ top_k: count }), source: `${CLAUDE}/api/messages` },
};

/**
 * Whether a server's model is known by its name to answer from inside its reasoning: its chat template ends with the opening
 * tag. DeepSeek R1 and what was distilled from it (https://github.com/deepseek-ai/DeepSeek-R1/issues/526), QwQ, Qwen3's
 * thinking models (https://github.com/Cerebras/cerebras-cloud-sdk-python/issues/10) and Qwen from 3.5 on
 * (https://github.com/sigoden/aichat/issues/1528), and what else says in its name that it thinks.
 */
export function beginsInReasoning(servedId: string): boolean {
  return OPENED_BY_TEMPLATE.test(servedId);
}

const OPENED_BY_TEMPLATE =
  /deepseek[-_]?r1|(?:^|[^a-z])r1(?![a-z0-9])|qwq|qwen[-_]?3\.[5-9]|(?<!non[-_]?)thinking|reasoner/i;

/** The kinds of files beyond images that AWS's list of a model's input names, which has a word of its own for sound. */
export function mediaKindsOf(modalities: readonly string[]): MediaKind[] {
  const takesSound = modalities.includes("AUDIO") || modalities.includes("SPEECH");
  return [
    ...(modalities.includes("VIDEO") ? (["video"] as const) : []),
    ...(takesSound ? (["audio"] as const) : []),
  ];
}

/** What IAM calls the tools with which models search the web. */
export function webSearchResources(): string[] {
  return [...new Set(families().flatMap(({ webSearch }) => webSearch?.resource ?? []))];
}

/** What was found by ids before: each call of a model asks several times. Clients of a server may name any. */
const found = new Map<string, FamilyFacts>();
const MOST_FOUND = 1000;

/** What is known of a model by the id of its foundation model; nothing where that is not known. */
export function familyOf(baseId: string | undefined): FamilyFacts {
  if (baseId === undefined) return {};
  const known = found.get(baseId);
  if (known) return known;
  const rows = families().filter(({ models }) => models.test(baseId));
  const facts = Object.freeze(Object.assign({}, ...rows.toReversed())) as FamilyFacts;
  if (found.size >= MOST_FOUND) found.clear();
  found.set(baseId, facts);
  return facts;
}

/** Whether a model reads files in Amazon S3 through Converse; undefined where nobody knows. */
export function readsFromS3(baseId: string | undefined): boolean | undefined {
  const { readsS3, attachments } = familyOf(baseId);
  if (readsS3) return true;
  return attachments ? false : undefined;
}

/** All of them in one, because every listed model is held against them twice. */
const notCalled = once(() => {
  const rows = OTHER_APIS.filter(({ apis }) => apis?.runtime === undefined);
  return new RegExp(rows.map(({ models }) => models.source).join("|"));
});

/** The id of a model's family in the table of APIs: without version and, where it has one, prefix. */
function idsFor(modelId: string): [id: string, behindPrefix: string] {
  const id = (parseArn(modelId)?.resourceId ?? modelId).replace(/(?:-v\d+)?(?::\d+[a-z]*)*$/, "");
  return [id, id.slice(id.indexOf(".") + 1)];
}

/** What the first row of a table of APIs that holds for a model has. */
function apisIn<T>(rows: readonly { models: RegExp; apis?: T }[], ids: readonly string[]): T | undefined {
  return rows.find(({ models }) => ids.some((id) => models.test(id)))?.apis;
}

/**
 * Whether the runtime endpoint calls the model by any API: false for the few that AWS lists without one, true for all others,
 * known or not. Takes a model id, a profile id behind any prefix, or the ARN of either.
 */
export function isCalledAtRuntime(modelId: string): boolean {
  return !idsFor(modelId).some((id) => notCalled().test(id));
}

/**
 * The APIs that a model may be called by at an endpoint, the likeliest first. At the runtime endpoint Converse is the
 * first, whatever the table has: it is AWS's to say that it does not take a model, and the others follow that.
 */
export function apisAt(service: "bedrock-runtime" | "bedrock-mantle", modelId: string): readonly Api[] {
  const ids = idsFor(modelId);
  const row = apisIn(OTHER_APIS, ids);
  const usual = apisIn(USUAL_APIS, ids) ?? [];
  // What it lists, it calls.
  if (service === "bedrock-mantle") return row?.mantle ?? (usual.length > 0 ? usual : OPENAI_APIS);
  const isNowhere = row && !row.runtime && !row.mantle;
  return row?.runtime ?? ["bedrock-converse-stream", ...(isNowhere ? [] : usual)];
}

/** Whether a model is known to be at the endpoint bedrock-mantle only. */
export function isOnlyAtMantle(modelId: string): boolean {
  const row = apisIn(OTHER_APIS, idsFor(modelId));
  return row?.mantle !== undefined && row.runtime === undefined;
}

/** The page that says which APIs take a model. */
export function apisSource(modelId: string): string {
  return apisIn(OTHER_APIS, idsFor(modelId))?.source ?? COMPATIBILITY;
}

/**
 * Under which of its two prefixes Mantle has the OpenAI APIs of a model: what came to Bedrock with it is under the longer one,
 * what was there before under the other. Measured, since no list tells: https://github.com/NousResearch/hermes-agent/issues/52316
 */
export function mantlePrefix(modelId: string): "/v1" | "/openai/v1" {
  return idsFor(modelId).some((id) => CAME_WITH_MANTLE.test(id)) ? "/openai/v1" : "/v1";
}

const CAME_WITH_MANTLE = /^(?:openai\.gpt-[5-9]|xai\.|google\.gemma-[4-9])/;

const OPENAI_APIS: readonly Api[] = ["openai-completions", "openai-responses"];

/**
 * The APIs of other services by who made the model, the best first: https://docs.aws.amazon.com/bedrock/latest/userguide/models-api-compatibility.html
 */
const USUAL_APIS: readonly { models: RegExp; apis: readonly Api[] }[] = [
  { models: /^anthropic\./, apis: ["anthropic-messages"] },
  { models: /^(?:amazon|ai21|cohere|luma|meta|stability|twelvelabs|writer)\./, apis: [] },
  { models: /^openai\.gpt-[5-9]/, apis: ["openai-responses", "openai-completions"] },
  // https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html: GPT OSS has Responses at Mantle only.
  { models: /./, apis: OPENAI_APIS },
];
