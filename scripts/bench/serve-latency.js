// What `openclaw serve` adds to an answer: the same questions to the emulator and to serve in front of it, in turns.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { root } from "../set-up.js";
import { listening, startServer } from "./start-server.js";

const MODEL = "amazon.nova-lite-v1:0";
const DELTAS = 40;
const WARM_UP = 20;

/**
 * Measures on this Node and resolves to Markdown: a table with the medians of both ways and what serve adds. `work` is a
 * folder to write into, `runs` how many answers each way gives.
 */
export async function serveLatency(work, runs) {
  const server = await startServer("paced-server", DELTAS, work);
  const serve = await startServe(server, work);
  try {
    const direct = { firstMs: [], deltaMs: [] };
    const served = { firstMs: [], deltaMs: [] };
    // The first answers open connections, load the SDK and warm the compiler up; they do not count.
    for (let run = -WARM_UP; run < runs; run++) {
      const pair = [await answer(askDirectly(server), readFrames), await answer(askServe(serve), readChunks)];
      if (run < 0) continue;
      for (const [index, into] of [direct, served].entries()) {
        into.firstMs.push(pair[index].firstMs);
        into.deltaMs.push(...pair[index].deltaMs);
      }
    }
    return table(direct, served, runs);
  } finally {
    serve.child.kill();
    server.child.stdin.end();
    await once(serve.child, "close");
  }
}

function startServe({ url, accessKeyId, secretAccessKey }, work) {
  const args = [path.join(root, "bin", "openclaw.js"), "serve", "--port", "0", "--json"];
  const env = {
    HOME: work,
    PATH: process.env.PATH,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: url,
  };
  return listening(spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "ignore"] }));
}

const askDirectly =
  ({ url }) =>
  () =>
    post(`${url}/model/${encodeURIComponent(MODEL)}/converse-stream`, {});

const askServe =
  ({ url }) =>
  () =>
    post(`${url}/chat/completions`, {
      model: MODEL,
      stream: true,
      messages: [{ role: "user", content: "Hello" }],
    });

function post(url, body) {
  const headers = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** The stamps in what has arrived: in Bedrock's binary frames and in OpenAI's chunks alike they stand in JSON. */
const readFrames = (text) => [...text.matchAll(/"text":" ([\d.]+)"/g)].map(([, stamp]) => Number(stamp));
const readChunks = (text) =>
  [...text.matchAll(/"content":"((?: [\d.]+)+)"/g)].flatMap(([, stamps]) =>
    stamps.trim().split(" ").map(Number),
  );

async function answer(ask, read) {
  const now = () => performance.timeOrigin + performance.now();
  const startedAt = now();
  const response = await ask();
  const deltaMs = [];
  let firstMs;
  let text = "";
  let seen = 0;
  for await (const chunk of response.body) {
    const at = now();
    text += Buffer.from(chunk).toString("latin1");
    const stamps = read(text).slice(seen);
    seen += stamps.length;
    if (stamps.length > 0) firstMs ??= at - startedAt;
    deltaMs.push(...stamps.map((stamp) => at - stamp));
  }
  if (seen !== DELTAS) throw new Error(`${seen} of ${DELTAS} deltas arrived: ${text.slice(0, 500)}`);
  return { firstMs, deltaMs };
}

function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];
}

function table(direct, served, runs) {
  const row = (name, key) => {
    const [own, other] = [median(served[key]), median(direct[key])];
    return `| ${name} | ${own.toFixed(2)} ms | ${other.toFixed(2)} ms | **${(own - other).toFixed(2)} ms** |`;
  };
  return [
    `### \`openclaw serve\`, Node ${process.versions.node}`,
    "",
    `Medians of ${runs} streamed answers of ${DELTAS} deltas each way, in turns.`,
    "",
    "| what | through serve | the emulator directly | added |",
    "| --- | --- | --- | --- |",
    row("to the first token", "firstMs"),
    row("each delta, from sent to received", "deltaMs"),
  ].join("\n");
}
