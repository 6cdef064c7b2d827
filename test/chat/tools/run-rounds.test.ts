import { setTimeout as wait } from "node:timers/promises";
import type { Message } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openConversation } from "../../../src/chat/sessions/open-conversation.ts";
import { readSession } from "../../../src/chat/sessions/session-files.ts";
import { TurnKeeper } from "../../../src/chat/sessions/turn-keeper.ts";
import { type RoundsOptions, runTurnWithTools } from "../../../src/chat/tools/run-rounds.ts";
import {
  textResult,
  type Tool,
  type ToolCall,
  type ToolResult,
  type TurnEvent,
} from "../../../src/chat/tools/tool.ts";
import type { Query } from "../../../src/chat/run-turn.ts";
import type { DialogueStep } from "../../../src/emulator/dialogue.ts";
import type { Script } from "../../../src/emulator/script.ts";
import { OpenclawError } from "../../../src/errors.ts";
import { Ledger } from "../../../src/ledger/ledger.ts";
import { resolveModel } from "../../../src/models/resolve-model.ts";
import { readSetup } from "../../../src/session/session.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { testRuntime, useEnvironment } from "../../helpers/test-runtime.ts";
import { isThorough } from "../../helpers/thorough.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA = "amazon.nova-lite-v1:0";
const question: Message = { role: "user", content: [{ text: "What time is it?" }] };

/** A tool that comes to what `run` says. */
const tool = (name: string, run: Tool["run"], more: Partial<Tool> = {}): Tool => ({
  name,
  source: { kind: "command", command: [name] },
  description: `Does ${name}.`,
  inputSchema: { type: "object", properties: { zone: { type: "string" } } },
  run,
  ...more,
});
const clock = tool("clock", async ({ zone = "UTC" }) => textResult(`12:00 ${String(zone)}`));

interface Asking extends Partial<Omit<RoundsOptions, "toolbox" | "runtime">> {
  models?: readonly string[];
  tools?: readonly Tool[];
  /** The tools of each round. */
  toolsOf?: (round: number) => readonly Tool[];
  query?: Partial<Query>;
  signal?: AbortSignal;
  hears?: (event: TurnEvent) => void;
  session?: string;
}

interface Outcome {
  events: TurnEvent[];
  error: unknown;
  /** What models were sent, round by round. */
  sent: { messages: Message[]; [name: string]: unknown }[];
  stderr: string;
}

/** Runs a turn through the whole program below the command line, against the emulator over its socket. */
async function turnWith(emulated: Emulated, asking: Asking = {}): Promise<Outcome> {
  const { models = [NOVA], tools = [clock], query = {}, signal, hears, session, ...options } = asking;
  const env = { ...emulated.env, AWS_REGION: "us-east-1", AWS_MAX_ATTEMPTS: "1", HOME: emulated.home };
  useEnvironment(env);
  const runtime = testRuntime({ home: emulated.home, env, ...(signal && { signal }) });
  const setup = await readSetup({ color: false }, runtime, { file: "", exists: false, value: {} });
  const conversation = session && (await openConversation({ session, save: true }, runtime, false));
  const context = { key: models[0] ?? "", system: undefined, runtime, onUnkept: async () => undefined };
  const keeper = conversation ? new TurnKeeper(conversation, context) : undefined;
  const before = emulated.emulator.calls.length;
  const events: TurnEvent[] = [];
  let error: unknown;
  let round = 0;
  try {
    const arrivals = runTurnWithTools(
      setup,
      models.map((name) => resolveModel(name, {})),
      {
        messages: [question],
        parameters: {},
        bounds: { firstEventMs: undefined, silenceMs: 10_000, totalMs: undefined },
        earlier: conversation ? [...conversation.turns] : undefined,
        ...query,
      },
      {
        toolbox: { tools: async () => asking.toolsOf?.(round++) ?? tools },
        permit: async () => undefined,
        maxSteps: 20,
        ledger: new Ledger(runtime, {}, { command: "chat" }),
        keeper,
        ...options,
      },
    );
    for await (const { event } of arrivals) {
      events.push(event);
      hears?.(event);
    }
  } catch (failure) {
    error = failure;
  }
  if (conversation) {
    await keeper?.end({ failure: error });
    await conversation.close();
  }
  const calls = emulated.emulator.calls.slice(before);
  const sent = calls.filter(({ route }) => route === "ConverseStream").map(({ body }) => body as never);
  return { events, error, sent, stderr: runtime.stderr() };
}

