import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const MODEL = "amazon.nova-lite-v1:0";

function delta(text: string): StreamStep {
  return { event: "contentBlockDelta", payload: { contentBlockIndex: 0, delta: { text } } };
}

const start: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const metadata: StreamStep = {
  event: "metadata",
  payload: { usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 }, metrics: { latencyMs: 5 } },
};

function stop(stopReason: string): StreamStep {
  return { event: "messageStop", payload: { stopReason } };
}

/** An emulator that answers every chat with these steps. */
function answering(...stream: StreamStep[]): Promise<Emulated> {
  return emulate({ script: ({ route }) => (route === "ConverseStream" ? { stream } : undefined) });
}

function failing(answer: ScriptedAnswer): Promise<Emulated> {
  return emulate({ script: ({ route }) => (route === "ConverseStream" ? answer : undefined) });
}

function awsError(name: string, message: string, status: number): ScriptedAnswer {
  return { error: { name, message, status } };
}

async function bodyOf(emulated: Emulated, args: string[], input?: string) {
  const result = await emulated.run(["chat", "-m", MODEL, ...args], input === undefined ? {} : { input });
  expect(result.stderr).toBe("");
  expect(result.code).toBe(0);
  return emulated.emulator.calls.find(({ route }) => route === "ConverseStream")?.body;
}

const once = { AWS_MAX_ATTEMPTS: "1" };

describe("the request", () => {
  it("holds the prompt and nothing that was not asked for", async () => {
    expect(await bodyOf(await emulate(), ["Hello", "there"])).toEqual({
      messages: [{ role: "user", content: [{ text: "Hello there" }] }],
    });
  });

  it.each<[string, string[], object]>([
    ["--system", ["-s", "Be brief."], { system: [{ text: "Be brief." }] }],
    ["--max-tokens", ["--max-tokens", "700"], { inferenceConfig: { maxTokens: 700 } }],
    ["--temperature", ["--temperature", "0"], { inferenceConfig: { temperature: 0 } }],
    ["--top-p", ["--top-p", "0.9"], { inferenceConfig: { topP: 0.9 } }],
    ["--stop, twice", ["--stop", "A", "--stop", "B"], { inferenceConfig: { stopSequences: ["A", "B"] } }],
  ])("holds %s where Converse wants it", async (_, args, expected) => {
    expect(await bodyOf(await emulate(), [...args, "hi"])).toEqual({
      messages: [{ role: "user", content: [{ text: "hi" }] }],
      ...expected,
    });
  });

  it("puts piped text before the arguments, separated by a blank line", async () => {
    expect(await bodyOf(await emulate(), ["Summarize."], "first line\nsecond line\n")).toMatchObject({
      messages: [{ content: [{ text: "first line\nsecond line\n\nSummarize." }] }],
    });
  });

  it("takes only stdin for the prompt -", async () => {
    expect(await bodyOf(await emulate(), ["-"], "from stdin\n")).toMatchObject({
      messages: [{ content: [{ text: "from stdin" }] }],
    });
  });

  it("reads the system prompt from a file", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "system.txt"), "Ünïcode rules.");
    expect(await bodyOf(emulated, ["--system-file", "system.txt", "hi"])).toMatchObject({
      system: [{ text: "Ünïcode rules." }],
    });
  });

  it("takes model and parameters from the config, the model's own before the general ones, flags before both", async () => {
    const emulated = await emulate();
    emulated.configure(`{ agents: { defaults: {
      model: "lite",
      params: { temperature: 0.1, maxTokens: 100 },
      models: { "amazon-bedrock/${MODEL}": { alias: "lite", params: { temperature: 0.2 } } },
    } } }`);
    await emulated.run(["chat", "--max-tokens", "50", "hi"]);
    const [call] = emulated.emulator.calls;
    expect(call?.parameters["modelId"]).toBe(MODEL);
    expect(call?.body).toMatchObject({ inferenceConfig: { temperature: 0.2, maxTokens: 50 } });
  });

  it.each([MODEL, `amazon-bedrock/${MODEL}`, `arn:aws:bedrock:us-east-1::foundation-model/${MODEL}`])(
    "calls the model named %s",
    async (model) => {
      const emulated = await emulate();
      const result = await emulated.run(["chat", "-m", model, "hi"]);
      expect(result.code).toBe(0);
      expect(emulated.emulator.calls[0]?.parameters["modelId"]).toContain(MODEL);
    },
  );

  it("goes to the ARN's region, and refuses a --region that contradicts it", async () => {
    const emulated = await emulate();
    const arn = `arn:aws:bedrock:eu-west-1::foundation-model/${MODEL}`;
    await emulated.run(["chat", "-m", arn, "hi"], { env: { AWS_REGION: "us-west-2" } });
    expect(emulated.emulator.calls[0]?.region).toBe("eu-west-1");
    const refused = await emulated.run(["chat", "-m", arn, "--region", "us-west-2", "hi"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("eu-west-1");
    expect(emulated.emulator.calls).toHaveLength(1);
  });

  it("signs with the bearer token when one is set, whatever else is", async () => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", MODEL, "hi"], {
      env: { AWS_BEARER_TOKEN_BEDROCK: emulated.emulator.bearerToken, AWS_PROFILE: "other" },
    });
    expect(result.code).toBe(0);
    expect(emulated.emulator.calls[0]).toMatchObject({
      bearerToken: emulated.emulator.bearerToken,
      accessKeyId: undefined,
    });
  });
});

