// Drives programs that people use through a tool loop that writes a file, each in a home folder of its own, with no network
// but loopback:
//   npm run test:clients [-- --only NAME] [--write] [--keep]
// `serve` stands in front of the emulator, whose model calls the program's own tool; programs that speak Bedrock ask the
// emulator itself, too. --write puts the table into docs/clients.md, --keep keeps what was printed and written.
import { spawn, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PROGRAMS } from "./clients/programs.js";
import { nodeBinary } from "./node-binary.js";
import { root, runNpm, setUp } from "./set-up.js";

const MODEL = "us.anthropic.claude-sonnet-4-6";
const MARK = "openclaw-clients-test";
/** The longest that a program may take, in ms. */
const TIME = 120_000;
/** The Node of the programs: several need 22. */
const NODE = "24";

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    write: { type: "boolean" },
    keep: { type: "boolean" },
    inside: { type: "boolean" },
  },
});

const clients = path.join(root, "node_modules", ".cache", "openclaw", "clients");

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * The packages for this platform whose bytes nothing is held against: the registry that the lock was written from has those
 * of Linux on x64 alone.
 * @param {Record<string, { integrity?: string, os?: string[], cpu?: string[], libc?: string[] }>} packages
 */
function uncheckedIn(packages) {
  /** @type {{ header?: { glibcVersionRuntime?: string } }} */
  const { header } = process.report.getReport();
  const library = header?.glibcVersionRuntime === undefined ? "musl" : "glibc";
  return Object.entries(packages).flatMap(([folder, { integrity, os, cpu, libc }]) =>
    folder !== "" &&
    integrity === undefined &&
    (os ?? [process.platform]).includes(process.platform) &&
    (cpu ?? [process.arch]).includes(process.arch) &&
    (libc ?? [library]).includes(library)
      ? [folder.replace(/.*node_modules\//, "")]
      : [],
  );
}

/** Installs what test/clients/package-lock.json names, unless it is there. */
async function install() {
  const from = path.join(root, "test", "clients");
  const lock = await readFile(path.join(from, "package-lock.json"), "utf8");
  const stamp = path.join(clients, "installed");
  if ((await readFile(stamp, "utf8").catch(() => "")) === lock) return;
  say("installing the programs (npm ci, several minutes)");
  const unchecked = uncheckedIn(JSON.parse(lock).packages);
  if (unchecked.length > 0)
    say(`(the lock has no checksum of ${unchecked.join(", ")}: npm takes them as they come)`);
  await mkdir(clients, { recursive: true });
  await cp(path.join(from, "package.json"), path.join(clients, "package.json"));
  await writeFile(path.join(clients, "package-lock.json"), lock);
  await runNpm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: clients });
  await writeFile(stamp, lock);
}

/** Runs this script again where nothing but loopback is reached, and where nothing that programs leave behind outlives it. */
function isolate() {
  const apart = ["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2), "--inside"];
  const canLeave = spawnSync("unshare", [...apart, "true"]).status === 0;
  if (!canLeave) say("(unshare is not permitted here: the programs could reach the network)");
  const [command = "", ...rest] = canLeave
    ? [
        "unshare",
        ...apart,
        "sh",
        "-c",
        // Not in the place of the shell: the first process there is not ended by Ctrl-C.
        'ip link set lo up && "$0" "$@"; exit $?',
        process.execPath,
      ]
    : [process.execPath];
  const { status } = spawnSync(command, [...rest, ...args], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

/**
 * Starts openclaw, and resolves when it has said its address.
 * @param {string[]} args
 * @param {Record<string, string>} env
 */
async function startOpenclaw(args, env) {
  const child = spawn(process.execPath, [path.join(root, "bin", "openclaw.js"), ...args, "--json"], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
      const found = /"url": ?"(http[^"]+)"/.exec(said)?.[1];
      if (found) resolve(found);
    });
    child.on("close", () => reject(new Error(`openclaw ${args[0]} ended: ${said}${log}`)));
  });
  return {
    url: url.replace(/\/(v1)?$/, ""),
    log: () => log,
    stop: () =>
      new Promise((resolve) => {
        child.on("close", resolve);
        child.kill("SIGTERM");
      }),
  };
}

/**
 * Runs a program to its end, or to the end of its time.
 * @param {string[]} command
 * @param {{ cwd: string, env: Record<string, string> }} options
 */
async function run([command = "", ...args], options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (printed += text));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    if (child.pid) process.kill(-child.pid, "SIGKILL");
  }, TIME);
  /** @type {number | string | null} */
  const code = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", resolve);
  });
  clearTimeout(timer);
  return { code: isLate ? "no end" : code, printed };
}

/**
 * Tries one way of a program. Resolves with what went wrong; empty where nothing did.
 * @param {import("./clients/programs.js").Way} way
 * @param {string} node
 */
