import type { ModelParameters } from "../config/settings.ts";

export type ReasoningLevel = NonNullable<ModelParameters["reasoning"]>;
export type Effort = Exclude<ReasoningLevel, "off">;

/** Fields of `additionalModelRequestFields`. */
export type Fields = Record<string, string | number | boolean | Record<string, string | number>>;

/** What the fields of a level depend on besides it. */
export interface LevelContext {
  /** The most tokens to think, for models that take a budget: below what the answer may have. */
  mostBudget: number;
  /** Whether a person wants to read the reasoning. */
  isShown: boolean;
}

export type Parameter = "temperature" | "topP" | "maxTokens" | "stopSequences";

/**
 * What keeps a model from reasoning in this turn: a tool that it must call, or results of calls that it made while it
 * reasoned, without that reasoning. OpenAI's format has no place for it.
 */
export type Obstacle = "forced-tool" | "lost-reasoning";

/** How a family of models takes a reasoning level. */
export interface ReasoningForm {
  /** Matches the id of the foundation model. */
  models: RegExp;
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
  refuses: (level: ReasoningLevel | undefined) => readonly Parameter[];
  /** Values that a refused parameter may have all the same. */
  tolerates?: Partial<Record<Parameter, (value: number) => boolean>>;
  source: string;
}

/** Claude thinks only where it may choose whether to call a tool. Same page as the budgets below. */
const FORCED: readonly Obstacle[] = ["forced-tool"];
const LOW_TO_HIGH: readonly Effort[] = ["low", "medium", "high"];
const LOW_TO_MAX: readonly Effort[] = ["low", "medium", "high", "xhigh", "max"];

/** The least budget that Claude takes, in tokens: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
export const LEAST_BUDGET = 1024;
/** Budgets in tokens; above 32,000 Anthropic advises batches. Same page. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  minimal: LEAST_BUDGET,
  low: 4096,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_000,
};

const SAMPLING: readonly Parameter[] = ["temperature", "topP"];
const refusesNothing = (): readonly Parameter[] => [];
const refusesSampling = (): readonly Parameter[] => SAMPLING;
const refusesSamplingWhileThinking = (level: ReasoningLevel | undefined): readonly Parameter[] =>
  level === undefined || level === "off" ? [] : SAMPLING;
/** While Claude thinks, temperature may only be 1 and top-p only 0.95 or more. Same page as the budgets. */
const CLAUDE_TOLERATES = {
  temperature: (value: number) => value === 1,
  topP: (value: number) => value >= 0.95,
};

/** From Opus 4.7 on Claude hides what it thinks unless `display` says otherwise. */
const SUMMARIZED = { thinking: { type: "adaptive", display: "summarized" } };
const adaptive = (level: Effort, { isShown }: LevelContext): Fields => ({
  ...(isShown ? SUMMARIZED : { thinking: { type: "adaptive" } }),
  output_config: { effort: level },
});
const reasoningEffort = (level: Effort): Fields => ({ reasoning_effort: level });
const reasoningObject = (level: Effort): Fields => ({ reasoning: { effort: level } });
const reasoningConfig = (level: Effort): Fields => ({ reasoning_config: level });

const CLAUDE = "https://platform.claude.com/docs/en/models";
const BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide";

