import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { request as httpRequest } from "node:http";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { Signer } from "./clients.ts";

export interface RawRequest {
  method: string;
  path: string;
  query?: Record<string, string>;
  headers: Record<string, string>;
  body?: string;
}

export interface RawResponse {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** A request signed as an SDK signs it, for a test to damage before it is sent. */
export async function sign(
  emulator: Emulator,
  request: Omit<RawRequest, "headers">,
  options: {
    credentials?: Signer;
    service?: string;
    date?: Date;
    contentType?: string;
    headers?: Record<string, string>;
  } = {},
): Promise<RawRequest> {
  const signer = new SignatureV4({
    credentials: options.credentials ?? emulator,
    region: "us-east-1",
    service: options.service ?? "bedrock",
    sha256: Sha256,
  });
  const { headers } = await signer.sign(
    {
      ...request,
      protocol: "http:",
      hostname: "127.0.0.1",
      headers: {
        host: `127.0.0.1:${emulator.port}`,
        "content-type": options.contentType ?? "application/json",
        ...options.headers,
      },
    },
    { signingDate: options.date ?? new Date() },
  );
  return { ...request, headers };
}

/** Sends a request as it stands, over HTTP/1.1. */
export async function send(emulator: Emulator, request: RawRequest): Promise<RawResponse> {
  const { body, ...answer } = await sendBytes(emulator, request);
  return { ...answer, body: body.toString() };
}

/** The same with bodies of bytes. */
export async function sendBytes(
  emulator: Emulator,
  request: Omit<RawRequest, "body"> & { body?: string | Buffer | undefined },
): Promise<Omit<RawResponse, "body"> & { body: Buffer }> {
  const search = new URLSearchParams(request.query).toString();
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${emulator.url}${request.path}${search === "" ? "" : `?${search}`}`,
      { method: request.method, headers: request.headers, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(request.body);
  });
}
