import { createHash } from "node:crypto";
import type {
  HandlerExecutionContext,
  HttpResponse,
  ResponseMetadata,
  RetryErrorInfo,
  RetryErrorType,
  RetryToken,
  SdkError,
  SelectedHttpAuthScheme,
} from "@smithy/types";
import type { Authentication } from "../credentials/provider.ts";
import { withRenewal } from "../credentials/renew-expired.ts";
import type { Runtime } from "../runtime.ts";
import type { ClientConfig } from "./client-config.ts";
import { type JsonBody, lengthOf, toJsonBody } from "../network/json-body.ts";
import { nextTurn } from "../next-turn.ts";
import { once } from "../once.ts";
import { untilAborted } from "../until-aborted.ts";
import { traceHeaders } from "../trace-headers.ts";
import { isOfClock } from "./retries.ts";
import { type AttemptReporter, createAttemptReporter } from "./report-attempts.ts";
import {
  AwsSdkSigV4Signer,
  createDefaultUserAgentProvider,
  HttpBearerAuthSigner,
  getRetryAfterHint,
  HttpRequest,
  isServerError,
  isThrottlingError,
  isTransientError,
  SMITHY_CONTEXT_KEY,
  userAgentMiddleware,
} from "../network/sdk-parts.ts";
import { readMetadata, readServiceError } from "./read-answer.ts";
import { Signer } from "./signer.ts";

/** One call of an operation of a service that speaks JSON. */
export interface RestCall {
  method: "GET" | "POST" | "PUT";
  /** Below the endpoint; what stands in it is percent-encoded. */
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Beside those of the client, or in place of its content type, by lower-case name. They are signed. */
  headers?: Readonly<Record<string, string>>;
  /** What is sent as JSON, bytes in base64. */
  body?: object;
  /** Time for the whole answer, in ms. */
  timeoutMs?: number;
}

export interface RestAnswer<T> {
  value: T;
  metadata: ResponseMetadata;
  attempts: number;
}

/** What is called, and as whom the client calls. */
export interface RestService {
  /** The service's name in the user agent, such as `Bedrock Runtime`. */
  id: string;
  /** The service that signatures are for. */
  signingName: string;
  /** URL. */
  endpoint: string;
  /** Whether somebody named the endpoint, which the user agent tells AWS. */
  isNamed: boolean;
  /** Version of the SDK that the parts are of. */
  sdkVersion: string;
  /** Name of an application for the user agent: AWS_SDK_UA_APP_ID. */
  appId: string | undefined;
}

/** Sends a call once, signed. Throws the service's errors under AWS's names for them, and those of the connection. */
export type SendOnce = (call: RestCall) => Promise<HttpResponse>;

/** What every sending of a request waits for, where calls are kept below a quota. */
export interface AttemptGate {
  /** Resolves when the request may be sent, for the first time or again. What it throws is what the call fails with. */
  enter(): Promise<void>;
}

export type Sent<T> = { $metadata: ResponseMetadata; value: T };

/**
 * Calls a service with parts of the SDK's clients (user agent, retry strategies, clock skew, HTTP handler) and without the
 * clients, whose schemas and settings take longer to load than a call takes. The requests and errors are those
 * of the clients, which test/session/rest-client.test.ts holds this to.
 */
export class RestClient {
  readonly #config: ClientConfig;
  readonly #authentication: Authentication;
  readonly #service: RestService;
  readonly #endpoint: URL;
  readonly #runtime: Runtime;
  readonly #report: AttemptReporter;
  readonly #userAgents = new WeakMap<SelectedHttpAuthScheme["identity"], Readonly<Record<string, string>>>();
  /** Of all calls, because the signer keeps in it how far AWS's clock is ahead. */
  #signing: { signer: () => Promise<Signer | undefined>; systemClockOffset: number };

  constructor(config: ClientConfig, authentication: Authentication, service: RestService, runtime: Runtime) {
    this.#config = config;
    this.#authentication = authentication;
    this.#service = service;
    this.#endpoint = new URL(service.endpoint);
    this.#runtime = runtime;
    this.#report = createAttemptReporter(runtime);
    const { credentials, region } = config;
    const signer = credentials && new Signer({ credentials, region, service: service.signingName });
    this.#signing = { signer: async () => signer, systemClockOffset: 0 };
  }

