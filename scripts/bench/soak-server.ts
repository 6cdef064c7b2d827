// The Bedrock of the soak: each delta says when it was sent, in ms since 1970. What is long is answered at once and never
// parsed, so that those who send it cost nobody but `openclaw serve`; what is no ConverseStream is the emulator's.
// Arguments: deltas of an answer, and ms between two. Prints its address as JSON and runs until its stdin ends.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeEvent, EVENT_STREAM_TYPE } from "../../src/aws/event-stream.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";

const deltas = Number(process.argv[2] ?? 0);
const paceMs = Number(process.argv[3] ?? 0);
/** Of a request, in bytes. */
const LONG = 64 * 1024;
/** What a schema with this pattern is not done with in a lifetime. */
const ENDLESS = { pattern: "(a+)+", answer: JSON.stringify(`${"a".repeat(60)}!`) };

const delta = (text: string): Uint8Array =>
  encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text } });
const start = encodeEvent("messageStart", { role: "assistant" });
const end = Buffer.concat([
  encodeEvent("contentBlockStop", { contentBlockIndex: 0 }),
  encodeEvent("messageStop", { stopReason: "end_turn" }),
  encodeEvent("metadata", {
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
    metrics: { latencyMs: 1 },
  }),
]);

const emulator = await startEmulator({ remembersCalls: false });

async function answerPaced(response: ServerResponse): Promise<void> {
  response.write(start);
  for (let sent = 0; sent < deltas && !response.destroyed; sent++) {
    if (sent > 0) await sleep(paceMs);
    response.write(delta(` ${performance.timeOrigin + performance.now()}`));
  }
  response.end(end);
}

function askEmulator(asked: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { method, headers } = asked;
  const sent = request(`${emulator.url}${asked.url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  sent.on("error", () => response.destroy()).end(body);
}

const server = createServer((asked, response) => {
  const chunks: Buffer[] = [];
  let length = 0;
  asked.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= LONG) chunks.push(chunk);
  });
  asked.on("end", () => {
    const body = Buffer.concat(chunks);
    const isStream = asked.url?.endsWith("/converse-stream") === true;
    if (!isStream && length <= LONG) return askEmulator(asked, body, response);
    if (!isStream) {
      response.writeHead(400, {
        "content-type": "application/json",
        "x-amzn-errortype": "ValidationException",
      });
      return response.end(JSON.stringify({ message: "Input is too long for requested model." }));
    }
    response.writeHead(200, { "content-type": EVENT_STREAM_TYPE, "x-amzn-requestid": "bench" });
    if (length > LONG) return response.end(Buffer.concat([start, delta("Long."), end]));
    if (body.includes(ENDLESS.pattern))
      return response.end(Buffer.concat([start, delta(ENDLESS.answer), end]));
    return void answerPaced(response);
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const { accessKeyId, secretAccessKey } = emulator;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey }));
});
process.stdin.resume().on("end", () => void emulator.stop().then(() => process.exit(0)));
