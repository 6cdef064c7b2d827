// The least a script with the AWS SDK does to stream an answer.
import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";

const client = new BedrockRuntimeClient({});
/** @type {import("@aws-sdk/client-bedrock-runtime").Message[]} */
const messages = [{ role: "user", content: [{ text: "Hello" }] }];
const { stream } = await client.send(
  new ConverseStreamCommand({ modelId: "amazon.nova-lite-v1:0", messages }),
);
for await (const { contentBlockDelta } of stream ?? []) {
  const text = contentBlockDelta?.delta?.text;
  if (text) process.stdout.write(text);
}
