import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { StreamStep } from "../../src/emulator/script.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { createHome } from "../helpers/openclaw.ts";
import { gate, MODEL, serve, type Served } from "../helpers/served.ts";

/**
 * Bugs as they come: where a body says so, the code that parses it throws, at once or later, here as if the program did.
 */
const BUGS = `
const parse = JSON.parse;
const later = {
  now: () => { throw new TypeError("a bug now"); },
  text: () => { throw "a bug of text"; },
  timer: (ms) => setTimeout(() => { throw new TypeError("a bug by a timer"); }, ms),
  rejection: (ms) => { setTimeout(() => void Promise.reject(new TypeError("a bug by a rejection")), ms); },
  async: (ms) => { void (async () => { await new Promise((go) => setTimeout(go, ms)); throw new TypeError("a bug by async"); })(); },
  event: (ms) => setTimeout(() => new (require("node:events"))().emit("error", new TypeError("a bug by an event")), ms),
};
JSON.parse = (text, ...rest) => {
  const kind = /BUG (\\w+)/.exec(text)?.[1];
  const value = parse(text, ...rest);
  if (kind && value.messages) later[kind](Number(/BUG \\w+ (\\d+)/.exec(text)?.[1] ?? 100));
  return value;
};`;

const LATER = ["timer", "rejection", "async", "event"];

const asking = (content: string) => ({ model: MODEL, messages: [{ role: "user" as const, content }] });

/** A server with bugs, whose model begins to answer and then waits. */
async function buggy(): Promise<Served & { finish: () => void }> {
  const hook = path.join(createHome(), "bugs.cjs");
  writeFileSync(hook, BUGS);
  const { opened, open } = gate();
  async function* steps(): AsyncGenerator<StreamStep> {
    yield textStep("first ");
    yield { wait: opened };
    yield* textAnswerSteps(["last"]);
  }
  const served = await serve({
    env: { NODE_OPTIONS: `--require ${hook}` },
    emulator: { script: ({ route }) => (route === "ConverseStream" ? { stream: steps() } : undefined) },
  });
  return { ...served, finish: open };
}

describe("a bug that nothing waits for", () => {
  it.each(LATER)("fails its own call, with its stack in the log, and no other: %s", async (kind) => {
    const { client, log, logged, finish, origin } = await buggy();
    const honest = client.chat.completions.create(asking("hi"));
    const failure = await client.chat.completions
      .create(asking(`BUG ${kind}`))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 500, code: "internal_error" });
    const bug = await logged((line) => line.kind === "bug");
    expect(bug.message).toMatch(/TypeError: a bug by [^]*\n +at .*bugs\.cjs/);
    const request = await logged((line) => line.kind === "request" && line.status === 500);
    expect(request).toMatchObject({
      requestId: bug.requestId,
      error: { code: "internal", message: expect.stringContaining("a bug by") },
    });
    expect((failure as { requestID: string }).requestID).toBe(bug.requestId);
    finish();
    expect((await honest).choices[0]?.message.content).toContain("last");
    expect((await fetch(`${origin}/health`)).status).toBe(200);
    expect(log.filter((line) => line.kind === "bug")).toHaveLength(1);
  });

  it.each(LATER)("is the last frame of a stream that has begun: %s", async (kind) => {
    const { client, logged } = await buggy();
    const stream = await client.chat.completions.create({ ...asking(`BUG ${kind} 2000`), stream: true });
    const read = (async () => {
      for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
    })();
    await expect(read).rejects.toMatchObject({ code: "internal_error" });
    const bug = await logged((line) => line.kind === "bug");
    const request = await logged((line) => line.kind === "request");
    expect(request).toMatchObject({ requestId: expect.any(String), error: { code: "internal" } });
    expect(bug.message).toContain("a bug by");
    expect(bug.requestId).toBeDefined();
  });

  it.each(["now", "text"])(
    "is one in a handler, too, which ends no server however often: %s",
    async (kind) => {
      const { client, origin, logged } = await buggy();
      for (let time = 0; time < 12; time += 1) {
        await expect(client.chat.completions.create(asking(`BUG ${kind}`))).rejects.toMatchObject({
          status: 500,
        });
      }
      expect(await logged((line) => line.kind === "request")).toMatchObject({
        requestId: expect.any(String),
        error: { message: expect.stringContaining("a bug") },
      });
      expect((await fetch(`${origin}/health`)).status).toBe(200);
    },
  );

  it("ends the server when there are ten of it in a minute, with exit code 1", async () => {
    const { client, log, child, origin } = await buggy();
    const closed = new Promise((resolve) => child.once("close", resolve));
    for (let time = 0; time < 9; time += 1)
      await client.chat.completions.create(asking("BUG timer")).catch(() => undefined);
    expect((await fetch(`${origin}/health`)).status).toBe(200);
    await client.chat.completions.create(asking("BUG rejection")).catch(() => undefined);
    expect(await closed).toBe(1);
    expect(log.filter((line) => line.kind === "bug")).toHaveLength(10);
  });
});
