import type { FilledTemplate } from "../../chat/template.ts";
import type { WantedTools } from "../../chat/tools/toolbox.ts";
import { usageError } from "../../errors.ts";

export interface ToolOptions {
  /** Tools by name: `read-file:DIR`, `deploy`, `files__read*`. */
  tool?: string[];
  mcp?: string[];
  /** Patterns of what may run unasked. */
  allow?: string[];
  /** Rounds in which the model calls tools. */
  maxSteps?: number;
  /** False with `--no-run`. */
  run: boolean;
  /** A file with the results of calls; `-` is stdin. */
  toolResult?: string;
}

/**
 * What the flags and the template name; undefined where it is nothing. A tool that both name is that of the flag, which may
 * give it another folder.
 */
export function wantedTools(
  { tool = [], mcp = [] }: ToolOptions,
  template?: Pick<FilledTemplate, "tools" | "mcpServers">,
): WantedTools | undefined {
  const named = new Set(tool.map(withoutFolder));
  const ofTemplate = (template?.tools ?? []).filter((name) => !named.has(withoutFolder(name)));
  const tools = [...new Set([...ofTemplate, ...tool])];
  const servers = [...new Set([...(template?.mcpServers ?? []), ...mcp])];
  return tools.length + servers.length === 0 ? undefined : { tools, servers };
}

function withoutFolder(name: string): string {
  return name.split(":", 1)[0] ?? name;
}

/** Whether the flags fit together. Throws `usage`. */
export function checkToolOptions(
  options: ToolOptions & { session?: string; continue?: boolean; file?: string[]; schema?: string },
  wanted: WantedTools | undefined,
): void {
  const { allow, maxSteps, run, toolResult } = options;
  const needsTools =
    allow !== undefined ? "--allow" : maxSteps !== undefined ? "--max-steps" : run ? undefined : "--no-run";
  if (needsTools !== undefined && !wanted)
    throw usageError(
      `${needsTools} is about the calls of tools, and none is named.`,
      "Name one: --tool NAME, or --mcp SERVER. Those there are: openclaw tools list",
    );
  if (!run && allow !== undefined)
    throw usageError("--allow lets calls run, and --no-run none.", "Leave one of them out.");
  if (toolResult === undefined) return;
  if (options.session === undefined && !options.continue)
    throw usageError(
      "--tool-result goes on with a session, and none is named.",
      "Name that of the calls: --session ID",
    );
  if (options.file !== undefined)
    throw usageError(
      "--file goes with a question, and --tool-result with the answer to calls.",
      "Leave one of them out.",
    );
}
