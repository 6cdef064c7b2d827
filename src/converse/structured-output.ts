import { isRecord } from "../json.ts";
import { parseBoundedExactly } from "../json-bounds.ts";
import { toJson } from "../json-numbers.ts";
import type {
  ConverseStreamCommandInput,
  SystemContentBlock,
  ToolInputSchema,
} from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError, withFields } from "../errors.ts";
import type { ChatEvent } from "./chat-event.ts";
import { KeptLength } from "./kept-length.ts";
import { allowMore } from "./length-bound.ts";
import type { JsonSchema, OutputSchema } from "./output-schema.ts";
import type { FamilyFacts } from "../models/families.ts";
import type { Lesson, LessonName } from "../session/refusal-table.ts";
import { isLearnt, type Lessons, refusalOf } from "./apply-lessons.ts";
import { ANSWER_TOOL } from "./request.ts";

/**
 * How a model is held to a schema: by Converse's `outputConfig`; by a tool that it must call; by a tool that it is
 * offered; by an instruction in the system prompt.
 */
export type StructuredForm = "native" | "tool" | "offered-tool" | "instruction";

/** What is learnt of a model that refuses a form. */
const REFUSED_FORMS: Readonly<
  Record<Exclude<StructuredForm, "instruction">, readonly [LessonName, ...LessonName[]]>
> = {
  native: ["no-native-form"],
  tool: ["no-tool-form", "no-tool-choice"],
  "offered-tool": ["no-offered-tool-form"],
};

export interface FormQuestion {
  family: FamilyFacts;
  lessons: Lessons;
  isReasoning: boolean;
  hasTools: boolean;
}

/** The best form for a model and a schema of those that the model has not refused. */
export function structuredForm(schema: JsonSchema, question: FormQuestion): StructuredForm {
  return bestOf(structuredForms(schema, question), question.lessons);
}

function structuredForms(
  schema: JsonSchema,
  { family, isReasoning, hasTools }: FormQuestion,
): readonly StructuredForm[] {
  if (wrapped(schema) === undefined) return [];
  const { outputConfig, reasoning, freeToolChoice } = family;
  const native: StructuredForm[] = outputConfig && canBeClosed(schema) ? ["native"] : [];
  // A model that has tools of its caller's to call cannot be held to one of ours.
  if (hasTools) return native;
  const isForceRefused = freeToolChoice ?? (isReasoning && reasoning?.minds?.includes("forced-tool"));
  return [...native, ...(isForceRefused ? [] : ["tool" as const]), "offered-tool"];
}

/**
 * The same for a model behind OpenAI's API, whose `response_format` is the native form: every server of that API has it,
 * and older ones refuse it.
 */
export function completionForm(schema: JsonSchema, lessons: Lessons): StructuredForm {
  const forms: StructuredForm[] = wrapped(schema) === undefined ? [] : ["tool"];
  return bestOf(forms.length > 0 && canBeClosed(schema) ? ["native", ...forms] : forms, lessons);
}

function bestOf(forms: readonly StructuredForm[], lessons: Lessons): StructuredForm {
  const isRefused = (form: StructuredForm): boolean =>
    form !== "instruction" && isLearnt(lessons, ...REFUSED_FORMS[form]);
  return forms.find((form) => !isRefused(form)) ?? "instruction";
}

const HOW_TO_ANSWER = "Gives the answer. Call it exactly once, with the whole answer; write no other text.";

/** Adds to a request what holds the model to the schema. */
export function withStructuredOutput(
  input: ConverseStreamCommandInput,
  form: StructuredForm,
  { schema, name = ANSWER_TOOL, description }: Pick<OutputSchema, "schema" | "name" | "description">,
  family: FamilyFacts,
): ConverseStreamCommandInput {
  if (form === "instruction") {
    const what = description === undefined ? "" : `\n\n${description}`;
    const text =
      "Answer with exactly one JSON document and nothing else, no code fence, valid against this JSON Schema:\n" +
      toJson(schema) +
      what;
    const system: SystemContentBlock[] = [...(input.system ?? []), { text }];
    return { ...input, system };
  }
  const sent = wrapped(schema) ?? schema;
  if (form === "native") {
    const closed = toJson(sent, (_key, value) =>
      isObjectSchema(value) ? { ...value, additionalProperties: false } : value,
    );
    const jsonSchema = { name, ...(description === undefined ? {} : { description }), schema: closed };
    return {
      ...input,
      outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema } } },
    };
  }
  const toolChoice = family.namedToolChoice ? { tool: { name: ANSWER_TOOL } } : { any: {} };
  return {
    ...input,
    toolConfig: {
      tools: [
        {
          toolSpec: {
            name: ANSWER_TOOL,
            description: description === undefined ? HOW_TO_ANSWER : `${HOW_TO_ANSWER}\n\n${description}`,
            inputSchema: { json: sent } as ToolInputSchema,
          },
        },
      ],
      ...(form === "tool" ? { toolChoice } : {}),
    },
  };
}

/**
 * What is learnt from a refusal of a request that asked in a form: the next one may be taken. Of a refusal that may as well
 * be about this very schema it holds for this call.
 */
