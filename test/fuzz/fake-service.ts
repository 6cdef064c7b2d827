import type { HttpHandler, HttpRequest } from "@smithy/protocol-http";
import { HttpResponse } from "@smithy/protocol-http";
import { Readable } from "node:stream";
import { type AwsSession, openSession, surveySurroundings } from "../../src/aws/session.ts";
import type { Runtime } from "../../src/runtime.ts";

export interface FakeAnswer {
  status: number;
  headers: Record<string, string>;
  /** In the chunks in which they arrive. */
  body: readonly Uint8Array[];
}

type ClientOptions = Record<string, unknown>;

/** What an AWS client is built with to get its answers from a function of this process: no socket, no retries. */
export function fakeClient(answer: (request: HttpRequest) => FakeAnswer): ClientOptions {
  const requestHandler: Pick<HttpHandler, "handle" | "destroy"> = {
    handle: async (request) => {
      const { status, headers, body } = answer(request);
      return {
        response: new HttpResponse({
          statusCode: status,
          headers,
          body: Readable.from(body, { objectMode: false }),
        }),
      };
    },
    destroy: () => undefined,
  };
  return {
    region: "us-east-1",
    endpoint: "http://service.test",
    credentials: { accessKeyId: "AKIAFUZZ", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: {
      ...requestHandler,
      metadata: { handlerProtocol: "http/1.1" },
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  };
}

/** Sessions of a runtime whose clients are these. */
export async function sessionMaker(
  runtime: Runtime,
  clients: Partial<Pick<AwsSession, "bedrock" | "bedrockRuntime">>,
): Promise<(runtime: Runtime) => AwsSession> {
  const config = { file: "", exists: false, value: {} };
  const surroundings = await surveySurroundings({ color: false }, runtime, config);
  const session = await openSession(surroundings, { kind: "model", id: "amazon.nova-lite-v1:0" });
  return (own) => ({ ...session, ...clients, surroundings: { ...surroundings, runtime: own } });
}
