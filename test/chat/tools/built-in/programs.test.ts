import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { builtInTool } from "../../../../src/chat/tools/built-in/built-in-tools.ts";
import { demandFor, judgeLeave, type LeaveRules } from "../../../../src/chat/tools/leave.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { needBotocore } from "../../../helpers/botocore.ts";
import { emulate } from "../../../helpers/emulated.ts";
import { isRunning } from "../../../helpers/is-running.ts";
import { testRuntime } from "../../../helpers/test-runtime.ts";

const PATH = process.env["PATH"] ?? "";
const nobody: LeaveRules = { allowed: [], canAsk: false, always: new Map(), seen: new Map() };

function ownHome(): string {
  const home = mkdtempSync(path.join(tmpdir(), "programs-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  return home;
}

interface Setting {
  env?: Record<string, string>;
  home?: string;
  signal?: AbortSignal;
  options?: { profile?: string; region?: string };
}

async function call(name: string, input: JsonObject, { env, home, signal, options }: Setting = {}) {
  const runtime = testRuntime({ home: home ?? ownHome(), env: { PATH, ...env } });
  const tool = await builtInTool(name, undefined, runtime, options);
  const { content, isError } = await tool.run(input, signal ?? new AbortController().signal);
  return { text: content.map(({ text }) => text).join("\n---\n"), isError };
}

describe("shell", () => {
  test.each([
    ["echo one; echo two", { text: "one\ntwo", isError: false }],
    ["echo out; echo err >&2", { text: "out\n---\nstderr:\nerr", isError: false }],
    ["true", { text: "(nothing)", isError: false }],
    [
      "echo out; echo err >&2; exit 3",
      { isError: true, text: expect.stringMatching(/exit code 3[^]*err[^]*out/) },
    ],
    ["cat; echo end", { text: "end", isError: false }],
    ["(exec </dev/tty) 2>/dev/null || echo no terminal", { text: "no terminal", isError: false }],
    ["no-such-program-at-all", { isError: true, text: expect.stringContaining("exit code 127") }],
    ["a\0b", { isError: true, text: expect.stringContaining("zero byte") }],
  ])("runs %s", async (command, result) => {
    expect(await call("shell", { command })).toMatchObject(result);
  });

  test("runs in the current folder, in the person's shell, without what AWS and openclaw have", async () => {
    const home = ownHome();
    const shell = path.join(home, "shell");
    writeFileSync(shell, '#!/bin/sh\necho "as a shell: $1"\nshift\npwd\neval "$1"\n', { mode: 0o755 });
    const env = {
      SHELL: shell,
      AWS_SECRET_ACCESS_KEY: "s3cret",
      OPENCLAW_SERVE_API_KEY: "k3y",
      OTHER: "here",
    };
    const { text } = await call("shell", { command: "env" }, { home, env });
    expect(text).toContain(`as a shell: -c\n${home}\n`);
    expect(text).toContain("OTHER=here");
    expect(text).not.toMatch(/s3cret|k3y|AWS_|OPENCLAW_/);
  });

  test("ends what takes too long, with what it has started", async () => {
    const home = ownHome();
    const file = path.join(home, "pid");
    const command = `sleep 100 & echo $! > ${file}; echo begun; wait`;
    const result = await call("shell", { command, timeoutSeconds: 1 }, { home });
    expect(result).toMatchObject({ isError: true, text: expect.stringMatching(/within 1 s[^]*begun/) });
    expect(isRunning(Number(await readFile(file, "utf8")))).toBe(false);
  });

  test("ends on a signal, with what it has started", async () => {
    const home = ownHome();
    const file = path.join(home, "pid");
    const reason = new Error("enough");
    const stop = new AbortController();
    const command = `sleep 100 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`;
    const running = call("shell", { command }, { home, signal: stop.signal });
    const processId = await vi.waitFor(async () => Number(await readFile(file, "utf8")), { timeout: 10_000 });
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(isRunning(processId)).toBe(false);
  });

  test("is shown whole, and asked about each time, whatever is allowed", async () => {
    const tool = await builtInTool("shell", undefined, testRuntime({ home: "/" }));
    const command = `echo ${"x".repeat(5000)}\n\u001b[2J; rm -r .`;
    expect(tool.describe?.({ command })).toBe(command);
    expect(judgeLeave(tool, { command }, { ...nobody, allowed: ["*"], canAsk: true })).toMatchObject({
      kind: "ask",
      offersAlways: false,
    });
    expect(judgeLeave(tool, { command }, { ...nobody, allowed: ["*"] })).toMatchObject({ kind: "refuse" });
    expect(judgeLeave(tool, { command }, { ...nobody, allowed: ["shell"] })).toEqual({ kind: "run" });
  });
});

describe("aws", () => {
  /** Puts a program in the place of the AWS CLI, which tells what it was started with. */
  async function withAws(script: string): Promise<{ home: string; env: Record<string, string> }> {
    const home = ownHome();
    await mkdir(path.join(home, "bin"));
    await writeFile(path.join(home, "bin/aws"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { home, env: { PATH: `${path.join(home, "bin")}:${PATH}` } };
  }

  test("gets its arguments as they are, with the person's profile and region before them", async () => {
    const place = await withAws(`for arg; do printf '<%s>\\n' "$arg"; done`);
    const args = ["ec2", "describe-instances", "--query", "$(id) `id`; * 'x'", ""];
    const options = { profile: "work", region: "eu-west-1" };
    expect(await call("aws", { args }, { ...place, options })).toEqual({
      text: ["--profile", "work", "--region", "eu-west-1", ...args].map((arg) => `<${arg}>`).join("\n"),
      isError: false,
    });
    expect((await call("aws", { args: ["aws", "s3", "ls"] }, place)).text).toBe("<s3>\n<ls>");
  });

  test("has what AWS has of the environment, and no pager", async () => {
    const place = await withAws("env");
    const { text } = await call(
      "aws",
      { args: ["s3", "ls"] },
      {
        ...place,
        env: {
          ...place.env,
          AWS_SECRET_ACCESS_KEY: "s3cret",
          AWS_REGION: "eu-west-1",
          OPENCLAW_X: "y",
          AWS_PAGER: "less",
        },
      },
    );
    const lines = text.split("\n");
    for (const line of [
      "AWS_SECRET_ACCESS_KEY=s3cret",
      "AWS_REGION=eu-west-1",
      "AWS_DEFAULT_REGION=eu-west-1",
      "AWS_PAGER=",
      "AWS_CLI_AUTO_PROMPT=off",
      "PAGER=cat",
    ])
      expect(lines).toContain(line);
    expect(text).not.toContain("OPENCLAW_X");
  });

  test("says how it failed", async () => {
    const place = await withAws("echo An error occurred >&2; exit 254");
    expect(await call("aws", { args: ["s3", "ls"] }, place)).toEqual({
      text: "aws ended with exit code 254.\n\nstderr:\nAn error occurred",
      isError: true,
    });
    const none = await call("aws", { args: ["s3", "ls"] }, { env: { PATH: "/nothing" } });
    expect(none).toEqual({
      text: "aws is not found on PATH. The AWS CLI is not installed here: https://aws.amazon.com/cli/",
      isError: true,
    });
  });

  test("gives the pages of help without what is for printers", async () => {
    const place = await withAws(`printf 'N\\bNA\\bAM\\bM _\\ba _\\bb\\nend'`);
    expect((await call("aws", { args: ["help"] }, place)).text).toBe("NAM a b\nend");
  });

  test("is the CLI that is here, as it speaks with AWS", async (context) => {
    needBotocore(context);
    const { env: keys, routes } = await emulate();
    const env = { ...keys, AWS_REGION: "us-east-1", HOME: ownHome() };
    const args = ["bedrock", "list-foundation-models", "--query", "length(modelSummaries)"];
    const { text, isError } = await call("aws", { args }, { env });
    expect({ text, isError }).toMatchObject({ isError: false, text: expect.stringMatching(/^\d+$/) });
    expect(routes()).toEqual(["ListFoundationModels"]);
  });

  test.each([
    [{ args: ["ec2", "describe-instances"] }, { name: "aws", isExact: false, isAsked: true }],
    [{ args: ["aws", "ec2", "describe-instances"] }, { name: "aws" }],
    [{ args: ["ec2", "run-instances"] }, { name: "aws:write", isExact: true, isAsked: false }],
    [
      { args: ["ec2", "describe-instances", "--profile", "x"] },
      { because: "acts as somebody else with --profile" },
    ],
    [{ args: ["aws"] }, { name: "aws:write" }],
    [{ args: "s3 ls" }, { name: "aws" }],
    [{ args: [3] }, { name: "aws" }],
    [{}, { name: "aws" }],
  ])("%o needs the leave %o", async (input, demand) => {
    const place = await withAws("echo ran");
    const tool = await builtInTool("aws", undefined, testRuntime({ ...place }));
    expect(demandFor(tool, input)).toMatchObject(demand);
  });

  test.each([[{ args: "s3 ls" }], [{ args: [3] }], [{}], [{ args: [] }]])(
    "%o does nothing",
    async (input) => {
      const place = await withAws("echo ran");
      expect(await call("aws", input, place)).toEqual({
        text: "'args' has to be a list of texts.",
        isError: true,
      });
    },
  );

  test("is shown as it would be pasted", async () => {
    const tool = await builtInTool("aws", undefined, testRuntime({ home: "/" }));
    expect(tool.describe?.({ args: ["s3", "ls", "s3://a b"] })).toBe("aws s3 ls 's3://a b'");
  });
});
