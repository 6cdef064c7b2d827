import { describe, expect, it } from "vitest";
import { fromChatRequest } from "../../src/serve/dialects/chat-completions/from-chat-request.ts";
import { fromMessagesRequest } from "../../src/serve/dialects/messages/from-messages-request.ts";
import { fromResponseRequest } from "../../src/serve/dialects/responses/from-response-request.ts";
import { UnknownFields } from "../../src/serve/field-rules.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { serve } from "../helpers/served.ts";

const PNG = { type: "base64", media_type: "image/png", data: PIXEL.toString("base64") };
const URL = `data:image/png;base64,${PNG.data}`;

describe("fields that nobody knows", () => {
  it("are ignored, and named in the log once for all requests", () => {
    const notes: string[] = [];
    const fields = new UnknownFields(false, { note: (line) => void notes.push(line) });
    fields.judge("/v1/chat/completions", ["min_p", "messages[0].cache"]);
    fields.judge("/v1/chat/completions", ["messages[17].cache", "min_p"]);
    fields.judge("/v1/chat/completions", []);
    fields.judge("/v1/messages", ["min_p"]);
    expect(notes).toEqual([
      "Fields that this server does not know are ignored, at /v1/chat/completions: 'min_p', 'messages[].cache'.",
      "Fields that this server does not know are ignored, at /v1/messages: 'min_p'.",
    ]);
  });

  it.each(
    Object.entries<[read: () => Promise<{ unknown: readonly string[] }>, places: string[]]>({
      "chat completions": [
        () =>
          fromChatRequest(
            {
              model: "m",
              messages: [
                { role: "system", content: [{ type: "text", text: "a", s: 1 }], m: 1 },
                {
                  role: "user",
                  content: [{ type: "image_url", image_url: { url: URL, detail: "low", u: 1 } }],
                },
                {
                  role: "assistant",
                  content: null,
                  refusal: null,
                  annotations: [],
                  reasoning_content: "x",
                  parsed: null,
                  tool_calls: [
                    {
                      id: "1",
                      index: 0,
                      type: "function",
                      function: { name: "a", arguments: "{}", parsed_arguments: {}, f: 1 },
                      c: 1,
                    },
                  ],
                },
                { role: "tool", tool_call_id: "1", content: "1", name: "a", m: 1, t: 1 },
              ],
            },
            undefined,
          ),
        [
          "messages[0].m",
          "messages[0].content[0].s",
          "messages[1].content[0].image_url.u",
          "messages[2].tool_calls[0].c",
          "messages[2].tool_calls[0].function.f",
          "messages[3].t",
        ],
      ],
      Responses: [
        () =>
          fromResponseRequest(
            {
              model: "m",
              tools: [{ type: "web_search", filters: null, w: 1 }],
              input: [
                {
                  role: "user",
                  content: [{ type: "input_image", detail: "auto", image_url: URL, p: 1 }],
                  i: 1,
                },
                { type: "web_search_call", id: "ws_1", status: "completed", action: {} },
                {
                  type: "message",
                  id: "msg_1",
                  role: "assistant",
                  status: "completed",
                  phase: "commentary",
                  content: [{ type: "output_text", text: "a", annotations: [], logprobs: [], parsed: null }],
                },
                {
                  type: "function_call",
                  id: "fc_1",
                  call_id: "1",
                  name: "a",
                  arguments: "{}",
                  status: "completed",
                },
                { type: "function_call_output", call_id: "1", output: "1", i: 1, o: 1 },
              ],
            },
            undefined,
          ),
        ["input[0].i", "input[0].content[0].p", "input[4].o", "tools[0].w"],
      ],
      Messages: [
        () =>
          fromMessagesRequest(
            {
              model: "m",
              max_tokens: 10,
              system: [{ type: "text", text: "a", citations: null, s: 1 }],
              messages: [
                { role: "user", content: [{ type: "image", source: { ...PNG, n: 1 }, b: 1 }], m: 1 },
                {
                  role: "assistant",
                  content: [{ type: "tool_use", id: "1", name: "a", input: { free: 1 } }],
                },
                {
                  role: "user",
                  content: [
                    { type: "tool_result", tool_use_id: "1", content: [{ type: "text", text: "1", p: 1 }] },
                    { type: "mcp_tool_result", tool_use_id: "2", left: "out" },
                  ],
                },
              ],
            },
            undefined,
          ),
        [
          "system[0].s",
          "messages[0].m",
          "messages[0].content[0].b",
          "messages[0].content[0].source.n",
          "messages[2].content[0].content[0].p",
        ],
      ],
    }),
  )("are found in messages and what they hold: %s", async (_, [read, places]) => {
    expect((await read()).unknown).toEqual(places);
  });

  it("are named as long as nobody makes them up without end", () => {
    const notes: string[] = [];
    const fields = new UnknownFields(false, { note: (line) => void notes.push(line) });
    for (let count = 0; count < 5000; count += 1) fields.judge("/v1/chat/completions", [`x${count}`]);
    expect(notes).toHaveLength(200);
  });

  it("are refused with --strict, by their place, before anybody is asked", async () => {
    const strict = await serve({ args: ["--strict"] });
    const lenient = await serve();
    const ask = (origin: string): Promise<Response> =>
      fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "amazon.nova-lite-v1:0",
          messages: [{ role: "user", content: "hi" }],
          min_p: 1,
        }),
      });
    const refused = await ask(strict.origin);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { code: "unknown_parameter", param: "min_p" } },
    ]);
    expect(strict.emulator.calls.some(({ route }) => route.startsWith("Converse"))).toBe(false);
    expect((await ask(lenient.origin)).status).toBe(200);
    expect((await ask(lenient.origin)).status).toBe(200);
    expect(lenient.log.filter(({ message }) => message?.includes("min_p"))).toHaveLength(1);
  });
});
