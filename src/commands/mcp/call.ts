import { nameTools, prefixOf } from "../../chat/tools/mcp/tool-names.ts";
import { noServer } from "../../chat/tools/toolbox.ts";
import { mcpServersOf } from "../../config/configured-tools.ts";
import { loadConfig } from "../../config/resolve.ts";
import type { Runtime } from "../../runtime.ts";
import { run as runTool, type RunOptions } from "../tools/run.ts";

export interface CallOptions extends RunOptions {
  server: string;
}

/**
 * Calls a tool of an MCP server once, named as the server has it or as a model has it: what `tools run` does with the
 * tool of that name. Throws what that throws, and `usage` for a server that is not in the configuration.
 */
export async function run({ server, tool, ...options }: CallOptions, runtime: Runtime): Promise<void> {
  const { value } = await loadConfig(options, runtime);
  const servers = [...mcpServersOf(value).keys()];
  if (!servers.includes(server)) throw noServer(server, servers);
  const isWhole = tool.startsWith(prefixOf(server));
  await runTool({ ...options, tool: isWhole ? tool : (nameTools(server, [tool])[0] ?? tool) }, runtime);
}
