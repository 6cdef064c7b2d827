import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { promptOf, textAnswerSteps } from "../../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { heldAnswer } from "../../helpers/held-answer.ts";
import { journalOf } from "../../../src/batch/run/ordered-output.ts";
import { expectSchema } from "../../helpers/schema.ts";
import type { RecordedCall } from "../../../src/emulator/emulator.ts";
import type { ScriptedAnswer } from "../../../src/emulator/script.ts";

const MODEL = "amazon.nova-lite-v1:0";
const RUN = ["batch", "run", "in.jsonl", "-m", MODEL];

interface Line {
  recordId: string;
  text?: string;
  error?: { code: string; message: string };
}

/** Writes so many prompts, `prompt 1` first. */
function writeLines({ home }: Emulated, count: number, more: object = {}): void {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ recordId: `r${index + 1}`, prompt: `prompt ${index + 1}`, ...more }),
  );
  writeFileSync(path.join(home, "in.jsonl"), `${lines.join("\n")}\n`);
}

function readLines({ home }: Emulated, name = "out.jsonl"): Line[] {
  return linesOf(readFileSync(path.join(home, name), "utf8"));
}

function linesOf(output: string): Line[] {
  expect(output.endsWith("\n") || output === "").toBe(true);
  return output
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

const isAsked = ({ route }: RecordedCall): boolean => route === "ConverseStream";

function asked({ emulator }: Emulated): string[] {
  return emulator.calls.filter(isAsked).map(promptOf);
}

/** Answers each prompt with itself, but for those that have something else to say. */
function answering(other: (prompt: string, nth: number) => ScriptedAnswer | undefined = () => undefined): {
  script: (call: RecordedCall) => ScriptedAnswer | undefined;
} {
  const times = new Map<string, number>();
  return {
    script: (call) => {
      if (!isAsked(call)) return undefined;
      const prompt = promptOf(call);
      const nth = (times.get(prompt) ?? 0) + 1;
      times.set(prompt, nth);
      return other(prompt, nth) ?? { stream: textAnswerSteps([`answer to ${prompt}`]) };
    },
  };
}

const error = (name: string, message: string, more: object = {}): ScriptedAnswer => ({
  error: { name, message, ...more },
});

describe("batch run", () => {
  it("writes a result a line in the order of the lines, and takes the journal away when all is done", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 30);
    const { code, stdout, stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(readLines(machine)).toEqual(
      Array.from({ length: 30 }, (_, index) =>
        expect.objectContaining({ recordId: `r${index + 1}`, text: `answer to prompt ${index + 1}` }),
      ),
    );
    expect(existsSync(path.join(machine.home, "out.jsonl.journal"))).toBe(false);
    expect(existsSync(path.join(machine.home, "out.jsonl.journal.lock"))).toBe(false);
    expect(stderr).toContain("30 lines answered");
  });

  it("writes to stdout where no file is named, with nothing else in it", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 5);
    for (const args of [[], ["-o", "-"]]) {
      const { code, stdout } = await machine.run([...RUN, ...args]);
      expect(code).toBe(0);
      expect(linesOf(stdout).map(({ recordId }) => recordId)).toEqual(["r1", "r2", "r3", "r4", "r5"]);
    }
    const refused = await machine.run([...RUN, "--resume"]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("-o FILE");
    const summed = await machine.run([...RUN, "--json"]);
    expect([summed.code, JSON.parse(summed.stdout)]).toMatchObject([
      2,
      { error: { code: "usage", hint: "Name one: -o FILE" } },
    ]);
  });

  it("says once what a name was taken for", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 3);
    const { stderr } = await machine.run(["batch", "run", "in.jsonl", "-m", "nova-lite", "-o", "out.jsonl"]);
    expect(stderr.match(/^openclaw: nova-lite is amazon\.nova-lite-v1:0$/gm)).toHaveLength(1);
  });

  it("notes the same of many lines once", async () => {
    const machine = await emulate({
      script: (call) => (isAsked(call) ? { stream: textAnswerSteps([]) } : undefined),
    });
    writeLines(machine, 5);
    const { stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(asked(machine).length).toBeGreaterThan(5);
    expect(stderr.match(/answered with nothing; asking once more/g)).toHaveLength(1);
  });

  it("tells with --json what the run came to", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 3);
    const { stdout } = await machine.run([...RUN, "-o", "out.jsonl", "--json"]);
    const document = JSON.parse(stdout) as object;
    expectSchema("batch-run", document);
    expect(document).toMatchObject({
      lines: 3,
      answered: 3,
      failed: {},
      before: 0,
      usage: { inputTokens: 3, outputTokens: 3 },
      cost: { usd: expect.any(Number) as number },
    });
  });

  it("sends nothing where a line has a problem, and names them all", async () => {
    const machine = await emulate(answering());
    writeFileSync(path.join(machine.home, "in.jsonl"), '{"prompt":"a"}\n{"prompt":3}\n{"nothing":1}\n');
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(code).toBe(2);
    expect(stderr).toContain("line 2:");
    expect(stderr).toContain("line 3:");
    expect(asked(machine)).toEqual([]);
    expect(existsSync(path.join(machine.home, "out.jsonl"))).toBe(false);
  });

  it("puts a line's own error in its place, and ends with the code of the commonest", async () => {
    let isBad = true;
    const machine = await emulate(
      answering((prompt) =>
        !isBad
          ? undefined
          : /[23]$/.test(prompt)
            ? error("ValidationException", "The text is bad.")
            : prompt.endsWith("4")
              ? error("InternalServerException", "Out of order.")
              : undefined,
      ),
    );
    writeLines(machine, 6);
    const env = { AWS_MAX_ATTEMPTS: "1" };
    const { code, stderr, stdout } = await machine.run([...RUN, "-o", "out.jsonl", "--json"], { env });
    expect(code).toBe(6);
    expect(readLines(machine).map((line) => line.error?.code ?? line.text)).toEqual([
      "answer to prompt 1",
      "invalid-request",
      "invalid-request",
      "service-unavailable",
      "answer to prompt 5",
      "answer to prompt 6",
    ]);
    expect(stderr).toContain("3 lines of 6 have no answer: 2 invalid-request, 1 service-unavailable.");
    expect(stderr.match(/a line for which no try helps is asked again a while later/g)).toHaveLength(1);
    const document = JSON.parse(stdout) as object;
    expectSchema("batch-run", document);
    expect(document).toMatchObject({
      answered: 3,
      failed: { "invalid-request": 2, "service-unavailable": 1 },
      error: { code: "invalid-request" },
    });
    // Whoever goes on with it is told the same, and nothing is asked.
    const before = asked(machine).length;
    const again = await machine.run([...RUN, "-o", "out.jsonl", "--resume"], { env });
    expect(again.code).toBe(6);
    expect(again.stderr).toContain("2 invalid-request");
    expect(asked(machine)).toHaveLength(before);
    // And whoever asks them again asks no other.
    isBad = false;
    const [, command = ""] =
      /Ask them again: openclaw (batch run .* --resume --retry-failed)\n/.exec(again.stderr) ?? [];
    const retried = await machine.run(command.split(" "));
    expect(retried.code).toBe(0);
    expect(retried.stderr).toContain("3 of 6 lines are done already");
    expect(asked(machine).slice(before).toSorted()).toEqual(["prompt 2", "prompt 3", "prompt 4"]);
    expect(readLines(machine).map((line) => line.text)).toEqual(
      Array.from({ length: 6 }, (_, index) => `answer to prompt ${index + 1}`),
    );
    expect(readdirSync(machine.home).filter((name) => name.startsWith("out"))).toEqual(["out.jsonl"]);
  });

  it("names no way to ask lines again whose own fault it is", async () => {
    const machine = await emulate(
      answering((prompt) =>
        prompt.endsWith("2") ? error("ValidationException", "The text is bad.") : undefined,
      ),
    );
    writeLines(machine, 3);
    const { stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(stderr).toContain("hint: What became of each stands in its line of the output.");
  });

  it("stops at what every line would end in, keeps what is done, and goes on from there", async () => {
    let isDenied = true;
    const machine = await emulate(
      answering((prompt) =>
        isDenied && Number(/\d+$/.exec(prompt)?.[0]) > 10
          ? error("AccessDeniedException", "User: a is not authorized to perform: bedrock:InvokeModel")
          : undefined,
      ),
    );
    writeLines(machine, 40);
    const stopped = await machine.run([...RUN, "-o", "out.jsonl", "--concurrency", "3"]);
    expect(stopped.code).toBe(4);
    expect(stopped.stderr).toContain("10 of 40 lines are done");
    expect(stopped.stderr).toMatch(/go on with: openclaw batch run in\.jsonl .*--resume/);
    const before = asked(machine).length;
    expect(before).toBeLessThan(25);
    isDenied = false;
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", "--resume"]);
    expect(code).toBe(0);
    expect(stderr).toContain("10 of 40 lines are done already");
    expect(asked(machine)).toHaveLength(before + 30);
    expect(readLines(machine)).toHaveLength(40);
  });

  it("asks lines again that a passing cause has failed when it goes on with what has stopped early", async () => {
    let isOut = true;
    let hasFailed = false;
    const machine = await emulate(
      answering((prompt, nth) => {
        if (!isOut) return undefined;
        if (prompt === "prompt 1") {
          hasFailed = nth > 1;
          return error("ModelTimeoutException", "It took too long.");
        }
        return hasFailed
          ? error("ExpiredTokenException", "The security token included in the request is expired")
          : { stream: [{ wait: 50 }, ...textAnswerSteps(["answer"])] };
      }),
    );
    writeLines(machine, 200);
    const env = { AWS_MAX_ATTEMPTS: "1" };
    const args = [...RUN, "--concurrency", "2", "--rpm", "100000", "-o", "out.jsonl"];
    const stopped = await machine.run(args, { env });
    expect(stopped.code, stopped.stderr).toBe(4);
    expect(stopped.stderr).toContain("1 of them failed");
    const [, command = ""] = /go on with: openclaw (batch run .*)\n/.exec(stopped.stderr) ?? [];
    isOut = false;
    const further = await machine.run(command.split(" "));
    expect(further.code, further.stderr).toBe(0);
    expect(readLines(machine).filter((line) => line.text === undefined)).toEqual([]);
  });

  it.each([
    ["--rpm", "4"],
    ["--tpm", "20000"],
  ])("goes on when what was asked before the stop counts no more for %s %s", async (...bound) => {
    let isOut = true;
    const machine = await emulate(
      answering((prompt) =>
        isOut && prompt === "prompt 3"
          ? error("ExpiredTokenException", "The security token included in the request is expired")
          : {
              stream: textAnswerSteps(["answer"], {
                usage: { inputTokens: 4000, outputTokens: 1, totalTokens: 4001 },
              }),
            },
      ),
    );
    writeLines(machine, 6);
    const args = [...RUN, "--concurrency", "1", "--max-tokens", "100", ...bound, "-o", "out.jsonl"];
    expect((await machine.run(args)).code).toBe(4);
    isOut = false;
    const journal = journalOf(path.join(machine.home, "out.jsonl"));
    const minuteAgo = Date.now() / 1000 - 60;
    utimesSync(journal, minuteAgo, minuteAgo);
    const further = await machine.run([...args, "--resume"]);
    expect(further.code, further.stderr).toBe(0);
    expect(further.stderr).toMatch(
      new RegExp(
        `openclaw: lines are asked in [12] s: what was asked just before the stop counts for ${bound.join(" ")}, too\n`,
      ),
    );
    expect(readLines(machine)).toHaveLength(6);
  });

  it("says once that there are no credentials, however many lines are asked", async () => {
    const machine = await emulate();
    writeLines(machine, 5);
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", "-q"], { env });
    expect(code).toBe(4);
    expect(stderr.split("\n").filter((line) => line !== "")).toEqual([
      expect.stringMatching(/^error: No AWS credentials found/),
      expect.stringMatching(/^hint: /),
    ]);
  });

  it.each([
    ["a network that goes", { drop: "reset" }, 5],
    ["a permission that is taken", error("AccessDeniedException", "No."), 4],
    ["credentials that expire", error("ExpiredTokenException", "The security token is expired."), 4],
    ["a service that goes", error("InternalServerException", "No."), 5],
  ] as const)(
    "puts no line down as failed for %s under way",
    async (_, gone, expected) => {
      let isGone = true;
      let calls = 0;
      const machine = await emulate(answering(() => ((calls += 1) > 30 && isGone ? gone : undefined)));
      writeLines(machine, 60);
      const env = { AWS_MAX_ATTEMPTS: "1" };
      const { code } = await machine.run([...RUN, "-o", "out.jsonl", "--concurrency", "12"], { env });
      expect(code).toBe(expected);
      isGone = false;
      const again = await machine.run([...RUN, "-o", "out.jsonl", "--resume"]);
      expect(again.code).toBe(0);
      expect(readLines(machine).map(({ text: said }) => said)).toEqual(
        Array.from({ length: 60 }, (__, index) => `answer to prompt ${index + 1}`),
      );
    },
    60_000,
  );

  it("stops where the network is gone, with nothing put down as failed", async () => {
    const machine = await emulate();
    writeLines(machine, 5);
    const env = { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_MAX_ATTEMPTS: "1" };
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl"], { env });
    expect(code).toBe(5);
    expect(stderr).toContain("--resume");
    expect(existsSync(path.join(machine.home, "out.jsonl"))).toBe(false);
  });

  it("asks throttled lines again until they are answered, however often that is", async () => {
    const machine = await emulate(
      answering((_, nth) =>
        nth <= 1
          ? error("ThrottlingException", "Too many tokens, please wait before trying again.")
          : undefined,
      ),
    );
    writeLines(machine, 3);
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(code).toBe(0);
    expect(readLines(machine).every(({ text: said }) => said?.startsWith("answer to"))).toBe(true);
    expect(stderr).toMatch(/\d+ throttle/);
  }, 60_000);

  it.each([
    [["--overwrite"], 0],
    [[], 2],
    [["--resume"], 2],
    [["--resume", "--overwrite"], 2],
  ])("with %s over a file that is no run's ends with %i", async (flags, expected) => {
    const machine = await emulate(answering());
    writeLines(machine, 2);
    writeFileSync(path.join(machine.home, "out.jsonl"), "mine\n");
    const { code } = await machine.run([...RUN, "-o", "out.jsonl", ...flags]);
    expect(code).toBe(expected);
    const output = readFileSync(path.join(machine.home, "out.jsonl"), "utf8");
    if (expected === 0) expect(linesOf(output)).toHaveLength(2);
    else expect(output).toBe("mine\n");
  });

  it("goes on with nothing where there is nothing yet, or all is done", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 4);
    for (const _ of [1, 2]) {
      const { code } = await machine.run([...RUN, "-o", "out.jsonl", "--resume"]);
      expect(code).toBe(0);
    }
    // What was used is not kept with the results, and is not told as nothing.
    const { stdout, stderr } = await machine.run([...RUN, "-o", "out.jsonl", "--resume", "--json"]);
    expect(stderr).toMatch(/4 lines answered · 4 of them before · [\d.]+ s\n/);
    expect(JSON.parse(stdout)).toMatchObject({ answered: 4, usage: null, cost: null });
    expectSchema("batch-run", JSON.parse(stdout));
    expect(asked(machine)).toHaveLength(4);
    expect(readLines(machine)).toHaveLength(4);
  });

  it.each(["/dev/full", "/dev/null", ".", "new/folder/", "no/such/out.jsonl", "in.jsonl"])(
    "refuses to write to %s before anything is sent",
    async (name) => {
      const machine = await emulate(answering());
      writeLines(machine, 2);
      const { code, stderr } = await machine.run([...RUN, "-o", name, "--overwrite"]);
      expect(code).toBe(2);
      expect(stderr).toContain(name);
      expect(asked(machine)).toEqual([]);
      expect(readFileSync(path.join(machine.home, "in.jsonl"), "utf8")).toContain("prompt 1");
    },
  );
});

