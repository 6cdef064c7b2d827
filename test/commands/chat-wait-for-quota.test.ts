import { describe, expect, it } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import { emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ONCE = { AWS_MAX_ATTEMPTS: "1" };

/** An emulator that refuses the first calls of a model. */
function refusing(
  times: number,
  name = "ThrottlingException",
  message = "Too many tokens, please wait.",
): EmulatorOptions {
  let left = times;
  return {
    script: ({ route }) =>
      route === "ConverseStream" && left-- > 0 ? { error: { name, message } } : undefined,
  };
}

const calls = (routes: string[]): number => routes.filter((route) => route === "ConverseStream").length;

describe("chat --wait-for-quota", () => {
  it("waits for its place where the call was throttled, and says so", async () => {
    const machine = await emulate(refusing(2));
    const failed = await machine.run(["chat", "-m", MODEL, "hi"], { env: ONCE });
    expect(failed.code).toBe(5);
    const answered = await machine.run(["chat", "-m", MODEL, "--wait-for-quota", "hi"], { env: ONCE });
    expect(answered.code).toBe(0);
    expect(answered.stdout).toContain("hi");
    expect(answered.stderr).toMatch(/Too many tokens, please wait\. Asking again in 1 s\./);
    expect(calls(machine.routes())).toBe(3);
  });

  it.each([
    ["the seconds that it is given", ["--wait-for-quota", "1.5"]],
    ["the time of the whole call", ["--wait-for-quota", "--timeout", "1.5"]],
  ])("waits no longer than %s", async (_, args) => {
    const machine = await emulate(refusing(1000));
    const { code, stdout, stderr } = await machine.run(["chat", "-m", MODEL, ...args, "--json", "hi"], {
      env: ONCE,
    });
    expect(code).toBe(5);
    const { error } = JSON.parse(stdout) as { error: { code: string; details: { queuedMs: number } } };
    expect(error.code).toBe("throttled");
    expect(error.details.queuedMs).toBeGreaterThanOrEqual(1000);
    expect(error.details.queuedMs).toBeLessThan(4000);
    expect(stderr).toContain("Asking again in");
    expect(calls(machine.routes())).toBe(2);
  });

  it("waits for the quota of a day, too", async () => {
    const machine = await emulate(
      refusing(1000, "ThrottlingException", "Too many tokens per day, please wait before trying again."),
    );
    const { code, stderr } = await machine.run(["chat", "-m", MODEL, "--wait-for-quota=0.5", "hi"]);
    expect(code).toBe(5);
    expect(stderr).toContain("Asking again in 60 s");
    expect(calls(machine.routes())).toBe(1);
  });

  it("counts down at a terminal", async () => {
    const machine = await emulate(refusing(2));
    const pty = openPty(["chat", "-m", MODEL, "--wait-for-quota", "hi"], machine.home, {
      env: { ...machine.env, ...ONCE },
    });
    await pty.see(/Quota full for amazon\.nova-lite-v1:0: next try in \d s/);
    expect(await pty.exit).toBe(0);
    expect(pty.lines().join("\n")).not.toContain("Quota");
  });
});
