import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";

/** Runs in a thread of its own, so that it sends as fast as it can whatever the test does. */
const SERVER = `
const { workerData: { status, type, begin, piece }, parentPort } = require("node:worker_threads");
const block = Buffer.from(piece.repeat(Math.ceil(262144 / piece.length)));
require("node:http").createServer((request, response) => {
  request.resume();
  response.writeHead(status, { "content-type": type });
  response.write(begin);
  const pump = () => {
    for (let left = 8; left > 0; left -= 1) {
      if (response.destroyed) return;
      if (!response.write(block)) return response.once("drain", pump);
    }
    setImmediate(pump);
  };
  pump();
}).listen(0, "127.0.0.1", function () { parentPort.postMessage(this.address().port); });`;

/** Starts a server that answers everything without an end. Resolves with its address. */
export async function floodServer(answer: {
  status?: number;
  type?: string;
  begin?: string;
  piece: string;
}): Promise<string> {
  const workerData = { status: 200, type: "application/json", begin: "", ...answer };
  const worker = new Worker(SERVER, { eval: true, workerData });
  onTestFinished(async () => void (await worker.terminate()));
  const [port] = (await once(worker, "message")) as [number];
  return `http://127.0.0.1:${port}`;
}
