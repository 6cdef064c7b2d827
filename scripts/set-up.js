// Brings a clone to where it can run: packages installed as package-lock.json says, dist/ built from the sources.
// Only node: imports here, because it runs before anything is installed.
import { spawn } from "node:child_process";
import { readdir, readFile, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * A package in package-lock.json.
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry
 */

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What the bundle is made of: dist/ is stale when one of these changed after it was built. */
const sources = [
  "src",
  "bin",
  "scripts/build.js",
  "scripts/build-plugins.js",
  "scripts/bundled-packages.js",
  "scripts/started-functions.json",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

/** Written last by the build, so that half a build is never taken for one. */
const lastBuilt = path.join(root, "dist", "package.json");

/**
 * Installs and builds what is missing or older than its sources. `say` takes one line for each step that runs.
 * @param {(step: string) => void} say
 */
export async function setUp(say) {
  await installWhenMissing(say);
  await buildWhenStale(say);
}

/**
 * Installs what is missing.
 * @param {(step: string) => void} say
 */
async function installWhenMissing(say) {
  if (await isInstalled()) return;
  say("installing packages (npm ci)");
  // A machine with NODE_ENV=production would leave the build tools out; no package needs its install script.
  await runNpm(["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/**
 * Builds what is missing or older than its sources.
 * @param {(step: string) => void} say
 */
export async function buildWhenStale(say) {
  if (await isBuilt()) return;
  say("building dist/");
  await build();
}

/** Whether node_modules holds what package-lock.json asks for, by npm's own record of its last complete install. */
async function isInstalled() {
  const installed = await readLock(path.join(root, "node_modules", ".package-lock.json"));
  if (installed === undefined) return false;
  const wanted = (await readLock(path.join(root, "package-lock.json"))) ?? {};
  return Object.entries(wanted).every(
    ([folder, entry]) =>
      folder === "" ||
      (installed[folder] === undefined
        ? entry.optional === true && !isForThisMachine(entry)
        : installed[folder].version === entry.version && installed[folder].integrity === entry.integrity),
  );
}

/**
 * Whether npm installs an optional package here: the bundler and others ship a binary for each kind of machine.
 * @param {LockEntry} entry
 */
function isForThisMachine({ os, cpu, libc }) {
  return os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined;
}

/**
 * @param {string} file
 * @returns {Promise<Record<string, LockEntry> | undefined>}
 */
async function readLock(file) {
  try {
    return JSON.parse(await readFile(file, "utf8")).packages;
  } catch (error) {
    // Missing, or left half written by an install that was broken off: either way, install.
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isBuilt() {
  const built = await modifiedAt(lastBuilt);
  if (built === 0) return false;
  const changed = await Promise.all(sources.map((name) => newestIn(path.join(root, name))));
  return changed.every((time) => time < built);
}

/**
 * When a file, or anything in a folder, changed last, in ms since 1970. Folders count: they change with a removal.
 * @param {string} place
 * @returns {Promise<number>}
 */
async function newestIn(place) {
  const own = await stat(place);
  if (!own.isDirectory()) return own.mtimeMs;
  const names = await readdir(place);
  const times = await Promise.all(names.map((name) => newestIn(path.join(place, name))));
  return Math.max(own.mtimeMs, ...times);
}

/** @param {string} file */
async function modifiedAt(file) {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/**
 * Whether Node did not find a file.
 * @param {unknown} error
 */
export function isMissing(error) {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function build() {
  // What changes while the build runs is newer than the build.
  const started = new Date();
  const { buildProgram } = await import(pathToFileURL(path.join(root, "scripts", "build.js")).href);
  await buildProgram();
  await utimes(lastBuilt, started, started);
}

/**
 * Runs npm with its output on stderr. Rejects when it fails.
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export async function runNpm(args, options = {}) {
  const child = startNpm(args, { stdio: ["ignore", 2, 2], ...options });
  const code = await ended(child);
  if (code !== 0) throw new Error(`npm ${args.join(" ")} ended with exit code ${code}.`);
}

/**
 * Runs npm in this project. Resolves to its exit code and what it printed on stdout.
 * @param {string[]} args
 */
export async function readNpm(args) {
  const child = startNpm(args, { stdio: ["ignore", "pipe", 2] });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
  return { code: await ended(child), output };
}

/**
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 */
function startNpm(args, options) {
  const cli = process.env.npm_execpath;
  // The npm that runs this script, where there is one: it is certain to exist, and to be the one that was asked.
  const [command, first] = cli?.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []];
  return spawn(command, [...first, ...args], {
    cwd: root,
    shell: process.platform === "win32" && command === "npm",
    ...options,
  });
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<number | null>}
 */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}

// By itself, `node scripts/set-up.js`, it installs: what `npm pack` builds with.
if (process.argv[1] === fileURLToPath(import.meta.url))
  await installWhenMissing((step) => console.error(`openclaw: ${step}`));
