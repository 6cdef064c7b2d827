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
  writeFileSync,
} from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
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
  "docs",
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
  return openclawWith({}, ...args);
}

function openclawWith(env: Record<string, string>, ...args: string[]): SpawnSyncReturns<string> {
  const command = path.join(installed, "node_modules", ".bin", "openclaw");
  return spawnSync(command, args, { cwd: home, env: { ...environment(), ...env }, encoding: "utf8" });
}

/** Where a file of the installed program is. */
function builtFile(name: string): string {
  return path.join(installed, "node_modules", "openclaw", "dist", name);
}

function readBuilt(name: string): string {
  return readFileSync(builtFile(name), "utf8");
}

function builtFiles(): string[] {
  const files = packed.files.map((file) => file.path);
  return files.filter((name) => /^dist\/.*\.js$/.test(name)).map((name) => path.basename(name));
}

const lines = new Map<string, string[]>();

/** The lines of a source of the program or of its packages, by its path from the root. */
function readLines(source: string): string[] {
  const known = lines.get(source) ?? readFileSync(path.join(root, source), "utf8").split("\n");
  lines.set(source, known);
  return known;
}

/** The maps of the installed program, by file. */
function readMaps(): Record<string, SourceMapPayload> {
  return JSON.parse(gunzipSync(readFileSync(builtFile("sources.json.gz"))).toString()) as Record<
    string,
    SourceMapPayload
  >;
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
  // Without a prefix npm installs into whatever folder above has a package.json.
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
    const names = packed.files
      .map((file) => file.path)
      .filter(
        (name) => !/^dist\/[\w-]+\.js$|^dist\/man\/openclaw[\w-]*\.[17]$|^docs\/.*\.(?:md|json)$/.test(name),
      );
    expect(names.toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "THIRD-PARTY-NOTICES.txt",
      "bin/openclaw.js",
      "bin/package.json",
      "dist/package.json",
      "dist/sbom.cdx.json",
      "dist/sources.json.gz",
      "package.json",
    ]);
    expect(packed.files.map((file) => file.path)).toContain("dist/main.js");
  });

  test("installs without a network, alone, in at most 6 MB", () => {
    const names = readdirSync(path.join(installed, "node_modules")).filter((name) => !name.startsWith("."));
    expect(names).toEqual(["openclaw"]);
    expect(sizeOf(path.join(installed, "node_modules", "openclaw"))).toBeLessThan(6 * MEGABYTE);
  });

  test("has the bill of materials that any other build has", () => {
    expect(readBuilt("sbom.cdx.json")).toBe(readFileSync(path.join(root, "dist", "sbom.cdx.json"), "utf8"));
  });

  test("has the pages that its own help reads", () => {
    expect(openclaw("help", "credentials")).toMatchObject({ status: 0, stderr: "" });
    expect(openclaw("help", "models", "list").stdout).toMatch(/^# openclaw models list\n/);
  });

  test("has man pages that roff has nothing to say about, for the program, each command and each topic", () => {
    const folder = path.join(installed, "node_modules", "openclaw", "dist", "man");
    const pages = readdirSync(folder);
    expect(pages).toEqual(expect.arrayContaining(["openclaw.1", "openclaw-models-list.1", "openclaw-ec2.7"]));
    for (const page of pages) {
      const checked = spawnSync("groff", ["-man", "-ww", "-z", "-rLL=78n", path.join(folder, page)], {
        encoding: "utf8",
      });
      expect({ page, ...checked }).toMatchObject({ status: 0, stdout: "", stderr: "" });
    }
  });

  test("is found by man after npm install -g", () => {
    const prefix = path.join(folder, "global");
    npm(
      home,
      "install",
      "-g",
      "--prefix",
      prefix,
      "--offline",
      "--no-audit",
      "--no-fund",
      path.join(folder, "clone", packed.filename),
    );
    const { status, stdout } = spawnSync("man", ["-M", path.join(prefix, "share", "man"), "openclaw"], {
      env: { ...environment(), MANPAGER: "cat", MANWIDTH: "80", LC_ALL: "C.UTF-8" },
      encoding: "utf8",
    });
    expect(status).toBe(0);
    const text = stdout.replaceAll(/.\u0008/g, "").replaceAll(/\u001b\[[\d;]*m/g, "");
    for (const heading of [
      "NAME",
      "SYNOPSIS",
      "COMMANDS",
      "GLOBAL OPTIONS",
      "EXIT CODES",
      "ENVIRONMENT",
      "FILES",
    ])
      expect(text).toMatch(new RegExp(`^${heading}$`, "m"));
    expect(text).toContain("openclaw models list");
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

  test("tells of a bug with lines of the sources", () => {
    const bug = path.join(home, "bug.cjs");
    writeFileSync(bug, 'Array.prototype.sort = () => { throw new TypeError("planted"); };\n');
    const run = openclawWith({ NODE_OPTIONS: `--require ${bug}` }, "models", "list", "--emulator");
    expect(run).toMatchObject({ status: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /TypeError: planted\n.*bug\.cjs.*\n +at \w+ \(src\/models\/[\w-]+\.ts:\d+\)\n/,
    );
    expect(run.stderr).toMatch(/ +at async main \(src\/main\.ts:\d+\)\n$/);
  });

  test("knows the line of every function of every file in the sources", () => {
    let found = 0;
    const lost: unknown[] = [];
    const maps = readMaps();
    for (const [name, payload] of Object.entries(maps)) {
      const map = new SourceMap(payload);
      for (const [row, text] of readBuilt(name).split("\n").entries()) {
        // What is compiled ahead is a variable, with the function in parentheses.
        const declared = /\b(?:function|class)\*? (\w{3,})|\b(\w{3,})=\((?=(?:async )?function\b)/g;
        for (const { 0: start, 1: own, 2: ahead = "", index } of text.matchAll(declared)) {
          const named = own ?? ahead;
          const entry = map.findEntry(row, own === undefined ? index + start.length : index);
          // The build's own lines are of no source, scripts for shells and for Redis have functions of their own, and languages their words.
          if (
            !("originalSource" in entry) ||
            !entry.originalSource ||
            /(?:scripts|redis-store)\.ts$|_highlight_rules\.js$/.test(entry.originalSource)
          )
            continue;
          const line = readLines(entry.originalSource)[entry.originalLine];
          // What a module exports without a name gets that of its file.
          const isNameless =
            named.endsWith("_default") && /^export default (?:function|class)\b/.test(line ?? "");
          if (isNameless || line?.includes(named)) found += 1;
          else lost.push({ name, start, source: entry.originalSource, line });
        }
      }
    }
    expect(lost).toEqual([]);
    expect(found).toBeGreaterThan(1500);
    // A file without a map has nothing in it but what it hands on.
    for (const name of builtFiles()) if (!maps[name]) expect(readBuilt(name)).not.toMatch(/function|=>/);
  });

  test("has names that the next build gives again: made of words, with no hash of what is in a file", () => {
    const sources = Object.values(readMaps()).flatMap((map) => map.sources);
    const words = new Set(sources.flatMap((source) => source.split(/\W+/)));
    const isWord = (text: string) => words.has(text) || /^[a-z]{3,}([A-Z][a-z]{2,})*$/.test(text);
    expect(builtFiles().filter((name) => !path.parse(name).name.split("-").every(isWord))).toEqual([]);
  });

  test("is all ASCII", () => {
    expect(builtFiles().filter((name) => /[^\0-\x7F]/.test(readBuilt(name)))).toEqual([]);
  });
});
