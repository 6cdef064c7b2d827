import type {
  FinalizeHandler,
  FinalizeRequestMiddleware,
  HttpRequest,
  HttpResponse,
  MiddlewareStack,
} from "@smithy/types";
import type { Runtime } from "../runtime.ts";

/** Sends one attempt of a request, and says what is to be said about it. */
export type AttemptReporter = <T extends { response: unknown }>(
  request: HttpRequest,
  send: () => Promise<T>,
) => Promise<T>;

/** Says on stderr with `--verbose` what each request came to and how long it took. */
export function createAttemptReporter({ terminal, elapsed }: Runtime): AttemptReporter {
  return async (request, send) => {
    if (!terminal.isVerbose) return send();
    const started = elapsed();
    const line = (outcome: string): void =>
      terminal.verbose(
        () =>
          `${request.method} ${request.protocol}//${request.hostname}${request.port ? `:${request.port}` : ""}` +
          `${request.path} ${outcome} in ${Math.round(elapsed() - started)} ms`,
      );
    try {
      const result = await send();
      line(String((result.response as HttpResponse | undefined)?.statusCode ?? "answered"));
      return result;
    } catch (error) {
      line(error instanceof Error ? error.name : String(error));
      throw error;
    }
  };
}

/** Lets a client of the SDK report its attempts. */
export function reportAttempts<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  runtime: Runtime,
): void {
  const report = createAttemptReporter(runtime);
  const middleware: FinalizeRequestMiddleware<Input, Output> =
    (next: FinalizeHandler<Input, Output>) => (args) =>
      report(args.request as HttpRequest, () => next(args));
  stack.add(middleware, { step: "finalizeRequest", priority: "low", name: "openclawReportAttempts" });
}
