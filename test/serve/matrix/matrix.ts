import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Configuration } from "../../../src/config/settings.ts";
import type { EmulatorOptions } from "../../../src/emulator/emulator.ts";
import { faultScript } from "../../../src/emulator/fault.ts";
import { PIXEL } from "../../helpers/pixel.ts";
import { serve, type Served } from "../../helpers/served.ts";
import type { DialectClient, OfferedTool, Question, Told } from "./client.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const OSS = "openai.gpt-oss-120b-1:0";
const LUNA = "us.openai.gpt-5.6-luna";

/** A way from the program to a model of the emulator. */
interface Wire {
  name: string;
  /** What a call of the model is at the emulator. */
  route: string;
  model: string;
  api?: "openai-completions" | "openai-responses" | "anthropic-messages";
  readsImages: boolean;
  /** Otherwise a document that is a text is sent as one, in words that differ by where it stood. */
  readsDocuments: boolean;
  /** The members of a request that hold what is asked. */
  content: readonly string[];
  /** What a request has of signed reasoning that goes back. */
  signed?: string;
  /** How the stream breaks, as a fault of the emulator. */
  breaks: string;
}

const WIRES: readonly Wire[] = [
  {
    name: "Converse",
    route: "ConverseStream",
    model: CLAUDE,
    readsImages: true,
    readsDocuments: true,
    content: ["messages", "system", "toolConfig", "outputConfig"],
    signed: '"signature":"',
    breaks: "modelStreamErrorException@2",
  },
  {
    name: "Messages",
    route: "Messages",
    model: CLAUDE,
    api: "anthropic-messages",
    readsImages: true,
    readsDocuments: true,
    content: ["messages", "system", "tools", "output_config", "thinking"],
    signed: '"signature":"',
    breaks: "close@2",
  },
  {
    name: "chat completions",
    route: "ChatCompletions",
    model: OSS,
    api: "openai-completions",
    readsImages: false,
    readsDocuments: false,
    content: ["messages", "tools", "reasoning_effort", "response_format"],
    breaks: "close@2",
  },
  {
    name: "Responses",
    route: "Responses",
    model: LUNA,
    api: "openai-responses",
    readsImages: true,
    readsDocuments: false,
    content: ["input", "instructions", "tools", "reasoning", "text"],
    signed: '"encrypted_content":"gAAAAA',
    breaks: "close@2",
  },
];

