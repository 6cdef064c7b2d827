// A Bedrock that answers every ConverseStream at once with the same few words, so that the server is not what is measured.
// Prints its address as JSON and runs until its stdin ends.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeEvent } from "../../src/aws/event-stream.ts";
import { modelSummary } from "../../test/helpers/model-summary.ts";

const answer = Buffer.concat([
  encodeEvent("messageStart", { role: "assistant" }),
  encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "four words of answer" } }),
  encodeEvent("contentBlockStop", { contentBlockIndex: 0 }),
  encodeEvent("messageStop", { stopReason: "end_turn" }),
  encodeEvent("metadata", {
    usage: { inputTokens: 8, outputTokens: 4, totalTokens: 12 },
    metrics: { latencyMs: 1 },
  }),
]);

const lists = JSON.stringify({
  modelSummaries: [modelSummary("anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", "Anthropic")],
  inferenceProfileSummaries: [],
});

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    const isAsked = request.url?.endsWith("/converse-stream") === true;
    const headers = {
      "content-type": isAsked ? "application/vnd.amazon.eventstream" : "application/json",
      "x-amzn-requestid": "bench",
    };
    response.writeHead(200, headers).end(isAsked ? answer : lists);
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  console.log(JSON.stringify({ url, accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x".repeat(40) }));
});
process.stdin.resume().on("end", () => process.exit(0));
