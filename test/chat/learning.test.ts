import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { RecordedCall, ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { MODELS } from "../../src/emulator/models.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openaiServer, refusal, says } from "../helpers/openai-server.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { serve } from "../helpers/served.ts";

/** A model that no table knows. */
const UNHEARD = "example.unheard-of-v1";
const NOVA = "amazon.nova-lite-v1:0";
const HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

const models = (...refusedFields: string[]) => {
  const nova = MODELS.find(({ modelId }) => modelId === NOVA);
  return [{ ...(nova as (typeof MODELS)[number]), modelId: UNHEARD, refusedFields }];
};

/** A model of AWS's that refuses fields which nobody expects it to refuse. */
const refusing = (...fields: string[]): Promise<Emulated> => emulate({ models: models(...fields) });

const validation = (message: string): ScriptedAnswer => ({ error: { name: "ValidationException", message } });

/** Refuses a request as long as it holds something. */
const refusingWhile =
  (holds: (body: string) => boolean, message: string) =>
  ({ route, body }: RecordedCall): ScriptedAnswer | undefined =>
    route === "ConverseStream" && holds(JSON.stringify(body)) ? validation(message) : undefined;

const bodies = ({ emulator }: Pick<Emulated, "emulator">): Record<string, unknown>[] =>
  emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => body as Record<string, unknown>);

