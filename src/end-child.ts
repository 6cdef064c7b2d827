import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Runtime } from "./runtime.ts";

/** What is asked to end has this long to do so by itself, in ms. */
const GRACE_MS = 1000;

/** How a child process is ended. */
export interface ChildEnding {
  /** Asks it to end, and kills it when it does not in time. */
  stop: () => void;
  /** To be called when it has ended. */
  forget: () => void;
}

/**
 * Ends a child process when `signal` is aborted, and kills it when this process ends. `hasGroup` says that it was started
 * `detached`, in a group of its own: then all that it has started ends with it.
 */
export function endWith(
  signal: AbortSignal,
  child: ChildProcessByStdio<Writable | null, Readable, Readable>,
  hasGroup: boolean,
  { endGroup, onExit }: Pick<Runtime, "endGroup" | "onExit">,
): ChildEnding {
  const end = (by: "SIGTERM" | "SIGKILL"): void => {
    if (hasGroup && child.pid !== undefined) endGroup(child.pid, by);
    else child.kill(by);
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    end("SIGTERM");
    timer ??= setTimeout(() => {
      end("SIGKILL");
      // What has left the group may hold the outputs.
      child.stdout.destroy();
      child.stderr.destroy();
    }, GRACE_MS);
  };
  const forgetExit = onExit(() => end("SIGKILL"));
  signal.addEventListener("abort", stop, { once: true });
  return {
    stop,
    forget: () => {
      clearTimeout(timer);
      forgetExit();
      signal.removeEventListener("abort", stop);
    },
  };
}
