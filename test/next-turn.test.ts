import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import {
  atOnce,
  bytesInTurns,
  inSteps,
  inTurns,
  type Steps,
  TURN_BYTES,
  turnOver,
  whenTime,
} from "../src/next-turn.ts";

/** Work of so many ms. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Something to read at any moment. */
async function* endless(): AsyncGenerator<number> {
  for (let count = 0; ; count += 1) yield count;
}

describe("turns of the event loop", () => {
  it("is shared by as many as have time in it, so that a thousand do not wait for a thousand turns", async () => {
    await wait(5);
    expect(turnOver()).toBeUndefined();
    work(15);
    const order: number[] = [];
    const waiting = Array.from({ length: 1000 }, async (_, index) => {
      await turnOver();
      order.push(index);
    });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    await Promise.all(waiting);
    clearImmediate(counting);
    expect(order).toEqual(Array.from(order.keys()));
    expect(turns).toBeLessThan(50);
  });

  it("has work that stops in between done step by step, or at once", async () => {
    let done = 0;
    function* steps(): Steps<string> {
      for (; done < 40; done += 1) {
        work(1);
        yield;
      }
      return "made";
    }
    const seen: number[] = [];
    const look = (): void => {
      seen.push(done);
      looking = setImmediate(look);
    };
    let looking = setImmediate(look);
    expect(await inSteps(steps())).toBe("made");
    clearImmediate(looking);
    expect(new Set(seen).size).toBeGreaterThanOrEqual(3);
    done = 0;
    expect(atOnce(steps())).toBe("made");
    expect(done).toBe(40);
  });

  it("has a long text made bytes in pieces, none of which ends within a character", async () => {
    const text = "a👩".repeat(TURN_BYTES);
    const from = vi.spyOn(Buffer, "from");
    const bytes = await bytesInTurns(text);
    const lengths = from.mock.calls.map(([piece]) => (piece as unknown as string).length);
    from.mockRestore();
    expect(bytes.equals(Buffer.from(text))).toBe(true);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(TURN_BYTES + 1);
    expect((await bytesInTurns("")).length).toBe(0);
  });

  it("has thousands of timers that are due together work bit by bit", async () => {
    let done = 0;
    const all = Array.from(
      { length: 200 },
      () =>
        new Promise<void>((resolve) => {
          setTimeout(whenTime, 20, () => {
            work(1);
            done += 1;
            resolve();
          });
        }),
    );
    let [before, most] = [0, 0];
    const look = (): void => {
      most = Math.max(most, done - before);
      before = done;
      looking = setImmediate(look);
    };
    let looking = setImmediate(look);
    await Promise.all(all);
    clearImmediate(looking);
    expect(most).toBeLessThan(40);
  });

  it("leaves a turn alone that has time left", async () => {
    await wait(5);
    expect(turnOver()).toBeUndefined();
    expect(turnOver()).toBeUndefined();
  });

  it("lets timers and others in while there is always something to read", async () => {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
    }, 30);
    const since = performance.now();
    for await (const count of inTurns(endless())) {
      expect(count).toBeGreaterThanOrEqual(0);
      if (isOver || performance.now() - since > 5000) break;
      work(1);
    }
    clearTimeout(timer);
    expect(isOver).toBe(true);
  });

  it("has the turns of many readers one by one, and none of them left out", async () => {
    const READERS = 20;
    const read = Array.from({ length: READERS }, () => 0);
    let isOver = false;
    const longest = { ms: 0 };
    let since = performance.now();
    const clock = setInterval(() => {
      longest.ms = Math.max(longest.ms, performance.now() - since);
      since = performance.now();
    }, 1);
    const readers = read.map(async (_, reader) => {
      for await (const count of inTurns(endless())) {
        read[reader] = count;
        if (isOver) break;
        // Each part is a turn's work: all of them at once would be 400 ms.
        work(20);
      }
    });
    // They begin all together, before anybody has used up the turn.
    await wait(600);
    longest.ms = 0;
    await wait(1000);
    isOver = true;
    await Promise.all(readers);
    clearInterval(clock);
    expect(Math.min(...read)).toBeGreaterThan(0);
    expect(Math.max(...read) - Math.min(...read)).toBeLessThanOrEqual(2);
    expect(longest.ms).toBeLessThan(200);
  });

  it("closes what it reads when its reader leaves, and hands on what that throws", async () => {
    let isClosed = false;
    const source = async function* (): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        isClosed = true;
      }
    };
    for await (const count of inTurns(source())) if (count === 1) break;
    expect(isClosed).toBe(true);
    const broken = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error("broken");
    };
    const got: number[] = [];
    await expect(
      (async () => {
        for await (const count of inTurns(broken())) got.push(count);
      })(),
    ).rejects.toThrow("broken");
    expect(got).toEqual([1]);
  });
});
