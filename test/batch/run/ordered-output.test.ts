import { existsSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, copyFile, open, readFile, rename, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  nat,
  record,
  shuffledSubarray,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { failedLines, type LineResult } from "../../../src/batch/run/line-result.ts";
import { Journal } from "../../../src/batch/run/journal.ts";
import { journalOf, mergedOf, OrderedFile, OrderedStream } from "../../../src/batch/run/ordered-output.ts";
import { writePatiently } from "../../../src/batch/run/patient-write.ts";
import { createHome } from "../../helpers/openclaw.ts";

const ASKED = { model: "a" };
const patience = {
  wait: async (code: string): Promise<void> => {
    throw new Error(`Nobody waits here for ${code}.`);
  },
  over: () => undefined,
};
const options = { patience };

const newFile = (): string => path.join(createHome(), "out.jsonl");

function result(number: number, more: Partial<LineResult> = {}): LineResult {
  const counts = { inputTokens: 10, outputTokens: number, usd: 0.001, unpriced: 0 };
  return { number, outcome: "ok", ...counts, json: JSON.stringify({ recordId: String(number) }), ...more };
}

const jsonUpTo = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${result(index + 1).json}\n`).join("");

async function resume(file: string, mostDead?: number): Promise<{ output: OrderedFile; damaged: number }> {
  return OrderedFile.resume(file, () => undefined, { ...options, mostDead });
}

describe("results in a file", () => {
  it("stand in the order of the input, whatever order they come in", async () => {
    await assert(
      asyncProperty(
        shuffledSubarray(
          Array.from({ length: 40 }, (_, index) => index + 1),
          { minLength: 40 },
        ),
        constantFrom(undefined, 500),
        async (numbers, mostDead) => {
          const file = newFile();
          const output = await OrderedFile.create(file, ASKED, { ...options, mostDead });
          await Promise.all(numbers.map((number) => output.put(result(number))));
          await output.finish();
          expect(await readFile(file, "utf8")).toBe(jsonUpTo(40));
          await expect(stat(journalOf(file))).rejects.toThrow("ENOENT");
        },
      ),
      { numRuns: 30 },
    );
  });

  it("are all there after an end at any byte of the journal, each once, and the rest is known to be missing", async () => {
    await assert(
      asyncProperty(
        shuffledSubarray(
          Array.from({ length: 12 }, (_, index) => index + 1),
          { minLength: 1 },
        ),
        nat(),
        nat(),
        async (numbers, cutAt, outputCutAt) => {
          const file = newFile();
          const output = await OrderedFile.create(file, ASKED, options);
          const { size: begin } = await stat(journalOf(file));
          const ends: number[] = [];
          for (const number of numbers) {
            await output.put(result(number));
            ends.push((await stat(journalOf(file))).size);
          }
          await output.close();
          // As if the power had gone: of both files only a part has reached the disk.
          const kept = begin + (cutAt % ((ends.at(-1) ?? begin) - begin + 1));
          await truncate(journalOf(file), kept);
          await truncate(file, outputCutAt % ((await stat(file)).size + 1));
          const whole = numbers.filter((_, index) => (ends[index] ?? 0) <= kept);

          const resumed = await resume(file);
          expect(resumed.damaged).toBe(0);
          const has = numbers.filter((number) => resumed.output.has(number));
          expect(has).toEqual(whole);
          expect(resumed.output.tally).toMatchObject({
            lines: whole.length,
            outputTokens: whole.reduce((sum, number) => sum + number, 0),
          });
          for (let number = 1; number <= 12; number += 1)
            if (!resumed.output.has(number)) await resumed.output.put(result(number));
          await resumed.output.finish();
          expect(await readFile(file, "utf8")).toBe(jsonUpTo(12));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("leave no file where no line is done, however often that goes on, and all where lines have failed", async () => {
    const killed = newFile();
    const first = await OrderedFile.create(killed, ASKED, options);
    await (await resume(killed)).output.close();
    expect(readdirSync(path.dirname(killed)).filter((name) => name.startsWith("out"))).toEqual([]);
    await first.close();
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, options);
    await output.put(result(1, { outcome: "throttled" }));
    await output.finish();
    const again = await OrderedFile.resume(file, () => undefined, { ...options, retriesFailed: true });
    expect(again.output.tally.lines).toBe(0);
    await again.output.close();
    expect(existsSync(journalOf(file))).toBe(true);
    expect(readFileSync(file, "utf8")).toBe(jsonUpTo(1));
  });

  it("are asked for again where one is damaged in the middle of the journal, and those behind it are not", async () => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, options);
    for (const number of [1, 2, 3, 4]) await output.put(result(number));
    await output.close();
    const bytes = await readFile(journalOf(file));
    const at = bytes.indexOf('{"recordId":"2"}');
    bytes.write("X", at + 3);
    await writeFile(journalOf(file), bytes);

    const resumed = await resume(file);
    expect(resumed.damaged).toBe(1);
    expect([1, 2, 3, 4].filter((number) => resumed.output.has(number))).toEqual([1, 3, 4]);
    await resumed.output.put(result(2));
    await resumed.output.close();
    const again = await resume(file);
    expect(again.damaged).toBe(1);
    expect(again.output.tally.lines).toBe(4);
    await again.output.finish();
    expect(readFileSync(file, "utf8")).toBe(jsonUpTo(4));
  });

  it.each([
    ["an empty journal", async (file: string) => truncate(journalOf(file), 0)],
    ["another file in its place", async (file: string) => writeFile(journalOf(file), '{"a":1}\n')],
    [
      "a header that is damaged",
      async (file: string) => {
        const handle = await open(journalOf(file), "r+");
        await handle.write("?", 20);
        await handle.close();
      },
    ],
  ])("are not gone on with after %s", async (_, damage) => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, options);
    await output.put(result(1));
    await output.close();
    await damage(file);
    await expect(resume(file)).rejects.toMatchObject({
      code: "internal",
      hint: expect.stringContaining("--overwrite"),
    });
  });

  it("are not gone on with where somebody has changed what is on the disk for good", async () => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, { ...options, mostDead: 1 });
    for (const number of [1, 2, 3]) await output.put(result(number));
    await output.close();
    const whole = await readFile(file, "utf8");
    await writeFile(file, whole.slice(0, 5));
    await expect(resume(file)).rejects.toMatchObject({
      message: expect.stringContaining("somebody has changed it"),
    });
    await writeFile(file, whole.replaceAll("\n", " "));
    await expect(resume(file)).rejects.toMatchObject({
      message: expect.stringContaining("somebody has changed it"),
    });
    await writeFile(file, whole);
    // What was added behind is not of the run.
    await appendFile(file, "half a li");
    const resumed = await resume(file);
    await resumed.output.finish();
    expect(await readFile(file, "utf8")).toBe(whole);
  });

  it("take the room of the output once, and little more", async () => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, { ...options, mostDead: 10_000 });
    const json = JSON.stringify({ recordId: "x", text: "y".repeat(900) });
    let most = 0;
    for (let number = 1; number <= 300; number += 1) {
      await output.put(result(number % 2 === 0 ? number - 1 : number + 1, { json }));
      most = Math.max(most, (await stat(journalOf(file))).size);
    }
    expect(most).toBeLessThan(15_000);
    await output.close();
    const resumed = await resume(file);
    expect(resumed.output.before).toBe(300);
    expect(resumed.output.tally.outputTokens).toBe((300 * 301) / 2);
    await resumed.output.finish();
    expect((await stat(file)).size).toBe(300 * (json.length + 1));
  });

  it("are read again whatever their lengths are, and wait on for the first that is missing", async () => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, options);
    const kilobytes = [1, 1, 700, 900, 3000, 1, 1024, 2048, 1, 5000, 300];
    const all = [0.1, ...kilobytes, ...kilobytes].map((size, index) =>
      result(index + 1, { json: JSON.stringify(`${index}`.padEnd(size * 1024, "é")), usd: 1e-7 }),
    );
    const [first, ...others] = all;
    await Promise.all(others.toReversed().map((other) => output.put(other)));
    await output.close();
    expect((await stat(file)).size).toBe(0);
    const resumed = await resume(file);
    expect(resumed).toMatchObject({ damaged: 0, output: { before: others.length } });
    if (first) await resumed.output.put(first);
    await resumed.output.finish();
    expect(resumed.output.tally.usd).toBeCloseTo(all.length * 1e-7, 12);
    expect(await readFile(file, "utf8")).toBe(all.map(({ json }) => `${json}\n`).join(""));
  });

  it.each([false, true])(
    "leave nothing where there are none, and keep a file that was there (%s)",
    async (isThere) => {
      const file = newFile();
      if (isThere) await writeFile(file, "");
      await (await OrderedFile.create(file, ASKED, options)).close();
      expect([existsSync(file), existsSync(`${file}.journal`)]).toEqual([isThere, false]);
    },
  );

  it("of another run are told apart by what was asked for", async () => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, options);
    await output.put(result(1));
    await output.close();
    const check = (asked: unknown): void => {
      throw new Error(JSON.stringify(asked));
    };
    await expect(OrderedFile.resume(file, check, options)).rejects.toThrow(JSON.stringify(ASKED));
  });

  it("wait while the disk is full, and go on with the rest of what was half written", async () => {
    // Nothing fits into it, however long one waits: so patience comes to its end.
    let waits = 0;
    const impatience = {
      wait: async (code: string): Promise<void> => {
        waits += 1;
        if (waits > 2) throw new Error(`gave up: ${code}`);
      },
      over: () => undefined,
    };
    const full = await open("/dev/full", "w");
    await expect(writePatiently(full, Buffer.from("abc"), 0, impatience)).rejects.toThrow("gave up: ENOSPC");
    await full.close();
    expect(waits).toBe(3);
  });

  it.each([
    ["ENOSPC", "waits"],
    ["EDQUOT", "waits"],
    ["EFBIG", "the file would be larger than this process may write"],
    ["EROFS", "the file system is read-only"],
    ["EIO", "the disk reports an error"],
    ["EBADF", "EBADF"],
  ])("after %s: %s", async (code, expected) => {
    const failure = Object.assign(new Error(code), { code });
    const handle = { write: () => Promise.reject(failure) };
    const waiting = { ...patience, wait: () => Promise.reject(new Error("waits")) };
    await expect(writePatiently(handle, Buffer.from("a"), 0, waiting)).rejects.toThrow(expected);
  });

  it("are not put any more once one could not be written, and say why", async () => {
    const file = newFile();
    const output = await OrderedFile.create(file, ASKED, options);
    await output.put(result(1));
    // As if the descriptor went bad.
    await output.close();
    await expect(output.put(result(2))).rejects.toThrow();
    await expect(output.put(result(3))).rejects.toThrow();
    await expect(output.roomFor(4)).rejects.toThrow();
  });
});

describe("results that failed", () => {
  const COUNT = 12;
  const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);
  const failed = (number: number, tries = 1): LineResult =>
    result(number, { outcome: "throttled", json: `{"recordId":"${number}","error":"try ${tries}"}` });
  const retry = async (file: string, mostDead?: number): Promise<OrderedFile> =>
    (await OrderedFile.resume(file, () => undefined, { ...options, mostDead, retriesFailed: true })).output;

  /** A run that has ended, with some lines without an answer. */
  async function ended(file: string, failing: readonly number[]): Promise<void> {
    const output = await OrderedFile.create(file, ASKED, options);
    for (const number of numbers)
      await output.put(failing.includes(number) ? failed(number) : result(number));
    await output.finish();
  }

  it("are asked for again, and no answer is, wherever the run is killed under way", async () => {
    await assert(
      asyncProperty(
        shuffledSubarray(numbers, { minLength: 1 }),
        shuffledSubarray(numbers),
        // What comes of each when it is asked again, until the run is killed, and how much of the journal is lost then.
        array(record({ isAnswered: boolean(), isKilled: boolean(), lost: nat({ max: 60 }) }), {
          maxLength: 12,
        }),
        constantFrom(undefined, 300),
        boolean(),
        async (failing, done, steps, mostDead, hasEnded) => {
          const file = newFile();
          if (hasEnded) await ended(file, failing);
          else {
            const output = await OrderedFile.create(file, ASKED, { ...options, mostDead });
            for (const number of done)
              await output.put(failing.includes(number) ? failed(number) : result(number));
            await output.close();
          }
          const answered = new Set((hasEnded ? numbers : done).filter((number) => !failing.includes(number)));
          const resumed = async (): Promise<OrderedFile> => {
            const again = await retry(file, mostDead);
            expect(new Set(numbers.filter((number) => again.has(number)))).toEqual(answered);
            expect(again.before).toBe(answered.size);
            return again;
          };
          let output =
            hasEnded || done.length > 0 ? await resumed() : await OrderedFile.create(file, ASKED, options);
          for (const { isAnswered, isKilled, lost } of steps) {
            const number = numbers.find((one) => !output.has(one));
            if (number === undefined) break;
            const { size } = await stat(journalOf(file));
            await output.put(isAnswered ? result(number) : failed(number, 2));
            if (isAnswered) answered.add(number);
            if (!isKilled) continue;
            await output.close();
            const { size: now } = await stat(journalOf(file));
            // As if the power had gone before the last of them was on the disk.
            if (mostDead === undefined && lost > 0) {
              await truncate(journalOf(file), Math.max(size, now - lost));
              answered.delete(number);
            }
            output = existsSync(journalOf(file))
              ? await resumed()
              : await OrderedFile.create(file, ASKED, options);
          }
          for (const number of numbers) if (!output.has(number)) await output.put(result(number));
          const { tally } = output;
          expect(tally.lines).toBe(COUNT);
          expect(tally.outputTokens).toBeGreaterThanOrEqual((COUNT * (COUNT + 1)) / 2);
          await output.finish();
          if (failedLines(tally) > 0) {
            const last = await retry(file);
            expect(last.before).toBe(COUNT - failedLines(tally));
            for (const number of numbers) if (!last.has(number)) await last.put(result(number));
            await last.finish();
          }
          expect(await readFile(file, "utf8")).toBe(jsonUpTo(COUNT));
          expect(existsSync(journalOf(file))).toBe(false);
          expect(existsSync(mergedOf(file))).toBe(false);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("are told as they are where nobody asks for them again, and what they used counts on where somebody does", async () => {
    const file = newFile();
    await ended(file, [2, 5]);
    const same = await resume(file);
    expect(same.output.tally).toMatchObject({ lines: COUNT, failed: { throttled: 2 } });
    await same.output.finish();
    const output = await retry(file);
    expect(output.before).toBe(COUNT - 2);
    expect(output.tally).toMatchObject({ lines: COUNT - 2, failed: {}, inputTokens: COUNT * 10 });
    await output.put(result(5));
    await output.put(failed(2, 2));
    expect(output.tally).toMatchObject({
      lines: COUNT,
      failed: { throttled: 1 },
      inputTokens: (COUNT + 2) * 10,
    });
    await output.finish();
    const whole = jsonUpTo(COUNT).replace(result(2).json, failed(2, 2).json);
    expect(await readFile(file, "utf8")).toBe(whole);
    const last = await resume(file);
    expect(last.output.tally).toEqual(output.tally);
    await last.output.close();
  });

  it.each(["before", "after"])(
    "stand in their places where the run is killed %s the new output is put in that of the old one",
    async (moment) => {
      const file = newFile();
      await ended(file, [3]);
      await copyFile(file, `${file}.old`);
      const output = await retry(file);
      await output.put(failed(3, 2));
      await output.finish();
      const merged = await readFile(file, "utf8");
      // As it was between the two steps.
      const { journal, header } = await Journal.open(journalOf(file), patience);
      const notes = [];
      for await (const some of journal.replay()) notes.push(...some);
      await journal.compact({ ...header, isMerged: true }, notes);
      await journal.close();
      if (moment === "before") {
        await rename(file, mergedOf(file));
        await rename(`${file}.old`, file);
      }
      const again = await retry(file);
      expect(await readFile(file, "utf8")).toBe(merged);
      expect(numbers.filter((number) => !again.has(number))).toEqual([3]);
      await again.close();
      // What was begun later and is not whole is not taken for it.
      await writeFile(mergedOf(file), "half");
      const last = await retry(file);
      await last.put(result(3));
      await last.finish();
      expect(await readFile(file, "utf8")).toBe(jsonUpTo(COUNT));
    },
  );
});

describe("results at stdout", () => {
  it("come in order as soon as all before them are there", async () => {
    const written: string[] = [];
    const output = new OrderedStream(async (text) => void written.push(text));
    await output.put(result(2));
    expect(written).toEqual([]);
    await output.put(result(1));
    expect(written.join("")).toBe(jsonUpTo(2));
    await Promise.all([5, 4, 3].map((number) => output.put(result(number))));
    await output.finish();
    expect(written.join("")).toBe(jsonUpTo(5));
    expect(output.tally.lines).toBe(5);
  });
});
