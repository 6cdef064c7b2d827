import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readServed, servedFile, writeServed } from "../../src/discovery/load-served.ts";
import { serverOf } from "../../src/wires/server.ts";
import { createHome } from "../helpers/openclaw.ts";

const URL = "http://127.0.0.1:9/v1";
const fileFor = (headers: Record<string, string>, name = "local", baseUrl = URL): string =>
  servedFile("/state", serverOf(name, { baseUrl, headers }, {}));

describe("a server's list that was kept", () => {
  it("is read as it was written, and is another for another name, address or header", async () => {
    const file = path.join(createHome(), "list.json");
    const list = { fetchedAt: 5, ids: ["b", "a"] };
    await writeServed(file, list);
    expect(await readServed(file)).toEqual(list);
    const one = fileFor({ a: "1", b: "2" });
    expect(fileFor({ b: "2", a: "1" })).toBe(one);
    expect(
      new Set([
        one,
        fileFor({ a: "1" }),
        fileFor({ a: "1", b: "2" }, "other"),
        fileFor({ a: "1", b: "2" }, "local", `${URL}/more`),
      ]).size,
    ).toBe(4);
    expect(one).not.toContain("local");
  });

  it.each([
    ["missing", undefined],
    ["torn", '{"form":"served-1","fetchedAt":5,"ids":["a"'],
    ["of another form", '{"form":"served-9","fetchedAt":5,"ids":[]}'],
    ["without a time", '{"form":"served-1","ids":[]}'],
    ["without models", '{"form":"served-1","fetchedAt":5,"ids":{}}'],
    ["null", "null"],
  ])("counts as none when it is %s", async (_, text) => {
    const file = path.join(createHome(), "list.json");
    if (text !== undefined) writeFileSync(file, text);
    expect(await readServed(file)).toBeUndefined();
  });

  it("holds ids only", async () => {
    const file = path.join(createHome(), "list.json");
    writeFileSync(file, '{"form":"served-1","fetchedAt":5,"ids":["a",1,null]}');
    expect((await readServed(file))?.ids).toEqual(["a"]);
  });
});
