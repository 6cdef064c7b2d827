// Measures `openclaw batch run` over many short prompts against a server that answers at once, and what goes on with it.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { truncate } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { measuredProgram } from "./measured-program.js";
import { startServer } from "./start-server.js";

const MODEL = "anthropic.claude-3-haiku-20240307-v1:0";

/**
 * Runs so many lines, and returns what they took, in words.
 * @param {string} work
 * @param {number} lines
 */
export async function batchRun(work, lines) {
  if (!Number.isInteger(lines) || lines < 1) throw new Error("--batch is how many lines there are.");
  const input = path.join(work, "prompts.jsonl");
  await pipeline(linesOf(lines), createWriteStream(input));
  const { child, ...server } = await startServer("batch-server", work);
  try {
    const output = path.join(work, "answers.jsonl");
    const measure = await measuredProgram(server, work);
    const args = ["batch", "run", input, "-m", MODEL, "-o", output, "--json"];
    const run = await measure(...args);
    await writeJournal(input, output);
    const again = await measure(...args, "--resume");
    return [
      `run: ${lines.toLocaleString("en-US")} lines, ${Math.round(lines / (run.wallMs / 1000))} a second, ` +
        `${(run.cpuMs / lines).toFixed(3)} ms of CPU a line, ${run.peakMiB} MiB at most`,
      `--resume with all of them in the journal: ${(again.wallMs / 1000).toFixed(1)} s, ` +
        `${(again.cpuMs / 1000).toFixed(1)} s of CPU, ${again.peakMiB} MiB at most`,
    ].join("\n");
  } finally {
    child.stdin?.end();
  }
}

/** @param {number} count */
function* linesOf(count) {
  for (let line = 1; line <= count; line += 1) {
    const text = JSON.stringify({ recordId: `r${line}`, prompt: `Say four words ${line}`, maxTokens: 100 });
    yield `${text}\n`;
  }
}

/**
 * Puts the journal of a run beside an empty output, as it is when the run is killed with all results in it and none written.
 * @param {string} input
 * @param {string} output
 */
async function writeJournal(input, output) {
  const nothing = { inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 };
  const header = {
    openclawBatch: 1,
    asked: {
      input: await digestOf(input),
      kind: "plain",
      format: "plain",
      model: MODEL,
      "--max-tokens": null,
    },
    written: { lines: 0, bytes: 0, tally: { lines: 0, cut: 0, failed: {}, ...nothing } },
  };
  /** @param {string} text */
  const checked = (text) => `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
  const records = async function* () {
    yield checked(JSON.stringify(header));
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(output) }))
      yield checked(`${(number += 1)} ok 8 4 0.000007 0 ${line}`);
  };
  await pipeline(records, createWriteStream(`${output}.journal`));
  await truncate(output);
}

/** @param {string} file */
async function digestOf(file) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
