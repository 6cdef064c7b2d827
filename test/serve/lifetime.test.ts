import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventStep } from "../../src/emulator/converse.ts";
import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { emulate } from "../helpers/emulated.ts";
import { heldAnswer } from "../helpers/held-answer.ts";
import { openaiServer, says } from "../helpers/openai-server.ts";
import { gate, MODEL, serve, serveEmulated } from "../helpers/served.ts";

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };

it("loses lines of its log whole when nobody reads them, and says how many", async () => {
  const { client, child, log, logged } = await serve({ isAlone: true, args: ["--log-content"] });
  child.stderr.pause();
  const content = "x".repeat(20_000);
  const say = () => client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] });
  for (let count = 0; count < 100; count += 20) await Promise.all(Array.from({ length: 20 }, say));
  child.stderr.resume();
  const { message } = await logged(
    ({ message }) => message?.includes("lines of this log were lost") === true,
  );
  const lost = Number(/^\d+/.exec(message ?? "")?.[0]);
  const kept = log.filter(({ kind }) => kind === "request").length;
  expect(lost + kept).toBe(100);
  expect(kept).toBeGreaterThan(10);
  expect(lost).toBeGreaterThan(10);
  await say();
  await logged(() => log.filter(({ kind }) => kind === "request").length === kept + 1);
});

it.runIf(process.platform === "linux")("sleeps while nobody asks anything", async () => {
  const { client, child } = await serve({ isAlone: true });
  await client.chat.completions.create(ask);
  const woken = () =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
  const timesASecond = async () => {
    const before = woken();
    await sleep(1000);
    return woken() - before;
  };
  await expect.poll(timesASecond, { timeout: 20_000 }).toBeLessThan(20);
});

describe("a client that goes away", () => {
  it("stops the call to Bedrock in the middle of a stream", async () => {
    const { emulator, left } = heldAnswer();
    const { client, logged } = await serve({ emulator });
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await left;
    expect(await logged(({ isAborted }) => isAborted === true)).toMatchObject({
      status: 499,
      isStreamed: true,
      model: MODEL,
    });
  });

  it("stops the call to Bedrock while an answer is gathered, and before its first token", async () => {
    const { emulator, left, asked } = heldAnswer();
    const { client, logged } = await serve({ emulator });
    const stop = new AbortController();
    const answer = client.chat.completions.create(ask, { signal: stop.signal });
    await asked;
    stop.abort();
    await expect(answer).rejects.toThrow("aborted");
    await left;
    expect(await logged(({ isAborted }) => isAborted === true)).toMatchObject({ status: 499 });
  });

  it("is given up when it takes nothing, and what it does not read is not read from Bedrock", async () => {
    const { opened: left, open: leave } = gate();
    let written = 0;
    const text = "x".repeat(10_000);
    async function* endless(): AsyncGenerator<StreamStep> {
      try {
        for (;;) {
          written += text.length;
          yield textStep(text);
        }
      } finally {
        leave();
      }
    }
    const { origin, logged } = await serve({
      args: ["--idle-timeout", "1"],
      emulator: {
        script: ({ route }) => (route === "ConverseStream" ? { stream: endless() } : undefined),
      },
    });
    const { port } = new URL(origin);
    const socket = connect(Number(port), "127.0.0.1");
    const body = JSON.stringify({ ...ask, stream: true });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await once(socket, "readable");
    await left;
    const line = await logged(({ isAborted }) => isAborted === true);
    expect(line.notices).toContain("The client took nothing for too long.");
    // The buffers of the sockets between, and no more.
    expect(written).toBeLessThan(40_000_000);
    socket.destroy();
  });
});

describe("limits", () => {
  it("tells the one above --max-streams to try again, and takes the next when a place is free", async () => {
    const { emulator, finish } = heldAnswer();
    const { client, logged } = await serve({ args: ["--max-streams", "1"], emulator });
    const first = await client.chat.completions.create({ ...ask, stream: true });
    const refusal = (await client.chat.completions.create(ask).catch((error: unknown) => error)) as {
      status: number;
      code: string;
      headers: Headers;
    };
    expect(refusal).toMatchObject({ status: 429, code: "too_many_streams" });
    expect(refusal.headers.get("retry-after")).toBe("1");
    expect((await client.models.list()).data.length).toBeGreaterThan(0);
    finish();
    for await (const chunk of first) expect(chunk.object).toBe("chat.completion.chunk");
    await logged(({ status, isStreamed }) => status === 200 && isStreamed === true);
    expect((await client.chat.completions.create(ask)).choices[0]?.message.content).toBe("first last");
  });

  it("shows that a stream lives while its model says nothing", async () => {
    const { opened, open } = gate();
    async function* late(): AsyncGenerator<StreamStep> {
      yield eventStep("messageStart", { role: "assistant" });
      yield { wait: opened };
      yield* textAnswerSteps(["at last"]);
    }
    const { origin } = await serve({
      args: ["--heartbeat", "0.1"],
      emulator: { script: ({ route }) => (route === "ConverseStream" ? { stream: late() } : undefined) },
    });
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...ask, stream: true }),
    });
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.split(": waiting\n\n").length > 3) open();
    }
    expect(text).toMatch(/^(: waiting\n\n){3,}data: /);
    expect(text).toContain('"content":"at last"');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });
});