describe("what a model refuses by name", () => {
  it.each<[string, string[], string, string]>([
    ["inferenceConfig.temperature", ["--temperature", "0.7"], "temperature", "0.7"],
    ["inferenceConfig.topP", ["--top-p", "0.5"], "top-p", "0.5"],
    ["inferenceConfig.stopSequences", ["--stop", "END"], "stop", '["END"]'],
    ["serviceTier", ["--service-tier", "flex"], "service-tier", '"flex"'],
    ["performanceConfig", ["--latency", "optimized"], "latency", '"optimized"'],
  ])("is left out, told and kept for the next call: %s", async (field, args, flag, value) => {
    const emulated = await refusing(field);
    const ask = () => emulated.run(["chat", "-m", UNHEARD, ...args, "Hi"]);
    const notice = `openclaw: '${UNHEARD}' refuses ${flag}, so ${value} is left out\n`;
    const first = await ask();
    expect(first.code).toBe(0);
    expect(first.stdout).toContain("simulated answer");
    expect(first.stderr).toBe(notice);
    expect(bodies(emulated)).toHaveLength(2);
    const second = await ask();
    expect(second.stderr).toBe(notice);
    expect(bodies(emulated)).toHaveLength(3);
    expect(bodies(emulated)[2]).toEqual(bodies(emulated)[1]);
  });

  it("is learnt of cache points, which AWS refuses as an access that is denied", async () => {
    const message =
      "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.";
    const emulated = await emulate({
      script: ({ route, body }) =>
        route === "ConverseStream" && JSON.stringify(body).includes("cachePoint")
          ? { error: { name: "AccessDeniedException", message } }
          : undefined,
    });
    const { code, stdout } = await emulated.run(["chat", "-m", HAIKU, "--cache", "5m", "Hi"]);
    expect(code).toBe(0);
    expect(stdout).toContain("You asked: Hi");
    expect(bodies(emulated)).toHaveLength(2);
    await emulated.run(["chat", "-m", HAIKU, "--cache", "5m", "Hi"]);
    expect(bodies(emulated)).toHaveLength(3);
  });

  it.each([
    ["top_k: Input should be less than or equal to 500", HAIKU, ["--top-k", "501"], "top_k"],
    [
      "Malformed input request: #/stop_sequences: expected maximum item count: 4, found: 5, please reformat your input and try again.",
      NOVA,
      ["a", "b", "c", "d", "e"].flatMap((text) => ["--stop", text]),
      "stopSequences",
    ],
  ])("of too much is learnt for one call only: %s", async (message, model, args, field) => {
    const emulated = await emulate({
      script: ({ route, body }) =>
        route === "ConverseStream" && JSON.stringify(body).includes(`"${field}"`)
          ? validation(message)
          : undefined,
    });
    for (const calls of [2, 4]) {
      const { code, stderr } = await emulated.run(["chat", "-m", model, ...args, "Hi"]);
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("is left out") });
      expect(bodies(emulated)).toHaveLength(calls);
    }
  });

  it("of a level that is called invalid leads to the next weaker one", async () => {
    const refused = /"(?:effort|reasoning_effort)":"(max|xhigh)"/;
    const nova = MODELS.find(({ modelId }) => modelId === NOVA);
    const luna = { ...(nova as (typeof MODELS)[number]), modelId: "openai.gpt-5.6-luna" };
    const emulated = await emulate({
      models: [luna],
      script: ({ route, body }) => {
        const [, level] = refused.exec(JSON.stringify(body)) ?? [];
        return route === "ConverseStream" && level
          ? validation(`Invalid reasoning_effort: ${level}`)
          : undefined;
      },
    });
    const ask = () => emulated.run(["chat", "-m", "openai.gpt-5.6-luna", "--reasoning", "max", "Hi"]);
    expect((await ask()).code).toBe(0);
    expect(JSON.stringify(bodies(emulated).at(-1))).toMatch(/effort":"high"/);
    const before = bodies(emulated).length;
    expect((await ask()).code).toBe(0);
    expect(bodies(emulated)).toHaveLength(before + 1);
  });

  it("may be several things in a row, each once", async () => {
    const emulated = await refusing(
      "inferenceConfig.temperature",
      "inferenceConfig.stopSequences",
      "system",
      "serviceTier",
    );
    const args = ["--temperature", "0", "--stop", "X", "-s", "Be brief.", "--service-tier", "flex"];
    const { code, stdout, stderr } = await emulated.run(["chat", "-m", UNHEARD, ...args, "Hi"]);
    expect(stderr.match(/^openclaw: /gm)).toHaveLength(4);
    expect(code).toBe(0);
    expect(stdout).toContain("You asked: Hi");
    expect(bodies(emulated)).toHaveLength(5);
    expect(bodies(emulated)[4]).toEqual({
      messages: [
        { role: "user", content: [{ text: "Be brief." }] },
        { role: "assistant", content: [{ text: "OK." }] },
        { role: "user", content: [{ text: "Hi" }] },
      ],
    });
  });

  it("is asked without once, and then the refusal stands", async () => {
    const emulated = await emulate({
      script: ({ route }) =>
        route === "ConverseStream"
          ? validation("This model doesn't support the temperature field. Remove temperature and try again.")
          : undefined,
    });
    const { code, stderr } = await emulated.run(["chat", "-m", NOVA, "--temperature", "0", "Hi"]);
    expect(code).toBe(6);
    expect(stderr).toContain("temperature");
    expect(bodies(emulated)).toHaveLength(2);
    expect(readdirSync(emulated.home, { recursive: true }).join("\n")).not.toContain("lessons-");
  });

  it.each<[string, () => ScriptedAnswer, number]>([
    ["a refusal of something else", () => validation("The messages are not to my liking."), 6],
    ["a question that is too long", () => validation("Input is too long for requested model."), 6],
    [
      "a model that needs a profile, of which there is none",
      () =>
        validation(
          `Invocation of model ID ${UNHEARD} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`,
        ),
      6,
    ],
    ["throttling", () => ({ error: { name: "ThrottlingException", message: "Too many requests." } }), 5],
    [
      "an answer that breaks off",
      () => ({ stream: [{ exception: "internalServerException", payload: { message: "Oh." } }] }),
      5,
    ],
    ["an answer without anything", () => ({ stream: textAnswerSteps([]) }), 5],
  ])("is kept whatever ends the call: %s", async (_, ending, exitCode) => {
    let isOver = false;
    const refuse = refusingWhile(
      (body) => body.includes("temperature"),
      "This model doesn't support the temperature field. Remove temperature and try again.",
    );
    const emulated = await emulate({
      models: models(),
      script: (call) => refuse(call) ?? (call.route === "ConverseStream" && !isOver ? ending() : undefined),
    });
    const ask = () =>
      emulated.run(["chat", "-m", UNHEARD, "--temperature", "0", "Hi"], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect((await ask()).code).toBe(exitCode);
    isOver = true;
    const before = bodies(emulated).length;
    const { code, stderr } = await ask();
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `openclaw: '${UNHEARD}' refuses temperature, so 0 is left out\n`,
    });
    expect(bodies(emulated)).toHaveLength(before + 1);
  });

  it("is kept when it is stopped before the next answer", async () => {
    const refuse = refusingWhile(
      (body) => body.includes("temperature"),
      "The model returned the following errors: `temperature` is deprecated for this model.",
    );
    let ask = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (ask = resolve));
    let isOver = false;
    async function* silent(): AsyncGenerator<StreamStep> {
      yield { event: "messageStart", payload: { role: "assistant" } };
      ask();
      yield { wait: 60_000 };
    }
    const emulated = await emulate({
      models: models(),
      script: (call) =>
        refuse(call) ?? (call.route === "ConverseStream" && !isOver ? { stream: silent() } : undefined),
    });
    const args = ["chat", "-m", UNHEARD, "--temperature", "0", "Hi"];
    const child = emulated.start(args);
    const ended = new Promise((resolve) => child.on("close", resolve));
    await isAsked;
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    isOver = true;
    const before = bodies(emulated).length;
    expect((await emulated.run(args)).code).toBe(0);
    expect(bodies(emulated)).toHaveLength(before + 1);
  });

  it("and bounded, whatever a service refuses next", async () => {
    let count = 0;
    const names = ["temperature", "topP", "stopSequences", "serviceTier", "performanceConfig"];
    const emulated = await emulate({
      script: ({ route }) => {
        if (route !== "ConverseStream") return undefined;
        count += 1;
        return validation(`This model doesn't support the ${names[count % names.length]} field.`);
      },
    });
    const args = ["--temperature", "0", "--stop", "X", "--service-tier", "flex", "--latency", "optimized"];
    const { code } = await emulated.run(["chat", "-m", NOVA, ...args, "Hi"]);
    expect(code).toBe(6);
    expect(count).toBeLessThanOrEqual(7);
  });

  it.each([
    "The messages are not to my liking.",
    "This model doesn't support the messages field.",
    "temperature must be at most 2",
  ])("teaches nothing in words that are not known: %s", async (message) => {
    const emulated = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? validation(message) : undefined),
    });
    const { code } = await emulated.run(["chat", "-m", NOVA, "--temperature", "0", "Hi"]);
    expect(code).toBe(6);
    expect(bodies(emulated)).toHaveLength(1);
  });

  it("is learnt inside a stream, too, before its first word", async () => {
    let isFirst = true;
    const emulated = await emulate({
      script: ({ route }) => {
        if (route !== "ConverseStream" || !isFirst) return undefined;
        isFirst = false;
        const message =
          "The model returned the following errors: `temperature` is deprecated for this model.";
        return { stream: [{ exception: "validationException", payload: { message } }] };
      },
    });
    const { code, stderr } = await emulated.run(["chat", "-m", NOVA, "--temperature", "0", "Hi"]);
    expect(stderr).toContain("so 0 is left out");
    expect(code).toBe(0);
  });

  it("is forgotten when the list of models is refreshed, and what cannot be read changes nothing", async () => {
    const emulated = await refusing("inferenceConfig.temperature");
    const ask = () => emulated.run(["chat", "-m", UNHEARD, "--temperature", "0", "Hi"]);
    const cache = path.join(emulated.home, ".openclaw", "cache");
    const kept = () => readdirSync(cache).filter((name) => /^lessons-\w+\.json$/.test(name));
    await ask();
    expect(kept()).toHaveLength(1);
    expect(readFileSync(path.join(cache, kept()[0] ?? ""), "utf8")).not.toContain(UNHEARD);
    await emulated.run(["models", "list", "--refresh"]);
    expect(kept()).toEqual([]);
    await ask();
    expect(bodies(emulated)).toHaveLength(4);
    for (const text of [
      "{",
      '{"form":"lessons-1","since":"x"}',
      '{"form":"lessons-1","since":1,"lessons":[{"name":5}]}',
    ]) {
      writeFileSync(path.join(cache, kept()[0] ?? ""), text);
      expect((await ask()).code).toBe(0);
    }
  });

  it("is not kept where nothing is cached", async () => {
    const emulated = await refusing("inferenceConfig.temperature");
    emulated.configure("{models: {bedrockDiscovery: {refreshInterval: 0}}}");
    for (let call = 0; call < 2; call += 1)
      expect((await emulated.run(["chat", "-m", UNHEARD, "--temperature", "0", "Hi"])).code).toBe(0);
    expect(bodies(emulated)).toHaveLength(4);
  });

  it("is kept by two that learn at once", async () => {
    const emulated = await refusing("inferenceConfig.temperature", "inferenceConfig.stopSequences");
    const ask = (...args: string[]) =>
      emulated.run(["chat", "-m", UNHEARD, ...args, "Hi"], { isAlone: true });
    await Promise.all([ask("--temperature", "0"), ask("--stop", "X"), ask("--temperature", "1")]);
    const before = bodies(emulated).length;
    const { code, stderr } = await ask("--temperature", "0", "--stop", "X");
    expect(code).toBe(0);
    expect(stderr.match(/is left out/g)).toHaveLength(2);
    expect(bodies(emulated)).toHaveLength(before + 1);
  });

  it("is shown by a dry run as it will be sent", async () => {
    const emulated = await refusing("inferenceConfig.temperature");
    await emulated.run(["chat", "-m", UNHEARD, "--temperature", "0", "Hi"]);
    const { stdout } = await emulated.run([
      "chat",
      "-m",
      UNHEARD,
      "--temperature",
      "0",
      "--dry-run",
      "--json",
      "Hi",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      request: { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
      notices: expect.arrayContaining([`'${UNHEARD}' refuses temperature, so 0 is left out`]) as unknown,
    });
    expect(stdout).not.toContain("inferenceConfig");
  });
});

