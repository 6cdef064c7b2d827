import { isDeepStrictEqual } from "node:util";
import { type Edit, valueAt } from "../../config/edit-value.ts";
import { locateConfig, readConfigText } from "../../config/file.ts";
import { parseDocument } from "../../config/parse-document.ts";
import { refuseReadOnly, updateConfig } from "../../config/update.ts";
import { openDraft } from "../../disk/draft.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { askYes, canAsk } from "../../terminal/ask-yes.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface EditOptions extends GlobalOptions {
  name: string;
}

/** What a person may write, for a template that is not there yet. */
const SKELETON = `// $input stands for what is typed or piped in, $NAME for a parameter, $$ for a dollar.
{
  prompt: "Review this change in $lang:\\n\\n$input",
  // system: "You are a careful reviewer.",
  // model: "opus",
  // params: { maxTokens: 2000 },
  defaults: { lang: "English" },
}
`;

/** Errors of a text that the person can mend. */
const MENDABLE = new Set(["config-invalid", "usage"]);

/**
 * Opens a template in the person's editor, and keeps what comes back when it is one. What is not is offered again at a
 * terminal, else left where it was written. Throws `config-invalid` for it, `config-readonly`, and `internal`.
 */
export async function run({ name, ...options }: EditOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  if (name.trim() === "") throw usageError("No template is named.", "openclaw templates edit review");
  const { file } = locateConfig(options, runtime);
  refuseReadOnly(file, runtime);
  const place = ["templates", name];
  const old = valueAt(parseDocument((await readConfigText(file)) ?? "", file), place);
  const before = old === undefined ? SKELETON : writeTemplate(old);
  const draft = await openDraft(before, "template.json5", "config-invalid", runtime);
  try {
    const isChanged = await editUntilKept();
    if (terminal.format === "json")
      return await terminal.printJson({ template: name, file, changed: isChanged });
    await terminal.print(
      isChanged
        ? `${old === undefined ? "Made" : "Updated"} template ${name}.`
        : `${old === undefined ? "No template is made." : `Template ${name} stays as it is.`}`,
    );
  } finally {
    await draft.close();
  }

  async function editUntilKept(): Promise<boolean> {
    for (;;) {
      const text = await draft.edit();
      if (text === before) return false;
      try {
        const value = parseDocument(text, "What was edited");
        const edits = (present: unknown): Edit[] => {
          if (!isDeepStrictEqual(valueAt(present, place), old)) throw changedMeanwhile(name, file);
          return [{ op: "set", path: place, value }];
        };
        await updateConfig(options, runtime, edits, { replace: true });
        return true;
      } catch (error) {
        if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
        if (MENDABLE.has(error.code) && canAsk(runtime)) {
          await terminal.fail(error.message);
          if (await askYes("Edit it again?", runtime)) continue;
        }
        throw draft.reject(error, (left) => `What you wrote is in ${quoteForShell(left)}.`);
      }
    }
  }
}

function changedMeanwhile(name: string, file: string): OpenclawError {
  return new OpenclawError("internal", {
    message: `Template ${name} was changed by another program meanwhile, and is not written over.`,
    hint: `openclaw templates edit ${quoteForShell(name)}`,
    details: { file },
  });
}

/** A template as a person edits it: JSON5, each line of its texts on one of its own. */
function writeTemplate(template: unknown): string {
  const json = JSON.stringify(template, undefined, 2);
  // A backslash at the end of a line of JSON5 continues the text.
  return `${json.replaceAll(/(?<!\\)((?:\\\\)*)\\n/g, "$1\\n\\\n")}\n`;
}
