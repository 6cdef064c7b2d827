// Changes src/ in small ways, one at a time, and says whether the tests notice:
//   npm run test:mutants -- --count 100 --seed 1
//   --save FILE     keeps the list of mutants;  --list FILE    takes them from there
//   --in FOLDER     tries another clone of this repository, with its tests: two suites against the same mutants
//   --dry-run       only tells the mutants
// For each the tests related to the changed file run first; when they pass, the changed program is built and those that
// start it run. All of it happens in a copy, so that nobody meets a mutant elsewhere.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { say, seconds } from "./checks.js";
import { findMutants } from "./mutants/find-mutants.js";
import { root } from "./set-up.js";

/** @typedef {import("./mutants/find-mutants.js").Mutant} Mutant */

/** The share of mutants that the tests have to notice. */
const LEAST = 0.8;
/** A mutant that keeps the tests busy for so long, in ms, is noticed. */
const PATIENCE_MS = 15 * 60_000;

const { values: options } = parseArgs({
  options: {
    count: { type: "string", default: "25" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    list: { type: "string" },
    save: { type: "string" },
    in: { type: "string", default: root },
    "dry-run": { type: "boolean", default: false },
  },
});

/** Every mutant of src/. @param {string} clone */
async function allMutants(clone) {
  const names = await readdir(path.join(clone, "src"), { recursive: true });
  const files = names
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => path.posix.join("src", name.split(path.sep).join("/")))
    .sort();
  const texts = await Promise.all(files.map((file) => readFile(path.join(clone, file), "utf8")));
  return files.flatMap((file, index) => findMutants(file, texts[index] ?? ""));
}

/**
 * So many of them, always the same for a seed.
 * @param {Mutant[]} mutants
 * @param {number} count
 * @param {number} seed
 */
function pick(mutants, count, seed) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const left = [...mutants];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat();
}

/** @param {Mutant} mutant */
function describe({ file, line, column, from, to }) {
  const short = (/** @type {string} */ text) => {
    const flat = text.replaceAll(/\s+/g, " ");
    return flat.length > 60 ? `${flat.slice(0, 59)}…` : flat;
  };
  return `${file}:${line}:${column}  ${short(from)}  →  ${short(to) || "nothing"}`;
}

