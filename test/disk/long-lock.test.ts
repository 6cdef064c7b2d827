import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, lutimesSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { holdLock } from "../../src/disk/lock.ts";
import { OpenclawError } from "../../src/errors.ts";
import { createRuntime } from "../../src/runtime.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const refuse = (processId: number): OpenclawError =>
  new OpenclawError("usage", { message: `held by ${processId}` });

afterEach(() => {
  vi.useRealTimers();
});

describe("a lock that is held for long", () => {
  test("is refused to others, with the holder's process id, until it is let go", async () => {
    const runtime = testRuntime({ home: createHome() });
    const file = path.join(runtime.homeFolder, "file");
    const lock = await holdLock(file, runtime, 0, refuse);
    expect(await lock.isStillHeld()).toBe(true);
    await expect(holdLock(file, runtime, 0, refuse)).rejects.toThrow(`held by ${process.pid}`);
    const waiting = holdLock(file, runtime, 5000, refuse);
    await lock.release();
    await (await waiting).release();
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test("is waited for no longer when the clock is set back meanwhile", async () => {
    const start = Date.now();
    let isSetBack = false;
    const now = (): number => (isSetBack ? start - 86_400_000 : start);
    const runtime = testRuntime({ home: createHome(), now });
    const file = path.join(runtime.homeFolder, "file");
    await holdLock(file, runtime, 0, refuse);
    const waiting = holdLock(file, runtime, 100, refuse);
    isSetBack = true;
    await expect(waiting).rejects.toThrow(`held by ${process.pid}`);
  });

  describe("where the machine tells its starts apart", () => {
    /** A lock held by this process, and whoever asks for it a day later by a clock that was set forward. */
    const held = async (): Promise<{ file: string; later: ReturnType<typeof testRuntime>; text: string }> => {
      const runtime = testRuntime({ home: createHome() });
      const file = path.join(runtime.homeFolder, "file");
      await holdLock(file, runtime, 0, refuse);
      const now = Date.now() + 86_400_000;
      lutimesSync(`${file}.lock`, now / 1000, now / 1000);
      return { file, later: { ...runtime, now: () => now }, text: readlinkSync(`${file}.lock`) };
    };
    const take = (text: string, file: string): void => {
      const { mtime } = lstatSync(`${file}.lock`);
      rmSync(`${file}.lock`);
      symlinkSync(text, `${file}.lock`);
      lutimesSync(`${file}.lock`, mtime, mtime);
    };
    const onLinux = process.platform === "linux";

    test("is not taken for one of before a restart because the clock was set forward", async (context) => {
      if (!onLinux) context.skip("Only Linux tells them apart.");
      const { file, later } = await held();
      await expect(holdLock(file, later, 0, refuse)).rejects.toThrow(`held by ${process.pid}`);
    });

    test("is taken over when it is of another start", async (context) => {
      if (!onLinux) context.skip("Only Linux tells them apart.");
      const { file, later, text } = await held();
      const [processId, since, host, , token] = text.split(" ");
      take([processId, since, host, "an-earlier-one", token].join(" "), file);
      await (await holdLock(file, later, 0, refuse)).release();
    });

    test("is judged by the clock when it says nothing of its start, as those of earlier versions", async () => {
      const { file, later, text } = await held();
      const [processId, since, host] = text.split(" ");
      take([processId, since, host, "1-abc"].join(" "), file);
      await expect(holdLock(file, { ...later, now: Date.now }, 0, refuse)).rejects.toThrow(
        `held by ${process.pid}`,
      );
      take([processId, "0", host, "1-abc"].join(" "), file);
      await (await holdLock(file, later, 0, refuse)).release();
    });
  });

  test("stays young, so that nobody takes it for dead", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const runtime = testRuntime({ home: createHome() });
    const file = path.join(runtime.homeFolder, "file");
    const lock = await holdLock(file, runtime, 0, refuse);
    const old = (Date.now() - 60_000) / 1000;
    lutimesSync(`${file}.lock`, old, old);
    vi.advanceTimersByTime(5000);
    await vi.waitFor(() => expect(lstatSync(`${file}.lock`).mtimeMs).toBeGreaterThan(Date.now() - 10_000));
    await lock.release();
  });

  test("of a process that is gone is taken over", async () => {
    const runtime = testRuntime({ home: createHome() });
    const file = path.join(runtime.homeFolder, "file");
    const lock = await holdLock(file, runtime, 0, refuse);
    const heir = await holdLock(file, { ...runtime, isProcessAlive: () => false }, 0, refuse);
    expect(await lock.isStillHeld()).toBe(false);
    await lock.release();
    expect(await heir.isStillHeld()).toBe(true);
    await heir.release();
  });

  test("of a process that has ended is taken over, though its parent has not asked how it ended", async (context) => {
    if (process.platform !== "linux") context.skip("Only Linux tells of such a process.");
    // What the shell has begun is a child of the sleep, which never asks.
    const script = "exec 3<&0; cat <&3 >/dev/null & echo $!; exec sleep 60 </dev/null 3<&-";
    const parent = spawn("sh", ["-c", script]);
    try {
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      const processId = Number(printed.toString());
      await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/comm`, "utf8")).toBe("sleep\n"));
      parent.stdin.end();
      await vi.waitFor(() =>
        expect(readFileSync(`/proc/${processId}/stat`, "utf8")).toMatch(/^\d+ \((cat|sh)\) Z /),
      );
      const { isProcessAlive } = createRuntime(() => new AbortController().signal);
      const runtime = { ...testRuntime({ home: createHome() }), isProcessAlive };
      const file = path.join(runtime.homeFolder, "file");
      await holdLock(file, { ...runtime, processId }, 0, refuse);
      const heir = await holdLock(file, runtime, 0, refuse);
      await heir.release();
    } finally {
      parent.kill("SIGKILL");
    }
  });
});
