import type { ChildProcess } from "node:child_process";
import type { Runtime } from "./runtime.ts";
import { whenAborted } from "./until-aborted.ts";

/** What is asked to end has this long to do so by itself, in ms. */
const GRACE_MS = 1000;
/** What a program has left behind has this long, in ms: nobody waits for its work any more. */
const REST_MS = 100;

export interface ChildEnding {
  /** Asks it to end, and kills it when it does not in time. */
  stop: () => void;
  /** To be called when it has ended. */
  forget: () => void;
}

type Child = Pick<ChildProcess, "pid" | "kill" | "stdin" | "stdout" | "stderr">;

/**
 * Ends a child process when `signal` is aborted, and kills it when this process ends. `hasGroup` says that it was started
 * `detached`, in a group of its own: then all that it has started ends with it. `graceMs` is how long it may take.
 */
export function endWith(
  signal: AbortSignal,
  child: Child,
  hasGroup: boolean,
  { endGroup, onExit }: Pick<Runtime, "endGroup" | "onExit">,
  graceMs = GRACE_MS,
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
      // What has left the group may hold them.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    }, graceMs);
  };
  const forgetExit = onExit(() => end("SIGKILL"));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return {
    stop,
    forget: () => {
      clearTimeout(timer);
      forgetExit();
      signal.removeEventListener("abort", stop);
    },
  };
}

/**
 * Ends a shell when `signal` is aborted, and what it has started: a shell that ends leaves that behind. `forget` is to be
 * called when it has ended, and kills what has not within `graceMs`.
 */
export function endTreeWith(
  signal: AbortSignal,
  { pid }: Pick<ChildProcess, "pid">,
  { endTree, onExit }: Pick<Runtime, "endTree" | "onExit">,
  graceMs: number,
): { forget: () => Promise<void> } {
  let kill: (() => void) | undefined;
  const forgetSignal = whenAborted(signal, () => {
    if (pid !== undefined) kill = endTree(pid);
  });
  const forgetExit = onExit(() => kill?.());
  return {
    forget: async () => {
      forgetSignal();
      if (kill) await new Promise((resolve) => setTimeout(resolve, graceMs));
      kill?.();
      forgetExit();
    },
  };
}

/** Ends what a program that has ended has left in its group. */
export async function endRest(
  groupId: number,
  { endGroup, isProcessAlive }: Pick<Runtime, "endGroup" | "isProcessAlive">,
): Promise<void> {
  // As kill(2) has it, a negative number is a group.
  if (!isProcessAlive(-groupId)) return;
  endGroup(groupId, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  endGroup(groupId, "SIGKILL");
}
