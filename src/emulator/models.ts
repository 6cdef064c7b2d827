/** A foundation model of the emulator: what ListFoundationModels says about it, and how the emulator plays it. */
export interface EmulatedModel {
  modelId: string;
  modelName: string;
  providerName: string;
  inputModalities: readonly string[];
  outputModalities: readonly string[];
  /** Missing in the answer when it is missing here. */
  responseStreamingSupported?: boolean;
  customizationsSupported: readonly string[];
  inferenceTypesSupported: readonly string[];
  modelLifecycle: {
    status: "ACTIVE" | "LEGACY";
    startOfLifeTime?: string;
    legacyTime?: string;
    endOfLifeTime?: string;
  };
  /** Puts out reasoning when the request asks for it. */
  canReason?: boolean;
  /** False for models that take and give text but that Converse refuses, such as rerankers. */
  canConverse?: boolean;
  canCountTokens?: boolean;
  /** Most output tokens a request may ask for. */
  maxTokens?: number;
}

type Modalities = readonly [input: string, output: string];

const ON_DEMAND = ["ON_DEMAND"];
const PROFILE_ONLY = ["INFERENCE_PROFILE"];
const BOTH = ["ON_DEMAND", "INFERENCE_PROFILE"];
const TEXT: Modalities = ["TEXT", "TEXT"];
const VISION: Modalities = ["TEXT,IMAGE", "TEXT"];

function model(
  providerName: string,
  modelId: string,
  modelName: string,
  [input, output]: Modalities,
  inferenceTypesSupported: readonly string[],
  more: Partial<EmulatedModel> = {},
): EmulatedModel {
  return {
    modelId,
    modelName,
    providerName,
    inputModalities: input.split(","),
    outputModalities: output.split(","),
    responseStreamingSupported: output.split(",").includes("TEXT"),
    customizationsSupported: [],
    inferenceTypesSupported,
    modelLifecycle: { status: "ACTIVE" },
    ...more,
  };
}

function active(startOfLifeTime: string): EmulatedModel["modelLifecycle"] {
  return { status: "ACTIVE", startOfLifeTime: `${startOfLifeTime}T00:00:00Z` };
}

function legacy(start: string, legacyTime: string, end: string): EmulatedModel["modelLifecycle"] {
  return {
    status: "LEGACY",
    startOfLifeTime: `${start}T00:00:00Z`,
    legacyTime: `${legacyTime}T00:00:00Z`,
    endOfLifeTime: `${end}T00:00:00Z`,
  };
}

/** What reasoning Claude models share; the output limit in tokens is the model's own. */
function claude(maxTokens: number, start: string, more: Partial<EmulatedModel> = {}): Partial<EmulatedModel> {
  return { canReason: true, maxTokens, modelLifecycle: active(start), ...more };
}

/**
 * A cross-section of what ListFoundationModels answers: ids, names, modalities and inference types as they are
 * published in https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html, with the oddities of the
 * real list kept: inference types that are empty or outside the service's own enumeration, VIDEO and SPEECH, a
 * streaming flag that is missing, sized variants with a suffix. Every region lists all of them.
 */
