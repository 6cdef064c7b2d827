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
  operation: string,
  request: HttpRequest,
  send: () => Promise<T>,
) => Promise<T>;

/** Says on stderr when a request is tried again and, with `--verbose`, what each request came to and how long it took. */
export function createAttemptReporter({ terminal, elapsed }: Runtime): AttemptReporter {
  // Lists are asked for side by side; the same notice twice says nothing more.
  const noted = new Set<string>();
  return async (operation, request, send) => {
    const attempt = /attempt=(\d+)(?:; max=(\d+))?/.exec(request.headers["amz-sdk-request"] ?? "");
    if (attempt && Number(attempt[1]) > 1) {
      const notice = `openclaw: ${operation}: trying again (${attempt[1]}${attempt[2] ? ` of ${attempt[2]}` : ""})`;
      if (!noted.has(notice)) terminal.note(notice);
      noted.add(notice);
    }
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
    (next: FinalizeHandler<Input, Output>, context) => (args) => {
      const operation = String(context["commandName"] ?? "request").replace(/Command$/, "");
      return report(operation, args.request as HttpRequest, () => next(args));
    };
  stack.add(middleware, { step: "finalizeRequest", priority: "low", name: "openclawReportAttempts" });
}
