import { createHash, createHmac } from "node:crypto";
import type { VerifiedSignature } from "../authenticate.ts";
import { StorageError } from "./storage-error.ts";

const EMPTY_HASH = createHash("sha256").digest("hex");
/** A line before a chunk, and all trailers, may have so many bytes. */
const MOST_LINE_BYTES = 16 * 1024;

/**
 * Takes the coding `aws-chunked` off a body: chunks with their lengths, signed or not, and trailers behind them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export class ChunkedBody {
  readonly #signer: ChunkSigner | undefined;
  readonly #hasTrailers: boolean;
  #state: "line" | "data" | "data-end" | "trailers" | "done" = "line";
  #line = Buffer.alloc(0);
  #left = 0;
  #trailers: Record<string, string> = {};

  /** `signing` is undefined where the chunks are unsigned. */
  constructor(signing: VerifiedSignature | undefined, hasTrailers: boolean) {
    this.#signer = signing && new ChunkSigner(signing);
    this.#hasTrailers = hasTrailers;
  }

  /** The content in some bytes of the body. Throws `StorageError` for what is no chunk, or signed by somebody else. */
  *take(bytes: Buffer): Generator<Buffer, void, undefined> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#state === "done") throw new StorageError("InvalidRequest", "Data behind the last chunk.");
      if (this.#state === "data") {
        const piece = rest.subarray(0, this.#left);
        rest = rest.subarray(piece.length);
        this.#left -= piece.length;
        this.#signer?.add(piece);
        yield piece;
        if (this.#left === 0) this.#state = "data-end";
        continue;
      }
      const end = rest.indexOf(0x0a);
      const taken = rest.subarray(0, end === -1 ? rest.length : end + 1);
      rest = rest.subarray(taken.length);
      this.#line = Buffer.concat([this.#line, taken]);
      if (this.#line.length > MOST_LINE_BYTES) throw new StorageError("IncompleteBody");
      if (end === -1) continue;
      const line = this.#line.toString("latin1").replace(/\r?\n$/, "");
      this.#line = Buffer.alloc(0);
      this.#takeLine(line);
    }
  }

  /** Throws `StorageError` where the body ends too early; else its trailers, by their names in small letters. */
  finish(): Readonly<Record<string, string>> {
    if (this.#state === "trailers" && !this.#hasTrailers) return {};
    if (this.#state !== "done") throw new StorageError("IncompleteBody");
    return this.#trailers;
  }

  #takeLine(line: string): void {
    if (this.#state === "data-end") {
      if (line !== "") throw new StorageError("IncompleteBody");
      this.#signer?.close();
      this.#state = "line";
      return;
    }
    if (this.#state === "trailers") return this.#takeTrailer(line);
    const [, size = "", signature] =
      /^([0-9a-f]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line) ?? [];
    const length = Number.parseInt(size, 16);
    if (!Number.isSafeInteger(length)) throw new StorageError("IncompleteBody");
    this.#signer?.open(signature);
    this.#left = length;
    this.#state = length === 0 ? "trailers" : "data";
    if (length === 0) this.#signer?.close();
  }

  #takeTrailer(line: string): void {
    if (line === "") {
      this.#signer?.checkTrailers(this.#trailers);
      this.#state = "done";
      return;
    }
    const [, name, value] = /^([A-Za-z0-9-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined || !this.#hasTrailers)
      throw new StorageError("MalformedTrailerError");
    this.#trailers[name.toLowerCase()] = value;
  }
}

/** Checks that each chunk follows from the one before it. */
class ChunkSigner {
  readonly #key: Buffer;
  readonly #scope: string;
  readonly #date: string;
  #last: string;
  #expected: string | undefined;
  #hash = createHash("sha256");

  constructor({ secretAccessKey, date, region, seed }: VerifiedSignature) {
    const scope = [date.slice(0, 8), region, "s3", "aws4_request"];
    this.#date = date;
    this.#scope = scope.join("/");
    this.#last = seed;
    this.#key = scope.reduce<Buffer>(
      (key, part) => createHmac("sha256", key).update(part).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  }

  open(signature: string | undefined): void {
    this.#expected = signature;
    this.#hash = createHash("sha256");
  }

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Throws `StorageError` for a chunk that is signed in another way. */
  close(): void {
    this.#last = this.#check(
      "AWS4-HMAC-SHA256-PAYLOAD",
      [EMPTY_HASH, this.#hash.digest("hex")],
      this.#expected,
    );
  }

  checkTrailers(trailers: Readonly<Record<string, string>>): void {
    const { "x-amz-trailer-signature": signature, ...signed } = trailers;
    const names = Object.keys(signed).sort();
    if (names.length === 0 && signature === undefined) return;
    const text = names.map((name) => `${name}:${signed[name] ?? ""}\n`).join("");
    this.#check("AWS4-HMAC-SHA256-TRAILER", [createHash("sha256").update(text).digest("hex")], signature);
  }

  #check(algorithm: string, hashes: readonly string[], given: string | undefined): string {
    const text = [algorithm, this.#date, this.#scope, this.#last, ...hashes].join("\n");
    const signature = createHmac("sha256", this.#key).update(text).digest("hex");
    if (signature !== given) throw new StorageError("SignatureDoesNotMatch");
    return signature;
  }
}
