import { AwsError, escapeXml, type PlainReply } from "../aws-error.ts";

/**
 * Amazon S3's errors that the emulator answers with: status and words of
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, as the service itself spells them.
 */
const ERRORS = {
  AccessDenied: [403, "Access Denied"],
  AuthorizationHeaderMalformed: [400, "The authorization header is malformed."],
  BadDigest: [400, "The Content-MD5 you specified did not match what we received."],
  BucketAlreadyOwnedByYou: [
    409,
    "Your previous request to create the named bucket succeeded and you already own it.",
  ],
  BucketNotEmpty: [409, "The bucket you tried to delete is not empty"],
  EntityTooLarge: [400, "Your proposed upload exceeds the maximum allowed size"],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size"],
  ExpiredToken: [400, "The provided token has expired."],
  IllegalLocationConstraintException: [400, "The specified location constraint is incompatible."],
  IncompleteBody: [400, "The request body terminated unexpectedly"],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidAccessKeyId: [403, "The AWS Access Key Id you provided does not exist in our records."],
  InvalidArgument: [400, "Invalid Argument"],
  InvalidBucketName: [400, "The specified bucket is not valid."],
  InvalidDigest: [400, "The Content-MD5 you specified was invalid."],
  InvalidLocationConstraint: [400, "The specified location-constraint is not valid"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [
    400,
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
  ],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRequest: [400, "Invalid Request"],
  InvalidToken: [400, "The provided token is malformed or otherwise invalid."],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedTrailerError: [
    400,
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  ],
  MalformedXML: [
    400,
    "The XML you provided was not well-formed or did not validate against our published schema",
  ],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource."],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header."],
  NoSuchBucket: [404, "The specified bucket does not exist"],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchUpload: [
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  ],
  NotImplemented: [501, "A header you provided implies functionality that is not implemented"],
  PermanentRedirect: [
    301,
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
  ],
  PreconditionFailed: [412, "At least one of the pre-conditions you specified did not hold"],
  RequestTimeTooSkewed: [403, "The difference between the request time and the current time is too large."],
  ServiceUnavailable: [503, "Service is unable to handle request."],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  ],
  SlowDown: [503, "Please reduce your request rate."],
  TooManyBuckets: [400, "You have attempted to create more buckets than allowed"],
  XAmzContentSHA256Mismatch: [
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  ],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

type StorageCode = keyof typeof ERRORS;

export const STORAGE_CODES = Object.keys(ERRORS) as readonly StorageCode[];

/** An error of Amazon S3: its code, its words, and what it says besides, by the names of the elements. */
export class StorageError extends AwsError {
  readonly details: Readonly<Record<string, string>>;

  /** The region of a bucket that is asked for in another one. */
  readonly bucketRegion: string | undefined;

  constructor(
    code: StorageCode,
    message?: string,
    details: Readonly<Record<string, string>> = {},
    bucketRegion?: string,
  ) {
    super(code, message ?? ERRORS[code][1], ERRORS[code][0]);
    this.details = details;
    this.bucketRegion = bucketRegion;
  }
}

/** What the other services of AWS call what S3 has names and words of its own for. */
const OWN_CODES: Readonly<Record<string, StorageCode>> = {
  AccessDeniedException: "AccessDenied",
  ExpiredTokenException: "ExpiredToken",
  IncompleteSignatureException: "AuthorizationHeaderMalformed",
  InternalServerException: "InternalError",
  InvalidSignatureException: "SignatureDoesNotMatch",
  MissingAuthenticationTokenException: "AccessDenied",
  ServiceUnavailableException: "ServiceUnavailable",
  ThrottlingException: "SlowDown",
  UnrecognizedClientException: "InvalidAccessKeyId",
};

/** What S3 calls an error of another service; undefined where it has no name of its own for it. */
export function storageCodeOf(awsName: string): StorageCode | undefined {
  return Object.hasOwn(OWN_CODES, awsName) ? OWN_CODES[awsName] : undefined;
}

/** The error as S3 puts it: XML without a namespace, and the ids of the request in headers, too. */
export function toStorageError(error: AwsError, requestId: string): PlainReply {
  const code = storageCodeOf(error.awsName) ?? error.awsName;
  const known = Object.hasOwn(ERRORS, code) ? ERRORS[code as StorageCode] : undefined;
  const own = error instanceof StorageError ? error : undefined;
  const region = own?.bucketRegion;
  const elements = Object.entries({
    Code: code,
    Message: error.message,
    ...own?.details,
    RequestId: requestId,
  });
  return {
    status: known?.[0] ?? error.status,
    headers: {
      "content-type": "application/xml",
      "x-amz-id-2": hostIdOf(requestId),
      ...(region === undefined ? {} : { "x-amz-bucket-region": region }),
    },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error>` +
      elements.map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`).join("") +
      `<HostId>${hostIdOf(requestId)}</HostId></Error>`,
  };
}

/** The second id that S3 gives a request. */
export function hostIdOf(requestId: string): string {
  return Buffer.from(`emulator-${requestId}`).toString("base64");
}
