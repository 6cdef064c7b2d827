const MILLION = 1_000_000;

/** Tokens for people: 4096 is `4K`, 128000 and 131072 are both `128K`, 1000000 is `1M`. */
export function formatTokens(tokens: number): string {
  const base = tokens % 1000 !== 0 && tokens % 1024 === 0 ? 1024 : 1000;
  if (tokens >= base * base) return `${trimZero(tokens / (base * base))}M`;
  return tokens >= base ? `${trimZero(tokens / base)}K` : String(tokens);
}

/**
 * The limits of one column, in tokens, for people: whole thousands, and millions with as many decimals as one of them
 * needs, one at most.
 */
export function formatTokenColumn(column: readonly number[]): (tokens: number) => string {
  const decimals = column.some((tokens) => formatTokens(tokens).includes(".") && tokens >= MILLION) ? 1 : 0;
  return (tokens) => {
    if (tokens >= MILLION) return `${(tokens / MILLION).toFixed(decimals)}M`;
    return tokens >= 1000
      ? `${Math.round(tokens / (tokens % 1000 !== 0 && tokens % 1024 === 0 ? 1024 : 1000))}K`
      : String(tokens);
  };
}

/** The prices of one column, in USD per million tokens, for people: with as many decimals as one of them needs, two at least. */
export function formatPriceColumn(column: readonly number[]): (price: number) => string {
  const needed = column.map((price) => formatPrice(price).split(".")[1]?.length ?? 0);
  const decimals = Math.max(2, ...needed);
  return (price) => price.toFixed(decimals);
}

/** A price in USD per million tokens for people: `0.06`, `3`, `15`. */
export function formatPrice(price: number): string {
  return Number(price.toFixed(price < 0.1 ? 4 : 2)).toString();
}

/** A duration for people, from ms: `12 s`, `4 min`, `3 h`, `2 days`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A size for people: `84 bytes`, `12 kB`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const thousands = Math.round(bytes / 1000);
  return thousands < 1000 ? `${thousands} kB` : `${(bytes / MILLION).toFixed(1)} MB`;
}

/** A number with its word: `1 line`, `12 lines`. */
export function count(number: number, one: string, more = `${one}s`): string {
  return `${number} ${number === 1 ? one : more}`;
}

function trimZero(value: number): string {
  return Number(value.toFixed(1)).toString();
}