  /**
   * Sends a call until it succeeds or may not be tried again. `read` is part of each attempt: what it throws is judged
   * as any failure is. With a gate each attempt waits for it, and what is throttled is not tried again. Throws credential
   * errors, what `read` throws, the service's errors under AWS's names for them, and those of the connection.
   */
  async send<T>(
    call: RestCall,
    read: (response: HttpResponse, metadata: ResponseMetadata) => Promise<T>,
    signal: AbortSignal,
    gate?: AttemptGate,
  ): Promise<RestAnswer<T>> {
    const ask = async (sendOnce: SendOnce): Promise<Sent<T>> => {
      const response = await sendOnce(call);
      const $metadata = readMetadata(response);
      return { $metadata, value: await read(response, $metadata) };
    };
    return this.attempt(ask, signal, gate);
  }

  /**
   * Does work that sends calls until it succeeds or may not be tried again: what it throws is judged as an answer's failure
   * is. A gate does what it does to `send`. Throws credential errors and what the last attempt threw.
   */
  async attempt<T>(
    work: (sendOnce: SendOnce) => Promise<Sent<T>>,
    signal: AbortSignal,
    gate?: AttemptGate,
  ): Promise<RestAnswer<T>> {
    if (gate) {
      const gated: typeof work = async (sendOnce) => {
        await gate.enter();
        return work(sendOnce);
      };
      return this.#leavingThrottles().attempt(gated, signal);
    }
    let attempts = 0;
    return withRenewal(this.#authentication, async () => {
      const scheme = await this.#scheme();
      const agent = await this.#userAgent(scheme);
      const { value, $metadata } = await this.#retried(signal, (retryHeaders) => {
        attempts += 1;
        return work((call) => this.#signAndSend(call, { ...agent, ...retryHeaders }, scheme, signal));
      });
      return { value, metadata: $metadata, attempts };
    });
  }

  /**
   * Attempts until one succeeds or the strategy, which waits in between, has enough: what the SDK's middleware does, but
   * that makes an error for each call, with its stack, before anything has failed. Throws what the last attempt threw, and
   * the signal's reason.
   */
  async #retried<T>(
    signal: AbortSignal,
    attempt: (headers: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<T> {
    const { retryStrategy, maxAttempts } = this.#config;
    const invocation = crypto.randomUUID();
    let token: RetryToken = await untilAborted(retryStrategy.acquireInitialRetryToken(""), signal);
    for (;;) {
      try {
        const done = await attempt({
          "amz-sdk-invocation-id": invocation,
          "amz-sdk-request": `attempt=${token.getRetryCount() + 1}; max=${maxAttempts}`,
        });
        retryStrategy.recordSuccess(token);
        return done;
      } catch (error) {
        const renewed = retryStrategy.refreshRetryTokenForRetry(token, failureOf(error as SdkError));
        token = await untilAborted(renewed, signal).catch(() => {
          signal.throwIfAborted();
          throw error;
        });
      }
    }
  }

  async #signAndSend(
    call: RestCall,
    headers: Record<string, string>,
    { signer, identity, httpAuthOption: { signingProperties = {} } }: SelectedHttpAuthScheme,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const request = await signer.sign(await this.#request(call, headers), identity, signingProperties);
    try {
      const response = await this.#exchange(call, request as HttpRequest, signal);
      // Both handlers learn of AWS's clock.
      signer.successHandler?.(response, signingProperties);
      return response;
    } catch (error) {
      throw signer.errorHandler?.(signingProperties)(error as Error) ?? error;
    }
  }

  /**
   * The same client, over the same connections, for calls that are not tried again: where one fails, somebody else is asked.
   * A clock that was set right in between is still a reason.
   */
  readonly tryingOnce = once(() => this.#tryingUnless(({ error }) => !isOfClock(error)));

  /** The same client, over the same connections, for calls that are not tried again where they are throttled. */
  readonly #leavingThrottles = once(() => this.#tryingUnless(({ errorType }) => errorType === "THROTTLING"));

  #tryingUnless(isLeft: (failure: RetryErrorInfo) => boolean): RestClient {
    const { retryStrategy: usual } = this.#config;
    const retryStrategy: ClientConfig["retryStrategy"] = {
      acquireInitialRetryToken: (scope) => usual.acquireInitialRetryToken(scope),
      recordSuccess: (token) => usual.recordSuccess(token),
      refreshRetryTokenForRetry: async (token, failure) => {
        // What is thrown here only tells the SDK to stop; it reports the failure itself.
        if (isLeft(failure)) throw new Error("It is for others to try again.");
        return usual.refreshRetryTokenForRetry(token, failure);
      },
    };
    const client = new RestClient(
      { ...this.#config, retryStrategy },
      this.#authentication,
      this.#service,
      this.#runtime,
    );
    client.#signing = this.#signing;
    return client;
  }

  destroy(): void {
    this.#config.requestHandler.destroy();
  }

  async #request(
    { method, path, query = {}, headers = {}, body: value }: RestCall,
    common: Record<string, string>,
  ): Promise<HttpRequest> {
    const { protocol, hostname, host, port, pathname } = this.#endpoint;
    const body = value && (await toJsonBody(value));
    return new HttpRequest({
      protocol,
      hostname,
      ...(port === "" ? {} : { port: Number(port) }),
      method,
      path: pathname === "/" ? path : pathname + path,
      query: { ...query },
      headers: {
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(lengthOf(body)) }),
        ...(body === undefined ? {} : await this.#digest(body)),
        ...headers,
        ...common,
        host,
      },
      body,
    });
  }

  /** The hash of a long body, which the signer takes in place of hashing it at once. */
  async #digest(body: JsonBody): Promise<Record<string, string>> {
    if (typeof body === "string" || this.#authentication.kind === "token") return {};
    const hash = createHash("sha256");
    for (const piece of body) {
      hash.update(piece);
      await nextTurn();
    }
    return { "x-amz-content-sha256": hash.digest("hex") };
  }

  async #scheme(): Promise<SelectedHttpAuthScheme> {
    const authentication = this.#authentication;
    if (authentication.kind === "token") {
      return {
        httpAuthOption: { schemeId: "smithy.api#httpBearerAuth" },
        identity: authentication.token,
        signer: new HttpBearerAuthSigner(),
      };
    }
    return {
      httpAuthOption: {
        schemeId: "aws.auth#sigv4",
        signingProperties: { config: this.#signing, context: {} },
      },
      identity: await authentication.credentials(),
      signer: new AwsSdkSigV4Signer(),
    };
  }

  /** The headers that name the program, and where its credentials are from: put together once for the same. */
  async #userAgent(
    selectedHttpAuthScheme: SelectedHttpAuthScheme,
  ): Promise<Readonly<Record<string, string>>> {
    const { identity } = selectedHttpAuthScheme;
    const known = this.#userAgents.get(identity);
    if (known) return known;
    const { id, sdkVersion, appId, isNamed } = this.#service;
    const request = new HttpRequest({});
    const middleware = userAgentMiddleware({
      defaultUserAgentProvider: createDefaultUserAgentProvider({ serviceId: id, clientVersion: sdkVersion }),
      customUserAgent: this.#config.customUserAgent,
      userAgentAppId: async () => appId,
      runtime: "node",
    });
    // What the SDK finds out from one part of a client for another.
    const context: HandlerExecutionContext = {
      [SMITHY_CONTEXT_KEY]: { selectedHttpAuthScheme, features: isNamed ? { ENDPOINT_OVERRIDE: "N" } : {} },
    };
    await middleware(
      async () => ({ response: undefined, output: { $metadata: {} } }),
      context,
    )({
      input: {},
      request,
    });
    this.#userAgents.set(identity, request.headers);
    return request.headers;
  }

  async #exchange({ timeoutMs }: RestCall, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const options = {
      abortSignal: signal,
      ...(timeoutMs === undefined ? {} : { requestTimeout: timeoutMs }),
    };
    // Nobody but a model may take as long as it likes.
    if (timeoutMs === undefined) Object.assign(request.headers, traceHeaders(request));
    const { response } = await this.#report(request, () =>
      this.#config.requestHandler.handle(request, options),
    );
    if (response.statusCode < 300) return response;
    throw await readServiceError(response);
  }
}

/** What a retry strategy is told of a failure, by the SDK's own judgement. */
function failureOf(error: SdkError): RetryErrorInfo {
  const retryAfterHint = getRetryAfterHint(error.$response);
  return { error, errorType: errorTypeOf(error), ...(retryAfterHint ? { retryAfterHint } : {}) };
}

function errorTypeOf(error: SdkError): RetryErrorType {
  if (isThrottlingError(error)) return "THROTTLING";
  if (isTransientError(error)) return "TRANSIENT";
  return isServerError(error) ? "SERVER_ERROR" : "CLIENT_ERROR";
}
