/**
 * When credentials run out, as AWS's services and tools write it: `2026-11-26T08:00:00Z`, `…+00:00`, `…+0000` and `…UTC`, of
 * which `Date` takes the first two alone, and what else it takes with a zone. Undefined for what is no time, or a time anywhere.
 */
export function readExpiry(text: unknown): Date | undefined {
  const [, time, zone = ""] =
    /^(.+\d\s?)(Z|UTC|GMT|[+-]\d\d:?\d\d)$/.exec(typeof text === "string" ? text : "") ?? [];
  if (time === undefined) return undefined;
  const date = new Date(time + zone.replace("UTC", "Z").replace(/^([+-]\d\d)(\d\d)$/, "$1:$2"));
  return Number.isNaN(date.getTime()) ? undefined : date;
}
