import { formatPath } from "../../config/path.ts";
import type { Change, UpdatedConfig } from "../../config/update.ts";
import { LONGEST_MESSAGE, shorten } from "../../errors.ts";
import { isRecord, type JsonObject } from "../../json.ts";
import type { Runtime } from "../../runtime.ts";

export interface UpdateReport {
  /** Several edits asked for at once: the document lists them even when there is only one. */
  isBatch: boolean;
  /** The paths as they were typed, in the order of the changes. */
  names?: readonly string[] | undefined;
}

/** Prints what an edit of the configuration changed, or would change, secrets masked. */
export async function reportUpdate(
  updated: UpdatedConfig,
  report: UpdateReport,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  const { file, diff } = updated;
  const changes = updated.changes.map((change, index) => describeChange(change, report.names?.[index]));
  if (terminal.format === "json") {
    const [first] = changes;
    const preview =
      diff === undefined ? {} : { dryRun: true, diff: diff.map((line) => `${line}\n`).join("") };
    await terminal.printJson({ ...(report.isBatch ? { changes } : first), file, ...preview });
    return;
  }
  if (diff !== undefined) {
    if (diff.length === 0) terminal.note(`${file} would stay as it is.`);
    else await printDiff(file, diff, runtime);
    return;
  }
  if (changes.length === 0) terminal.note(`Nothing to change in ${file}.`);
  for (const { path, value, previous } of changes) {
    await terminal.print(`${value === null ? "Removed" : "Updated"} ${path}.`);
    if (value !== null && isRecord(previous) && losesKeys(previous, value)) {
      const keeping = report.names ? "; --merge would keep what the new value lacks" : "";
      terminal.note(`openclaw: it was ${shorten(JSON.stringify(previous), LONGEST_MESSAGE)}${keeping}`);
    }
  }
}

/** Whether a value lacks something that the one before had, where that had more than what stands in its place. */
function losesKeys(previous: JsonObject, value: unknown): boolean {
  const keys = Object.keys(previous);
  return isRecord(value) ? keys.some((key) => !Object.hasOwn(value, key)) : keys.length > 1;
}

function describeChange(
  { path, value, previous }: Change,
  name: string | undefined,
): { path: string; value: unknown; previous: unknown } {
  return { path: name ?? formatPath(path), value: value ?? null, previous: previous ?? null };
}

async function printDiff(file: string, diff: readonly string[], { terminal }: Runtime): Promise<void> {
  const style = await terminal.stdoutStyle();
  const looks: Readonly<Record<string, (text: string) => string>> = {
    "+": style.green,
    "-": style.red,
    "@": style.cyan,
  };
  await terminal.print(style.bold(`--- ${file}`));
  await terminal.print(style.bold(`+++ ${file}`));
  for (const line of diff) await terminal.print((looks[line.charAt(0)] ?? ((text: string) => text))(line));
}
