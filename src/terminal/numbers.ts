const MILLION = 1_000_000;

/** Tokens for people, by thousands: 4096 is `4.1K`, 128000 is `128K`, 131072 is `131.1K`, 1000000 is `1M`. */
export function formatTokens(tokens: number): string {
  // What rounds to a thousand thousands is a million.
  if (tokens >= MILLION - 50) return `${trimZero(tokens / MILLION)}M`;
  return tokens >= 1000 ? `${trimZero(tokens / 1000)}K` : String(tokens);
}

/**
 * The tokens of one column, for people: all to the thousand, so that each row compares with each, a million and more as
 * `1M` or `1.049M`; or all to the token where one has fewer than a thousand.
 */
export function formatTokenColumn(column: readonly number[]): (tokens: number) => string {
  if (column.some((tokens) => tokens < 1000)) return toTheToken;
  return (tokens) => {
    const thousands = Math.round(tokens / 1000);
    return thousands < 1000 ? `${thousands}K` : `${thousands / 1000}M`;
  };
}

/** The limits of one column, for people: all to the token, all in `K` or all in `M`, with as many decimals as one needs. */
export function formatLimitColumn(column: readonly number[]): (limit: number) => string {
  const positive = column.filter((limit) => limit > 0);
  if (positive.length === 0 || positive.some((limit) => limit < 1000)) return toTheToken;
  const [unit, word] = positive.some((limit) => limit >= MILLION) ? [MILLION, "M"] : [1000, "K"];
  const needed = positive.map((limit) => decimalsOf(Number((limit / unit).toFixed(3))));
  const decimals = Math.max(...needed);
  return (limit) => `${(limit / unit).toFixed(decimals)}${word}`;
}

function toTheToken(tokens: number): string {
  return tokens.toLocaleString("en-US");
}

function decimalsOf(value: number): number {
  return String(value).split(".")[1]?.length ?? 0;
}

/** The prices of one column, in USD per million tokens, for people: with as many decimals as one of them needs, two at least. */
export function formatPriceColumn(column: readonly number[]): (price: number) => string {
  const decimals = Math.max(2, ...column.map((price) => decimalsOf(roundPrice(price))));
  return (price) => (isTiny(price) ? formatPrice(price) : price.toFixed(decimals));
}

/** The least price that has digits of its own, in USD per million tokens. */
const LEAST_PRICE = 0.0001;

/** A price in USD per million tokens for people: `0.06`, `3`, `15`. What costs something never shows as nothing. */
export function formatPrice(price: number): string {
  return isTiny(price) ? `<${LEAST_PRICE}` : roundPrice(price).toString();
}

function isTiny(price: number): boolean {
  return price > 0 && price < LEAST_PRICE;
}

function roundPrice(price: number): number {
  return isTiny(price) ? LEAST_PRICE : Number(price.toFixed(price < 0.1 ? 4 : 2));
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
  if (bytes < 1000) return count(bytes, "byte");
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
