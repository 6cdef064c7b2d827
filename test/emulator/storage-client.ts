import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { Signer } from "./clients.ts";
import { type RawResponse, sendBytes } from "./signed-request.ts";

export interface StorageAsk {
  method?: string;
  /** As it goes over the wire: `/bucket/key`, percent-encoded. */
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Buffer;
  region?: string;
  credentials?: Signer;
  date?: Date;
  host?: string;
  /** What happens to the request between signing and sending. */
  damage?: (headers: Record<string, string>) => void;
}

export interface StorageAnswer extends Omit<RawResponse, "body"> {
  body: Buffer;
  text: string;
  /** The error's code, where there is one. */
  code: string | undefined;
}

/** Asks the emulator's Amazon S3 by a request that is signed, but made by hand. */
export async function askStorage(emulator: Emulator, ask: StorageAsk): Promise<StorageAnswer> {
  const { method = "GET", path, query = {}, body, region = "us-east-1" } = ask;
  const bytes = Buffer.from(body ?? "");
  const host = ask.host ?? `127.0.0.1:${emulator.port}`;
  const signer = new SignatureV4({
    credentials: ask.credentials ?? emulator,
    region,
    service: "s3",
    sha256: Sha256,
    uriEscapePath: false,
  });
  const isSized = method === "PUT" || method === "POST";
  const { headers } = await signer.sign(
    {
      method,
      protocol: "http:",
      hostname: "127.0.0.1",
      path,
      query,
      headers: { host, ...(isSized ? { "content-length": String(bytes.length) } : {}), ...ask.headers },
      body: bytes,
    },
    { signingDate: ask.date ?? new Date() },
  );
  ask.damage?.(headers);
  const answer = await sendBytes(emulator, { method, path, query, headers, body: bytes });
  const text = answer.body.toString();
  return { ...answer, text, code: /<Error><Code>(\w+)<\/Code>/.exec(text)?.[1] };
}

/** Puts an object into the bucket that is there from the start. */
export async function putText(emulator: Emulator, key: string, text: string | Buffer): Promise<void> {
  const { status, text: answer } = await askStorage(emulator, {
    method: "PUT",
    path: `/${emulator.bucket}/${key}`,
    body: text,
  });
  if (status !== 200) throw new Error(answer);
}

/** The text of an object in that bucket. */
export async function getText(emulator: Emulator, key: string): Promise<string> {
  const { status, text } = await askStorage(emulator, { path: `/${emulator.bucket}/${key}` });
  if (status !== 200) throw new Error(text);
  return text;
}
