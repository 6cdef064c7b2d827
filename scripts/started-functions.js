// Writes started-functions.json anew, the functions that the bundler has compiled when their file is loaded:
//   npm run started-functions
// They are those that ran, by V8's account, in the commands whose starts count, which are run here.
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { runOnce } from "./bench/measure.js";
import { MODEL, openclaw, ROUND_TRIP_MS } from "./bench/rows.js";
import { startServer } from "./bench/start-server.js";
import { root, setUp } from "./set-up.js";

/**
 * V8's account of a process.
 * @typedef {{ url: string, functions: { functionName: string, ranges: { count: number }[] }[] }} Script
 */

const chat = openclaw("chat", "-m", MODEL, "Hello");
const list = openclaw("models", "list");
const STARTS = [
  openclaw("--version"),
  openclaw("config", "file"),
  openclaw("config", "get", "agents"),
  openclaw("models", "list", "--refresh"),
  list,
  // What was printed is kept for the second time.
  list,
  openclaw("models", "list", "--offline", "--search", "nova"),
  chat,
  openclaw("doctor"),
];

await setUp((step) => console.error(`...  ${step}`));
const work = await mkdtemp(path.join(tmpdir(), "openclaw-started-"));
const server =
  /** @type {import("./bench/start-server.js").Listening & import("./bench/start-server.js").OverTls & { child: import("node:child_process").ChildProcess }} */ (
    await startServer("tls-server", work, ROUND_TRIP_MS)
  );
try {
  const { near, bearerToken, accessKeyId, secretAccessKey } = server;
  const accounts = path.join(work, "accounts");
  const authority = path.join(work, "authority.pem");
  await writeFile(authority, server.authority);
  const home = path.join(work, "home");
  await mkdir(path.join(home, ".openclaw"), { recursive: true, mode: 0o700 });
  const configuration = JSON.stringify({ agents: { defaults: { model: MODEL } } });
  await writeFile(path.join(home, ".openclaw", "openclaw.json"), configuration, { mode: 0o600 });
  const env = {
    HOME: home,
    PATH: process.env["PATH"],
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    NODE_EXTRA_CA_CERTS: authority,
    NODE_V8_COVERAGE: accounts,
    AWS_ENDPOINT_URL_BEDROCK: near.bedrock,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: near.runtime,
  };
  for (const args of STARTS)
    await runOnce(process.execPath, args, { ...env, AWS_BEARER_TOKEN_BEDROCK: bearerToken });
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  await runOnce(process.execPath, chat, { ...env, ...keys });
  const names = await namesOfRun(accounts);
  const file = path.join(root, "scripts", "started-functions.json");
  await writeFile(file, `${JSON.stringify(names, undefined, 2)}\n`);
  console.log(`${names.length} functions; npm run build puts them to use.`);
} finally {
  server.child.stdin?.end();
  await rm(work, { recursive: true, force: true });
}

/**
 * The names of the program's functions that ran. What the bundler has shortened is the name of nothing in the sources.
 * @param {string} folder
 */
async function namesOfRun(folder) {
  const program = pathToFileURL(path.join(root, "dist")).href;
  /** @type {Set<string>} */
  const names = new Set();
  for (const name of await readdir(folder)) {
    /** @type {{ result: Script[] }} */
    const { result } = JSON.parse(await readFile(path.join(folder, name), "utf8"));
    for (const { functions } of result.filter(({ url }) => url.startsWith(program)))
      for (const { functionName, ranges } of functions) {
        // The bundler numbers those of the same name.
        const plain = functionName.replace(/\$\d+$/, "");
        if (ranges[0] && ranges[0].count > 0 && /^\w{3,}$/.test(plain)) names.add(plain);
      }
  }
  return [...names].sort();
}
