import { createServer, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { generate } from "selfsigned";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Reached, reach } from "../../src/doctor/reach.ts";
import type { OpenclawError } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";
import { startSocksProxy } from "../helpers/socks-proxy.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

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

/** A certificate for `localhost` and `target.test`, and the file that vouches for it. */
async function certify(
  options: { notAfterDate?: Date; notBeforeDate?: Date; host?: string; ip?: string } = {},
) {
  const { host = "target.test", ip, ...dates } = options;
  const { private: key, cert } = await generate([{ name: "commonName", value: host }], {
    algorithm: "sha256",
    ...dates,
    extensions: [
      { name: "basicConstraints", cA: true },
      {
        name: "subjectAltName",
        altNames: [
          ...["localhost", host].map((value) => ({ type: 2 as const, value })),
          ...(ip === undefined ? [] : [{ type: 7 as const, ip }]),
        ],
      },
    ],
  });
  const bundle = path.join(createHome(), "ca.pem");
  writeFileSync(bundle, cert);
  return { key, cert, bundle };
}

/** A server that notes the request lines it got. */
async function target(tls?: { key: string; cert: string }) {
  const seen: string[] = [];
  const listener: RequestListener = (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`);
    response.writeHead(200, { "x-amzn-requestid": "1" }).end("{}");
  };
  const server = tls ? createHttpsServer(tls, listener) : createServer(listener);
  return { port: await listen(server), seen };
}

/** A proxy whose every destination is the same port of this machine, and what it was asked. */
function forwarding(server: HttpServer, port: number, asked: string[]): HttpServer {
  return server
    .on("request", (request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? "-"}`);
      response.writeHead(200, { "x-amzn-requestid": "1" }).end("{}");
    })
    .on("connect", (request, socket: Socket) => {
      asked.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? "-"}`);
      const upstream = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(upstream).pipe(socket);
      }).on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
      onTestFinished(() => void upstream.destroy());
    });
}

function ask(url: string, env: Record<string, string>): Promise<Reached> {
  return reach(url, testRuntime({ env, home: createHome() }));
}

async function refusal(url: string, env: Record<string, string>): Promise<OpenclawError> {
  return ask(url, env).then(
    () => Promise.reject(new Error("It was reached.")),
    (error: OpenclawError) => error,
  );
}

const LOGIN = `Basic ${Buffer.from("anna:s#cret@ü").toString("base64")}`;
const USER = "anna:s%23cret%40%C3%BC";

describe("an HTTP proxy", () => {
  it("is sent the whole URL of http:// and CONNECT for https://, as curl does, with user and password", async () => {
    const tls = await certify();
    const { port, seen } = await target(tls);
    const asked: string[] = [];
    const proxyPort = await listen(forwarding(createServer(), port, asked));
    const env = { ALL_PROXY: `http://${USER}@127.0.0.1:${proxyPort}`, AWS_CA_BUNDLE: tls.bundle };
    await ask("http://target.test:8080", env);
    await ask("https://target.test", env);
    expect(asked).toEqual([`GET http://target.test:8080/ ${LOGIN}`, `CONNECT target.test:443 ${LOGIN}`]);
    expect(seen).toEqual(["GET / target.test"]);
  });

  it("may itself be spoken to over TLS that AWS_CA_BUNDLE vouches for", async () => {
    const tls = await certify();
    const { port } = await target(tls);
    const asked: string[] = [];
    const proxyPort = await listen(forwarding(createHttpsServer(tls) as HttpServer, port, asked));
    const env = { ALL_PROXY: `https://localhost:${proxyPort}`, AWS_CA_BUNDLE: tls.bundle };
    await ask("http://target.test", env);
    await ask("https://target.test", env);
    expect(asked).toEqual(["GET http://target.test/ -", "CONNECT target.test:443 -"]);
  });

  it.each(["http://target.test", "https://target.test"])(
    "over TLS that nobody vouches for is to blame, not %s",
    async (url) => {
      const tls = await certify();
      const port = await listen(createHttpsServer(tls));
      const error = await refusal(url, { ALL_PROXY: `https://localhost:${port}` });
      expect(error).toMatchObject({
        code: "network",
        message: `The TLS certificate of the proxy localhost:${port} (ALL_PROXY) is not one this machine trusts, on the way to ${url}.`,
        hint: expect.stringContaining("AWS_CA_BUNDLE"),
      });
    },
  );

  it.each(["http://target.test", "https://target.test"])("that speaks no TLS is told for %s", async (url) => {
    const port = await listen(createServer());
    const error = await refusal(url, { ALL_PROXY: `https://127.0.0.1:${port}` });
    expect(error).toMatchObject({
      code: "network",
      message: `The proxy 127.0.0.1:${port} (ALL_PROXY) does not speak TLS, on the way to ${url}.`,
      hint: expect.stringContaining("ALL_PROXY with http://"),
    });
  });

  it.each(["http://target.test", "https://target.test"])(
    "whose name nobody knows is told for %s",
    async (url) => {
      const error = await refusal(url, { ALL_PROXY: "http://anna:SecretPw@proxy.invalid:3128" });
      expect(error).toMatchObject({
        code: "network",
        message: `The name proxy.invalid cannot be found, so the proxy proxy.invalid:3128 (ALL_PROXY) cannot be reached, on the way to ${url}.`,
        hint: "Check ALL_PROXY, or exempt the host with NO_PROXY.",
      });
    },
  );

  it.each([
    [403, "answers 403 No", "Ask whoever runs the proxy"],
    [407, "demands a user and password", "http://USER:PASSWORD@127.0.0.1:"],
    [404, "answers 404 No", "Ask whoever runs the proxy"],
    [502, "answers 502 No", "Try again in a minute"],
    [429, "answers 429 No", "Try again in a minute"],
    [302, "answers 302 No", "Ask whoever runs the proxy"],
  ])("that answers CONNECT with %i is named", async (status, says, hint) => {
    const server = createServer().on("connect", (_, socket: Socket) => {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-type: text/html\r\n\r\n<html>SECRET</html>`);
    });
    const port = await listen(server);
    const error = await refusal("https://target.test", { https_proxy: `http://127.0.0.1:${port}` });
    expect(error).toMatchObject({
      code: "network",
      exitCode: 5,
      message: `The proxy 127.0.0.1:${port} (https_proxy) ${says}, on the way to https://target.test.`,
      hint: expect.stringContaining(hint),
    });
  });

  it.each([
    [403, "answers 403 Forbidden"],
    [407, "refuses the user and password it was given"],
    [502, "answers 502 Bad Gateway"],
    [503, "answers 503 Service Unavailable"],
  ])("that answers a forwarded request with %i and a page is named", async (status, says) => {
    const port = await listen(
      createServer((_, response) => {
        response.writeHead(status, { "content-type": "text/html" }).end("<html>No</html>");
      }),
    );
    const env = { http_proxy: `http://anna:SecretPw@127.0.0.1:${port}` };
    expect(await refusal("http://target.test", env)).toMatchObject({
      code: "network",
      message: `The proxy 127.0.0.1:${port} (http_proxy) ${says}, on the way to http://target.test.`,
    });
  });

  it.each<[string, number, Record<string, string>]>([
    ["JSON", 403, { "content-type": "application/json" }],
    ["a request id of AWS", 503, { "x-amzn-requestid": "1" }],
    ["a page about what is not there", 404, { "content-type": "text/html" }],
  ])("is not blamed for an answer of the server with %s", async (_, status, headers) => {
    const port = await listen(createServer((__, response) => response.writeHead(status, headers).end("{}")));
    const env = { http_proxy: `http://127.0.0.1:${port}` };
    expect((await ask("http://target.test", env)).status).toBe(status);
  });

  it.each([
    [
      "resets",
      (socket: Socket) => socket.on("data", () => socket.resetAndDestroy()),
      "network",
      "closed the connection",
    ],
    [
      "is no HTTP server",
      (socket: Socket) => socket.end("220 mail.example ESMTP\r\n"),
      "bad-response",
      "HTTP/1.1",
    ],
  ] as const)("that %s is named for http://", async (_, onConnection, code, says) => {
    const port = await listen(createTcpServer((socket) => void onConnection(socket)));
    const error = await refusal("http://target.test", { http_proxy: `http://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
    expect(error.message).toContain(`The proxy 127.0.0.1:${port} (http_proxy)`);
  });

  it("is left out of the blame for what is behind it", async () => {
    const tls = await certify();
    const { port } = await target(tls);
    const proxyPort = await listen(forwarding(createServer(), port, []));
    const error = await refusal("https://target.test", { HTTPS_PROXY: `127.0.0.1:${proxyPort}` });
    expect(error).toMatchObject({
      code: "network",
      message: `The TLS certificate of https://target.test is not one this machine trusts, through the proxy 127.0.0.1:${proxyPort} (HTTPS_PROXY).`,
      hint: "Behind a proxy that inspects TLS, name its CA certificate: export AWS_CA_BUNDLE=FILE",
    });
  });
});