const emulating = (...dialogue: DialogueStep[]): Promise<Emulated> => emulate({ dialogue });
const calling = (...toolCalls: NonNullable<DialogueStep["toolCalls"]>): DialogueStep => ({ toolCalls });
const asked = (name: string, input: object = {}, id = `id_${name}`) => ({ name, input, id });

const results = ({ events }: Outcome) => events.filter((event) => event.type === "tool-result");
const said = ({ events }: Outcome): string =>
  events.map((event) => (event.type === "text" ? event.text : "")).join("");
const resultText = (result: { content: ToolResult["content"] } | undefined): string =>
  (result?.content ?? []).map(({ text }) => text).join("");

describe("a turn with tools", () => {
  it("takes the secrets of this process out of what a tool answers, in each form, before anybody is told", async () => {
    const emulated = await emulating({ toolCalls: [asked("leak")] }, { text: "It is $result." });
    const secret = emulated.env["AWS_SECRET_ACCESS_KEY"] ?? "";
    const leak = tool("leak", async () => ({
      content: [
        { text: `AWS_SECRET_ACCESS_KEY=${secret} and ${Buffer.from(secret).toString("base64")}` },
        { json: { env: [{ [secret]: encodeURIComponent(secret) }], left: 1 } },
        { image: { format: "png", source: { bytes: new Uint8Array([1, 2]) } } },
      ],
      isError: false,
    }));
    const outcome = await turnWith(emulated, { tools: [leak], session: "leak" });
    expect(secret.length).toBeGreaterThan(16);
    expect(results(outcome)[0]?.content).toEqual([
      { text: expect.stringMatching(/^AWS_SECRET_ACCESS_KEY=… and …=*$/) },
      { json: { env: [{ "…": "…" }], left: 1 } },
      { image: { format: "png", source: { bytes: new Uint8Array([1, 2]) } } },
    ]);
    expect(JSON.stringify(outcome.sent)).not.toContain(secret);
    expect(JSON.stringify(outcome.events)).not.toContain(secret);
  });

  it("runs what the model calls, and asks again with what that came to", async () => {
    const emulated = await emulating(
      { text: "Let me look.", toolCalls: [asked("clock", { zone: "CET" })] },
      { text: "It is $result." },
    );
    const outcome = await turnWith(emulated);
    expect(outcome.error).toBeUndefined();
    expect(outcome.events.map(({ type }) => type).filter((type) => !type.startsWith("tool-i"))).toEqual([
      "start",
      "text",
      "tool-start",
      "stop",
      "usage",
      "tool-call",
      "tool-result",
      "start",
      "text",
      "stop",
      "usage",
    ]);
    expect(said(outcome)).toBe("Let me look.It is 12:00 CET.");
    expect(outcome.events.find(({ type }) => type === "tool-call")).toEqual({
      type: "tool-call",
      toolUseId: "id_clock",
      name: "clock",
      input: { zone: "CET" },
      source: clock.source,
    });
    expect(results(outcome)).toEqual([
      {
        type: "tool-result",
        toolUseId: "id_clock",
        name: "clock",
        status: "success",
        content: [{ text: "12:00 CET" }],
        durationMs: expect.any(Number),
      },
    ]);
    expect(outcome.sent).toHaveLength(2);
  });

  it("is one of a conversation that goes on", async () => {
    const emulated = await emulating(calling(asked("clock")), { text: "Noon." }, { text: "Still noon." });
    await turnWith(emulated, { session: "s" });
    const [turn] = (await readSession(testRuntime({ home: emulated.home }), "s"))?.turns ?? [];
    expect(turn?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(turn?.usage?.askings).toBe(2);
    const next = await turnWith(emulated, { session: "s" });
    expect(said(next)).toBe("Still noon.");
    expect(next.sent[0]?.messages).toHaveLength(5);
    // What was said stays what it was, to the letter: that is what a prompt cache finds again.
    expect(JSON.stringify(next.sent[0]?.messages)).toContain('"toolUseId":"id_clock"');
  });

  it("runs parallel calls at once, and answers them in their order", async () => {
    const emulated = await emulating(calling(asked("slow"), asked("quick")), { text: "$result" });
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow = tool("slow", async () => {
      await released;
      return textResult("slow");
    });
    const quick = tool("quick", async () => {
      release();
      return textResult("quick");
    });
    const outcome = await turnWith(emulated, { tools: [slow, quick] });
    expect(outcome.error).toBeUndefined();
    expect(results(outcome).map(resultText).toSorted()).toEqual(["quick", "slow"]);
    expect(said(outcome)).toBe("slow\nquick");
  });

  it("has signed reasoning go back with the calls that it led to", async () => {
    const emulated = await emulating(
      { reasoning: "I must look.", toolCalls: [asked("clock")] },
      { text: "Noon." },
    );
    const outcome = await turnWith(emulated, {
      models: [CLAUDE],
      query: { parameters: { reasoning: "low" } },
    });
    expect(outcome.error).toBeUndefined();
    const [thought] = outcome.sent[1]?.messages[1]?.content ?? [];
    expect(thought?.reasoningContent?.reasoningText).toMatchObject({ text: "I must look." });
    expect(thought?.reasoningContent?.reasoningText?.signature).not.toBe("");
  });

  it("sends no reasoning that was signed under other tools", async () => {
    const emulated = await emulating(
      { reasoning: "I must look.", toolCalls: [asked("clock")] },
      { text: "Noon." },
    );
    const outcome = await turnWith(emulated, {
      models: [CLAUDE],
      toolsOf: (round) => (round === 0 ? [clock] : [clock, tool("other", clock.run)]),
      query: { parameters: { reasoning: "low" } },
    });
    expect(outcome.error).toBeUndefined();
    expect(JSON.stringify(outcome.sent[1])).not.toContain("reasoningContent");
  });

  it("asks the model that answered the first round", async () => {
    const emulated = await emulate({
      dialogue: [calling(asked("clock")), { text: "Noon." }],
      script: ({ path, route }) =>
        route === "ConverseStream" && path.includes("nova")
          ? { error: { name: "ThrottlingException", message: "Slow down." } }
          : undefined,
    });
    const outcome = await turnWith(emulated, { models: [NOVA, CLAUDE] });
    expect(outcome.error).toBeUndefined();
    const paths = emulated.emulator.calls.flatMap(({ route, path }) =>
      route === "ConverseStream" ? path : [],
    );
    expect(paths.map((path) => path.includes("nova"))).toEqual([true, false, false]);
    expect(outcome.stderr.match(/Asking/g)).toHaveLength(1);
  });

  it.each([
    // Behind the tools, and where the newest two messages end.
    [CLAUDE, [1, 1, 2]],
    // Behind the question, which is text.
    [NOVA, [0, 1, 1]],
  ])(
    "has the prompt cached that every round of '%s' sends again",
    async (model, [inTools, first, second]) => {
      const emulated = await emulating(calling(asked("clock")), { text: "Noon." });
      const { sent, error } = await turnWith(emulated, { models: [model] });
      expect(error).toBeUndefined();
      const count = (value: unknown) => JSON.stringify(value).split('"cachePoint"').length - 1;
      expect(sent.map(({ toolConfig }) => count(toolConfig))).toEqual([inTools, inTools]);
      expect(sent.map(({ messages }) => count(messages))).toEqual([first, second]);
    },
  );

  it("sends the files of the question with every round", async () => {
    const emulated = await emulating(calling(asked("clock")), { text: "Noon." });
    const attachment = {
      label: "notes.txt",
      fileName: "notes.txt",
      file: { kind: "document" as const, format: "txt" as const },
      bytes: Buffer.from("some notes"),
    };
    const { sent, error } = await turnWith(emulated, { query: { attachments: [attachment] } });
    expect(error).toBeUndefined();
    const documents = sent.map(({ messages }) => messages[0]?.content?.filter(({ document }) => document));
    expect(documents[0]).toHaveLength(1);
    expect(documents[1]).toEqual(documents[0]);
  });
});

describe("a call comes to an error that the model is told", () => {
  const told = async (call: { name: string; input: object }, tools: readonly Tool[], more: Asking = {}) => {
    const emulated = await emulating(calling({ ...call, id: "a" }), { text: "I see." });
    const outcome = await turnWith(emulated, { tools, ...more });
    expect(outcome.error).toBeUndefined();
    expect(said(outcome)).toBe("I see.");
    const [result] = results(outcome);
    expect(result?.status).toBe("error");
    const [sent] = outcome.sent[1]?.messages[2]?.content ?? [];
    expect(sent?.toolResult).toMatchObject({ toolUseId: "a", content: [{ text: resultText(result) }] });
    return { text: resultText(result), result };
  };
  const never = tool("clock", async () => {
    throw new Error("It must not run.");
  });

  it("for a tool that there is not, with those that there are", async () => {
    const { text } = await told({ name: "sundial", input: {} }, [never, tool("calendar", never.run)]);
    expect(text).toBe("There is no tool 'sundial'. There is: clock, calendar.");
  });

  it("for input that does not fit, without anybody being asked", async () => {
    const inputSchema = { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] };
    const { text } = await told({ name: "clock", input: { zone: 3 } }, [{ ...never, inputSchema }], {
      permit: async () => {
        throw new Error("Nobody must be asked.");
      },
    });
    expect(text).toBe(
      "The call was not run: the input of 'clock' does not fit its schema: /zone must be string.",
    );
  });

  it("for what nobody gives leave to", async () => {
    const { text, result } = await told({ name: "clock", input: {} }, [never], {
      permit: async () => textResult("The call was not run: the person said no.", true),
    });
    expect(text).toBe("The call was not run: the person said no.");
    expect(result).toMatchObject({ refused: true });
  });

  it("for a tool that fails in a way that is known", async () => {
    const failing = tool("clock", async () => {
      throw new OpenclawError("timeout", { message: "'clock' took longer than 60 s." });
    });
    const { text, result } = await told({ name: "clock", input: {} }, [failing]);
    expect(text).toBe("'clock' took longer than 60 s.");
    expect(result).not.toHaveProperty("refused");
  });

  it("but not for a bug of ours, which ends the turn and the other tools", async () => {
    const emulated = await emulating(calling(asked("bad"), asked("endless")), { text: "Never." });
    const bad = tool("bad", async () => {
      throw new TypeError("undefined is not a function");
    });
    const { tool: endless, ended } = endlessTool();
    const outcome = await turnWith(emulated, { tools: [bad, endless] });
    expect(outcome.error).toBeInstanceOf(TypeError);
    expect(ended()).toBe(true);
  });

  it("with a schema that is none: then the tool has the word", async () => {
    const emulated = await emulating(calling(asked("clock", { zone: "CET" })), { text: "$result" });
    const outcome = await turnWith(emulated, {
      tools: [{ ...clock, inputSchema: { type: "object", properties: { zone: { type: "strnig" } } } }],
    });
    expect(said(outcome)).toBe("12:00 CET");
  });
});

