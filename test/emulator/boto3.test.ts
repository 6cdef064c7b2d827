import { describe, expect, it } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { emulate } from "./clients.ts";

/** Makes each call of a list with boto3's runtime client; bytes stand as `{"$bytes": base64}`. */
const CALLS = `
import base64, boto3, json, sys

def unpack(value):
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            return base64.b64decode(value["$bytes"])
        return {name: unpack(item) for name, item in value.items()}
    return value

def call(client, request):
    try:
        if request.pop("streams", False):
            return list(client.converse_stream(**unpack(request))["stream"])
        answer = client.converse(**unpack(request))
        return answer["output"]["message"]["content"]
    except client.exceptions.ValidationException as error:
        return error.response["Error"]["Message"]

asked = json.load(sys.stdin)
client = boto3.client("bedrock-runtime", endpoint_url=asked["url"], region_name="us-east-1")
print(json.dumps([call(client, request) for request in asked["requests"]]))
`;

function askBoto3(emulator: Emulator, requests: readonly object[]): Promise<unknown> {
  return askPython(
    CALLS,
    { url: emulator.url, requests },
    {
      AWS_ACCESS_KEY_ID: emulator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    },
  );
}

/** What of some answers botocore's models do not know, lack, or have as another type. */
const JUDGE = `
import json, sys
from botocore.loaders import Loader
from botocore.model import ServiceModel
found = []
TYPES = {"structure": dict, "list": list, "map": dict, "string": str, "boolean": bool,
         "integer": int, "long": int, "float": (int, float), "double": (int, float)}
def judge(shape, value, place):
    kind = shape.type_name
    if value is None or getattr(shape, "is_document_type", False):
        return
    if kind in TYPES and not isinstance(value, TYPES[kind]):
        return found.append(f"{place} is no {kind}")
    if kind == "structure":
        found.extend(f"{place}.{name} is unknown" for name in value if name not in shape.members)
        found.extend(f"{place}.{name} is missing" for name in shape.required_members if name not in value)
        for name in value:
            if name in shape.members:
                judge(shape.members[name], value[name], f"{place}.{name}")
    if kind == "list":
        for item in value:
            judge(shape.member, item, f"{place}[]")
models = {name: ServiceModel(Loader().load_service_model(name, "service-2"), name) for name in ("bedrock", "bedrock-runtime")}
for service, operation, answer in json.load(sys.stdin):
    judge(models[service].operation_model(operation).output_shape, answer, operation)
print(json.dumps(sorted(set(found))))
`;

