import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { run as runCommand } from "../../../src/commands/batch/run.ts";
import { textAnswerSteps } from "../../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { testRuntime, useEnvironment } from "../../helpers/test-runtime.ts";

const FLEX_MODEL = "amazon.nova-pro-v1:0";
const OTHER_MODEL = "amazon.nova-lite-v1:0";

function write({ home }: Emulated, count: number, more: object = {}): void {
  const line = JSON.stringify({ prompt: "hi", maxTokens: 5, ...more });
  writeFileSync(path.join(home, "in.jsonl"), `${line}\n`.repeat(count));
}

/** The tier of each call, in their order. */
function tiers({ emulator }: Emulated): (string | undefined)[] {
  return emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => (body as { serviceTier?: { type: string } }).serviceTier?.type);
}

const run = (model: string, ...args: string[]): string[] => [
  "batch",
  "run",
  "in.jsonl",
  "-m",
  model,
  ...args,
];

describe("batch run --deadline", () => {
  it("asks in the tier flex, at half the price, where there is time", async () => {
    const machine = await emulate();
    write(machine, 10);
    const { stdout, stderr, code } = await machine.run(run(FLEX_MODEL, "--deadline", "2h"));
    expect(code).toBe(0);
    expect(tiers(machine)).toEqual(Array(10).fill("flex"));
    expect(stderr).toContain(
      "openclaw: lines are asked in the tier flex, at half the price, as long as that makes the deadline in 2 h.",
    );
    const [line = ""] = stdout.split("\n");
    const { usage, cost } = JSON.parse(line) as {
      usage: { inputTokens: number; outputTokens: number; serviceTier: string };
      cost: { usd: number };
    };
    expect(usage.serviceTier).toBe("flex");
    expect(cost.usd).toBeCloseTo((usage.inputTokens * 0.8 + usage.outputTokens * 3.2) / 2_000_000, 10);
  });

  it("goes on demand when flex does not make it, and says so", async () => {
    // A clock that goes on with each answer alone, however busy the machine is.
    let clock = 0;
    const machine = await emulate({
      script: ({ route }) => {
        if (route !== "ConverseStream") return undefined;
        clock += 100;
        return { stream: textAnswerSteps(["ho"]) };
      },
    });
    write(machine, 60);
    useEnvironment(machine.env);
    const runtime = {
      ...testRuntime({ home: machine.home, env: machine.env }),
      elapsed: () => clock,
      now: () => Date.UTC(2026, 0, 1) + clock,
    };
    await runCommand(
      { file: "in.jsonl", model: FLEX_MODEL, deadline: "3s", concurrency: 1, color: false },
      runtime,
    );
    const stderr = runtime.stderr();
    const asked = tiers(machine);
    expect(asked).toHaveLength(60);
    expect(asked[0]).toBe("flex");
    expect(asked.at(-1)).toBeUndefined();
    expect(stderr).toMatch(
      /openclaw: flex does not make the deadline in \d s \([\d.]+ lines a second, and [\d.]+ are needed\): lines are asked on demand\.\n/,
    );
    expect(stderr).toMatch(/openclaw: the deadline is not met, not even on demand: \d+ lines are left/);
  });

  it("leaves a line its own tier, and asks on demand where AWS lists no flex", async () => {
    const machine = await emulate();
    write(machine, 2, { serviceTier: "priority" });
    await machine.run(run(FLEX_MODEL, "--deadline", "2h"));
    expect(tiers(machine)).toEqual(["priority", "priority"]);
    const other = await emulate();
    write(other, 2);
    const { stderr } = await other.run(run(OTHER_MODEL, "--deadline", "2h"));
    expect(tiers(other)).toEqual([undefined, undefined]);
    expect(stderr).toContain("AWS lists no tier flex for the model, so lines are asked on demand.");
  });

  it.each([
    ["2h", String.raw`\S+Z`, /^openclaw: lines are asked in the tier flex/m],
    [
      "2020-01-01",
      "2020-01-01T00:00:00.000Z",
      /^openclaw: the deadline was over at 2020-01-01T00:00:00\.000Z, so lines are asked on demand\.$/m,
    ],
  ])("is the same moment when the run goes on, be it over by then: %s", async (deadline, named, told) => {
    let isDenied = true;
    const machine = await emulate({
      script: ({ route }) =>
        isDenied && route === "ConverseStream"
          ? { error: { name: "AccessDeniedException", message: "No." } }
          : undefined,
    });
    write(machine, 2);
    const first = deadline === "2h" ? [] : ["--resume"];
    const args = run(FLEX_MODEL, "--deadline", deadline, "-o", "out.jsonl", ...first);
    const stopped = await machine.run(args);
    expect(stopped.code).toBe(4);
    const [, command = ""] = /go on with: openclaw (.*)\n/.exec(stopped.stderr) ?? [];
    expect(command).toMatch(new RegExp(`--deadline ${named} `));
    isDenied = false;
    const { code, stderr } = await machine.run(command.split(" "));
    expect(code).toBe(0);
    expect(stderr).toMatch(told);
  });

  it.each(["yesterday", "soon", "2020-01-01"])("is refused that is no time to come: %s", async (time) => {
    const machine = await emulate();
    write(machine, 1);
    const { stderr, code } = await machine.run(run(FLEX_MODEL, "--deadline", time));
    expect(code).toBe(2);
    expect(stderr).toContain(`--deadline '${time}' is `);
    expect(stderr).toContain("hint: For example: --deadline 2h, --deadline 20");
    expect(tiers(machine)).toEqual([]);
  });
});
