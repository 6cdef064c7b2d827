import { openEmbedder } from "../../chat/embed-texts.ts";
import { EMULATED_EMBEDDING_MODEL } from "../../models/default-models.ts";
import { refused } from "../request-field.ts";
import {
  COST_SCHEMA,
  mayAsk,
  notAllowed,
  type ServedBy,
  type ServedTool,
  type ToolAnswer,
  type ToolRequest,
} from "./served-tool.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";

/** So many texts are embedded in one call: their vectors go to the client whole. */
const MOST_TEXTS = 100;

const PURPOSES = ["document", "query", "classification", "clustering"] as const;

/** Turns texts into vectors. */
export const embedTool: ServedTool = {
  name: "embed",
  title: "Embed texts",
  description: `Turn up to ${MOST_TEXTS} texts into vectors with an embedding model on Amazon Bedrock. Costs little. list-models with 'embeddings' names the models.`,
  isFree: false,
  inputSchema: {
    type: "object",
    properties: {
      texts: { type: "array", items: { type: "string" }, minItems: 1, maxItems: MOST_TEXTS },
      model: { type: "string", description: "By default the one that this server is set up with." },
      dimensions: { type: "integer", minimum: 1, description: "Length of the vectors." },
      inputType: { type: "string", enum: PURPOSES, description: "What the texts are for." },
    },
    required: ["texts"],
  },
  outputSchema: {
    type: "object",
    properties: {
      model: { type: "string" },
      dimensions: { type: "integer" },
      embeddings: { type: "array", items: { type: "array", items: { type: "number" } } },
      inputTokens: { type: "integer" },
      costUsd: COST_SCHEMA,
    },
    required: ["model", "dimensions", "embeddings", "inputTokens", "costUsd"],
  },
  run: embed,
};

async function embed({ input, runtime }: ToolRequest, by: ServedBy): Promise<ToolAnswer> {
  const field = input.at("texts");
  const texts = field.items().map((item) => {
    const text = item.text();
    if (isOnlyBlanks(text)) throw item.refused(`'${item.param}' says nothing.`);
    return text;
  });
  if (texts.length === 0 || texts.length > MOST_TEXTS)
    throw field.refused(`'texts' has ${texts.length} texts, and must have 1 to ${MOST_TEXTS}.`);
  const { setup } = await by.upstream.current();
  const name =
    input.at("model").given?.text() ??
    setup.config.value.agents?.defaults?.embeddingModel ??
    (runtime.isEmulated ? EMULATED_EMBEDDING_MODEL : undefined);
  if (name === undefined)
    throw refused(
      "'model' is missing, and this server has none for embeddings by default. list-models with 'embeddings' names them.",
      "model",
    );
  const embedder = await openEmbedder(
    name,
    { ...setup, runtime },
    {
      dimensions: input.at("dimensions").given?.count(),
      inputType: input.at("inputType").given?.choice(PURPOSES),
      maxCost: by.mostUsd,
      ledger: by.upstream.ledger,
      signal: runtime.signal,
    },
  );
  try {
    if (!mayAsk(by, embedder.id, embedder.key)) throw notAllowed(embedder.id, by);
    const embeddings: number[][] = [];
    for await (const embedded of embedder.embed(once(texts))) embeddings.push(embedded?.vector ?? []);
    const { id, dimensions = 0, inputTokens, usd, unpriced } = embedder;
    return { value: { model: id, dimensions, embeddings, inputTokens, costUsd: unpriced > 0 ? null : usd } };
  } finally {
    embedder.close();
  }
}

async function* once(texts: string[]): AsyncGenerator<string[]> {
  yield texts;
}
