import { describe, expect, it } from "vitest";
import { folderOf, parseJobPlace, readPlace, uriOf, withPlace } from "../../../src/batch/jobs/job-place.ts";
import { OpenclawError } from "../../../src/errors.ts";

describe("the place of jobs", () => {
  it.each([
    ["s3://my-bucket", "my-bucket", "", "s3://my-bucket/"],
    ["s3://my-bucket/", "my-bucket", "", "s3://my-bucket/"],
    ["s3://my-bucket/a", "my-bucket", "a", "s3://my-bucket/a/"],
    ["S3://my.bucket.2/a/b/", "my.bucket.2", "a/b", "s3://my.bucket.2/a/b/"],
    ["s3://my-bucket//a//b", "my-bucket", "a/b", "s3://my-bucket/a/b/"],
    [" s3://my-bucket/it's(1)!_*. ", "my-bucket", "it's(1)!_*.", "s3://my-bucket/it's(1)!_*./"],
  ])("%j is read", (text, bucket, prefix, folder) => {
    const place = parseJobPlace(text);
    expect(place).toEqual({ bucket, prefix });
    expect(folderOf(place)).toBe(folder);
    expect(uriOf(place, "in.jsonl")).toBe(`${folder}in.jsonl`);
    expect(readPlace(folder)).toEqual({ bucket, prefix });
  });

  it.each([
    ["my-bucket/a", "does not begin with s3://"],
    ["https://my-bucket.s3.amazonaws.com/a", "does not begin with s3://"],
    ["", "does not begin with s3://"],
    ["s3://", "no bucket is named"],
    ["s3:///a", "no bucket is named"],
    ["s3://My_Bucket/a", "no bucket can be called 'My_Bucket'"],
    ["s3://ab", "no bucket can be called 'ab'"],
    ["s3://my-bucket/a b", "'a b' has characters"],
    ["s3://my-bucket/ä", "'ä' has characters"],
    ["s3://my-bucket/a?owner=1", "has characters"],
    [`s3://my-bucket/${"a".repeat(1000)}`, "too long"],
  ])("%j is refused", (text, reason) => {
    expect(() => parseJobPlace(text)).toThrow(reason);
  });

  it("of a foreign job may be anything, or none", () => {
    expect(readPlace("s3://b/ä b/c.jsonl")).toEqual({ bucket: "b", prefix: "ä b/c.jsonl" });
    expect(readPlace("")).toBeUndefined();
  });

  it("is named by the hint of an error that leaves it open, and whatever else is thrown stays as it is", () => {
    const message = "The bucket is not there.";
    const failure = new OpenclawError("invalid-request", { message, hint: "aws s3 ls s3://BUCKET/PREFIX" });
    const place = { bucket: "my-bucket", prefix: "a b" };
    expect(withPlace(failure, place)).toMatchObject({
      code: "invalid-request",
      message,
      hint: "aws s3 ls 's3://my-bucket/a b/'",
    });
    for (const other of [
      new OpenclawError("invalid-request", { message, hint: undefined }),
      new Error(message),
      undefined,
    ])
      expect(withPlace(other, place)).toBe(other);
  });
});
