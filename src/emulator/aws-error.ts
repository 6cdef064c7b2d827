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

/** What a value breaks of its service model's constraints, for `constraintError`. */
export function describeBreach(value: unknown, path: string, constraint: string): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const shown = value === undefined || value === null ? "null" : `'${text}'`;
  return `Value ${shown} at '${path}' failed to satisfy constraint: Member must ${constraint}`;
}

/** The refusal of a request that breaks constraints of the service model, all in one message, as AWS frames them. */
export function constraintError(...breaches: readonly string[]): AwsError {
  const count = breaches.length === 1 ? "1 validation error" : `${breaches.length} validation errors`;
  return validationError(`${count} detected: ${breaches.join("; ")}`);
}

/** A whole answer. */
export interface PlainReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** The error in the service's own shape. */
export function toErrorReply(error: AwsError, service: string, requestId: string): PlainReply {
  return service === "sts" ? toXmlError(error, requestId) : toJsonError(error);
}

/** As the Bedrock services put it: name in a header, message in JSON. IAM's denials spell it `Message`. */
function toJsonError({ awsName, message, status }: AwsError): PlainReply {
  const body =
    awsName === "UnknownOperationException"
      ? { Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" }
      : { [awsName === "AccessDeniedException" ? "Message" : "message"]: message };
  const errorType = `${awsName}:http://internal.amazon.com/coral/com.amazon.bedrock/`;
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": errorType },
    body: JSON.stringify(body),
  };
}

/** As STS puts it: XML of the query protocol. */
function toXmlError({ awsName, message, status }: AwsError, requestId: string): PlainReply {
  const code = STS_CODES[awsName] ?? awsName;
  const type = status >= 500 ? "Receiver" : "Sender";
  return {
    status,
    headers: { "content-type": "text/xml" },
    body:
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>${type}</Type>` +
      `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error>` +
      `<RequestId>${requestId}</RequestId></ErrorResponse>\n`,
  };
}

/** Makes text fit for the inside of an XML element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
