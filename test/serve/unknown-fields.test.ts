import { describe, expect, it } from "vitest";
import { UnknownFields } from "../../src/serve/field-rules.ts";
import { serve } from "../helpers/served.ts";

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
