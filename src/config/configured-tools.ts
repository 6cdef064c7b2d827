import { OpenclawError } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { Environment } from "../runtime.ts";
import { expandEnv } from "./expand-env.ts";
import { findSetting, isForeign } from "./find-setting.ts";
import { formatPath, type Path } from "./path.ts";
import {
  COMMAND_TOOL,
  type CommandToolSetting,
  type Configuration,
  type McpServerSetting,
} from "./settings.ts";
import { type Problem, problemDetails, validate } from "./validate.ts";
import { mapLeaves } from "./walk-value.ts";

/** An entry of the configuration, and where it stands there. */
export interface Configured<TSetting> {
  setting: TSetting;
  path: Path;
  /** What is wrong with it, in a sentence: then it is of no use, whatever its type says, and `expandConfigured` refuses it. */
  problem?: string;
}

export interface ConfiguredServer extends Configured<McpServerSetting> {
  /** By `disabled: true`, or by `enabled: false`, as the original OpenClaw has it. */
  isDisabled: boolean;
}

/** Whether there are tools or MCP servers. */
export function hasTools(config: Configuration): boolean {
  return commandToolsOf(config).size > 0 || mcpServersOf(config).size > 0;
}

/** The commands that are tools, by name, in the order of the file; not what other programs have there. */
export function commandToolsOf({ tools }: Configuration): Map<string, Configured<CommandToolSetting>> {
  return new Map(
    entriesOfRecord(tools).flatMap(([name, entry]) =>
      isForeign(COMMAND_TOOL, entry)
        ? []
        : [[name, configuredAt(["tools", name], entry as CommandToolSetting)] as const],
    ),
  );
}

/** The MCP servers by name, in the order of the file: those of `mcpServers`, then others of `mcp.servers`. */
export function mcpServersOf({ mcpServers, mcp }: Configuration): Map<string, ConfiguredServer> {
  const servers = new Map<string, ConfiguredServer>();
  for (const [path, entries] of [
    [["mcpServers"], mcpServers],
    [["mcp", "servers"], mcp?.servers],
  ] as const) {
    for (const [name, setting] of entriesOfRecord(entries)) {
      const isDisabled = isRecord(setting) && (setting.disabled === true || setting.enabled === false);
      if (!servers.has(name)) servers.set(name, { ...configuredAt([...path, name], setting), isDisabled });
    }
  }
  return servers;
}

/** What other programs may have there is no map. */
function entriesOfRecord<T>(value: Readonly<Record<string, T>> | undefined): [string, T][] {
  return isRecord(value) ? Object.entries(value) : [];
}

function configuredAt<TSetting>(path: Path, setting: TSetting): Configured<TSetting> {
  const problem = problemWith(setting, path)?.message;
  return { setting, path, ...(problem !== undefined && { problem }) };
}

/** What is wrong with an entry of a map, its name included. */
function problemWith(setting: unknown, path: Path): Problem | undefined {
  const map = path.slice(0, -1);
  return validate({ [String(path.at(-1))]: setting }, findSetting(map)?.kind, map)[0];
}

/**
 * An entry with the values of environment variables in place of `${NAME}` in its texts; those of `input`, which are a JSON
 * Schema, stay as they are. Throws `config-invalid` naming the place for a variable that is not set, and for a value that
 * the setting does not take.
 */
export function expandConfigured<TSetting extends object>(
  { setting, path }: Configured<TSetting>,
  env: Environment,
): TSetting {
  const expanded = mapLeaves(
    setting,
    (leaf) =>
      typeof leaf.value === "string" && leaf.path[path.length] !== "input"
        ? expandEnv(leaf.value, env, formatPath(leaf.path))
        : leaf.value,
    path,
  );
  const problem = problemWith(expanded, path);
  if (problem === undefined) return expanded as TSetting;
  throw new OpenclawError("config-invalid", {
    message: problem.message,
    hint: "openclaw config validate",
    details: problemDetails(problem),
  });
}
