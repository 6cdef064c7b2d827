import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const SETTLED_MS = 1100;

const folderOf = (emulated: Emulated): string => path.join(emulated.home, ".openclaw", "cache");

function readyFiles(emulated: Emulated): string[] {
  return readdirSync(folderOf(emulated)).filter((name) => name.startsWith("ready-"));
}

/** Puts a mark into what was kept: whoever prints it printed what was kept. */
function mark(emulated: Emulated): void {
  for (const name of readyFiles(emulated)) {
    const file = path.join(folderOf(emulated), name);
    const entry = JSON.parse(readFileSync(file, "utf8")) as { text: string };
    writeFileSync(file, JSON.stringify({ ...entry, text: `kept\n${entry.text}` }));
  }
}

/** A list that was asked for, printed, and kept as it was printed. */
async function kept(args: string[] = ["models", "list"], env: Record<string, string> = {}) {
  const emulated = await emulate();
  emulated.configure("{}");
  writeSharedFiles(emulated.home, { config: "[profile other]\nregion = eu-west-1\n", credentials: "" });
  const run = async (more: Record<string, string> = {}, others = args) =>
    (await emulated.run(others, { env: { ...env, ...more } })).stdout;
  await run();
  await wait(SETTLED_MS);
  const printed = await run();
  mark(emulated);
  return { emulated, run, printed };
}

describe("what models list printed into a pipe", () => {
  it.each([[[]], [["--plain"]], [["--json"]], [["--all", "--sort", "price-in"]]])(
    "is printed again while nothing has changed, with %j",
    async (flags) => {
      const { emulated, run, printed } = await kept(["models", "list", ...flags]);
      expect(readyFiles(emulated)).toHaveLength(1);
      expect(await run()).toBe(`kept\n${printed}`);
      expect(printed.length).toBeGreaterThan(100);
    },
  );

  it.each<[what: string, change: (emulated: Emulated) => void]>([
    ["the configuration", ({ configure }) => configure("{ models: {} }")],
    ["the configuration by one of the same length", ({ configure }) => configure("[]".replace("[]", "{}"))],
    [
      "the shared config",
      ({ home }) => writeSharedFiles(home, { config: "[default]\nregion = us-east-1\n", credentials: "" }),
    ],
    [
      "the shared credentials",
      ({ home }) => writeFileSync(path.join(home, ".aws", "credentials"), "[other]\n"),
    ],
    ["the shared config to nothing", ({ home }) => rmSync(path.join(home, ".aws", "config"))],
    [
      "the list itself",
      (emulated) => {
        const name = readdirSync(folderOf(emulated)).find((file) => file.startsWith("models-")) ?? "";
        const now = new Date();
        utimesSync(path.join(folderOf(emulated), name), now, now);
      },
    ],
    [
      "what was kept to half of it",
      (emulated) => {
        const file = path.join(folderOf(emulated), readyFiles(emulated)[0] ?? "");
        writeFileSync(file, readFileSync(file, "utf8").slice(0, 100));
      },
    ],
  ])("is made anew after a change of %s", async (_, change) => {
    const { emulated, run } = await kept();
    change(emulated);
    const again = await run();
    expect(again).not.toContain("kept");
    expect(again.split("\n").length).toBeGreaterThan(5);
  });

  it.each<[what: string, env: Record<string, string>, args?: string[]]>([
    ["another key", { AWS_ACCESS_KEY_ID: "AKIDANOTHER000000000" }],
    ["another region", { AWS_REGION: "us-west-2" }],
    ["a profile", { AWS_PROFILE: "other" }],
    ["another configuration", { OPENCLAW_CONFIG_PATH: "/nonexistent/openclaw.json" }],
    ["another flag", {}, ["models", "list", "--search", "nova"]],
    ["a refresh", {}, ["models", "list", "--refresh"]],
    ["--verbose", {}, ["models", "list", "--verbose"]],
  ])("is not printed for %s", async (_, env, args) => {
    const { run } = await kept();
    expect(await run(env, args)).not.toContain("kept");
  });

  it("is not kept where more decides than is known beforehand", async () => {
    const emulated = await emulate();
    emulated.configure('{ models: { bedrockDiscovery: { region: "${WHERE}" } } }');
    const env = { WHERE: "us-east-1" };
    await emulated.run(["models", "list"], { env });
    await wait(SETTLED_MS);
    await emulated.run(["models", "list"], { env });
    expect(readyFiles(emulated)).toEqual([]);
  });

  it("is printed no longer than the list is fresh", async () => {
    const { emulated, run } = await kept();
    const file = path.join(folderOf(emulated), readyFiles(emulated)[0] ?? "");
    const entry = JSON.parse(readFileSync(file, "utf8")) as { until: number; from: number };
    expect(entry.until - entry.from).toBeLessThanOrEqual(3600_000);
    writeFileSync(file, JSON.stringify({ ...entry, until: Date.now() - 1 }));
    expect(await run()).not.toContain("kept");
  });

  it("holds no secret", async () => {
    const { emulated } = await kept();
    const text = readFileSync(path.join(folderOf(emulated), readyFiles(emulated)[0] ?? ""), "utf8");
    for (const value of [emulated.emulator.secretAccessKey, emulated.emulator.accessKeyId])
      expect(text).not.toContain(value);
  });
});
