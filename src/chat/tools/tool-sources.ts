import { commandToolsOf, mcpServersOf } from "../../config/configured-tools.ts";
import { formatPath, type Path } from "../../config/path.ts";
import { secretsOf } from "../../config/secrets.ts";
import type { Configuration } from "../../config/settings.ts";
import { rememberSecrets } from "../../credentials/hide-secrets.ts";
import { OpenclawError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { builtIns, builtInTool } from "./built-in/built-in-tools.ts";
import { checkInputSchema, commandTool } from "./command-tool.ts";
import type { McpServer } from "./mcp/open-server.ts";
import { prefixOf } from "./mcp/tool-names.ts";
import type { ToolSources } from "./toolbox.ts";

/**
 * After a signal what runs for tools has half a second to end; then there is to be time to say, and to keep, how the turn
 * ended, in ms, all of it within a second.
 */
const TOOLS_END_MS = 800;

/** Where tools come from in a configuration, whose `${NAME}` are expanded when something is opened. */
export function sourcesOf(
  config: Configuration,
  runtime: Runtime,
  options: Pick<GlobalOptions, "config">,
): ToolSources<McpServer> {
  runtime.allowGrace(TOOLS_END_MS);
  // A tool may show the file, or the environment.
  rememberSecrets(runtime, secretsOf(config, runtime.env));
  const commands = commandToolsOf(config);
  const servers = mcpServersOf(config);
  return {
    builtIns: builtIns(),
    openBuiltIn: (name, folder) => builtInTool(name, folder, runtime, options),
    commands: [...commands.keys()],
    openCommand: async (name) => {
      const { setting } = entryOf(commands, name);
      const tool = commandTool(name, setting, runtime);
      await checkInputSchema(name, setting, runtime.signal);
      return tool;
    },
    servers: [...servers.keys()],
    prefixOf,
    openServer: async (name) => {
      const server = entryOf(servers, name);
      if (server.isDisabled)
        throw isDisabled(name, [...server.path, server.setting.disabled ? "disabled" : "enabled"]);
      const { openServer } = await import("./mcp/open-server.ts");
      return openServer(name, server, runtime);
    },
  };
}

function entryOf<T>(entries: ReadonlyMap<string, T>, name: string): T {
  const entry = entries.get(name);
  if (entry) return entry;
  throw new Error(`'${name}' is not among ${[...entries.keys()].join(", ")}.`);
}

function isDisabled(name: string, path: Path): OpenclawError {
  const place = formatPath(path);
  return new OpenclawError("config-invalid", {
    message: `The MCP server '${name}' is disabled.`,
    hint: `openclaw config unset ${quoteForShell(place)}`,
    details: { path: place },
  });
}
