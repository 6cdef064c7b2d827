import { type AwsError, escapeXml, type PlainReply } from "./aws-error.ts";
import { toStorageError } from "./storage/storage-error.ts";

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
  if (service === "s3") return toStorageError(error, requestId);
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