describe("the answer", () => {
  it("ends with exactly one newline, however many the model sends", async () => {
    const emulated = await answering(
      start,
      delta("\n\nHello"),
      delta("\n"),
      delta("\nworld\n\n"),
      delta("\n"),
      stop("end_turn"),
      metadata,
    );
    const { stdout, code, stderr } = await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect({ stdout, code, stderr }).toEqual({ stdout: "\n\nHello\n\nworld\n", code: 0, stderr: "" });
  });

  it("keeps every character, those that span two deltas' bytes too", async () => {
    const text = "naïve 日本語 🦞 \u001B[31m zero\u0000byte";
    const emulated = await answering(start, ...[...text].map(delta), stop("end_turn"), metadata);
    const { stdout } = await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect(stdout).toBe(`${text}\n`);
  });

  it("shows the first of 30 deltas 100 ms apart within 300 ms of its being sent, in a pipe too", async () => {
    let sentAt = 0;
    async function* slowly(): AsyncGenerator<StreamStep> {
      yield start;
      sentAt = performance.now();
      for (let index = 0; index < 30; index++) {
        yield delta(`${index} `);
        yield { wait: 100 };
      }
      yield stop("end_turn");
    }
    const emulated = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? { stream: slowly() } : undefined),
    });
    const child = emulated.start(["chat", "-m", MODEL, "count"]);
    const arrivals: number[] = [];
    const chunks: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      arrivals.push(performance.now() - sentAt);
      chunks.push(chunk.toString());
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(arrivals[0]).toBeLessThan(300);
    // One after the other, not all at the end.
    expect(arrivals.length).toBeGreaterThan(15);
    expect(chunks.join("")).toBe(`${Array.from({ length: 30 }, (_, index) => `${index} `).join("")}\n`);
  });

  it("--json prints one document with text, usage, cost and timings", async () => {
    const emulated = await answering(start, delta("Hello"), delta(" world\n"), stop("end_turn"), metadata);
    const { stdout, stderr } = await emulated.run(["chat", "-m", MODEL, "--json", "hi"]);
    const document = JSON.parse(stdout);
    expectSchema("chat", document);
    expect(document).toMatchObject({
      model: MODEL,
      region: "us-east-1",
      text: "Hello world\n",
      stopReason: "end_turn",
      usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 },
      cost: { usd: 0.0000054, source: "catalog" },
      attempts: 1,
      requestId: emulated.emulator.calls[0]?.requestId,
    });
    expect(stderr).toBe("");
  });

  it("--ndjson prints one event a line, the last one usage", async () => {
    const reasoning: StreamStep = {
      event: "contentBlockDelta",
      payload: { contentBlockIndex: 0, delta: { reasoningContent: { text: "Hm." } } },
    };
    const emulated = await answering(start, reasoning, delta("Yes"), stop("end_turn"), metadata);
    const { stdout } = await emulated.run(["chat", "-m", MODEL, "--ndjson", "hi"]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const event of events) expectSchema("chat-event", event);
    expect(events.map(({ type }) => type)).toEqual(["start", "reasoning", "text", "stop", "usage"]);
    expect(events.at(-1)).toMatchObject({ inputTokens: 10, outputTokens: 20 });
  });

  it("keeps reasoning off stdout, and shows it on stderr only when asked", async () => {
    const reasoning: StreamStep = {
      event: "contentBlockDelta",
      payload: { contentBlockIndex: 0, delta: { reasoningContent: { text: "Let me think." } } },
    };
    const emulated = await answering(start, reasoning, delta("42"), stop("end_turn"), metadata);
    expect(await emulated.run(["chat", "-m", MODEL, "hi"])).toMatchObject({ stdout: "42\n", stderr: "" });
    const shown = await emulated.run(["chat", "-m", MODEL, "--show-reasoning", "hi"]);
    expect(shown).toMatchObject({ stdout: "42\n", stderr: "Let me think.\n\n" });
  });

  it("--no-stream prints the same text, and --usage a line on stderr", async () => {
    const emulated = await answering(start, delta("Hello"), delta(" world"), stop("end_turn"), metadata);
    const { stdout, stderr } = await emulated.run(["chat", "-m", MODEL, "--no-stream", "--usage", "hi"]);
    expect(stdout).toBe("Hello world\n");
    expect(stderr).toMatch(
      /^10 tokens in, 20 out · \$0\.0000054 \(catalog price, estimate\) · first token after .* s\n$/,
    );
  });

  it.each(["max_tokens", "model_context_window_exceeded"])(
    "ends in 0 with a notice when it stops by %s",
    async (reason) => {
      const emulated = await answering(start, delta("Cut"), stop(reason), metadata);
      const { code, stdout, stderr } = await emulated.run(["chat", "-m", MODEL, "hi"]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "Cut\n" });
      expect(stderr).toMatch(/^warning: The answer stops/);
    },
  );

  it("skips events it does not know and fields it does not expect", async () => {
    const emulated = await answering(
      start,
      { event: "somethingNew", payload: { p: "abc" } },
      {
        event: "contentBlockDelta",
        payload: { contentBlockIndex: 0, delta: { text: "Hi" }, p: "abcdef", extra: [1] },
      },
      { event: "contentBlockDelta", payload: { contentBlockIndex: 1, delta: { somethingElse: { x: 1 } } } },
      stop("end_turn"),
      metadata,
    );
    expect(await emulated.run(["chat", "-m", MODEL, "hi"])).toMatchObject({
      code: 0,
      stdout: "Hi\n",
      stderr: "",
    });
  });
});

