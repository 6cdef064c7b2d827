import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  openSealed,
  sealRedacted,
  sealSigned,
} from "../../../../src/serve/dialects/responses/encrypted-reasoning.ts";

describe("the encrypted content of a reasoning item", () => {
  it("holds what is signed and the signature, whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ minLength: 1 }), (text, signature) => {
        expect(openSealed(sealSigned(text, signature))).toEqual({ reasoningText: { text, signature } });
      }),
    );
  });

  it("holds reasoning that was withheld", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const opened = openSealed(sealRedacted(bytes));
        expect(Buffer.from(opened?.redactedContent ?? [])).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each([
    "",
    "gAAAAABn",
    "ocs1",
    "ocs1.YQ",
    "ocs1.YQ.YQ.YQ",
    "ocs1.%.YQ",
    "ocr1.YQ.YQ",
    "ocr2.YQ",
    "rs_1:abc",
  ])("is nothing where it is another program's, or cut: %j", (encrypted) => {
    expect(openSealed(encrypted)).toBeUndefined();
  });
});
