import { readFile } from "node:fs/promises";
import path from "node:path";
import { OpenclawError, usageError } from "../errors.ts";
import { readBytes } from "../read-bytes.ts";
import type { Runtime } from "../runtime.ts";

/**
 * Makes the prompt of one call: what is piped in, a blank line, the arguments; `-` means stdin only. With
 * `isStdinTaken`, stdin is a file that goes with the prompt. Throws `usage` when nothing is left to ask.
 */
export async function readPrompt(
  args: readonly string[],
  runtime: Runtime,
  { isStdinTaken = false }: { isStdinTaken?: boolean } = {},
): Promise<string> {
  const isStdinOnly = args.length === 1 && args[0] === "-";
  if (isStdinOnly && isStdinTaken)
    throw usageError(
      "stdin is both the prompt (-) and a file (--file -).",
      "Write the prompt as an argument.",
    );
  const isPiped = runtime.stdin.isTTY !== true && !isStdinTaken;
  const piped = isPiped || isStdinOnly ? await readAll(runtime.stdin) : "";
  const typed = isStdinOnly ? "" : args.join(" ");
  const prompt = [piped.replace(/[\r\n]+$/, ""), typed].filter((part) => part.trim() !== "").join("\n\n");
  if (prompt === "")
    throw usageError(
      isStdinTaken
        ? "There is no prompt: no argument was given, and stdin is a file (--file -)."
        : "There is no prompt: no argument was given and stdin is empty.",
      'openclaw chat "Hello"',
    );
  return prompt;
}

/** The system prompt of `--system` or `--system-file`. Throws `usage` for both at once and for an unreadable file. */
export async function readSystemPrompt(
  options: { system?: string; systemFile?: string },
  runtime: Runtime,
): Promise<string | undefined> {
  const { system, systemFile } = options;
  if (systemFile === undefined) return system;
  if (system !== undefined)
    throw usageError("--system and --system-file both name a system prompt.", "Leave one of them out.");
  try {
    return await readFile(path.resolve(runtime.currentFolder, systemFile), "utf8");
  } catch (cause) {
    throw usageError(
      `--system-file '${systemFile}' cannot be read: ${(cause as Error).message}.`,
      "Name a file of text.",
    );
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const bytes = await readBytes(stream);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OpenclawError("bad-attachment", {
      message: "What is piped in is not UTF-8 text.",
      hint: "Attach it as a file with --file -, or convert it first: iconv -f LATIN1 -t UTF-8",
      cause,
    });
  }
}
