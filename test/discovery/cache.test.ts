import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { accessFile, formatAccess, readAccess } from "../../src/discovery/access.ts";
import { cacheFile, readCache } from "../../src/discovery/cache.ts";
import { mayShare, sharedFailure, shareFailure, writeCache } from "../../src/discovery/cache-write.ts";
import type { Discovered } from "../../src/models/discovered.ts";
import { OpenclawError } from "../../src/errors.ts";

const DAY = 24 * 3600 * 1000;
const NOW = Date.now();

function createFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "openclaw-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(path.join(folder, "cache"));
  return folder;
}

const discovered: Discovered = {
  region: "us-east-1",
  fetchedAt: NOW,
  models: [
    {
      id: "a.b",
      arn: "arn:aws:bedrock:us-east-1::foundation-model/a.b",
      name: "B",
      provider: "A",
      input: ["TEXT"],
      output: ["TEXT"],
      streams: true,
      inferenceTypes: undefined,
      lifecycle: "LEGACY",
      endOfLife: "2027-01-01T00:00:00.000Z",
    },
  ],
  profiles: [
    {
      id: "us.a.b",
      arn: "arn",
      name: "US B",
      isActive: true,
      isApplication: false,
      modelArns: [],
      description: "x",
    },
  ],
  warnings: [],
};

/** Another entry of the cache, last written so long ago. */
function addEntry(state: string, name: string, age: number): void {
  const file = path.join(state, "cache", name);
  writeFileSync(file, "{}");
  utimesSync(file, (NOW - age) / 1000, (NOW - age) / 1000);
}

it("reads what was written", async () => {
  const state = createFolder();
  const file = cacheFile(state, { region: "us-east-1", endpoint: undefined, fingerprint: "f" });
  await writeCache(file, discovered);
  expect(await readCache(file)).toEqual(JSON.parse(JSON.stringify(discovered)));
});

it("drops entries that nobody has used for a month, with what was left beside them, and nothing else", async () => {
  const state = createFolder();
  const file = cacheFile(state, { region: "us-east-1", endpoint: undefined, fingerprint: "f" });
  addEntry(state, "models-old.json", 31 * DAY);
  addEntry(state, "models-old.access.json", 31 * DAY);
  addEntry(state, ".models-old.json.4711", 31 * DAY);
  addEntry(state, "models-young.json", 29 * DAY);
  addEntry(state, "something-else.json", 400 * DAY);
  symlinkSync("1 2 host token", path.join(state, "cache", "models-young.json.lock"));
  await writeCache(file, discovered);
  expect(readdirSync(path.join(state, "cache")).sort()).toEqual(
    [path.basename(file), "models-young.json", "models-young.json.lock", "something-else.json"].sort(),
  );
});

it("keeps fifty entries of other identities, the latest ones, and those of the last hour", async () => {
  const state = createFolder();
  const file = cacheFile(state, { region: "us-east-1", endpoint: undefined, fingerprint: "f" });
  for (let index = 0; index < 60; index += 1) addEntry(state, `models-${index}.json`, 2 * DAY + index * 1000);
  for (let index = 0; index < 10; index += 1) addEntry(state, `models-new-${index}.json`, 1000);
  await writeCache(file, discovered);
  const names = readdirSync(path.join(state, "cache"));
  expect(names).toHaveLength(51);
  expect(names).toContain("models-39.json");
  expect(names).not.toContain("models-40.json");
  expect(names.filter((name) => name.startsWith("models-new-"))).toHaveLength(10);
});

it("keys by region, endpoint and fingerprint", () => {
  const key = { region: "us-east-1", endpoint: undefined, fingerprint: "f" };
  const files = [
    key,
    { ...key, region: "eu-west-1" },
    { ...key, endpoint: "http://127.0.0.1:1" },
    { ...key, fingerprint: "g" },
  ].map((each) => cacheFile("/state", each));
  expect(new Set(files).size).toBe(4);
});

it.each([
  ["another form", { form: 1, ...discovered }],
  ["a date that is none", { form: 2, ...discovered, models: [{ ...discovered.models[0], endOfLife: 5 }] }],
  ["a list that is none", { form: 2, ...discovered, profiles: {} }],
  ["a bare null", null],
])("ignores %s", async (_, entry) => {
  const file = path.join(createFolder(), "entry.json");
  writeFileSync(file, JSON.stringify(entry));
  expect(await readCache(file)).toBeUndefined();
});

it("ignores answers about access that are not whole", async () => {
  const file = accessFile(path.join(createFolder(), "models-x.json"));
  expect(await readAccess(file)).toEqual(new Map());
  const answer = {
    fetchedAt: NOW,
    availability: { region: "AVAILABLE" },
    form: "sent" as const,
    retention: "default",
  };
  writeFileSync(file, formatAccess(new Map([["a.b", answer]])));
  expect(await readAccess(file)).toEqual(new Map([["a.b", answer]]));
  writeFileSync(file, JSON.stringify({ form: 2, answers: { "a.b": answer, "c.d": { fetchedAt: NOW } } }));
  expect([...(await readAccess(file)).keys()]).toEqual(["a.b"]);
  writeFileSync(file, formatAccess(new Map([["a.b", answer]])).slice(0, -3));
  expect(await readAccess(file)).toEqual(new Map());
});

it("shares a failure with those who waited for it, and a new list ends it", async () => {
  const file = path.join(createFolder(), "cache", "models-x.json");
  const error = new OpenclawError("throttled", { message: "Too many.", hint: "Wait.", requestId: "r" });
  await shareFailure(file, error, NOW);
  expect(await sharedFailure(file, NOW - 1, NOW)).toMatchObject({
    code: "throttled",
    message: "Too many.",
    hint: "Wait.",
    requestId: "r",
    exitCode: 5,
  });
  expect(await sharedFailure(file, NOW + 1, NOW + 2)).toBeUndefined();
  // The clock was set back.
  expect(await sharedFailure(file, NOW - 3, NOW - 2)).toBeUndefined();
  await writeCache(file, discovered);
  expect(await sharedFailure(file, NOW - 1, NOW)).toBeUndefined();
});

it("takes no failure from a file that holds none", async () => {
  const file = path.join(createFolder(), "models-x.json");
  for (const text of [
    "",
    "null",
    "{}",
    `{"at":${NOW},"error":{"code":"no-such-code","message":"m","exitCode":5}}`,
  ]) {
    writeFileSync(`${file}.failed`, text);
    expect(await sharedFailure(file, 0, NOW)).toBeUndefined();
  }
});

it.each([
  [new OpenclawError("network", { message: "m" }), true],
  [new OpenclawError("interrupted", { message: "m" }), false],
  // Another process may have a person who types the MFA code.
  [new OpenclawError("no-credentials", { message: "m" }), false],
  [new TypeError("a bug"), false],
])("may share %s: %s", (error, expected) => {
  expect(mayShare(error)).toBe(expected);
});
