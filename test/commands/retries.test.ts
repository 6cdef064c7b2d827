import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/script.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const MODEL = "amazon.nova-lite-v1:0";
const start: StreamStep = { event: "messageStart", payload: { role: "assistant" } };

const BUSY: ScriptedAnswer = {
  error: { name: "ThrottlingException", message: "Too many requests, please wait before trying again." },
};
const DOWN: ScriptedAnswer = {
  error: { name: "ServiceUnavailableException", message: "Bedrock is unable to process your request." },
};
const BUSY_INSIDE: ScriptedAnswer = {
  stream: [start, { exception: "throttlingException", payload: { message: "Too many requests." } }],
};
const DOWN_INSIDE: ScriptedAnswer = {
  stream: [start, { exception: "serviceUnavailableException", payload: { message: "Unable." } }],
};
const LOST: ScriptedAnswer = { drop: "reset" };
const GOOD = (): ScriptedAnswer => ({ stream: textAnswerSteps(["Hello", " there"]) });

/** A service whose nth call of the model, or of the list, is answered with the nth of these, and then well. */
function failing(...answers: ScriptedAnswer[]): Promise<Emulated> {
  return emulate({
    script: ({ route, nth }) => {
      if (route !== "ConverseStream" && route !== "ListFoundationModels") return undefined;
      return answers[nth - 1] ?? (route === "ConverseStream" ? GOOD() : undefined);
    },
  });
}

const calls = (user: Emulated, route = "ConverseStream"): number =>
  user.routes().filter((called) => called === route).length;
const notices = (stderr: string): string[] => stderr.split("\n").filter((line) => line.includes("next try"));

describe("before the first token", () => {
  it.each<[string, ScriptedAnswer[], string[]]>([
    ["throttled", [BUSY], ["is throttling (ThrottlingException): next try within 1 s"]],
    ["unavailable", [DOWN], ["is not available (ServiceUnavailableException): next try at once"]],
    [
      "throttled inside the stream",
      [BUSY_INSIDE],
      ["is throttling (throttlingException): next try within 1 s"],
    ],
    [
      "unavailable inside the stream",
      [DOWN_INSIDE],
      ["is not available (serviceUnavailableException): next try at once"],
    ],
    ["closed without an answer", [LOST], ["gave no answer (ECONNRESET): next try at once"]],
    [
      "broken off before it says anything",
      [{ stream: [start, { end: "reset" }] }],
      ["gave no answer (ECONNRESET): next try at once"],
    ],
    [
      "one after the other",
      [DOWN, BUSY_INSIDE],
      [
        "is not available (ServiceUnavailableException): next try at once",
        "is throttling (throttlingException): next try within 2 s",
      ],
    ],
  ])("it is tried again when it is %s, and counted as the server counts", async (_, answers, told) => {
    const user = await failing(...answers);
    const { code, stdout, stderr } = await user.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ text: "Hello there", attempts: answers.length + 1 });
    expect(calls(user)).toBe(answers.length + 1);
    expect(notices(stderr)).toEqual(
      told.map((words, index) => `openclaw: Bedrock ${words} (${index + 2} of 3)`),
    );
  });

  it("all failures share the attempts that there are", async () => {
    const user = await failing(BUSY_INSIDE, DOWN, BUSY_INSIDE, BUSY_INSIDE);
    const { code, stdout } = await user.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(code).toBe(5);
    expect(JSON.parse(stdout).error.code).toBe("throttled");
    expect(calls(user)).toBe(3);
  });

  it("text is printed once, in lines of JSON too", async () => {
    const user = await failing(BUSY_INSIDE, DOWN_INSIDE);
    const { stdout } = await user.run(["chat", "-m", MODEL, "--ndjson", "hi"]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).toEqual(["start", "text", "text", "stop", "usage"]);
    expect(events[0].attempts).toBe(3);
  });

  it("a call with credentials that had expired counts, too", async () => {
    const expired: ScriptedAnswer = {
      error: {
        name: "ExpiredTokenException",
        message: "The security token included in the request is expired",
      },
    };
    const user = await failing(expired);
    // Each time it is asked it has other keys.
    const keys = `{"Version":1,"AccessKeyId":"AKIA%s","SecretAccessKey":"s","Expiration":"2099-01-01T00:00:00Z"}`;
    const program = path.join(user.home, "keys.sh");
    writeFileSync(
      program,
      `#!/bin/sh\necho x >> "$0.count"\nprintf '${keys}' "$(wc -l < "$0.count" | tr -d ' ')"\n`,
    );
    chmodSync(program, 0o755);
    writeSharedFiles(user.home, { config: `[profile dev]\ncredential_process = ${program}\n` });
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: "dev" };
    const { stdout } = await user.run(["chat", "-m", MODEL, "--json", "hi"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ text: "Hello there", attempts: 2 });
    expect(user.emulator.calls.map(({ accessKeyId }) => accessKeyId)).toEqual(["AKIA1", "AKIA2"]);
  });
});

