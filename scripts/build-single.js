// Makes the program one file with Node in it, for machines without Node:
//   node scripts/build-single.js [PLATFORM-ARCH] [--node VERSION]
// for this kind of machine or another, such as linux-arm64; with the newest Node 24, or the version that is named.
import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { binOf } from "./checks.js";
import { nodeBinary } from "./node-binary.js";
import { setUp, root } from "./set-up.js";

/** Where Node looks for what is put into it, and what says that something is: Node's documentation, see below. */
const RESOURCE = "NODE_SEA_BLOB";
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * The files of the package that go into the file: what runs, and what `help` shows.
 * @returns {Promise<Record<string, string>>}
 */
async function assets() {
  const places = ["bin/openclaw.js", "dist/sources.json.gz"];
  for (const folder of ["dist", "docs", "docs/commands"]) {
    const names = await readdir(path.join(root, folder));
    places.push(...names.filter((name) => /\.(?:js|md)$/.test(name)).map((name) => `${folder}/${name}`));
  }
  return Object.fromEntries(places.map((place) => [place, path.join(root, place)]));
}

/**
 * Puts the program into a copy of a Node binary: https://nodejs.org/api/single-executable-applications.html. `builder` is a
 * Node of the same version that runs here.
 * @param {{ node: string, builder?: string, output: string }} options
 */
export async function buildSingle({ node, builder = node, output }) {
  const folder = await mkdtemp(path.join(tmpdir(), "openclaw-single-"));
  const fresh = `${output}-${process.pid}`;
  try {
    const config = path.join(folder, "config.json");
    const blob = path.join(folder, "blob");
    const main = path.join(root, "scripts", "single-file.cjs");
    await writeFile(
      config,
      JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true, assets: await assets() }),
    );
    await run(builder, ["--experimental-sea-config", config]);
    await mkdir(path.dirname(output), { recursive: true });
    await copyFile(node, fresh);
    await chmod(fresh, 0o755);
    const postject = await binOf("postject", "postject");
    await run(process.execPath, [postject, fresh, RESOURCE, blob, "--sentinel-fuse", FUSE]);
    // Half of it would be Node alone.
    await rename(fresh, output);
  } finally {
    for (const place of [folder, fresh]) await rm(place, { recursive: true, force: true });
  }
}

/**
 * Runs a program, of which only a failure is told: what LIEF says of Node's own sections is nobody's concern.
 * @param {string} command
 * @param {string[]} args
 */
async function run(command, args) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (said += text));
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with exit code ${code}:\n${said}`);
}

/** Writes the file and the licences of what is in it into dist-single/. */
async function main() {
  const { values, positionals } = parseArgs({
    options: { node: { type: "string", default: "24" } },
    allowPositionals: true,
  });
  const here = `${process.platform}-${process.arch}`;
  const [target = here] = positionals;
  const [platform = "", arch = ""] = target.split("-");
  if (platform !== "linux" || !["x64", "arm64"].includes(arch)) {
    console.error(`There is no file for ${target}: linux-x64 and linux-arm64 are what hosts are.`);
    process.exitCode = 2;
    return;
  }
  await setUp((step) => console.log(step));
  const builder = await nodeBinary(values.node);
  const node = target === here ? builder : await nodeBinary(values.node, { platform, arch });
  const folder = path.join(root, "dist-single");
  const output = path.join(folder, `openclaw-${target}`);
  await buildSingle({ node, builder, output });
  // The licences of what is in it, Node's among them.
  for (const name of ["LICENSE", "THIRD-PARTY-NOTICES.txt"])
    await copyFile(path.join(root, name), path.join(folder, name));
  await copyFile(path.join(path.dirname(node), "..", "LICENSE"), path.join(folder, "LICENSE-node"));
  const { size } = await stat(output);
  console.log(`${path.relative(root, output)} (${Math.round(size / 1024 / 1024)} MB)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
