import { PassThrough } from "node:stream";
import type { IncomingMessage } from "node:http";
import { array, assert, asyncProperty, constantFrom, integer, json, nat, string, tuple } from "fast-check";
import { expect, it } from "vitest";
import { LONG_TEXT, LONGEST_WIDE_TEXT, MOST_ESCAPES, MOST_NAMES } from "../../src/json-bounds.ts";
import { BodyRefusal, BytesInFlight, readJsonBody } from "../../src/serve/request-body.ts";

const BOUNDS = { most: 10_000_000, readMs: 60_000, signal: new AbortController().signal };

/** Reads bytes that come in such pieces. */
async function read(
  bytes: Buffer,
  cuts: readonly number[],
  inFlight = new BytesInFlight(10_000_000),
  { most } = BOUNDS,
): Promise<unknown> {
  const stream = new PassThrough();
  const request = Object.assign(stream, { headers: { "content-type": "application/json" } });
  const body = readJsonBody(request as unknown as IncomingMessage, {
    ...BOUNDS,
    most,
    share: inFlight.share(),
  });
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, start] of places.entries()) stream.write(bytes.subarray(start, places[index + 1]));
  stream.end();
  return body;
}

it("reads a body alike, wherever it is cut on its way", async () => {
  const said = { a: "é日本👩‍👩‍👧 \u0000 \ufeff", ü: ["\ud83d\ude00", 1.5, null] };
  const bytes = Buffer.from(JSON.stringify(said));
  for (let cut = 0; cut <= bytes.length; cut++) expect(await read(bytes, [cut])).toEqual(said);
  const marked = Buffer.concat([Buffer.from("\ufeff"), bytes]);
  expect(await read(marked, Array.from(marked.keys()))).toEqual(said);
  await assert(
    asyncProperty(
      string({ unit: "binary", maxLength: 50 }),
      integer({ min: 1, max: 4000 }),
      array(nat(), { maxLength: 5 }),
      async (text, times, cuts) => {
        const whole = [text.toWellFormed().repeat(times)];
        expect(await read(Buffer.from(JSON.stringify(whole)), cuts)).toEqual(whole);
      },
    ),
    { numRuns: 100 },
  );
});

/** Texts as JSON has them between quotes: what must not be cut, and what may. */
const written = array(
  constantFrom(
    ...'a é 日 😀 \\n \\\\ \\" \\/ \\u0416 \\u00e9 \\ud83d\\ude00 \\ud83d \\udc00 \\u005c \\u0022'.split(" "),
    "\ufeff",
    "[{,:",
  ),
  { minLength: 1, maxLength: 12 },
).map((units) => units.join(""));
const longTexts = array(
  tuple(written, integer({ min: 1, max: 3 * LONG_TEXT }), written).map(
    ([before, times, unit]) => before + unit.repeat(times),
  ),
  { minLength: 1, maxLength: 8 },
);
/** Such texts at every place that a value may have, beside one that makes the body one that is read in steps. */
const longBodies = tuple(json({ maxDepth: 4 }), longTexts, written, nat(5)).map(
  ([value, texts, unit, start]) => {
    const [first = ""] = texts;
    const items = texts.map((text) => `"${text}"`).join(" ,\n");
    const huge = "b".repeat(start) + unit.repeat(Math.ceil(1_100_000 / Buffer.byteLength(unit)));
    return `{"a":${value},"1":"${first}","${first.slice(0, 0)}__proto__" : "${first}","a":[${items}],
    "k${first}" :"${first}" ,"0":{"huge":"${huge}"},"k${first}":[],"1":{"":"${first}"}}`;
  },
);

/** What a body is or why it is none, which JSON.parse says of the whole. */
function outcomeOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return `The body is not JSON: ${(error as Error).message}.`;
  }
}

it("makes of long texts what JSON.parse makes of the whole, wherever they stand and are cut", async () => {
  await assert(
    asyncProperty(longBodies, array(nat(), { maxLength: 300 }), async (text, cuts) => {
      const body = await read(Buffer.from(text), cuts);
      expect(JSON.stringify(body)).toBe(JSON.stringify(JSON.parse(text)));
      expect(body).toStrictEqual(JSON.parse(text));
    }),
    { numRuns: 60 },
  );
  const alone = `"${"日\\n".repeat(400_000)}"`;
  expect(await read(Buffer.from(`\ufeff${alone}`), [])).toBe(JSON.parse(alone));
});

it("says of a long body that is no JSON what JSON.parse says of the whole", async () => {
  const wrong = constantFrom('"', "\\", "\n", "\\x", "\\u12", "}", ",", "x", "\u0000");
  await assert(
    asyncProperty(longBodies, nat(), wrong, async (text, at, insert) => {
      // Behind what says in which coding a body is.
      const place = 4 + (at % (text.length - 4));
      const broken = (text.slice(0, place) + insert + text.slice(place)).toWellFormed();
      const outcome = await read(Buffer.from(broken), [at]).catch((error: Error) => error.message);
      // A quote too many makes what was in texts count.
      if (String(outcome).startsWith("The body cannot be taken"))
        expect(outcomeOf(broken)).toMatch(/not JSON/);
      else expect(outcome).toStrictEqual(outcomeOf(broken));
    }),
    { numRuns: 60 },
  );
});

