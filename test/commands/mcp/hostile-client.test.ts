import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { EmulatorOptions, RecordedCall } from "../../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../../helpers/answer-steps.ts";
import { emulate } from "../../helpers/emulated.ts";
import { MODEL } from "../../helpers/served.ts";

interface Reply {
  id?: number | string;
  method?: string;
  result?: { content?: { text: string }[]; isError?: boolean; tools?: object[] };
  error?: { code: number; message: string };
}

/** The program with a client that writes what it likes. Every line that comes back is JSON-RPC, or the test fails. */
async function attack({
  args = [],
  emulator,
}: { args?: readonly string[]; emulator?: EmulatorOptions } = {}) {
  const emulated = await emulate(emulator);
  const child = emulated.start(["mcp", "serve", "--model", MODEL, ...args], {
    env: { AWS_REGION: "us-east-1", AWS_MAX_ATTEMPTS: "1" },
    isStdinOpen: true,
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  /** The answers by their ids, and who waits for them. */
  const replies = new Map<number | string, Reply>();
  const waiting = new Map<number | string, (reply: Reply) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const reply = JSON.parse(line) as Reply & { jsonrpc: string };
    expect(reply.jsonrpc).toBe("2.0");
    if (reply.id === undefined || reply.method !== undefined) return;
    replies.set(reply.id, reply);
    waiting.get(reply.id)?.(reply);
  });
  const write = (...messages: (object | string)[]): void => {
    const lines = messages.map((one) =>
      typeof one === "string" ? one : `${JSON.stringify({ jsonrpc: "2.0", ...one })}\n`,
    );
    child.stdin.write(lines.join(""));
  };
  const reply = async (id: number | string): Promise<Reply> =>
    replies.get(id) ?? (await new Promise((resolve) => waiting.set(id, resolve)));
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } };
  write({ id: "start", method: "initialize", params }, { method: "notifications/initialized" });
  await reply("start");
  return { ...emulated, child, closed, write, reply, replies, stderr: () => stderr };
}

function ask(id: number | string, prompt: unknown = "x"): object {
  return { id, method: "tools/call", params: { name: "ask-model", arguments: { prompt } } };
}

const textOf = ({ result }: Reply): string => result?.content?.[0]?.text ?? "";

/** The most memory that a process has had, in bytes. */
function peakOf(pid: number): number {
  const [, kilobytes = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** An answer that never comes. */
const silent = {
  script: ({ route }: RecordedCall) => (route === "ConverseStream" ? { drop: "stall" as const } : undefined),
};

describe("a client that sends what is no request", () => {
  it.each([
    ["garbage", "\u0000\u0001garbage\n"],
    ["half a line", '{"jsonrpc":"2.0","id":7,"method":\n'],
    ["a list", '[{"jsonrpc":"2.0","id":7,"method":"ping"}]\n'],
    ["null", "null\n"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x0a]).toString("latin1")],
    ["levels without end", `${"[".repeat(100_000)}\n`],
    ["an answer to nothing", '{"jsonrpc":"2.0","id":99,"result":{}}\n'],
    [
      "a cancellation of nothing",
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}\n',
    ],
    ["empty lines", "\n\r\n\n"],
  ])("is served on: %s", async (_, line) => {
    const { write, reply } = await attack();
    write(line, line, ask(1, "Still there?"));
    expect(textOf(await reply(1))).toContain("Still there?");
  });

  it("is served where its last line has no end", async () => {
    const { child, closed, reply } = await attack();
    child.stdin.end('{"jsonrpc":"2.0","id":2,"method":"tools/list"}');
    expect((await reply(2)).result?.tools).not.toEqual([]);
    expect(await closed).toEqual([0, null]);
  });

  it("is told which request was none, where it says which", async () => {
    const { write, reply } = await attack();
    write(
      '{"id":1,"method":"ping"}\n',
      { id: 2, method: "no/such" },
      { id: 3, method: "tools/call", params: 5 },
    );
    expect((await reply(1)).error?.code).toBe(-32_600);
    expect((await reply(2)).error?.code).toBe(-32_601);
    expect((await reply(3)).error).toBeDefined();
    write({ id: 4, method: "tools/call", params: { name: "rm -rf" } }, ask(5, { not: "a text" }));
    expect((await reply(4)).error).toEqual({ code: -32_602, message: "There is no tool 'rm -rf'." });
    expect(textOf(await reply(5))).toContain("must be a string");
  });

  it.each([
    ["tools/call", undefined, "params"],
    ["tools/call", { arguments: {} }, "params.name"],
    ["tools/call", { name: "ask-model", arguments: [1] }, "params.arguments"],
    ["tools/call", { name: "ask-model", arguments: null }, "params.arguments"],
    ["tools/list", { cursor: 5 }, "params.cursor"],
    ["initialize", undefined, "params"],
    ["initialize", { protocolVersion: 1, capabilities: {} }, "params.protocolVersion"],
  ])("is told in words what is wrong with the parameters of %s: %j", async (method, params, place) => {
    const { write, reply } = await attack();
    write({ id: 1, method, params });
    const { error } = await reply(1);
    expect(error?.code).toBe(-32_602);
    expect(error?.message).toMatch(
      new RegExp(`^'${place.replaceAll(".", "[.]")}' is not what it must be: Invalid input: [^\\n{]+[.]$`),
    );
    // Its id is free again.
    write({ id: 2, method: "ping" });
    expect((await reply(2)).result).toEqual({});
  });

  it("is told once on stderr that lines are left out", async () => {
    const { write, reply, stderr } = await attack();
    write("garbage\n".repeat(1000), ask(1));
    await reply(1);
    expect(stderr().match(/left out/g)).toHaveLength(1);
  });
});

