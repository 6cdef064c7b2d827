import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { HttpResponse } from "@smithy/types";
import type { TimedHandler } from "../../../network/timed-handler.ts";
import { hideSecrets } from "../../../credentials/hide-secrets.ts";
import { secondsToWait } from "../../../network/retry-after.ts";
import { HttpRequest } from "../../../network/sdk-parts.ts";
import { queryParameters } from "../../../network/query-parameters.ts";
import type { Runtime } from "../../../runtime.ts";
import { anySignal, untilAborted } from "../../../until-aborted.ts";
import { VERSION } from "../../../version.ts";
import type { OtlpTarget } from "./otlp-settings.ts";
import { toProtobuf } from "./protobuf.ts";

/** Statuses after which it is tried again: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE = new Set([429, 502, 503, 504]);
const MOST_TRIES = 5;
/** The first wait before one more try, in ms; the next ones are twice as long each. */
const WAIT_MS = 1000;
/** Who asks for a longer wait is not asked again, in ms. */
const LONGEST_WAIT_MS = 30_000;
/** Of an answer, in bytes: all it may say is what was not taken. */
const LONGEST_ANSWER = 64 * 1024;

/** Why a message did not get there. */
export interface Undelivered {
  reason: string;
  /** In ms; undefined where it is not worth to try again. */
  retryMs: number | undefined;
}

/** Hands messages to one receiver, over the proxy and with the certificates of every other call. */
export class OtlpSender {
  readonly #target: OtlpTarget;
  readonly #name: Parameters<typeof toProtobuf>[0];
  readonly #handler: TimedHandler;
  readonly #runtime: Runtime;

  constructor(
    target: OtlpTarget,
    name: Parameters<typeof toProtobuf>[0],
    handler: TimedHandler,
    runtime: Runtime,
  ) {
    this.#target = target;
    this.#name = name;
    this.#handler = handler;
    this.#runtime = runtime;
  }

  /** Sends a message, some times where that may help. Resolves to why it did not get there; never rejects. */
  async send(message: object, signal: AbortSignal): Promise<string | undefined> {
    const body = await this.#encode(message);
    for (let tries = 1; ; tries++) {
      const failed = await this.#sendOnce(body, signal);
      if (!failed) return undefined;
      const { reason, retryMs } = failed;
      const wait = retryMs === undefined ? undefined : Math.max(retryMs, WAIT_MS * 2 ** (tries - 1));
      if (wait === undefined || wait > LONGEST_WAIT_MS || tries === MOST_TRIES) return reason;
      await pause(wait * (0.5 + this.#runtime.random() / 2), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return reason;
    }
  }

  async #encode(message: object): Promise<Buffer> {
    const { format, isGzipped } = this.#target;
    const plain = format === "json" ? Buffer.from(JSON.stringify(message)) : toProtobuf(this.#name, message);
    return isGzipped ? promisify(gzip)(plain) : plain;
  }

  async #sendOnce(body: Buffer, signal: AbortSignal): Promise<Undelivered | undefined> {
    const { url, headers, format, isGzipped, timeoutMs } = this.#target;
    const bounded = anySignal(signal, AbortSignal.timeout(timeoutMs));
    const request = new HttpRequest({
      method: "POST",
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port !== "" && { port: Number(url.port) }),
      path: url.pathname,
      query: queryParameters(url.searchParams),
      headers: {
        host: url.host,
        "user-agent": `OTel-OTLP-Exporter-openclaw/${VERSION}`,
        "content-type": format === "json" ? "application/json" : "application/x-protobuf",
        "content-length": String(body.length),
        ...(isGzipped && { "content-encoding": "gzip" }),
        ...headers,
      },
      body,
    });
    try {
      // The handler looks at the signal until the headers are there.
      const exchange = this.#handler
        .handle(request, { abortSignal: bounded, requestTimeout: timeoutMs })
        .then(({ response }) => response);
      return this.#judge(await untilAborted(exchange, bounded));
    } catch (error) {
      const reason = signal.aborted
        ? "the server is ending"
        : bounded.aborted
          ? `no answer within ${timeoutMs} ms`
          : hideSecrets(error instanceof Error ? error.message : String(error), this.#runtime);
      return { reason, retryMs: 0 };
    }
  }

  async #judge({ statusCode, headers, body }: HttpResponse): Promise<Undelivered | undefined> {
    await drain(body as Readable);
    if (statusCode >= 200 && statusCode < 300) return undefined;
    const seconds = secondsToWait(headers, this.#runtime.now()) ?? 0;
    return { reason: `HTTP ${statusCode}`, retryMs: RETRYABLE.has(statusCode) ? seconds * 1000 : undefined };
  }
}

/** Reads an answer to its end, since only then the connection is free for the next one; of a long one no more than that. */
async function drain(body: Readable): Promise<void> {
  let length = 0;
  try {
    for await (const chunk of body) {
      length += (chunk as Buffer).length;
      if (length > LONGEST_ANSWER) break;
    }
  } catch (error) {
    // The status says enough.
    if (!(error instanceof Error)) throw error;
  }
}
