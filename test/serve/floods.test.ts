import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { floodServer } from "../helpers/flood-server.ts";
import { serve } from "../helpers/served.ts";

/** Others wait this long at most, in ms: a busy machine takes its part of it. */
const LONGEST_MS = 1000;

const event = (delta: object): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;

/** openclaw serve in front of a server that says the same without an end. */
async function serveFlood(piece: string) {
  const url = await floodServer({ type: "text/event-stream", piece });
  const models = {
    providers: { flood: { baseUrl: `${url}/v1`, api: "openai-completions", models: [{ id: "m" }] } },
  };
  return serve({ isAlone: true, args: ["--drain-timeout", "0"], config: JSON.stringify({ models }) });
}

function ask(origin: string, isStreamed: boolean, signal?: AbortSignal): Promise<Response> {
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "flood/m",
      stream: isStreamed,
      messages: [{ role: "user", content: "x" }],
    }),
    signal: signal ?? null,
  });
}

describe("a server behind openclaw serve that sends without an end", () => {
  it.each([
    ["text", event({ content: "word " }), true],
    ["reasoning", event({ reasoning_content: "hm " }), true],
    ["reasoning, for clients that want it whole", event({ reasoning_content: "hm " }), false],
    ["events that say nothing", event({}), false],
    ["comments", ": x\n\n", false],
  ])("lets others and the signal through: %s", async (_, piece, isStreamed) => {
    const { origin, end } = await serveFlood(piece);
    const gone = new AbortController();
    const readers = Array.from({ length: 16 }, async () => {
      const response = await ask(origin, isStreamed, gone.signal);
      for await (const bytes of response.body ?? []) expect(bytes).toBeInstanceOf(Uint8Array);
    });
    const settled = Promise.allSettled(readers);
    await wait(500);
    const waits: number[] = [];
    for (let ping = 0; ping < 20; ping += 1) {
      const since = performance.now();
      expect((await fetch(`${origin}/health`)).status).toBe(200);
      waits.push(performance.now() - since);
      await wait(50);
    }
    expect(Math.max(...waits)).toBeLessThan(LONGEST_MS);
    const since = performance.now();
    expect(await end()).toBe(143);
    expect(performance.now() - since).toBeLessThan(2 * LONGEST_MS);
    gone.abort();
    await settled;
  });

  it("ends beside clients that read nothing", async () => {
    const { origin, end } = await serveFlood(event({ content: "word " }));
    const unread = await Promise.all(Array.from({ length: 4 }, () => ask(origin, true)));
    await wait(500);
    const since = performance.now();
    expect(await end()).toBe(143);
    expect(performance.now() - since).toBeLessThan(2 * LONGEST_MS);
    await Promise.allSettled(unread.map(({ body }) => body?.cancel()));
  });

  it("is given up where its answer is longer than any model's", async () => {
    const { origin } = await serveFlood(event({ content: "word ".repeat(2000) }));
    const response = await ask(origin, false);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: {
        code: "bad_response",
        message: "The answer has more than 25165824 characters, which no model's has.",
      },
    });
  });
});
