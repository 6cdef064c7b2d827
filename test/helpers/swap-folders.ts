import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/**
 * Has a process of its own put a link to `target` in the place of the folder `name` and take it away again, as fast as it can,
 * until the test ends.
 */
export function swapFolders(folder: string, name: string, target: string): void {
  const [from, to] = [name, target].map((path) => JSON.stringify(path));
  const racer = spawn(process.execPath, [
    "-e",
    `const fs = require("node:fs"); process.chdir(${JSON.stringify(folder)});
     for (;;) { fs.renameSync(${from}, "kept"); fs.symlinkSync(${to}, ${from});
       fs.unlinkSync(${from}); fs.renameSync("kept", ${from}); }`,
  ]);
  const ended = once(racer, "close");
  onTestFinished(async () => {
    racer.kill("SIGKILL");
    await ended;
  });
}
