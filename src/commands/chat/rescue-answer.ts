import path from "node:path";
import type { Written } from "../../disk/output-file.ts";
import { ifSystemLets, OpenclawError, withFields } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

/**
 * Keeps what came of an answer that cannot be in the file it was for: it was paid for. It is beside that file, or on stdout
 * where nothing can be written there, and a warning says where; what was withheld is nowhere. Resolves to the error to end
 * with, which has the document of `--json` in it.
 */
export async function rescueAnswer(
  { bytes, keepBeside }: Written,
  failure: unknown,
  { terminal, currentFolder }: Pick<Runtime, "terminal" | "currentFolder">,
): Promise<unknown> {
  if (failure instanceof OpenclawError && failure.code === "blocked") return failure;
  const file = keepBeside && (await ifSystemLets(keepBeside()));
  if (file !== undefined) {
    const near = path.relative(currentFolder, file);
    const name = near.startsWith("..") ? file : near;
    await terminal.warn(`What came of the answer is in ${quoteForShell(name)}.`);
    return failure;
  }
  const text = bytes.toString("utf8");
  if (terminal.format === "json" && failure instanceof OpenclawError)
    return withFields(failure, { document: JSON.parse(text) as Record<string, unknown> });
  await terminal.write(text);
  await terminal.warn("What came of the answer is on stdout.");
  return failure;
}
