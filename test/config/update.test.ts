import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import JSON5 from "json5";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleModule } from "../../scripts/bundle-module.js";
import { withLock } from "../../src/disk/lock.ts";
import type { Configuration } from "../../src/config/settings.ts";
import { updateConfig, type Edit } from "../../src/config/update.ts";
import { createRuntime, type Runtime } from "../../src/runtime.ts";
import { createHome, emptyEnvironment } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";
import { isThorough } from "../helpers/thorough.ts";

const WRITERS = isThorough ? 32 : 12;
const KEYS = isThorough ? 20 : 8;
const KILLS = isThorough ? 200 : 32;

const region = (value: string): Edit[] => [
  { op: "set", path: ["models", "bedrockDiscovery", "region"], value },
];
const fileIn = (home: string): string => path.join(home, ".openclaw", "openclaw.json");
const { isProcessAlive } = createRuntime(() => new AbortController().signal);
const runtimeIn = (home: string, more: Partial<Runtime> = {}): Runtime => ({
  ...testRuntime({ home }),
  isProcessAlive,
  ...more,
});

function writeIn(home: string, text: string): string {
  const file = fileIn(home);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

let folder: string;
let writer: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "openclaw-writer-"));
  writer = path.join(folder, "writer-process.mjs");
  await bundleModule(fileURLToPath(new URL("./writer-process.ts", import.meta.url)), writer);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function startWriter(home: string, ...args: (string | number)[]): ChildProcess {
  return spawn(process.execPath, [writer, ...args.map(String)], {
    env: emptyEnvironment(home, { NODE_V8_COVERAGE: undefined }),
    stdio: ["ignore", "pipe", "inherit"],
  });
}

describe("the file", () => {
  test("is made for this user only, with its folders", async () => {
    const home = createHome();
    const { changes } = await updateConfig({}, runtimeIn(home), region("us-east-1"));
    expect(changes).toEqual([
      { path: ["models", "bedrockDiscovery", "region"], previous: undefined, value: "us-east-1" },
    ]);
    expect(statSync(fileIn(home)).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(fileIn(home))).mode & 0o777).toBe(0o700);
    expect(readdirSync(path.dirname(fileIn(home)))).toEqual(["openclaw.json"]);
  });

  test("keeps its mode, and the version before is in .bak with the same mode", async () => {
    const home = createHome();
    const file = writeIn(home, "{ a: 1 } // mine\n");
    chmodSync(file, 0o640);
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readFileSync(`${file}.bak`, "utf8")).toBe("{ a: 1 } // mine\n");
    expect(statSync(`${file}.bak`).mode & 0o777).toBe(0o640);
    await updateConfig({}, runtimeIn(home), region("eu-west-1"));
    expect(readFileSync(`${file}.bak`, "utf8")).toContain("us-east-1");
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json", "openclaw.json.bak"]);
  });

  test.each([
    ["removed", { op: "unset", path: ["models", "providers", "p", "apiKey"] }, false],
    ["written over", { op: "set", path: ["models", "providers", "p", "apiKey"], value: "${KEY}" }, false],
    [
      "left alone",
      { op: "set", path: ["models", "providers", "p", "api"], value: "openai-completions" },
      true,
    ],
  ] as const)("keeps no version before that has a secret that was %s", async (_, edit, isKept) => {
    const home = createHome();
    const file = writeIn(
      home,
      '{ models: { providers: { p: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "secret-key-0123" } } } }',
    );
    writeFileSync(`${file}.bak`, '{ other: "secret-key-0123" }');
    await updateConfig({}, runtimeIn(home), [edit]);
    expect(readdirSync(path.dirname(file))).toEqual([
      "openclaw.json",
      ...(isKept ? ["openclaw.json.bak"] : []),
    ]);
    const kept = readdirSync(path.dirname(file)).map((name) =>
      readFileSync(path.join(path.dirname(file), name), "utf8").includes("secret-key-0123"),
    );
    expect(kept).toEqual(isKept ? [true, true] : [false]);
  });

  test("keeps its owner", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root gives files away");
    const home = createHome();
    const file = writeIn(home, "{}");
    chownSync(file, 1234, 5678);
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 5678 });
  });

  test("is followed through symbolic links, which stay", async () => {
    const home = createHome();
    const real = path.join(home, "dotfiles", "real.json5");
    mkdirSync(path.join(home, "dotfiles"));
    mkdirSync(path.join(home, ".openclaw"));
    writeFileSync(real, "{}");
    symlinkSync("../dotfiles/real.json5", fileIn(home));
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    expect(lstatSync(fileIn(home)).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, "utf8")).toContain("us-east-1");
    expect(readdirSync(path.join(home, ".openclaw"))).toEqual(["openclaw.json"]);
  });

  test("is made where a symbolic link points to nothing yet", async () => {
    const home = createHome();
    mkdirSync(path.join(home, ".openclaw"));
    symlinkSync("../new/real.json5", fileIn(home));
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    expect(readFileSync(path.join(home, "new", "real.json5"), "utf8")).toContain("us-east-1");
  });

  test("is not written when nothing changes", async () => {
    const home = createHome();
    const file = writeIn(home, "{ models: { bedrockDiscovery: { region: 'us-east-1' } } }");
    utimesSync(file, 1, 1);
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    expect(statSync(file).mtimeMs).toBe(1000);
  });

  test("takes several edits together or not at all", async () => {
    const home = createHome();
    const file = writeIn(home, "{}");
    const wrong: Edit = { op: "set", path: ["models", "bedrockDiscovery", "enabled"], value: "yes" };
    await expect(updateConfig({}, runtimeIn(home), [...region("us-east-1"), wrong])).rejects.toMatchObject({
      code: "config-invalid",
    });
    expect(readFileSync(file, "utf8")).toBe("{}");
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json"]);
  });

  test("is left alone by a dry run, which tells the difference", async () => {
    const home = createHome();
    const file = writeIn(home, "{\n  // mine\n  models: { providers: { a: { apiKey: 'sk-1' } } },\n}\n");
    const edits: Edit[] = [{ op: "set", path: ["models", "providers", "a", "apiKey"], value: "sk-2" }];
    const { diff } = await updateConfig({}, runtimeIn(home), edits, { dryRun: true });
    expect(diff).toEqual([
      "@@ -1,4 +1,4 @@",
      " {",
      "   // mine",
      "-  models: { providers: { a: { apiKey: '****' } } },",
      "+  models: { providers: { a: { apiKey: '****' } } },",
      " }",
    ]);
    expect(readFileSync(file, "utf8")).toContain("sk-1");
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json"]);
  });
});