describe("how often is decided by", () => {
  it.each([
    ["AWS_MAX_ATTEMPTS=1", { AWS_MAX_ATTEMPTS: "1" }, 1],
    ["AWS_MAX_ATTEMPTS=4", { AWS_MAX_ATTEMPTS: "4" }, 4],
    ["AWS_RETRY_MODE=adaptive", { AWS_RETRY_MODE: "adaptive", AWS_MAX_ATTEMPTS: "2" }, 2],
  ])("%s", async (_, env, expected) => {
    const user = await failing(DOWN, DOWN, DOWN, DOWN, DOWN);
    const { code, stderr } = await user.run(["chat", "-m", MODEL, "hi"], { env });
    expect(code).toBe(5);
    expect(calls(user)).toBe(expected);
    expect(notices(stderr)).toHaveLength(expected - 1);
  });

  it("max_attempts of the profile", async () => {
    const user = await failing(DOWN, DOWN, DOWN, DOWN);
    writeSharedFiles(user.home, { config: "[profile dev]\nmax_attempts = 2\n" });
    await user.run(["chat", "-m", MODEL, "hi"], { env: { AWS_PROFILE: "dev" } });
    expect(calls(user)).toBe(2);
  });

  it.each([{ AWS_MAX_ATTEMPTS: "none" }, { AWS_RETRY_MODE: "never" }])(
    "no value that is none: %j",
    async (env) => {
      const user = await failing();
      for (const args of [
        ["chat", "-m", MODEL, "hi"],
        ["models", "list"],
      ]) {
        const { code, stdout, stderr } = await user.run(args, { env });
        expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
        expect(stderr).toMatch(/^error: AWS_\w+ '(none|never)' is no .*\nhint: /);
      }
      expect(user.emulator.calls).toEqual([]);
    },
  );
});

describe("not tried again", () => {
  it.each<[string, ScriptedAnswer]>([
    [
      "the quota of the day",
      { error: { name: "ThrottlingException", message: "Too many tokens per day, please wait." } },
    ],
    [
      "a quota of the account",
      {
        error: { name: "ServiceQuotaExceededException", message: "Your request exceeds the service quota." },
      },
    ],
    [
      "the quota of the day, inside the stream",
      {
        stream: [
          start,
          { exception: "throttlingException", payload: { message: "Too many tokens per day." } },
        ],
      },
    ],
  ])("%s", async (_, answer) => {
    const user = await failing(answer, answer, answer);
    const { code, stdout } = await user.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(code).toBe(5);
    expect(JSON.parse(stdout).error.code).toBe("quota-exceeded");
    expect(calls(user)).toBe(1);
  });
});

describe("Retry-After", () => {
  const asking = (seconds: number): ScriptedAnswer => ({
    error: {
      name: "ServiceUnavailableException",
      message: "Bedrock is unable to process your request.",
      headers: { "retry-after": String(seconds) },
    },
  });

  it("is waited for", async () => {
    const user = await failing(asking(1));
    const started = performance.now();
    const { code } = await user.run(["chat", "-m", MODEL, "hi"]);
    expect(code).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(1000);
  });

  it("of minutes is not, nor is the service asked again before", async () => {
    const user = await failing(asking(600));
    const { code } = await user.run(["models", "list"]);
    expect(code).toBe(5);
    expect(calls(user, "ListFoundationModels")).toBe(1);
  });
});

it("lists are tried again, too, with one notice for calls that run side by side", async () => {
  const user = await failing(DOWN, BUSY);
  const { code, stderr } = await user.run(["models", "list"]);
  expect(code).toBe(0);
  expect(calls(user, "ListFoundationModels")).toBe(3);
  expect(notices(stderr)).toEqual([
    "openclaw: Bedrock is not available (ServiceUnavailableException): next try at once (2 of 3)",
    "openclaw: Bedrock is throttling (ThrottlingException): next try within 2 s (3 of 3)",
  ]);
});
