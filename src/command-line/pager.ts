import { spawn } from "node:child_process";
import { endTreeWith, endWith } from "../end-child.ts";
import { errorCode } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** What a pager needs of the Runtime: its `signal` ends it. */
export type PagerSurroundings = Pick<
  Runtime,
  "env" | "signal" | "lendTerminal" | "endGroup" | "endTree" | "onExit"
>;

/** How long a pager that is told to end may take, in ms: it sets the terminal back. */
const GRACE_MS = 250;

/** A program and words, nothing that a shell would make something of. */
const PLAIN_COMMAND = /^[\w./+@-]+(?: [\w./+@=:,-]+)*$/;

/** What a shell ends with that cannot run a program. */
const NOT_RUN: ReadonlySet<number> = new Set([126, 127]);

/**
 * Shows a text in the program that PAGER names, by a shell, else in `less`, as git and man do. The text is written as it
 * is. Resolves to whether it was shown: not where PAGER is empty or `cat`, the terminal is dumb, or there is no such program.
 * Rejects with the signal's reason.
 */
export async function showInPager(text: string, surroundings: PagerSurroundings): Promise<boolean> {
  const { env, signal, lendTerminal } = surroundings;
  const named = env["PAGER"]?.trim();
  if (named === "" || named === "cat" || (named === undefined && env["TERM"] === "dumb")) return false;
  // As git has them: ends where all fits on the screen, shows colours, leaves the text there. The text is UTF-8 anywhere.
  const withDefaults = { LESS: "FRX", LV: "-c", LESSCHARSET: "utf-8", ...env };
  // A program that takes the place of its shell is the one that is told to end.
  const isPlain = named === undefined || PLAIN_COMMAND.test(named);
  const pager = spawn(named === undefined ? "less" : isPlain ? `exec ${named}` : named, {
    shell: named !== undefined,
    stdio: ["pipe", "inherit", "inherit"],
    env: withDefaults,
  });
  const takeBack = lendTerminal();
  const ending = isPlain
    ? endWith(signal, pager, false, surroundings, GRACE_MS)
    : endTreeWith(signal, pager, surroundings, GRACE_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      pager.on("error", (error) => (errorCode(error) === "ENOENT" ? resolve(127) : reject(error)));
      pager.on("close", resolve);
      pager.stdin.on("error", (error) => {
        // Whoever leaves before the end has read enough.
        if (errorCode(error) !== "EPIPE") reject(error);
      });
      pager.stdin.end(text);
    });
    signal.throwIfAborted();
    return code === null || !NOT_RUN.has(code);
  } finally {
    takeBack();
    await ending.forget();
  }
}
