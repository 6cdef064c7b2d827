// Asks a server by the clients of Responses that need a newer Node than this program does, and prints what they got.
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool as agentTool } from "@openai/agents";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import { OpenAI } from "openai";
import { askingForWeather, byAiSdk, CITY, tellWeather } from "./ai-sdk.ts";

const [baseURL = "", modelId = ""] = process.argv.slice(2);
const model = createOpenAI({ baseURL, apiKey: "none" })(modelId);
// Without this its own requests refer to what the server said before.
const told = await byAiSdk(model, { providerOptions: { openai: { store: false } } });
const referring = await generateText(askingForWeather(model)).then(
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
      parameters: { ...CITY, required: ["city"], properties: { city: { type: "string" } } },
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
    ...told,
    referring,
    ran: ran.finalOutput,
    items: ran.newItems.map(({ type }) => type),
    running: running.finalOutput,
  }),
);
