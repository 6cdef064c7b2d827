import { stat } from "node:fs/promises";
import { unsetVariables } from "../config/expand-env.ts";
import type { LoadedConfig } from "../config/resolve.ts";
import type { Environment } from "../runtime.ts";
import { type Check, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** The configuration file: readable, valid, and not readable by others where it holds a key. */
const configCheck: Check<Examination> = {
  id: "config",
  title: "config",
  needs: [],
  hint: "openclaw config validate",
  run: async ({ config, runtime }) => {
    const loaded = await config();
    if (!loaded.exists) return ok(`${loaded.file} is not there yet; defaults apply`);
    const mode = runtime.platform === "win32" ? 0 : (await stat(loaded.file)).mode;
    return judgeConfig(loaded, mode, runtime.env);
  },
};

/** Judges a configuration that could be read. `mode` is that of its file; 0 where modes mean nothing. */
export function judgeConfig({ file, value }: LoadedConfig, mode: number, env: Environment): Outcome {
  const providers = Object.entries(value.models?.providers ?? {});
  const keys = providers.flatMap(([id, { apiKey }]) => (apiKey === undefined ? [] : [{ id, apiKey }]));
  const isOpen = (mode & 0o077) !== 0;
  if (isOpen && keys.some(({ apiKey }) => !apiKey.includes("${"))) {
    return warn(
      `${file} holds an apiKey and can be read by others (mode ${(mode & 0o777).toString(8)})`,
      `chmod 600 ${quoteForShell(file)}`,
    );
  }
  for (const { id, apiKey } of keys) {
    const [variable] = unsetVariables(apiKey, env);
    if (variable)
      return warn(
        `${file}: models.providers.${id}.apiKey takes \${${variable}}, which is not set`,
        `export ${variable}=…`,
      );
  }
  return ok(file);
}

/** What is asked of the configuration, in the order in which it is shown. */
export const configChecks = [configCheck];
