import { expect, it } from "vitest";
import { blockOf, ended, messageEvents, messageOf, started, textOf } from "../helpers/messages-events.ts";
import { openaiServer } from "../helpers/openai-server.ts";
import { serve, WEATHER } from "../helpers/served.ts";

it("hands calls of the caller's tools on, their results back, and the searches of a server to nobody", async () => {
  const search = blockOf(
    0,
    { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
    { type: "input_json_delta", partial_json: '{"query":"Oslo"}' },
  );
  const found = blockOf(1, { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] });
  const call = blockOf(
    3,
    { type: "tool_use", id: "toolu_1", name: "weather", input: {} },
    { type: "input_json_delta", partial_json: '{"city":' },
    { type: "input_json_delta", partial_json: '"Oslo"}' },
  );
  const server = await openaiServer({
    chat: (_, nth) =>
      nth === 1
        ? {
            pieces: messageEvents(
              started(),
              ...search,
              ...found,
              ...textOf(2, "I look."),
              ...call,
              ...ended("tool_use"),
            ),
          }
        : messageOf("It rains."),
  });
  const { client } = await serve({
    config: `{ models: { providers: { lab: { baseUrl: "${server.baseUrl}", api: "anthropic-messages", models: [{ id: "m" }] } } } }`,
  });
  const asked = { role: "user" as const, content: "And in Oslo?" };
  const model = "lab/m";
  const first = await client.chat.completions.create({ model, messages: [asked], tools: [WEATHER] });
  const { message: answer, finish_reason: reason } = first.choices[0] ?? {};
  expect({ reason, content: answer?.content, calls: answer?.tool_calls }).toEqual({
    reason: "tool_calls",
    content: "I look.",
    calls: [{ id: "toolu_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }],
  });
  const told = { role: "tool" as const, tool_call_id: "toolu_1", content: "rain" };
  const second = await client.chat.completions.create({
    model,
    messages: [asked, ...(answer ? [answer] : []), told],
    tools: [WEATHER],
  });
  expect(second.choices[0]?.message.content).toBe("It rains.");
  expect(server.chats[1]?.body).toMatchObject({
    messages: [
      { role: "user", content: "And in Oslo?" },
      {
        role: "assistant",
        content: [
          { type: "text", text: "I look." },
          { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain" }] },
    ],
    tools: [{ name: "weather", description: "Tells the weather.", input_schema: { type: "object" } }],
  });
});
