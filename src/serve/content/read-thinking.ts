import type { ThinkingConfigParam } from "@anthropic-ai/sdk/resources/messages";
import type { ChatParameters } from "../../config/parameters.ts";
import { levelOfBudget } from "../../models/families.ts";
import { isRecord } from "../../json.ts";
import type { RequestField } from "../request-field.ts";

type ThinkingType = ThinkingConfigParam["type"];

interface Thinking {
  type: "enabled" | "adaptive" | "disabled" | undefined;
  level?: ChatParameters["reasoning"];
  budget?: number;
  display?: unknown;
}

/** Each form of thinking, by the SDK's types. */
const THINKING: Readonly<Record<ThinkingType, (field: RequestField) => Thinking>> = {
  enabled: (field) => {
    const tokens = field.at("budget_tokens");
    const budget = tokens.count();
    if (budget < LEAST_BUDGET) throw tokens.mustBe(`at least ${LEAST_BUDGET}`);
    return { type: "enabled", budget, level: levelOfBudget(budget), display: field.at("display").value };
  },
  // It thinks as much as `high` says, where nothing says otherwise: https://platform.claude.com/docs/en/build-with-claude/effort
  adaptive: (field) => ({ type: "adaptive", level: "high", display: field.at("display").value }),
  // Nothing before the answer: the models that know it take this for `off`.
  between_tools: () => ({ type: "disabled" }),
  disabled: () => ({ type: "disabled" }),
};

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const LEAST_BUDGET = 1024;

/** Reads Anthropic's `thinking`. Throws `invalid-request`. */
export function readThinking(field: RequestField | undefined): Thinking {
  if (!field) return { type: undefined };
  const type = field.at("type").choice(Object.keys(THINKING) as ThinkingType[]);
  return THINKING[type](field);
}

/**
 * The same in a chat completion, where other servers take it, some of them without a budget; what none of them says is left
 * to the model (https://docs.litellm.ai/docs/reasoning_content). Throws `invalid-request`.
 */
export function readThinkingBeside(field: RequestField | undefined): Thinking {
  const type = isRecord(field?.value) ? field.value["type"] : undefined;
  if (!field || typeof type !== "string" || !Object.hasOwn(THINKING, type)) return { type: undefined };
  return type === "enabled" && !field.at("budget_tokens").given
    ? THINKING.adaptive(field)
    : readThinking(field);
}
