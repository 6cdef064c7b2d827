// Measures `openclaw batch submit` of a large file against the emulator.
import { createWriteStream } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { measuredProgram } from "./measured-program.js";
import { startServer } from "./start-server.js";

/** Of a line, in bytes: a job takes 50,000 of them. */
const LINE_BYTES = 24 * 1024;

/**
 * Submits a file of so many MB, and returns what that took, in words.
 * @param {string} work
 * @param {number} megabytes
 */
export async function batchSubmit(work, megabytes) {
  if (!(megabytes > 0)) throw new Error("--submit is how many MB the file has.");
  const input = path.join(work, "lines.jsonl");
  const lines = Math.ceil((megabytes * 1_000_000) / LINE_BYTES);
  await pipeline(linesOf(lines), createWriteStream(input));
  const { child, ...server } = await startServer("submit-server", work);
  try {
    const measure = await measuredProgram(server, work);
    const where = ["--s3", "s3://openclaw-emulator/bench", "--role", "arn:aws:iam::123456789012:role/bench"];
    const { wallMs, cpuMs, peakMiB } = await measure(
      "batch",
      "submit",
      input,
      "-m",
      "amazon.nova-lite-v1:0",
      ...where,
    );
    return (
      `submit: ${megabytes} MB in ${lines.toLocaleString("en-US")} lines, ${(wallMs / 1000).toFixed(1)} s, ` +
      `${(cpuMs / 1000).toFixed(1)} s of CPU, ${peakMiB} MiB at most`
    );
  } finally {
    child.stdin?.end();
  }
}

/** @param {number} count */
function* linesOf(count) {
  for (let line = 1; line <= count; line += 1) {
    const prompt = `${line} ${"word ".repeat(LINE_BYTES)}`.slice(0, LINE_BYTES - 40);
    yield `${JSON.stringify({ recordId: `r${line}`, prompt })}\n`;
  }
}
