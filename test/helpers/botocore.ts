import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { TestContext } from "vitest";

const isThere = spawnSync("python3", ["-c", "import awscli, botocore"]).status === 0;

/** Skips a test on a machine without botocore and the AWS CLI, which are the judges in it, and says so. */
export function needBotocore({ skip }: Pick<TestContext, "skip">): void {
  skip(!isThere, "python3 with botocore and awscli is not here");
}

/**
 * Runs a Python program with this environment and nothing else; `input` is what `json.load(sys.stdin)` gives it, and what
 * it prints as JSON is the result. Throws with its stderr when it fails.
 */
export async function askPython(
  program: string,
  input: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const child = spawn("python3", ["-c", program], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", PYTHONUTF8: "1", ...env },
  });
  child.stdin.end(JSON.stringify(input));
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (code !== 0) throw new Error(`python3 ended with ${String(code)}: ${stderr}`);
  return JSON.parse(stdout);
}
