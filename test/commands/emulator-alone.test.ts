import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { binary, nodeBinary } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";

/** A machine with a server of another provider in its configuration, which must not be asked, and what reached it. */
async function withOtherServer(
  config: Record<string, unknown> = {},
): Promise<{ own: Emulated; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.end("{}");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const corp = { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "sk-corp-key" };
  const listed = { ...corp, models: [{ id: "m1" }] };
  const own = await emulate();
  own.configure(JSON.stringify({ models: { providers: { corp, listed } }, ...config }));
  return { own, asked };
}

describe("with --emulator nobody else is asked", () => {
  it.each([
    ["models list", ["models", "list"], 0],
    ["models list --refresh", ["models", "list", "--refresh"], 0],
    ["models show", ["models", "show", "nova lite"], 0],
    ["models status", ["models", "status"], 0],
    ["doctor", ["doctor"], 0],
    ["iam policy", ["iam", "policy"], 0],
    ["chat", ["chat", "hi"], 0],
    ["chat with a model of another server", ["chat", "-m", "corp/m1", "hi"], 2],
    ["chat with one by its bare name", ["chat", "-m", "m1", "hi"], 2],
    ["chat with one that falls back", ["chat", "-m", "listed/m1,amazon.nova-lite-v1:0", "hi"], 2],
  ])("by %s", async (_, args, exitCode) => {
    const { own, asked } = await withOtherServer({ agents: { defaults: { model: "listed/m1" } } });
    const { code, stderr } = await own.run([...args, "--emulator"]);
    expect({ code, asked, own: own.routes() }).toEqual({ code: exitCode, asked: [], own: [] });
    if (exitCode === 2) expect(stderr).toContain("hint: Leave --emulator out");
  });
});

describe("with --emulator no model of another server", () => {
  it("is listed, nor is a default that is one", async () => {
    const { own } = await withOtherServer({
      agents: { defaults: { model: { primary: "listed/m1", fallbacks: ["amazon.nova-pro-v1:0"] } } },
    });
    const list = async (...flags: string[]): Promise<{ key: string; tags: string[] }[]> =>
      JSON.parse((await own.run(["models", "list", "--json", "--offline", ...flags])).stdout).models;
    expect((await list()).map(({ key }) => key)).toContain("listed/m1");
    const emulated = JSON.parse((await own.run(["models", "list", "--json", "--emulator"])).stdout).models;
    expect(emulated.length).toBeGreaterThan(20);
    expect(emulated.filter(({ key }: { key: string }) => !key.startsWith("amazon-bedrock/"))).toEqual([]);
    // What `chat --emulator` asks.
    expect(emulated[0]).toMatchObject({
      id: "amazon.nova-pro-v1:0",
      tags: expect.arrayContaining(["default"]),
    });
  });

  it("becomes the default", async () => {
    const { own, asked } = await withOtherServer();
    const { code, stderr } = await own.run(["models", "set", "listed/m1", "--emulator"]);
    expect({ code, asked }).toEqual({ code: 2, asked: [] });
    expect(stderr).toContain("hint: Leave --emulator out");
  });
});

describe("what --emulator keeps", () => {
  it("a default model holds with it only", async () => {
    const { own } = await withOtherServer({ agents: { defaults: { model: "amazon.nova-pro-v1:0" } } });
    const set = await own.run(["models", "set", "opus", "--emulator"]);
    expect(set.stdout).toBe("Default model of the emulator: amazon-bedrock/us.anthropic.claude-opus-4-8\n");
    expect(set.stderr).toContain("it holds under --emulator only");
    const model = async (...flags: string[]): Promise<unknown> =>
      JSON.parse((await own.run(["chat", "hi", "--json", ...flags])).stdout).model;
    expect(await model("--emulator")).toBe("us.anthropic.claude-opus-4-8");
    expect(await model()).toBe("amazon.nova-pro-v1:0");
    const first = JSON.parse((await own.run(["models", "list", "--json", "--emulator"])).stdout).models[0];
    expect(first).toMatchObject({
      id: "us.anthropic.claude-opus-4-8",
      tags: expect.arrayContaining(["default"]),
    });
  });

  it("a session says so, and is gone on with only with it", async () => {
    const own = await emulate();
    const chat = (...args: string[]) => own.run(["chat", "-m", "amazon.nova-lite-v1:0", ...args]);
    await chat("--session", "real", "one");
    await chat("--session", "made-up", "one", "--emulator");
    const { stdout } = await own.run(["sessions", "list"]);
    expect(stdout).toMatch(/^made-up\t.*nova-lite-v1:0 \(emulator\)\t/m);
    expect(stdout).toMatch(/^real\t.*nova-lite-v1:0\t/m);
    expect((await own.run(["sessions", "show", "made-up"])).stderr).toContain("the emulator's");
    expect(JSON.parse((await own.run(["sessions", "show", "made-up", "--json"])).stdout).emulated).toBe(true);

    const mixed = await chat("--session", "made-up", "two");
    expect(mixed).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("openclaw chat --emulator --session made-up"),
    });
    const other = await chat("--session", "real", "two", "--emulator");
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("another conversation: openclaw chat --emulator\n"),
    });

    expect((await chat("--continue", "two")).code).toBe(0);
    expect((await chat("--continue", "two", "--emulator")).code).toBe(0);
    const turns = async (id: string): Promise<number> =>
      JSON.parse((await own.run(["sessions", "show", id, "--json"])).stdout).turns.length;
    expect([await turns("real"), await turns("made-up")]).toEqual([2, 2]);
  });
});

it("leaving a session tells the command that goes on with it, with the flags that matter, for a shell", async () => {
  const own = await emulate();
  own.configure("{}");
  const config = `${own.home}/.openclaw/it's mine.json`;
  await own.run(["config", "set", "--config", config, "agents.defaults.model", "amazon.nova-lite-v1:0"]);
  const flags = ["--config", config, "--region", "eu-west-1", "--emulator"];
  const pty = openPty(["chat", ...flags], own.home, { columns: 200 });
  await pty.see(/\n> $/);
  pty.type("hi\r");
  await pty.see(/asked: hi\n\n> $/);
  pty.type("/exit\r");
  expect(await pty.exit).toBe(0);
  const [, command = ""] = /^To go on: openclaw (.*)$/.exec(pty.lines().at(-1) ?? "") ?? [];
  expect(command).toMatch(
    /^chat --emulator --config '.*it'\\''s mine\.json' --region eu-west-1 --session \w+$/,
  );
  const again = openPty([], own.home, {
    columns: 200,
    command: ["/bin/sh", "-c", `"$0" "$1" ${command}`, nodeBinary, binary],
  });
  await again.see(/1 so far/);
  again.type("/exit\r");
  expect(await again.exit).toBe(0);
});
