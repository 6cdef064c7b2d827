import { Readable } from "node:stream";
import type { HttpResponse, MiddlewareStack } from "@smithy/types";
import { OpenclawError } from "../errors.ts";
import { IN_BETWEEN } from "../network/network-errors.ts";
import { readBytes } from "../read-bytes.ts";

/** What an answer of Amazon S3 is known by. */
interface Answer {
  [member: string]: unknown;
  $metadata?: { httpStatusCode?: number; requestId?: string };
}

const has =
  (member: string) =>
  (answer: Answer): boolean =>
    answer[member] !== undefined && answer[member] !== "";
const isEmptied = ({ $metadata }: Answer): boolean => $metadata?.httpStatusCode === 204;

/** What has been kept, under the checksum that was sent with it where its answer has one. */
const isKept = (answer: Answer, input: Answer): boolean =>
  has("ETag")(answer) && (answer["ChecksumSHA256"] ?? input["ChecksumSHA256"]) === input["ChecksumSHA256"];

/** The object, or the rest of it that was asked for. */
const isOfRange = (answer: Answer, { Range }: Answer): boolean =>
  has("ETag")(answer) &&
  (typeof Range !== "string" || String(answer["ContentRange"]).startsWith(Range.replace("=", " ")));

/**
 * What each answer has, by the pages of the operations below https://docs.aws.amazon.com/AmazonS3/latest/API/ and, for one
 * that has neither members nor a body, https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html: the
 * SDK takes any other for one without its members.
 */
const MARKS: Readonly<Record<string, (answer: Answer, input: Answer) => boolean>> = {
  AbortMultipartUpload: isEmptied,
  CompleteMultipartUpload: has("ETag"),
  CreateMultipartUpload: has("UploadId"),
  DeleteObject: isEmptied,
  GetObject: isOfRange,
  HeadBucket: (answer) => has("BucketRegion")(answer) || answer.$metadata?.requestId !== undefined,
  HeadObject: has("ETag"),
  ListMultipartUploads: has("IsTruncated"),
  ListObjectsV2: has("IsTruncated"),
  ListParts: has("IsTruncated"),
  PutObject: isKept,
  UploadPart: isKept,
};

/**
 * Lets a client of S3 take no answer of anybody else for one of S3, such as the log-in page of a network: it fails as one
 * that cannot be read.
 */
export function refuseStrangeAnswers<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
): void {
  stack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const operation = String(context["commandName"]).replace(/Command$/, "");
      const answer = result.output as Answer;
      if (MARKS[operation]?.(answer, args.input as Answer) !== false) return result;
      throw Object.assign(new SyntaxError(`What is answered to ${operation} is not of Amazon S3.`), {
        $metadata: answer.$metadata,
      });
    },
    // Outside of the retries: who stands in between is still there.
    { step: "initialize", priority: "low", name: "openclawRefuseStrangeAnswers" },
  );
}

/**
 * The longest answer of XML, in bytes: the SDK reads any whole, and parses it in one go. A list has at most 1,000 keys of 1,024
 * bytes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
 */
const LARGEST_ANSWER = 2 * 1024 * 1024;

/** Bounds what a client of S3 reads of an answer, an object that it gets apart. Then `bad-response` is thrown. */
export function boundAnswers<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
): void {
  stack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const response = result.response as HttpResponse;
      if (context["commandName"] === "GetObjectCommand" && response.statusCode < 300) return result;
      const tooLong = (): OpenclawError =>
        new OpenclawError("bad-response", {
          message: `The answer, with status ${response.statusCode}, has more than ${LARGEST_ANSWER} bytes, and is not Amazon S3's.`,
          hint: IN_BETWEEN,
        });
      const bytes = await readBytes(response.body as Readable, { most: LARGEST_ANSWER, tooLong });
      // The SDK looks for errors in answers that are streams.
      response.body = Readable.from(bytes.length === 0 ? [] : [bytes]);
      return result;
    },
    // Next to the network, before anybody else reads.
    { step: "deserialize", priority: "low", name: "openclawBoundAnswers" },
  );
}