describe("a write that cannot be", () => {
  test.each(["1", "true", "yes"])("OPENCLAW_CONFIG_READONLY=%s refuses", async (value) => {
    const home = createHome();
    const runtime = runtimeIn(home, { env: { OPENCLAW_CONFIG_READONLY: value } });
    await expect(updateConfig({}, runtime, region("us-east-1"))).rejects.toMatchObject({
      code: "config-readonly",
      exitCode: 3,
    });
    expect(existsSync(path.dirname(fileIn(home)))).toBe(false);
  });

  test("OPENCLAW_CONFIG_READONLY=0 does not", async () => {
    const home = createHome();
    await updateConfig({}, runtimeIn(home, { env: { OPENCLAW_CONFIG_READONLY: "0" } }), region("us-east-1"));
    expect(existsSync(fileIn(home))).toBe(true);
  });

  test.each([
    [
      "unknown path",
      [{ op: "set", path: ["models", "bedrockDiscovery", "regoin"], value: "x" }],
      "config-invalid",
    ],
    ["wrong type", region("nowhere"), "config-invalid"],
    ["unsafe key", [{ op: "set", path: ["models", "__proto__"], value: 1 }], "usage"],
    [
      "unsafe key in a value",
      [{ op: "set", path: ["models"], value: JSON.parse('{"providers":{"__proto__":{}}}') as unknown }],
      "usage",
    ],
    ["nothing to unset", [{ op: "unset", path: ["agents"] }], "config-not-set"],
  ] as [string, Edit[], string][])("%s makes no folder, no lock and no file", async (_, edits, code) => {
    const home = createHome();
    await expect(updateConfig({}, runtimeIn(home), edits)).rejects.toMatchObject({ code });
    expect(readdirSync(home)).toEqual([]);
  });

  test("a file that cannot be parsed stays as it is", async () => {
    const home = createHome();
    const file = writeIn(home, "{ models: ");
    await expect(updateConfig({}, runtimeIn(home), region("us-east-1"))).rejects.toMatchObject({
      code: "config-invalid",
      details: { line: 1, column: 10 },
    });
    expect(readFileSync(file, "utf8")).toBe("{ models: ");
  });

  test("a file that is not UTF-8 stays as it is", async () => {
    const home = createHome();
    const file = writeIn(home, "");
    writeFileSync(file, Buffer.from([0x7b, 0x2f, 0x2f, 0xe9, 0x0a, 0x7d]));
    await expect(updateConfig({}, runtimeIn(home), region("us-east-1"))).rejects.toMatchObject({
      code: "config-invalid",
    });
    expect(readFileSync(file)).toHaveLength(6);
  });

  test("a wrong value elsewhere may stay, and is mended by itself", async () => {
    const home = createHome();
    const file = writeIn(home, "{ models: { bedrockDiscovery: { enabled: 'yes', refreshInterval: -1 } } }");
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    await updateConfig({}, runtimeIn(home), [
      { op: "set", path: ["models", "bedrockDiscovery", "enabled"], value: true },
    ]);
    expect(JSON5.parse(readFileSync(file, "utf8"))).toEqual({
      models: { bedrockDiscovery: { enabled: true, refreshInterval: -1, region: "us-east-1" } },
    });
  });
});

