/** Numbers that look random and come again with the same seed. */
export interface Random {
  /** From 0 up to `limit`. */
  below(limit: number): number;
  /** True that often out of a hundred times. */
  percent(often: number): boolean;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  bytes(count: number): Buffer;
}

/** Mulberry32: 32 bits of state, good enough to break things with. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined && items.length === 0) throw new Error("There is nothing to pick from.");
    return item as T;
  };
  return {
    below,
    pick,
    percent: (often) => next() * 100 < often,
    shuffle: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .sort((left, right) => left.place - right.place)
        .map(({ item }) => item),
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}