it("answers with nothing that botocore's models do not know, and all that they need", async (context) => {
  needBotocore(context);
  const { url, bearerToken } = await emulate();
  const claude = "us.anthropic.claude-sonnet-4-6";
  const messages = [{ role: "user", content: [{ text: "hi" }] }];
  const toolConfig = {
    tools: [{ toolSpec: { name: "f", inputSchema: { json: { type: "object", properties: {} } } } }],
    toolChoice: { any: {} },
  };
  const document = { name: "a", format: "txt", source: { text: "Cats." }, citations: { enabled: true } };
  const guardrailConfig = {
    guardrailIdentifier: "abcd1234efgh",
    guardrailVersion: "1",
    trace: "enabled_full",
  };
  const thinking = { thinking: { type: "enabled", budget_tokens: 1024 } };
  const s3 = (name: string): object => ({ s3Uri: `s3://openclaw-emulator/${name}` });
  const control: [string, string, object?][] = [
    ["ListFoundationModels", "foundation-models"],
    ["GetFoundationModel", "foundation-models/amazon.nova-lite-v1:0"],
    ["GetFoundationModelAvailability", "foundation-model-availability/amazon.nova-lite-v1:0"],
    [
      "ListFoundationModelAgreementOffers",
      "list-foundation-model-agreement-offers/anthropic.claude-sonnet-4-6",
    ],
    ["GetUseCaseForModelAccess", "use-case-for-model-access"],
    ["ListInferenceProfiles", "inference-profiles?maxResults=1000"],
    ["GetInferenceProfile", `inference-profiles/${claude}`],
    [
      "CreateModelInvocationJob",
      "model-invocation-job",
      {
        jobName: "one",
        roleArn: "arn:aws:iam::123456789012:role/openclaw-emulator",
        modelId: claude,
        inputDataConfig: { s3InputDataConfig: s3("in.jsonl") },
        outputDataConfig: { s3OutputDataConfig: s3("out/") },
      },
    ],
    ["ListModelInvocationJobs", "model-invocation-jobs"],
  ];
  const runtime: [string, string, object?][] = [
    ...[
      { messages },
      { messages, toolConfig },
      { messages, guardrailConfig },
      { messages, additionalModelRequestFields: thinking, inferenceConfig: { maxTokens: 3000 } },
      { messages: [{ role: "user", content: [{ text: "hi" }, { document }] }] },
    ].map((body): [string, string, object] => ["Converse", `model/${claude}/converse`, body]),
    ["CountTokens", "model/anthropic.claude-sonnet-4-6/count-tokens", { input: { converse: { messages } } }],
    [
      "ApplyGuardrail",
      "guardrail/abcd1234efgh/version/1/apply",
      { source: "INPUT", content: [{ text: { text: "hi" } }], outputScope: "FULL" },
    ],
  ];
  const asked: [string, string, unknown][] = [];
  for (const [service, calls] of Object.entries({ bedrock: control, "bedrock-runtime": runtime }))
    for (const [operation, path, body] of calls) {
      const response = await fetch(`${url}/${path}`, {
        method: body ? "POST" : "GET",
        headers: { authorization: `Bearer ${bearerToken}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
      expect([operation, response.ok]).toEqual([operation, true]);
      asked.push([service, operation, await response.json()]);
    }
  expect(await askPython(JUDGE, asked)).toEqual([]);
});

describe("boto3", () => {
  it("sends videos, recordings and addresses in Amazon S3", async (context) => {
    needBotocore(context);
    const bytes = { $bytes: Buffer.from("abc").toString("base64") };
    const ask = (modelId: string, ...content: object[]): object => ({
      modelId,
      messages: [{ role: "user", content: [...content, { text: "hi" }] }],
    });
    const s3Location = { uri: "s3://bucket/key", bucketOwner: "123456789012" };
    const answers = await askBoto3(await emulate(), [
      ask("amazon.nova-lite-v1:0", { video: { format: "mp4", source: { bytes } } }),
      ask("amazon.nova-lite-v1:0", { video: { format: "mov", source: { s3Location } } }),
      ask("mistral.voxtral-small-24b-2507", { audio: { format: "mp3", source: { bytes } } }),
      ask("us.anthropic.claude-sonnet-4-6", { audio: { format: "mp3", source: { bytes } } }),
    ]);
    expect(answers).toEqual([
      [{ text: expect.stringMatching(/You attached 1 video\.$/) }],
      [{ text: expect.stringMatching(/You attached 1 video\.$/) }],
      [{ text: expect.stringMatching(/You attached 1 recording\.$/) }],
      "This model doesn't support the audio content block that you provided. Update the content block and try again.",
    ]);
  });

  it("reads citations and what was searched for, streamed and whole", async (context) => {
    needBotocore(context);
    const cited = (format: string, source: object): object => ({
      document: { format, name: format, source, citations: { enabled: true } },
    });
    const pdf = cited("pdf", { bytes: { $bytes: Buffer.from("%PDF-1.7").toString("base64") } });
    const ask = (modelId: string, more: object, ...content: object[]): object => ({
      modelId,
      messages: [{ role: "user", content: [...content, { text: "hi" }] }],
      ...more,
    });
    const claude = "us.anthropic.claude-sonnet-4-6";
    const toolConfig = { tools: [{ systemTool: { name: "nova_grounding" } }] };
    const [whole, streamed, searched, ...refused] = (await askBoto3(await emulate(), [
      ask(claude, {}, cited("txt", { text: "a" }), pdf),
      ask(claude, { streams: true }, pdf),
      ask("us.amazon.nova-2-lite-v1:0", { toolConfig }),
      ask("us.amazon.nova-2-lite-v1:0", {}, pdf),
      ask(claude, {}, cited("csv", { text: "a" })),
      ask(claude, {}, cited("txt", { bytes: { $bytes: "YQ==" } })),
      ask(claude, { toolConfig }),
    ])) as object[][];
    expect(whole).toMatchObject([
      {
        citationsContent: {
          content: [{ text: expect.stringContaining("simulated") }],
          citations: [
            { title: "txt", location: { documentChar: { documentIndex: 0, start: 0, end: 10 } } },
            { title: "pdf", location: { documentPage: { documentIndex: 1, start: 1, end: 2 } } },
          ],
        },
      },
    ]);
    expect(streamed).toContainEqual({
      contentBlockDelta: {
        contentBlockIndex: 0,
        delta: {
          citation: {
            title: "pdf",
            sourceContent: [{ text: "Simulated words of the document." }],
            location: { documentPage: { documentIndex: 0, start: 1, end: 2 } },
          },
        },
      },
    });
    expect(searched).toMatchObject([
      { toolUse: { name: "nova_grounding", type: "server_tool_use", input: { query: "hi" } } },
      { toolResult: { type: "nova_grounding_result", status: "success" } },
      { text: expect.stringContaining("simulated") },
      { citationsContent: { citations: [{ location: { web: { domain: "simulated.example" } } }, {}] } },
    ]);
    expect(refused).toEqual([
      "This model doesn't support citations.",
      "Unsupported document format. Only txt and pdf formats are supported when citations are enabled",
      "The model returned the following errors: messages.0.content.0.image.source.bytes: The PDF specified was not valid.",
      "This model doesn't support the systemTool field. Remove systemTool and try again.",
    ]);
  });
});