describe("a crowd", () => {
  /** Of the kernel; the room of a server that asks for none is 511. */
  const most =
    process.platform === "linux" ? Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) : 0;
  const CROWD = 700;

  it.skipIf(most < CROWD)(
    "is let in while the process has no time: nobody waits for a second try",
    async () => {
      const { origin, child } = await serve({ isAlone: true });
      await fetch(`${origin}/health`);
      child.kill("SIGSTOP");
      const sockets = Array.from({ length: CROWD }, () => connect(Number(new URL(origin).port), "127.0.0.1"));
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
      });
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      const first = sockets.map((socket) => once(socket, "data"));
      for (const socket of sockets) socket.write("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
      child.kill("SIGCONT");
      for (const [data] of await Promise.all(first)) expect(String(data)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});

describe("the end", () => {
  it("lets a running answer end after SIGTERM, refuses new ones, and says that it is not ready", async () => {
    const { emulator, finish } = heldAnswer();
    const { client, origin, end, logged } = await serve({ emulator });
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    const ended = end("SIGTERM");
    await logged(({ kind }) => kind === "note");
    const ready = await fetch(`${origin}/ready`);
    expect([ready.status, ((await ready.json()) as { status: string }).status]).toEqual([503, "draining"]);
    expect(ready.headers.get("connection")).toBe("close");
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 503,
      code: "shutting_down",
    });
    finish();
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe("first last");
    expect(await ended).toBe(143);
  });

  it("cuts off what runs longer than --drain-timeout, with an error event, and stops the call", async () => {
    const { emulator, left } = heldAnswer();
    const { client, end, logged } = await serve({ emulator, args: ["--drain-timeout", "0.2"] });
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    const read = (async () => {
      for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
    })();
    const ended = end("SIGTERM");
    await expect(read).rejects.toMatchObject({ code: "shutting_down" });
    await left;
    expect(await ended).toBe(143);
    await logged(({ message }) => message === "1 answer was cut off after 0.2 s.");
  });

  it("answers what waits for a list that AWS does not send", async () => {
    const { opened: isAsked, open: begin } = gate();
    const script = ({ route }: RecordedCall) => {
      if (route !== "ListFoundationModels") return undefined;
      begin();
      return { drop: "stall" as const };
    };
    const { origin, end } = await serve({ emulator: { script }, args: ["--drain-timeout", "0.2"] });
    const answers = Promise.all(
      ["/v1/models", "/foundation-models"].map(async (path) => {
        const response = await fetch(`${origin}${path}`);
        return [response.status, await response.text()];
      }),
    );
    await isAsked;
    const ended = end("SIGTERM");
    for (const [status, text] of await answers) {
      expect(status).toBe(503);
      expect(text).toContain("shutting down");
    }
    expect(await ended).toBe(143);
  });

  it("asks the servers of others before AWS has sent its list", async () => {
    const lab = await openaiServer({ chat: () => says("from the lab") });
    const script = ({ route }: RecordedCall) =>
      route === "ListFoundationModels" ? { drop: "stall" as const } : undefined;
    const { client, end } = await serve({
      emulator: { script },
      args: ["--map", "gpt-4o=lab/llama3"],
      config: JSON.stringify({
        models: { providers: { lab: { baseUrl: lab.baseUrl, api: "openai-completions", auth: "none" } } },
      }),
    });
    for (const model of ["lab/llama3", "gpt-4o"]) {
      const { choices } = await client.chat.completions.create({ ...ask, model }, { timeout: 5000 });
      expect(choices[0]?.message.content).toBe("from the lab");
    }
    await end("SIGTERM");
  });

  it("ends at once on a second signal", async () => {
    const { emulator, left } = heldAnswer();
    const { client, child, end, logged } = await serve({ emulator });
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    const read = (async () => {
      for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
    })();
    child.kill("SIGINT");
    await logged(({ kind }) => kind === "note");
    const code = end("SIGINT");
    await expect(read).rejects.toThrow();
    await left;
    expect(await code).toBe(130);
  });

  it("leaves another instance that shares nothing with it as it is", async () => {
    const emulated = await emulate();
    const [one, other] = [await serveEmulated(emulated), await serveEmulated(emulated)];
    await Promise.all([one, other].map(({ client }) => client.chat.completions.create(ask)));
    expect(await one.end()).toBe(143);
    expect((await other.client.chat.completions.create(ask)).choices).toHaveLength(1);
  });
});