export function lessonsOfForm(error: OpenclawError, form: StructuredForm | undefined): readonly Lesson[] {
  if (error.code !== "invalid-request" || form === undefined || form === "instruction") return [];
  if (!/output_?config|text_?format|response_format|json_?schema|tool|schema/i.test(refusalOf(error.details)))
    return [];
  return [{ name: REFUSED_FORMS[form][0], isPassing: true }];
}

/**
 * Turns the events of a structured answer into those of a plain one: text is held back until it is whole, validated,
 * and then comes at once. Throws `invalid-request` with the raw text in its details for output that does not fit, and
 * `bad-response` for one without end.
 */
export async function* readStructured(
  events: AsyncIterable<ChatEvent>,
  form: StructuredForm,
  outputSchema: OutputSchema,
): AsyncGenerator<ChatEvent, void, undefined> {
  const text: string[] = [];
  const input: string[] = [];
  const length = new KeptLength();
  const isToolOurs = form === "tool" || form === "offered-tool";
  let modelId = "";
  let hasCalls = false;
  for await (const event of events) {
    if (event.type === "start") modelId = event.model;
    if (event.type === "text" || event.type === "tool-input") length.add(event.text.length);
    if (event.type === "text") text.push(event.text);
    else if (event.type === "tool-input" && isToolOurs) input.push(event.text);
    else if (event.type !== "tool-start" || !isToolOurs) {
      hasCalls ||= event.type === "tool-start";
      // A withheld or malformed answer is judged by its stop reason, not by its text.
      if (
        event.type === "stop" &&
        /^(end_turn|tool_use|stop_sequence|max_tokens|unknown)$/.test(event.stopReason)
      ) {
        const raw = input.length > 0 ? input.join("") : text.join("");
        // Before a call of the caller's tools a model may say what it likes, or nothing.
        const whole = hasCalls ? raw : await validated(raw, form, event, modelId, outputSchema);
        if (whole !== "" || !hasCalls) yield { type: "text", text: whole };
      }
      yield event;
    }
  }
}

async function validated(
  raw: string,
  form: StructuredForm,
  { stopReason, bound }: Extract<ChatEvent, { type: "stop" }>,
  modelId: string,
  { schema, problemsOf, mayMisfit }: OutputSchema,
): Promise<string> {
  const details = { rawText: raw, stopReason };
  const isAnyTaken = mayMisfit?.(stopReason) === true;
  const text = withoutFence(raw.trim());
  let value: unknown;
  try {
    value = parseBoundedExactly(text);
  } catch (cause) {
    if (isAnyTaken) return raw;
    const isCut = stopReason === "max_tokens";
    throw new OpenclawError("invalid-request", {
      message: isCut
        ? `'${modelId}' stopped at its token limit before its JSON was whole.`
        : `'${modelId}' answered with text that is not JSON: ${(cause as Error).message}.`,
      hint: isCut ? allowMore(bound) : "Run the command again, or ask another model.",
      details,
      cause,
    });
  }
  const isWrapped = form !== "instruction" && !isObjectSchema(schema);
  // The model's own text where it can be had: numbers keep their digits.
  const answer = isWrapped && isRecord(value) && "value" in value ? toJson(value["value"]) : text;
  if (isAnyTaken) return answer;
  const problems = await problemsOf(answer).catch((error: unknown) => {
    if (!(error instanceof OpenclawError) || error.code !== "invalid-request") throw error;
    throw withFields(error, { details: { ...details, ...error.details } });
  });
  if (problems.length > 0) {
    throw new OpenclawError("invalid-request", {
      message: `'${modelId}' answered with JSON that does not fit the schema: ${problems[0]}.`,
      hint: "Run the command again, or describe in the prompt what the schema demands.",
      details: { ...details, problems },
    });
  }
  return answer;
}

/** The text in a code fence, where that is all there is. */
function withoutFence(text: string): string {
  const [fence] = /^```(?:json)?[^\S\n]*\n/.exec(text) ?? [""];
  if (fence === "" || !text.endsWith("```") || text.length < fence.length + 3) return text;
  return text.slice(fence.length, -3).trim();
}

/**
 * The schema as models take it: with an object at its root, in which any other value is the member `value`. Undefined
 * when a reference to the root itself would then point elsewhere.
 */
function wrapped(schema: JsonSchema): JsonSchema | undefined {
  const { $schema: _schema, $id: _id, ...rest } = schema;
  if (isObjectSchema(schema)) return rest;
  if (mentionsRoot(rest)) return undefined;
  const { $defs, definitions, ...value } = rest;
  return {
    type: "object",
    properties: { value },
    required: ["value"],
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
  };
}

function isObjectSchema(value: unknown): value is JsonSchema {
  return isRecord(value) && value["type"] === "object";
}

function mentionsRoot(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(mentionsRoot);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) =>
    key === "$ref" ? !/^#\/(\$defs|definitions)\//.test(String(item)) : mentionsRoot(item),
  );
}

/**
 * `outputConfig` wants `additionalProperties: false` on each object. Where a schema says nothing, a closed object is one
 * of those it allows; where it asks for open ones, or composes objects, it is not.
 */
function canBeClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(canBeClosed);
  if (!isRecord(schema)) return true;
  if ("allOf" in schema || "patternProperties" in schema) return false;
  const { additionalProperties } = schema;
  if (additionalProperties !== undefined && additionalProperties !== false) return false;
  return Object.values(schema).every(canBeClosed);
}