export const MODELS: readonly EmulatedModel[] = [
  model("AI21 Labs", "ai21.jamba-1-5-large-v1:0", "Jamba 1.5 Large", TEXT, ON_DEMAND),
  model("AI21 Labs", "ai21.jamba-1-5-mini-v1:0", "Jamba 1.5 Mini", TEXT, ON_DEMAND),

  model("Amazon", "amazon.nova-2-lite-v1:0", "Nova 2 Lite", ["TEXT,IMAGE,VIDEO", "TEXT"], PROFILE_ONLY, {
    canReason: true,
    maxTokens: 65535,
    modelLifecycle: active("2025-12-02"),
  }),
  model("Amazon", "amazon.nova-canvas-v1:0", "Nova Canvas", ["TEXT,IMAGE", "IMAGE"], ON_DEMAND, {
    customizationsSupported: ["FINE_TUNING"],
  }),
  model("Amazon", "amazon.nova-lite-v1:0", "Nova Lite", ["TEXT,IMAGE,VIDEO", "TEXT"], BOTH, {
    customizationsSupported: ["FINE_TUNING"],
    maxTokens: 10000,
    modelLifecycle: active("2024-12-03"),
  }),
  model("Amazon", "amazon.nova-lite-v1:0:300k", "Nova Lite", ["TEXT,IMAGE,VIDEO", "TEXT"], ["PROVISIONED"]),
  model("Amazon", "amazon.nova-micro-v1:0", "Nova Micro", TEXT, BOTH, {
    customizationsSupported: ["FINE_TUNING"],
    maxTokens: 10000,
    modelLifecycle: active("2024-12-03"),
  }),
  model("Amazon", "amazon.nova-micro-v1:0:128k", "Nova Micro", TEXT, ["PROVISIONED"]),
  model("Amazon", "amazon.nova-premier-v1:0", "Nova Premier", ["TEXT,IMAGE,VIDEO", "TEXT"], PROFILE_ONLY, {
    maxTokens: 32000,
    modelLifecycle: legacy("2025-04-30", "2026-03-14", "2026-12-14"),
  }),
  model("Amazon", "amazon.nova-pro-v1:0", "Nova Pro", ["TEXT,IMAGE,VIDEO", "TEXT"], BOTH, {
    customizationsSupported: ["FINE_TUNING", "DISTILLATION"],
    maxTokens: 10000,
    modelLifecycle: active("2024-12-03"),
  }),
  model("Amazon", "amazon.nova-pro-v1:0:300k", "Nova Pro", ["TEXT,IMAGE,VIDEO", "TEXT"], ["PROVISIONED"]),
  model("Amazon", "amazon.nova-reel-v1:0", "Nova Reel", ["TEXT,IMAGE", "VIDEO"], ON_DEMAND),
  model("Amazon", "amazon.nova-sonic-v1:0", "Nova Sonic", ["SPEECH", "SPEECH,TEXT"], ON_DEMAND, {
    canConverse: false,
  }),
  model("Amazon", "amazon.nova-2-sonic-v1:0", "Nova 2 Sonic", ["SPEECH,TEXT", "SPEECH,TEXT"], ON_DEMAND, {
    canConverse: false,
  }),
  model(
    "Amazon",
    "amazon.titan-embed-text-v2:0",
    "Titan Text Embeddings V2",
    ["TEXT", "EMBEDDING"],
    ON_DEMAND,
  ),
  model("Amazon", "amazon.titan-embed-text-v2:0:8k", "Titan Text Embeddings V2", ["TEXT", "EMBEDDING"], []),
  model(
    "Amazon",
    "amazon.titan-image-generator-v2:0",
    "Titan Image Generator G1 v2",
    ["TEXT,IMAGE", "IMAGE"],
    ON_DEMAND,
    {
      modelLifecycle: legacy("2024-08-06", "2025-12-30", "2026-12-30"),
    },
  ),

  model("Anthropic", "anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", VISION, ON_DEMAND, {
    maxTokens: 4096,
    modelLifecycle: active("2024-03-13"),
  }),
  model("Anthropic", "anthropic.claude-3-haiku-20240307-v1:0:48k", "Claude 3 Haiku", VISION, ["PROVISIONED"]),
  model("Anthropic", "anthropic.claude-3-haiku-20240307-v1:0:200k", "Claude 3 Haiku", VISION, []),
  model("Anthropic", "anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet", VISION, BOTH, {
    maxTokens: 8192,
    modelLifecycle: legacy("2024-06-20", "2025-08-25", "2026-12-31"),
  }),
  model("Anthropic", "anthropic.claude-3-7-sonnet-20250219-v1:0", "Claude 3.7 Sonnet", VISION, PROFILE_ONLY, {
    canReason: true,
    maxTokens: 64000,
    modelLifecycle: legacy("2025-02-24", "2025-10-28", "2026-12-31"),
  }),
  model("Anthropic", "anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5", VISION, PROFILE_ONLY, {
    ...claude(64000, "2025-10-15", { canCountTokens: true }),
  }),
  model("Anthropic", "anthropic.claude-opus-4-1-20250805-v1:0", "Claude Opus 4.1", VISION, PROFILE_ONLY, {
    ...claude(32000, "2025-08-05", { canCountTokens: true }),
  }),
  model("Anthropic", "anthropic.claude-opus-4-5-20251101-v1:0", "Claude Opus 4.5", VISION, PROFILE_ONLY, {
    ...claude(64000, "2025-11-24", { canCountTokens: true }),
  }),
  model("Anthropic", "anthropic.claude-opus-4-6-v1", "Claude Opus 4.6", VISION, PROFILE_ONLY, {
    ...claude(128000, "2026-02-05", { canCountTokens: true }),
  }),
  model(
    "Anthropic",
    "anthropic.claude-opus-4-7",
    "Claude Opus 4.7",
    VISION,
    PROFILE_ONLY,
    claude(128000, "2026-04-16"),
  ),
  model(
    "Anthropic",
    "anthropic.claude-opus-4-8",
    "Claude Opus 4.8",
    VISION,
    PROFILE_ONLY,
    claude(128000, "2026-05-28"),
  ),
  model("Anthropic", "anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5", VISION, PROFILE_ONLY, {
    ...claude(64000, "2025-09-29", { canCountTokens: true }),
  }),
  model("Anthropic", "anthropic.claude-sonnet-4-6", "Claude Sonnet 4.6", VISION, PROFILE_ONLY, {
    ...claude(64000, "2026-02-17", { canCountTokens: true }),
  }),
  model(
    "Anthropic",
    "anthropic.claude-sonnet-5",
    "Claude Sonnet 5",
    VISION,
    PROFILE_ONLY,
    claude(128000, "2026-06-30"),
  ),

  model("Cohere", "cohere.command-r-plus-v1:0", "Command R+", TEXT, ON_DEMAND),
  model("Cohere", "cohere.embed-v4:0", "Embed v4", ["TEXT,IMAGE", "EMBEDDING"], BOTH),
  model("Cohere", "cohere.rerank-v3-5:0", "Rerank 3.5", TEXT, ON_DEMAND, {
    responseStreamingSupported: false,
    canConverse: false,
  }),

  model("DeepSeek", "deepseek.r1-v1:0", "DeepSeek-R1", TEXT, PROFILE_ONLY, {
    canReason: true,
    maxTokens: 32768,
  }),
  model("DeepSeek", "deepseek.v3-v1:0", "DeepSeek-V3.1", TEXT, ON_DEMAND, { canReason: true }),

  model("Google", "google.gemma-3-27b-it", "Gemma 3 27B PT", VISION, ON_DEMAND),

  model("Luma AI", "luma.ray-v2:0", "Ray v2", ["TEXT", "VIDEO"], ON_DEMAND),

  model("Meta", "meta.llama3-8b-instruct-v1:0", "Llama 3 8B Instruct", TEXT, ON_DEMAND, { maxTokens: 2048 }),
  model("Meta", "meta.llama3-1-70b-instruct-v1:0", "Llama 3.1 70B Instruct", TEXT, BOTH, { maxTokens: 8192 }),
  model("Meta", "meta.llama3-1-70b-instruct-v1:0:128k", "Llama 3.1 70B Instruct", TEXT, ["PROVISIONED"]),
  model("Meta", "meta.llama3-3-70b-instruct-v1:0", "Llama 3.3 70B Instruct", TEXT, PROFILE_ONLY, {
    maxTokens: 8192,
  }),
  model(
    "Meta",
    "meta.llama4-maverick-17b-instruct-v1:0",
    "Llama 4 Maverick 17B Instruct",
    VISION,
    PROFILE_ONLY,
  ),
  model("Meta", "meta.llama4-scout-17b-instruct-v1:0", "Llama 4 Scout 17B Instruct", VISION, PROFILE_ONLY),

  model("MiniMax", "minimax.minimax-m2", "MiniMax M2", TEXT, ON_DEMAND, { canReason: true }),

  model("Mistral AI", "mistral.mistral-7b-instruct-v0:2", "Mistral 7B Instruct", TEXT, ON_DEMAND),
  model("Mistral AI", "mistral.mistral-large-2402-v1:0", "Mistral Large (24.02)", TEXT, ON_DEMAND),
  model("Mistral AI", "mistral.mistral-large-3-675b-instruct", "Mistral Large 3", VISION, ON_DEMAND),
  model("Mistral AI", "mistral.pixtral-large-2502-v1:0", "Pixtral Large (25.02)", VISION, PROFILE_ONLY),
  model(
    "Mistral AI",
    "mistral.voxtral-small-24b-2507",
    "Voxtral Small 24B 2507",
    ["TEXT,SPEECH", "TEXT"],
    ON_DEMAND,
  ),

  model("Moonshot AI", "moonshot.kimi-k2-thinking", "Kimi K2 Thinking", TEXT, ON_DEMAND, { canReason: true }),

  model("NVIDIA", "nvidia.nemotron-nano-9b-v2", "NVIDIA Nemotron Nano 9B v2", TEXT, ON_DEMAND),

  model("OpenAI", "openai.gpt-oss-120b-1:0", "gpt-oss-120b", TEXT, ON_DEMAND, { canReason: true }),
  model("OpenAI", "openai.gpt-oss-20b-1:0", "gpt-oss-20b", TEXT, ON_DEMAND, { canReason: true }),

  model("Qwen", "qwen.qwen3-32b-v1:0", "Qwen3 32B (dense)", TEXT, ON_DEMAND),
  model("Qwen", "qwen.qwen3-coder-480b-a35b-v1:0", "Qwen3 Coder 480B A35B Instruct", TEXT, ON_DEMAND),

  model(
    "Stability AI",
    "stability.sd3-5-large-v1:0",
    "Stable Diffusion 3.5 Large",
    ["TEXT,IMAGE", "IMAGE"],
    ON_DEMAND,
  ),
  model(
    "Stability AI",
    "stability.stable-image-ultra-v1:1",
    "Stable Image Ultra 1.0",
    ["TEXT", "IMAGE"],
    ON_DEMAND,
  ),

  model("TwelveLabs", "twelvelabs.pegasus-1-2-v1:0", "Pegasus v1.2", ["TEXT,VIDEO", "TEXT"], BOTH, {
    canConverse: false,
  }),

  model("Writer", "writer.palmyra-x4-v1:0", "Palmyra X4", TEXT, PROFILE_ONLY),
  model("Writer", "writer.palmyra-x5-v1:0", "Palmyra X5", TEXT, PROFILE_ONLY),
  {
    modelId: "writer.palmyra-vision-7b",
    modelName: "Palmyra Vision 7B",
    providerName: "Writer",
    inputModalities: ["TEXT", "IMAGE"],
    outputModalities: ["TEXT"],
    customizationsSupported: [],
    inferenceTypesSupported: ON_DEMAND,
    modelLifecycle: { status: "ACTIVE" },
  },

  model("Z.AI", "zai.glm-4.7", "GLM 4.7", TEXT, ON_DEMAND, { canReason: true }),
];
