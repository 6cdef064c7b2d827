import { ListFoundationModelsCommand } from "@aws-sdk/client-bedrock";
import { ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { eventStep } from "../../src/emulator/converse.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { encodeEvent } from "../../src/aws/event-stream.ts";
import type { ScriptedAnswer, StreamStep, StreamSteps } from "../../src/emulator/script.ts";
import { encodeError, textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { collect, controlClient, emulate, runtimeClient, textOf, user } from "./clients.ts";
import { send } from "./signed-request.ts";

const ASK = new ConverseStreamCommand({ modelId: "amazon.nova-pro-v1:0", messages: user("Hi") });

function later(): { promise: Promise<void>; happen: () => void } {
  let happen = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { promise, happen };
}

describe("answers of a script", () => {
  it("hit the nth call of a route and leave the others to the emulator", async () => {
    const emulator = await emulate({
      script: ({ route, nth }): ScriptedAnswer | undefined =>
        route === "ListFoundationModels" && nth === 2
          ? { error: { name: "ThrottlingException", message: "Too many requests, please wait." } }
          : undefined,
    });
    const client = controlClient(emulator);
    const list = () => client.send(new ListFoundationModelsCommand({}));
    await list();
    await expect(list()).rejects.toMatchObject({
      name: "ThrottlingException",
      message: "Too many requests, please wait.",
      $metadata: { httpStatusCode: 429 },
    });
    await list();
    expect(emulator.calls.map((call) => [call.nth, call.status])).toEqual([
      [1, 200],
      [2, 429],
      [3, 200],
    ]);
  });

  it("spell IAM's denials with a capital letter", async () => {
    const emulator = await emulate({
      script: () => ({ error: { name: "AccessDeniedException", message: "User is not authorized" } }),
    });
    const answer = await send(emulator, { method: "GET", path: "/foundation-models", headers: {} });
    expect(answer.status).toBe(403);
    expect(answer.body).toBe('{"Message":"User is not authorized"}');
  });

  it("take status and headers of an error from the script", async () => {
    const emulator = await emulate({
      script: () => ({
        error: { name: "SlowDown", message: "Later", status: 503, headers: { "retry-after": "7" } },
      }),
    });
    const answer = await send(emulator, { method: "GET", path: "/foundation-models", headers: {} });
    expect(answer).toMatchObject({
      status: 503,
      headers: { "retry-after": "7" },
      body: '{"message":"Later"}',
    });
  });

  it.each<[unknown, string]>([
    ["<html>Sign in</html>", "<html>Sign in</html>"],
    [Buffer.from([0x68, 0x69]), "hi"],
    [{ a: [1] }, '{"a":[1]}'],
    [undefined, ""],
  ])("send the body %j as it stands", async (body, text) => {
    const emulator = await emulate({
      script: () => ({ http: { status: 302, headers: { location: "/x" }, body } }),
    });
    const answer = await send(emulator, { method: "GET", path: "/foundation-models", headers: {} });
    expect(answer).toMatchObject({ status: 302, headers: { location: "/x" }, body: text });
  });

  it("can wait before the headers", async () => {
    const ready = later();
    const emulator = await emulate({ script: () => ({ after: ready.promise, pass: true }) });
    const answer = controlClient(emulator).send(new ListFoundationModelsCommand({}));
    const first = await Promise.race([
      answer.then(() => "answered"),
      new Promise((resolve) => setImmediate(resolve, "waits")),
    ]);
    expect(first).toBe("waits");
    ready.happen();
    expect((await answer).modelSummaries?.length).toBeGreaterThan(50);
  });

  it("end with the client's patience", async () => {
    const emulator = await emulate({ script: () => ({ after: 3_600_000, pass: true }) });
    const leaving = new AbortController();
    const answer = controlClient(emulator).send(new ListFoundationModelsCommand({}), {
      abortSignal: leaving.signal,
    });
    while (emulator.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
    expect(emulator.calls[0]?.status).toBeUndefined();
  });

  it("that throw are bugs: the connection drops and stopping reports them", async () => {
    const emulator = await startEmulator({
      script: () => {
        throw new Error("bad script");
      },
    });
    await expect(send(emulator, { method: "GET", path: "/", headers: {} })).rejects.toThrow();
    await expect(emulator.stop()).rejects.toThrow("bad script");
  });
});

describe.each(["HTTP/2", "HTTP/1.1"] as const)("scripted streams over %s", (protocol) => {
  async function ask(steps: StreamSteps, abortSignal?: AbortSignal) {
    const emulator = await emulate({ script: () => ({ stream: steps }) });
    const client = runtimeClient(emulator, protocol);
    const { stream } = await client.send(ASK, abortSignal ? { abortSignal } : {});
    return { stream };
  }

  async function read(steps: Iterable<StreamStep>) {
    const { stream } = await ask(steps);
    return collect(stream);
  }

  it("carry the events of the script, in order", async () => {
    const { stream } = await ask(textAnswerSteps(["one ", "two ", "drei"], { stopReason: "max_tokens" }));
    const events = await collect(stream);
    expect(textOf(events)).toBe("one two drei");
    expect(events.at(-2)).toEqual({ messageStop: { stopReason: "max_tokens" } });
  });

  it("pause between deltas for the time given", async () => {
    const started = performance.now();
    const { stream } = await ask(textAnswerSteps(["a", "b", "c", "d"], { delayMs: 20 }));
    expect(textOf(await collect(stream))).toBe("abcd");
    // Timers may fire a fraction of a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(3 * 19);
  });

  it("send each event when its time has come", async () => {
    const second = later();
    const { stream } = await ask([textStep("first"), { wait: second.promise }, textStep("second")]);
    const texts: (string | undefined)[] = [];
    for await (const event of stream ?? []) {
      texts.push(event.contentBlockDelta?.delta?.text);
      // The second is not sent before the first has arrived.
      second.happen();
    }
    expect(texts).toEqual(["first", "second"]);
  });

  it("come from a generator that decides as it goes", async () => {
    async function* steps(): AsyncGenerator<StreamStep> {
      yield textStep("a");
      await Promise.resolve();
      yield textStep("b");
    }
    expect(textOf(await collect((await ask(steps())).stream))).toBe("ab");
  });

  it("break with an exception of the service", async () => {
    const { stream } = await ask([
      textStep("before "),
      { exception: "throttlingException", payload: { message: "Slow down" } },
    ]);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of stream ?? []) seen.push(event.contentBlockDelta?.delta?.text ?? "");
    })();
    await expect(reading).rejects.toMatchObject({ name: "ThrottlingException", message: "Slow down" });
    expect(seen).toEqual(["before "]);
  });

  it("break with an error frame of the protocol", async () => {
    await expect(read([{ bytes: encodeError("InternalFailure", "Something broke") }])).rejects.toThrow(
      "Something broke",
    );
  });

  it("carry raw bytes, cut anywhere", async () => {
    const frame = encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "whole" } });
    const { stream } = await ask(
      [...frame].flatMap((byte): StreamStep[] => [
        { bytes: Uint8Array.of(byte) },
        { wait: Promise.resolve() },
      ]),
    );
    expect(textOf(await collect(stream))).toBe("whole");
  });

  it("deliver a wrong checksum as it is", async () => {
    const frame = encodeEvent("messageStop", { stopReason: "end_turn" });
    frame.writeUInt32BE(frame.readUInt32BE(frame.length - 4) ^ 1, frame.length - 4);
    await expect(read([{ bytes: frame }])).rejects.toThrow(/checksum/);
  });

  it.each(["close", "reset", "reset-stream"] as const)(
    "end by %s once the client has the first event",
    async (end) => {
      const seen = later();
      const { stream } = await ask([
        eventStep("messageStart", { role: "assistant" }),
        { wait: seen.promise },
        { end },
      ]);
      const outcome = (async () => {
        for await (const _ of stream ?? []) seen.happen();
        return "ended";
      })();
      // What the SDK makes of it differs by protocol and way; that it is over is the script's doing.
      await expect(outcome.catch(() => "failed")).resolves.toMatch(/ended|failed/);
    },
  );

  it("are over at once for an emulator that stops in the middle of a silence", async () => {
    const emulator = await startEmulator({
      script: () => ({ stream: [eventStep("messageStart", { role: "assistant" }), { end: "stall" }] }),
    });
    const { stream } = await runtimeClient(emulator, protocol).send(ASK);
    const outcome = (async () => {
      for await (const _ of stream ?? []) await emulator.stop();
      return "ended";
    })();
    await expect(outcome.catch(() => "failed")).resolves.toMatch(/ended|failed/);
  });

  it.each(["close", "reset", "reset-stream"] as const)("fail by %s before any header", async (drop) => {
    const emulator = await emulate({ script: () => ({ drop }) });
    await expect(runtimeClient(emulator, protocol).send(ASK)).rejects.toThrow();
    expect(emulator.calls).toMatchObject([{ route: "ConverseStream", status: undefined }]);
  });

  it("stop when the client leaves", async () => {
    const finished = later();
    let isCutShort = true;
    function* long(): Generator<StreamStep> {
      try {
        for (let count = 0; count < 10_000; count++) yield textStep("x".repeat(10_000));
        isCutShort = false;
      } finally {
        finished.happen();
      }
    }
    const leaving = new AbortController();
    const { stream } = await ask(long(), leaving.signal);
    await stream?.[Symbol.asyncIterator]().next();
    leaving.abort();
    await finished.promise;
    expect(isCutShort).toBe(true);
  });

  it("make no more than the client takes", async () => {
    let made = 0;
    function* plenty(): Generator<StreamStep> {
      while (made < 100_000_000) {
        made += 10_000;
        yield textStep("x".repeat(10_000));
      }
    }
    const { stream } = await ask(plenty());
    const iterator = stream?.[Symbol.asyncIterator]();
    await iterator?.next();
    // Turns of the event loop, in which a writer without brakes would go on.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeGreaterThan(10_000);
    expect(made).toBeLessThan(40_000_000);
    await iterator?.return?.();
  });
});
