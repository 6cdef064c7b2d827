import type {
  GuardrailAssessment,
  GuardrailStreamConfiguration,
  GuardrailTraceAssessment,
} from "@aws-sdk/client-bedrock-runtime";
import type { Configuration } from "../config/settings.ts";
import { OpenclawError, usageError } from "../errors.ts";

export type Guardrail = GuardrailStreamConfiguration;

/**
 * Reads `--guardrail ID:VERSION`; the id may be an ARN, the version a number or DRAFT (patterns of the service model).
 * Throws `usage`.
 */
export function parseGuardrail(text: string): { guardrailIdentifier: string; guardrailVersion: string } {
  const match =
    /^(arn:aws(?:-[^:]+)?:bedrock:[a-z0-9-]{1,20}:\d{12}:guardrail\/[a-z0-9]+|[a-z0-9]+):([1-9]\d{0,7}|DRAFT)$/.exec(
      text,
    );
  if (match?.[1] === undefined || match[2] === undefined) {
    throw usageError(
      `--guardrail '${text}' is not ID:VERSION.`,
      "For example: --guardrail abcd1234efgh:1, or abcd1234efgh:DRAFT",
    );
  }
  return { guardrailIdentifier: match[1], guardrailVersion: match[2] };
}

/** The guardrail that every call is under. */
export function configuredGuardrail(config: Configuration): Guardrail | undefined {
  return config.plugins?.entries?.["amazon-bedrock"]?.config?.guardrail;
}

/** The guardrail of a call: the flag's, else the config's; how it is traced and streamed comes from the config. */
export function chooseGuardrail(
  flag: Guardrail | undefined,
  asksForTrace: boolean,
  config: Configuration,
): Guardrail | undefined {
  const configured = configuredGuardrail(config);
  if (!flag && !configured) return undefined;
  const isTraced = configured?.trace === "enabled" || configured?.trace === "enabled_full";
  return { ...configured, ...flag, ...(asksForTrace && !isTraced ? { trace: "enabled" } : {}) };
}

/** The refusal to ask a model, that is as `what` says, without the guardrail of the question's or else of the configuration. */
export function unguarded(key: string, what: string, isAsked: boolean): OpenclawError {
  return new OpenclawError("invalid-request", {
    message: `'${key}' ${what}, so it is not asked with a guardrail.`,
    hint: isAsked
      ? "Leave --guardrail out, or name a model that Converse takes."
      : "Name a model that Converse takes, or take the guardrail out of the configuration.",
    details: { param: "guardrail" },
  });
}

/**
 * A guardrail as the headers of a call that has no place for it in its body:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html
 */
export function guardrailHeaders(guardrail: Guardrail | undefined): Record<string, string> {
  const { guardrailIdentifier, guardrailVersion, trace } = guardrail ?? {};
  if (guardrailIdentifier === undefined || guardrailVersion === undefined) return {};
  return {
    "x-amzn-bedrock-guardrailidentifier": guardrailIdentifier,
    "x-amzn-bedrock-guardrailversion": guardrailVersion,
    ...(trace === undefined ? {} : { "x-amzn-bedrock-trace": trace.toUpperCase() }),
  };
}

/**
 * Names the policies that acted, in words, from a guardrail's trace: what kind, which, on the prompt or the answer.
 * Never what matched: that may be the secret that the guardrail keeps.
 */
export function firedPolicies(trace: GuardrailTraceAssessment): string[] {
  const onPrompt = Object.values(trace.inputAssessment ?? {}).flatMap(describeAssessment);
  const onAnswer = Object.values(trace.outputAssessments ?? {}).flatMap((list) =>
    list.flatMap(describeAssessment),
  );
  return [
    ...new Set([
      ...onPrompt.map((what) => `${what} in the prompt`),
      ...onAnswer.map((what) => `${what} in the answer`),
    ]),
  ];
}

function describeAssessment(assessment: GuardrailAssessment): string[] {
  const { topicPolicy, contentPolicy, wordPolicy, sensitiveInformationPolicy, contextualGroundingPolicy } =
    assessment;
  return [
    ...acting(topicPolicy?.topics).map(({ name }) => `topic '${name}'`),
    ...acting(contentPolicy?.filters).map(
      ({ type, confidence }) => `content filter ${type} (confidence ${confidence})`,
    ),
    ...acting(wordPolicy?.customWords).map(() => "custom word"),
    ...acting(wordPolicy?.managedWordLists).map(({ type }) => `word list ${type}`),
    ...acting(sensitiveInformationPolicy?.piiEntities).map(({ type }) => `sensitive information ${type}`),
    ...acting(sensitiveInformationPolicy?.regexes).map(({ name }) => `pattern '${name ?? "unnamed"}'`),
    ...acting(contextualGroundingPolicy?.filters).map(
      ({ type, score, threshold }) => `contextual grounding ${type} (${score} below ${threshold})`,
    ),
    ...(assessment.automatedReasoningPolicy?.findings ?? [])
      .flatMap((finding) => Object.keys(finding))
      .filter((kind) => kind === "invalid" || kind === "impossible")
      .map((kind) => `automated reasoning ${kind}`),
  ];
}

/** With a full trace filters that did nothing are listed, too. */
function acting<T extends { action?: string | undefined }>(items: readonly T[] | undefined): T[] {
  return (items ?? []).filter(({ action }) => action !== undefined && action !== "NONE");
}
