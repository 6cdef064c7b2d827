import type { Edit } from "../../config/edit-value.ts";
import { parseBatch, parseValue } from "../../config/parse-input.ts";
import { parsePath } from "../../config/path.ts";
import { updateConfig } from "../../config/update.ts";
import { readTextInput } from "../../disk/read-input.ts";
import { usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { reportUpdate } from "./report-update.ts";

export interface SetOptions extends GlobalOptions {
  path?: string;
  value?: string;
  strictJson?: boolean;
  force?: boolean;
  merge?: boolean;
  replace?: boolean;
  dryRun?: boolean;
  /** A file of edits, `-` for stdin. */
  batchFile?: string;
}

/** Writes one setting, or with `--batch-file` several at once. Throws what `updateConfig` throws, and `usage`. */
export async function run(options: SetOptions, runtime: Runtime): Promise<void> {
  const { batchFile, force, replace, dryRun } = options;
  if (options.merge && replace) {
    throw usageError("--merge keeps what --replace drops.", "Leave one of them out.");
  }
  const edits = batchFile === undefined ? [toEdit(options)] : await readBatch(batchFile, options, runtime);
  const names = batchFile === undefined ? [options.path ?? ""] : undefined;
  const updated = await updateConfig(options, runtime, edits, { force, replace, dryRun });
  await reportUpdate(updated, { isBatch: batchFile !== undefined, names }, runtime);
}

function toEdit({ path, value, strictJson, merge }: SetOptions): Edit {
  if (path === undefined || value === undefined) {
    throw usageError(
      path === undefined ? "config set takes a path and a value." : `config set takes a value for ${path}.`,
      "openclaw config set models.bedrockDiscovery.region us-east-1",
    );
  }
  const segments = parsePath(path);
  return { op: merge ? "merge" : "set", path: segments, value: parseValue(value, segments, strictJson) };
}

async function readBatch(batchFile: string, { path, merge }: SetOptions, runtime: Runtime): Promise<Edit[]> {
  if (path !== undefined) {
    throw usageError(`--batch-file brings its own paths; ${path} is one too many.`, "Leave one of them out.");
  }
  const text = await readTextInput(batchFile, "--batch-file", "Name a file of JSON5.", runtime);
  return parseBatch(text, batchFile, merge ? "merge" : "set");
}
