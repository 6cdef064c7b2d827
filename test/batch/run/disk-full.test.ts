import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished, type TestContext } from "vitest";
import { textAnswerSteps } from "../../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";

const LINES = 60;
const ARGS = ["batch", "run", "in.jsonl", "-m", "amazon.nova-lite-v1:0", "-o", "disk/out.jsonl"];

/** A disk of so many kB in a folder of a machine. Skips the test where this user may mount none. */
function mountDisk(folder: string, kilobytes: number, context: TestContext): void {
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", folder], { stdio: "pipe" });
  } catch (error) {
    context.skip(`no disk of its own can be mounted here: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync("umount", ["-l", folder]));
}

async function prepare(context: TestContext): Promise<{ machine: Emulated; disk: string }> {
  const words = "so many words ".repeat(700);
  const machine = await emulate({
    script: ({ route }) => (route === "ConverseStream" ? { stream: textAnswerSteps([words]) } : undefined),
  });
  const disk = path.join(machine.home, "disk");
  mountDisk(disk, 300, context);
  const lines = Array.from({ length: LINES }, (_, index) =>
    JSON.stringify({ prompt: `p${index}`, maxTokens: 9 }),
  );
  writeFileSync(path.join(machine.home, "in.jsonl"), lines.join("\n"));
  return { machine, disk };
}

/** A run that has found its disk full, and waits. */
async function runUntilFull(machine: Emulated) {
  const child = machine.start([...ARGS, "--concurrency", "4"]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = once(child, "close");
  while (!stderr.includes("the disk is full")) await once(child.stderr, "data");
  return { child, closed, stderr: () => stderr };
}

it("a run waits while the disk is full, and goes on when there is room", async (context) => {
  const { machine, disk } = await prepare(context);
  const { closed, stderr } = await runUntilFull(machine);
  const askedThen = machine.emulator.calls.length;
  // Nobody is asked meanwhile but those that were on their way.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(machine.emulator.calls.length).toBeLessThanOrEqual(askedThen + 4);
  execFileSync("mount", ["-o", "remount,size=8000k", disk]);
  expect(await closed).toEqual([0, null]);
  expect(stderr()).toContain("there is room again");
  expect(machine.emulator.calls.filter(({ route }) => route === "ConverseStream")).toHaveLength(LINES);
  const results = readFileSync(path.join(disk, "out.jsonl"), "utf8").trimEnd().split("\n");
  expect(results.map((line) => (JSON.parse(line) as { recordId: string }).recordId)).toEqual(
    Array.from({ length: LINES }, (_, index) => String(index + 1)),
  );
}, 60_000);

it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
  "a run that waits for room ends at once for %s, and goes on later",
  async (signal, ...rest) => {
    const [context] = rest as unknown as [TestContext];
    const { machine, disk } = await prepare(context);
    const { child, closed } = await runUntilFull(machine);
    const startedAt = performance.now();
    child.kill(signal);
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(3000);
    execFileSync("mount", ["-o", "remount,size=8000k", disk]);
    const { code, stderr: said } = await machine.run([...ARGS, "--resume"]);
    expect(code, said).toBe(0);
    expect(readFileSync(path.join(disk, "out.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(LINES);
    // At most those are asked again whose answers found no room.
    const asked = machine.emulator.calls.filter(({ route }) => route === "ConverseStream").length;
    expect(asked).toBeLessThanOrEqual(LINES + 4);
  },
  60_000,
);
