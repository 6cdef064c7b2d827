import { expandConfigured } from "../../config/configured-tools.ts";
import { formatPath, type Path } from "../../config/path.ts";
import { type CommandToolSetting, DEFAULT_TOOL_SECONDS } from "../../config/settings.ts";
import { askSchemaWorker } from "../../converse/schema-workers.ts";
import { OpenclawError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import { toJson } from "../../json-numbers.ts";
import type { Runtime } from "../../runtime.ts";
import { rememberSecrets } from "../../credentials/hide-secrets.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { type CommandEnd, type CommandRun, environmentFor, runCommand, secretsOf } from "./run-command.ts";
import { textResult, type Tool, type ToolResult } from "./tool.ts";
import { MOST_TEXT_BYTES, outputResult, outputText } from "./tool-result.ts";

/**
 * The tool that a command of the settings is, `tools.<name>`. It gets the input as a line of JSON on stdin. Throws
 * `config-invalid` where a value that it takes from the environment is not there, or is none that it takes.
 */
export function commandTool(name: string, setting: CommandToolSetting, runtime: Runtime): Tool {
  const expanded = expandConfigured({ setting, path: ["tools", name] }, runtime.env);
  const { description, command, input: inputSchema, allow = "ask" } = expanded;
  const { timeoutSeconds = DEFAULT_TOOL_SECONDS, env } = expanded;
  rememberSecrets(runtime, secretsOf(setting, expanded, runtime.env));
  return {
    name,
    // As it is written: what it takes from the environment may be a secret.
    source: { kind: "command", command: setting.command },
    description,
    inputSchema: { type: "object", ...inputSchema },
    allow,
    run: async (input: JsonObject, signal: AbortSignal) => {
      const run = await runCommand(
        {
          command,
          input: `${toJson(input)}\n`,
          env: environmentFor(runtime.env, env, runtime.platform),
          folder: runtime.currentFolder,
          timeoutSeconds,
        },
        runtime,
        signal,
      );
      return commandResult(run, quoteForShell(command[0] ?? ""), timeoutSeconds);
    },
  };
}

/**
 * Checks that the schema of a command's input is one: a call could not be held to it, and AWS refuses it in words that name
 * no setting. Throws `config-invalid` naming the place. One that takes too long is left to the call.
 */
export async function checkInputSchema(
  name: string,
  { input }: CommandToolSetting,
  signal: AbortSignal,
): Promise<void> {
  const judged = await askSchemaWorker({ schema: JSON.stringify(input) }, signal);
  if (!("fault" in judged)) return;
  const { at, problem } = judged.fault;
  const place = formatPath(["tools", name, "input", ...pathOf(at)]);
  throw new OpenclawError("config-invalid", {
    message: `${place} is not valid in a JSON Schema: it ${problem}.`,
    hint: `Correct it: openclaw config set ${quoteForShell(place)} …`,
    details: { path: place },
  });
}

function pathOf(pointer: string): Path {
  const names = pointer.split("/").slice(1);
  return names.map((name) =>
    /^\d+$/.test(name) ? Number(name) : name.replaceAll("~1", "/").replaceAll("~0", "~"),
  );
}

/**
 * What came of a command, as a result: what it wrote on stdout, or how it failed with all that it wrote. `name` is the
 * command's in a sentence.
 */
export function commandResult(run: CommandRun, name: string, timeoutSeconds: number): ToolResult {
  const { stdout, stderr, end } = run;
  if (end.kind === "exit" && end.code === 0) return outputResult(stdout);
  const parts = [describeEnd(end, name, timeoutSeconds)];
  for (const [label, output] of [
    ["stderr", stderr],
    ["stdout", stdout],
  ] as const)
    if (output.length > 0) parts.push(`${label}:\n${outputText(output, MOST_TEXT_BYTES / 2)}`);
  return textResult(parts.join("\n\n"), true);
}

function describeEnd(end: CommandEnd, name: string, timeoutSeconds: number): string {
  switch (end.kind) {
    case "exit":
      return `${name} ended with exit code ${end.code}.`;
    case "signal":
      return `${name} was ended by ${end.signal}.`;
    case "late":
      return `${name} was ended: it was not done within ${timeoutSeconds} s.`;
    case "flood":
      return `${name} was ended: it wrote more than anybody reads.`;
    case "not-started":
      return end.why;
  }
}
