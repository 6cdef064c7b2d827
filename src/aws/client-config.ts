import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type {
  AwsCredentialIdentityProvider,
  FinalizeHandler,
  FinalizeRequestMiddleware,
  HttpRequest,
  HttpResponse,
  MiddlewareStack,
  RetryStrategyV2,
  TokenIdentity,
} from "@smithy/types";
import { setTimeout as wait } from "node:timers/promises";
import type { Runtime } from "../runtime.ts";
import { VERSION } from "../version.ts";
import type { Service } from "./endpoint.ts";
import { createRequestHandler, type RequestHandlerOptions } from "./request-handler.ts";
import { createRetryStrategy, decideRetries, type RetrySettings } from "./retries.ts";
import type { AwsSession } from "./session.ts";

/** What every AWS client of this program is built with. */
export interface ClientConfig {
  region: string;
  profile: string;
  requestHandler: NodeHttpHandler;
  customUserAgent: [string, string][];
  /** Named outright, because the SDK would prefer a bearer token of the environment to the source that was chosen. */
  authSchemePreference: string[];
  maxAttempts: number;
  retryMode: RetrySettings["mode"];
  retryStrategy: RetryStrategyV2;
  endpoint?: string;
  credentials?: AwsCredentialIdentityProvider;
  token?: TokenIdentity;
}

/** Builds the configuration of one client. Throws `usage` and the credential errors of credentials/provider.ts. */
export async function clientConfig(
  session: AwsSession,
  service: Service,
  options: RequestHandlerOptions,
): Promise<ClientConfig> {
  const { runtime, shared } = session.surroundings;
  const { profileName } = session.decision;
  const keys = shared.profiles.get(profileName)?.keys;
  const retries = decideRetries(runtime.env, keys && { name: profileName, keys });
  const [authentication, requestHandler] = await Promise.all([
    session.authentication(),
    createRequestHandler(runtime, options),
  ]);
  const endpoint = session.endpoint(service);
  if (endpoint) runtime.terminal.verbose(() => `${service} endpoint ${endpoint.url} (${endpoint.source})`);
  return {
    region: session.region.value,
    profile: profileName,
    requestHandler,
    maxAttempts: retries.maxAttempts,
    retryMode: retries.mode,
    retryStrategy: createRetryStrategy(retries, {
      now: runtime.now,
      wait,
      note: (line) => runtime.terminal.note(line),
    }),
    customUserAgent: [["openclaw", VERSION]],
    ...(endpoint ? { endpoint: endpoint.url } : {}),
    ...(authentication.kind === "token"
      ? { token: authentication.token, authSchemePreference: ["httpBearerAuth"] }
      : { credentials: authentication.credentials, authSchemePreference: ["sigv4"] }),
  };
}

/** Says on stderr when a request is tried again and, with `--verbose`, what each request came to and how long it took. */
export function reportAttempts<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  runtime: Runtime,
): void {
  // Lists are asked for side by side; the same notice twice says nothing more.
  const noted = new Set<string>();
  const middleware: FinalizeRequestMiddleware<Input, Output> =
    (next: FinalizeHandler<Input, Output>, context) => async (args) => {
      const { terminal } = runtime;
      const request = args.request as HttpRequest;
      const attempt = /attempt=(\d+)(?:; max=(\d+))?/.exec(request.headers["amz-sdk-request"] ?? "");
      const name = String(context["commandName"] ?? "request").replace(/Command$/, "");
      if (attempt && Number(attempt[1]) > 1) {
        const notice = `openclaw: ${name}: trying again (${attempt[1]}${attempt[2] ? ` of ${attempt[2]}` : ""})`;
        if (!noted.has(notice)) terminal.note(notice);
        noted.add(notice);
      }
      if (!terminal.isVerbose) return next(args);
      const started = runtime.elapsed();
      const line = (outcome: string): void =>
        terminal.verbose(
          () =>
            `${request.method} ${request.protocol}//${request.hostname}${request.port ? `:${request.port}` : ""}` +
            `${request.path} ${outcome} in ${Math.round(runtime.elapsed() - started)} ms`,
        );
      try {
        const result = await next(args);
        line(String((result.response as HttpResponse | undefined)?.statusCode ?? "answered"));
        return result;
      } catch (error) {
        line(error instanceof Error ? error.name : String(error));
        throw error;
      }
    };
  stack.add(middleware, { step: "finalizeRequest", priority: "low", name: "openclawReportAttempts" });
}
