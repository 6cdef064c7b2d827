/**
 * The exit code of each error code. Scripts branch on these, so a row never changes its meaning.
 */
export const EXIT_CODES = {
  internal: 1,
  usage: 2,
  "config-unreadable": 3,
  "config-invalid": 3,
  "config-not-set": 3,
  "config-readonly": 3,
  "no-default-model": 3,
  "no-credentials": 4,
  "credentials-expired": 4,
  "credentials-rejected": 4,
  "access-denied": 4,
  "model-access": 4,
  throttled: 5,
  "quota-exceeded": 5,
  "service-unavailable": 5,
  timeout: 5,
  network: 5,
  "bad-response": 5,
  "stream-broken": 5,
  "model-error": 5,
  "max-steps": 5,
  "tool-failed": 5,
  "model-not-found": 6,
  "needs-inference-profile": 6,
  "input-too-long": 6,
  "invalid-request": 6,
  "bad-attachment": 6,
  "budget-exceeded": 6,
  blocked: 7,
  interrupted: 130,
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

export interface ErrorFields {
  /** What failed, naming the value at fault. One sentence. */
  message: string;
  /** One thing to do next, as a command where there is one. */
  hint?: string | undefined;
  cause?: unknown;
  /** The service's request id, when a service answered. */
  requestId?: string | undefined;
  details?: Record<string, unknown> | undefined;
  /** Overrides the code's exit code: SIGTERM is `interrupted` with 143. */
  exitCode?: number | undefined;
  /** A command's own `--json` document, printed with the error inside instead of the bare error. */
  document?: Record<string, unknown> | undefined;
  /** Text of an answer that arrived before the failure. */
  partialText?: string | undefined;
  /** The rounds of an answer with tools that came before it, as documents have them: what was run and paid for is not undone. */
  steps?: readonly Record<string, unknown>[] | undefined;
}

/** The longest name that a message has whole, and the longest message, in characters. */
const LONGEST_NAME = 200;
export const LONGEST_MESSAGE = 4000;

/** A name or another value from outside as a message and a log have it: what is very long loses its middle. */
export function shorten(text: string, longest = LONGEST_NAME): string {
  if (text.length <= longest) return text;
  const count = `… (${text.length} characters) …`;
  const kept = longest - count.length;
  const end = Math.floor(kept / 4);
  // A character outside of the basic plane is two, of which neither stands alone.
  const first = text.slice(0, kept - end).replace(/[\uD800-\uDBFF]$/, "");
  return first + count + text.slice(text.length - end).replace(/^[\uDC00-\uDFFF]/, "");
}

/** An id that a header has said, as an error has it: short, and with U+FFFD for what is no visible ASCII. */
function asId(header: string): string {
  return shorten(header).replaceAll(/[^\x21-\x7E…]/g, "\uFFFD");
}

/** The one error type that reaches a person: everything else that arrives at the top is a bug of ours. */
export class OpenclawError extends Error {
  override readonly name = "OpenclawError";
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly document: Record<string, unknown> | undefined;
  readonly partialText: string | undefined;
  readonly steps: readonly Record<string, unknown>[] | undefined;

  constructor(code: ErrorCode, fields: ErrorFields) {
    super(
      shorten(fields.message, LONGEST_MESSAGE),
      fields.cause === undefined ? undefined : { cause: fields.cause },
    );
    this.code = code;
    this.exitCode = fields.exitCode ?? EXIT_CODES[code];
    this.hint = fields.hint === undefined ? undefined : shorten(fields.hint, LONGEST_MESSAGE);
    this.requestId = fields.requestId === undefined ? undefined : asId(fields.requestId);
    this.details = fields.details;
    this.document = fields.document;
    this.partialText = fields.partialText;
    this.steps = fields.steps;
  }
}

/** The `error` object of every `--json` document. */
export interface ErrorDocument {
  code: ErrorCode;
  message: string;
  hint: string;
  exitCode: number;
  requestId?: string;
  details?: Record<string, unknown>;
  partialText?: string;
  steps?: readonly Record<string, unknown>[];
}

/** Turns an error into its `--json` form. */
export function toErrorDocument(error: OpenclawError): ErrorDocument {
  return {
    code: error.code,
    message: error.message,
    hint: error.hint ?? "",
    exitCode: error.exitCode,
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.partialText === undefined ? {} : { partialText: error.partialText }),
    ...(error.steps === undefined ? {} : { steps: error.steps }),
  };
}

/** The error for a wrong call: unknown flag, bad flag value, missing argument. Exit code 2. */
export function usageError(message: string, hint: string): OpenclawError {
  return new OpenclawError("usage", { message, hint });
}

/** The error that work ends in; undefined where it comes to its end. Throws whatever else is thrown. */
export function errorFrom(work: () => unknown): OpenclawError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof OpenclawError) return error;
    throw error;
  }
}

/** The same error with other words about it. A copy, because several may hold one error. */
export function withFields(error: OpenclawError, fields: Partial<ErrorFields>): OpenclawError {
  const { code, message, hint, cause, requestId, details, exitCode, document, partialText, steps } = error;
  const own = { message, hint, cause, requestId, details, exitCode, document, partialText, steps };
  return new OpenclawError(code, { ...own, ...fields });
}

/** The same error with the service's request id, where it had none. */
export function withRequestId(error: OpenclawError, requestId: string | undefined): OpenclawError {
  if (error.requestId !== undefined || requestId === undefined) return error;
  return withFields(error, { requestId });
}

/** The `code` of a Node system error, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What work with the system comes to; undefined where the system refuses it, as for a file that is not there. */
export async function ifSystemLets<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  });
}

/** A text as the beginning of a sentence. */
export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A message as a sentence, for another to follow: those of services end as they like. */
export function asSentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