it("takes names that are long, and not millions of characters of them", async () => {
  const named = (length: number): Buffer => Buffer.from(JSON.stringify({ ["日".repeat(length / 3)]: 1 }));
  expect(Object.keys((await read(named(3_000_000), [])) as object)).toEqual(["日".repeat(1_000_000)]);
  await expect(read(named(MOST_NAMES + 3), [])).rejects.toThrow(/names .* more than 4000000 bytes/);
});

it("counts a text that is kept in two bytes a character as what it is", async () => {
  const held = async (text: string): Promise<number> => {
    const bytes = new BytesInFlight(10_000_000);
    await read(Buffer.from(JSON.stringify([text])), [], bytes);
    return bytes.bytes;
  };
  const length = 2_000_000;
  expect(await held("a".repeat(length))).toBeLessThan(length * 1.01);
  expect(await held(`${"a".repeat(length)}日`)).toBeGreaterThan(length * 1.99);
  expect(await held("日".repeat(length / 3))).toBeLessThan(length * 1.01);
});

it("refuses a text that is kept in two bytes a character and longer than any model reads", async () => {
  const of = (text: string): Promise<unknown> => {
    const bytes = Buffer.from(`["日","${text}"]`);
    return read(bytes, [], new BytesInFlight(100_000_000), { ...BOUNDS, most: bytes.length });
  };
  const most = "a".repeat(LONGEST_WIDE_TEXT);
  expect(await of(`${most}a`)).toHaveLength(2);
  expect(await of(`日${most.slice(1)}`)).toHaveLength(2);
  for (const long of [`日${most}`, `${most}\\ud800`])
    await expect(of(long)).rejects.toThrow(
      "The body cannot be taken: a text in it has more than 16000000 characters, and not all of them are Latin-1.",
    );
});

it("refuses what is not UTF-8, wherever it stands and is cut", async () => {
  const good = Buffer.from('{"a":"日本"}');
  for (const wrong of [[0xff], [0xc3], [0xe6, 0x97], [0xf0, 0x9f, 0x98], [0x80], [0xed, 0xa0, 0xbd]]) {
    for (const place of [0, 3, 6, 8, 9, good.length - 2, good.length]) {
      const bytes = Buffer.concat([good.subarray(0, place), Buffer.from(wrong), good.subarray(place)]);
      for (let cut = 0; cut <= bytes.length; cut++) {
        await expect(read(bytes, [cut])).rejects.toThrow("The body is not valid UTF-8.");
      }
    }
  }
  for (const wide of [
    Buffer.from("\ufeff{}", "utf16le"),
    Buffer.from("{}", "utf16le"),
    Buffer.from([0xfe, 0xff, 0, 0x7b]),
  ])
    for (const cut of [0, 1, 2, 3]) await expect(read(wide, [cut])).rejects.toThrow(/UTF-16/);
  await expect(read(Buffer.alloc(0), [])).rejects.toBeInstanceOf(BodyRefusal);
});

it("refuses more escapes than the parser undoes in a moment, before it is asked to", async () => {
  const inFlight = new BytesInFlight(80_000_000);
  const read = async (text: string): Promise<unknown> => {
    const request = Object.assign(new PassThrough(), { headers: { "content-type": "application/json" } });
    const bounds = { ...BOUNDS, most: 40_000_000, share: inFlight.share() };
    const body = readJsonBody(request as unknown as IncomingMessage, bounds);
    const bytes = Buffer.from(`["${text}"]`);
    for (let place = 0; place < bytes.length; place += 65_536)
      request.write(bytes.subarray(place, place + 65_536));
    request.end();
    return body;
  };
  await expect(read("\\n".repeat(MOST_ESCAPES + 1))).rejects.toThrow(/more than 3000000 escapes/);
  // What some clients make of every letter that is not ASCII, and 20 MB of text with line ends and quotes.
  expect(await read("\\u0416".repeat(2_900_000))).toEqual(["Ж".repeat(2_900_000)]);
  const usual = 'a \\"line\\" of text\\n';
  expect(await read(usual.repeat(1_000_000))).toEqual([
    (JSON.parse(`"${usual}"`) as string).repeat(1_000_000),
  ]);
});

it.each([
  { cause: "cut off", readMs: 60_000, end: (stream: PassThrough): unknown => stream.destroy() },
  { cause: "late", readMs: 20, end: (): unknown => undefined },
])("lets others have their turn between what follows for bodies that are $cause together", async (way) => {
  const inFlight = new BytesInFlight(1000);
  const streams = Array.from({ length: 40 }, () => new PassThrough());
  const turnsSeen = new Set<number>();
  let turns = 0;
  const count = (): void => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const bodies = streams.map(async (stream) => {
    const request = Object.assign(stream, { headers: { "content-type": "application/json" } });
    const bounds = { ...BOUNDS, readMs: way.readMs, share: inFlight.share() };
    const failure = await readJsonBody(request as unknown as IncomingMessage, bounds).catch(String);
    expect(failure).toMatch(/before it was whole|Nothing of the body came/);
    turnsSeen.add(turns);
    const until = performance.now() + 5;
    while (performance.now() < until);
  });
  // As Node tells of connections that are closed: of all in one turn, each by itself.
  for (const stream of streams) setImmediate(way.end, stream);
  await Promise.all(bodies);
  clearImmediate(counting);
  expect(turnsSeen.size).toBeGreaterThan(10);
});
