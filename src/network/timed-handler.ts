import type { Readable } from "node:stream";
import type { NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { NodeHttpHandler } from "./sdk-parts.ts";

type Handle = NodeHttpHandler["handle"];

/** What somebody has to do with each request. */
export interface RequestWatcher {
  /** Before it is sent. */
  sends: (request: Parameters<Handle>[0]) => Promise<void>;
  /** With what went wrong before an answer began; undefined where one did. */
  ends: (failure: unknown, request: Parameters<Handle>[0]) => void;
}

/**
 * The SDK's HTTP/1.1 handler whose time for a request is the time for the whole answer: the SDK's own ends with the
 * headers, and a body that stops in the middle would be waited for without end.
 */
export class TimedHandler extends NodeHttpHandler {
  readonly #requestMs: number | undefined;
  readonly #watcher: RequestWatcher | undefined;

  constructor(options: NodeHttpHandlerOptions, watcher?: RequestWatcher) {
    super(options);
    this.#requestMs = options.requestTimeout;
    this.#watcher = watcher;
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const requestMs = options?.requestTimeout ?? this.#requestMs;
    const started = performance.now();
    await this.#watcher?.sends(request);
    const answer = await this.exchange(request, options).catch((failure: unknown) => {
      this.#watcher?.ends(failure, request);
      throw failure;
    });
    this.#watcher?.ends(undefined, request);
    if (requestMs !== undefined) {
      boundBody(answer.response.body as Readable, requestMs, requestMs - (performance.now() - started));
    }
    return answer;
  }

  /** Sends a request and resolves with the headers of its answer. */
  protected exchange(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    return super.handle(request, options);
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