describe("a failed chat exits non-zero, with the error on stderr and the text that came on stdout", () => {
  const broken: [string, StreamStep[]][] = [
    ["ends without messageStop", [start, delta("Half")]],
    ["is closed in the middle", [start, delta("Half"), { end: "close" }]],
    ["is reset in the middle", [start, delta("Half"), { end: "reset" }]],
    [
      "breaks off inside a frame",
      [start, delta("Half"), { bytes: Buffer.from([0, 0, 0, 80, 0, 0]) }, { end: "close" }],
    ],
    [
      "has a frame with a wrong checksum",
      [start, delta("Half"), { bytes: corruptFrame() }, stop("end_turn")],
    ],
  ];
  it.each(broken)("when the stream %s: stream-broken", async (_, stream) => {
    const emulated = await answering(...stream);
    const result = await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect(result.stdout).toBe("Half\n");
    expect(result.stderr).toMatch(/^error: /);
    expect(result.code).toBe(5);
    const json = await emulated.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: "stream-broken", exitCode: 5, partialText: "Half" },
    });
    expectSchema("error", JSON.parse(json.stdout));
    const ndjson = await emulated.run(["chat", "-m", MODEL, "--ndjson", "hi"]);
    const last = JSON.parse(ndjson.stdout.trimEnd().split("\n").at(-1) ?? "");
    expectSchema("chat-event", last);
    expect(last).toMatchObject({ type: "error", code: "stream-broken" });
  });

  it("when a frame claims to be larger than any frame is: bad-response, without waiting for its bytes", async () => {
    const prelude = Buffer.alloc(12);
    prelude.writeUInt32BE(0x7f_ff_ff_ff, 0);
    const emulated = await answering(start, delta("Half"), { bytes: prelude }, { end: "stall" });
    const result = await emulated.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "bad-response", partialText: "Half" } });
    expect(result.code).toBe(5);
  });

  it.each([
    ["internalServerException", "service-unavailable", 5],
    ["modelStreamErrorException", "model-error", 5],
    ["throttlingException", "throttled", 5],
    ["serviceUnavailableException", "service-unavailable", 5],
    ["validationException", "invalid-request", 6],
  ])("when %s comes inside the stream: %s", async (exception, code, exitCode) => {
    const emulated = await answering(start, delta("Half"), {
      exception,
      payload: { message: "It went wrong." },
    });
    const result = await emulated.run(["chat", "-m", MODEL, "--json", "hi"], { env: once });
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code, exitCode, partialText: "Half" } });
    expect(result.code).toBe(exitCode);
    expect(emulated.routes()).toEqual(["ConverseStream"]);
  });

  it("when the content filter stops it inside the stream: blocked", async () => {
    const emulated = await answering(start, {
      exception: "validationException",
      payload: { message: "Output blocked by content filtering policy" },
    });
    expect(await emulated.run(["chat", "-m", MODEL, "hi"])).toMatchObject({ code: 7 });
  });

  it.each([
    ["guardrail_intervened", 7, "blocked"],
    ["content_filtered", 7, "blocked"],
    ["refusal", 7, "blocked"],
    ["malformed_model_output", 5, "model-error"],
    ["malformed_tool_use", 5, "model-error"],
  ])("when it stops by %s: exit %i", async (reason, exitCode, errorCode) => {
    const emulated = await answering(start, delta("Sorry."), stop(reason), metadata);
    const result = await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect(result).toMatchObject({ code: exitCode, stdout: "Sorry.\n" });
    const json = await emulated.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: errorCode, partialText: "Sorry." } });
  });

  // Wordings are AWS's own.
  it.each<[string, ScriptedAnswer, string, number]>([
    [
      "throttled",
      awsError("ThrottlingException", "Too many requests, please wait before trying again.", 429),
      "throttled",
      5,
    ],
    [
      "used up for the day",
      awsError("ThrottlingException", "Too many tokens per day, please wait before trying again.", 429),
      "quota-exceeded",
      5,
    ],
    [
      "too long",
      awsError("ValidationException", "Input is too long for requested model.", 400),
      "input-too-long",
      6,
    ],
    [
      "expired",
      awsError("ExpiredTokenException", "The security token included in the request is expired", 403),
      "credentials-expired",
      4,
    ],
    [
      "not accessible",
      awsError(
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
        403,
      ),
      "model-access",
      4,
    ],
    [
      "without use case form",
      awsError(
        "ResourceNotFoundException",
        "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model.",
        404,
      ),
      "model-access",
      4,
    ],
    [
      "ended",
      awsError(
        "ResourceNotFoundException",
        "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
        404,
      ),
      "model-not-found",
      6,
    ],
    [
      "unavailable",
      awsError("ServiceUnavailableException", "Bedrock is unable to process your request.", 503),
      "service-unavailable",
      5,
    ],
    ["timed out", awsError("ModelTimeoutException", "The model did not respond in time.", 408), "timeout", 5],
    [
      "refused for its parameters",
      awsError(
        "ValidationException",
        "`temperature` and `top_p` cannot both be specified for this model.",
        400,
      ),
      "invalid-request",
      6,
    ],
  ])("when the call is %s", async (_, answer, code, exitCode) => {
    const emulated = await failing(answer);
    const result = await emulated.run(["chat", "-m", MODEL, "--json", "hi"], { env: once });
    expect(JSON.parse(result.stdout)).toMatchObject({
      error: { code, exitCode, requestId: expect.any(String) },
    });
    expect(result.code).toBe(exitCode);
    expect(result.stderr).toMatch(/^error: .+\nhint: .+\n$/);
  });

  it("prints a bug's stack only for bugs", async () => {
    const emulated = await failing(awsError("ValidationException", "Something new.", 400));
    const { stderr } = await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr).toContain("Something new.");
  });
});

