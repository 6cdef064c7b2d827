import { locateConfig, readConfigText } from "../../config/file.ts";
import { inspectConfig } from "../../config/inspect.ts";
import { refuseReadOnly, replaceConfig } from "../../config/update.ts";
import { openDraft } from "../../disk/draft.ts";
import { OpenclawError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { askYes, canAsk } from "../../terminal/ask-yes.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { noteFindings } from "./validate.ts";

/** What a file that is not there yet begins as. */
const EMPTY = "{\n}\n";

/**
 * Opens the configuration file in the person's editor, and keeps what comes back when it is valid. What is not is offered
 * again at a terminal, else left where it was written. Throws `config-invalid` for it, `config-readonly`, and `internal`.
 */
export async function run(options: GlobalOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { file } = locateConfig(options, runtime);
  refuseReadOnly(file, runtime);
  const before = await readConfigText(file);
  const draft = await openDraft(before ?? EMPTY, "openclaw.json5", "config-invalid", runtime);
  try {
    const text = await editUntilValid();
    const isChanged = text !== (before ?? EMPTY);
    if (isChanged) await replaceConfig(file, before, text, runtime).catch(reject);
    if (terminal.format === "json") await terminal.printJson({ file, changed: isChanged });
    else await terminal.print(isChanged ? `Updated ${file}.` : `${file} stays as it is.`);
  } finally {
    await draft.close();
  }

  async function editUntilValid(): Promise<string> {
    for (;;) {
      const text = await draft.edit();
      const problems = inspectConfig(text, runtime.env).filter(({ severity }) => severity === "problem");
      const [first] = problems;
      if (!first || text === before) return text;
      if (terminal.format === "text") await noteFindings(file, problems, runtime);
      if (canAsk(runtime) && (await askYes("Edit it again?", runtime))) continue;
      const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
      const error = new OpenclawError("config-invalid", {
        message: `What was edited is not valid${more}: ${first.message}`,
        details: {
          file,
          problems: problems.map(({ path, message, line, column }) => ({ path, message, line, column })),
        },
      });
      return reject(error);
    }
  }

  /** Throws why a text is not kept, and where it is. */
  function reject(error: unknown): never {
    if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
    throw draft.reject(error, (left) => {
      const move = `mv ${quoteForShell(left)} ${quoteForShell(file)}`;
      return `It is in ${quoteForShell(left)}: correct it there, then: ${move}`;
    });
  }
}
