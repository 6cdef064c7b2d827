import { describe, expect, it } from "vitest";
import { untilStopped } from "../../../src/chat/interactive/until-stopped.ts";

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("what arrives until it is stopped", () => {
  const reason = new Error("stopped");

  it("is everything when nobody stops it", async () => {
    async function* three() {
      yield* [1, 2, 3];
    }
    expect(await collect(untilStopped(three(), new AbortController().signal))).toEqual([1, 2, 3]);
  });

  it("throws what goes wrong with it", async () => {
    async function* failing() {
      yield 1;
      throw new Error("broken");
    }
    await expect(collect(untilStopped(failing(), new AbortController().signal))).rejects.toThrow("broken");
  });

  it("ends with the reason, also when what brings it never does", async () => {
    const stop = new AbortController();
    async function* hanging() {
      yield 1;
      stop.abort(reason);
      await new Promise(() => undefined);
    }
    const seen: number[] = [];
    const all = async (): Promise<void> => {
      for await (const event of untilStopped(hanging(), stop.signal)) seen.push(event);
    };
    await expect(all()).rejects.toBe(reason);
    expect(seen).toEqual([1]);
  });

  it("ends with its own error when that comes in time", async () => {
    const stop = new AbortController();
    async function* orderly() {
      yield 1;
      stop.abort(reason);
      throw new Error("ended by itself");
    }
    await expect(collect(untilStopped(orderly(), stop.signal))).rejects.toThrow("ended by itself");
  });
});
