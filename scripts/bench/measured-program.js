// Runs the built program against a server, and measures what it takes.
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { root } from "../set-up.js";
import { runOnce } from "./measure.js";

const reportUsage = path.join(root, "scripts", "bench", "report-usage.cjs");

/**
 * Resolves to what runs the program with arguments, in a home below `work`.
 * @param {Pick<import("./start-server.js").Listening, "url" | "accessKeyId" | "secretAccessKey">} server
 * @param {string} work
 * @returns {Promise<(...args: string[]) => Promise<{ wallMs: number, cpuMs: number, peakMiB: number }>>}
 */
export async function measuredProgram({ url, accessKeyId, secretAccessKey }, work) {
  const home = path.join(work, "measured-home");
  await mkdir(home);
  const usage = path.join(home, "usage.json");
  const environment = {
    PATH: process.env["PATH"],
    HOME: home,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: url,
    AWS_REGION: "us-east-1",
    OPENCLAW_USAGE: usage,
  };
  return async (...args) => {
    const command = ["--require", reportUsage, path.join(root, "bin", "openclaw.js"), ...args];
    const { wallMs } = await runOnce(process.execPath, command, environment);
    const { cpuMs, peakMiB } = JSON.parse(await readFile(usage, "utf8"));
    return { wallMs, cpuMs, peakMiB: Math.round(peakMiB) };
  };
}
