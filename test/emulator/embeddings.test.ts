import { InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { emulate, runtimeClient } from "./clients.ts";

const TITAN = "amazon.titan-embed-text-v2:0";

async function invoke(modelId: string, body: object): Promise<Record<string, unknown>> {
  const client = runtimeClient(await emulate(), "HTTP/1.1");
  const answer = await client.send(new InvokeModelCommand({ modelId, body: JSON.stringify(body) }));
  return JSON.parse(answer.body.transformToString()) as Record<string, unknown>;
}

describe("InvokeModel of an embedding model", () => {
  it("has one vector for a text, of length 1, whenever it is asked", async () => {
    const [one, again, other] = await Promise.all([
      invoke(TITAN, { inputText: "a" }),
      invoke(TITAN, { inputText: "a" }),
      invoke(TITAN, { inputText: "b", dimensions: 256 }),
    ]);
    expect(one).toEqual(again);
    const vector = one["embedding"] as number[];
    expect(vector).toHaveLength(1024);
    expect(vector.reduce((sum, number) => sum + number * number, 0)).toBeCloseTo(1, 4);
    expect(other["embedding"]).toHaveLength(256);
  });

  it.each([
    [TITAN, {}, /Malformed input request: #: required key \[inputText\] not found/],
    [TITAN, { inputText: "" }, /minLength: 1/],
    [TITAN, { inputText: "a", dimensions: 300 }, /#\/dimensions: 300 is not a valid enum value/],
    [TITAN, { inputText: "a".repeat(50_001) }, /maxLength: 50000/],
    ["amazon.titan-embed-text-v1", { inputText: "a", dimensions: 256 }, /extraneous key \[dimensions\]/],
    ["cohere.embed-english-v3", { texts: ["a"] }, /required key \[input_type\]/],
    [
      "cohere.embed-english-v3",
      { texts: Array(97).fill("a"), input_type: "search_query" },
      /maximum item count: 96/,
    ],
    ["cohere.embed-english-v3", { texts: ["a".repeat(2049)], input_type: "search_query" }, /maxLength: 2048/],
    ["cohere.embed-v4:0", { texts: ["a"], input_type: "nothing" }, /nothing is not a valid enum value/],
    ["amazon.nova-2-multimodal-embeddings-v1:0", { taskType: "SINGLE_EMBEDDING" }, /singleEmbeddingParams/],
    ["zai.glm-4.7", { inputText: "a" }, /knows no body that InvokeModel takes for this model/],
  ])("of %s refuses %j", async (modelId, body, message) => {
    await expect(invoke(modelId, body)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message) as string,
    });
  });

  it("is read by boto3, with the tokens in a header, and says that it is simulated", async (context) => {
    needBotocore(context);
    const { url, accessKeyId, secretAccessKey } = await emulate();
    const program = `
import boto3, json
client = boto3.client("bedrock-runtime")
def ask(model, body):
    answer = client.invoke_model(modelId=model, body=json.dumps(body))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return [json.loads(answer["body"].read()), headers["x-amzn-bedrock-input-token-count"], headers["x-simulated-by"]]
titan = ask("amazon.titan-embed-text-v1", {"inputText": "a text of some words"})
cohere = ask("us.cohere.embed-v4:0", {"texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 256})
nova = ask("amazon.nova-2-multimodal-embeddings-v1:0", {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {"embeddingPurpose": "GENERIC_INDEX", "text": {"truncationMode": "END", "value": "a"}}})
print(json.dumps([len(titan[0]["embedding"]), titan[1], [len(v) for v in cohere[0]["embeddings"]["float"]], len(nova[0]["embeddings"][0]["embedding"]), nova[2]]))
`;
    const told = await askPython(
      program,
      {},
      {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_ENDPOINT_URL: url,
      },
    );
    expect(told).toEqual([1536, "5", [256, 256], 3072, "openclaw emulator"]);
  });
});