describe("a run that was stopped", () => {
  /** A run that stops after some lines, because the rest is not allowed. */
  async function stopped(): Promise<Emulated> {
    const machine = await emulate(
      answering((prompt) =>
        Number(/\d+$/.exec(prompt)?.[0]) > 3 ? error("AccessDeniedException", "No.") : undefined,
      ),
    );
    writeLines(machine, 8);
    const { code } = await machine.run([...RUN, "-o", "out.jsonl", "--concurrency", "1"]);
    expect(code).toBe(4);
    expect(readLines(machine)).toHaveLength(3);
    return machine;
  }

  it.each([
    ["another model", ["batch", "run", "in.jsonl", "-m", "amazon.nova-pro-v1:0"], "model"],
    ["another format", [...RUN, "--format", "openai"], "format"],
    ["another length of answers", [...RUN, "--max-tokens", "7"], "--max-tokens"],
  ])("is not gone on with by %s", async (_, args, what) => {
    const machine = await stopped();
    const { code, stderr } = await machine.run([...args, "-o", "out.jsonl", "--resume"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`its ${what} was`);
    expect(readLines(machine)).toHaveLength(3);
  });

  it("is not gone on with when the lines have changed", async () => {
    const machine = await stopped();
    writeLines(machine, 8, { system: "other" });
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", "--resume"]);
    expect(code).toBe(2);
    expect(stderr).toContain("The run to go on with had other lines: the file has changed since");
  });

  it("is not begun anew by mistake", async () => {
    const machine = await stopped();
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--resume");
    expect(readLines(machine)).toHaveLength(3);
  });
});

describe("the cost of a run", () => {
  it("stays below --max-cost, counting what is on its way, and more is allowed when it goes on", async () => {
    const usage = { inputTokens: 10, outputTokens: 100, totalTokens: 110 };
    const machine = await emulate({
      script: (call) => (isAsked(call) ? { stream: textAnswerSteps(["a"], { usage }) } : undefined),
    });
    writeLines(machine, 50, { maxTokens: 100 });
    // Nova Lite: $0.06 and $0.24 a million, so about $0.0000246 a line, and as much is reserved.
    const args = [...RUN, "-o", "out.jsonl"];
    const { code, stderr } = await machine.run([...args, "--max-cost", "0.0005"]);
    expect(code).toBe(6);
    expect(stderr).toContain("--max-cost");
    const done = readLines(machine).length;
    expect(done).toBeGreaterThan(14);
    expect(done).toBeLessThanOrEqual(20);
    expect(asked(machine)).toHaveLength(done);
    const [, command = "", bound = ""] =
      /go on with: openclaw (batch run .* --max-cost (\S+) .*--resume)\n/.exec(stderr) ?? [];
    expect(Number(bound)).toBeGreaterThanOrEqual(0.001);
    expect(stderr).toContain(`Allow more: --max-cost ${bound}. Or leave --max-cost out.`);
    const further = await machine.run(command.split(" "));
    expect(further.code).toBe(6);
    expect(asked(machine).length).toBeGreaterThan(30);
    const again = await machine.run([...args, "--max-cost", "0.01", "--resume"]);
    expect(again.code).toBe(0);
    expect(asked(machine)).toHaveLength(50);
  });

  it("ends at once where not even the first line is paid for, however many there are", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 2000);
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", "--max-cost", "0"]);
    expect(code).toBe(6);
    expect(stderr).toContain("--max-cost is $0.");
    expect(stderr).toMatch(/Allow more: --max-cost 0\.00\d/);
    expect(asked(machine)).toEqual([]);
    // Nothing is left of it, so the next one needs no flag.
    expect(readdirSync(machine.home).filter((name) => name.startsWith("out"))).toEqual([]);
  });

  it("is not bounded where nobody knows it", async () => {
    const machine = await emulate(answering());
    writeLines(machine, 2);
    const { code, stderr } = await machine.run([
      "batch",
      "run",
      "in.jsonl",
      "-m",
      "meta.llama9-9b-instruct-v9:0",
      "-o",
      "out.jsonl",
      "--max-cost",
      "1",
    ]);
    expect(code).toBe(6);
    expect(stderr).toMatch(/not known|no model/i);
    expect(asked(machine)).toEqual([]);
  });
});

