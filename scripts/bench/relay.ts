// What requests a second are measured beside: a plain hono server that hands each request to the Bedrock whose address is
// its argument, and the answer back as it is. Prints its address as JSON and runs until its stdin ends.
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const upstream = process.argv[2] ?? "";
const app = new Hono();
app.post("/v1/chat/completions", async (context) => {
  const { model } = await context.req.json<{ model: string }>();
  const answer = await fetch(`${upstream}/model/${encodeURIComponent(model)}/converse-stream`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
});
const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/v1` }));
});
process.stdin.resume().on("end", () => process.exit(0));
