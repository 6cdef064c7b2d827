import {
  assert,
  asyncProperty,
  constant,
  dictionary,
  array,
  letrec,
  oneof,
  string,
  uint8Array,
} from "fast-check";
import { expect, it } from "vitest";
import { parseExactly } from "../../src/json-numbers.ts";
import { lengthOf, toJsonBody, toJsonText } from "../../src/network/json-body.ts";
import { TURN_BYTES } from "../../src/next-turn.ts";

const textOf = (body: Awaited<ReturnType<typeof toJsonBody>>): string =>
  typeof body === "string" ? body : Buffer.concat(body).toString("utf8");

/** As AWS's clients write a request: the SDK's serializer turns bytes into base64. */
const asJson = (value: unknown): string =>
  JSON.stringify(value, function (this: Record<string, unknown>, name, item: unknown) {
    const given = this[name];
    return given instanceof Uint8Array ? Buffer.from(given).toString("base64") : item;
  });

const long = (unit: string): string => unit.repeat(Math.ceil((TURN_BYTES * 2.5) / unit.length));

const { value } = letrec((tie) => ({
  value: oneof(
    { maxDepth: 4 },
    string({ unit: "binary" }),
    constant(null),
    constant(1.5),
    constant(undefined),
    uint8Array({ maxLength: 20 }),
    // Units of two, so that a piece ends in the middle of a character somewhere.
    ...["a", "\n", "日", "x👩", "\ud83d", '"\\', "é"].map((unit) => constant(long(unit))),
    constant(new Uint8Array(TURN_BYTES + 1).fill(7)),
    array(tie("value"), { maxLength: 3 }),
    dictionary(string(), tie("value"), { maxKeys: 3 }),
  ),
}));

it("writes what JSON.stringify writes, and bytes as base64", async () => {
  await assert(
    asyncProperty(value, async (any) => {
      const body = await toJsonBody({ any });
      const text = asJson({ any });
      // An assertion that fails on megabytes takes a minute to say how they differ.
      expect(textOf(body) === text).toBe(true);
      expect(lengthOf(body)).toBe(Buffer.byteLength(text));
    }),
    { numRuns: 60 },
  );
});

it("writes a long value as one text", async () => {
  const any = [long("x👩"), { bytes: new Uint8Array(TURN_BYTES + 1), half: "\ud83d" }, Array(70_000).fill(1)];
  expect((await toJsonText(any)) === asJson(any)).toBe(true);
});

it("leaves a short body whole, and lets others have their turn between the pieces of a long one", async () => {
  expect(await toJsonBody({ a: [1, "b"] })).toBe('{"a":[1,"b"]}');
  const body = {
    [long("a")]: [long("a"), new Uint8Array(3 * TURN_BYTES)],
    few: Array.from({ length: 100_000 }, () => ({ text: "a" })),
  };
  let turns = 0;
  const count = (): void => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const pieces = await toJsonBody(body);
  clearImmediate(counting);
  const longest = Math.max(...(pieces as Buffer[]).map(({ length }) => length));
  expect(longest).toBeLessThan(3 * TURN_BYTES);
  expect(turns).toBeGreaterThanOrEqual(pieces.length);
});

it("lets others have their turn between numbers that are written as they came", async () => {
  const text = `{"n":[${Array.from({ length: 30_000 }, (_, index) => `1.0${index}0`).join(",")}]}`;
  const value = parseExactly(text);
  let turns = 0;
  const count = (): void => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  expect(textOf(await toJsonBody(value))).toBe(text);
  clearImmediate(counting);
  expect(turns).toBeGreaterThan(3);
});
