import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { OpenclawError } from "../errors.ts";
import { App, type AppOptions } from "./app.ts";
import { settlesWithin } from "./settles-within.ts";

/** A request's headers are awaited so long, in ms. */
const HEADERS_MS = 15_000;
/** A whole request, body included, is awaited so long, in ms. */
const REQUEST_MS = 300_000;
/** How often the two are looked at, in ms. */
const LOOK_MS = 2000;

export interface ServerOptions extends AppOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
}

/** A server that is listening. */
export interface RunningServer {
  host: string;
  port: number;
  /** Requests that are running. */
  running(): number;
  /**
   * Takes no more work, lets what is running end within so many ms, stops the rest and closes every connection. Resolves
   * to how many answers were cut off.
   */
  drain(ms: number): Promise<number>;
}

/** Starts the server. Rejects with Node's system error when the port cannot be had. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const app = new App(options);
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      // Longer than the load balancers of AWS keep a connection (60 s): it is they who close it, and not in the middle of a request.
      keepAliveTimeout: options.idleMs,
      connectionsCheckingInterval: LOOK_MS,
    },
    // The process's own Request and Response stay what they are: AWS's clients use them, too.
    getRequestListener(app.hono.fetch, { overrideGlobalObjects: false, hostname: options.host }),
  );
  const listening = once(server, "listening");
  server.listen({ host: options.host, port: options.port });
  await listening;
  const { port } = server.address() as AddressInfo;
  return { host: options.host, port, running: () => app.running, drain: (ms) => drain(app, server, ms) };
}

/** While answers are running, connections are still taken, so that a load balancer hears that this server is leaving. */
async function drain(app: App, server: Server, ms: number): Promise<number> {
  await settlesWithin(ms, app.drain());
  const left = app.running;
  const stopped = app.drain();
  app.stopAll(new OpenclawError("interrupted", { message: "This server is shutting down." }));
  await stopped;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // What is left has its last bytes on the way, or sends something that nobody will answer.
    setTimeout(() => server.closeAllConnections(), LAST_MS).unref();
  });
  return left;
}

/** For the last bytes of the last answers, in ms. */
const LAST_MS = 500;