/** One row for each way to ask for reasoning; the first whose pattern matches counts. */
export const REASONING_FORMS: readonly ReasoningForm[] = [
  {
    models: /^anthropic\.claude-(fable|mythos)-/,
    levels: LOW_TO_MAX,
    fields: adaptive,
    minds: FORCED,
    off: undefined,
    shown: SUMMARIZED,
    refuses: refusesSampling,
    source: `${BEDROCK}/claude-messages-adaptive-thinking.html`,
  },
  {
    models: /^anthropic\.claude-opus-5-5/,
    levels: LOW_TO_MAX,
    fields: adaptive,
    minds: FORCED,
    off: undefined,
    shown: SUMMARIZED,
    refuses: refusesSampling,
    source: `${CLAUDE}/opus-5-5/migration-guide`,
  },
  {
    models: /^anthropic\.claude-sonnet-5-5/,
    levels: LOW_TO_MAX,
    fields: adaptive,
    minds: FORCED,
    // No thinking before the answer; `disabled` is refused.
    off: { thinking: { type: "between_tools" } },
    shown: SUMMARIZED,
    refuses: refusesSampling,
    source: `${CLAUDE}/sonnet-5-5/migration-guide`,
  },
  {
    models: /^anthropic\.claude-haiku-5-5/,
    levels: LOW_TO_MAX,
    fields: adaptive,
    minds: FORCED,
    off: { thinking: { type: "disabled" } },
    shown: SUMMARIZED,
    refuses: refusesSampling,
    source: `${CLAUDE}/haiku-5-5/migration-guide`,
  },
  {
    models: /^anthropic\.claude-(opus|sonnet)-5/,
    levels: LOW_TO_MAX,
    fields: adaptive,
    minds: FORCED,
    off: { thinking: { type: "disabled" } },
    shown: SUMMARIZED,
    refuses: refusesSampling,
    source: `${CLAUDE}/opus-5/migration-guide`,
  },
  {
    // Off unless asked for; AWS's page has `disabled` refused, so it is left out instead.
    models: /^anthropic\.claude-opus-4-[78]/,
    levels: LOW_TO_MAX,
    fields: adaptive,
    minds: FORCED,
    off: {},
    refuses: refusesSampling,
    source: `${BEDROCK}/claude-messages-adaptive-thinking.html`,
  },
  {
    models: /^anthropic\.claude-(opus|sonnet)-4-6/,
    levels: ["low", "medium", "high", "max"],
    fields: (level) => ({ thinking: { type: "adaptive" }, output_config: { effort: level } }),
    minds: FORCED,
    off: {},
    refuses: refusesSamplingWhileThinking,
    tolerates: CLAUDE_TOLERATES,
    source: `${BEDROCK}/claude-messages-adaptive-thinking.html`,
  },
  {
    models: /^anthropic\.claude-((opus|sonnet|haiku)-4|3-7-sonnet)/,
    levels: ["minimal", "low", "medium", "high", "xhigh", "max"],
    fields: (level, { mostBudget }) => ({
      thinking: { type: "enabled", budget_tokens: Math.min(BUDGETS[level], mostBudget) },
    }),
    hasBudget: true,
    // Adaptive thinking no longer wants its own thoughts back: see the source of the rows above.
    minds: ["forced-tool", "lost-reasoning"],
    off: {},
    refuses: refusesSamplingWhileThinking,
    tolerates: CLAUDE_TOLERATES,
    source: `${BEDROCK}/claude-messages-extended-thinking.html`,
  },
  {
    models: /^amazon\.nova-2-/,
    levels: LOW_TO_HIGH,
    fields: (level) => ({ reasoningConfig: { type: "enabled", maxReasoningEffort: level } }),
    off: {},
    // "`maxTokens` must be unset when reasoningConfig type is 'enabled' and maxReasoningEffort is 'high'."
    refuses: (level) => (level === "high" ? ["temperature", "topP", "maxTokens"] : []),
    source: "https://docs.aws.amazon.com/nova/latest/nova2-userguide/using-converse-api.html",
  },
  {
    models: /^openai\.gpt-oss-/,
    levels: LOW_TO_HIGH,
    fields: reasoningEffort,
    // "none" is refused: https://github.com/stdapi-ai/stdapi.ai/blob/main/stdapi/models/chat/openai_gpt_oss.py
    off: undefined,
    refuses: refusesNothing,
    source: `${BEDROCK}/model-parameters-openai.html`,
  },
  {
    // The flat field of gpt-oss is refused, and so are temperature, topP and stopSequences.
    models: /^openai\.gpt-[5-9]/,
    levels: LOW_TO_MAX,
    fields: reasoningObject,
    off: { reasoning: { effort: "none" } },
    refuses: () => ["temperature", "topP", "stopSequences"],
    source: "https://github.com/stdapi-ai/stdapi.ai/issues/283 (measured)",
  },
  {
    models: /^moonshot(ai)?\.kimi-k[3-9]/,
    levels: LOW_TO_MAX,
    fields: reasoningObject,
    off: { reasoning: { effort: "none" } },
    refuses: refusesNothing,
    source: `${BEDROCK}/model-card-moonshot-ai-kimi-k3.html`,
  },
  {
    models: /^(moonshotai\.kimi-k2\.5|zai\.glm-)/,
    levels: ["high"],
    fields: reasoningConfig,
    off: {},
    refuses: refusesNothing,
    source: `${BEDROCK}/model-card-zai-glm-5.html`,
  },
  {
    models: /^deepseek\.v3/,
    levels: LOW_TO_HIGH,
    fields: reasoningConfig,
    off: {},
    refuses: refusesNothing,
    source: `${BEDROCK}/model-parameters-deepseek.html`,
  },
  {
    models: /^qwen\.qwen3-32b/,
    levels: LOW_TO_HIGH,
    fields: reasoningEffort,
    off: {},
    refuses: refusesNothing,
    source: "https://github.com/BerriAI/litellm/pull/34161 (measured)",
  },
  {
    models: /^(deepseek\.r1|moonshot\.kimi-k2-thinking|minimax\.minimax-m2|mistral\.magistral-)/,
    levels: [],
    fields: () => ({}),
    off: undefined,
    refuses: refusesNothing,
    source: `${BEDROCK}/inference-reasoning.html`,
  },
];

/** The form that a foundation model takes; undefined when none is known. */
export function reasoningForm(baseId: string | undefined): ReasoningForm | undefined {
  return baseId === undefined ? undefined : REASONING_FORMS.find(({ models }) => models.test(baseId));
}