async function attempt(way, node) {
  const folder = await mkdtemp(path.join(tmpdir(), "openclaw-client-"));
  const [home, work] = [path.join(folder, "home"), path.join(folder, "work")];
  await Promise.all([mkdir(home), mkdir(work)]);
  const file = path.join(work, way.output ?? "out.txt");
  const calls = (way.calls?.(file) ?? []).map((call) => ({
    reasoning: "It is to be written.",
    text: "I write it.",
    toolCalls: [call],
  }));
  const last = { text: "It is written. This is simulated." };
  const script = path.join(folder, "script.json");
  await writeFile(
    script,
    JSON.stringify({ conversations: [{ when: MARK, steps: [...calls, last] }, { steps: [] }] }),
  );
  const key = "a-key-of-this-test";
  const emulator = await startOpenclaw(["emulator", "--emulator-script", script, "-v"], { HOME: folder });
  const aws = {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIAEMULATOR0EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "openclaw/emulator/secret/for/no/AWS/call",
  };
  const server = await startOpenclaw(["serve", "--port", "0", "-v"], {
    HOME: folder,
    ...aws,
    AWS_ENDPOINT_URL: emulator.url,
    OPENCLAW_SERVE_API_KEY: key,
  });
  const place = {
    bin: path.join(clients, "node_modules", ".bin"),
    serve: server.url,
    emulator: emulator.url,
    key,
    model: way.model ?? MODEL,
    home,
    work,
    aws,
    prompt: `${MARK}: write the file ${file}`,
  };
  for (const [name, text] of Object.entries(way.files?.(place) ?? {})) {
    await mkdir(path.dirname(path.join(home, name)), { recursive: true });
    await writeFile(path.join(home, name), text);
  }
  const env = {
    HOME: home,
    PATH: `${path.dirname(node)}:/usr/bin:/bin`,
    TERM: "dumb",
    LANG: "C.UTF-8",
    ...way.env?.(place),
  };
  let printed = "";
  const commands = [way.before?.(place), way.command(place)].flatMap((command) => (command ? [command] : []));
  /** @type {number | string | null} */
  let code = 0;
  for (const command of commands) {
    const done = await run(command, { cwd: work, env });
    printed += done.printed;
    code = done.code;
    if (code !== 0) break;
  }
  await server.stop();
  await emulator.stop();
  const written = await readFile(file, "utf8").catch(() => undefined);
  const isWritten = way.output
    ? written?.includes(`"output": "${last.text}"`)
    : written?.trimEnd() === "written by the loop";
  const isGood = code === 0 && isWritten;
  const report = isGood
    ? ""
    : [
        `exit code ${code}, file: ${JSON.stringify(written?.slice(0, 200))}, in ${folder}`,
        "--- printed",
        printed.slice(-3000),
        "--- serve",
        server.log().slice(-3000),
        "--- emulator",
        emulator.log().slice(-2000),
      ].join("\n");
  if (flags.keep)
    await writeFile(
      path.join(folder, "log.txt"),
      [printed, "--- serve", server.log(), "--- emulator", emulator.log()].join("\n"),
    );
  else await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  return report;
}

/** @param {string[]} row */
const row = (row) => `| ${row.join(" | ")} |`;

async function main() {
  const node = await nodeBinary(NODE);
  /** @type {{ dependencies: Record<string, string> }} */
  const { dependencies } = JSON.parse(
    await readFile(path.join(root, "test", "clients", "package.json"), "utf8"),
  );
  /** @type {string[]} */
  const rows = [];
  let failures = 0;
  for (const program of PROGRAMS) {
    if (flags.only && !flags.only.some((name) => program.name.toLowerCase().includes(name.toLowerCase())))
      continue;
    for (const way of program.ways) {
      const started = Date.now();
      const fault = await attempt(way, node);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      const where = `${program.name} ${dependencies[program.package]}, ${way.wire} by ${way.via}`;
      say(`${fault === "" ? "ok  " : "FAIL"} ${where} (${seconds} s)`);
      if (fault !== "") {
        failures += 1;
        say(fault.replace(/^/gm, "     "));
      }
      rows.push(
        row([
          program.name,
          dependencies[program.package] ?? "",
          way.wire,
          way.via,
          fault === "" ? "works" : "fails",
        ]),
      );
    }
  }
  const table = [row(["program", "version", "speaks", "with", ""]), row(Array(5).fill("---")), ...rows].join(
    "\n",
  );
  say(`\n${table}`);
  if (flags.write) await writeTable(table);
  process.exitCode = failures === 0 ? 0 : 1;
}

/** @param {string} table */
async function writeTable(table) {
  const page = path.join(root, "docs", "clients.md");
  const text = await readFile(page, "utf8");
  const [begin, end] = ["<!-- made by npm run test:clients -->", "<!-- end -->"];
  const [before, rest = ""] = text.split(begin);
  await writeFile(page, `${before}${begin}\n\n${table}\n\n${end}${rest.split(end)[1] ?? ""}`);
}

if (flags.inside) await main();
else {
  await setUp(say);
  await nodeBinary(NODE);
  await install();
  isolate();
}
