import type { MiddlewareStack } from "@smithy/types";

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