describe("a certificate", () => {
  it("that has expired is not a matter of trust", async () => {
    const tls = await certify({
      notBeforeDate: new Date("2001-01-01"),
      notAfterDate: new Date("2002-01-01"),
      host: "localhost",
    });
    const { port } = await target(tls);
    expect(await refusal(`https://localhost:${port}`, { AWS_CA_BUNDLE: tls.bundle })).toMatchObject({
      code: "network",
      message: `The TLS certificate of https://localhost:${port} is not valid at this time.`,
      hint: expect.stringContaining("clock"),
    });
  });

  it("for another host is not a matter of trust", async () => {
    const tls = await certify();
    const { port } = await target(tls);
    expect(await refusal(`https://127.0.0.1:${port}`, { AWS_CA_BUNDLE: tls.bundle })).toMatchObject({
      code: "network",
      message: `The TLS certificate of https://127.0.0.1:${port} is for another host.`,
      hint: expect.stringContaining("host name"),
    });
  });
});

describe("the certificate of an address behind a proxy", () => {
  it.each(["http", "socks5"])("of the kind %s is compared with the address", async (scheme) => {
    const reachThrough = async (tls: Awaited<ReturnType<typeof certify>>): Promise<Reached> => {
      const { port } = await target(tls);
      const address =
        scheme === "http"
          ? `127.0.0.1:${await listen(forwarding(createServer(), port, []))}`
          : (await startSocksProxy()).address;
      return ask(`https://127.0.0.1:${port}`, {
        ALL_PROXY: `${scheme}://${address}`,
        AWS_CA_BUNDLE: tls.bundle,
      });
    };
    expect(await reachThrough(await certify({ ip: "127.0.0.1" }))).toMatchObject({ status: 200 });
    // Of this machine by name, and of another one by address.
    await expect(reachThrough(await certify({ ip: "10.1.2.3" }))).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining("is for another host"),
    });
  });
});