describe("credentials that are long in coming", () => {
  it.each([
    ["--timeout", "took longer than 0.5 s"],
    ["--first-token-timeout", "sent nothing for 0.5 s"],
  ])("wait for credentials no longer than %s", async (flag, message) => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "aws");
    writeFileSync(file, "[default]\ncredential_process = exec sleep 60\nregion = us-east-1\n");
    const env = {
      AWS_CONFIG_FILE: file,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
    };
    const args = ["chat", "-m", "a name that nobody has", flag, "0.5", "--json", "hi"];
    const { code, stdout } = await emulated.run(args, { env });
    expect(code).toBe(5);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "timeout",
      message: expect.stringContaining(message),
    });
  });

  it("count against --timeout", async () => {
    const emulated = await emulate();
    const identity = await startIdentityServer();
    identity.answer("AssumeRole", "silence");
    writeSharedFiles(emulated.home, {
      config: "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = base\n",
      credentials: "[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = secret\n",
    });
    const started = performance.now();
    const { code, stderr } = await emulated.run(["chat", "-m", MODEL, "--timeout", "1", "hi"], {
      env: {
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_PROFILE: "admin",
        AWS_ENDPOINT_URL_STS: identity.url,
      },
    });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(code).toBe(5);
    expect(stderr).toContain("error: The answer took longer than 1 s.");
    expect(identity.calls.map(({ action }) => action)).toContain("AssumeRole");
  });
});

