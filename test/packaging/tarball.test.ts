import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../helpers/documents.ts";
import { emptyEnvironment, nodeBinary } from "../helpers/openclaw.ts";

const MEGABYTE = 1024 * 1024;

/** What the package is made from; dist/ is not among it, so that packing has to build. */
const SOURCES = [
  "package.json",
  "package-lock.json",
  "bin",
  "src",
  "scripts",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "THIRD-PARTY-NOTICES.txt",
  "CONTRIBUTING.md",
];

let folder: string;
let home: string;
let installed: string;
let packed: { filename: string; files: { path: string; mode: number }[] };

function environment(): Record<string, string> {
  // The shebang line of the installed command takes the first `node` there is.
  return emptyEnvironment(home, {
    PATH: `${path.dirname(nodeBinary)}${path.delimiter}${process.env["PATH"]}`,
  });
}

function npm(cwd: string, ...args: string[]): string {
  const cli = process.env["npm_execpath"];
  const [command, first] = cli?.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []];
  const result = spawnSync(command, [...first, ...args, "--loglevel=error"], {
    cwd,
    env: environment(),
    encoding: "utf8",
  });
  if (result.status !== 0)
    throw new Error(`npm ${args.join(" ")}: ${result.stderr}${result.error?.message ?? ""}`);
  return result.stdout;
}

function openclaw(...args: string[]): SpawnSyncReturns<string> {
  const command = path.join(installed, "node_modules", ".bin", "openclaw");
  return spawnSync(command, args, { cwd: home, env: environment(), encoding: "utf8" });
}

function sizeOf(place: string): number {
  const found = statSync(place);
  if (!found.isDirectory()) return found.size;
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "openclaw-tarball-"));
  const clone = path.join(folder, "clone");
  home = path.join(folder, "home");
  installed = path.join(folder, "installed");
  for (const name of [clone, home, installed]) mkdirSync(name);
  for (const name of SOURCES) cpSync(path.join(root, name), path.join(clone, name), { recursive: true });
  symlinkSync(path.join(root, "node_modules"), path.join(clone, "node_modules"));
  const [entry] = JSON.parse(npm(clone, "pack", "--json", "--foreground-scripts=false")) as [typeof packed];
  packed = entry;
  // Without a prefix npm takes the nearest folder above that has a node_modules.
  npm(
    installed,
    "install",
    "--prefix",
    installed,
    "--offline",
    "--no-audit",
    "--no-fund",
    path.join(clone, packed.filename),
  );
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the packed package", () => {
  test("holds the program and its papers, and nothing else", () => {
    const names = packed.files.map((file) => file.path).filter((name) => !/^dist\/[\w-]+\.js$/.test(name));
    expect(names.toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "THIRD-PARTY-NOTICES.txt",
      "bin/openclaw.js",
      "bin/package.json",
      "dist/package.json",
      "package.json",
    ]);
    expect(packed.files.map((file) => file.path)).toContain("dist/main.js");
  });

  test("installs without a network, alone, in at most 6 MB", () => {
    const names = readdirSync(path.join(installed, "node_modules")).filter((name) => !name.startsWith("."));
    expect(names).toEqual(["openclaw"]);
    expect(sizeOf(path.join(installed, "node_modules", "openclaw"))).toBeLessThan(6 * MEGABYTE);
  });

  test("prints its version", () => {
    const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
      version: string;
    };
    expect(openclaw("--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("writes a setting into an empty home", () => {
    const run = openclaw("config", "set", "models.bedrockDiscovery.region", "eu-central-1");
    expect(run).toMatchObject({ status: 0, stdout: "Updated models.bedrockDiscovery.region.\n", stderr: "" });
    expect(openclaw("config", "get", "models.bedrockDiscovery.region")).toMatchObject({
      stdout: "eu-central-1\n",
    });
    expect(statSync(path.join(home, ".openclaw", "openclaw.json")).mode & 0o777).toBe(0o600);
  });

  test("lists models", () => {
    const run = openclaw("models", "list", "--emulator", "--plain", "--region", "us-east-1");
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.stdout.split("\n")).toContain("amazon-bedrock/us.anthropic.claude-opus-4-6-v1");
  });

  test("streams an answer", () => {
    const run = openclaw("chat", "--emulator", "ping");
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.stdout).toMatch(/simulated.*ping\n$/);
  });
});
