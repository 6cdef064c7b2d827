// Measures `openclaw batch run` over many short prompts against a server that answers at once.
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { root } from "../set-up.js";
import { runOnce } from "./measure.js";
import { startServer } from "./start-server.js";

const MODEL = "anthropic.claude-3-haiku-20240307-v1:0";
const reportUsage = path.join(root, "scripts", "bench", "report-usage.cjs");

/**
 * Runs so many lines, and returns what they took, in words.
 * @param {string} work
 * @param {number} lines
 */
export async function batchRun(work, lines) {
  if (!Number.isInteger(lines) || lines < 1) throw new Error("--batch is how many lines there are.");
  const input = path.join(work, "prompts.jsonl");
  const written = createWriteStream(input);
  for (let line = 1; line <= lines; line += 1) {
    const text = JSON.stringify({ recordId: `r${line}`, prompt: `Say four words ${line}`, maxTokens: 100 });
    if (!written.write(`${text}\n`)) await once(written, "drain");
  }
  written.end();
  await once(written, "finish");
  const { child, url, accessKeyId, secretAccessKey } = await startServer("batch-server", work);
  try {
    const home = path.join(work, "batch-home");
    await mkdir(home);
    const usage = path.join(home, "usage.json");
    const output = path.join(work, "answers.jsonl");
    const args = ["--require", reportUsage, path.join(root, "bin", "openclaw.js"), "batch", "run", input];
    const { wallMs } = await runOnce(process.execPath, [...args, "-m", MODEL, "-o", output, "--json"], {
      PATH: process.env["PATH"],
      HOME: home,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "us-east-1",
      OPENCLAW_USAGE: usage,
    });
    const { cpuMs, peakMiB } = JSON.parse(await readFile(usage, "utf8"));
    return [
      `${lines.toLocaleString("en-US")} lines in ${(wallMs / 1000).toFixed(1)} s`,
      `${(cpuMs / lines).toFixed(3)} ms of CPU a line`,
      `${Math.round(peakMiB)} MiB at most`,
    ].join(", ");
  } finally {
    child.stdin?.end();
  }
}
