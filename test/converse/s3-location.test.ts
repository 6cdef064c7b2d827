import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namesS3, parseS3Location } from "../../src/converse/s3-location.ts";
import { OpenclawError } from "../../src/errors.ts";

const refusal = (name: string): OpenclawError => {
  try {
    parseS3Location(name);
  } catch (error) {
    if (error instanceof OpenclawError) return error;
    throw error;
  }
  throw new Error(`'${name}' was taken.`);
};

describe("an address in Amazon S3", () => {
  it.each<[string, object]>([
    ["s3://bucket/talk.mp3", { uri: "s3://bucket/talk.mp3" }],
    ["S3://bucket/a/b c/日本.PDF", { uri: "s3://bucket/a/b c/日本.PDF" }],
    ["s3://my.bucket-1/x", { uri: "s3://my.bucket-1/x" }],
    ["s3://bucket/talk.mp3?owner=123456789012", { uri: "s3://bucket/talk.mp3", bucketOwner: "123456789012" }],
    ["s3://bucket/why?.txt", { uri: "s3://bucket/why?.txt" }],
    ["s3://bucket/a?owner=1/b.txt", { uri: "s3://bucket/a?owner=1/b.txt" }],
    ["s3://bucket//a.txt", { uri: "s3://bucket//a.txt" }],
  ])("is read: %s", (name, location) => {
    expect(namesS3(name)).toBe(true);
    expect(parseS3Location(name)).toEqual(location);
  });

  it.each([
    ["s3://", "no bucket is named"],
    ["s3:///a.txt", "no bucket is named"],
    ["s3://bucket", "no key is named"],
    ["s3://bucket/", "no key is named"],
    ["s3://bucket/folder/", "folder"],
    ["s3://Bucket/a.txt", "'Bucket'"],
    ["s3://a/b.txt", "'a'"],
    ["s3://my_bucket/a.txt", "'my_bucket'"],
    [`s3://${"b".repeat(64)}/a.txt`, "can be called"],
    ["s3://bucket/a.txt?owner=12345", "'12345' is no account"],
    ["s3://bucket/a.txt?owner=", "'' is no account"],
    [`s3://bucket/${"a".repeat(1100)}.txt`, "1116 characters"],
  ])("is refused: %s", (name, words) => {
    expect(refusal(name)).toMatchObject({
      code: "bad-attachment",
      exitCode: 6,
      message: expect.stringContaining(words),
      hint: expect.stringContaining("s3://BUCKET/KEY"),
    });
  });

  it.each(["s3:/bucket/a", "./s3://bucket/a", "s3", "as3://b/k", "https://bucket.s3.amazonaws.com/a"])(
    "is none: %s",
    (name) => expect(namesS3(name)).toBe(false),
  );

  it("is one that the service model takes, or refused by name, whatever is written", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 1100 }), (rest) => {
        const name = `s3://${rest}`;
        try {
          expect(parseS3Location(name).uri).toMatch(/^s3:\/\/[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9]\/[^]+$/);
        } catch (error) {
          expect(error).toMatchObject({ code: "bad-attachment" });
        }
      }),
    );
  });
});
