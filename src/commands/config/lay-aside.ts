import { replaceFile } from "../../disk/replace-file.ts";
import type { Draft } from "../../disk/draft.ts";
import { errorCode, OpenclawError, withFields } from "../../errors.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

/**
 * Keeps an edited text that is not taken over in a private file. Resolves to the error that says why, with this hint and the
 * file in its details. Where the disk does not take the text either, the draft that it was written in stays, and is that file.
 */
export async function layAside(
  text: string,
  file: string,
  error: OpenclawError,
  hint: string,
  draft: Pick<Draft, "keep">,
): Promise<OpenclawError> {
  try {
    await replaceFile(file, text);
  } catch (failure) {
    if (errorCode(failure) === undefined && !(failure instanceof OpenclawError)) throw failure;
    const kept = draft.keep();
    const where = `What you wrote is in ${quoteForShell(kept)}.`;
    return withFields(error, { hint: where, details: { ...error.details, rejected: kept } });
  }
  return withFields(error, { hint, details: { ...error.details, rejected: file } });
}
