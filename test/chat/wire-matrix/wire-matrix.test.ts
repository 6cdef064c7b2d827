import type { Message } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { askModel, type Question } from "../../../src/chat/ask-model.ts";
import type { ChatEvent } from "../../../src/converse/chat-event.ts";
import { OpenclawError } from "../../../src/errors.ts";
import { resolveModel } from "../../../src/models/resolve-model.ts";
import { readSetup } from "../../../src/session/session.ts";
import { openaiServer, type OpenaiReply, type OpenaiServer } from "../../helpers/openai-server.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { PIXEL } from "../../helpers/pixel.ts";
import { testRuntime, useEnvironment } from "../../helpers/test-runtime.ts";
import { type Column, COLUMNS, COUNTS } from "./columns.ts";

const BOUNDS = { firstEventMs: 10_000, silenceMs: 10_000, totalMs: undefined };
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "a/secret/of/the/tests" };
const CLOCK: NonNullable<Question["tools"]> = {
  tools: [
    {
      toolSpec: {
        name: "clock",
        description: "Tells the time.",
        inputSchema: { json: { type: "object", properties: { zone: { type: "string" } } } },
      },
    },
  ],
};

interface Outcome {
  events: ChatEvent[];
  error: OpenclawError | undefined;
}

interface Asking extends Partial<
  Pick<Question, "bounds" | "tools" | "system" | "parameters" | "attachments">
> {
  messages?: readonly Message[];
  /** What the settings say that the model takes. */
  input?: ("text" | "image")[];
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** Told of each event as it comes. */
  hears?: (event: ChatEvent) => void;
}

interface Wired extends Pick<OpenaiServer, "chats"> {
  ask(asking?: Asking): Promise<Outcome>;
}

/** A scripted server in the place of a wire's, and the way to ask through it. */
async function wired(column: Column, answer: (nth: number) => OpenaiReply): Promise<Wired> {
  const server = await openaiServer({ chat: (_call, nth) => answer(nth) });
  const url = new URL(server.baseUrl).origin;
  const { config, model } = column.settings(url);
  return {
    chats: server.chats,
    ask: async ({ env = {}, signal, hears, messages, input, ...more } = {}) => {
      const home = createHome();
      const whole = {
        ...KEYS,
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_MAX_ATTEMPTS: "1",
        HOME: home,
        ...env,
      };
      useEnvironment(whole);
      const runtime = testRuntime({ home, env: whole, ...(signal && { signal }) });
      const setup = await readSetup({ color: false }, runtime, { file: "", exists: false, value: config });
      const resolved = resolveModel(model, config);
      const question: Question = {
        model: input
          ? { ...resolved, configured: { ...resolved.configured, id: resolved.id, input } }
          : resolved,
        messages: messages ?? [{ role: "user", content: [{ text: "What time is it?" }] }],
        parameters: {},
        bounds: BOUNDS,
        known: async () => undefined,
        ...more,
      };
      const events: ChatEvent[] = [];
      try {
        for await (const event of askModel(setup, question)) {
          events.push(event);
          hears?.(event);
        }
        return { events, error: undefined };
      } catch (error) {
        if (!(error instanceof OpenclawError)) throw error;
        return { events, error };
      }
    },
  };
}

const textOf = ({ events }: Outcome, type: "text" | "reasoning" = "text"): string =>
  events.map((event) => (event.type === type && "text" in event ? event.text : "")).join("");

function eventOf<Type extends ChatEvent["type"]>({ events }: Outcome, type: Type) {
  return events.find((event): event is Extract<ChatEvent, { type: Type }> => event.type === type);
}

