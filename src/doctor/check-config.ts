import { constants } from "node:fs";
import { access, lstat, stat } from "node:fs/promises";
import path from "node:path";
import { ReadFailure, toReadFailure } from "../disk/read-file.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { ifSystemLets } from "../errors.ts";
import { unsetVariables } from "../config/expand-env.ts";
import { formatPath } from "../config/path.ts";
import { writtenSecret } from "../config/secrets.ts";
import type { LoadedConfig } from "../config/resolve.ts";
import type { Environment, Runtime } from "../runtime.ts";
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
    const folder = stateFolder(runtime);
    const obstacle = await whyUnwritable(folder);
    const outcome = loaded.exists
      ? judgeConfig(loaded, await modeOf(loaded.file, runtime), runtime.env)
      : ok(`${loaded.file} is not there yet; defaults apply`);
    if (outcome.status !== "ok") return outcome;
    return obstacle === undefined
      ? judgeFolder(folder, await modeOf(folder, runtime), outcome)
      : keepsNothing(folder, obstacle);
  },
};

/**
 * Why nothing can be written in a folder, which may not be there yet, as the end of a sentence; undefined where
 * something can. Writes nothing. Throws what is no error of the system.
 */
async function whyUnwritable(folder: string): Promise<string | undefined> {
  try {
    // With the dot, a file in the folder's place is no folder.
    await access(`${folder}${path.sep}.`, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const failure = toReadFailure(error);
    if (!(failure instanceof ReadFailure)) throw failure;
    const parent = path.dirname(folder);
    if (failure.code !== "ENOENT" || parent === folder) return failure.message;
    const isLink = (await ifSystemLets(lstat(folder)))?.isSymbolicLink();
    return isLink ? `${folder} is a link that leads nowhere` : whyUnwritable(parent);
  }
}

/** The mode of a file or folder; 0 where modes mean nothing, and where it is not there. */
async function modeOf(place: string, { platform }: Runtime): Promise<number> {
  if (platform === "win32") return 0;
  return (await ifSystemLets(stat(place)))?.mode ?? 0;
}

/** Whoever may write in the folder can put other settings, tools to run and conversations there. */
export function judgeFolder(folder: string, mode: number, otherwise: Outcome): Outcome {
  return (mode & 0o002) === 0
    ? otherwise
    : warn(
        `others may write in ${folder} (mode ${(mode & 0o777).toString(8)}), and so change settings and conversations`,
        `chmod 700 ${quoteForShell(folder)}`,
      );
}

/** Everything works without, only slower: so it is told here and nowhere else. */
function keepsNothing(folder: string, obstacle: string): Outcome {
  return warn(
    `nothing can be written in ${folder} (${obstacle}): lists of models are asked for each time, and no conversation is kept`,
    "Name a folder that can be written: export OPENCLAW_STATE_DIR=FOLDER",
  );
}

/** Judges a configuration that could be read. `mode` is that of its file; 0 where modes mean nothing. */
export function judgeConfig({ file, value }: LoadedConfig, mode: number, env: Environment): Outcome {
  const providers = Object.entries(value.models?.providers ?? {});
  const keys = providers.flatMap(([id, { apiKey }]) => (apiKey === undefined ? [] : [{ id, apiKey }]));
  const closed = `chmod 600 ${quoteForShell(file)}`;
  const told = `(mode ${(mode & 0o777).toString(8)})`;
  if ((mode & 0o002) !== 0)
    return warn(
      `others may write ${file} ${told}, and so send questions and keys elsewhere, and name tools to run`,
      closed,
    );
  const secret = (mode & 0o077) === 0 ? undefined : writtenSecret(value);
  if (secret)
    return warn(
      `${file} holds ${secret.at(-1) === "apiKey" ? "an apiKey" : formatPath(secret)} and can be read by others ${told}`,
      closed,
    );
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