describe("locks", () => {
  test(`${WRITERS} processes that set ${KEYS} keys each end with all of them`, async () => {
    const home = createHome();
    const file = writeIn(home, "{\n  // the comment of all writes\n}\n");
    const children = Array.from({ length: WRITERS }, (_, id) => startWriter(home, id, KEYS));
    for (const child of children) child.stdout?.resume();
    const codes = await Promise.all(
      children.map(async (child) => ((await once(child, "close")) as [number])[0]),
    );
    expect(new Set(codes)).toEqual(new Set([0]));
    const text = readFileSync(file, "utf8");
    const { models } = JSON5.parse<Configuration>(text);
    expect(Object.keys(models?.providers ?? {})).toHaveLength(KEYS * WRITERS);
    expect(text).toContain("// the comment of all writes");
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json", "openclaw.json.bak"]);
  }, 120_000);

  test(`a process killed at any moment, ${KILLS} times, leaves the old or the new file, and nobody waits for its lock`, async () => {
    const home = createHome();
    const file = writeIn(home, "{}");
    const killOne = async (id: number): Promise<void> => {
      const child = startWriter(home, id, 1_000_000, 20_000);
      const lines = createInterface({ input: child.stdout! });
      await once(lines, "line");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
      child.kill("SIGKILL");
      await once(child, "close");
      const { agents } = JSON5.parse<Configuration>(readFileSync(file, "utf8"));
      const { first, second } = agents?.defaults?.models ?? {};
      expect(first?.alias).toMatch(/^\d+ x{20000}$/);
      expect(second?.alias).toBe(first?.alias);
    };
    const startedAt = performance.now();
    const lane = async (first: number): Promise<void> => {
      for (let id = first; id < KILLS; id += 4) await killOne(id);
    };
    await Promise.all([lane(0), lane(1), lane(2), lane(3)]);
    // Waiting out one dead lock by its age takes 20 s.
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    await updateConfig({}, runtimeIn(home), region("us-east-1"));
    const left = readdirSync(path.dirname(file)).filter((name) => !/^openclaw\.json(\.bak)?$/.test(name));
    expect(left.filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }, 120_000);

  const lockOf = (home: string, text: string): string => {
    const lock = `${writeIn(home, "{}")}.lock`;
    symlinkSync(text, lock);
    return lock;
  };

  test("an old lock of another machine is taken over", async () => {
    const home = createHome();
    lockOf(home, "1 0 elsewhere/ 1-abc");
    await updateConfig({}, runtimeIn(home, { now: () => Date.now() + 25_000 }), region("us-east-1"));
    expect(readdirSync(path.join(home, ".openclaw"))).toEqual(["openclaw.json", "openclaw.json.bak"]);
  });

  test("a lock that stays held ends in an error that names its holder", async () => {
    const home = createHome();
    const lock = lockOf(home, `4711 ${Date.now()} elsewhere/ 1-abc`);
    const future = Date.now() / 1000 + 3600;
    lutimesSync(lock, future, future);
    let hurry = 0;
    const elapsed = (): number => performance.now() + (hurry += 10_000);
    const runtime = { ...runtimeIn(home), elapsed };
    await expect(updateConfig({}, runtime, region("us-east-1"))).rejects.toMatchObject({
      code: "internal",
      exitCode: 1,
      message: expect.stringContaining("Process 4711 has held the lock"),
      hint: `rm ${lock}`,
    });
    expect(readFileSync(fileIn(home), "utf8")).toBe("{}");
  });

  test("an interruption ends the wait for a lock", async () => {
    const home = createHome();
    lockOf(home, `${process.pid} ${Date.now()} ${hostname()}-other/ 1-abc`);
    const interruption = new AbortController();
    const update = updateConfig({}, runtimeIn(home, { signal: interruption.signal }), region("us-east-1"));
    interruption.abort(new Error("enough"));
    await expect(update).rejects.toThrow("enough");
    expect(readFileSync(fileIn(home), "utf8")).toBe("{}");
  });

  test("a dead lock that another process removed and took in the meantime is not removed again", async () => {
    const home = createHome();
    const file = writeIn(home, "{}");
    const lock = `${file}.lock`;
    const runtime = runtimeIn(home);
    const host = await withLock(file, runtime, () => Promise.resolve(readlinkSync(lock).split(" ")[2]));
    symlinkSync(`999999 ${Date.now()} ${host} 999999-dead`, lock);
    const events: string[] = [];
    const isProcessAlive = (processId: number): boolean => {
      rmSync(lock);
      events.push(processId === 999_999 ? "found dead" : "found alive");
      if (processId === 999_999) symlinkSync(`${process.pid} ${Date.now()} ${host} 1-alive`, lock);
      return processId !== 999_999;
    };
    await withLock(file, { ...runtime, isProcessAlive }, () => Promise.resolve(events.push("ours")));
    expect(events).toEqual(["found dead", "found alive", "ours"]);
  });

  test("many waiters that find the same dead lock never hold it together", async () => {
    const home = createHome();
    const lock = lockOf(home, "1 0 elsewhere/ 1-abc");
    lutimesSync(lock, 1, 1);
    let holders = 0;
    let most = 0;
    const hold = async (): Promise<void> => {
      most = Math.max(most, (holders += 1));
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => withLock(fileIn(home), runtimeIn(home), hold)));
    expect(most).toBe(1);
    expect(readdirSync(path.dirname(lock))).toEqual(["openclaw.json"]);
  });
});
