import { EventStreamCodec } from "@smithy/eventstream-codec";
import type { Message, MessageHeaders } from "@smithy/types";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FrameMessage, FrameReader, MAX_FRAME_BYTES } from "../../src/converse/frame-reader.ts";

/** The SDK's own codec: what this reader is held against. */
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString("utf8"),
  (text) => Buffer.from(text, "utf8"),
);

function encode(headers: MessageHeaders, payload: string): Buffer {
  return Buffer.from(codec.encode({ headers, body: Buffer.from(payload) } satisfies Message));
}

function event(name: string, payload: string): Buffer {
  return encode(
    {
      ":event-type": { type: "string", value: name },
      ":content-type": { type: "string", value: "application/json" },
      ":message-type": { type: "string", value: "event" },
    },
    payload,
  );
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

function read(chunks: readonly Uint8Array[]): { messages: FrameMessage[]; error: unknown; isWhole: boolean } {
  const reader = new FrameReader();
  const messages: FrameMessage[] = [];
  try {
    for (const chunk of chunks) reader.push(chunk, (message) => messages.push(message));
    return { messages, error: undefined, isWhole: reader.isBetweenFrames };
  } catch (error) {
    return { messages, error, isWhole: false };
  }
}

/** What the SDK's codec makes of one frame, in this reader's form. */
function readByCodec(frame: Buffer): FrameMessage {
  const { headers, body } = codec.decode(frame);
  const text = (name: string): string => (headers[name]?.type === "string" ? headers[name].value : "");
  return {
    type: text(":message-type"),
    name: text(":event-type") || text(":exception-type") || text(":error-code"),
    errorMessage: text(":error-message"),
    payload: Buffer.from(body).toString("utf8"),
  };
}

const payloads = fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { minLength: 1, maxLength: 6 });

describe("FrameReader", () => {
  it("hands on every message whole, wherever the chunks are cut", () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(2000), { maxLength: 12 }), (texts, cuts) => {
        const bytes = Buffer.concat(texts.map((text) => event("contentBlockDelta", text)));
        const { messages, isWhole, error } = read(split(bytes, cuts));
        expect(error).toBeUndefined();
        expect(isWhole).toBe(true);
        expect(messages.map(({ payload }) => payload)).toEqual(texts);
      }),
    );
  });

  it("reads a stream that drips byte by byte", () => {
    const bytes = Buffer.concat([event("messageStart", "{}"), event("messageStop", "{}")]);
    const { messages } = read([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(messages.map(({ name }) => name)).toEqual(["messageStart", "messageStop"]);
  });

  it("passes over headers of every type, as the SDK's codec does", () => {
    const frame = encode(
      {
        a: { type: "boolean", value: true },
        b: { type: "boolean", value: false },
        c: { type: "byte", value: 3 },
        d: { type: "short", value: 300 },
        e: { type: "integer", value: 70_000 },
        f: { type: "binary", value: Uint8Array.of(1, 2, 3) },
        g: { type: "timestamp", value: new Date(0) },
        h: { type: "uuid", value: "01234567-89ab-cdef-0123-456789abcdef" },
        ":message-type": { type: "string", value: "exception" },
        ":exception-type": { type: "string", value: "throttlingException" },
      },
      '{"message":"slow down"}',
    );
    expect(read([frame]).messages).toEqual([readByCodec(frame)]);
  });

  it("takes and refuses damaged frames exactly as the SDK's codec does", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), damage, (text, changes) => {
        const frame = event("contentBlockDelta", text);
        for (const [place, change] of changes) {
          // Past the length: another length makes another frame, which the codec is never given.
          const index = 4 + (place % (frame.length - 4));
          frame[index] = (frame[index] ?? 0) ^ change;
        }
        let expected: FrameMessage | undefined;
        try {
          expected = readByCodec(frame);
        } catch {
          expected = undefined;
        }
        const { messages, error } = read([frame]);
        if (expected) expect(messages).toEqual([expected]);
        else expect(error).toMatchObject({ code: "stream-broken" });
      }),
      { numRuns: 2000 },
    );
  });

  it("hands on what came before a damaged frame", () => {
    const damaged = event("contentBlockDelta", "lost");
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const { messages, error } = read([Buffer.concat([event("contentBlockDelta", "kept"), damaged])]);
    expect(messages.map(({ payload }) => payload)).toEqual(["kept"]);
    expect(error).toMatchObject({ code: "stream-broken" });
  });

  it.each([0, 15, MAX_FRAME_BYTES + 1, 0xff_ff_ff_ff])(
    "refuses a frame of %i bytes as soon as it is claimed",
    (size) => {
      const prelude = Buffer.alloc(4);
      prelude.writeUInt32BE(size);
      for (let cut = 0; cut <= 4; cut++) {
        expect(read(split(prelude, [cut])).error).toMatchObject({
          code: "bad-response",
          details: { frameBytes: size },
        });
      }
    },
  );

  it("knows a torn last frame", () => {
    const bytes = event("contentBlockDelta", "torn");
    for (let length = 1; length < bytes.length; length++) {
      expect(read([bytes.subarray(0, length)])).toMatchObject({
        messages: [],
        isWhole: false,
        error: undefined,
      });
    }
  });

  it("puts a large frame in small chunks together in linear time", async () => {
    const text = "x".repeat(4_000_000);
    const bytes = event("contentBlockDelta", JSON.stringify({ text }));
    const chunks = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) =>
      bytes.subarray(index * 1000, (index + 1) * 1000),
    );
    const started = performance.now();
    const reader = new FrameReader();
    for (const chunk of chunks) reader.push(chunk, () => expect.fail("It is long."));
    expect((await reader.takeLong())?.value).toEqual({ text });
    // Quadratic copying would be 8 GB, several seconds.
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe("a long frame", () => {
  const long = event("contentBlockDelta", `{"text":"${"é".repeat(1024 * 1024)}"}`);

  it.each([1, 2 ** 16, long.length])(
    "is taken by itself, in chunks of %d bytes, and the next behind it",
    async (size) => {
      const reader = new FrameReader();
      const names: string[] = [];
      const bytes = Buffer.concat([event("first", "{}"), long, event("last", "{}")]);
      for (let start = 0; start < bytes.length; start += size) {
        reader.push(bytes.subarray(start, start + size), ({ name }) => names.push(name));
        const message = await reader.takeLong();
        if (!message) continue;
        expect(message).toMatchObject({
          name: "contentBlockDelta",
          value: { text: "é".repeat(1024 * 1024) },
        });
        names.push("long");
        reader.push(new Uint8Array(), ({ name }) => names.push(name));
      }
      expect(names).toEqual(["first", "long", "last"]);
      expect(reader.isBetweenFrames).toBe(true);
    },
  );

  it("is refused where its checksum is wrong, and has no value where it is no JSON", async () => {
    const reader = new FrameReader();
    const damaged = Buffer.from(long);
    damaged[damaged.length - 100] = 0;
    reader.push(damaged, () => undefined);
    await expect(reader.takeLong()).rejects.toThrow("its checksum is wrong");
    reader.push(event("a", "x".repeat(2 ** 21)), () => undefined);
    expect((await reader.takeLong())?.value).toBeUndefined();
  });
});
