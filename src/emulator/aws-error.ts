/**
 * HTTP status of each error name, from the service models of Bedrock and Bedrock Runtime; the names that belong
 * to every AWS service are from https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html.
 */
const STATUS: Readonly<Record<string, number>> = {
  AccessDeniedException: 403,
  ConflictException: 400,
  ExpiredTokenException: 403,
  IncompleteSignatureException: 403,
  InternalServerException: 500,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  ModelErrorException: 424,
  ModelNotReadyException: 429,
  ModelStreamErrorException: 424,
  ModelTimeoutException: 408,
  ResourceNotFoundException: 404,
  SerializationException: 400,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
  ValidationException: 400,
};

/** STS speaks the older query protocol and has its own words for the same refusals. */
const STS_CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: "AccessDenied",
  ExpiredTokenException: "ExpiredToken",
  IncompleteSignatureException: "IncompleteSignature",
  InvalidSignatureException: "SignatureDoesNotMatch",
  MissingAuthenticationTokenException: "MissingAuthenticationToken",
  ThrottlingException: "Throttling",
  UnrecognizedClientException: "InvalidClientTokenId",
};

/** An error that AWS would answer with: its name, its message in AWS's words, its HTTP status. */
export class AwsError extends Error {
  readonly awsName: string;
  readonly status: number;

  constructor(awsName: string, message: string, status?: number) {
    super(message);
    this.awsName = awsName;
    this.status = status ?? STATUS[awsName] ?? 400;
  }
}

/** A request that AWS refuses as wrong: HTTP 400, ValidationException. */
export function validationError(message: string): AwsError {
  return new AwsError("ValidationException", message);
}

export interface PlainReply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
}

/** The error as the Bedrock services put it: name in a header, message in JSON. IAM's denials spell it `Message`. */
export function toJsonError(error: AwsError): PlainReply {
  const body =
    error.awsName === "UnknownOperationException"
      ? { Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" }
      : { [error.awsName === "AccessDeniedException" ? "Message" : "message"]: error.message };
  return {
    status: error.status,
    headers: {
      "content-type": "application/json",
      "x-amzn-errortype": `${error.awsName}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
    },
    body: JSON.stringify(body),
  };
}

/** The error as STS puts it: XML of the query protocol. */
export function toXmlError(error: AwsError, requestId: string): PlainReply {
  const code = STS_CODES[error.awsName] ?? error.awsName;
  const type = error.status >= 500 ? "Receiver" : "Sender";
  return {
    status: error.status,
    headers: { "content-type": "text/xml" },
    body:
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>${type}</Type>` +
      `<Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message></Error>` +
      `<RequestId>${requestId}</RequestId></ErrorResponse>\n`,
  };
}

/** Makes text fit for the inside of an XML element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
