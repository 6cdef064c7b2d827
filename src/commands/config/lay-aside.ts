import { replaceFile } from "../../disk/replace-file.ts";
import { type OpenclawError, withFields } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";

/**
 * Keeps an edited text that is not taken over in a private file. Resolves to the error that says why, with this hint and the
 * file in its details; to the error as it is where the disk does not take the text either.
 */
export async function layAside(
  text: string,
  file: string,
  error: OpenclawError,
  hint: string,
  { terminal }: Pick<Runtime, "terminal">,
): Promise<OpenclawError> {
  try {
    await replaceFile(file, text);
  } catch (failure) {
    terminal.verbose(() => `${file} is not written: ${String(failure)}`);
    return error;
  }
  return withFields(error, { hint, details: { ...error.details, rejected: file } });
}
