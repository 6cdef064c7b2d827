// Asks a server by SDKs that need a newer Node than this program does, each by its own dialect, and prints what they got.
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage } from "@langchain/core/messages";
import { tool as langchainTool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { embedMany } from "ai";
import { byAiSdk, CITY } from "./ai-sdk.ts";

const [origin = "", modelId = "", embeddingModelId = ""] = process.argv.slice(2);
const baseURL = `${origin}/v1`;
async function byLangchain(): Promise<object> {
  const model = new ChatOpenAI({ model: modelId, apiKey: "none", configuration: { baseURL } });
  const weather = langchainTool(async () => "sunny", {
    name: "weather",
    description: "Tells.",
    schema: CITY,
  });
  const called = await model.bindTools([weather]).invoke([new HumanMessage("The weather?")]);
  let streamed = "";
  for await (const chunk of await model.stream("Hello?")) streamed += chunk.text;
  const embeddings = new OpenAIEmbeddings({
    model: embeddingModelId,
    apiKey: "none",
    configuration: { baseURL },
  });
  return {
    calls: called.tool_calls?.map(({ name, args }) => ({ name, args })),
    said: streamed.includes("Hello?"),
    vectors: (await embeddings.embedDocuments(["one", "two"])).map(({ length }) => length),
  };
}

const compatible = createOpenAICompatible({
  name: "openclaw",
  baseURL,
  apiKey: "none",
  supportsStructuredOutputs: true,
});
const { embeddings } = await embedMany({
  model: compatible.textEmbeddingModel(embeddingModelId),
  values: ["one", "two"],
});

console.log(
  JSON.stringify({
    compatible: await byAiSdk(compatible(modelId)),
    anthropic: await byAiSdk(createAnthropic({ baseURL, apiKey: "none" })(modelId)),
    bedrock: await byAiSdk(
      createAmazonBedrock({ baseURL: origin, apiKey: "none", region: "us-east-1" })(modelId),
    ),
    langchain: await byLangchain(),
    vectors: embeddings.map(({ length }) => length),
  }),
);
