/** When a server wants to be asked again: seconds, a date, or milliseconds as `… ms`. Undefined where it does not say. */
export function retryTime(retryAfter: unknown, now: number): Date | undefined {
  if (typeof retryAfter !== "string") return undefined;
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*(ms)?\s*$/.exec(retryAfter) ?? [];
  if (number !== undefined) return new Date(now + Number(number) * (unit === "ms" ? 1 : 1000));
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? undefined : new Date(date);
}
