import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { readRegularFile, readStart } from "../../src/disk/read-file.ts";
import { readInput, readTextInput } from "../../src/disk/read-input.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const MOST = 1000;

/** A folder with one of everything that a path may lead to. */
async function everything(): Promise<string> {
  const home = createHome();
  const at = (name: string): string => path.join(home, name);
  writeFileSync(at("file"), "content");
  writeFileSync(at("empty"), "");
  writeFileSync(at("long"), "x".repeat(MOST + 1));
  mkdirSync(at("folder"));
  symlinkSync("file", at("link"));
  symlinkSync("circle", at("circle"));
  execFileSync("mkfifo", [at("pipe")]);
  const server = createServer().listen(at("socket"));
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return home;
}

const REFUSED: readonly [name: string, reason: string | RegExp][] = [
  ["missing", "it does not exist"],
  ["file/below", "a part of the path is not a folder"],
  ["folder", "it is a folder"],
  ["circle", "its symbolic links lead in a circle"],
  ["socket", "it is a socket, or a device that is not there"],
  ["long", "it has more than 1000 bytes"],
];

describe("a regular file", () => {
  it.each([
    ["file", "content"],
    ["link", "content"],
    ["empty", ""],
  ])("is read: %s", async (name, text) => {
    const { bytes, stats } = await readRegularFile(path.join(await everything(), name), MOST);
    expect(bytes.toString()).toBe(text);
    expect(stats.size).toBe(text.length);
  });

  it("may be /dev/null, which is how people say that there is none", async () => {
    expect((await readRegularFile("/dev/null", MOST)).bytes).toHaveLength(0);
  });

  it("is read although it has no size beforehand", async ({ skip }) => {
    skip(process.platform !== "linux", "Linux has /proc");
    expect((await readRegularFile("/proc/self/status", 100_000)).bytes.toString()).toContain("Pid:");
  });

  it.each([
    ...REFUSED,
    ["pipe", "it is a pipe (FIFO), and a regular file is expected"] as const,
    ["/dev/zero", "it is a device"] as const,
  ])("is expected, so %s is refused at once", async (name, reason) => {
    const file = path.resolve(await everything(), name);
    await expect(readRegularFile(file, MOST)).rejects.toThrow(reason);
    if (name !== "long") await expect(readStart(file, 1)).rejects.toThrow(reason);
  });
});

describe("what a flag names", () => {
  const read = async (name: string, home: string, signal = new AbortController().signal): Promise<string> =>
    (await readInput(name, testRuntime({ home, signal }), MOST)).bytes.toString();

  it.each([...REFUSED, ["", "the name is empty"] as const])(
    "is refused by name: %s",
    async (name, reason) => {
      await expect(read(name, await everything())).rejects.toThrow(reason);
    },
  );

  it.each([
    ["/dev/null", ""],
    ["file", "content"],
  ])("is read: %s", async (name, text) => {
    expect(await read(name, await everything())).toBe(text);
  });

  it("may have no end, and is read no further than it may be long", async () => {
    await expect(read("/dev/zero", createHome())).rejects.toThrow("it has more than 1000 bytes");
  });

  it.each(["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])("is stdin: %s", async (name) => {
    const runtime = testRuntime({ home: createHome(), stdin: Readable.from(["from ", "stdin"]) });
    expect((await readInput(name, runtime, MOST)).bytes.toString()).toBe("from stdin");
  });

  it("is waited for when it is a pipe, whose writer may come later and write in pieces", async () => {
    const home = await everything();
    const reading = read("pipe", home);
    const writer = spawn("sh", ["-c", "exec > pipe; printf 'one '; sleep 0.05; printf two"], { cwd: home });
    expect(await reading).toBe("one two");
    await once(writer, "close");
  });

  it.each([
    ["nobody writes to", false],
    ["somebody keeps open", true],
  ])("is given up at a signal when it is a pipe that %s", async (_, isHeld) => {
    const home = await everything();
    const stop = new AbortController();
    const reading = read("pipe", home, stop.signal);
    if (isHeld) {
      const descriptor = openSync(path.join(home, "pipe"), constants.O_RDWR);
      writeSync(descriptor, "part");
      onTestFinished(() => closeSync(descriptor));
    }
    setTimeout(() => stop.abort(new Error("told to stop")), 50);
    await expect(reading).rejects.toThrow("told to stop");
  });

  it("is named on stderr when it is a pipe to which nobody has written for two seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const runtime = testRuntime({ home: await everything() });
    const said = "openclaw: Waiting for whoever writes to 'pipe', which is a pipe (FIFO).\n";
    const reading = readInput("pipe", runtime, MOST);
    while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(1999);
    expect(runtime.stderr()).toBe("");
    vi.advanceTimersByTime(1);
    expect(runtime.stderr()).toBe(said);
    writeFileSync(path.join(runtime.homeFolder, "pipe"), "late");
    expect((await reading).bytes.toString()).toBe("late");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is named on stderr when it is a stdin that has not ended for two seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const stdin = new Readable({ read: () => undefined });
    const runtime = testRuntime({ home: createHome(), stdin });
    const reading = readInput("-", runtime, MOST);
    vi.advanceTimersByTime(1999);
    expect(runtime.stderr()).toBe("");
    vi.advanceTimersByTime(1);
    expect(runtime.stderr()).toBe(
      "openclaw: Waiting for the end of stdin; where nothing is piped in, add < /dev/null.\n",
    );
    stdin.push("late");
    stdin.push(null);
    expect((await reading).bytes.toString()).toBe("late");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is given up at a signal when it is stdin", async () => {
    const stop = new AbortController();
    const stdin = new Readable({ read: () => undefined });
    const runtime = testRuntime({ home: createHome(), stdin, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("told to stop")), 20);
    await expect(readInput("-", runtime, MOST)).rejects.toThrow("told to stop");
  });
});

describe("of a name that leads to no file is told what it was meant for", () => {
  it.each([
    ["https://example.com/a b.pdf", "Fetch it, and name the file: curl -fLO 'https://example.com/a b.pdf'"],
    ["file://schema.json", "Write it without file://, as schema.json"],
    ["fileb:///tmp/a.png", "Write it without file://, as /tmp/a.png"],
    ["~/my notes.txt", `A shell knows ~ only unquoted, where a word begins; write "$HOME"/'my notes.txt'`],
    ["a.txt", "Name a file of text."],
    ["~root/a.txt", "Name a file of text."],
  ])("%s", async (name, hint) => {
    const reading = readTextInput(
      name,
      "--system-file",
      "Name a file of text.",
      testRuntime({ home: createHome() }),
    );
    await expect(reading).rejects.toMatchObject({ code: "usage", hint });
  });
});
