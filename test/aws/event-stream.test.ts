import { EventStreamCodec } from "@smithy/eventstream-codec";
import { assert, jsonValue, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEvent, encodeException } from "../../src/aws/event-stream.ts";
import { encodeError } from "../helpers/answer-steps.ts";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString("utf8"),
  (text) => Buffer.from(text, "utf8"),
);

describe("event stream frames", () => {
  it("are those of the SDK's own codec, byte for byte", () => {
    assert(
      property(string({ unit: "binary", minLength: 1, maxLength: 40 }), jsonValue(), (name, payload) => {
        const expected = codec.encode({
          headers: {
            ":event-type": { type: "string", value: name },
            ":content-type": { type: "string", value: "application/json" },
            ":message-type": { type: "string", value: "event" },
          },
          body: Buffer.from(JSON.stringify(payload)),
        });
        expect(encodeEvent(name, payload).equals(expected)).toBe(true);
      }),
    );
  });

  it("name an exception in its own header", () => {
    const { headers, body } = codec.decode(encodeException("validationException", { message: "no" }));
    expect(headers).toMatchObject({
      ":message-type": { value: "exception" },
      ":exception-type": { value: "validationException" },
    });
    expect(Buffer.from(body).toString()).toBe('{"message":"no"}');
  });

  it("carry an error in headers alone", () => {
    const { headers, body } = codec.decode(encodeError("InternalFailure", "broken"));
    expect(headers).toMatchObject({
      ":message-type": { value: "error" },
      ":error-code": { value: "InternalFailure" },
      ":error-message": { value: "broken" },
    });
    expect(body).toHaveLength(0);
  });
});
