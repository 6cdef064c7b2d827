/**
 * HTTP status of each error name, from the service models of Bedrock, Bedrock Runtime and Service Quotas; the names that belong
 * to every AWS service are from https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html.
 */
const STATUS: Readonly<Record<string, number>> = {
  AccessDeniedException: 403,
  ConflictException: 400,
  ExpiredTokenException: 403,
  IllegalArgumentException: 400,
  IncompleteSignatureException: 403,
  InternalServerException: 500,
  InvalidPaginationTokenException: 400,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  ModelErrorException: 424,
  ModelNotReadyException: 429,
  ModelStreamErrorException: 424,
  ModelTimeoutException: 408,
  NoSuchResourceException: 400,
  ResourceNotFoundException: 404,
  SerializationException: 400,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  TooManyRequestsException: 400,
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
  /** What OpenAI's APIs say beside the message: a code of the refusal's own, and the field that it is about. */
  readonly about: { code: string; param: string | null } | undefined;

  constructor(awsName: string, message: string, status?: number, about?: AwsError["about"]) {
    super(message);
    this.awsName = awsName;
    this.status = status ?? STATUS[awsName] ?? 400;
    this.about = about;
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

/** The text that a member of a request has to be. Throws `AwsError` as AWS does for one that is missing. */
export function requiredText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw constraintError(describeBreach(value, path, "not be null"));
}

/** A whole answer. */
export interface PlainReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Whose shape the errors of an operation have, where it is not AWS's own. */
export type ErrorDialect = "openai" | "anthropic";

/** What is wrong with a signature is AWS's to say, before anybody looks at the path that it is for. */
const OF_THE_DOOR: ReadonlySet<string> = new Set([
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "UnrecognizedClientException",
]);

/** The error in the shape of the operation. */
export function toErrorReply(
  error: AwsError,
  { service, dialect }: { service: string; dialect?: ErrorDialect | undefined },
  requestId: string,
): PlainReply {
  const isOfDialect = dialect === "openai" || (dialect === "anthropic" && !OF_THE_DOOR.has(error.awsName));
  if (isOfDialect) return toDialectError(error, dialect, requestId);
  if (service === "sts") return toXmlError(error, requestId);
  return service === "servicequotas" || service === "monitoring"
    ? toAwsJsonError(error, service)
    : toJsonError(error);
}

/** As services that speak AWS JSON put it: the name in the body, and for CloudWatch, which spoke XML, also as that had it. */
function toAwsJsonError({ awsName, message, status }: AwsError, service: string): PlainReply {
  const isOld = service === "monitoring";
  const code = STS_CODES[awsName] ?? awsName;
  return {
    status,
    headers: {
      "content-type": `application/x-amz-json-1.${isOld ? 0 : 1}`,
      ...(isOld ? { "x-amzn-query-error": `${code};${status >= 500 ? "Receiver" : "Sender"}` } : {}),
    },
    body: JSON.stringify({
      __type: isOld ? `com.amazonaws.cloudwatch.v2010_08_01#${awsName}` : awsName,
      [isOld ? "message" : "Message"]: message,
    }),
  };
}

/** What the paths of OpenAI's and of Anthropic's APIs call an error: OpenAI's code and type, Anthropic's type. */
const DIALECT_WORDS: Readonly<Record<string, readonly [code: string, type: string, anthropic: string]>> = {
  AccessDeniedException: ["access_denied", "permission_denied_error", "permission_error"],
  ResourceNotFoundException: ["not_found_error", "invalid_request_error", "not_found_error"],
  ThrottlingException: ["rate_limit_exceeded", "rate_limit_error", "rate_limit_error"],
  ValidationException: ["validation_error", "invalid_request_error", "invalid_request_error"],
};

function toDialectError(
  { awsName, message, status, about }: AwsError,
  dialect: ErrorDialect,
  requestId: string,
): PlainReply {
  const [code, type, ownType] = DIALECT_WORDS[awsName] ?? otherWords(status);
  const body =
    dialect === "openai"
      ? { error: { code, message, param: null, type, ...about } }
      : { type: "error", error: { type: ownType, message }, request_id: requestId };
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function otherWords(status: number): [string, string, string] {
  if (status >= 500) return ["internal_server_error", "server_error", "api_error"];
  return status === 401 || status === 403
    ? ["authentication_error", "authentication_error", "authentication_error"]
    : ["validation_error", "invalid_request_error", "invalid_request_error"];
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
