import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { generate } from "selfsigned";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createRequestHandler } from "../../src/network/request-handler.ts";
import {
  faultOf,
  findNetworkRow,
  fromNetworkFailure,
  NETWORK_TABLE,
  type NetworkRow,
} from "../../src/network/network-errors.ts";
import { reach } from "../../src/doctor/reach.ts";
import type { ErrorCode, OpenclawError } from "../../src/errors.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime, useEnvironment } from "../helpers/test-runtime.ts";

const hit = new Set<NetworkRow | undefined>();

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks a URL over a real socket, the way the clients do, and gives the error. */
async function refusal(url: string, env: Record<string, string> = {}): Promise<OpenclawError> {
  useEnvironment(env);
  try {
    await reach(url, testRuntime({ env, home: createHome() }));
  } catch (failure) {
    const error = failure as OpenclawError;
    hit.add(findNetworkRow(error.cause as Error));
    return error;
  }
  throw new Error("It was reached.");
}

let certificate: { private: string; cert: string };
beforeAll(async () => {
  certificate = await generate([{ name: "commonName", value: "openclaw tests" }], { algorithm: "sha256" });
});

describe("an endpoint", () => {
  it("where nothing listens", async () => {
    const port = await listen(createServer());
    const unused = port === 1 ? 2 : 1;
    expect(await refusal(`http://127.0.0.1:${unused}`)).toMatchObject({
      code: "network",
      message: `Nothing accepts connections at http://127.0.0.1:${unused}.`,
      hint: "Check region, endpoint and proxy: openclaw doctor",
    });
  });

  it.each([
    ["http://bedrock.test", { HTTP_PROXY: "http://127.0.0.1:1" }],
    ["https://bedrock.test", { HTTPS_PROXY: "http://127.0.0.1:1" }],
  ])("%s behind a proxy where nothing listens", async (url, env) => {
    expect(await refusal(url, env)).toMatchObject({
      code: "network",
      message: `Nothing accepts connections at the proxy 127.0.0.1:1 (${Object.keys(env)[0]}), on the way to ${url}.`,
      hint: `Check ${Object.keys(env)[0]}, or exempt the host with NO_PROXY.`,
    });
  });

  it("that resets the connection", async () => {
    const port = await listen(createServer((socket) => socket.on("data", () => socket.resetAndDestroy())));
    expect(await refusal(`http://127.0.0.1:${port}`)).toMatchObject({
      code: "network",
      message: `http://127.0.0.1:${port} closed the connection before it answered.`,
    });
  });

  it("with a certificate that nobody vouches for", async () => {
    const port = await listen(
      createHttpsServer({ key: certificate.private, cert: certificate.cert }, (_, response) =>
        response.end(),
      ),
    );
    expect(await refusal(`https://127.0.0.1:${port}`)).toMatchObject({
      code: "network",
      message: expect.stringContaining("is not one this machine trusts"),
      hint: expect.stringContaining("AWS_CA_BUNDLE"),
    });
  });

  it("that speaks no TLS", async () => {
    const port = await listen(createHttpServer((_, response) => response.end()));
    expect(await refusal(`https://127.0.0.1:${port}`)).toMatchObject({
      code: "network",
      message: `https://127.0.0.1:${port} does not speak TLS.`,
      hint: expect.stringContaining("https://"),
    });
  });

  it.each([
    ["env AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL"],
    ["profile dev, endpoint_url", "profile dev, endpoint_url"],
  ])("that speaks no TLS, and is named by %s", (source, named) => {
    const failure = Object.assign(new Error("wrong version number"), { code: "EPROTO" });
    expect(fromNetworkFailure(failure, "https://127.0.0.1:1", source)).toMatchObject({
      message: `https://127.0.0.1:1 does not speak TLS (${source}).`,
      hint: `Check https:// against http:// in ${named}: openclaw doctor`,
    });
  });

  it("that speaks no HTTP", async () => {
    const port = await listen(createServer((socket) => socket.end("220 mail.example ESMTP\r\n")));
    expect(await refusal(`http://127.0.0.1:${port}`)).toMatchObject({
      code: "bad-response",
      message: `http://127.0.0.1:${port} does not answer in HTTP/1.1.`,
    });
  });

  it("that answers with a control character in a header", async () => {
    const answer = "HTTP/1.1 403 Forbidden\r\nx-amzn-requestid: a\u0001b\r\ncontent-length: 0\r\n\r\n";
    const port = await listen(createServer((socket) => socket.end(answer)));
    expect(await refusal(`http://127.0.0.1:${port}`)).toMatchObject({
      code: "bad-response",
      message: `http://127.0.0.1:${port} answers with a header that HTTP does not allow, so nothing of it is read.`,
    });
  });

  it("that accepts connections and speaks no TLS, for 3 s and not as long as a model may think", async () => {
    const port = await listen(createServer());
    const started = performance.now();
    expect(await refusal(`https://127.0.0.1:${port}`)).toMatchObject({
      code: "timeout",
      message: `https://127.0.0.1:${port} did not complete a connection within 3 s.`,
    });
    expect(performance.now() - started).toBeLessThan(4500);
  });

  it.each([
    ["hangs up", (socket: Socket) => socket.on("data", () => socket.end())],
    ["talks nonsense", (socket: Socket) => socket.on("data", () => socket.end("\r\n\r\n"))],
  ])("behind a proxy that %s", async (_, onConnection) => {
    const port = await listen(createServer((socket) => void onConnection(socket)));
    expect(await refusal("https://bedrock.test", { HTTPS_PROXY: `http://127.0.0.1:${port}` })).toMatchObject({
      code: "network",
      message: `The proxy 127.0.0.1:${port} (HTTPS_PROXY) does not answer like one, on the way to https://bedrock.test.`,
    });
  });

  it("behind a proxy that says nothing", async () => {
    const port = await listen(createServer());
    const started = performance.now();
    expect(await refusal("https://bedrock.test", { HTTPS_PROXY: `http://127.0.0.1:${port}` })).toMatchObject({
      code: "timeout",
      message: `The proxy 127.0.0.1:${port} (HTTPS_PROXY) did not complete a connection within 3 s, on the way to https://bedrock.test.`,
    });
    expect(performance.now() - started).toBeLessThan(4500);
  });

  it("that keeps silent", async () => {
    const url = await blackHole();
    const handler = await createRequestHandler({ env: {}, isEmulated: false }, 300);
    onTestFinished(() => handler.destroy());
    const { HttpRequest } = await import("@smithy/protocol-http");
    const { hostname, port } = new URL(url);
    const failure = await handler
      .handle(new HttpRequest({ hostname, port: Number(port), protocol: "http:", method: "GET", path: "/" }))
      .then(
        () => undefined,
        (error: Error) => error,
      );
    if (!failure) throw new Error("It answered.");
    hit.add(findNetworkRow(failure));
    expect(fromNetworkFailure(failure, url)).toMatchObject({
      code: "timeout",
      message: `${url} did not answer in time.`,
    });
  });

  // Nobody asks a name server outside this machine for a test: these carry the codes that Node gives.
  it.each<[string, object, ErrorCode, string]>([
    [
      "whose name nobody knows",
      { code: "ENOTFOUND", syscall: "getaddrinfo", hostname: "bedrock.nowhere.example" },
      "network",
      "The name bedrock.nowhere.example cannot be found",
    ],
    [
      "whose name server does not answer",
      { code: "EAI_AGAIN", syscall: "getaddrinfo", hostname: "bedrock.us-east-1.amazonaws.com" },
      "network",
      "The name bedrock.us-east-1.amazonaws.com cannot be found",
    ],
    [
      "without a route",
      { code: "ENETUNREACH", address: "203.0.113.1", port: 443 },
      "network",
      "no network route",
    ],
    [
      "that the system gave up",
      { code: "ETIMEDOUT", address: "203.0.113.1", port: 443 },
      "timeout",
      "in time",
    ],
    ["whose certificate has expired", { code: "CERT_HAS_EXPIRED" }, "network", "is not valid at this time"],
    [
      "with another's certificate",
      { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      "network",
      "is for another host",
    ],
    ["whose proxy wants a log-in", { code: "ERR_PROXY_LOGIN" }, "network", "demands a user and password"],
    ["whose proxy forbids", { code: "ERR_PROXY_REFUSED" }, "network", "answers"],
    [
      "with several addresses that all refuse",
      {
        code: "ECONNREFUSED",
        errors: [Object.assign(new Error("connect"), { code: "ECONNREFUSED", address: "::1", port: 443 })],
      },
      "network",
      "Nothing accepts connections at https://bedrock.example.",
    ],
    [
      "whose reset the SDK calls a time-out",
      { code: "ECONNRESET", name: "TimeoutError" },
      "network",
      "closed the connection",
    ],
  ])("%s", (_, fields, code, says) => {
    const failure = Object.assign(new Error("it failed"), fields);
    hit.add(findNetworkRow(failure));
    const error = fromNetworkFailure(
      new Error("fetch failed", { cause: failure }),
      "https://bedrock.example",
    );
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  it.each([
    ["ENOTFOUND", undefined, "the far end"],
    ["ECONNREFUSED", undefined, "the far end"],
    ["ENETUNREACH", undefined, "this machine"],
    ["CERT_HAS_EXPIRED", undefined, "the certificate"],
    ["SELF_SIGNED_CERT_IN_CHAIN", undefined, "the certificate"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", undefined, "the certificate"],
    ["EPROTO", undefined, "the certificate"],
    ["ECONNREFUSED", true, "the proxy"],
    ["ENOTFOUND", true, "the proxy"],
    ["UND_ERR_CONNECT_TIMEOUT", true, "the proxy"],
    ["ERR_PROXY_LOGIN", true, "the proxy"],
    ["ERR_PROXY_TUNNEL", true, "the proxy"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", true, "the proxy"],
    // It is there, and says no.
    ["ERR_PROXY_REFUSED", true, "the far end"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", false, "the certificate"],
    ["ECONNRESET", false, "the far end"],
  ])("%s, with a proxy at fault: %s, leaves %s to be looked at", (code, isAtFault, fault) => {
    const proxy = {
      address: "proxy:1",
      variable: "HTTPS_PROXY",
      scheme: "http:" as const,
      hasUser: false,
      isAtFault,
    };
    const failure = Object.assign(new Error("no"), { code }, isAtFault === undefined ? {} : { proxy });
    const error = fromNetworkFailure(failure, "https://bedrock.example");
    expect(error && faultOf(error)).toBe(fault);
  });

  it("of any other failure is not the network's", () => {
    expect(
      fromNetworkFailure(new TypeError("x is not a function"), "https://bedrock.example"),
    ).toBeUndefined();
  });

  it("has met every row of the table", () => {
    expect(NETWORK_TABLE.filter((row) => !hit.has(row)).map(({ codes }) => codes)).toEqual([]);
  });
});
