import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { StreamStep } from "../../src/emulator/script.ts";
import { emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const SECRET = "openclaw/test/secret/key/that/nobody/sees";

/** A machine whose credential_process takes its time. */
async function withSlowCredentials() {
  const machine = await emulate({ accessKeys: { AKIAPROC000000000001: { secretAccessKey: SECRET } } });
  const program = path.join(machine.home, "keys");
  writeFileSync(
    program,
    `#!/bin/sh\nsleep 1\necho '{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"${SECRET}"}'\n`,
  );
  chmodSync(program, 0o755);
  writeSharedFiles(machine.home, { config: `[profile proc]\ncredential_process = ${program}\n` });
  const env = {
    ...machine.env,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_PROFILE: "proc",
  };
  return { machine, env };
}

it("is there while credentials are long in coming, and leaves no trace", async () => {
  const { machine, env } = await withSlowCredentials();
  const terminal = openPty(["chat", "-m", "amazon.nova-lite-v1:0", "hi"], machine.home, {
    env,
    columns: 120,
  });
  await terminal.see("Getting credentials");
  expect(await terminal.exit).toBe(0);
  const [first] = terminal.lines();
  expect(first).toMatch(/^This is a simulated answer/);
  expect(terminal.lines().join("\n")).not.toContain("Getting credentials");
});

it("is one spinner where the command has its own", async () => {
  const { machine, env } = await withSlowCredentials();
  const terminal = openPty(["doctor"], machine.home, { env, columns: 200, rows: 40 });
  await terminal.see("Checking");
  expect(await terminal.exit).toBe(0);
  expect(terminal.output()).not.toContain("Getting credentials");
  expect(terminal.lines().join("\n")).not.toContain("Checking");
});

it("is not there in a pipe", async () => {
  const { machine, env } = await withSlowCredentials();
  const result = await machine.run(["models", "list", "--plain"], { env });
  expect(result).toMatchObject({ code: 0, stderr: "" });
});

/** A machine whose model says nothing until it is let. */
async function withSilentModel(steps: (held: Promise<void>) => readonly StreamStep[]) {
  let speak = (): void => undefined;
  const held = new Promise<void>((resolve) => (speak = resolve));
  const machine = await emulate({
    script: ({ route }) => (route === "ConverseStream" ? { stream: steps(held) } : undefined),
  });
  return { ...machine, speak };
}

const begin: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const delta = (index: number, of: object): StreamStep => ({
  event: "contentBlockDelta",
  payload: { contentBlockIndex: index, delta: of },
});
const stopped = (index: number): StreamStep => ({
  event: "contentBlockStop",
  payload: { contentBlockIndex: index },
});
const end: StreamStep = { event: "messageStop", payload: { stopReason: "end_turn" } };
const answer: readonly StreamStep[] = [delta(1, { text: "Hello." }), stopped(1), end];
const reasoning = [delta(0, { reasoningContent: { text: "Hm." } }), stopped(0)];

const MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const asking = ["chat", "-m", MODEL, "hi"];

describe("while a model is waited for", () => {
  it("says which, for how long and how to stop, until its first word", async () => {
    const { env, home, speak } = await withSilentModel((held) => [begin, { wait: held }, ...answer]);
    const terminal = openPty(asking, home, { env, columns: 100 });
    await terminal.see(new RegExp(`Waiting for ${MODEL} … [12] s  \\(Ctrl-C to stop\\)$`));
    speak();
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(["Hello."]);
  });

  it("says less on a narrow terminal, in one line", async () => {
    const { env, home, speak } = await withSilentModel((held) => [begin, { wait: held }, ...answer]);
    const terminal = openPty(asking, home, { env, columns: 40 });
    expect((await terminal.see(/Waiting … {2}\(Ctrl-C to stop\)$/)).split("\n")).toHaveLength(1);
    await terminal.resize(20, 10);
    expect((await terminal.see(/Waiting …(?: \d s)?$/)).split("\n")).toHaveLength(1);
    speak();
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(["Hello."]);
  });

  it("says that it reasons where the reasoning is hidden, and until a whole answer is there", async () => {
    for (const args of [asking, [...asking, "--no-stream"]]) {
      const { env, home, speak } = await withSilentModel((held) => [
        begin,
        ...reasoning,
        { wait: held },
        ...answer,
      ]);
      const terminal = openPty(args, home, { env, columns: 100 });
      await terminal.see(/is reasoning … {2}\(Ctrl-C to stop\)$/);
      speak();
      expect(await terminal.exit).toBe(0);
      expect(terminal.lines()).toEqual(["Hello."]);
    }
  });

  it("is gone at the first word of reasoning that is shown", async () => {
    const { env, home, speak } = await withSilentModel((held) => [
      begin,
      ...reasoning,
      { wait: held },
      ...answer,
    ]);
    const terminal = openPty([...asking, "--show-reasoning"], home, { env, columns: 100 });
    await terminal.see(/^Hm\.$/);
    speak();
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(["Hm.", "", "Hello."]);
  });

  it("names the model that is asked instead", async () => {
    let speak = (): void => undefined;
    const held = new Promise<void>((resolve) => (speak = resolve));
    const { env, home } = await emulate({
      script: ({ route, nth }) => {
        if (route !== "ConverseStream") return undefined;
        return nth === 1
          ? { error: { name: "AccessDeniedException", message: "You don't have access to the model." } }
          : { stream: [begin, { wait: held }, ...answer] };
      },
    });
    const models = "amazon.nova-pro-v1:0,amazon.nova-lite-v1:0";
    const terminal = openPty(["chat", "-m", models, "hi"], home, { env, columns: 100 });
    await terminal.see(/Waiting for amazon\.nova-lite-v1:0 …/);
    speak();
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().at(-1)).toBe("Hello.");
    expect(terminal.lines().join("\n")).not.toContain("Waiting");
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ])("leaves no trace at %s", async (signal, code) => {
    const { env, home } = await withSilentModel((held) => [begin, { wait: held }]);
    const terminal = openPty(asking, home, { env, columns: 100 });
    await terminal.see("Waiting for");
    terminal.kill(signal);
    expect(await terminal.exit).toBe(code);
    expect(terminal.lines()).toEqual([]);
  });

  it("leaves no trace before an error", async () => {
    const { env, home, speak } = await withSilentModel((held) => [
      begin,
      { wait: held },
      { exception: "modelStreamErrorException", payload: { message: "It broke." } },
    ]);
    const terminal = openPty(asking, home, { env, columns: 100 });
    await terminal.see("Waiting for");
    speak();
    expect(await terminal.exit).toBe(5);
    expect(terminal.lines()[0]).toMatch(/^openclaw:|^error:/);
    expect(terminal.lines().join("\n")).not.toContain("Waiting");
  });

  it("is there in the interactive session, with what is typed ahead, and gone when the answer is stopped", async () => {
    const { env, home } = await withSilentModel((held) => [begin, { wait: held }]);
    const terminal = openPty(["chat", "-m", MODEL], home, { env, columns: 100, rows: 6 });
    await terminal.see(/\n> $/);
    terminal.type("\n".repeat(6));
    terminal.type("hi\r");
    await terminal.see(`Waiting for ${MODEL} …`);
    terminal.type("next");
    await terminal.see(/Waiting for .* {2}\(Esc to stop\)\n> next$/);
    terminal.type("\u0015");
    await terminal.see(/Waiting for .* {2}\(Esc to stop\)$/);
    terminal.type("\u0003");
    await terminal.see(/> hi\n\(stopped\)\n\n> $/);
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
  });

  it("says why a model is asked again, and when", async () => {
    const { env, home } = await emulate({
      script: ({ route, nth }) =>
        route === "ConverseStream" && nth === 1
          ? {
              error: {
                name: "ThrottlingException",
                message: "Too many requests, please wait.",
                headers: { "retry-after": "2" },
              },
            }
          : undefined,
    });
    const terminal = openPty(asking, home, { env, columns: 100 });
    await terminal.see(
      /is throttling \(ThrottlingException\): next try \(2 of 3\) in [1-3] s {2}\(Ctrl-C to stop\)$/,
    );
    expect(await terminal.exit).toBe(0);
    // The notice stays; the line that counts is gone.
    expect(terminal.lines().join("\n")).not.toContain("next try (2 of 3)");
  });

  it("says how much of a long upload is out", async () => {
    const { home, env } = await emulate();
    // It takes a part of what is sent, and then no more until it is let.
    const server = createServer();
    const begun = new Promise<() => void>((resolve) =>
      server.once("request", (request, response) => {
        request.once("data", () => {
          request.pause();
          resolve(() => request.resume());
        });
        request.once("end", () => response.writeHead(400, { "content-type": "application/json" }).end("{}"));
      }),
    );
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const files = ["one.txt", "two.txt", "three.txt", "four.txt"];
    for (const name of files) writeFileSync(path.join(home, name), "word ".repeat(800_000));
    const args = ["chat", "-m", "amazon.nova-lite-v1:0", "--endpoint-url", `http://127.0.0.1:${port}`];
    const terminal = openPty([...args, ...files.flatMap((name) => ["-f", name]), "hi"], home, {
      env,
      columns: 100,
    });
    const goOn = await begun;
    await terminal.see(/Sending \d+\.\d of 21\.3 MB … .*\(Ctrl-C to stop\)$/);
    goOn();
    expect(await terminal.exit).not.toBe(0);
    expect(terminal.lines().join("\n")).not.toContain("Sending");
  });

  it("is not there in a pipe", async () => {
    const { run } = await withSilentModel(() => [begin, { wait: 600 }, ...answer]);
    expect(await run(asking)).toMatchObject({ code: 0, stdout: "Hello.\n", stderr: "" });
  });
});