describe("the length of answers", () => {
  const maxTokensOf = ({ body }: RecordedCall): unknown =>
    (body as { inferenceConfig?: { maxTokens?: number } }).inferenceConfig?.maxTokens;

  it("is what the line says, else --max-tokens, else what lines need", async () => {
    const machine = await emulate(answering());
    writeFileSync(
      path.join(machine.home, "in.jsonl"),
      '{"prompt":"a","maxTokens":12}\n{"prompt":"b"}\n{"prompt":"c"}\n',
    );
    await machine.run([...RUN, "-o", "one.jsonl", "--max-tokens", "34", "--concurrency", "1"]);
    await machine.run([...RUN, "-o", "two.jsonl", "--concurrency", "1"]);
    expect(machine.emulator.calls.filter(isAsked).map(maxTokensOf)).toEqual([12, 34, 34, 12, 4096, 4096]);
  });

  it("is asked for again with all that the model can where it was cut by what was chosen", async () => {
    const machine = await emulate({
      script: (call) =>
        isAsked(call)
          ? {
              stream: textAnswerSteps(["a"], {
                stopReason: maxTokensOf(call) === 4096 ? "max_tokens" : "end_turn",
              }),
            }
          : undefined,
    });
    writeLines(machine, 1);
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(code).toBe(0);
    expect(machine.emulator.calls.filter(isAsked).map(maxTokensOf)).toEqual([4096, 10_000]);
    expect(stderr).toContain("asked again with more tokens");
  });

  it("is not where the person has named it: the answer counts, and is told as cut", async () => {
    const machine = await emulate({
      script: (call) =>
        isAsked(call) ? { stream: textAnswerSteps(["a"], { stopReason: "max_tokens" }) } : undefined,
    });
    writeLines(machine, 2);
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", "--max-tokens", "5"]);
    expect(code).toBe(0);
    expect(asked(machine)).toHaveLength(2);
    expect(stderr).toContain("2 cut at maxTokens");
  });
});

