import Anthropic from "@anthropic-ai/sdk";
import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import type {
  BetaMessageParam,
  BetaToolUnion,
  MessageCreateParamsNonStreaming,
} from "@anthropic-ai/sdk/resources/beta/messages/messages";
import { describe, expect, it } from "vitest";
import type { Dialogue } from "../../src/emulator/emulator.ts";
import { serve } from "../helpers/served.ts";
import { emulate } from "../emulator/clients.ts";

const [C45, C46] = ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.anthropic.claude-sonnet-4-6"];
const NOVA = "amazon.nova-lite-v1:0";
const SCREEN = { display_width_px: 1024, display_height_px: 768 };

const BASH: BetaToolUnion = { type: "bash_20250124", name: "bash" };
const EDITOR: BetaToolUnion = { type: "text_editor_20250728", name: "str_replace_based_edit_tool" };
const MEMORY: BetaToolUnion = { type: "memory_20250818", name: "memory" };
const COMPUTER: BetaToolUnion = { type: "computer_20251124", name: "computer", ...SCREEN };
const WEATHER: BetaToolUnion = { name: "weather", input_schema: { type: "object" } };

type Create = (params: MessageCreateParamsNonStreaming) => Promise<Anthropic.Beta.BetaMessage>;

interface Asked {
  create: Create;
  stream: Create;
  /** What the model was asked, in Converse's words or its vendor's. */
  bodies: () => Record<string, unknown>[];
}

async function byMessages(dialogue: Dialogue): Promise<Asked> {
  const { origin, emulator } = await serve({ emulator: { dialogue } });
  const client = new Anthropic({ baseURL: origin, apiKey: "none", maxRetries: 0 });
  return asked(client.beta.messages, () => emulator.calls);
}

/** Each way to ask a Claude with these SDKs: serve's two dialects, and the emulator as Bedrock itself. */
const WAYS: Readonly<Record<string, (dialogue: Dialogue) => Promise<Asked>>> = {
  "serve by its Messages": byMessages,
  "serve by InvokeModel": async (dialogue) => {
    const { origin, emulator } = await serve({ emulator: { dialogue } });
    return asked(bedrock(origin, "none").beta.messages, () => emulator.calls);
  },
  "the emulator by InvokeModel": async (dialogue) => {
    const emulator = await emulate({ dialogue });
    return asked(bedrock(emulator.url, emulator.bearerToken).beta.messages, () => emulator.calls);
  },
};

function bedrock(baseURL: string, apiKey: string): AnthropicBedrock {
  return new AnthropicBedrock({ baseURL, apiKey, awsRegion: "us-east-1", maxRetries: 0 });
}

function asked(
  messages: Pick<Anthropic["beta"]["messages"], "create" | "stream">,
  calls: () => readonly { route: string; body: unknown }[],
): Asked {
  return {
    create: (params) => messages.create(params),
    stream: (params) => messages.stream(params).finalMessage(),
    bodies: () =>
      calls()
        .filter(({ route }) => /Converse|Invoke/.test(route))
        .map(({ body }) => body as Record<string, unknown>),
  };
}

const ask = (tools: BetaToolUnion[], more: object = {}): MessageCreateParamsNonStreaming => ({
  model: C46,
  max_tokens: 1000,
  tools,
  messages: [{ role: "user", content: "Go." }],
  ...more,
});

