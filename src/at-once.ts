let isAtOnce = false;

/**
 * Whether small files are read and short answers written at once, by which no signal is heard: until somebody hears them
 * (main.ts), they end the process.
 */
export function workAtOnce(isWanted: boolean): void {
  isAtOnce = isWanted;
}

/**
 * Work that is done at once while that is wanted, else in Node's pool of threads, which takes longer to start than a small
 * file takes to read.
 */
export function orAtOnce<Args extends unknown[], T>(
  later: (...args: Args) => Promise<T>,
  atOnce: (...args: Args) => T,
): (...args: Args) => Promise<T> {
  return async (...args) => (isAtOnce ? atOnce(...args) : later(...args));
}
