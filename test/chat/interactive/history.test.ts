import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { forgetfulHistory, openHistory } from "../../../src/chat/interactive/history.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

function fileIn(home: string): string {
  mkdirSync(path.join(home, ".openclaw"), { recursive: true });
  return path.join(home, ".openclaw", "chat-history.jsonl");
}

describe("the history of what was typed", () => {
  it("has entries of several lines, and the same one after itself once", async () => {
    const runtime = testRuntime({ home: createHome() });
    const history = await openHistory(runtime);
    for (const entry of ["one\ntwo", "one\ntwo", "three"]) await history.add(entry);
    expect(history.entries).toEqual(["one\ntwo", "three"]);
    expect((await openHistory(runtime)).entries).toEqual(["one\ntwo", "three"]);
  });

  it("has what two sessions at once wrote", async () => {
    const runtime = testRuntime({ home: createHome() });
    const [left, right] = [await openHistory(runtime), await openHistory(runtime)];
    await Promise.all([left.add("left"), right.add("right")]);
    expect([...(await openHistory(runtime)).entries].sort()).toEqual(["left", "right"]);
  });

  it("is cut down to a thousand entries when it holds more than two thousand", async () => {
    const runtime = testRuntime({ home: createHome() });
    const file = fileIn(runtime.homeFolder);
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, index) => `"${index}"\n`).join("");
    writeFileSync(file, lines(2000));
    expect((await openHistory(runtime)).entries).toHaveLength(1000);
    expect(readFileSync(file, "utf8")).toBe(lines(2000));
    writeFileSync(file, lines(2001));
    const { entries } = await openHistory(runtime);
    expect([entries[0], entries.at(-1), entries.length]).toEqual(["1001", "2000", 1000]);
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(1001);
  });

  it("goes without lines that are cut off or of another kind", async () => {
    const runtime = testRuntime({ home: createHome() });
    writeFileSync(fileIn(runtime.homeFolder), '"one"\n{"a":1}\n\n"two"\n"thr');
    expect((await openHistory(runtime)).entries).toEqual(["one", "two"]);
  });

  it("that cannot be read or written costs only itself", async () => {
    const runtime = testRuntime({ home: createHome() });
    mkdirSync(fileIn(runtime.homeFolder));
    const history = await openHistory(runtime);
    await history.add("one");
    expect(history.entries).toEqual(["one"]);
    expect(runtime.stderr()).toBe("");
  });

  it("is not written anywhere where nothing may be", async () => {
    const history = forgetfulHistory();
    for (const entry of ["one", "one", "two"]) await history.add(entry);
    expect(history.entries).toEqual(["one", "two"]);
  });
});
