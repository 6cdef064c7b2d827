import {
  ANSWER_TOKENS,
  type Effort,
  type FamilyFacts,
  type Fields,
  LEAST_BUDGET,
  type Obstacle,
  type ReasoningForm,
  type ReasoningLevel,
} from "../models/families.ts";
import {
  type ChatParameters,
  flagName,
  type ParameterNames,
  REASONING_LEVELS,
} from "../config/parameters.ts";

export interface ReasoningQuestion {
  /** As it is sent to AWS, for messages. */
  modelId: string;
  family: FamilyFacts;
  /** Whether config or catalog say that the model reasons; undefined when neither knows it. */
  canReason: boolean | undefined;
  parameters: ChatParameters;
  /** The model's own limit for its output, in tokens. */
  mostTokens: number | undefined;
  /** The most tokens to reason that are asked for. */
  mostReasoning?: number | undefined;
  /** Whether a person wants to read the reasoning. */
  isShown: boolean;
  /** What speaks against reasoning in this turn, for models that mind it. */
  obstacle?: Obstacle | undefined;
  nameOf?: ParameterNames | undefined;
}

export interface ReasoningPlan {
  fields: Fields;
  /** The parameters without those that the model refuses. */
  parameters: ChatParameters;
  /** Whether the model will reason, as far as this request decides it. */
  isReasoning: boolean;
  /** What was changed, for the person who asked for something else. */
  notices: string[];
}

/**
 * Translates a reasoning level into the fields that the model takes: the nearest level where it does not know this one,
 * and without the parameters that it refuses. Every departure is a notice.
 */
export function planReasoning(question: ReasoningQuestion): ReasoningPlan {
  const { modelId, family, canReason, parameters, isShown } = question;
  const wanted = parameters.reasoning;
  const form = family.reasoning;
  if (!form) {
    const isIgnored = wanted !== undefined && wanted !== "off";
    const why =
      canReason === false
        ? `'${modelId}' does not reason, so reasoning '${wanted}' is left out`
        : `How '${modelId}' takes a reasoning level is not known, so '${wanted}' is left out`;
    return { fields: {}, parameters, isReasoning: false, notices: isIgnored ? [why] : [] };
  }
  if (wanted === undefined) {
    const fields = isShown ? (form.shown ?? {}) : {};
    return { fields, isReasoning: isReasoningByItself(form), ...withoutRefused(question, form, undefined) };
  }
  const { level, notices } = chooseLevel(question, form, wanted);
  const kept = withoutRefused(question, form, level ?? "max");
  if (level === undefined) return { fields: {}, isReasoning: true, ...kept, notices };
  const fields =
    level === "off" ? (form.off ?? {}) : form.fields(level, { mostBudget: mostBudget(question), isShown });
  return { fields, isReasoning: level !== "off", ...kept, notices: [...notices, ...kept.notices] };
}

/** The level to send; undefined when the model takes none. */
function chooseLevel(
  question: ReasoningQuestion,
  form: ReasoningForm,
  wanted: ReasoningLevel,
): { level: ReasoningLevel | undefined; notices: string[] } {
  const { modelId, obstacle, nameOf = flagName } = question;
  const [weakest] = form.levels;
  const leftOut = (level: "off" | undefined, why: string) => ({
    level,
    notices: [`${why}, so reasoning '${wanted}' is left out`],
  });
  const instead = (level: Effort, why: string) => ({ level, notices: [`${why}, so '${level}' is sent`] });
  if (wanted === "off") {
    if (form.off !== undefined) return { level: "off", notices: [] };
    if (weakest === undefined) return leftOut(undefined, `'${modelId}' always reasons`);
    return instead(weakest, `'${modelId}' cannot stop reasoning`);
  }
  if (weakest === undefined) return leftOut(undefined, `'${modelId}' reasons as it likes`);
  if (form.hasBudget && mostBudget(question) < LEAST_BUDGET) {
    const { parameters, mostTokens } = question;
    const { maxTokens = LONGEST } = parameters;
    const allowed =
      mostTokens !== undefined && mostTokens < maxTokens
        ? `puts out at most ${mostTokens}`
        : `${nameOf("maxTokens")} allows ${maxTokens}`;
    return leftOut(
      "off",
      `'${modelId}' needs ${LEAST_BUDGET} tokens to reason and others to answer, and ${allowed}`,
    );
  }
  if (obstacle !== undefined && form.off !== undefined && form.minds?.includes(obstacle))
    return leftOut("off", OBSTACLES[obstacle](modelId));
  const level = nearest(wanted, form.levels);
  if (level === wanted) return { level, notices: [] };
  return instead(level, `'${modelId}' does not know reasoning '${wanted}'`);
}

const OBSTACLES: Readonly<Record<Obstacle, (modelId: string) => string>> = {
  "forced-tool": (modelId) => `'${modelId}' does not reason where it must call a tool`,
  "lost-reasoning": (modelId) =>
    `'${modelId}' goes on after tool calls only with the reasoning that led to them, which is not in the request`,
};

/** The level at the least distance; of two, the weaker. */
function nearest(wanted: Effort, levels: readonly Effort[]): Effort {
  const distance = (level: Effort): number =>
    Math.abs(REASONING_LEVELS.indexOf(level) - REASONING_LEVELS.indexOf(wanted));
  return levels.reduce((best, level) => (distance(level) < distance(best) ? level : best));
}

/**
 * The budget leaves some of the tokens of the whole answer for what is said. Where the caller has named both it only has to
 * be below them.
 */
function mostBudget({ parameters, mostTokens, mostReasoning }: ReasoningQuestion): number {
  const most = Math.min(parameters.maxTokens ?? LONGEST, mostTokens ?? LONGEST);
  const areBothNamed = parameters.maxTokens !== undefined && mostReasoning !== undefined;
  const said = areBothNamed ? 1 : Math.min(ANSWER_TOKENS, Math.floor(most / SHARE_SAID));
  return Math.min(most - said, mostReasoning ?? LONGEST);
}

/** At most one in so many tokens is kept for what is said. */
const SHARE_SAID = 4;

const LONGEST = Number.POSITIVE_INFINITY;

/** Models that hide what they think unless told otherwise think without being told. */
function isReasoningByItself(form: ReasoningForm): boolean {
  return form.shown !== undefined || form.levels.length === 0 || form.off === undefined;
}

function withoutRefused(
  { modelId, parameters, nameOf = flagName }: ReasoningQuestion,
  form: ReasoningForm,
  level: ReasoningLevel | undefined,
): { parameters: ChatParameters; notices: string[] } {
  const kept = { ...parameters };
  const notices: string[] = [];
  const always = new Set(form.refuses?.(undefined));
  for (const name of form.refuses?.(level) ?? []) {
    const value = parameters[name];
    if (value === undefined) continue;
    if (typeof value === "number" && form.tolerates?.[name]?.(value)) continue;
    delete kept[name];
    const when = always.has(name) ? "" : " while it reasons so";
    notices.push(
      `'${modelId}' does not take ${nameOf(name)}${when}, so ${JSON.stringify(value)} is left out`,
    );
  }
  return { parameters: kept, notices };
}
