import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { revokeKey } from "../../../serve/keys/edit-key-file.ts";
import { namedFile } from "./add.ts";

export interface RevokeOptions extends GlobalOptions {
  name: string;
  apiKeyFile?: string;
}

/** Takes a key out of the file of keys: running servers refuse it within seconds. Throws what revokeKey throws. */
export async function run({ name, apiKeyFile }: RevokeOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const file = namedFile(apiKeyFile);
  await revokeKey(file, name, runtime);
  if (terminal.format === "json") await terminal.printJson({ name, file });
  else await terminal.print(`Revoked ${name}.`);
}
