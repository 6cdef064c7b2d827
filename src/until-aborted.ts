/**
 * Waits for work, but no longer than until the signal is aborted: then the signal's reason is thrown. The work itself goes
 * on, and how it ends is nobody's business any more.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let forget: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    forget = whenAborted(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    forget();
  }
}

/** Does something when the signal is aborted, at once where it is. Returns what takes that back. */
export function whenAborted(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
  return () => signal.removeEventListener("abort", act);
}

const sources = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/**
 * A signal that is aborted with the first of others. Node holds these only weakly: up to Node 20 one of `AbortSignal.timeout()`
 * is collected before it comes (https://github.com/nodejs/node/issues/57736), and in Node 24 any that was aborted while nobody
 * listened, and is then not known to have been (https://github.com/nodejs/node/issues/65995).
 */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...signals]);
  sources.set(any, signals);
  return any;
}
