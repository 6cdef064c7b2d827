import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { stsCredentials } from "./sts-answer.ts";

/** A request that reached the server, with who had signed it. */
export interface IdentityCall {
  service: "sts" | "sso" | "sso-oidc" | "container" | "imds" | "signin" | "other";
  action: string;
  /** The access key id of the signature, or the token that came with the request. */
  signedBy: string | undefined;
  parameters: Record<string, string>;
  region: string | undefined;
}

export type Answer = { status: number; body: string; headers?: Record<string, string> } | "silence" | "reset";

export interface IdentityServer {
  url: string;
  calls: IdentityCall[];
  /**
   * Decides an action's answer instead of the server, always or so many times: a failure, `silence`, which never answers, or
   * `reset`, which closes the connection.
   */
  answer(action: string, answer: Answer, times?: number): void;
  /** Lets the server decide about an action again. */
  forget(action: string): void;
  connections(): number;
}

const SOON_MS = 3_600_000;

/**
 * What hands out credentials, on loopback: STS, IAM Identity Center (portal and OIDC), AWS sign-in, a container
 * endpoint and EC2 instance metadata. Every key it gives names who gave it.
 */
export async function startIdentityServer(
  options: { role?: string | undefined } = { role: "EC2-Bedrock-Access" },
): Promise<IdentityServer> {
  const calls: IdentityCall[] = [];
  const answers = new Map<string, { answer: Answer; left: number }>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer(async (request, response) => {
    const body = await readBody(request);
    const call = identify(request, body);
    calls.push(call);
    const told = answers.get(call.action);
    if (told && told.left > 0) {
      told.left -= 1;
      return send(response, told.answer);
    }
    send(response, usual(call, options.role));
  });
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    answer: (action, answer, times = Number.POSITIVE_INFINITY) =>
      void answers.set(action, { answer, left: times }),
    forget: (action) => void answers.delete(action),
    connections: () => connections,
  };
}

/** An error of STS, as its query protocol has it. */
export function stsError(
  code: string,
  message: string,
  status = 403,
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: { "content-type": "text/xml", ...headers },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>`,
  };
}

/** An error of IAM Identity Center, as its JSON protocol has it. */
export function jsonError(type: string, message: string, status: number): Answer {
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": type },
    body: JSON.stringify({ message }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function identify(request: IncomingMessage, body: string): IdentityCall {
  const url = new URL(request.url ?? "/", "http://server");
  const authorization = request.headers.authorization ?? "";
  const credential = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(authorization);
  const bare = {
    parameters: Object.fromEntries(url.searchParams),
    region: credential?.[2],
    signedBy: credential?.[1],
  };
  if (url.pathname === "/federation/credentials") {
    return {
      ...bare,
      service: "sso",
      action: "GetRoleCredentials",
      signedBy: String(request.headers["x-amz-sso_bearer_token"]),
    };
  }
  if (url.pathname === "/token") {
    return {
      ...bare,
      service: "sso-oidc",
      action: "CreateToken",
      parameters: JSON.parse(body) as Record<string, string>,
    };
  }
  if (url.pathname === "/v1/token") return { ...bare, service: "signin", action: "CreateOAuth2Token" };
  if (url.pathname === "/latest/api/token") return { ...bare, service: "imds", action: "ImdsToken" };
  if (url.pathname.startsWith("/latest/")) {
    const token = request.headers["x-aws-ec2-metadata-token"];
    const action = url.pathname.endsWith("/region")
      ? "ImdsRegion"
      : url.pathname.endsWith("/")
        ? "ImdsRole"
        : "ImdsCredentials";
    return { ...bare, service: "imds", action, signedBy: token === undefined ? undefined : String(token) };
  }
  if (url.pathname.startsWith("/container")) {
    return {
      ...bare,
      service: "container",
      action: "ContainerCredentials",
      signedBy: authorization || undefined,
    };
  }
  if (request.method === "POST" && url.pathname === "/") {
    const parameters = Object.fromEntries(new URLSearchParams(body));
    return { ...bare, service: "sts", action: parameters["Action"] ?? "", parameters };
  }
  return { ...bare, service: "other", action: `${request.method} ${url.pathname}` };
}

function usual(call: IdentityCall, role: string | undefined): Answer {
  const expiration = new Date(Date.now() + SOON_MS).toISOString();
  const json = (value: unknown): Answer => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  const text = (body: string): Answer => ({ status: 200, headers: { "content-type": "text/plain" }, body });
  switch (call.action) {
    case "AssumeRole":
      return stsCredentials(call.action, "ASIASTSROLE000000001");
    case "AssumeRoleWithWebIdentity":
      return stsCredentials(call.action, "ASIASTSWEBID00000001");
    case "GetRoleCredentials":
      return json({
        roleCredentials: {
          accessKeyId: "ASIASSO0000000000001",
          secretAccessKey: "secret",
          sessionToken: "token",
          expiration: Date.now() + SOON_MS,
        },
      });
    case "CreateToken":
      return json({
        accessToken: "renewed-sso-token",
        expiresIn: 3600,
        refreshToken: "refresh-2",
        tokenType: "Bearer",
      });
    case "ContainerCredentials":
      return json({
        AccessKeyId: "ASIACONTAINER0000001",
        SecretAccessKey: "secret",
        Token: "token",
        Expiration: expiration,
      });
    case "ImdsToken":
      return text("imds-token");
    case "ImdsRole":
      return role === undefined ? { status: 404, body: "not found" } : text(role);
    case "ImdsCredentials":
      return json({
        Code: "Success",
        AccessKeyId: "ASIAIMDS000000000001",
        SecretAccessKey: "secret",
        Token: "token",
        Expiration: expiration,
      });
    case "ImdsRegion":
      return text("ap-southeast-2");
    default:
      return { status: 404, body: "no such route" };
  }
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === "silence") return;
  if (answer === "reset") return void response.socket?.resetAndDestroy();
  response.writeHead(answer.status, answer.headers ?? {});
  response.end(answer.body);
}
