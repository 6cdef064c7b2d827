import { readFileSync } from "node:fs";
import { EXIT_CODES, type ErrorCode, OpenclawError, toErrorDocument } from "../errors.ts";
import { replaceFile } from "../disk/replace-file.ts";

/** Where a failed refresh of a cached list is told to the processes that wait for it. */
export function failureFile(file: string): string {
  return `${file}.failed`;
}

/**
 * Whether a failure is one for all who wait: not an interruption, and not credentials that are missing, which another
 * process may get from the person at its terminal.
 */
export function mayShare(error: unknown): error is OpenclawError {
  return error instanceof OpenclawError && error.code !== "interrupted" && error.code !== "no-credentials";
}

/**
 * Tells the processes that wait for the same list why there is none. Without it each of them would ask in its turn, and
 * twenty would wait twenty times as long for an AWS that cannot be reached. `at` is in ms since 1970.
 */
export async function shareFailure(file: string, error: OpenclawError, at: number): Promise<void> {
  const text = JSON.stringify({ at, error: toErrorDocument(error) });
  await replaceFile(failureFile(file), text);
}

/** The failure that was shared since a moment (ms since 1970); undefined when there is none. */
export function sharedFailure(file: string, since: number): OpenclawError | undefined {
  let shared: { at?: unknown; error?: Record<string, unknown> };
  try {
    shared = JSON.parse(readFileSync(failureFile(file), "utf8")) as typeof shared;
  } catch {
    // Missing, torn and unreadable come to the same: this process asks AWS itself.
    return undefined;
  }
  const { at, error } = shared ?? {};
  if (typeof at !== "number" || at < since) return undefined;
  const { code, message, hint, exitCode, requestId } = error ?? {};
  if (!isErrorCode(code) || typeof message !== "string" || typeof exitCode !== "number") return undefined;
  return new OpenclawError(code, {
    message,
    hint: typeof hint === "string" && hint !== "" ? hint : undefined,
    exitCode,
    requestId: typeof requestId === "string" ? requestId : undefined,
  });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(EXIT_CODES, code);
}
