import { OpenclawError, usageError } from "../../errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { McpServer } from "../tools/mcp/open-server.ts";
import type { Permits } from "../tools/permits.ts";
import type { Tool, Toolbox } from "../tools/tool.ts";
import { openToolbox, serverOf, type ToolSources, type WantedTools } from "../tools/toolbox.ts";

/** An open toolbox, with the servers that some of its tools are of. */
type OpenToolbox = Toolbox & { servers: readonly McpServer[] };

const NOTHING: WantedTools = { tools: [], servers: [] };

/** What a conversation has tools from: a server, or what the program and the settings have themselves. */
export interface ToolOrigin {
  /** Undefined for tools of no server. */
  server: string | undefined;
  /** What is open of it. */
  wanted: WantedTools;
  toolbox: OpenToolbox;
  /** Why it has no tools any more. */
  failure?: OpenclawError | undefined;
}

export interface ListedTool {
  tool: Tool;
  origin: ToolOrigin;
  isOff: boolean;
}

/** Where tools come from; the signal ends what was started. */
type SourcesFor = (signal: AbortSignal) => ToolSources<McpServer>;

/**
 * The tools of a conversation at the terminal: they come and go while it lasts, and can be switched off. A server that is gone is told of once, and takes nothing but its own tools with it.
 */
export class SessionTools implements Toolbox {
  readonly permits: Permits;
  readonly #terminal: Pick<Terminal, "warn">;
  readonly #sourcesFor: SourcesFor;
  readonly #origins: ToolOrigin[] = [];
  readonly #off = new Set<string>();

  constructor(permits: Permits, terminal: Pick<Terminal, "warn">, sourcesFor: SourcesFor) {
    this.permits = permits;
    this.#terminal = terminal;
    this.#sourcesFor = sourcesFor;
  }

  get wanted(): WantedTools {
    return {
      tools: this.#origins.flatMap(({ wanted }) => wanted.tools),
      servers: this.#origins.flatMap(({ wanted }) => wanted.servers),
    };
  }

  get origins(): readonly ToolOrigin[] {
    return this.#origins;
  }

  /**
   * Adds tools, those of each server by themselves, so that it can go alone. Throws what is wrong with one, and `usage` for
   * a name that two would have; then none is added.
   */
  async add(names: WantedTools, signal: AbortSignal): Promise<void> {
    const sources = this.#sourcesFor(signal);
    const opened = await Promise.allSettled(
      this.#split(names, sources).map(async ({ server, wanted }): Promise<ToolOrigin> => {
        return { server, wanted, toolbox: await openToolbox(wanted, sources) };
      }),
    );
    const added = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    // More of a server that is there takes its place.
    const replaced = this.#origins.filter(({ server }) =>
      added.some((one) => server !== undefined && one.server === server),
    );
    const origins = [...this.#origins.filter((one) => !replaced.includes(one)), ...added];
    try {
      for (const one of opened) if (one.status === "rejected") throw one.reason;
      await this.#check(origins);
    } catch (error) {
      await closeAll(added);
      throw error;
    }
    await closeAll(replaced);
    this.#origins.splice(0, this.#origins.length, ...origins);
  }

  /** Starts a server that is gone once more. Throws as `add` does; then it stays gone. */
  async reconnect(origin: ToolOrigin, signal: AbortSignal): Promise<void> {
    await origin.toolbox.close();
    origin.toolbox = await openToolbox(origin.wanted, this.#sourcesFor(signal));
    origin.failure = undefined;
  }

  /** What is named, without what there is already, by the server that it is of. */
  #split(
    { tools, servers }: WantedTools,
    sources: ToolSources<McpServer>,
  ): Pick<ToolOrigin, "server" | "wanted">[] {
    const there = this.#origins.filter(({ server }) => server === undefined);
    const isThere = (name: string): boolean => there.some(({ wanted }) => wanted.tools.includes(name));
    const own = tools.filter((name) => serverOf(name, sources) === undefined && !isThere(name));
    const named = new Set([...servers, ...tools.flatMap((name) => serverOf(name, sources) ?? [])]);
    const ofServers = [...named].flatMap((server): Pick<ToolOrigin, "server" | "wanted">[] => {
      const before = this.#origins.find((origin) => origin.server === server)?.wanted ?? NOTHING;
      if (before.servers.length > 0) return [];
      if (servers.includes(server)) return [{ server, wanted: { tools: [], servers: [server] } }];
      const more = tools.filter((name) => serverOf(name, sources) === server && !before.tools.includes(name));
      return more.length === 0
        ? []
        : [{ server, wanted: { tools: [...before.tools, ...more], servers: [] } }];
    });
    const ofNone = own.length === 0 ? [] : [{ server: undefined, wanted: { tools: own, servers: [] } }];
    return [...ofNone, ...ofServers];
  }

  /** Sees what tools there are for the first time. Throws `usage` where two have one name. */
  async #check(origins: readonly ToolOrigin[]): Promise<void> {
    const names = new Set<string>();
    for (const origin of origins) {
      const tools = await this.#toolsOf(origin);
      this.permits.see(tools);
      for (const { name } of tools) {
        if (names.has(name))
          throw usageError(
            `Two tools would have the name '${name}'.`,
            `Leave one of them out, or give one another name.`,
          );
        names.add(name);
      }
    }
  }

  /** Switches tools off, or on again where all of them are off. Returns whether they are on now. */
  switch(names: readonly string[]): boolean {
    const isOn = names.every((name) => this.#off.has(name));
    for (const name of names) {
      if (isOn) this.#off.delete(name);
      else this.#off.add(name);
    }
    return isOn;
  }

  /** All tools, those that are off, too. */
  async list(): Promise<ListedTool[]> {
    const found = new Map<string, ListedTool>();
    for (const origin of this.#origins) {
      for (const tool of await this.#toolsOf(origin)) {
        // Of two with one name the model is given the first.
        if (!found.has(tool.name)) found.set(tool.name, { tool, origin, isOff: this.#off.has(tool.name) });
      }
    }
    return [...found.values()];
  }

  /** The tools that the model is given. */
  async tools(): Promise<readonly Tool[]> {
    return (await this.list()).flatMap(({ tool, isOff }) => (isOff ? [] : tool));
  }

  async close(): Promise<void> {
    await closeAll(this.#origins);
  }

  async #toolsOf(origin: ToolOrigin): Promise<readonly Tool[]> {
    if (origin.failure) return [];
    try {
      return await origin.toolbox.tools();
    } catch (failure) {
      if (!(failure instanceof OpenclawError)) throw failure;
      origin.failure = failure;
      await this.#terminal.warn(
        failure.message,
        origin.server === undefined ? undefined : `/tools ${origin.server} connects it again.`,
      );
      return [];
    }
  }
}

async function closeAll(origins: readonly ToolOrigin[]): Promise<void> {
  await Promise.all(origins.map(({ toolbox }) => toolbox.close()));
}
