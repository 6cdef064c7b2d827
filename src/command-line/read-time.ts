import { shorten, usageError } from "../errors.ts";

const HOUR_MS = 3_600_000;
/** Of each unit, in ms. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
  y: 365 * 24 * HOUR_MS,
};

/**
 * The moment that a flag names, in ms since 1970: so long ago (`30d`, `12h`, `90m`, `2w`, `1y`), the beginning of a day or
 * month (`today`, `yesterday`, `month`), or a date of ISO 8601. Days begin at midnight UTC. Throws `usage`.
 */
export function readTime(text: string, flag: string, now: number): number {
  const { time, today } = parseTime(text, now);
  if (time !== undefined) return time;
  throw usageError(
    `${flag} '${shorten(text)}' is no time.`,
    `For example: ${flag} 30d, ${flag} 12h, ${flag} today, ${flag} ${today}`,
  );
}

/**
 * The moment to come that a flag names, in ms since 1970: in so long (`30d`, `12h`), or a date. Throws `usage`, with `like`
 * for an example, also for one that is over unless that `mayBeOver`.
 */
export function readTimeToCome(
  text: string,
  flag: string,
  now: number,
  { like, mayBeOver = false }: { like: string; mayBeOver?: boolean },
): number {
  const { time, isSpan, today } = parseTime(text, now);
  const meant = time !== undefined && isSpan ? now + (now - time) : time;
  const isTime = meant !== undefined && meant <= LATEST_TO_COME;
  if (isTime && (mayBeOver || meant > now)) return meant;
  throw usageError(
    `${flag} '${shorten(text)}' is ${isTime ? "over" : "no time"}.`,
    `For example: ${flag} ${like}, ${flag} ${Number(today.slice(0, 4)) + 1}-01-31`,
  );
}

/** What a text says of the time; undefined for what it does not. */
function parseTime(text: string, now: number): { time: number | undefined; isSpan: boolean; today: string } {
  const word = text.trim().toLowerCase();
  const today = new Date(now).toISOString().slice(0, "2026-11-26".length);
  const words: Readonly<Record<string, number>> = {
    today: Date.parse(today),
    yesterday: Date.parse(today) - 24 * HOUR_MS,
    month: Date.parse(today.slice(0, "2026-11".length)),
  };
  const [, count, unit = ""] = /^(\d+)\s*([smhdwy])$/.exec(word) ?? [];
  const isDate = /^\d{4}-\d{2}(-\d{2}([t ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(z|[+-]\d{2}:?\d{2})?)?)?$/.test(word);
  const time =
    count === undefined
      ? (words[word] ??
        (isDate && isInCalendar(word)
          ? Date.parse(isZoned(word) ? word.toUpperCase() : `${word.toUpperCase().replace(" ", "T")}Z`)
          : Number.NaN))
      : now - Number(count) * (UNITS[unit] ?? 0);
  return { time: Math.abs(time) <= LATEST ? time : undefined, isSpan: count !== undefined, today };
}

/** Whether there is such a day: JavaScript takes the 30th of February for the second of March. */
function isInCalendar(date: string): boolean {
  const day = date.slice(0, "2026-11-26".length);
  const time = Date.parse(day);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** Whether a date without a zone is one of UTC already: JavaScript takes a time without a zone for the machine's own. */
function isZoned(date: string): boolean {
  return !/[t ]\d{2}:\d{2}/.test(date) || /(z|[+-]\d{2}:?\d{2})$/.test(date.slice("2026-11-26".length));
}

/** Of JavaScript's Date, in ms since 1970. */
const LATEST = 8.64e15;
/** Of what is to come, in ms since 1970: later years have more than four digits, which nobody else reads. */
const LATEST_TO_COME = Date.parse("9999-12-31T23:59:59.999Z");
