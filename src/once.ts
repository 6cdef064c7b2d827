/** Does work when it is first asked for, and once: everybody gets the same result. */
export function once<T>(work: () => T): () => T {
  const workOnce = oncePer(work);
  return () => workOnce(undefined);
}

/** Does work once for each input, or for all inputs that have the same key. */
export function oncePer<Input, T>(
  work: (input: Input) => T,
  keyOf: (input: Input) => unknown = (input) => input,
): (input: Input) => T {
  const results = new Map<unknown, T>();
  return (input) => {
    const key = keyOf(input);
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = work(input);
    results.set(key, result);
    return result;
  };
}
