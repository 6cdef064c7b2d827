// Asks a server by the clients of Responses that need a newer Node than this program does, and prints what they got.
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool as agentTool } from "@openai/agents";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { OpenAI } from "openai";

const [baseURL = "", modelId = ""] = process.argv.slice(2);
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
} as const;
const tellWeather = async ({ city }: { city: string }): Promise<string> => `sunny in ${city}`;

const model = createOpenAI({ baseURL, apiKey: "none" })(modelId);
// Without this its own requests refer to what the server said before.
const providerOptions = { openai: { store: false } };
const tools = {
  weather: tool({
    description: "Tells the weather.",
    inputSchema: jsonSchema<{ city: string }>(schema),
    execute: tellWeather,
  }),
};
const asked = { model, providerOptions, tools, prompt: "The weather?", stopWhen: stepCountIs(4) };

const { text: said, usage } = await generateText({ model, prompt: "Hello?" });
const looped = await generateText(asked);
const stream = streamText(asked);
let streamed = "";
for await (const delta of stream.textStream) streamed += delta;
const { output } = await generateText({
  model,
  prompt: "A city?",
  output: Output.object({ schema: jsonSchema<{ city: string }>(schema) }),
});
const referring = await generateText({ ...asked, providerOptions: {} }).then(
  () => "answered",
  (error: unknown) => String(error),
);

setDefaultOpenAIClient(new OpenAI({ baseURL, apiKey: "none" }) as never);
setTracingDisabled(true);
const agent = new Agent({
  name: "Weather",
  instructions: "Be brief.",
  model: modelId,
  modelSettings: { reasoning: { effort: "low", summary: "auto" } },
  tools: [
    agentTool({
      name: "weather",
      description: "Tells the weather.",
      parameters: { ...schema, required: ["city"], properties: { city: { type: "string" } } },
      strict: true,
      execute: (input) => tellWeather(input as { city: string }),
    }),
  ],
});
const ran = await run(agent, "The weather?");
const running = await run(agent, "The weather?", { stream: true });
await running.completed;

console.log(
  JSON.stringify({
    said,
    hasUsage: (usage.totalTokens ?? 0) > 0,
    looped: looped.text,
    steps: looped.steps.length,
    streamed,
    output,
    referring,
    ran: ran.finalOutput,
    items: ran.newItems.map(({ type }) => type),
    running: running.finalOutput,
  }),
);