describe("a client that sends too much", () => {
  it("is refused a request that is too long, by its id in front and behind, and served on", async () => {
    const { write, reply, child } = await attack();
    const prompt = "x".repeat(20 * 1024 * 1024);
    write(ask(1, prompt));
    write(
      `${JSON.stringify({ method: "tools/call", params: { arguments: { prompt } }, jsonrpc: "2.0", id: "two" })}\n`,
    );
    write(ask(3, "And now?"));
    for (const id of [1, "two"]) expect((await reply(id)).error?.message).toContain("more than 16 MB");
    expect(textOf(await reply(3))).toContain("And now?");
    expect(peakOf(child.pid ?? 0)).toBeLessThan(400 * 1024 * 1024);
  });

  it("sends a line without end, and takes no memory for it", async () => {
    const { write, reply, child } = await attack();
    const piece = "x".repeat(1024 * 1024);
    for (let count = 0; count < 300; count++) if (!child.stdin.write(piece)) await once(child.stdin, "drain");
    write("\n", ask(1));
    expect((await reply(1)).result?.isError).toBeUndefined();
    expect(peakOf(child.pid ?? 0)).toBeLessThan(350 * 1024 * 1024);
  });

  it("has a thousand calls at once answered, and some of them at a time", async () => {
    let [running, most] = [0, 0];
    async function* steps() {
      running += 1;
      most = Math.max(most, running);
      try {
        yield* textAnswerSteps(["ok"]);
      } finally {
        running -= 1;
      }
    }
    const script = ({ route }: RecordedCall) =>
      route === "ConverseStream" ? { stream: steps() } : undefined;
    const { write, reply } = await attack({ emulator: { script } });
    const ids = Array.from({ length: 1000 }, (_, index) => index + 1);
    write(...ids.map((id) => ask(id)));
    const answers = await Promise.all(ids.map(reply));
    expect(answers.map(textOf)).toEqual(ids.map(() => "ok"));
    expect(most).toBeLessThanOrEqual(16);
  });

  it("is told to try again when more wait than may, and when they hold too many bytes", async () => {
    const { write, reply } = await attack({ emulator: silent });
    write(...Array.from({ length: 2017 }, (_, index) => ask(index)));
    expect(textOf(await reply(2016))).toContain("Call again");
    const large = await attack({ emulator: silent });
    const prompt = "x".repeat(12 * 1024 * 1024);
    for (let id = 1; id <= 6; id++) large.write(ask(id, prompt));
    expect((await large.reply(6)).error?.message).toContain("working on too much");
    // Room comes back with what is cancelled.
    large.write({ method: "notifications/cancelled", params: { requestId: 1 } });
    large.write({ id: 7, method: "ping" }, { id: 8, method: "ping" });
    await large.reply(8);
    large.write(ask(9, prompt), { id: 10, method: "ping" });
    await large.reply(10);
    expect(large.replies.has(9)).toBe(false);
  });

  it("gets no second answer for an id that is being worked on", async () => {
    const { write, reply } = await attack({ emulator: silent });
    write(ask(1), ask(1));
    expect((await reply(1)).error?.message).toContain("still being worked on");
  });
});

describe("mcp serve ends within a second", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("of %s, while calls run and wait", async (signal) => {
    const { write, child, closed, routes, stderr } = await attack({ emulator: silent });
    write(...Array.from({ length: 40 }, (_, index) => ask(index)));
    await expect.poll(() => routes().filter((route) => route === "ConverseStream").length).toBe(16);
    const started = performance.now();
    child.kill(signal);
    expect((await closed)[0]).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(stderr()).not.toContain("error:");
  });

  it("of the end of its stdin, while calls run and wait", async () => {
    const { write, child, closed, routes, stderr } = await attack({ emulator: silent });
    write(...Array.from({ length: 40 }, (_, index) => ask(index)));
    await expect.poll(() => routes().filter((route) => route === "ConverseStream").length).toBe(16);
    const started = performance.now();
    child.stdin.end();
    expect((await closed)[0]).toBe(0);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(stderr()).not.toContain("error:");
  });

  it("of a client that has gone away altogether", async () => {
    const { child, closed } = await attack();
    child.stdout.destroy();
    child.stdin.end();
    expect((await closed)[0]).toBe(0);
  });
});

it("reads nothing more from a client that never reads, and loses nothing of what was asked", async () => {
  const { child, replies, reply, write } = await attack();
  child.stdout.pause();
  let asked = 0;
  let isTaken = true;
  while (isTaken) {
    const ids = Array.from({ length: 1000 }, () => (asked += 1));
    write(...ids.map((id) => ({ id, method: "tools/list" })));
    if (!child.stdin.writableNeedDrain) continue;
    const drained = once(child.stdin, "drain").then(() => true);
    isTaken = await Promise.race([drained, sleep(1500, false)]);
  }
  expect(peakOf(child.pid ?? 0)).toBeLessThan(300 * 1024 * 1024);
  child.stdout.resume();
  await reply(asked);
  expect(replies.size).toBe(asked + 1);
});

it("keeps stdout for the protocol, whatever it is asked to show", async () => {
  const { write, reply, child, closed } = await attack({ args: ["--verbose", "--json"] });
  write(ask(1, "Shown?"));
  expect(textOf(await reply(1))).toContain("Shown?");
  child.kill("SIGTERM");
  expect((await closed)[0]).toBe(143);
});
