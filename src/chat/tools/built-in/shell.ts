import { DEFAULT_TOOL_SECONDS } from "../../../config/settings.ts";
import type { JsonObject } from "../../../json.ts";
import type { Runtime } from "../../../runtime.ts";
import { commandResult } from "../command-tool.ts";
import { environmentFor, runCommand } from "../run-command.ts";
import type { Demand, ToolResult } from "../tool.ts";
import { outputText } from "../tool-result.ts";
import { numberIn, requiredText, textIn } from "./tool-input.ts";

const MOST_SECONDS = 600;
/** Of what a command that did well wrote to stderr besides, in bytes. */
const MOST_ASIDE = 20_000;

export const SHELL = {
  description: `Runs a command line in the person's shell, in the current folder. The person sees it whole and is asked each time. Returns stdout and stderr, and the exit code where that is not 0; of more than 100,000 bytes the middle is left out. There is no terminal and no input: what asks a question fails or ends with its time (${DEFAULT_TOOL_SECONDS} seconds unless timeoutSeconds says more). What it leaves running in the background is ended.`,
  inputSchema: {
    type: "object",
    properties: {
      command: { type: "string", minLength: 1 },
      timeoutSeconds: { type: "integer", minimum: 1, maximum: MOST_SECONDS },
    },
    required: ["command"],
  },
} as const;

/** Named to the letter and given each time: nothing says beforehand what a command line does. */
export const SHELL_DEMAND: Demand = { name: "shell", isExact: true, isAsked: true };

/** The command line, whole. */
export function describeShell(input: JsonObject): string {
  return textIn(input, "command") ?? "";
}

/** Runs a command line. Throws a `CallFault` for a call without one, and the signal's reason. */
export async function runShellTool(
  input: JsonObject,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<ToolResult> {
  const line = requiredText(input, "command");
  const timeoutSeconds = numberIn(input, "timeoutSeconds", 1, MOST_SECONDS) ?? DEFAULT_TOOL_SECONDS;
  const { env, platform, currentFolder } = runtime;
  const run = await runCommand(
    {
      command: shellCommand(line, runtime),
      env: environmentFor(env, undefined, platform),
      folder: currentFolder,
      timeoutSeconds,
    },
    runtime,
    signal,
  );
  const result = commandResult(run, "The command", timeoutSeconds);
  if (result.isError || run.stderr.length === 0) return result;
  return {
    ...result,
    content: [...result.content, { text: `stderr:\n${outputText(run.stderr, MOST_ASIDE)}` }],
  };
}

/** The arguments with which a shell reads a line, as Node starts one. */
function shellCommand(line: string, { env, platform }: Pick<Runtime, "env" | "platform">): string[] {
  return platform === "win32"
    ? [env["ComSpec"] ?? "cmd.exe", "/d", "/s", "/c", line]
    : [env["SHELL"] ?? "/bin/sh", "-c", line];
}
