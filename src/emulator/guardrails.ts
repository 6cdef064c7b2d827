import { isRecord, type JsonObject, textAt } from "../json.ts";
import { validationError } from "./aws-error.ts";
import { checkShape, list, object, oneOf } from "./constraints.ts";
import { type ConverseRequest, GUARDED, GUARDRAIL_ID, GUARDRAIL_VERSION } from "./converse-model.ts";
import { requireObject } from "./converse-request.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { SimulatedAnswer } from "./simulated-answer.ts";

/** A guardrail of the emulator's account, which acts on words alone. */
export interface EmulatedGuardrail {
  id: string;
  /** `DRAFT` and numbers. */
  versions: readonly string[];
  /** What may stand in no prompt and in no answer, whatever its case. */
  words: readonly string[];
  /** What is said in place of the answer where the prompt has such a word, and where the answer has. */
  blockedInput: string;
  blockedOutput: string;
}

/** Who knows the ARN of something of the account's own: its catalogue. */
interface Arns {
  accountArn(resource: string): string;
}

/** The guardrails of the account in every region. */
export const GUARDRAILS: readonly EmulatedGuardrail[] = [
  {
    id: "abcd1234efgh",
    versions: ["DRAFT", "1", "2"],
    words: ["word-that-the-guardrail-blocks"],
    blockedInput: "The guardrail of the openclaw emulator blocked this question.",
    blockedOutput: "The guardrail of the openclaw emulator blocked this answer.",
  },
];

export interface ChosenGuardrail {
  guardrail: EmulatedGuardrail;
  isTraced: boolean;
}

const NAMED = object({ guardrailIdentifier: GUARDRAIL_ID, guardrailVersion: GUARDRAIL_VERSION });

/**
 * The guardrail that a call of a model names, in Converse's body or in the headers of the other paths; undefined where it
 * names none. Throws `AwsError` for one that the account does not have.
 */
export function guardrailOf(
  { body, headers }: Pick<RecordedCall, "body" | "headers">,
  guardrails: readonly EmulatedGuardrail[],
  catalogue: Arns,
): ChosenGuardrail | undefined {
  const config = isRecord(body) && isRecord(body["guardrailConfig"]) ? body["guardrailConfig"] : undefined;
  const named = config
    ? {
        id: textAt(config, "guardrailIdentifier"),
        version: textAt(config, "guardrailVersion"),
        trace: textAt(config, "trace"),
      }
    : {
        id: headers["x-amzn-bedrock-guardrailidentifier"],
        version: headers["x-amzn-bedrock-guardrailversion"],
        trace: headers["x-amzn-bedrock-trace"]?.toLowerCase(),
      };
  const { id = "", version = "", trace = "" } = named;
  if (id === "" && version === "") return undefined;
  const guardrail = findGuardrail({ id, version }, config ? "guardrailConfig" : "", guardrails, catalogue);
  return { guardrail, isTraced: trace.startsWith("enabled") };
}

/**
 * Finds a guardrail by id or ARN, and version. Throws `AwsError` ValidationException: for what breaks the service model's
 * patterns in its words, else as reported by https://github.com/openclaw/openclaw/pull/58588.
 */
function findGuardrail(
  { id, version }: { id: string; version: string },
  place: string,
  guardrails: readonly EmulatedGuardrail[],
  catalogue: Arns,
): EmulatedGuardrail {
  checkShape({ guardrailIdentifier: id, guardrailVersion: version }, NAMED, place);
  const found = guardrails.find(
    (known) => known.id === id || catalogue.accountArn(`guardrail/${known.id}`) === id,
  );
  if (!found?.versions.includes(version))
    throw validationError("The guardrail identifier or version provided in the request does not exist.");
  return found;
}

function wordsIn(text: string, { words }: EmulatedGuardrail): string[] {
  const lower = text.toLowerCase();
  return words.filter((word) => lower.includes(word.toLowerCase()));
}

/** What is looked at of a prompt: what is marked for it, else all that is said. */
function textToGuard({ messages, system }: ConverseRequest): string {
  const blocks = [...system, ...messages.flatMap(({ content }) => content)] as readonly JsonObject[];
  const marked = blocks.flatMap(({ guardContent }) =>
    isRecord(guardContent) ? (textAt(guardContent["text"], "text") ?? "") : [],
  );
  const said = messages.flatMap(({ content }) => content.flatMap(({ text }) => text ?? []));
  return (marked.length > 0 ? marked : said).join("\n");
}