describe.each(Object.entries(WAYS))("tools that Claude knows by their types, asked of %s", (_, way) => {
  const LOOP: Dialogue = [
    { toolCalls: [{ name: "bash", input: { command: "date" } }] },
    { text: "It is: $result" },
  ];

  it.each([
    ["alone", [BASH]],
    ["beside a described one", [WEATHER, BASH, EDITOR]],
  ])("%s are called, and what they came to goes back", async (_, tools) => {
    const { create, stream } = await way(LOOP);
    for (const send of [create, stream]) {
      const params = ask(tools);
      const { content, stop_reason } = await send(params);
      expect(stop_reason).toBe("tool_use");
      expect(content).toMatchObject([{ type: "tool_use", name: "bash", input: { command: "date" } }]);
      const id = content.flatMap((block) => (block.type === "tool_use" ? block.id : []))[0] ?? "";
      const messages: BetaMessageParam[] = [
        ...params.messages,
        { role: "assistant", content: content as Anthropic.Beta.BetaContentBlockParam[] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "Friday" }] },
      ];
      expect((await send({ ...params, messages })).content).toMatchObject([{ text: "It is: Friday" }]);
    }
  });

  it.each<[BetaToolUnion[], string[] | undefined]>([
    [[BASH, EDITOR, MEMORY], undefined],
    [[COMPUTER], ["computer-use-2025-11-24"]],
    [[{ type: "computer_20250124", name: "computer", ...SCREEN }], ["computer-use-2025-01-24"]],
    [[{ type: "text_editor_20250124", name: "str_replace_editor" }], undefined],
  ])("are taken: %j", async (tools, betas) => {
    const { create } = await way([{ text: "Well." }]);
    expect((await create(ask(tools, betas && { betas }))).content).toMatchObject([{ text: "Well." }]);
  });

  it("are the ones that the model must call", async () => {
    const { create } = await way([]);
    const { content } = await create(ask([WEATHER, BASH], { tool_choice: { type: "tool", name: "bash" } }));
    expect(content).toMatchObject([
      { type: "tool_use", name: "bash", input: { command: expect.any(String) } },
    ]);
    const any = await create(ask([MEMORY], { tool_choice: { type: "any" } }));
    expect(any.content).toMatchObject([{ type: "tool_use", name: "memory" }]);
  });

  it.each<[BetaToolUnion]>([
    [{ type: "code_execution_20250825", name: "code_execution" }],
    [{ type: "web_fetch_20250910", name: "web_fetch" }],
    [{ type: "computer_toolset_20260801" }],
  ])("are refused by their type where Bedrock has none: %j", async (tool) => {
    const { create, bodies } = await way([]);
    await expect(create(ask([tool]))).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(`'${String(tool.type)}'`) as string,
    });
    expect(bodies().filter((body) => "messages" in body && !("anthropic_version" in body))).toEqual([]);
  });
});

describe("what serve asks Converse for tools by type", () => {
  it("has them among the model's own fields, with the beta features that they are for that model", async () => {
    const { create, bodies } = await byMessages([{ text: "A." }, { text: "B." }]);
    const cached = { ...BASH, cache_control: { type: "ephemeral" as const, ttl: "1h" as const } };
    await create(ask([WEATHER, cached, COMPUTER], { tool_choice: { type: "auto" } }));
    await create(ask([MEMORY, { ...BASH, strict: true, defer_loading: false }], { model: C45 }));
    expect(bodies().map(({ additionalModelRequestFields: own }) => own)).toEqual([
      {
        anthropic_beta: ["computer-use-2025-11-24"],
        tools: [{ ...BASH, cache_control: { type: "ephemeral", ttl: "1h" } }, COMPUTER],
      },
      {
        anthropic_beta: ["context-management-2025-06-27", "computer-use-2025-01-24"],
        tools: [MEMORY, BASH],
      },
    ]);
    // Calls in a conversation are refused without a list of Converse's own.
    expect(bodies()[1]?.["toolConfig"]).toMatchObject({ tools: [{ toolSpec: { name: "no_tool" } }] });
  });

  it("is nothing for another model, whatever the wire: the client is told the types", async () => {
    const { create, bodies } = await byMessages([]);
    await expect(create(ask([WEATHER, BASH, MEMORY], { model: NOVA }))).rejects.toMatchObject({
      status: 400,
      error: {
        error: {
          type: "invalid_request_error",
          message: `'${NOVA}' knows no tools of the type 'bash_20250124', 'memory_20250818'.`,
        },
      },
    });
    expect(bodies()).toEqual([]);
  });
});
