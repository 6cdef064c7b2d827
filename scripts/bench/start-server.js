// Servers to measure against, each in a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { bundleModule } from "../bundle-module.js";

/**
 * What a server says when it listens, what tls-server.ts says beside (`authority` is PEM), and a process whose output can be
 * read. A server with `endpoints` has one for each service in place of its `url`.
 * @typedef {{ bedrock: string, runtime: string, sts: string }} Endpoints
 * @typedef {{ url: string, accessKeyId: string, secretAccessKey: string, bearerToken?: string, endpoints?: Endpoints }} Listening
 * @typedef {{ bearerToken: string, authority: string, near: Endpoints, far: Endpoints }} OverTls
 * @typedef {import("node:child_process").ChildProcess & { stdout: import("node:stream").Readable }} Printing
 */

/**
 * Bundles a server of this folder into `work` and starts it. Resolves to its process and what it prints when it listens.
 * @param {string} name
 * @param {string} work
 * @param {(number | string)[]} args
 */
export async function startServer(name, work, ...args) {
  const outfile = path.join(work, `${name}.mjs`);
  await bundleModule(`scripts/bench/${name}.ts`, outfile);
  return listening(
    spawn(process.execPath, [outfile, ...args.map(String)], { stdio: ["pipe", "pipe", "inherit"] }),
  );
}

/**
 * Resolves to a process with the JSON of its first line.
 * @template {Printing} C
 * @param {C} child
 * @returns {Promise<Listening & { child: C }>}
 */
export async function listening(child) {
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, ...JSON.parse(line) };
}
