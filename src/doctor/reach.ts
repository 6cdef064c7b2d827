import { HttpRequest } from "../network/sdk-parts.ts";
import { createRequestHandler, type HandlerOptions } from "../network/request-handler.ts";
import { fromNetworkFailure } from "../network/network-errors.ts";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** Time for one answer, in ms. */
const ANSWER_MS = 5000;

/** What an endpoint answered to a request without credentials: any answer shows the way is open. */
export interface Reached {
  status: number;
  /** The service's clock, in ms since 1970; undefined when the answer has no date. */
  serverTime: number | undefined;
  /** This machine's clock in the middle of the exchange, in ms since 1970. */
  localTime: number;
  durationMs: number;
  /** Whether the answer carries AWS's request id. */
  isAws: boolean;
  /** Where a redirect leads. */
  location: string | undefined;
}

/**
 * Sends one unsigned request to an endpoint, the way the clients do: same proxy, same certificates, same time-outs.
 * `source` is who named the endpoint.
 * Throws `network`, `timeout`, `bad-response`, and `config-unreadable` and `config-invalid` for a bundle or a proxy.
 */
export async function reach(
  url: string,
  runtime: Runtime,
  { source, ...handling }: Pick<HandlerOptions, "profile" | "ahead"> & { source?: string | undefined } = {},
): Promise<Reached> {
  const handler = await createRequestHandler(runtime, ANSWER_MS, handling);
  const { protocol, hostname, port } = new URL(url);
  const sentAt = runtime.now();
  const started = runtime.elapsed();
  try {
    const request = new HttpRequest({
      method: "GET",
      protocol,
      // As the SDK's own URL parser, which keeps the brackets of an IPv6 address.
      hostname,
      ...(port === "" ? {} : { port: Number(port) }),
      path: "/",
      headers: { host: new URL(url).host },
    });
    const { response } = await handler.handle(request, { abortSignal: runtime.signal });
    const durationMs = Math.round(runtime.elapsed() - started);
    const headers = response.headers as Readonly<Record<string, string>>;
    const date = Date.parse(headers["date"] ?? "");
    return {
      status: response.statusCode,
      serverTime: Number.isNaN(date) ? undefined : date,
      localTime: (sentAt + runtime.now()) / 2,
      durationMs,
      isAws: Object.keys(headers).some((name) => /^x-amz(n)?-request-?id$/i.test(name)),
      location: headers["location"],
    };
  } catch (failure) {
    if (failure instanceof OpenclawError) throw failure;
    const error = failure instanceof Error ? failure : new Error(String(failure));
    throw (
      fromNetworkFailure(error, url, source) ??
      new OpenclawError("network", {
        message: `${url} cannot be reached: ${error.message}`,
        hint: "Check this machine's network connection.",
        cause: error,
      })
    );
  } finally {
    handler.destroy();
  }
}
