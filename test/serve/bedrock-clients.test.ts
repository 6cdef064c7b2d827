import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import { ChatBedrockConverse } from "@langchain/aws";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, it } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import { bedrockClients } from "../helpers/bedrock-client.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { serve, type Served } from "../helpers/served.ts";

const KEY = "key-of-team-a-0123456789";
const CLAUDE = "us.anthropic.claude-sonnet-4-6";
/** Behind OpenAI's Responses. */
const LUNA = "us.openai.gpt-5.6-luna";

const serveBedrock = (emulator: EmulatorOptions = {}): Promise<Served> =>
  serve({ emulator, env: { OPENCLAW_SERVE_API_KEY: KEY } });

/** A model that thinks, calls a tool, and says what that came to. */
const DIALOGUE = [
  { reasoning: "I need it.", text: "Let me see.", toolCalls: [{ name: "weather", input: { city: "Rome" } }] },
  { text: "It is: $result" },
];

const MODELS = [
  ["by Converse", CLAUDE],
  ["by Responses", LUNA],
] as const;

/** What a client of AWS's in Python is run with. */
const environment = (origin: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: origin,
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_BEARER_TOKEN_BEDROCK: KEY,
  AWS_EC2_METADATA_DISABLED: "true",
});

/** A loop with a tool and a stream, an error, and the lists, in boto3. */
const LOOP = `
import boto3, json, sys

asked = json.load(sys.stdin)
runtime, control = boto3.client("bedrock-runtime"), boto3.client("bedrock")
tools = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}]}
messages = [{"role": "user", "content": [{"text": "How is Rome?"}]}]
while True:
    answer = runtime.converse(modelId=asked["model"], messages=messages, toolConfig=tools)
    message = answer["output"]["message"]
    messages.append(message)
    if answer["stopReason"] != "tool_use":
        break
    calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
    messages.append({"role": "user", "content": [
        {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"json": {"sky": "clear"}}]}} for call in calls
    ]})
streamed = runtime.converse_stream(modelId=asked["model"], messages=messages, toolConfig=tools)["stream"]
text = "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in streamed)
try:
    runtime.converse(modelId="no.such-model", messages=messages)
    failure = None
except runtime.exceptions.ResourceNotFoundException as error:
    failure = error.response["ResponseMetadata"]["HTTPStatusCode"]
body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]})
invoked = json.loads(runtime.invoke_model(modelId=asked["model"], body=body)["body"].read())
print(json.dumps({
    "last": messages[-1]["content"][-1]["text"],
    "streamed": text,
    "failure": failure,
    "invoked": invoked["role"],
    "models": len(control.list_foundation_models()["modelSummaries"]),
    "profiles": len(control.list_inference_profiles()["inferenceProfileSummaries"]),
}))
`;

async function awsCli(
  served: Served,
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: served.home, ...environment(served.origin) };
  // A shim of pyenv finds its versions by it.
  const root = process.env["PYENV_ROOT"] ?? `${process.env["HOME"] ?? ""}/.pyenv`;
  const child = spawn("aws", [...args, "--output", "json"], { env: { ...env, PYENV_ROOT: root } });
  child.stdin.end();
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: Number(code), stdout, stderr };
}

describe.each(MODELS)("through serve, a model that is called %s", (_, model) => {
  it("is asked by boto3 in a loop with a tool", async (context) => {
    needBotocore(context);
    const { origin } = await serveBedrock({ dialogue: DIALOGUE });
    const told = await askPython(LOOP, { model }, environment(origin));
    expect(told).toEqual({
      last: expect.stringContaining("clear"),
      streamed: expect.stringMatching(/\S/),
      failure: 404,
      invoked: "assistant",
      models: expect.any(Number),
      profiles: expect.any(Number),
    });
  });

  it("is asked by the AWS CLI", async (context) => {
    needBotocore(context);
    const served = await serveBedrock({ dialogue: [{ text: "Hello." }] });
    const messages = JSON.stringify([{ role: "user", content: [{ text: "hi" }] }]);
    const args = ["bedrock-runtime", "converse", "--model-id", model, "--messages", messages];
    const { code, stdout, stderr } = await awsCli(served, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      output: { message: { role: "assistant", content: [{ text: "Hello." }] } },
      stopReason: "end_turn",
    });
    const refused = await awsCli(served, ...args.map((arg) => (arg === model ? "no.such-model" : arg)));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("ResourceNotFoundException");
  });

  it("is asked by Anthropic's SDK for Bedrock, whole and streamed", async () => {
    const { origin, log } = await serveBedrock({ dialogue: DIALOGUE });
    const client = new AnthropicBedrock({
      baseURL: origin,
      apiKey: KEY,
      awsRegion: "us-east-1",
      maxRetries: 0,
    });
    const tools = [{ name: "weather", input_schema: { type: "object" as const } }];
    const question = { role: "user" as const, content: "How is Rome?" };
    const asked = {
      model,
      max_tokens: 4000,
      tools,
      thinking: { type: "enabled" as const, budget_tokens: 1024 },
    };
    const first = await client.messages.stream({ ...asked, messages: [question] }).finalMessage();
    expect(first.stop_reason).toBe("tool_use");
    const thought = first.content.find((block) => block.type === "thinking");
    expect(thought).toMatchObject({ thinking: "I need it.", signature: expect.stringMatching(/\S/) });
    const results = first.content.flatMap((block) =>
      block.type === "tool_use"
        ? [{ type: "tool_result" as const, tool_use_id: block.id, content: "clear" }]
        : [],
    );
    const messages = [
      question,
      { role: "assistant" as const, content: first.content },
      { role: "user" as const, content: results },
    ];
    const last = await client.messages.create({ ...asked, messages });
    expect(last.content.at(-1)).toMatchObject({ type: "text", text: "It is: clear" });
    expect(log.flatMap(({ error }) => error ?? [])).toEqual([]);
    const failure: unknown = await client.messages
      .create({ ...asked, model: "no.such-model", messages: [question] })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 404 });
  });

  it("is asked by LangChain's ChatBedrockConverse", async () => {
    const { origin } = await serveBedrock({ dialogue: DIALOGUE });
    const { runtime: client } = bedrockClients({ url: origin, key: KEY });
    const chat = new ChatBedrockConverse({ model, client, region: "us-east-1" }).bindTools([
      { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } },
    ]);
    const question = new HumanMessage("How is Rome?");
    const first = await chat.invoke([question]);
    expect(first.tool_calls).toMatchObject([{ name: "weather", args: { city: "Rome" } }]);
    const [call] = first.tool_calls ?? [];
    const result = new ToolMessage({ tool_call_id: call?.id ?? "", content: "clear" });
    let last = "";
    for await (const chunk of await chat.stream([question, first, result])) last += chunk.text;
    expect(last).toBe("It is: clear");
    expect(first).toMatchObject({ usage_metadata: { total_tokens: expect.any(Number) as number } });
  });
});
