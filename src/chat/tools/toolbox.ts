import { OpenclawError, shorten, usageError } from "../../errors.ts";
import { didYouMean } from "../../models/nearest.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { matchesPattern } from "./leave.ts";
import type { Tool, Toolbox } from "./tool.ts";

export interface WantedTools {
  /** A name as `tools list` has it, that of a built-in with `:FOLDER`; of a server's tools a pattern, too. */
  tools: readonly string[];
  /** Servers by name, with all of their tools. */
  servers: readonly string[];
}

/** A tool of this program, before a folder is chosen for it. */
export interface BuiltIn {
  name: string;
  /** Whether a folder may stand behind its name: `read-file:DIR`. */
  takesFolder: boolean;
  /** What it does, for a person. */
  says: string;
}

/** What tools are taken from: a server that runs, and is ended by `close`. */
export interface ToolServer {
  name: string;
  /** Rejects when it is gone. */
  tools(): Promise<readonly Tool[]>;
  close(): Promise<void>;
}

/** Where tools come from, each opened only when it is named. */
export interface ToolSources<TServer extends ToolServer> {
  builtIns: readonly BuiltIn[];
  /** Throws `usage` for a folder that is none. */
  openBuiltIn(name: string, folder: string | undefined): Promise<Tool>;
  commands: readonly string[];
  /** Throws `config-invalid`. */
  openCommand(name: string): Promise<Tool>;
  servers: readonly string[];
  /** What the names of a server's tools begin with. */
  prefixOf(server: string): string;
  /** Throws `config-invalid` for one that cannot be started or asks for a login. */
  openServer(name: string): Promise<TServer>;
}

/** A server, and which of its tools are wanted: undefined for all. */
interface WantedServer {
  name: string;
  patterns: string[] | undefined;
}

/**
 * Opens what is named, once each, and checks that all of it is there. What was started ends with `close`. With `onGone` a
 * server that no longer lists its tools keeps those that it had, whose calls say why they fail: it is told once. Throws
 * `usage` for a name that nothing has, or that two tools have, and whatever the sources throw; then nothing is left running.
 */