describe("a line that takes more than the whole quota", () => {
  it.each([
    [
      ["--tpm", "1"],
      2,
      "Line 1 and 2 more of 'in.jsonl' take more tokens than --tpm 1 allows",
      /--tpm 4\d{3}$/m,
    ],
    [
      ["--tpm", "3000"],
      2,
      "Line 1 and 2 more of 'in.jsonl' take",
      /Ask for shorter answers: --max-tokens 29\d\d$/m,
    ],
    [
      ["--max-tokens", "99999999"],
      2,
      `--max-tokens 99999999 is more than an answer of '${MODEL}' may have: 10000.`,
      /hint: --max-tokens 10000$/m,
    ],
  ])("is refused before anything is sent, with the flag: %s", async (flags, expected, message, hint) => {
    const machine = await emulate(answering());
    writeLines(machine, 3);
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", ...flags]);
    expect(code).toBe(expected);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(hint);
    expect(asked(machine)).toEqual([]);
    expect(readdirSync(machine.home).filter((name) => name.startsWith("out"))).toEqual([]);
  });

  it("is the only one that is named", async () => {
    const machine = await emulate(answering());
    const lines = [10, 6000, 10].map((maxTokens) => JSON.stringify({ prompt: "a", maxTokens }));
    writeFileSync(path.join(machine.home, "in.jsonl"), `\n${lines.join("\n")}\n`);
    const { code, stderr, stdout } = await machine.run([
      ...RUN,
      "-o",
      "out.jsonl",
      "--tpm",
      "5000",
      "--json",
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^line 3: It takes 6001 tokens of the quota: 1 of its own, and the 6000 that its answer may have\.$/m,
    );
    expect(stderr).toContain("Line 3 of 'in.jsonl' takes more tokens than --tpm 5000 allows");
    expect(stderr).toContain("hint: Allow more in a minute: --tpm 6001");
    expect(JSON.parse(stdout)).toMatchObject({
      error: { details: { problemCount: 1, problems: [{ line: 3 }] } },
    });
    expect(asked(machine)).toEqual([]);
  });

  it("is none that has a file in a body of its model's own, which takes as much as one does", async () => {
    const machine = await emulate();
    const line = { recordId: "a", modelInput: { inputText: "A".repeat(20_000) } };
    writeFileSync(path.join(machine.home, "in.jsonl"), `${JSON.stringify(line)}\n`);
    const titan = ["-m", "amazon.titan-embed-text-v2:0"];
    const run = ["batch", "run", "in.jsonl", ...titan, "--tpm"];
    const { code, stderr } = await machine.run([...run, "4000"]);
    expect(stderr).not.toContain("more tokens than");
    expect(code).toBe(0);
    expect((await machine.run([...run, "1000"])).stderr).toContain(
      "line 1: It takes 1600 tokens of the quota: 1600 of its own, and the 0 that its answer may have.",
    );
  });

  it("is refused for a quota that AWS tells, too, unless it has its answer", async () => {
    const quotas = { "On-demand model inference tokens per minute for Amazon Nova Lite": 5000 };
    const machine = await emulate({ ...answering(), quotas });
    writeLines(machine, 2, { maxTokens: 6000 });
    const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl"]);
    expect(code).toBe(6);
    expect(stderr).toContain(
      `take more tokens than the 5000 that '${MODEL}' has in a minute, so nothing was sent.`,
    );
    expect(stderr).toContain("openclaw quota");
    expect(asked(machine)).toEqual([]);
    const wide = await machine.run([...RUN, "-o", "out.jsonl", "--tpm", "100000"]);
    expect(wide.code).toBe(0);
    const again = await machine.run([...RUN, "-o", "out.jsonl", "--resume"]);
    expect(again.code).toBe(0);
  });
});

describe("a signal", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s ends it at once, and it can go on", async (signal, expected) => {
    const { emulator, asked: first, finish } = heldAnswer();
    const machine = await emulate(emulator);
    writeLines(machine, 3);
    const child = machine.start([...RUN, "-o", "out.jsonl"]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    await first;
    const startedAt = performance.now();
    const closed = once(child, "close");
    child.kill(signal);
    const [code] = (await closed) as [number];
    expect(code).toBe(expected);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(stderr).toMatch(
      /[1-3] answers? (was|were) on the way[^]*go on with: openclaw batch run .*--resume\n[^]*0 of 3 lines are done/,
    );
    expect(stderr.split("go on with")).toHaveLength(2);
    finish();
    const again = await machine.run([...RUN, "-o", "out.jsonl", "--resume"]);
    expect(again.code).toBe(0);
    expect(readLines(machine)).toHaveLength(3);
  });
});

describe("two runs at once", () => {
  it("do not write to one file: the second is refused", async () => {
    const { emulator, asked: first, finish } = heldAnswer();
    const machine = await emulate(emulator);
    writeLines(machine, 2);
    const child = machine.start([...RUN, "-o", "out.jsonl"]);
    await first;
    for (const flags of [[], ["--resume"], ["--overwrite"]]) {
      const { code, stderr } = await machine.run([...RUN, "-o", "out.jsonl", ...flags]);
      expect(code).toBe(2);
      expect(stderr).toContain(`process ${child.pid}`);
    }
    finish();
    expect(await once(child, "close")).toEqual([0, null]);
    expect(readLines(machine)).toHaveLength(2);
  });
});
