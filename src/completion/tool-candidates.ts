import { commandToolsOf, mcpServersOf } from "../config/configured-tools.ts";
import { BUILT_IN_TOOLS, type Configuration } from "../config/settings.ts";
import { prefixOf } from "../chat/tools/mcp/tool-names.ts";
import type { Candidate } from "./value-kinds.ts";

/** What is allowed by its own name only. */
const EXACT = ["aws:write"];

/** What flags about tools take, by the configuration alone: no server is started for it. */
export function toolCandidates(kind: "tool" | "server" | "leave", config: Configuration): Candidate[] {
  const servers = [...mcpServersOf(config)]
    .filter(([, { isDisabled, problem }]) => !isDisabled && problem === undefined)
    .map(([name]) => name);
  if (kind === "server") return servers.map((value) => ({ value }));
  const commands = [...commandToolsOf(config)].flatMap(([value, { setting, problem }]) =>
    problem === undefined ? [{ value, description: setting.description }] : [],
  );
  const prefixes = servers.map(prefixOf);
  const fixed = [...BUILT_IN_TOOLS.map((value) => ({ value })), ...commands];
  if (kind === "tool") return [...fixed, ...prefixes.map((value) => ({ value, isBranch: true as const }))];
  return [...fixed, ...[...EXACT, ...prefixes.map((prefix) => `${prefix}*`)].map((value) => ({ value }))];
}