describe("a SOCKS proxy", () => {
  it.each([
    ["socks5h", 5, "target.test"],
    ["socks4a", 4, "target.test"],
    ["socks5", 5, "127.0.0.1"],
    ["socks4", 4, "127.0.0.1"],
    ["socks", 4, "127.0.0.1"],
  ])("of the kind %s speaks version %i and is asked for %s", async (scheme, version, host) => {
    const tls = await certify();
    const { port } = await target(tls);
    const plain = await target();
    const socks = await startSocksProxy();
    const env = { ALL_PROXY: `${scheme}://${socks.address}`, AWS_CA_BUNDLE: tls.bundle };
    // Looked up here, it has to be a name that this machine knows.
    const name = host === "127.0.0.1" ? "localhost" : host;
    await ask(`https://${name}:${port}`, env);
    await ask(`http://${name}:${plain.port}`, env);
    expect(socks.asked).toEqual(
      [port, plain.port].map((asked) => ({ version, login: "", destination: `${host}:${asked}` })),
    );
    expect(plain.seen).toEqual([`GET / ${name}:${plain.port}`]);
  });

  it("is logged in to", async () => {
    const { port } = await target();
    const socks = await startSocksProxy({ login: "anna:s#cret@ü" });
    await ask(`http://target.test:${port}`, { ALL_PROXY: `socks5h://${USER}@${socks.address}` });
    expect(socks.asked[0]?.login).toBe("anna:s#cret@ü");
  });

  it.each([
    ["demands a log-in", { login: "a:b" }, "", "demands a user and password"],
    ["refuses a log-in", { login: "a:b" }, "anna:SecretPw@", "refuses the user and password"],
    ["does not allow it", { refuses: 2 }, "", "answers NotAllowed"],
    ["cannot reach the host", { refuses: 4 }, "", "answers HostUnreachable"],
  ])("that %s is named", async (_, options, user, says) => {
    const socks = await startSocksProxy(options);
    const error = await refusal("https://target.test", { ALL_PROXY: `socks5h://${user}${socks.address}` });
    expect(error).toMatchObject({ code: "network", message: expect.stringContaining(says) });
    expect(error.message).toContain(`The proxy ${socks.address} (ALL_PROXY)`);
    if (says.includes("password"))
      expect(error.hint).toContain(`export ALL_PROXY=socks5h://USER:PASSWORD@${socks.address}`);
    expect(JSON.stringify([error.message, error.hint, error.cause, String(error.cause)])).not.toContain(
      "SecretPw",
    );
  });

  it("that is not there is named", async () => {
    expect(await refusal("https://target.test", { ALL_PROXY: "socks5h://127.0.0.1:1" })).toMatchObject({
      code: "network",
      message:
        "Nothing accepts connections at the proxy 127.0.0.1:1 (ALL_PROXY), on the way to https://target.test.",
    });
  });

  it("that speaks another protocol is named", async () => {
    const port = await listen(createServer());
    const error = await refusal("https://target.test", { ALL_PROXY: `socks5h://127.0.0.1:${port}` });
    expect(error).toMatchObject({
      code: "network",
      message: expect.stringContaining("does not answer like one"),
    });
  });

  it("that says nothing is given up in time", async () => {
    const port = await listen(createTcpServer());
    const started = performance.now();
    const error = await refusal("https://target.test", { ALL_PROXY: `socks5h://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: "timeout", message: expect.stringContaining("within 3 s") });
    expect(performance.now() - started).toBeLessThan(4500);
  });

  it("is not blamed for a name that is looked up here", async () => {
    const socks = await startSocksProxy();
    const error = await refusal("https://target.invalid", { ALL_PROXY: `socks5://${socks.address}` });
    expect(error.message).toBe(
      `The name target.invalid cannot be found, so https://target.invalid cannot be reached, through the proxy ${socks.address} (ALL_PROXY).`,
    );
  });
});