describe("models that AWS knows under another name", () => {
  it("gets the nearest id for the id of older documents", async () => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", "us.anthropic.claude-opus-4-6-v1:0", "--json", "hi"]);
    expect(result.code).toBe(6);
    const { error } = JSON.parse(result.stdout);
    expect(error).toMatchObject({
      code: "model-not-found",
      hint: "Did you mean us.anthropic.claude-opus-4-6-v1?",
    });
    expect(error.details.nearest[0]).toBe("us.anthropic.claude-opus-4-6-v1");
  });

  it.each([
    ["eu-west-1", "eu.anthropic.claude-opus-4-6-v1", "at once"],
    ["ap-southeast-2", "au.anthropic.claude-opus-4-6-v1", "after AWS's refusal"],
  ])("in %s calls a base model that needs a profile through %s %s", async (region, profile, when) => {
    const id = "anthropic.claude-opus-4-6-v1";
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", id, "hi"], { env: { AWS_REGION: region } });
    expect(result.code).toBe(0);
    expect(result.stderr).toBe(`openclaw: ${id} is called through the inference profile ${profile}\n`);
    const called = emulated.emulator.calls
      .filter(({ route }) => route === "ConverseStream")
      .map(({ parameters }) => parameters["modelId"]);
    expect(called).toEqual(when === "at once" ? [profile] : [id, profile]);
  });

  describe("where the profile that was guessed does not reach it", () => {
    const id = "anthropic.claude-opus-4-6-v1";
    const guess = `eu.${id}`;
    const unknown = awsError("ValidationException", "The provided model identifier is invalid.", 400);
    const denied = awsError(
      "AccessDeniedException",
      `User: arn:aws:iam::123456789012:user/u is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:eu-west-2:123456789012:inference-profile/${guess} because no identity-based policy allows the bedrock:InvokeModelWithResponseStream action`,
      403,
    );
    const onlyByProfile = awsError(
      "ValidationException",
      `Invocation of model ID ${id} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`,
      400,
    );
    /** An AWS that refuses ids, and its lists. */
    const refusing = (refusals: Record<string, ScriptedAnswer>) =>
      emulate({
        script: ({ route, parameters }) => {
          if (route !== "ConverseStream") return awsError("AccessDeniedException", "no", 403);
          const model = parameters["modelId"] ?? "";
          return refusals[model] ?? { stream: textAnswerSteps([`Hello from ${model}`]) };
        },
      });
    const ask = ({ run }: Emulated) => run(["chat", "-m", id, "hi"], { env: { AWS_REGION: "eu-west-2" } });
    const called = ({ emulator }: Emulated) =>
      emulator.calls
        .filter(({ route }) => route === "ConverseStream")
        .map(({ parameters }) => parameters["modelId"]);

    it.each([
      ["is unknown", unknown],
      ["may not be called", denied],
    ])("its own id is asked for, and at once the next time: it %s", async (_, refusal) => {
      const emulated = await refusing({ [guess]: refusal });
      expect(await ask(emulated)).toMatchObject({
        code: 0,
        stdout: `Hello from ${id}\n`,
        stderr:
          `openclaw: ${id} is called through the inference profile ${guess}\n` +
          `openclaw: ${id} is called by its own id\n`,
      });
      expect(await ask(emulated)).toMatchObject({ code: 0, stderr: "" });
      expect(called(emulated)).toEqual([guess, id, id]);
    });

    it("the denial stands where there is no other way, and is not forgotten", async () => {
      const emulated = await refusing({ [guess]: denied, [id]: onlyByProfile });
      for (const _ of [1, 2]) {
        const { code, stderr } = await ask(emulated);
        expect(code).toBe(4);
        expect(stderr).toContain(`may not call bedrock:InvokeModelWithResponseStream on arn:aws:bedrock`);
      }
      expect(called(emulated)).toEqual([guess, id, guess, id]);
    });

    it("the profile of AWS's list is asked for where its own id does not do, and at once the next time", async () => {
      const region = "arn:aws:bedrock:eu-west-2:";
      const summary = {
        inferenceProfileId: `uk.${id}`,
        inferenceProfileArn: `${region}123456789012:inference-profile/uk.${id}`,
        inferenceProfileName: "UK Opus",
        status: "ACTIVE",
        type: "SYSTEM_DEFINED",
        models: [{ modelArn: `${region}:foundation-model/${id}` }],
      };
      const emulated = await emulate({
        script: ({ route, parameters }) => {
          const body = { inferenceProfileSummaries: [summary] };
          if (route === "ListInferenceProfiles") return { http: { status: 200, body } };
          if (route !== "ConverseStream") return undefined;
          if (parameters["modelId"] === guess) return unknown;
          return parameters["modelId"] === id ? onlyByProfile : { stream: textAnswerSteps(["Hello"]) };
        },
      });
      for (const _ of [1, 2]) expect(await ask(emulated)).toMatchObject({ code: 0, stdout: "Hello\n" });
      expect(called(emulated)).toEqual([guess, id, `uk.${id}`, `uk.${id}`]);
    });
  });

  it("knows the profile beforehand when a list is cached", async () => {
    const emulated = await emulate();
    await emulated.run(["models", "list"]);
    const before = emulated.emulator.calls.length;
    await emulated.run(["chat", "-m", "anthropic.claude-opus-4-6-v1", "hi"]);
    expect(emulated.emulator.calls.slice(before).map(({ parameters }) => parameters["modelId"])).toEqual([
      "us.anthropic.claude-opus-4-6-v1",
    ]);
  });

  it("never rewrites an ARN", async () => {
    const emulated = await emulate();
    const arn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1";
    const result = await emulated.run(["chat", "-m", arn, "--json", "hi"]);
    expect(JSON.parse(result.stdout).error.code).toBe("needs-inference-profile");
    expect(emulated.routes()).toEqual(["ConverseStream"]);
  });
});

