import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  openSealed,
  sealRedacted,
  sealSigned,
} from "../../../../src/serve/dialects/responses/encrypted-reasoning.ts";

describe("the encrypted content of a reasoning item", () => {
  it("holds what is signed and the signature, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme" }),
        fc.string({ minLength: 1 }),
        async (text, signature) => {
          expect(await openSealed(sealSigned(text, signature) ?? "")).toEqual({
            reasoningText: { text, signature },
          });
        },
      ),
    );
  });

  it("holds reasoning that was withheld", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        const opened = await openSealed(sealRedacted(bytes));
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
  ])("is nothing where it is another program's, or cut: %j", async (encrypted) => {
    expect(await openSealed(encrypted)).toBeUndefined();
  });
});

it("seals no reasoning that is longer than any model's", () => {
  expect(sealSigned("a".repeat(2_000_000), "s")).toMatch(/^ocs1\./);
  expect(sealSigned("a".repeat(2_000_001), "s")).toBeUndefined();
});
