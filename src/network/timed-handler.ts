import type { Readable } from "node:stream";
import type { NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { NodeHttpHandler } from "./sdk-parts.ts";

/**
 * The SDK's HTTP/1.1 handler whose time for a request is the time for the whole answer: the SDK's own ends with the
 * headers, and a body that stops in the middle would be waited for without end.
 */
export class TimedHandler extends NodeHttpHandler {
  readonly #requestMs: number | undefined;

  constructor(options: NodeHttpHandlerOptions) {
    super(options);
    this.#requestMs = options.requestTimeout;
  }

  override async handle(
    ...[request, options]: Parameters<NodeHttpHandler["handle"]>
  ): ReturnType<NodeHttpHandler["handle"]> {
    const requestMs = options?.requestTimeout ?? this.#requestMs;
    const started = performance.now();
    const answer = await super.handle(request, options);
    if (requestMs !== undefined) {
      boundBody(answer.response.body as Readable, requestMs, requestMs - (performance.now() - started));
    }
    return answer;
  }
}

/** Destroys a body that is not whole when the time is up. The SDK retries it, as it does for headers that do not come. */
function boundBody(body: Readable, requestMs: number, leftMs: number): void {
  const timer = setTimeout(() => {
    const error = new Error(`The answer was not whole within ${requestMs} ms.`);
    body.destroy(Object.assign(error, { name: "TimeoutError", code: "ETIMEDOUT" }));
  }, leftMs);
  body.once("close", () => clearTimeout(timer));
}