describe("on a terminal without a size", () => {
  const SIZELESS = { tells: { columns: 0, rows: 0 } };

  it.each([
    ["SIGINT", 130, ["doctor"]],
    ["SIGTERM", 143, ["chat", "-m", "amazon.nova-lite-v1:0", "hi"]],
    ["SIGHUP", 129, ["models", "list"]],
  ])("nothing is drawn, and %s (%i) ends %j", async (signal, code, args) => {
    const { machine, env } = await withSlowCredentials();
    const marker = path.join(machine.home, "asked");
    writeFileSync(path.join(machine.home, "keys"), `#!/bin/sh\nsleep 0.4\n: > ${marker}\nexec sleep 30\n`);
    const terminal = openPty(args, machine.home, { env, ...SIZELESS });
    // Then it has waited long enough for a spinner.
    await vi.waitFor(() => expect(existsSync(marker)).toBe(true), 10_000);
    terminal.kill(signal);
    expect(await terminal.exit).toBe(code);
    expect(terminal.output()).toBe("");
  });

  it("a width that goes away in the middle takes the spinner with it, and signals still end it", async () => {
    const { env, home } = await withSilentModel((held) => [begin, { wait: held }]);
    const terminal = openPty(asking, home, { env, columns: 100 });
    await terminal.see("Waiting for");
    terminal.tell(0, 0);
    await vi.waitFor(() => expect(terminal.lines()).toEqual([]), 5000);
    terminal.tell(60, 24);
    await terminal.see("Waiting …");
    terminal.tell(0, 0);
    terminal.kill("SIGTERM");
    expect(await terminal.exit).toBe(143);
    expect(terminal.lines()).toEqual([]);
  });
});
