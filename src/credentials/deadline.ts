import { untilAborted, whenAborted } from "../until-aborted.ts";

/** A bound on work. What does not listen to its signal is given up, not stopped. */
export interface Deadline {
  /** Aborted when time is up, or with the signal that the deadline was started with. */
  signal: AbortSignal;
  /** Rejects with a `TimeoutError` when time is up, or with the signal's reason. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Time that `work` takes does not count, such as a person's. */
  pauseDuring<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Starts a deadline of `ms` that ends early when the signal aborts. */
export function createDeadline(ms: number, signal: AbortSignal): Deadline {
  const ended = new AbortController();
  const forget = whenAborted(signal, () => ended.abort(signal.reason));
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => ended.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError")), ms);
  };
  start();
  return {
    signal: ended.signal,
    race: (work) => untilAborted(work, ended.signal),
    pauseDuring: async (work) => {
      clearTimeout(timer);
      try {
        return await work();
      } finally {
        start();
      }
    },
    stop: () => {
      clearTimeout(timer);
      forget();
    },
  };
}
