import { decodeText } from "../disk/decode-text.ts";
import { ReadFailure } from "../disk/read-file.ts";
import { namesStdin, readInput, readTextInput } from "../disk/read-input.ts";
import { OpenclawError, shorten, usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { FilledTemplate } from "./template.ts";

/**
 * Which flag reads stdin, of those that name files; undefined when none does. Throws `usage` when several do.
 */
export function findStdinFlag(options: {
  file?: string[];
  systemFile?: string;
  schema?: string;
  toolResult?: string;
}): string | undefined {
  const named = [
    ...(options.file ?? []).map((name) => ["--file", name] as const),
    ["--system-file", options.systemFile ?? ""] as const,
    ["--schema", options.schema ?? ""] as const,
    ["--tool-result", options.toolResult ?? ""] as const,
  ].filter(([, name]) => namesStdin(name));
  const [first, second] = named.map((words) => words.join(" "));
  if (first === undefined || second === undefined) return first;
  throw usageError(
    first === second
      ? `${first} is given twice, and there is one stdin.`
      : `${first} and ${second} both read stdin, and there is one.`,
    "Leave one of them out.",
  );
}

export interface PromptOptions {
  stdinFlag?: string | undefined;
  hasFiles?: boolean;
  template?: FilledTemplate | undefined;
}

/**
 * Makes the prompt of one call: what is piped in, a blank line, the arguments; `-` means stdin only. With
 * `stdinFlag`, stdin is read by that flag. A template makes of this `input` what is asked. Empty only where no words are
 * asked for because there are files: then they are the question. Throws `usage` when nothing is left to ask.
 */
export async function readPrompt(
  args: readonly string[],
  runtime: Runtime,
  { stdinFlag, hasFiles = false, template }: PromptOptions = {},
): Promise<{ prompt: string; input: string }> {
  const isStdinOnly = args.length === 1 && args[0] === "-";
  if (isStdinOnly && stdinFlag !== undefined)
    throw usageError(
      `stdin is both the prompt (-) and a file (${stdinFlag}).`,
      "Write the prompt as an argument.",
    );
  if (args.length > 1 && args[0] === "-")
    throw usageError(
      `- stands for stdin alone, and '${shorten(args.slice(1).join(" "))}' stands behind it.`,
      "Leave - out: what is piped in comes before the words.",
    );
  const isPiped = runtime.stdin.isTTY !== true && stdinFlag === undefined;
  const piped = isPiped || isStdinOnly ? await readPiped(runtime) : "";
  const typed = isStdinOnly ? "" : args.join(" ");
  const input = [piped.replace(/[\r\n]+$/, ""), typed].filter((part) => part.trim() !== "").join("\n\n");
  const prompt = template ? template.ask(input) : input;
  if (prompt === "" && !(hasFiles && args.length === 0)) {
    const words = args.length === 0 || isStdinOnly ? "no argument was given" : "what was given is empty";
    throw usageError(
      stdinFlag
        ? `There is no prompt: ${words}, and stdin is a file (${stdinFlag}).`
        : `There is no prompt: ${words} and stdin is empty.`,
      'openclaw chat "Hello"',
    );
  }
  return { prompt, input };
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
  return readTextInput(systemFile, "--system-file", "Name a file of text.", runtime);
}

async function readPiped(runtime: Runtime): Promise<string> {
  const { bytes } = await readInput("-", runtime).catch((cause: unknown) => {
    if (!(cause instanceof ReadFailure)) throw cause;
    if (cause.code === "EISDIR") throw usageError("stdin is a folder.", "openclaw chat … < FILE");
    throw new OpenclawError("bad-attachment", {
      message: `stdin cannot be read: ${cause.message}.`,
      hint: "Attach a file with --file.",
      cause,
    });
  });
  return decodeText(bytes, { label: "What is piped in", file: undefined, code: "bad-attachment" });
}
