import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Readable } from "node:stream";
import { StandardRetryStrategy } from "@smithy/core/retry";
import { type HttpRequest, HttpResponse } from "@smithy/protocol-http";
import { TimedHandler } from "../../src/network/timed-handler.ts";
import { RestClient } from "../../src/session/rest-client.ts";
import { type AwsSession, openSession, readSetup } from "../../src/session/session.ts";
import type { Runtime } from "../../src/runtime.ts";

export interface FakeAnswer {
  status: number;
  headers: Record<string, string>;
  /** In the chunks in which they arrive. */
  body: readonly Uint8Array[];
}

type Answering = (request: HttpRequest) => FakeAnswer;

/** Answers from a function of this process: no socket. */
class FakeHandler extends TimedHandler {
  readonly #answer: Answering;

  constructor(answer: Answering) {
    super({ http: new HttpAgent(), https: new HttpsAgent() });
    this.#answer = answer;
  }

  override async handle(request: HttpRequest): ReturnType<TimedHandler["handle"]> {
    const { status, headers, body } = this.#answer(request);
    return {
      response: new HttpResponse({
        statusCode: status,
        headers,
        body: Readable.from(body, { objectMode: false }),
      }),
    };
  }
}

/** A client of either service that never tries again, answered by a function of this process. */
function fakeClient(answer: Answering, runtime: Runtime): RestClient {
  const credentials = async () => ({ accessKeyId: "AKIAFUZZ", secretAccessKey: "secret" });
  const config = {
    region: "us-east-1",
    profile: "default",
    requestHandler: new FakeHandler(answer),
    customUserAgent: [],
    authSchemePreference: ["sigv4"],
    maxAttempts: 1,
    retryMode: "standard" as const,
    retryStrategy: new StandardRetryStrategy(async () => 1),
    credentials,
  };
  const service = {
    id: "Bedrock",
    signingName: "bedrock",
    endpoint: "http://service.test",
    isNamed: true,
    sdkVersion: "0",
    appId: undefined,
  };
  return new RestClient(config, { kind: "credentials", credentials }, service, runtime);
}

/** Sessions of a runtime whose service is this one. */
export async function sessionMaker(
  runtime: Runtime,
  answer: Answering,
): Promise<(runtime: Runtime) => AwsSession> {
  const config = { file: "", exists: false, value: {} };
  const setup = await readSetup({ color: false }, runtime, config);
  const session = await openSession(setup, {
    kind: "model",
    id: "amazon.nova-lite-v1:0",
    providerId: "amazon-bedrock",
  });
  const client = fakeClient(answer, runtime);
  return (own) => ({
    ...session,
    rest: async () => client,
    setup: { ...setup, runtime: own },
  });
}
