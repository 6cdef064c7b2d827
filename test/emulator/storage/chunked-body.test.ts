import { array, assert, nat, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkedBody } from "../../../src/emulator/storage/chunked-body.ts";

/** The examples of AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, and …-streaming-trailers.html */
const SIGNING = {
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  date: "20130524T000000Z",
  region: "us-east-1",
  seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
};

const CONTENT = Buffer.alloc(66_560, "a");

function signedBody(signatures: readonly string[], trailers = ""): Buffer {
  const chunks = [CONTENT.subarray(0, 65_536), CONTENT.subarray(65_536), Buffer.alloc(0)];
  const parts = chunks.flatMap((chunk, index) => [
    Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signatures[index]}\r\n`),
    chunk,
    Buffer.from(chunk.length === 0 ? "" : "\r\n"),
  ]);
  return Buffer.concat([...parts, Buffer.from(`${trailers}\r\n`)]);
}

const SIGNATURES = [
  "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
  "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

const WITH_TRAILER = {
  ...SIGNING,
  seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
};
const TRAILER_SIGNATURES = [
  "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
  "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
  "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
];
const TRAILERS =
  "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";

/** Takes a body in two pieces, and gives what came out of it. */
function decode(body: ChunkedBody, bytes: Buffer, at = bytes.length): Buffer {
  return Buffer.concat([...body.take(bytes.subarray(0, at)), ...body.take(bytes.subarray(at))]);
}

describe("a body of chunks", () => {
  it("is taken where every signature follows from the one before it, as in AWS's example", () => {
    const body = new ChunkedBody(SIGNING, false);
    expect(decode(body, signedBody(SIGNATURES)).equals(CONTENT)).toBe(true);
    expect(body.finish()).toEqual({});
  });

  it("is taken with signed trailers", () => {
    const body = new ChunkedBody(WITH_TRAILER, true);
    expect(decode(body, signedBody(TRAILER_SIGNATURES, TRAILERS)).equals(CONTENT)).toBe(true);
    expect(body.finish()).toMatchObject({ "x-amz-checksum-crc32c": "sOO8/Q==" });
  });

  it.each([0, 1, 2])("is refused where signature %i is another", (index) => {
    const signatures = SIGNATURES.with(index, "0".repeat(64));
    const body = new ChunkedBody(SIGNING, false);
    expect(() => decode(body, signedBody(signatures))).toThrow(/signature we calculated does not match/);
  });

  it.each([
    ["a trailer of another value", TRAILERS.replace("sOO8", "AAAA"), /signature we calculated/],
    ["no signature", "x-amz-checksum-crc32c:sOO8/Q==\r\n", /signature we calculated/],
    ["what is no trailer", "nothing\r\n", /trailing data/],
  ])("is refused with %s", (_, trailers, message) => {
    const body = new ChunkedBody(WITH_TRAILER, true);
    expect(() => decode(body, signedBody(TRAILER_SIGNATURES, trailers))).toThrow(message);
  });

  it("comes out the same however it is cut into chunks and packets", () => {
    assert(
      property(array(uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 }), nat(), (chunks, cut) => {
        const encoded = Buffer.concat([
          ...chunks.flatMap((chunk) => [
            Buffer.from(`${chunk.length.toString(16)}\r\n`),
            chunk,
            Buffer.from("\r\n"),
          ]),
          Buffer.from("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
        ]);
        const body = new ChunkedBody(undefined, true);
        expect(decode(body, encoded, cut % (encoded.length + 1)).equals(Buffer.concat(chunks))).toBe(true);
        expect(body.finish()).toEqual({ "x-amz-checksum-crc32": "AAAAAA==" });
        // Whatever is missing is missed.
        const torn = new ChunkedBody(undefined, true);
        decode(torn, encoded.subarray(0, cut % encoded.length));
        expect(() => torn.finish()).toThrow(/terminated unexpectedly/);
      }),
    );
  });

  it.each([
    ["no length", "x\r\n"],
    ["a chunk that is longer than it says", "1\r\nab\r\n0\r\n\r\n"],
    ["a line without an end", "1".repeat(20_000)],
    ["something behind its end", "0\r\n\r\nmore"],
  ])("is refused with %s", (_, text) => {
    expect(() => decode(new ChunkedBody(undefined, false), Buffer.from(text))).toThrow();
  });
});
