import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { refuseTunnels } from "../../http-port.ts";
import { foreignHostIn, isLoopback } from "../../loopback.ts";
import type { ServerMetrics, ServerState } from "./server-metrics.ts";

/** For a request and for a connection that does nothing, in ms. */
const LONGEST_MS = 10_000;
const MOST_CONNECTIONS = 50;

/** Where metrics are told apart from all else. */
export interface MetricsServer {
  host: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Tells metrics on a port of their own, to whoever reaches it, and nothing else. On this machine's own address it answers
 * to the machine's own names only. Rejects with Node's system error when the port cannot be had.
 */
export async function startMetricsServer(
  metrics: ServerMetrics,
  state: () => ServerState,
  address: { host: string; port: number },
): Promise<MetricsServer> {
  const isLocal = isLoopback(address.host);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const say = (status: number, body: string, contentType = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
      response.end(body);
    };
    const [path = ""] = (request.url ?? "").split("?", 1);
    if (isLocal && foreignHostIn(request) !== undefined) return say(403, "Ask for it as localhost.\n");
    if (path !== "/metrics") return say(404, "Here is /metrics only.\n");
    if (request.method !== "GET" && request.method !== "HEAD") return say(405, "Only GET is possible.\n");
    const { text, contentType } = metrics.text(state(), request.headers.accept);
    return say(200, text, contentType);
  };
  const bounds = { headersTimeout: LONGEST_MS, requestTimeout: LONGEST_MS, requireHostHeader: false };
  const server = createServer(bounds, answer);
  refuseTunnels(server, "GET, HEAD");
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(LONGEST_MS);
  const listening = once(server, "listening");
  server.listen(address);
  await listening;
  return {
    host: address.host,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
