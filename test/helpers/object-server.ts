import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as the server got it. */
export interface ObjectCall {
  method: string;
  /** Decoded, without the bucket. */
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** What is answered in place of what would be: an error of S3, or half an answer. */
export type ObjectFault = { status: number; code: string; message?: string } | "reset" | { bytes: number };

export interface ObjectServer {
  url: string;
  calls: ObjectCall[];
  objects: Map<string, Buffer>;
  /** Unfinished uploads by their ids, with their parts by number. */
  uploads: Map<string, { key: string; parts: Map<number, Buffer> }>;
  /** Asked before each call is answered. */
  fault: (call: ObjectCall) => ObjectFault | undefined;
}

const xml = (name: string, inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${name}>`;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("base64");
const etagOf = (bytes: Buffer): string => `"${createHash("md5").update(bytes).digest("hex")}"`;

/**
 * A server with one bucket, that does what `ObjectStore` asks of S3 and breaks off where a test says so. How S3 itself answers
 * is the emulator's to know; this one is for what no server does when it is asked to.
 */
export async function startObjectServer(bucket = "my-bucket", region = "us-east-1"): Promise<ObjectServer> {
  const state: ObjectServer = {
    url: "",
    calls: [],
    objects: new Map(),
    uploads: new Map(),
    fault: () => undefined,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const [, name, ...rest] = decodeURIComponent(pathname).split("/");
    const call = {
      method: request.method ?? "",
      key: rest.join("/"),
      query: searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    state.calls.push(call);
    const fault = state.fault(call);
    if (fault === "reset") return request.socket.resetAndDestroy();
    response.setHeader("x-amz-request-id", "REQUEST1");
    response.setHeader("x-amz-bucket-region", region);
    const own = name === bucket ? undefined : { status: 404, code: "NoSuchBucket" };
    const failed = own ?? (fault && "code" in fault ? fault : undefined);
    if (failed) return refuse(response, failed, call.method);
    if (fault && "bytes" in fault) cutAfter(response, fault.bytes);
    answer(state, call, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

function refuse(
  response: ServerResponse,
  { status, code, message = "That is refused." }: { status: number; code: string; message?: string },
  method: string,
): void {
  response.writeHead(status, { "content-type": "application/xml" });
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.end(method === "HEAD" ? undefined : body);
}

/** Lets the connection break after so many bytes of the body. */
function cutAfter(response: ServerResponse, most: number): void {
  const end = response.end.bind(response);
  response.end = ((bytes: Buffer) => {
    if (!(bytes instanceof Buffer)) return end();
    response.write(bytes.subarray(0, most), () => response.socket?.resetAndDestroy());
    return response;
  }) as typeof response.end;
}

function answer(state: ObjectServer, call: ObjectCall, response: ServerResponse): void {
  const { method, key, query, body } = call;
  const { objects, uploads } = state;
  const say = (text: string): void => void response.setHeader("content-type", "application/xml").end(text);
  const upload = uploads.get(query.get("uploadId") ?? "");
  if (key === "" && method === "HEAD") return void response.end();
  if (key === "" && query.has("uploads")) {
    const found = [...uploads].filter(([, own]) => own.key.startsWith(query.get("prefix") ?? ""));
    const list = found.map(
      ([id, own], index) =>
        `<Upload><Key>${own.key}</Key><UploadId>${id}</UploadId><Initiated>2026-11-25T12:00:0${index}.000Z</Initiated><ChecksumAlgorithm>SHA256</ChecksumAlgorithm></Upload>`,
    );
    return say(xml("ListMultipartUploadsResult", list.join("")));
  }
  if (key === "") {
    const found = [...objects].filter(([name]) => name.startsWith(query.get("prefix") ?? "")).sort();
    const from = Number(query.get("continuation-token") ?? 0);
    // Pages of two.
    const page = found.slice(from, from + 2);
    const next = from + 2 < found.length ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : "";
    const list = page.map(
      ([name, bytes]) => `<Contents><Key>${name}</Key><Size>${bytes.length}</Size></Contents>`,
    );
    return say(xml("ListBucketResult", `<IsTruncated>${next !== ""}</IsTruncated>${next}${list.join("")}`));
  }
  if (query.has("uploads") && method === "POST") {
    const id = `upload-${state.calls.length}`;
    uploads.set(id, { key, parts: new Map() });
    return say(xml("InitiateMultipartUploadResult", `<Key>${key}</Key><UploadId>${id}</UploadId>`));
  }
  if (query.has("uploadId")) {
    if (!upload) return refuse(response, { status: 404, code: "NoSuchUpload" }, method);
    const id = query.get("uploadId") ?? "";
    if (method === "DELETE") {
      uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (method === "PUT") {
      if (call.headers["x-amz-checksum-sha256"] !== sha256(body))
        return refuse(response, { status: 400, code: "BadDigest" }, method);
      upload.parts.set(Number(query.get("partNumber")), body);
      return void response.setHeader("etag", etagOf(body)).end();
    }
    const parts = [...upload.parts].sort(([one], [other]) => one - other);
    if (method === "GET") {
      const list = parts.map(
        ([number, bytes]) =>
          `<Part><PartNumber>${number}</PartNumber><ETag>${etagOf(bytes)}</ETag><Size>${bytes.length}</Size><ChecksumSHA256>${sha256(bytes)}</ChecksumSHA256></Part>`,
      );
      return say(xml("ListPartsResult", `<IsTruncated>false</IsTruncated>${list.join("")}`));
    }
    objects.set(key, Buffer.concat(parts.map(([, bytes]) => bytes)));
    uploads.delete(id);
    return say(xml("CompleteMultipartUploadResult", `<Key>${key}</Key>`));
  }
  if (method === "PUT") {
    if (call.headers["x-amz-checksum-sha256"] !== sha256(body))
      return refuse(response, { status: 400, code: "BadDigest" }, method);
    objects.set(key, body);
    return void response.setHeader("etag", etagOf(body)).end();
  }
  if (method === "DELETE") {
    objects.delete(key);
    return void response.writeHead(204).end();
  }
  const object = objects.get(key);
  if (!object) return refuse(response, { status: 404, code: "NoSuchKey" }, method);
  const [, from] = /^bytes=(\d+)-$/.exec(call.headers.range ?? "") ?? [];
  const bytes = object.subarray(Number(from ?? 0));
  response.writeHead(from === undefined ? 200 : 206, {
    etag: etagOf(object),
    "content-length": bytes.length,
  });
  if (method === "HEAD") return void response.end();
  response.end(bytes);
}
