import { expect, it } from "vitest";
import { chunk, events, openaiServer } from "../helpers/openai-server.ts";
import { serve } from "../helpers/served.ts";

/** How Claude and Nova are told to think, and the effort that another provider's model is asked for. */
const EFFORTS: readonly [own: object, effort: string | undefined][] = [
  [{ thinking: { type: "enabled", budget_tokens: 2000 } }, "low"],
  [{ thinking: { type: "enabled", budget_tokens: 16_000 } }, "high"],
  [{ thinking: { type: "adaptive" } }, "high"],
  [{ thinking: { type: "adaptive" }, output_config: { effort: "low" } }, "low"],
  [{ thinking: { type: "disabled" } }, "none"],
  [{ reasoningConfig: { type: "enabled" } }, "medium"],
  [{ reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } }, "low"],
  [{ thinking: { type: "enabled" } }, undefined],
  [{ top_k: 5 }, undefined],
];

it("asks models of other providers to think as a Converse request tells Claude and Nova to", async () => {
  const { baseUrl, chats } = await openaiServer({
    chat: () => ({ pieces: events(chunk({ content: "hi" }), chunk({}, "stop"), "[DONE]") }),
  });
  const models = [{ id: "m", reasoning: true }];
  const config = { models: { providers: { lab: { baseUrl, apiKey: "sk-1", models } } } };
  const { origin } = await serve({ config: JSON.stringify(config) });
  for (const [additionalModelRequestFields, effort] of EFFORTS) {
    const messages = [{ role: "user", content: [{ text: "hi" }] }];
    const { status } = await fetch(`${origin}/model/lab%2Fm/converse`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages, additionalModelRequestFields }),
    });
    const sent = chats.at(-1)?.body;
    expect([additionalModelRequestFields, status, sent?.["reasoning_effort"]]).toEqual([
      additionalModelRequestFields,
      200,
      effort,
    ]);
    expect(sent).not.toHaveProperty("thinking");
  }
});
