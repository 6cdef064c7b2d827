import { ERROR_STATUS } from "../aws/error-status.ts";

const STATUS: Readonly<Record<string, number>> = ERROR_STATUS;

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

/** What a value breaks of its service model's constraints, for `constraintError`; `what` of it, where that is not all. */
export function describeBreach(value: unknown, path: string, constraint: string, what = "Member"): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const shown = value === undefined || value === null ? "null" : `'${text}'`;
  return `Value ${shown} at '${path}' failed to satisfy constraint: ${what} must ${constraint}`;
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

export interface PlainReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Makes text fit for the inside of an XML element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
