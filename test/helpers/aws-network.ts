import { writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { createSecureContext, TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import { onTestFinished } from "vitest";
import type { Emulated } from "./emulated.ts";

export interface AwsNetwork {
  /** `host:port` of each connection that was asked for, in order. */
  hosts: string[];
  /** Credentials of the Proxy-Authorization header, in order. */
  logins: (string | undefined)[];
  /** HTTPS_PROXY and AWS_CA_BUNDLE, without any endpoint: the program believes it talks to AWS. */
  env: Record<string, string | undefined>;
}

let certificate: Promise<{ private: string; cert: string }> | undefined;

/** One self-signed certificate for every host the tests call, trusted through AWS_CA_BUNDLE. */
function certificateFor(regions: readonly string[]): Promise<{ private: string; cert: string }> {
  const services = ["bedrock", "bedrock-runtime", "bedrock-mantle", "sts", "portal.sso", "oidc"].flatMap(
    (service) => [service, `${service}-fips`],
  );
  const hosts = regions.flatMap((region) => [
    ...services.flatMap((service) => [
      `${service}.${region}.amazonaws.com`,
      `${service}.${region}.amazonaws.com.cn`,
      `${service}.${region}.api.aws`,
    ]),
    // Buckets of Amazon S3 are names below it.
    ...["s3", "s3-fips", "s3.dualstack", "s3-fips.dualstack"].map(
      (host) => `*.${host}.${region}.amazonaws.com`,
    ),
    // Interface endpoints of a VPC.
    `*.bedrock.${region}.vpce.amazonaws.com`,
    `*.bedrock-runtime.${region}.vpce.amazonaws.com`,
    `*.sts.${region}.vpce.amazonaws.com`,
  ]);
  certificate ??= generate([{ name: "commonName", value: "openclaw tests" }], {
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: hosts.map((value) => ({ type: 2 as const, value })) },
    ],
  });
  return certificate;
}

const REGIONS = [
  "us-east-1",
  "us-west-1",
  "us-west-2",
  "eu-west-1",
  "eu-central-1",
  "ap-northeast-1",
  "ap-east-2",
  "us-gov-west-1",
  "cn-north-1",
];

/**
 * An HTTPS proxy behind which every AWS host is the emulator, over real TLS: a test sees which host was called, and the
 * emulator sees which region was signed. With `identity`, STS and IAM Identity Center are that server. `host` is the
 * proxy's own address; a host that it does not know is answered with 503. Of `http://` addresses it passes requests on.
 */
export async function createAwsNetwork(
  { emulator, home }: Emulated,
  {
    identity,
    host = "127.0.0.1",
    knows = () => true,
  }: { identity?: { url: string }; host?: string; knows?: (host: string) => boolean } = {},
): Promise<AwsNetwork> {
  const { private: key, cert } = await certificateFor(REGIONS);
  const bundle = path.join(home, "test-ca.pem");
  writeFileSync(bundle, cert);
  const secureContext = createSecureContext({ key, cert });
  const hosts: string[] = [];
  const logins: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((incoming, response) => {
    const { pathname, search } = new URL(incoming.url ?? "/", "http://proxy");
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: emulator.port,
        method: incoming.method,
        path: `${pathname}${search}`,
        headers: incoming.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  });
  proxy.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  proxy.on("connect", (request, socket: Socket) => {
    if (!knows(request.url ?? "")) return void socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    hosts.push(request.url ?? "");
    const login = request.headers["proxy-authorization"]?.replace(/^Basic /, "");
    logins.push(login === undefined ? undefined : Buffer.from(login, "base64").toString());
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    const inside = new TLSSocket(socket, { isServer: true, secureContext });
    const isIdentity = identity && /^(sts|portal\.sso|oidc)[.-]/.test(request.url ?? "");
    const port = isIdentity ? Number(new URL(identity.url).port) : emulator.port;
    const upstream = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [inside, upstream],
      [upstream, inside],
    ] as const) {
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as { port: number };
  return {
    hosts,
    logins,
    env: {
      HTTPS_PROXY: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
      AWS_CA_BUNDLE: bundle,
      AWS_ENDPOINT_URL: undefined,
    },
  };
}
