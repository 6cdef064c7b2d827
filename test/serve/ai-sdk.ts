import { generateText, jsonSchema, type LanguageModel, Output, stepCountIs, streamText, tool } from "ai";

/** Of a tool that tells the weather. */
export const CITY = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
} as const;

export const tellWeather = async ({ city }: { city: string }): Promise<string> => `sunny in ${city}`;

type Options = Pick<Parameters<typeof generateText>[0], "providerOptions">;

/** The AI SDK's own loop of a tool. */
export function askingForWeather(
  model: LanguageModel,
  options: Options = {},
): Parameters<typeof generateText>[0] {
  const weather = tool({
    description: "Tells the weather.",
    inputSchema: jsonSchema<{ city: string }>(CITY),
    execute: tellWeather,
  });
  return { model, tools: { weather }, prompt: "The weather?", stopWhen: stepCountIs(4), ...options };
}

/** What the AI SDK gets of a model: an answer, a loop of a tool whole and streamed, and an answer held to a schema. */
export async function byAiSdk(model: LanguageModel, options: Options = {}): Promise<object> {
  const { text: said, usage } = await generateText({ model, prompt: "Hello?" });
  const looped = await generateText(askingForWeather(model, options));
  const stream = streamText(askingForWeather(model, options));
  let streamed = "";
  for await (const delta of stream.textStream) streamed += delta;
  const { output } = await generateText({
    model,
    prompt: "A city?",
    output: Output.object({ schema: jsonSchema<{ city: string }>(CITY) }),
  });
  return {
    said,
    hasUsage: (usage.inputTokens ?? 0) > 0 && (usage.outputTokens ?? 0) > 0,
    looped: looped.text,
    steps: looped.steps.length,
    streamed,
    output,
  };
}