describe("how long an answer may be", () => {
  it("becomes what the refusal names", async () => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["chat", "-m", NOVA, "--max-tokens", "50000", "Hi"]);
    expect(code).toBe(0);
    expect(stderr).toBe(
      `openclaw: '${NOVA}' puts out at most 10000 tokens here, so max-tokens 50000 becomes that\n`,
    );
    expect(bodies(emulated).map(({ inferenceConfig }) => inferenceConfig)).toEqual([
      { maxTokens: 50_000 },
      { maxTokens: 10_000 },
    ]);
  });
});

describe("how a model reasons", () => {
  const thinking = (emulated: Emulated) =>
    bodies(emulated).map(({ additionalModelRequestFields }) => additionalModelRequestFields);

  it.each([
    [
      "us.anthropic.claude-haiku-4-5-20251001-v1:0",
      '"enabled"',
      '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
      { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
    ],
    [
      "us.anthropic.claude-opus-4-6-v1",
      '"adaptive"',
      "adaptive thinking is not supported on this model",
      { thinking: { type: "enabled", budget_tokens: 16_384 } },
    ],
    [
      "us.anthropic.claude-opus-4-6-v1",
      '"effort":"high"',
      "output_config.effort: Input should be 'low' or 'medium'",
      { thinking: { type: "adaptive" }, output_config: { effort: "medium" } },
    ],
  ])("is learnt: %s without %s", async (model, sent, message, fields) => {
    const refuse = refusingWhile(
      (body) => body.includes(sent),
      `The model returned the following errors: ${message}`,
    );
    const emulated = await emulate({
      script: (call) =>
        refuse(call) ?? (call.route === "ConverseStream" ? { stream: textAnswerSteps(["Yes."]) } : undefined),
    });
    const { code } = await emulated.run(["chat", "-m", model, "--reasoning", "high", "Hi"]);
    expect(thinking(emulated)).toHaveLength(2);
    expect(thinking(emulated)[1]).toEqual(fields);
    expect(code).toBe(0);
  });

  it("goes without a level where the model takes neither form, and none is tried twice", async () => {
    const message =
      'The model returned the following errors: "thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.';
    // The emulator's own model refuses the other one.
    const emulated = await emulate({ script: refusingWhile((body) => body.includes('"enabled"'), message) });
    const { code } = await emulated.run(["chat", "-m", HAIKU, "--reasoning", "high", "Hi"]);
    expect(code).toBe(0);
    expect(thinking(emulated)).toEqual([
      { thinking: { type: "enabled", budget_tokens: 16_384 } },
      { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
      undefined,
    ]);
  });

  it("is left out where the model takes no level at all", async () => {
    const message =
      "Malformed input request: #: extraneous key [thinking] is not permitted, please reformat your input and try again.";
    const emulated = await emulate({ script: refusingWhile((body) => body.includes("thinking"), message) });
    const { code, stderr } = await emulated.run(["chat", "-m", HAIKU, "--reasoning", "high", "Hi"]);
    expect(code).toBe(0);
    expect(stderr).toContain("does not reason, so reasoning 'high' is left out");
  });
});

describe("a conversation", () => {
  it("whose signed reasoning is refused goes on without it, told once, and remembers", async () => {
    let isRefused = false;
    const message =
      "The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block";
    const emulated = await emulate({
      script: (call) =>
        isRefused ? refusingWhile((body) => body.includes("signature"), message)(call) : undefined,
    });
    const ask = (text: string) =>
      emulated.run(["chat", "-m", HAIKU, "--reasoning", "low", "--session", "s1", text]);
    expect((await ask("One")).code).toBe(0);
    expect((await ask("Two")).code).toBe(0);
    expect(JSON.stringify(bodies(emulated).at(-1))).toContain("signature");
    isRefused = true;
    const third = await ask("Three");
    expect(third.code).toBe(0);
    expect(third.stderr).toContain("refuses the reasoning of earlier answers, so it is left out");
    const count = bodies(emulated).length;
    isRefused = false;
    const fourth = await ask("Four");
    expect(fourth.stderr).toBe("");
    expect(bodies(emulated)).toHaveLength(count + 1);
    // The reasoning since then goes back; what was refused does not.
    expect(JSON.stringify(bodies(emulated).at(-1)).match(/signature/g)).toHaveLength(1);
    expect(JSON.stringify(bodies(emulated).at(-1))).toContain("One");
  });

  it("with an image that the next model cannot see goes on without it; the newest is refused", async () => {
    const message =
      "This model doesn't support the image field for user messages. Remove image and try again.";
    let isBlind = false;
    const emulated = await emulate({
      script: (call) =>
        isBlind ? refusingWhile((body) => body.includes('"image"'), message)(call) : undefined,
    });
    const pixel = path.join(emulated.home, "pixel.png");
    writeFileSync(pixel, PIXEL);
    const ask = (...args: string[]) => emulated.run(["chat", "-m", NOVA, "--session", "s2", ...args]);
    expect((await ask("-f", pixel, "What is it?")).code).toBe(0);
    isBlind = true;
    const next = await ask("And what colour?");
    expect(next.code).toBe(0);
    expect(next.stderr).toContain("takes no images, so those of earlier questions are left out");
    const newest = await ask("-f", pixel, "And this?");
    expect(newest.code).toBe(6);
    expect(newest.stderr).toContain("does not take this kind of file");
  });
});

describe("a schema", () => {
  // Llama cannot be held to a tool: it is offered one.
  it.each(["us.writer.palmyra-x5-v1:0", "us.meta.llama4-scout-17b-instruct-v1:0"])(
    "is asked for by a tool in a whole answer where the model takes no tools in a stream: %s",
    async (model) => {
      const emulated = await emulate();
      const schema = '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}';
      const { code, stdout } = await emulated.run(["chat", "-m", model, "--schema", schema, "Hi"]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toHaveProperty("n");
      expect(emulated.routes().filter((route) => route.startsWith("Converse"))).toEqual([
        "ConverseStream",
        "Converse",
      ]);
    },
  );

  it("is asked for in the next form, which is kept where the refusal is of the form itself", async () => {
    const emulated = await emulate({
      script: refusingWhile(
        (body) => body.includes("toolChoice"),
        "This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.",
      ),
    });
    const schema = '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}';
    const ask = () => emulated.run(["chat", "-m", "cohere.command-r-plus-v1:0", "--schema", schema, "Hi"]);
    await ask();
    const after = bodies(emulated).length;
    expect(after).toBeGreaterThan(1);
    await ask();
    expect(bodies(emulated)[after]).not.toHaveProperty("toolConfig.toolChoice");
  });
});

describe("serve", () => {
  it("asks again, tells it in the log alone, and asks at once the next time", async () => {
    const { client, emulator, logged, log } = await serve({
      emulator: { models: models("inferenceConfig.temperature") },
    });
    const ask = (stream: boolean) =>
      client.chat.completions.create({
        model: UNHEARD,
        temperature: 0.5,
        messages: [{ role: "user", content: "Hi" }],
        stream: stream as false,
      });
    const answer = await ask(false);
    expect(answer.choices[0]?.message.content).toContain("simulated answer");
    expect(JSON.stringify(answer)).not.toContain("refuses");
    const line = await logged(({ kind }) => kind === "request");
    expect(line.notices).toEqual([`'${UNHEARD}' refuses temperature, so 0.5 is left out`]);
    expect(bodies({ emulator })).toHaveLength(2);
    const chunks = (await ask(true)) as unknown as AsyncIterable<unknown>;
    for await (const chunk of chunks) expect(JSON.stringify(chunk)).not.toContain("refuses");
    expect(bodies({ emulator })).toHaveLength(3);
    expect(log.filter(({ kind }) => kind === "bug")).toEqual([]);
  });

  it("lets a model choose that cannot be held to a tool, and tells it in the log", async () => {
    const { client, emulator, logged } = await serve({
      emulator: { models: models("toolConfig.toolChoice.any", "toolConfig.toolChoice.tool") },
    });
    const { choices } = await client.chat.completions.create({
      model: UNHEARD,
      messages: [{ role: "user", content: "Hi" }],
      tools: [{ type: "function", function: { name: "clock", parameters: { type: "object" } } }],
      tool_choice: "required",
    });
    expect(choices).toHaveLength(1);
    expect((await logged(({ kind }) => kind === "request")).notices).toEqual([
      `'${UNHEARD}' cannot be held to calling a tool, so it may choose`,
    ]);
    expect(bodies({ emulator }).at(-1)).toHaveProperty("toolConfig.tools.0.toolSpec.name", "clock");
  });

  it("asks for a whole answer where a model takes no tools in a stream", async () => {
    const reply = {
      output: {
        message: {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
            { text: "Let me look." },
            { toolUse: { toolUseId: "tooluse_1", name: "clock", input: { zone: "UTC" } } },
          ],
        },
      },
      stopReason: "tool_use",
      usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 },
      metrics: { latencyMs: 5 },
    };
    const { client, emulator } = await serve({
      emulator: {
        script: ({ route }) =>
          route === "Converse"
            ? { http: { status: 200, headers: { "content-type": "application/json" }, body: reply } }
            : route === "ConverseStream"
              ? validation("This model doesn't support tool use in streaming mode.")
              : undefined,
      },
    });
    const ask = () =>
      client.chat.completions.create({
        model: NOVA,
        messages: [{ role: "user", content: "Hi" }],
        tools: [{ type: "function", function: { name: "clock", parameters: { type: "object" } } }],
      });
    for (let call = 0; call < 2; call += 1) {
      const { choices, usage } = await ask();
      expect(choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: {
          content: "Let me look.",
          tool_calls: [{ id: "tooluse_1", function: { name: "clock", arguments: '{"zone":"UTC"}' } }],
        },
      });
      expect(usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 20 });
    }
    const asked = emulator.calls.map(({ route }) => route).filter((route) => route.startsWith("Converse"));
    expect(asked).toEqual(["ConverseStream", "Converse", "Converse"]);
  });

  it("answers all of many that learn at once", async () => {
    const { client } = await serve({ emulator: { models: models("inferenceConfig.temperature", "system") } });
    const messages = [
      { role: "system" as const, content: "Be brief." },
      { role: "user" as const, content: "Hi" },
    ];
    const all = Array.from({ length: 20 }, () =>
      client.chat.completions.create({ model: UNHEARD, temperature: 0.5, messages }),
    );
    for (const { choices } of await Promise.all(all))
      expect(choices[0]?.message.content).toContain("You asked: Hi");
  });
});