/** A tool that runs until it is ended, and whether it was. */
function endlessTool(name = "endless") {
  let state: "waiting" | "running" | "ended" = "waiting";
  const run: Tool["run"] = (_, signal) =>
    new Promise((_resolve, reject) => {
      state = "running";
      signal.addEventListener("abort", () => {
        state = "ended";
        reject(signal.reason as Error);
      });
    });
  return { tool: tool(name, run), ended: () => state === "ended" };
}

describe("a turn with tools ends", () => {
  it("with max-steps when the model calls in more rounds than it may, and runs no more", async () => {
    const emulated = await emulating(
      ...["a", "b", "c"].map((id) => ({ text: `${id} `, toolCalls: [asked("clock", {}, id)] })),
    );
    const outcome = await turnWith(emulated, { maxSteps: 2 });
    expect(outcome.error).toMatchObject({ code: "max-steps", exitCode: 5, details: { maxSteps: 2 } });
    expect(said(outcome)).toBe("a b c ");
    expect(results(outcome)).toHaveLength(2);
  });

  it("without an error in the round behind the last that may call", async () => {
    const emulated = await emulating(calling(asked("clock")), { text: "Noon." });
    expect(await turnWith(emulated, { maxSteps: 1 })).toMatchObject({ error: undefined });
  });

  it("with the calls where those are left to whoever asked", async () => {
    const emulated = await emulating(calling(asked("clock"), asked("none")), { text: "Never." });
    const outcome = await turnWith(emulated, { leavesCalls: true, session: "s" });
    expect(outcome.error).toBeUndefined();
    expect(outcome.events.flatMap((event) => (event.type === "tool-call" ? event.toolUseId : []))).toEqual([
      "id_clock",
      "id_none",
    ]);
    expect(outcome.sent).toHaveLength(1);
    const [turn] = (await readSession(testRuntime({ home: emulated.home }), "s"))?.turns ?? [];
    expect(turn).toMatchObject({ stopReason: "tool_use" });
    expect(turn?.messages).toHaveLength(2);
  });

  it.each([
    "max_tokens",
    "content_filtered",
    "guardrail_intervened",
    "model_context_window_exceeded",
  ] as const)("with an answer that stops with %s, of whose calls none is run", async (stopReason) => {
    const emulated = await emulating({ ...calling(asked("clock")), stopReason });
    const outcome = await turnWith(emulated);
    expect(outcome.error).toBeUndefined();
    expect(outcome.events.filter(({ type }) => type === "tool-call" || type === "tool-result")).toEqual([]);
    expect(outcome.events.find(({ type }) => type === "stop")).toMatchObject({ stopReason });
  });

  it("with a stop for tools without a call", async () => {
    const emulated = await emulating({ text: "Hm.", stopReason: "tool_use" });
    expect(await turnWith(emulated)).toMatchObject({ error: undefined, sent: [expect.anything()] });
  });

  it("with an error of a later round, and everything before kept", async () => {
    const emulated = await emulating(calling(asked("clock")), {
      error: { name: "ValidationException", message: "Nope." },
    });
    const outcome = await turnWith(emulated, { session: "s" });
    expect(outcome.error).toMatchObject({ code: "invalid-request" });
    const [turn] = (await readSession(testRuntime({ home: emulated.home }), "s"))?.turns ?? [];
    expect(turn).toMatchObject({ failure: { code: "invalid-request" } });
    expect(turn?.messages).toHaveLength(4);
  });

  it("with its tools when it is interrupted, and can be gone on with", async () => {
    const emulated = await emulating(calling(asked("clock"), asked("endless")), { text: "Later." });
    const { tool: endless, ended } = endlessTool();
    const controller = new AbortController();
    const interruption = new OpenclawError("interrupted", { message: "Interrupted." });
    const outcome = await turnWith(emulated, {
      tools: [clock, endless],
      signal: controller.signal,
      session: "s",
      hears: ({ type }) => void (type === "tool-result" && controller.abort(interruption)),
    });
    expect(outcome.error).toBe(interruption);
    expect(ended()).toBe(true);
    const [turn] = (await readSession(testRuntime({ home: emulated.home }), "s"))?.turns ?? [];
    expect(turn?.stopReason).toBe("interrupted");
    expect(turn?.messages[2]?.content).toMatchObject([
      { toolResult: { toolUseId: "id_clock", content: [{ text: "12:00 UTC" }] } },
      { toolResult: { toolUseId: "id_endless", status: "error" } },
    ]);
    const next = await turnWith(emulated, { session: "s", tools: [clock, endless] });
    expect(next.error).toBeUndefined();
    expect(said(next)).toBe("Later.");
  });

  it("when nobody wants more of it, and leaves no tool running", async () => {
    const emulated = await emulating(calling(asked("endless"), asked("clock")), { text: "Never." });
    const { tool: endless, ended } = endlessTool();
    const enough = new Error("enough");
    const outcome = await turnWith(emulated, {
      tools: [endless, clock],
      hears: (event) => {
        if (event.type === "tool-result") throw enough;
      },
    });
    expect(outcome.error).toBe(enough);
    expect(ended()).toBe(true);
  });

  it("in time although a tool does not heed that it is ended", async () => {
    const emulated = await emulating(calling(asked("deaf")));
    const deaf = tool("deaf", () => new Promise(() => undefined));
    const signal = AbortSignal.timeout(200);
    const startedAt = performance.now();
    const outcome = await turnWith(emulated, { tools: [deaf], signal });
    expect(outcome.error).toBe(signal.reason);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it("when its time is over, which tools have to share", async () => {
    const emulated = await emulating(calling(asked("endless")));
    const { tool: endless, ended } = endlessTool();
    const bounds = { firstEventMs: undefined, silenceMs: 10_000, totalMs: 400 };
    const outcome = await turnWith(emulated, { tools: [endless], query: { bounds } });
    expect(outcome.error).toMatchObject({
      code: "timeout",
      message: "The answer took longer than 0.4 s.",
      hint: "Try again, or allow more time with --timeout.",
    });
    expect(ended()).toBe(true);
  });

  it("late where a person takes long to answer: that is none of its time", async () => {
    const emulated = await emulating(calling(asked("clock")), { text: "Noon." });
    const totalMs = 1500;
    const outcome = await turnWith(emulated, {
      permit: async () => {
        await wait(totalMs + 100);
        return undefined;
      },
      query: { bounds: { firstEventMs: undefined, silenceMs: 10_000, totalMs } },
    });
    expect(outcome.error).toBeUndefined();
  });

  it("but not when the person stops the tools, which the model is told", async () => {
    const emulated = await emulating(calling(asked("clock"), asked("endless")), { text: "$result" });
    const { tool: endless, ended } = endlessTool();
    const states: boolean[] = [];
    let stopTools: (() => void) | undefined;
    const outcome = await turnWith(emulated, {
      tools: [endless, clock],
      onTools: (stop) => {
        states.push(stop !== undefined);
        stopTools = stop;
      },
      hears: ({ type }) => void (type === "tool-result" && stopTools?.()),
    });
    expect(outcome.error).toBeUndefined();
    expect(ended()).toBe(true);
    expect(states).toEqual([true, false]);
    expect(said(outcome)).toBe("12:00 UTC\nThe call was stopped by the person before it came to its end.");
  });

  it("and of a call that had not begun, that it was not run", async () => {
    const emulated = await emulating(calling(asked("endless"), asked("clock")), { text: "$result" });
    const { tool: endless } = endlessTool();
    let stopTools: (() => void) | undefined;
    let begun = 0;
    const outcome = await turnWith(emulated, {
      tools: [endless, clock],
      onTools: (stop) => (stopTools = stop),
      permit: async () => {
        begun += 1;
        return undefined;
      },
      hears: (event) => void (event.type === "tool-call" && event.name === "clock" && stopTools?.()),
    });
    expect(outcome.error).toBeUndefined();
    expect(begun).toBe(1);
    expect(said(outcome)).toContain("The call was not run: the person stopped the tools before it began.");
  });
});

describe("what a turn with tools may cost", () => {
  const usage = (counts: object | undefined): Script => {
    return ({ route }) =>
      route === "ConverseStream"
        ? {
            pass: true,
            alter: async function* (steps) {
              for await (const step of steps) {
                if (!("event" in step) || step.event !== "metadata") yield step;
                else if (counts)
                  yield { event: "metadata", payload: { usage: counts, metrics: { latencyMs: 1 } } };
              }
            },
          }
        : undefined;
  };
  const dialogue = [calling(asked("clock")), { text: "Noon." }];

  it("is for all of its rounds together", async () => {
    const counts = { inputTokens: 100_000, outputTokens: 1000, totalTokens: 101_000 };
    const emulated = await emulate({ dialogue, script: usage(counts) });
    const outcome = await turnWith(emulated, { mostUsd: 0.005 });
    expect(outcome.error).toMatchObject({ code: "budget-exceeded", details: { mostUsd: 0.005 } });
    expect(String(outcome.error)).toContain("the turn $0.0062 so far");
    expect(outcome.sent).toHaveLength(1);
    expect(results(outcome)).toHaveLength(1);
  });

  it("ends it where nobody says what a round has cost", async () => {
    const emulated = await emulate({ dialogue, script: usage(undefined) });
    const outcome = await turnWith(emulated, { mostUsd: 1 });
    expect(outcome.error).toMatchObject({ code: "budget-exceeded" });
    expect(results(outcome)).toEqual([]);
  });
});

/** How a call goes in a made-up turn. */
const fates = fc.constantFrom("ok", "empty", "error", "throws", "refused", "unknown", "unfit", "image");
const rounds = fc.array(
  fc.record({
    text: fc.constantFrom(undefined, "Let me look.", " "),
    calls: fc.array(fc.record({ fate: fates, id: fc.constantFrom("a", "b", "c", "x".repeat(70)) }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  { maxLength: 4 },
);

describe("any turn with tools", () => {
  it("sends what is taken, each call answered once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        rounds,
        fc.constantFrom(NOVA, CLAUDE, "mistral.mistral-large-3-675b-instruct"),
        async (made, model) => {
          const nameOf = (fate: string): string => (fate === "unknown" ? "nobody" : "act");
          const steps = made.map(({ text, calls }, index): DialogueStep => ({
            ...(text === undefined ? {} : { text }),
            toolCalls: calls.map(({ fate, id }) => ({
              name: nameOf(fate),
              id: id === "a" ? id : `${id}${index}`,
              input: fate === "unfit" ? {} : { fate },
            })),
          }));
          const emulated = await emulating(...steps, { text: "Done." });
          const act = tool("act", async ({ fate }): Promise<ToolResult> => {
            const png = { format: "png" as const, source: { bytes: new Uint8Array([1, 2, 3]) } };
            if (fate === "throws") throw new OpenclawError("network", { message: "It is gone." });
            if (fate === "empty") return { content: [], isError: false };
            if (fate === "image") return { content: [{ image: png }], isError: false };
            return textResult(String(fate), fate === "error");
          });
          const outcome = await turnWith(emulated, {
            models: [model],
            tools: [{ ...act, inputSchema: { type: "object", required: ["fate"] } }],
            permit: async (_tool: Tool, { input }: ToolCall) =>
              input["fate"] === "refused" ? textResult("No.", true) : undefined,
          });
          expect(outcome.error).toBeUndefined();
          expect(said(outcome).endsWith("Done.")).toBe(true);
          expect(outcome.sent).toHaveLength(made.length + 1);
          for (const { messages } of outcome.sent) {
            const calls = messages.flatMap(({ content = [] }) =>
              content.flatMap(({ toolUse }) => toolUse ?? []),
            );
            const answers = messages.flatMap(({ content = [] }) =>
              content.flatMap(({ toolResult }) => toolResult ?? []),
            );
            expect(answers.map(({ toolUseId }) => toolUseId)).toEqual(
              calls.map(({ toolUseId }) => toolUseId),
            );
            expect(new Set(calls.map(({ toolUseId }) => toolUseId)).size).toBe(calls.length);
          }
        },
      ),
      { numRuns: isThorough ? 500 : 15 },
    );
  });
});
