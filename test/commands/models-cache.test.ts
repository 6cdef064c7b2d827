import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/emulator/emulator.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import type { Result, RunOptions } from "../helpers/openclaw.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { isThorough } from "../helpers/thorough.ts";

const CROWD = isThorough ? 50 : 16;

interface Document {
  source: string;
  count: number;
  models: { id: string }[];
  warnings: { code: string }[];
  error?: { code: string; message: string };
}

const documentOf = ({ stdout }: Result): Document => JSON.parse(stdout) as Document;

async function sourceOf(emulated: Emulated, options: RunOptions, args: string[] = []): Promise<string> {
  return documentOf(await emulated.run(["models", "list", "--json", ...args], options)).source;
}

const throttled: ScriptedAnswer = {
  error: { name: "ThrottlingException", message: "Rate exceeded", status: 429 },
};

/** Starts the command many times at once; `allWait` resolves when each has come to the point of asking AWS. */
function startTogether(emulated: Emulated, count: number, env: Record<string, string | undefined> = {}) {
  const waiting: Promise<void>[] = [];
  const results = Array.from({ length: count }, async (): Promise<Result> => {
    const child = emulated.start(["models", "list", "--json", "--refresh", "--verbose"], { env });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8");
    waiting.push(
      new Promise((resolve) => {
        child.stderr.on("data", (text: string) => {
          stderr += text;
          // The last line before the lock of the cache.
          if (stderr.includes("openclaw: region ")) resolve();
        });
      }),
    );
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  });
  return { allWait: Promise.all(waiting), results: Promise.all(results) };
}

describe("processes that want the list at once", () => {
  it(`make one set of calls, ${CROWD} of them`, async () => {
    const emulated = await emulate();
    const results = await Promise.all(
      Array.from({ length: CROWD }, () => emulated.run(["models", "list", "--json"], { isAlone: true })),
    );
    expect(results.filter(({ code }) => code !== 0)).toEqual([]);
    expect(new Set(results.map((result) => documentOf(result).count)).size).toBe(1);
    const sources = results.map((result) => documentOf(result).source);
    expect(sources.filter((source) => source === "network")).toHaveLength(1);
    expect(sources.filter((source) => source === "cache")).toHaveLength(CROWD - 1);
    expect(emulated.routes().filter((route) => route === "ListFoundationModels")).toHaveLength(1);
  }, 120_000);

  it("share one failed refresh, and each prints the older list", async () => {
    let failure: ScriptedAnswer | undefined;
    const emulated = await emulate({
      script: ({ route }) => (route === "ListFoundationModels" ? failure : undefined),
    });
    await emulated.run(["models", "list"]);
    const calls = emulated.emulator.calls.length;
    let release: () => void = () => undefined;
    failure = { ...throttled, after: new Promise<void>((resolve) => (release = resolve)) };
    const { allWait, results } = startTogether(emulated, isThorough ? 20 : 8, { AWS_MAX_ATTEMPTS: "1" });
    await allWait;
    release();
    for (const result of await results) {
      expect(result.code, result.stderr).toBe(0);
      expect(documentOf(result)).toMatchObject({ source: "stale", warnings: [{ code: "throttled" }] });
    }
    const asked = emulated.routes().slice(calls);
    expect(asked.filter((route) => route === "ListFoundationModels")).toHaveLength(1);
  }, 120_000);

  it("share a list that lacks the profiles, which is not kept", async () => {
    let answer: ScriptedAnswer | undefined;
    const emulated = await emulate({
      script: ({ route }) => (route === "ListInferenceProfiles" ? answer : undefined),
    });
    let release: () => void = () => undefined;
    answer = { ...throttled, after: new Promise<void>((resolve) => (release = resolve)) };
    const { allWait, results } = startTogether(emulated, 10, { AWS_MAX_ATTEMPTS: "1" });
    await allWait;
    release();
    for (const result of await results) {
      expect(result.code, result.stderr).toBe(0);
      expect(documentOf(result)).toMatchObject({ warnings: [{ code: "throttled" }] });
    }
    const count = (): number => emulated.routes().filter((route) => route === "ListFoundationModels").length;
    expect(count()).toBe(1);
    answer = undefined;
    expect(documentOf(await emulated.run(["models", "list", "--json"]))).toMatchObject({
      source: "network",
      warnings: [],
    });
    expect(count()).toBe(2);
  }, 120_000);

  it("wait for an AWS that cannot be reached once, not once each", async () => {
    const emulated = await emulate();
    const env = { AWS_ENDPOINT_URL: await blackHole(), AWS_MAX_ATTEMPTS: "1" };
    const alone = performance.now();
    await emulated.run(["models", "list", "--json"], { env });
    const once = performance.now() - alone;
    const together = performance.now();
    const results = await startTogether(emulated, 12, env).results;
    for (const result of results) {
      expect(result.code).toBe(5);
      expect(documentOf(result).error?.code).toMatch(/^(network|timeout)$/);
    }
    // One after the other they would take twelve times as long.
    expect(performance.now() - together).toBeLessThan(6 * once);
  }, 120_000);

  it("ask again themselves when the failure was before their time", async () => {
    let isThrottled = true;
    const emulated = await emulate({ script: () => (isThrottled ? throttled : undefined) });
    const env = { AWS_MAX_ATTEMPTS: "1" };
    expect((await emulated.run(["models", "list", "--json"], { env })).code).toBe(5);
    isThrottled = false;
    expect(await sourceOf(emulated, { env })).toBe("network");
  });
});

