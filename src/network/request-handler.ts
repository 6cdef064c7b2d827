import { readFile } from "node:fs/promises";
import type { NodeHttpHandler, NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { BoundedHttpAgent, BoundedHttpsAgent } from "./connect-bound.ts";
import { TimedHandler } from "./timed-handler.ts";

/**
 * The HTTP/1.1 handler of every AWS client: bounded connecting, AWS_CA_BUNDLE, and a proxy where HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY name one. `requestTimeoutMs` is for a whole answer; without it one may take as long as it likes.
 * HTTP/1.1 also for streaming: the SDK's HTTP/2 handler takes no proxy, and to an
 * http:// endpoint it speaks a protocol that plain servers do not understand.
 * Throws `config-unreadable` when the CA bundle cannot be read.
 */
export async function createRequestHandler(
  runtime: Pick<Runtime, "env" | "isEmulated">,
  requestTimeoutMs?: number,
): Promise<NodeHttpHandler> {
  const ca = await readCertificates(runtime.env["AWS_CA_BUNDLE"]);
  const handlerOptions: NodeHttpHandlerOptions = {
    throwOnRequestTimeout: true,
    ...(requestTimeoutMs === undefined ? {} : { requestTimeout: requestTimeoutMs }),
    httpAgent: new BoundedHttpAgent({ keepAlive: true }),
    httpsAgent: new BoundedHttpsAgent({ keepAlive: true, ca }),
  };
  const isProxied = Object.keys(runtime.env).some((name) => /^(https?|all)_proxy$/i.test(name));
  if (!isProxied || runtime.isEmulated) return new TimedHandler(handlerOptions);
  const { ProxyingHandler } = await import("./proxy.ts");
  return new ProxyingHandler(handlerOptions, ca);
}

async function readCertificates(file: string | undefined): Promise<Buffer | undefined> {
  if (!file) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    throw new OpenclawError("config-unreadable", {
      message: `AWS_CA_BUNDLE names '${file}', which cannot be read: ${(cause as Error).message}.`,
      hint: "Point AWS_CA_BUNDLE to a file of PEM certificates, or unset it.",
      cause,
    });
  }
}
