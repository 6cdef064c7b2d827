// Runs the program on each supported Node version, from npm's own packages of the Node binary:
//   node scripts/test-node-versions.js [--quick] [VERSION…]
// All end-to-end tests, or with --quick only whether it starts, lists and streams. The test runner stays on this Node.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { nodeBinary } from "./node-binary.js";
import { root, setUp } from "./set-up.js";

/** The lowest version that works, and the newest of each line. */
const supported = ["20.19.0", "20", "22", "24", "26"];

/** The last line that is refused: its users are told which version to install. */
const refused = "18";

/** What must work everywhere: it starts, finds its way through the SDK, and streams. */
const quickRuns = [
  { args: ["--version"], expected: /^\d+\.\d+\.\d+\n$/ },
  {
    args: ["models", "list", "--emulator", "--plain"],
    expected: /^amazon-bedrock\/amazon\.nova-lite-v1:0$/m,
  },
  { args: ["chat", "--emulator", "ping"], expected: /simulated[^]*ping\n$/ },
];

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs a program to its end. Resolves to its exit code and all it printed.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
async function run(command, args, options) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  /** @type {number | null} */
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { code, stdout, stderr };
}

/**
 * Resolves to what went wrong, empty when nothing did.
 * @param {string} binary
 */
async function runQuickly(binary) {
  const home = await mkdtemp(path.join(tmpdir(), "openclaw-node-"));
  try {
    const env = { HOME: home, PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: "true" };
    for (const { args, expected } of quickRuns) {
      const { code, stdout, stderr } = await run(binary, [path.join(root, "bin", "openclaw.js"), ...args], {
        env,
      });
      // Anything on stderr would be a warning of that Node version, which nobody asked for.
      if (code !== 0 || stderr !== "" || !expected.test(stdout)) {
        return `openclaw ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`;
      }
    }
    return "";
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/**
 * @param {string} binary
 * @param {string[]} files
 */
async function runEndToEndTests(binary, files) {
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const { FORCE_COLOR: _, ...env } = process.env;
  const { code, stdout, stderr } = await run(
    process.execPath,
    [vitest, "run", "--reporter=minimal", ...files],
    {
      cwd: root,
      env: { ...env, NO_COLOR: "1", OPENCLAW_TEST_NODE: binary },
    },
  );
  const counts = stdout.match(/^ *Tests .*$/m)?.[0].trim() ?? "no tests";
  say(`     ${counts}`);
  return code === 0 ? "" : `${stdout}${stderr}`;
}

/** The test files that start the real program: those that reach the helper which does. */
async function endToEndTests() {
  const folder = path.join(root, "test");
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".test.ts"));
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")));
  return names
    .filter((_, index) => /helpers\/(openclaw|emulated)\.ts"/.test(texts[index] ?? ""))
    .map((name) => path.posix.join("test", name.split(path.sep).join("/")));
}

/**
 * What went wrong on a version that is refused: it must say why instead of failing on the syntax.
 * @param {string} binary
 */
async function runRefused(binary) {
  const { code, stdout, stderr } = await run(binary, [path.join(root, "bin", "openclaw.js"), "doctor"]);
  const isRefused = code === 1 && stdout === "" && /is too old; openclaw needs Node 20\.19/.test(stderr);
  return isRefused ? "" : `openclaw doctor: exit code ${code}\n${stdout}${stderr}`;
}

/**
 * @param {string} version
 * @param {(binary: string) => Promise<string>} test
 */
async function runOn(version, test) {
  const started = performance.now();
  const binary = await nodeBinary(version);
  const { stdout } = await run(binary, ["--version"]);
  const failure = await test(binary);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`${failure === "" ? "ok  " : "FAIL"} Node ${stdout.trim()} (${seconds} s)`);
  if (failure === "") return;
  say(failure);
  process.exitCode = 1;
}

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const chosen = args.filter((arg) => arg !== "--quick");
await setUp((step) => say(`...  ${step}`));
const files = isQuick ? [] : await endToEndTests();
const versions = chosen.length > 0 ? chosen : supported;
for (const version of versions)
  await runOn(version, isQuick ? runQuickly : (binary) => runEndToEndTests(binary, files));
if (chosen.length === 0) await runOn(refused, runRefused);