/** What a guardrail found, and what it did: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailAssessment.html */
function assess(text: string, guardrail: EmulatedGuardrail): { found: string[]; assessment: object } {
  const found = wordsIn(text, guardrail);
  const customWords = found.map((match) => ({ match, action: "BLOCKED", detected: true }));
  const policy = found.length === 0 ? {} : { wordPolicy: { customWords, managedWordLists: [] } };
  const total = Array.from(text).length;
  const invocationMetrics = {
    guardrailProcessingLatency: 1,
    usage: usageOf(text),
    guardrailCoverage: { textCharacters: { guarded: total, total } },
  };
  return { found, assessment: { ...policy, invocationMetrics } };
}

/** A text unit has up to 1,000 characters: https://aws.amazon.com/bedrock/pricing/ */
function usageOf(text: string): object {
  return {
    topicPolicyUnits: 0,
    contentPolicyUnits: 0,
    wordPolicyUnits: Math.ceil(Array.from(text).length / 1000),
    sensitiveInformationPolicyUnits: 0,
    sensitiveInformationPolicyFreeUnits: 0,
    contextualGroundingPolicyUnits: 0,
  };
}

/** The answer as a guardrail lets it through: what it blocks is replaced, and the answer ends there. */
export function guardAnswer(
  answer: () => SimulatedAnswer,
  request: ConverseRequest,
  chosen: ChosenGuardrail | undefined,
): SimulatedAnswer {
  if (!chosen) return answer();
  const { guardrail, isTraced } = chosen;
  const before = assess(textToGuard(request), guardrail);
  const made = answer();
  const isAsked = before.found.length === 0;
  const after = isAsked ? assess(made.text, guardrail) : undefined;
  const isBlocked = !isAsked || (after && after.found.length > 0);
  const trace = {
    inputAssessment: { [guardrail.id]: before.assessment },
    ...(after ? { outputAssessments: { [guardrail.id]: [after.assessment] } } : {}),
    ...(isBlocked ? { actionReason: "Guardrail blocked." } : {}),
  };
  const told = {
    guardrailAction: isBlocked ? ("INTERVENED" as const) : ("NONE" as const),
    ...(isTraced ? { trace: { guardrail: trace } } : {}),
  };
  if (!isBlocked) return { ...made, ...told };
  const { citations: _1, search: _2, ...kept } = made;
  return {
    ...kept,
    ...told,
    reasoning: undefined,
    toolUses: [],
    text: isAsked ? guardrail.blockedOutput : guardrail.blockedInput,
    stopReason: "guardrail_intervened",
    outputTokens: isAsked ? made.outputTokens : 0,
  };
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html */
const APPLIED = object(
  { source: oneOf("INPUT", "OUTPUT"), content: list(GUARDED), outputScope: oneOf("INTERVENTIONS", "FULL") },
  "source",
  "content",
);

/** Answers ApplyGuardrail. Throws `AwsError` for a guardrail that is not there and for content that is none. */
export function applyGuardrail(
  { body, parameters }: RecordedCall,
  guardrails: readonly EmulatedGuardrail[],
  catalogue: Arns,
): object {
  const { guardrailIdentifier: id = "", guardrailVersion: version = "" } = parameters;
  requireObject(body);
  checkShape(body, APPLIED);
  const { source, content, outputScope } = body;
  const guardrail = findGuardrail({ id, version }, "", guardrails, catalogue);
  const texts = (content as readonly JsonObject[]).flatMap((block) => textAt(block["text"], "text") ?? []);
  const text = texts.join("\n");
  const { found, assessment } = assess(text, guardrail);
  const isBlocked = found.length > 0;
  const said = source === "INPUT" ? guardrail.blockedInput : guardrail.blockedOutput;
  const untouched = outputScope === "FULL" ? texts.map((each) => ({ text: each })) : [];
  const total = Array.from(text).length;
  return {
    usage: usageOf(text),
    action: isBlocked ? "GUARDRAIL_INTERVENED" : "NONE",
    ...(isBlocked ? { actionReason: "Guardrail blocked." } : { actionReason: "No action." }),
    outputs: isBlocked ? [{ text: said }] : untouched,
    assessments: [assessment],
    guardrailCoverage: { textCharacters: { guarded: total, total } },
  };
}