export async function openToolbox<TServer extends ToolServer>(
  { tools: names, servers: serverNames }: WantedTools,
  sources: ToolSources<TServer>,
  onGone?: (why: OpenclawError) => Promise<void>,
): Promise<Toolbox & { servers: readonly TServer[] }> {
  const servers = wantedServers(names, serverNames, sources);
  const fixed = await openFixed(
    names.filter((name) => serverOf(name, sources) === undefined),
    sources,
  );
  const opened = await Promise.allSettled(servers.map(({ name }) => sources.openServer(name)));
  const running = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(running.map((server) => server.close()));
  };
  const lists = running.map((server) => (onGone ? lastingTools(server, onGone) : () => server.tools()));
  try {
    for (const result of opened) if (result.status === "rejected") throw result.reason;
    const toolbox = {
      servers: running,
      tools: async () => {
        const ofServers = await Promise.all(
          lists.map(async (list, index) => chosen(await list(), servers[index]?.patterns)),
        );
        return firstOfEachName([...fixed, ...ofServers.flat()]);
      },
      close,
    };
    await checkServers(servers, running, fixed);
    return toolbox;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Lists the tools of a server, those that it listed last where it no longer does. */
function lastingTools(
  server: ToolServer,
  onGone: (why: OpenclawError) => Promise<void>,
): () => Promise<readonly Tool[]> {
  let last: readonly Tool[] | undefined;
  let isTold = false;
  return async () => {
    try {
      last = await server.tools();
    } catch (error) {
      if (!last || !(error instanceof OpenclawError) || error.code === "interrupted") throw error;
      if (!isTold) await onGone(error);
      isTold = true;
    }
    return last;
  };
}

/** The name of a built-in tool and the folder behind it, which may have colons. */
export function splitFolder(name: string): { name: string; folder: string | undefined } {
  const colon = name.indexOf(":");
  if (colon < 0) return { name, folder: undefined };
  return { name: name.slice(0, colon), folder: name.slice(colon + 1) };
}

async function openFixed<TServer extends ToolServer>(
  names: readonly string[],
  sources: ToolSources<TServer>,
): Promise<Tool[]> {
  const opened = new Map<string, { asked: string; tool: Tool }>();
  for (const asked of new Set(names)) {
    const tool = await openOne(asked, sources);
    const other = opened.get(tool.name);
    if (other)
      throw usageError(
        `--tool ${shorten(other.asked)} and --tool ${shorten(asked)} are one tool, '${tool.name}'.`,
        "Leave one of them out.",
      );
    opened.set(tool.name, { asked, tool });
  }
  return [...opened.values()].map(({ tool }) => tool);
}

async function openOne<TServer extends ToolServer>(
  asked: string,
  sources: ToolSources<TServer>,
): Promise<Tool> {
  const { name, folder } = splitFolder(asked);
  const builtIn = sources.builtIns.find((other) => other.name === name);
  if (builtIn && folder !== undefined && !builtIn.takesFolder)
    throw usageError(`The tool '${name}' takes no folder.`, `--tool ${quoteForShell(name)}`);
  if (builtIn && folder === "")
    throw usageError(`--tool ${shorten(asked)} names no folder.`, `--tool ${quoteForShell(`${name}:.`)}`);
  if (builtIn) return sources.openBuiltIn(name, folder);
  if (sources.commands.includes(asked)) return sources.openCommand(asked);
  throw noTool(asked, sources);
}

function noTool<TServer extends ToolServer>(
  asked: string,
  { builtIns, commands, servers }: ToolSources<TServer>,
): OpenclawError {
  const message = `There is no tool '${shorten(asked)}'.`;
  if (servers.includes(asked))
    return usageError(
      `There is no tool '${shorten(asked)}', but an MCP server of that name.`,
      `--mcp ${quoteForShell(asked)}`,
    );
  const names = [...builtIns.map(({ name }) => name), ...commands];
  return usageError(message, didYouMean(asked, names, "openclaw tools list"));
}

/** The server that the tool of a name, or those of a pattern, are of. */
export function serverOf<TServer extends ToolServer>(
  name: string,
  { servers, prefixOf, commands }: Pick<ToolSources<TServer>, "servers" | "prefixOf" | "commands">,
): string | undefined {
  if (commands.includes(name)) return undefined;
  return servers.find((server) => name.startsWith(prefixOf(server)));
}

function wantedServers<TServer extends ToolServer>(
  names: readonly string[],
  serverNames: readonly string[],
  sources: ToolSources<TServer>,
): WantedServer[] {
  const wanted = new Map<string, WantedServer>();
  for (const name of serverNames) {
    if (!sources.servers.includes(name)) throw noServer(name, sources.servers);
    wanted.set(name, { name, patterns: undefined });
  }
  for (const pattern of names) {
    const name = serverOf(pattern, sources);
    if (name === undefined) continue;
    const server = wanted.get(name);
    if (!server) wanted.set(name, { name, patterns: [pattern] });
    else server.patterns?.push(pattern);
  }
  return [...wanted.values()];
}

/** The error for an MCP server that the settings do not have. */
export function noServer(name: string, servers: readonly string[]): OpenclawError {
  return usageError(
    `The settings have no MCP server '${shorten(name)}'.`,
    didYouMean(name, servers, "openclaw mcp list"),
  );
}

/** Whether each server has what is wanted of it, and nothing that goes by the name of another tool. Throws `usage`. */
async function checkServers(
  servers: readonly WantedServer[],
  running: readonly ToolServer[],
  fixed: readonly Tool[],
): Promise<void> {
  for (const [index, { name, patterns }] of servers.entries()) {
    const tools = (await running[index]?.tools()) ?? [];
    for (const pattern of patterns ?? []) {
      if (chosen(tools, [pattern]).length > 0) continue;
      const names = tools.map((tool) => tool.name);
      throw usageError(
        `The MCP server '${name}' has no tool '${shorten(pattern)}'.`,
        didYouMean(pattern, names, `openclaw mcp tools ${quoteForShell(name)}`),
      );
    }
    const taken = chosen(tools, patterns).find((tool) => fixed.some((other) => other.name === tool.name));
    if (taken)
      throw usageError(
        `The MCP server '${name}' has a tool '${taken.name}', and so have the settings.`,
        `Give that of the settings another name: tools.${taken.name}`,
      );
  }
}

function chosen(tools: readonly Tool[], patterns: readonly string[] | undefined): readonly Tool[] {
  if (!patterns) return tools;
  return tools.filter(({ name }) => patterns.some((pattern) => matchesPattern(name, pattern)));
}

/** What comes to have the name of another tool later on does not take its place. */
function firstOfEachName(tools: readonly Tool[]): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  return [...byName.values()];
}
