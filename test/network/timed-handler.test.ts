import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpRequest } from "@smithy/protocol-http";
import { expect, it, onTestFinished } from "vitest";
import { createRequestHandler } from "../../src/network/request-handler.ts";

/** Asks a server the way the control plane's clients do, with 200 ms for the whole answer. */
async function ask(answer: RequestListener): Promise<AsyncIterable<Buffer>> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const handler = await createRequestHandler({ env: {}, isEmulated: false }, 200);
  onTestFinished(() => {
    handler.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const request = { protocol: "http:", hostname: "127.0.0.1", port, method: "GET", path: "/" };
  const { response } = await handler.handle(new HttpRequest(request));
  return response.body as AsyncIterable<Buffer>;
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of body) text += chunk.toString();
  return text;
}

it("gives up on headers that do not come in time", async () => {
  await expect(ask(() => undefined)).rejects.toMatchObject({ name: "TimeoutError" });
});

it("gives up on a body that is not whole in time, however lively it is", async () => {
  const body = await ask((_, response) => {
    const drip = setInterval(() => response.write("x"), 10);
    response.on("close", () => clearInterval(drip));
  });
  await expect(read(body)).rejects.toMatchObject({ name: "TimeoutError", code: "ETIMEDOUT" });
});

it("lets a whole answer pass", async () => {
  expect(await read(await ask((_, response) => response.end("whole")))).toBe("whole");
});
