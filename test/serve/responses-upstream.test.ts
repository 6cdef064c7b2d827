import { expect, it } from "vitest";
import { openaiServer } from "../helpers/openai-server.ts";
import { callOf, message, streams } from "../helpers/responses-events.ts";
import { serve, WEATHER } from "../helpers/served.ts";

it("hands calls of the caller's tools on, and keeps the searches of a server to itself", async () => {
  const search = { type: "web_search_call", id: "ws_1", action: { type: "search", query: "Oslo" } };
  const server = await openaiServer({
    chat: (_, nth) =>
      nth === 1 ? streams([search, callOf("weather", { city: "Oslo" })]) : streams([message("It rains.")]),
  });
  const { client } = await serve({
    config: `{ models: { providers: { lab: { baseUrl: "${server.baseUrl}", api: "openai-responses", models: [{ id: "m" }] } } } }`,
  });
  const asked = { role: "user" as const, content: "And in Oslo?" };
  const model = "lab/m";
  const first = await client.chat.completions.create({ model, messages: [asked], tools: [WEATHER] });
  const { message: answer, finish_reason: reason } = first.choices[0] ?? {};
  expect({ reason, calls: answer?.tool_calls }).toEqual({
    reason: "tool_calls",
    calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }],
  });
  const told = { role: "tool" as const, tool_call_id: "call_1", content: "rain" };
  const second = await client.chat.completions.create({
    model,
    messages: [asked, ...(answer ? [answer] : []), told],
    tools: [WEATHER],
  });
  expect(second.choices[0]?.message.content).toBe("It rains.");
  expect(server.chats[1]?.body).toMatchObject({
    store: false,
    input: [
      { role: "user", content: "And in Oslo?" },
      { type: "function_call", call_id: "call_1", name: "weather", arguments: '{"city":"Oslo"}' },
      { type: "function_call_output", call_id: "call_1", output: "rain" },
    ],
    tools: [{ type: "function", name: "weather", strict: false }],
  });
});
