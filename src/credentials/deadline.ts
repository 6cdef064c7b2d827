/** A bound on work that cannot be cancelled: it is given up, not stopped. */
export interface Deadline {
  /** Rejects with a `TimeoutError` when time is up, or with the signal's reason. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Time that `work` takes does not count, such as a person's. */
  pauseDuring<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Starts a deadline of `ms` that ends early when the signal aborts. */
export function createDeadline(ms: number, signal: AbortSignal): Deadline {
  let giveUp: (reason: unknown) => void = () => undefined;
  const end = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  end.catch(() => undefined);
  const onAbort = (): void => giveUp(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => giveUp(new DOMException(`no answer within ${ms} ms`, "TimeoutError")), ms);
  };
  start();
  return {
    race: (work) => {
      // The loser's failure is nobody's business any more.
      work.catch(() => undefined);
      return Promise.race([work, end]);
    },
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
      signal.removeEventListener("abort", onAbort);
    },
  };
}