const WEATHER: OfferedTool = {
  name: "weather",
  description: "Tells the weather.",
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const SCHEMA = {
  type: "object",
  properties: { word: { type: "string" }, count: { type: "integer" } },
  required: ["word", "count"],
  additionalProperties: false,
};

/** The document of `chat --json`, as far as it is compared. */
interface ChatDocument {
  text: string;
  reasoning?: string;
  stopReason: string;
  usage: { inputTokens: number; outputTokens: number; cacheReadInputTokens?: number };
  steps?: { calls: { toolUseId: string; name: string; input: unknown }[] }[];
}

const STOPS: Readonly<Record<string, Told["stop"]>> = {
  end_turn: "end",
  tool_use: "tool",
  max_tokens: "length",
  stop_sequence: "stop-sequence",
};

const start = (wire: Wire, emulator: EmulatorOptions = {}): Promise<Served> => {
  const config: Configuration = {
    tools: { weather: { description: WEATHER.description, command: ["true"], input: WEATHER.schema } },
    ...(wire.api && { models: { providers: { "amazon-bedrock": { api: wire.api } } } }),
  };
  return serve({ emulator, config: JSON.stringify(config) });
};

/** What `chat` makes of a question. */
async function byChat(served: Served, { model }: Wire, question: Question): Promise<Told> {
  const { text, system, image, document, tools, reasoning, schema, stop, maxTokens } = question;
  const file = (name: string, bytes: string | Uint8Array): string[] => {
    writeFileSync(path.join(served.home, name), bytes);
    return ["--file", name];
  };
  const { code, stdout, stderr } = await served.run([
    "chat",
    "--json",
    "--model",
    model,
    ...(system === undefined ? [] : ["--system", system]),
    ...(image ? file("pixel.png", image) : []),
    ...(document ? file(document.name, document.text) : []),
    ...(tools ? ["--tool", "weather", "--no-run", "--session", "m", "--cache", "off"] : []),
    ...(reasoning ? ["--reasoning", reasoning, "--show-reasoning"] : []),
    ...(schema ? ["--schema", JSON.stringify(schema)] : []),
    ...(stop === undefined ? [] : ["--stop", stop]),
    ...(maxTokens === undefined ? [] : ["--max-tokens", String(maxTokens)]),
    text,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { usage, ...told } = JSON.parse(stdout) as ChatDocument;
  return {
    text: told.text,
    reasoning: told.reasoning ?? "",
    calls: (told.steps ?? []).flatMap(({ calls }) =>
      calls.map(({ toolUseId: id, name, input }) => ({ id, name, input })),
    ),
    stop: STOPS[told.stopReason] ?? "end",
    usage: { input: usage.inputTokens + (usage.cacheReadInputTokens ?? 0), output: usage.outputTokens },
  };
}

interface Answered {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
}

async function post(
  { origin }: Served,
  client: DialectClient,
  question: Question,
  model: string,
  isStreamed: boolean,
): Promise<Answered> {
  const { path: to, headers, body } = client.ask(question, model, isStreamed);
  const response = await fetch(`${origin}${to}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    bytes: new Uint8Array(await response.arrayBuffer()),
  };
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString("utf8"));

async function byClient(
  served: Served,
  client: DialectClient,
  question: Question,
  model: string,
  isStreamed: boolean,
): Promise<Told> {
  const { status, bytes } = await post(served, client, question, model, isStreamed);
  if (status !== 200) throw new Error(`${status}: ${Buffer.from(bytes).toString("utf8")}`);
  return isStreamed ? client.streamed(bytes) : client.whole(parse(bytes));
}

/** What reached the model in each call, but for what says how it is to answer. */
function contentOf({ emulator }: Served, { route, content }: Wire): unknown[] {
  return emulator.calls
    .filter((call) => call.route === route)
    .map(({ body }) =>
      Object.fromEntries(content.map((name) => [name, (body as Record<string, unknown>)[name]])),
    );
}

/** An answer as far as a dialect can tell it. */
function tellable(told: Told, { tellsStops }: DialectClient): Omit<Told, "signed"> {
  const { signed: _, ...rest } = told;
  return { ...rest, stop: !tellsStops && rest.stop === "stop-sequence" ? "end" : rest.stop };
}

/** What may be asked of every wire, and whether a dialect has it. */
const QUESTIONS: readonly {
  name: string;
  question: Question;
  isIn?: (client: DialectClient) => boolean;
  emulator?: EmulatorOptions;
}[] = [
  { name: "text under a system prompt", question: { text: "Hello, you.", system: "Be brief." } },
  { name: "an image", question: { text: "What is it?", image: PIXEL } },
  {
    name: "a document",
    question: { text: "Sum it up.", document: { name: "notes.txt", text: "One, two." } },
  },
  { name: "reasoning", question: { text: "Think.", reasoning: "low" } },
  {
    name: "an answer held to a schema",
    question: { text: "A word and a count.", schema: SCHEMA },
    isIn: ({ takesSchemas }) => takesSchemas,
  },
  { name: "an answer that a text ends", question: { text: "Say STOP now.", stop: "STOP" } },
  { name: "an answer that is cut", question: { text: "Go on and on.", maxTokens: 16 } },
  {
    name: "a call of a tool",
    question: { text: "How is Rome?", tools: [WEATHER] },
    emulator: {
      dialogue: [{ text: "Let me see.", toolCalls: [{ name: "weather", input: { city: "Rome" } }] }],
    },
  },
];

/** The rounds of a conversation in which a model thinks, calls, and answers. */
const ROUNDS = {
  dialogue: [
    {
      reasoning: "I need the weather.",
      text: "Let me see.",
      toolCalls: [
        { name: "weather", input: { city: "Rome" } },
        { name: "weather", input: {} },
      ],
    },
    { text: "It is: $result" },
  ],
};

/** Holds a dialect to what `chat` gets, for models behind every wire. */
export function describeMatrix(client: DialectClient): void {
  describe.each(WIRES.map((wire) => [wire.name, wire] as const))("a model behind %s", (_, wire) => {
    const { model } = wire;
    it.each(QUESTIONS.filter(({ isIn = () => true }) => isIn(client)).map((row) => [row.name, row] as const))(
      "for %s answers as chat, streamed or not",
      async (_, { question, emulator }) => {
        const served = await start(wire, emulator);
        if (question.image && !wire.readsImages) {
          for (const isStreamed of [false, true])
            await expect(byClient(served, client, question, model, isStreamed)).rejects.toThrow(
              "takes no images, only text",
            );
          return;
        }
        const isWords = question.document !== undefined && !wire.readsDocuments;
        const chat = isWords ? undefined : await byChat(served, wire, question);
        for (const isStreamed of [false, true]) {
          const told = await byClient(served, client, question, model, isStreamed);
          if (chat) expect(tellable(told, client)).toEqual(tellable(chat, client));
          else expect(told.text).toMatch(/One, two\./);
        }
        const [first, ...others] = contentOf(served, wire);
        for (const other of others) expect(other).toEqual(first);
      },
    );

    it.each([false, true])("goes on behind calls and what they came to, streamed: %s", async (isStreamed) => {
      const served = await start(wire, { dialogue: ROUNDS.dialogue });
      const question: Question = { text: "How is it?", tools: [WEATHER], reasoning: "low" };
      const told = await byClient(served, client, question, model, isStreamed);
      expect(told.calls.map(({ input }) => input)).toEqual([{ city: "Rome" }, {}]);
      expect(new Set(told.calls.map(({ id }) => id)).size).toBe(2);
      expect([told.stop, told.text]).toEqual(["tool", "Let me see."]);
      const rounds = [{ told, result: "sunny" }];
      const last = await byClient(served, client, { ...question, rounds }, model, isStreamed);
      expect([last.text, last.stop]).toEqual(["It is: sunny\nsunny", "end"]);
      const [, second] = served.emulator.calls.filter(({ route }) => route === wire.route);
      if (client.carriesSignatures && wire.signed !== undefined)
        expect(JSON.stringify(second?.body)).toContain(wire.signed);
    });

    it.each([false, true])("tells what refuses it before it answers, streamed: %s", async (isStreamed) => {
      const refusal = { error: { name: "ThrottlingException", message: "Too many requests." } };
      const served = await start(wire, {
        script: ({ route }) => (route === wire.route ? refusal : undefined),
      });
      const { status, bytes, headers } = await post(served, client, { text: "Hi" }, model, isStreamed);
      expect(status).toBe(429);
      expect(client.errorOf(parse(bytes))).toContain("Too many requests.");
      expect(headers.get("retry-after")).toMatch(/^\d+$/);
    });

    it("ends a stream that breaks in the middle with what went wrong, and no other end", async () => {
      const served = await start(wire, { script: faultScript([`${wire.route}=${wire.breaks}`]) });
      const { status, bytes } = await post(served, client, { text: "Hi" }, model, true);
      const told = client.streamed(bytes);
      expect(status).toBe(200);
      expect(told.text.length).toBeGreaterThan(0);
      expect(told.error).toMatch(/\S/);
      expect(told.error?.replace("Asked for by --fault.", "")).not.toMatch(/--[a-z]|printed/);
    });

    it("is not asked any more when the client goes away", async () => {
      const served = await start(wire, { delayMs: 300 });
      const leaving = new AbortController();
      const { path: to, headers, body } = client.ask({ text: "Hi ".repeat(200) }, model, true);
      const response = await fetch(`${served.origin}${to}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
        signal: leaving.signal,
      });
      const reader = response.body?.getReader();
      await reader?.read();
      leaving.abort();
      const { isAborted, durationMs } = await served.logged(({ kind }) => kind === "request");
      expect(isAborted).toBe(true);
      expect(durationMs).toBeLessThan(5000);
    });
  });
}
