import { KeptLength } from "../../converse/kept-length.ts";
import { isCutShort, judgeStop } from "../../converse/outcome.ts";
import { withFields } from "../../errors.ts";
import type { CallCost, TokenUsage } from "../../models/usage.ts";
import { compileSchema, isCut } from "../content/answer-schema.ts";
import { refused } from "../request-field.ts";
import {
  COST_SCHEMA,
  DEFAULT,
  mayAsk,
  notAllowed,
  type ServedBy,
  type ServedTool,
  type ToolAnswer,
  type ToolRequest,
  USAGE_SCHEMA,
} from "./served-tool.ts";
import { parseExactly } from "../../json-numbers.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";

/** Asks a model one question. */
export const askModelTool: ServedTool = {
  name: "ask-model",
  title: "Ask a model",
  description:
    "Ask a language model on Amazon Bedrock one question, and get its answer. It knows nothing of this conversation and has no tools: the prompt must say all that it needs. Each call costs money. list-models names the models.",
  isFree: false,
  inputSchema: {
    type: "object",
    properties: {
      prompt: { type: "string", description: "The question, with everything that is needed to answer it." },
      model: {
        type: "string",
        description:
          "Which model: an id that list-models tells, an alias, or a part of a name that fits one model. By default the one that this server is set up with.",
      },
      system: { type: "string", description: "A system prompt." },
      maxTokens: { type: "integer", minimum: 1, description: "The most tokens that the answer may have." },
      schema: {
        type: "object",
        description: "A JSON Schema: the answer is then JSON that fits it, also in 'json' of the result.",
      },
    },
    required: ["prompt"],
  },
  outputSchema: {
    type: "object",
    properties: {
      model: { type: "string", description: "The id of the model that answered." },
      text: { type: "string" },
      json: { description: "The answer as a value, where a schema was given and it fits." },
      stopReason: { type: "string", description: "'end_turn'; 'max_tokens' for an answer that was cut." },
      usage: USAGE_SCHEMA,
      costUsd: COST_SCHEMA,
    },
    required: ["model", "text", "stopReason", "usage", "costUsd"],
  },
  run: askQuestion,
};

async function askQuestion({ input, runtime, tell }: ToolRequest, by: ServedBy): Promise<ToolAnswer> {
  const prompt = input.at("prompt").text();
  if (isOnlyBlanks(prompt)) throw input.at("prompt").refused("'prompt' says nothing.");
  const named = input.at("model").given?.text();
  const given = input.at("schema").given;
  const schema = given && {
    ...(await compileSchema(given.object(), given, runtime.signal)),
    mayMisfit: isCut,
  };
  const query = {
    messages: [{ role: "user" as const, content: [{ text: prompt }] }],
    system: input.at("system").given?.text(),
    parameters: { maxTokens: input.at("maxTokens").given?.count() },
    schema,
  };
  if (named === undefined && !by.hasDefault)
    throw refused(
      "'model' is missing, and this server has none by default. list-models names them.",
      "model",
    );
  let counted: { usage: TokenUsage; cost: CallCost | null } | undefined;
  const events = by.upstream.askByName(named ?? DEFAULT, query, runtime, {
    mostUsd: by.mostUsd,
    onCounted: (usage, cost) => {
      counted = { usage, cost };
    },
    allow: ({ id, key }) => {
      if (named !== undefined && !mayAsk(by, id, key)) throw notAllowed(id, by);
    },
  });
  let [model, text, stopReason] = ["", "", ""];
  const length = new KeptLength();
  for await (const event of events) {
    if (event.type === "start") ({ model } = event);
    if (event.type === "stop") ({ stopReason } = event);
    if (event.type !== "text") continue;
    length.add(event.text.length);
    text += event.text;
    tell?.(event.text);
  }
  const { error } = judgeStop(stopReason, model);
  if (error)
    throw text === "" ? error : withFields(error, { details: { ...error.details, partialText: text } });
  const usage = numbersOf(counted?.usage ?? {});
  const value = { model, text, stopReason, usage, costUsd: counted?.cost?.usd ?? null };
  const isShort = isCutShort(stopReason);
  return {
    value: schema && !isShort ? { ...value, json: parseExactly(text) } : value,
    text: isShort ? `${text}\n\n[The answer was cut: ${stopReason}.]` : text,
  };
}

function numbersOf(usage: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(usage).filter((pair): pair is [string, number] => typeof pair[1] === "number"),
  );
}
