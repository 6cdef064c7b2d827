/** What is stopped usually has this long to end by itself, in ms. */
const GRACE_MS = 300;

/**
 * Passes on what arrives until `signal` is aborted and what brings it has ended, or has not ended in time. Throws the
 * signal's reason then.
 */
export async function* untilStopped<T>(
  events: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal,
  graceMs = GRACE_MS,
): AsyncGenerator<T, void, undefined> {
  let timer: NodeJS.Timeout | undefined;
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => (timer = setTimeout(() => reject(signal.reason), graceMs)), {
      once: true,
    });
  });
  // Each is looked at only in the race; without these the loser would count as a failure nobody handles.
  stopped.catch(() => undefined);
  try {
    for (;;) {
      const next = events.next();
      next.catch(() => undefined);
      const result = await Promise.race([next, stopped]);
      if (result.done) return;
      yield result.value;
    }
  } finally {
    clearTimeout(timer);
  }
}
