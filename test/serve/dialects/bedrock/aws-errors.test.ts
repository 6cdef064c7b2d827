import { describe, expect, it } from "vitest";
import { FrameReader } from "../../../../src/converse/frame-reader.ts";
import type { ErrorCode } from "../../../../src/errors.ts";
import { OpenclawError } from "../../../../src/errors.ts";
import { toErrorAnswer } from "../../../../src/serve/error-answer.ts";
import { exceptionFrame, toAwsError } from "../../../../src/serve/dialects/bedrock/aws-errors.ts";

const answerFor = (code: ErrorCode) => toErrorAnswer(new OpenclawError(code, { message: "What failed." }));

/** Each error of a call to a model, as Bedrock tells it before a stream and in it: names and statuses of its service model. */
const TOLD: readonly (readonly [code: ErrorCode, name: string, status: number, inStream: string])[] = [
  ["throttled", "ThrottlingException", 429, "throttlingException"],
  ["quota-exceeded", "ServiceQuotaExceededException", 400, "validationException"],
  ["budget-exceeded", "ServiceQuotaExceededException", 400, "validationException"],
  ["invalid-request", "ValidationException", 400, "validationException"],
  ["input-too-long", "ValidationException", 400, "validationException"],
  ["needs-inference-profile", "ValidationException", 400, "validationException"],
  ["blocked", "ValidationException", 400, "validationException"],
  ["access-denied", "AccessDeniedException", 403, "validationException"],
  ["model-access", "AccessDeniedException", 403, "validationException"],
  ["model-not-found", "ResourceNotFoundException", 404, "validationException"],
  ["timeout", "ModelTimeoutException", 408, "modelStreamErrorException"],
  ["model-error", "ModelErrorException", 424, "modelStreamErrorException"],
  ["stream-broken", "ModelErrorException", 424, "modelStreamErrorException"],
  ["bad-response", "ModelErrorException", 424, "modelStreamErrorException"],
  ["internal", "InternalServerException", 500, "internalServerException"],
  ["config-invalid", "InternalServerException", 500, "internalServerException"],
  ["service-unavailable", "ServiceUnavailableException", 503, "serviceUnavailableException"],
  ["network", "ServiceUnavailableException", 503, "serviceUnavailableException"],
  ["interrupted", "ServiceUnavailableException", 503, "serviceUnavailableException"],
];

describe("errors as Bedrock tells them", () => {
  it.each(TOLD)("%s is %s with status %i, and %s in a stream", (code, name, status, inStream) => {
    const error = answerFor(code);
    const { message } = error;
    expect(toAwsError(error)).toEqual({ status, body: { message }, headers: { "x-amzn-errortype": name } });
    const frames: object[] = [];
    new FrameReader().push(exceptionFrame(error), (frame) => frames.push(frame));
    expect(frames).toEqual([
      { type: "exception", name: inStream, errorMessage: "", payload: JSON.stringify({ message }) },
    ]);
  });

  it.each([
    [401, "invalid_api_key", "AccessDeniedException", 403],
    [429, "too_many_streams", "ThrottlingException", 429],
    [404, "unknown_url", "UnknownOperationException", 404],
    [405, "method_not_allowed", "UnknownOperationException", 405],
    [400, "invalid_json", "SerializationException", 400],
    [413, "request_too_large", "ValidationException", 413],
    [415, "unsupported_media_type", "ValidationException", 415],
    [503, "too_many_bytes", "ServiceUnavailableException", 503],
  ])("%i %s of the server's own is %s with status %i", (status, code, name, told) => {
    expect(toAwsError({ status, code, message: "a", param: null })).toMatchObject({
      status: told,
      headers: { "x-amzn-errortype": name },
    });
  });

  it("have no half of a character", () => {
    const error = { status: 400, code: "a", message: "cut \ud83d", param: null };
    expect(toAwsError(error).body).toEqual({ message: "cut \ufffd" });
  });
});