describe("retries", () => {
  it("tries again before the first token, says so, and counts what the server counted", async () => {
    const emulated = await emulate({
      script: ({ route, nth }) =>
        route === "ConverseStream" && nth < 3
          ? awsError("ThrottlingException", "Too many requests", 429)
          : undefined,
    });
    const result = await emulated.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout).attempts).toBe(3);
    expect(emulated.routes()).toHaveLength(3);
    expect(result.stderr.match(/next try/g)).toHaveLength(2);
  });

  it("never tries again after the first token", async () => {
    const emulated = await answering(start, delta("Half"), { end: "reset" });
    await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect(emulated.routes()).toEqual(["ConverseStream"]);
  });
});

describe("time and interruption", () => {
  it.each([
    ["--first-token-timeout", [{ end: "stall" }] as StreamStep[], ""],
    ["--first-token-timeout", [start, { end: "stall" }] as StreamStep[], ""],
    ["--timeout", [start, delta("Half"), { end: "stall" }] as StreamStep[], "Half\n"],
  ])("%s ends a silent stream", async (flag, stream, stdout) => {
    const emulated = await answering(...stream);
    // Long enough for a busy machine to print what came before.
    const result = await emulated.run(["chat", "-m", MODEL, flag, "1.5", "hi"]);
    expect(result).toMatchObject({ code: 5, stdout });
    expect(result.stderr).toContain(flag);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends the answer with %i and keeps what came", async (signal, exitCode) => {
    const emulated = await answering(start, delta("Half"), { end: "stall" });
    const child = emulated.start(["chat", "-m", MODEL, "hi"]);
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      child.kill(signal);
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: "Half\n" });
  });

  it("ends quietly with 0 when the reader has gone", async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => delta(`line ${index}\n`));
    const emulated = await answering(start, ...many, stop("end_turn"));
    const child = emulated.start(["chat", "-m", MODEL, "hi"]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("wrong calls change nothing and call nobody", () => {
  it.each<[string[], number, string]>([
    [["--max-tokens", "0", "hi"], 2, "0"],
    [["--max-tokens", "many", "hi"], 2, "many"],
    [["--temperature", "2.5", "hi"], 2, "2.5"],
    [["--temperature", "warm", "hi"], 2, "warm"],
    [["--top-p", "-1", "hi"], 2, "-1"],
    [["--timeout", "soon", "hi"], 2, "soon"],
    [["--first-token-timeout", "0", "hi"], 2, "0"],
    [["--region", "nowhere", "hi"], 2, "nowhere"],
    [["--endpoint-url", "localhost", "hi"], 2, "localhost"],
    [["--model", " ", "hi"], 2, "--model"],
    [["--system-file", "missing.txt", "hi"], 2, "missing.txt"],
    [["--system", "a", "--system-file", "b", "hi"], 2, "--system-file"],
    [["--colour", "hi"], 2, "--colour"],
    [["--json", "--ndjson", "hi"], 2, "--ndjson"],
    [[], 2, "no argument was given"],
    [["   "], 2, "what was given is empty and stdin is empty"],
    [["-", "hi"], 2, "- stands for stdin alone, and 'hi' stands behind it"],
  ])("chat %j", async (args, exitCode, value) => {
    const emulated = await emulate();
    const model = args.includes("--model") ? [] : ["-m", MODEL];
    const result = await emulated.run(["chat", ...model, ...args]);
    expect(result.code).toBe(exitCode);
    if (!args.includes("--json")) expect(result.stdout).toBe("");
    expect(result.stderr).toContain(value);
    expect(emulated.emulator.calls).toEqual([]);
    expect(readdirSync(emulated.home)).toEqual([]);
  });

  it("ends in 3 when no model is named and none is the default", async () => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "--json", "hi"]);
    expect(result.code).toBe(3);
    expect(JSON.parse(result.stdout).error.code).toBe("no-default-model");
  });

  it("refuses input that is not UTF-8 instead of sending it damaged", async () => {
    const emulated = await emulate();
    const child = emulated.start(["chat", "-m", MODEL, "--json"], { input: Buffer.from([0x63, 0xe9, 0x0a]) });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code).toBe(6);
    expect(JSON.parse(stdout).error.code).toBe("bad-attachment");
    expect(emulated.routes()).toEqual([]);
  });

  it.each([
    ["AWS_BEARER_TOKEN_BEDROCK", "xyzzy9\n123"],
    ["AWS_BEARER_TOKEN_BEDROCK", "xyzzy9-tök"],
    ["AWS_SESSION_TOKEN", "xyzzy9\nEN"],
  ])("ends in 4 for a %s that no header can carry, and does not show it", async (name, value) => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", MODEL, "--json", "hi"], { env: { [name]: value } });
    expect(result.code).toBe(4);
    const { error } = JSON.parse(result.stdout);
    expect(error.code).toBe("credentials-rejected");
    expect(error.message).toContain(name);
    expect(result.stdout + result.stderr).not.toContain(value.slice(0, 6));
  });

  it("ends in 4 without credentials", async () => {
    const result = await openclaw(["chat", "-m", MODEL, "--json", "hi"], createHome());
    expect(result.code).toBe(4);
    expect(JSON.parse(result.stdout).error.code).toBe("no-credentials");
  });

  it("writes nothing of the SDK to stderr", async () => {
    const emulated = await emulate();
    expect((await emulated.run(["chat", "-m", MODEL, "hi"])).stderr).toBe("");
  });
});

/** A frame whose last checksum is wrong. */
function corruptFrame(): Buffer {
  const frame = Buffer.alloc(16);
  frame.writeUInt32BE(16, 0);
  frame.writeUInt32BE(0x05_c2_48_eb, 8);
  frame.writeUInt32BE(1, 12);
  return frame;
}