describe("a fallback", () => {
  it("learns for itself", async () => {
    const emulated = await emulate({
      models: [...models("inferenceConfig.temperature"), ...MODELS],
      script: ({ route, parameters }) =>
        route === "ConverseStream" && parameters["modelId"] === NOVA
          ? { error: { name: "ThrottlingException", message: "Too many requests." } }
          : undefined,
    });
    emulated.configure(`{agents: {defaults: {model: {primary: "${NOVA}", fallbacks: ["${UNHEARD}"]}}}}`);
    const { code, stdout, stderr } = await emulated.run(["chat", "--temperature", "0", "Hi"], {
      env: { AWS_MAX_ATTEMPTS: "1" },
    });
    expect(stderr).toContain(`'${UNHEARD}' refuses temperature`);
    expect(code).toBe(0);
    expect(stdout).toContain("simulated answer");
  });
});

describe("a server of OpenAI's API", () => {
  const unsupported = (param: string, message: string, code = "unsupported_parameter") =>
    refusal(400, { message, type: "invalid_request_error", param, code });

  async function asked(refuse: (body: Record<string, unknown>) => ReturnType<typeof refusal> | undefined) {
    const server = await openaiServer({ chat: ({ body = {} }) => refuse(body) ?? says("Hello") });
    const home = createHome();
    const config = path.join(home, "c.json5");
    writeFileSync(
      config,
      `{models: {providers: {local: {baseUrl: "${server.baseUrl}", api: "openai-completions", models: [{id: "m", reasoning: true}]}}}}`,
      { mode: 0o600 },
    );
    const ask = (...args: string[]) =>
      openclaw(["chat", "--config", config, "-m", "local/m", ...args, "Hi"], home, {});
    return { ask, sent: () => server.chats.map(({ body }) => body ?? {}) };
  }

  it.each<[string, string[], string, string, string]>([
    [
      "temperature",
      ["--temperature", "0.2"],
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      "unsupported_value",
      "refuses temperature, so 0.2 is left out",
    ],
    [
      "stop",
      ["--stop", "X"],
      "Unsupported parameter: 'stop' is not supported with this model.",
      "unsupported_parameter",
      'refuses stop, so ["X"] is left out',
    ],
    [
      "reasoning_effort",
      ["--reasoning", "high"],
      "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
      "unsupported_parameter",
      "does not reason, so reasoning 'high' is left out",
    ],
  ])(
    "is asked without %s, with a notice, and at once the next time",
    async (field, args, message, code, notice) => {
      const { ask, sent } = await asked((body) =>
        field in body ? unsupported(field, message, code) : undefined,
      );
      const first = await ask(...args);
      expect(first.stderr).toContain(notice);
      expect(first.code).toBe(0);
      expect(sent().map((body) => field in body)).toEqual([true, false]);
      await ask(...args);
      expect(sent().map((body) => field in body)).toEqual([true, false, false]);
    },
  );

  it("is asked in its own words for the length, silently", async () => {
    const { ask, sent } = await asked((body) =>
      "max_tokens" in body
        ? unsupported(
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          )
        : undefined,
    );
    for (let call = 0; call < 2; call += 1)
      expect(await ask("--max-tokens", "7")).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
    expect(sent().map((body) => body["max_completion_tokens"])).toEqual([undefined, 7, 7]);
  });

  it("is asked for the nearest level that it names", async () => {
    const { ask, sent } = await asked(({ reasoning_effort: effort }) =>
      effort === "max" || effort === "none"
        ? unsupported(
            "reasoning_effort",
            `Unsupported value: 'reasoning_effort' does not support '${effort}' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'.`,
            "unsupported_value",
          )
        : undefined,
    );
    expect((await ask("--reasoning", "max")).stderr).toContain("so 'high' is sent");
    expect((await ask("--reasoning", "off")).stderr).toContain("cannot stop reasoning, so 'minimal' is sent");
    expect(sent().map((body) => body["reasoning_effort"])).toEqual(["max", "high", "minimal"]);
  });

  it("is told the system prompt as a message where it has no such role", async () => {
    const { ask, sent } = await asked(({ messages }) =>
      JSON.stringify(messages).includes('"system"')
        ? unsupported(
            "messages[0].role",
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "unsupported_value",
          )
        : undefined,
    );
    const { code, stderr } = await ask("-s", "Be brief.");
    expect(code).toBe(0);
    expect(stderr).toContain("takes no system prompt, so it is sent as the first message");
    expect(sent()[1]?.["messages"]).toEqual([
      { role: "user", content: "Be brief." },
      { role: "assistant", content: "OK." },
      { role: "user", content: "Hi" },
    ]);
  });

  it("is asked for a whole answer where it takes no tools in a stream", async () => {
    const schema = '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}';
    const { ask, sent } = await asked((body) => {
      if ("response_format" in body)
        return unsupported("response_format", "This response_format type is unavailable now");
      if (body["stream"])
        return refusal(500, { code: 500, message: "Cannot use tools with stream", type: "server_error" });
      const call = { id: "call_1", type: "function", function: { name: "answer", arguments: '{"n":1}' } };
      const message = { role: "assistant", content: null, tool_calls: [call] };
      return {
        body: {
          id: "c",
          object: "chat.completion",
          choices: [{ index: 0, message, finish_reason: "tool_calls" }],
        },
      };
    });
    expect(await ask("--schema", schema)).toMatchObject({ code: 0, stdout: '{"n":1}\n' });
    expect(sent().map(({ stream }) => stream)).toEqual([true, true, false]);
  });

  it("keeps its refusal of what is never left out", async () => {
    const { ask, sent } = await asked(() =>
      unsupported("messages", "Unsupported parameter: 'messages' is not supported with this model."),
    );
    expect((await ask("--temperature", "0.2")).code).toBe(6);
    expect(sent()).toHaveLength(1);
  });
});
