import { listInput } from "../../discovery/survey.ts";
import type { Configuration } from "../../config/settings.ts";
import { nothingSigns } from "../../credentials/no-credentials.ts";
import { type ListedModel, listModels } from "../../models/list.ts";
import { keyOf } from "../../models/resolve-model.ts";
import { mayAsk, type ServedBy, type ServedTool, type ToolAnswer, type ToolRequest } from "./served-tool.ts";

/** So many models are told at once: who wants another one says what it is called. */
const MOST_MODELS = 100;

/** Tells which models can be asked. */
export const listModelsTool: ServedTool = {
  name: "list-models",
  title: "List models",
  description:
    "List the models on Amazon Bedrock that ask-model can ask, with what they take and what they cost; with 'embeddings' those of embed. Costs nothing.",
  isFree: true,
  inputSchema: {
    type: "object",
    properties: {
      query: { type: "string", description: "Only models whose id, name or provider contains this text." },
      embeddings: { type: "boolean", description: "Those that embed texts, in place of those that answer." },
    },
  },
  outputSchema: {
    type: "object",
    properties: {
      models: {
        type: "array",
        items: {
          type: "object",
          properties: {
            id: { type: "string", description: "What 'model' of the other tools takes." },
            name: { type: "string" },
            provider: { type: "string" },
            input: { type: "string", description: "Kinds of input: 'text+image'. ask-model sends text." },
            contextWindow: { type: "number", description: "Tokens." },
            maxTokens: {
              type: ["number", "null"],
              description: "Most tokens of an answer; null for what embeds texts.",
            },
            reasoning: { type: "boolean" },
            price: {
              type: ["object", "null"],
              description: "USD for a million tokens; null where it is not known.",
              properties: { input: { type: "number" }, output: { type: "number" } },
            },
          },
          required: ["id", "name", "provider"],
        },
      },
      total: { type: "integer", description: `How many fit; at most ${MOST_MODELS} of them are told.` },
    },
    required: ["models", "total"],
  },
  run: listAskable,
};

async function listAskable({ input }: ToolRequest, by: ServedBy): Promise<ToolAnswer> {
  const query = input.at("query").given?.text().trim().toLowerCase() ?? "";
  const isForEmbedding = input.at("embeddings").given?.flag() ?? false;
  const { setup, modelList } = await by.upstream.current();
  const { load, mantle, served, models } = modelList;
  const listed = isForEmbedding
    ? listModels(listInput(setup, { aws: load, mantle, served }, { embeddings: true }))
    : models;
  if (listed.length === 0 && load.error) throw load.error;
  if (listed.length === 0 && !load.hasCredentials && !load.discovered)
    throw await nothingSigns(setup.decision, setup.runtime);
  const fitting = listed.filter(
    (model) =>
      mayAsk(by, model.id, model.key) &&
      [model.id, model.name, model.provider].some((text) => text.toLowerCase().includes(query)),
  );
  return {
    value: {
      models: fitting.slice(0, MOST_MODELS).map((model) => describe(model, setup.config.value)),
      total: fitting.length,
    },
  };
}

/** The id of a model is what the other tools take, or its key, where the id alone stands for another one. */
function describe(model: ListedModel, config: Configuration): object {
  const { key, id, name, provider, input, contextWindow, maxTokens, reasoning, cost } = model;
  return {
    id: keyOf(id, config) === key ? id : key,
    name,
    provider,
    input,
    contextWindow,
    maxTokens,
    reasoning,
    price: cost && { input: cost.input, output: cost.output },
  };
}
