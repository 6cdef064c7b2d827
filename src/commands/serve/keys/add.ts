import { readTimeToCome } from "../../../command-line/read-time.ts";
import { eachOnce } from "../../../each-once.ts";
import { usageError } from "../../../errors.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { addKey } from "../../../serve/keys/edit-key-file.ts";

export interface AddOptions extends GlobalOptions {
  name: string;
  apiKeyFile?: string;
  /** Patterns, each several by commas. */
  models?: string[];
  rpm?: number;
  tpm?: number;
  /** USD. */
  dailyBudget?: number;
  /** USD. */
  monthlyBudget?: number;
  /** A time. */
  expires?: string;
}

/**
 * Makes a key for clients of `serve`, keeps its digest in the file, and prints it, once. Throws what addKey throws, and
 * `usage` for limits that are none.
 */
export async function run(options: AddOptions, runtime: Runtime): Promise<void> {
  const { terminal, now } = runtime;
  const { name, rpm, tpm, dailyBudget, monthlyBudget, expires } = options;
  const file = namedFile(options.apiKeyFile);
  const limits = {
    models: options.models && readPatterns(options.models, runtime),
    rpm,
    tpm,
    dailyBudgetUsd: dailyBudget,
    monthlyBudgetUsd: monthlyBudget,
    expires:
      expires === undefined
        ? undefined
        : new Date(readTimeToCome(expires, "--expires", now(), { like: "90d" })).toISOString(),
  };
  // Nobody could use a key that is kept and was not told.
  await addKey(file, name, limits, runtime, async (key, { created }) => {
    if (terminal.format === "json") await terminal.printJson({ name, key, file, ...limits, created });
    else await terminal.print(key);
    await terminal.flush();
  });
  if (terminal.format === "json") return;
  terminal.note(
    `openclaw: '${name}' is kept in ${file} by its digest: this key is not shown again.${limits.expires === undefined ? "" : ` It expires ${limits.expires}.`}`,
  );
}

/** The file of keys that a command works on. Throws `usage` without one. */
export function namedFile(file: string | undefined): string {
  if (file !== undefined) return file;
  throw usageError("The file of keys is not named.", "Name it as for serve: --api-key-file FILE");
}

function readPatterns(given: readonly string[], runtime: Runtime): string[] {
  const patterns = given.flatMap((text) => text.split(",")).map((pattern) => pattern.trim());
  if (patterns.every((pattern) => pattern !== "")) return eachOnce(patterns, "--models", runtime);
  throw usageError("--models has an empty pattern.", "The names of models: openclaw models list");
}