/** A copy of what git knows of a clone, and of what is new there. @param {string} clone */
async function copyOf(clone) {
  const folder = await mkdtemp(path.join(tmpdir(), "openclaw-mutants-"));
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const { stdout } = await promisify(execFile)("git", list, { cwd: clone, maxBuffer: 2 ** 26 });
  for (const name of stdout.trim().split("\n"))
    await cp(path.join(clone, name), path.join(folder, name), { errorOnExist: false });
  await symlink(path.join(clone, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

/**
 * Whether a program on this Node ends well, in time.
 * @param {string} folder
 * @param {string[]} args
 */
async function succeeds(folder, args) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    // With one seed every mutant meets the same fuzzed cases.
    env: { ...process.env, NO_COLOR: "1", OPENCLAW_FUZZ_SEED: "1", OPENCLAW_FUZZ_CASES: "500" },
    stdio: "ignore",
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  /** @type {number | null} */
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return code === 0;
}

/** @param {string} folder */
const build = (folder) => succeeds(folder, [path.join("scripts", "build.js")]);

/**
 * Runs tests up to the first that fails. Resolves to its file and name, or to no file where the run itself failed.
 * @param {string} folder
 * @param {string[]} args
 * @returns {Promise<{ file?: string, name: string } | undefined>}
 */
async function firstFailure(folder, args) {
  const report = path.join(folder, "mutant-report.json");
  await rm(report, { force: true });
  const vitest = path.join("node_modules", "vitest", "vitest.mjs");
  const reporting = ["--run", "--bail=1", "--passWithNoTests", "--reporter=json", `--outputFile=${report}`];
  if (await succeeds(folder, [vitest, ...args, ...reporting])) return undefined;
  /** @type {{ testResults: { name: string, status: string, assertionResults: { status: string, fullName: string }[] }[] }} */
  const { testResults } = existsSync(report)
    ? JSON.parse(await readFile(report, "utf8"))
    : { testResults: [] };
  const failed = testResults.find(({ status }) => status === "failed");
  if (!failed) return { name: "the run as a whole" };
  const file = path.relative(folder, failed.name);
  const test = failed.assertionResults.find(({ status }) => status === "failed");
  return { file, name: `${file}: ${test?.fullName ?? "not loaded"}` };
}

/**
 * The files of tests that start the program, those of the same room first.
 * @param {string} folder
 * @param {string} file
 */
async function endToEndTests(folder, file) {
  const names = await readdir(path.join(folder, "test"), { recursive: true });
  const tests = names.filter((name) => name.endsWith(".test.ts"));
  const texts = await Promise.all(tests.map((name) => readFile(path.join(folder, "test", name), "utf8")));
  const room = path.posix.dirname(path.posix.relative("src", file)).split("/")[0] ?? "";
  return tests
    .filter((_, index) => /helpers\/(openclaw|emulated)\.ts"/.test(texts[index] ?? ""))
    .map((name) => path.join("test", name))
    .sort((left, right) => Number(right.includes(room)) - Number(left.includes(room)));
}

/**
 * The test that notices a mutant; undefined when none does. One that fails without the mutant, too, does not count, nor one
 * that passes with it when it runs alone: a machine that is busy makes tests late.
 * @param {string} folder
 * @param {Mutant} mutant
 */
async function killerOf(folder, mutant) {
  const place = path.join(folder, mutant.file);
  const text = await readFile(place, "utf8");
  if (text.slice(mutant.start, mutant.end) !== mutant.from)
    throw new Error(`${mutant.file} is another than the list was made for.`);
  const changed = text.slice(0, mutant.start) + mutant.to + text.slice(mutant.end);
  try {
    await writeFile(place, changed);
    if (!(await build(folder))) return "the build";
    const rounds = [
      ["related", mutant.file],
      ["run", ...(await endToEndTests(folder, mutant.file))],
    ];
    const unsteady = [];
    for (let round = rounds.shift(); round;) {
      const failure = await firstFailure(folder, [...round, ...unsteady.map((name) => `--exclude=${name}`)]);
      if (!failure) {
        round = rounds.shift();
        continue;
      }
      if (failure.file === undefined) return failure.name;
      const isSteady = (await firstFailure(folder, ["run", failure.file])) !== undefined;
      if (isSteady) {
        await writeFile(place, text);
        await build(folder);
        if (!(await firstFailure(folder, ["run", failure.file]))) return failure.name;
        await writeFile(place, changed);
        await build(folder);
      }
      unsteady.push(failure.file);
    }
    return undefined;
  } finally {
    await writeFile(place, text);
  }
}

const clone = path.resolve(options.in);
/** @type {Mutant[]} */
const mutants = options.list
  ? JSON.parse(await readFile(options.list, "utf8"))
  : pick(await allMutants(clone), Number(options.count), Number(options.seed));
if (options.save) await writeFile(options.save, `${JSON.stringify(mutants, undefined, 2)}\n`);
say(options.list ? `${mutants.length} mutants of ${options.list}` : `seed ${options.seed}`);

if (options["dry-run"]) {
  for (const mutant of mutants) say(describe(mutant));
} else {
  const folder = await copyOf(clone);
  let killed = 0;
  try {
    for (const mutant of mutants) {
      const started = performance.now();
      const killer = await killerOf(folder, mutant);
      if (killer) killed += 1;
      say(
        `${killer ? "killed" : "ALIVE "}  ${describe(mutant)}  (${killer ?? "nothing"}, ${seconds(started)})`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  say(`${killed} of ${mutants.length} killed`);
  if (killed < LEAST * mutants.length) process.exitCode = 1;
}