describe("two accounts never see each other's list", () => {
  it("by bearer token", async () => {
    const emulated = await emulate({ bearerTokens: ["ABSKtoken-of-another-account"] });
    const token = (value: string): RunOptions => ({
      env: {
        AWS_BEARER_TOKEN_BEDROCK: value,
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
      },
    });
    const { bearerToken } = emulated.emulator;
    expect(await sourceOf(emulated, token(bearerToken))).toBe("network");
    expect(await sourceOf(emulated, token("ABSKtoken-of-another-account"))).toBe("network");
    expect(await sourceOf(emulated, token(bearerToken))).toBe("cache");
  });

  it("by profile, and by what the profile says", async () => {
    const emulated = await emulate({ accessKeys: { AKIAOTHERACCOUNT00001: { secretAccessKey: "other" } } });
    const { accessKeyId, secretAccessKey } = emulated.emulator;
    const section = (name: string, id: string, secret: string): string =>
      `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
    const one = section("one", accessKeyId, secretAccessKey);
    writeSharedFiles(emulated.home, { credentials: one + section("two", accessKeyId, secretAccessKey) });
    const nothing = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const as = (profile: string) => sourceOf(emulated, { env: nothing }, ["--profile", profile]);
    expect(await as("one")).toBe("network");
    expect(await as("two")).toBe("network");
    expect(await as("one")).toBe("cache");
    // The same name now stands for another account.
    writeSharedFiles(emulated.home, { credentials: section("one", "AKIAOTHERACCOUNT00001", "other") });
    expect(await as("one")).toBe("network");
  });

  it("and nothing secret is kept, also not of a failure", async () => {
    const emulated = await emulate({
      accessKeys: {
        ASIATEMPORARY00000001: { secretAccessKey: "temporary-secret", sessionToken: "session-token" },
      },
      script: ({ accessKeyId }) => (accessKeyId === "ASIATEMPORARY00000001" ? throttled : undefined),
    });
    const { bearerToken, secretAccessKey } = emulated.emulator;
    await emulated.run(["models", "list", "--access"]);
    await emulated.run(["models", "list"], { env: { AWS_BEARER_TOKEN_BEDROCK: bearerToken } });
    const failing = {
      AWS_ACCESS_KEY_ID: "ASIATEMPORARY00000001",
      AWS_SECRET_ACCESS_KEY: "temporary-secret",
      AWS_SESSION_TOKEN: "session-token",
      AWS_MAX_ATTEMPTS: "1",
    };
    expect((await emulated.run(["models", "list"], { env: failing })).code).toBe(5);
    const folder = path.join(emulated.home, ".openclaw", "cache");
    const names = readdirSync(folder).filter((name) => name.startsWith("models-"));
    expect(names.some((name) => name.endsWith(".failed"))).toBe(true);
    expect(names.some((name) => name.endsWith(".access.json"))).toBe(true);
    const kept = names.map((name) => readFileSync(path.join(folder, name), "utf8")).join("\n");
    for (const secret of [secretAccessKey, bearerToken, "temporary-secret", "session-token"])
      expect(kept).not.toContain(secret);
  });
});
