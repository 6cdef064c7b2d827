import type { Random } from "./random.ts";

/** What no field was made for. */
const STRANGERS: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  () => false,
  () => -1,
  () => 0.5,
  () => 1e308,
  () => "",
  () => [],
  () => ({}),
  () => [[[[null]]]],
  () => ({ toString: "x", constructor: 1, __proto__: { a: 1 }, length: -1 }),
  () => "NaN",
  () => "2026-13-45T99:99:99Z",
  (random) => "A".repeat(random.pick([1, 255, 65_536])),
  () => "\u0000\u0007\u001B]52;c;aGk=\u0007\u009B31m\u202E\uFEFF",
  () => "line\nline\r\n\tline\u2028line",
  () => "\uD83E",
  () => "🦞".repeat(100),
  () => Array.from({ length: 300 }, (_, index) => index),
];

/** Changes a few places of a JSON value: other kinds of values, missing fields, repeated items. The value given stays. */
export function mutateJson<T>(value: T, random: Random): unknown {
  let mutated: unknown = structuredClone(value);
  for (let change = 1 + random.below(4); change > 0; change -= 1) mutated = changeOne(mutated, random);
  return mutated;
}

function changeOne(value: unknown, random: Random): unknown {
  const isInner = typeof value === "object" && value !== null && random.percent(80);
  if (!isInner) return random.pick(STRANGERS)(random);
  if (Array.isArray(value)) {
    if (value.length === 0) return [random.pick(STRANGERS)(random)];
    const index = random.below(value.length);
    if (random.percent(15)) return value.filter((_, at) => at !== index);
    if (random.percent(10)) return [...value, value[index]];
    return value.map((item, at) => (at === index ? changeOne(item, random) : item));
  }
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  if (names.length === 0 || random.percent(5))
    return { ...fields, [`field${random.below(9)}`]: random.pick(STRANGERS)(random) };
  const name = random.pick(names);
  if (random.percent(20))
    return Object.fromEntries(Object.entries(fields).filter(([known]) => known !== name));
  return { ...fields, [name]: changeOne(fields[name], random) };
}