describe.each(COLUMNS)("$name", (column) => {
  it("streams a text, with its end and its counts", async () => {
    const { ask, chats } = await wired(column, () => column.says({ texts: ["It is ", "noon."] }));
    const outcome = await ask();
    expect(outcome.error).toBeUndefined();
    expect(textOf(outcome)).toBe("It is noon.");
    expect(eventOf(outcome, "stop")).toMatchObject({ stopReason: "end_turn" });
    expect(eventOf(outcome, "usage")).toMatchObject(COUNTS);
    expect(eventOf(outcome, "start")).toMatchObject({
      attempts: 1,
      region: column.isAws ? "us-east-1" : null,
    });
    expect(chats.map(({ method, path }) => [method, path])).toEqual([["POST", column.path]]);
  });

  it("hands on what has come before the rest is there", async () => {
    const { ask } = await wired(column, () => ({
      ...column.says({}),
      pieces: column.begins("It is"),
      end: "stall",
    }));
    const stopped = new AbortController();
    const reason = new OpenclawError("interrupted", { message: "Stopped.", hint: "" });
    const outcome = await ask({
      signal: stopped.signal,
      hears: ({ type }) => type === "text" && stopped.abort(reason),
    });
    expect(textOf(outcome)).toMatch(/^It i/);
    expect(outcome.error?.code).toBe("interrupted");
  });

  it("leaves the connection when it is interrupted", async () => {
    const { ask, chats } = await wired(column, () => ({
      ...column.says({}),
      pieces: column.begins("It is"),
      end: "stall",
    }));
    const stopped = new AbortController();
    await ask({
      signal: stopped.signal,
      hears: ({ type }) =>
        type === "text" && stopped.abort(new OpenclawError("interrupted", { message: "Stopped.", hint: "" })),
    });
    await chats[0]?.left;
  });

  it("says the system prompt and the parameters in its own words", async () => {
    const { ask, chats } = await wired(column, () => column.says({ texts: ["Noon."] }));
    const outcome = await ask({ system: "Be brief.", parameters: { maxTokens: 100, temperature: 0.5 } });
    expect(outcome.error).toBeUndefined();
    expect(column.asked(chats[0]?.body ?? {})).toMatchObject({
      system: "Be brief.",
      maxTokens: 100,
      temperature: 0.5,
    });
  });

  it("asks for a level of reasoning, and tells the reasoning apart", async () => {
    const { ask, chats } = await wired(column, () =>
      column.says({ reasoning: "Hm, noon?", texts: ["Noon."] }),
    );
    const outcome = await ask({ parameters: { reasoning: "high" } });
    expect(textOf(outcome, "reasoning")).toBe("Hm, noon?");
    expect(textOf(outcome)).toBe("Noon.");
    expect(column.asked(chats[0]?.body ?? {}).level).toBe("high");
  });

  it("offers tools and hands on the call of one", async () => {
    const call = { id: "call_1", name: "clock", input: { zone: "UTC" } };
    const { ask, chats } = await wired(column, () => column.says({ call }));
    const outcome = await ask({ tools: CLOCK });
    expect(column.asked(chats[0]?.body ?? {}).tools).toEqual(["clock"]);
    expect(eventOf(outcome, "tool-start")).toMatchObject({ id: "call_1", name: "clock" });
    const input = outcome.events.map((event) => (event.type === "tool-input" ? event.text : "")).join("");
    expect(JSON.parse(input)).toEqual({ zone: "UTC" });
    expect(eventOf(outcome, "stop")).toMatchObject({ stopReason: "tool_use" });
  });

  it("sends the result of a tool with the call that it answers", async () => {
    const { ask, chats } = await wired(column, () => column.says({ texts: ["Noon."] }));
    const toolUse = { toolUseId: "call_1", name: "clock", input: { zone: "UTC" } };
    const toolResult = { toolUseId: "call_1", content: [{ text: "12:00" }] };
    const outcome = await ask({
      tools: CLOCK,
      messages: [
        { role: "user", content: [{ text: "What time is it?" }] },
        { role: "assistant", content: [{ toolUse }] },
        { role: "user", content: [{ toolResult }] },
      ],
    });
    expect(outcome.error).toBeUndefined();
    const sent = JSON.stringify(chats[0]?.body);
    expect(sent.match(/"call_1"/g)).toHaveLength(2);
    expect(sent.indexOf("12:00")).toBeGreaterThan(sent.indexOf("UTC"));
  });

  it("sends an image", async () => {
    const { ask, chats } = await wired(column, () => column.says({ texts: ["A pixel."] }));
    const messages: Message[] = [
      {
        role: "user",
        content: [{ image: { format: "png", source: { bytes: PIXEL } } }, { text: "What is it?" }],
      },
    ];
    const outcome = await ask({ messages, input: ["text", "image"] });
    expect(outcome.error).toBeUndefined();
    expect(JSON.stringify(chats[0]?.body)).toContain(PIXEL.toString("base64"));
    expect((await ask({ messages, input: ["text"] })).error).toMatchObject({ code: "bad-attachment" });
    expect(chats).toHaveLength(1);
  });

  it.each([
    ["length", "max_tokens"],
    ["filtered", "content_filtered"],
  ] as const)("says why an answer ends: %s", async (stop, stopReason) => {
    const { ask } = await wired(column, () => column.says({ texts: ["It"], stop }));
    const expected = stop === "filtered" ? (column.withheld ?? stopReason) : stopReason;
    expect(eventOf(await ask(), "stop")).toMatchObject({ stopReason: expected });
  });

  it.each([
    [400, "The field is wrong.", "invalid-request"],
    [400, "prompt is too long: 9 tokens > 8 maximum", "input-too-long"],
    [401, "Who are you?", "credentials-rejected"],
    [403, "You may not.", "access-denied"],
    [404, "The model 'm' does not exist", "model-not-found"],
    [429, "Too many requests", "throttled"],
    [500, "It broke.", "service-unavailable"],
    [503, "Overloaded", "service-unavailable"],
  ] as const)("tells a refusal with status %i, %j: %s", async (status, words, code) => {
    const { ask, chats } = await wired(column, () => column.refuses(status, words));
    const { error, events } = await ask();
    expect(error?.code).toBe(code);
    expect(events).toEqual([]);
    // Another API is asked by AWS where the model is not there, and nothing else is.
    expect(chats.filter(({ path }) => path === column.path)).toHaveLength(1);
  });

  it.each([429, 500, 503])("tries again after status %i, before the first word", async (status) => {
    const { ask, chats } = await wired(column, (nth) =>
      nth === 1 ? column.refuses(status, "Later.") : column.says({ texts: ["Noon."] }),
    );
    const outcome = await ask({ env: { AWS_MAX_ATTEMPTS: "2" } });
    expect(textOf(outcome)).toBe("Noon.");
    expect(eventOf(outcome, "start")).toMatchObject({ attempts: 2 });
    expect(chats).toHaveLength(2);
  });

  it("tries again after a connection that broke before the first word", async () => {
    const { ask } = await wired(column, (nth) =>
      nth === 1 ? { ...column.says({}), pieces: [], end: "drop" } : column.says({ texts: ["Noon."] }),
    );
    const outcome = await ask({ env: { AWS_MAX_ATTEMPTS: "2" } });
    expect(textOf(outcome)).toBe("Noon.");
  });

  it.each(["drop", undefined] as const)("does not take a part for the whole: ended by %s", async (end) => {
    const { ask, chats } = await wired(column, () => ({
      ...column.says({}),
      pieces: column.begins("It is"),
      ...(end && { end }),
    }));
    const outcome = await ask({ env: { AWS_MAX_ATTEMPTS: "3" } });
    expect(textOf(outcome)).toMatch(/^It i/);
    expect(outcome.error?.code).toBe("stream-broken");
    expect(chats).toHaveLength(1);
  });

  it("waits for the first word as long as it is told", async () => {
    const { ask } = await wired(column, () => ({ ...column.says({}), pieces: [], end: "stall" }));
    const { error } = await ask({ bounds: { ...BOUNDS, firstEventMs: 50 } });
    expect(error).toMatchObject({ code: "timeout", hint: expect.stringContaining("--first-token-timeout") });
  });

  it("bears a silence in the middle as long as it is told", async () => {
    const { ask } = await wired(column, () => ({
      ...column.says({}),
      pieces: column.begins("It is"),
      end: "stall",
    }));
    const outcome = await ask({ bounds: { ...BOUNDS, silenceMs: 50 } });
    expect(textOf(outcome)).toMatch(/^It i/);
    expect(outcome.error?.code).toBe("timeout");
  });
});

// Frames of Converse say their length beforehand, and are tried with the other faults of its stream.
describe.each(COLUMNS.filter((column) => typeof column.begins("a")[0] === "string"))("$name", (column) => {
  it("takes no event without an end for a connection that broke, and asks once", async () => {
    const { ask, chats } = await wired(column, () => ({
      ...column.says({}),
      pieces: [...column.begins("It is").map(String), "data: ", "a".repeat(17 * 1024 * 1024)],
      end: "stall",
    }));
    const outcome = await ask({ env: { AWS_MAX_ATTEMPTS: "3" } });
    expect(textOf(outcome)).toMatch(/^It i/);
    expect(outcome.error).toMatchObject({
      code: "bad-response",
      message: "The answer holds an event of more than 16 MB.",
    });
    expect(chats).toHaveLength(1);
  });
});
