import { describeSource } from "../../chat/tools/ask-for-leave.ts";
import { sourcesOf } from "../../chat/tools/tool-sources.ts";
import type { Tool, ToolSource } from "../../chat/tools/tool.ts";
import { openToolbox } from "../../chat/tools/toolbox.ts";
import { commandToolsOf } from "../../config/configured-tools.ts";
import { loadConfig } from "../../config/resolve.ts";
import type { CommandToolSetting } from "../../config/settings.ts";
import { shorten } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { onOneLine } from "../../terminal/neutralise.ts";
import { printList } from "../../terminal/print-list.ts";
import type { Column } from "../../terminal/table.ts";
import { warnOfUnfit } from "./warn-of-unfit.ts";

export interface ListOptions extends GlobalOptions {
  mcp?: string[];
}

/** A tool in the `--json` document. */
interface ToolDocument {
  name: string;
  source: ToolSource;
  /** What the settings say about running it. */
  allow: NonNullable<Tool["allow"]>;
  description: string;
  inputSchema: JsonObject;
}

const COLUMNS: readonly Column[] = [
  { title: "Tool" },
  { title: "From", dropOrder: 2 },
  { title: "Runs", dropOrder: 1 },
  { title: "Does", wraps: true },
];

/** As much of a description as a terminal shows in a list, in characters. */
const LONGEST_DESCRIPTION = 150;

type Row = [name: string, from: string, runs: string, does: string];

/** What `allow` comes to, in a word. */
const RUNS = { ask: "when allowed", always: "always", never: "never" } as const;

/**
 * Lists the tools that are built in and those of the configuration; of MCP servers, which have to be started for that, only
 * what is asked for. Throws `usage` for a server that is not there, and what keeps one from starting.
 */
export async function run(options: ListOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { value } = await loadConfig(options, runtime);
  const sources = sourcesOf(value, runtime, options);
  const commands = await warnOfUnfit(commandToolsOf(value), terminal);
  const names = sources.builtIns.map(({ name }) => name);
  const toolbox = await openToolbox({ tools: names, servers: options.mcp ?? [] }, sources);
  try {
    const tools = (await toolbox.tools()).map(toDocument);
    const isOfServer = ({ source }: ToolDocument): boolean => source.kind === "server";
    const documents = [
      ...tools.filter((tool) => !isOfServer(tool)),
      ...commands.map(([name, { setting }]) => documentOfCommand(name, setting)),
      ...tools.filter(isOfServer),
    ];
    if (terminal.format === "json")
      return await terminal.printJson({ count: documents.length, tools: documents });
    const says = new Map(sources.builtIns.map((builtIn) => [builtIn.name, builtIn.says]));
    const toRow = ({ name, source, allow, description }: ToolDocument): Row => [
      name,
      onOneLine(describeOrigin(source)),
      terminal.isStdoutTTY ? RUNS[allow] : allow,
      says.get(name) ?? firstSentence(description, terminal.isStdoutTTY),
    ];
    await printList(
      {
        items: documents.map(toRow),
        columns: COLUMNS,
        toCells: ([name, from, runs, does], { cyan, dim }) => [
          { text: name, look: cyan },
          { text: terminal.foreign(from), look: dim },
          runs,
          terminal.foreign(does),
        ],
        toFields: (row) => row,
        nothing: "There is no tool.",
      },
      terminal,
    );
  } finally {
    await toolbox.close();
  }
  const others = sources.servers.filter((name) => !options.mcp?.includes(name));
  if (terminal.isStdoutTTY && others.length > 0)
    terminal.note(
      `openclaw: not started for this: the MCP server${others.length > 1 ? "s" : ""} ${others.join(", ")} (--mcp NAME)`,
    );
}

function toDocument({
  name,
  source,
  allow = "ask",
  description,
  inputSchema,
}: Omit<Tool, "run">): ToolDocument {
  return { name, source, allow, description, inputSchema };
}

function describeOrigin(source: ToolSource): string {
  if (source.kind === "built-in") return "built in";
  return source.kind === "server" ? `MCP server ${source.server}` : describeSource(source);
}

/** What a description begins with: some servers write pages. */
function firstSentence(description: string, isForTerminal: boolean): string {
  const line = onOneLine(description).replaceAll("\t", " ").trim();
  const end = /[.!?](?= )/.exec(line);
  const sentence = end ? line.slice(0, end.index + 1) : line;
  return isForTerminal ? shorten(sentence, LONGEST_DESCRIPTION) : sentence;
}

/** A command as it stands in the configuration: what it takes from the environment is for who runs it. */
function documentOfCommand(name: string, setting: CommandToolSetting): ToolDocument {
  const { command, description, input, allow } = setting;
  return toDocument({ name, source: { kind: "command", command }, allow, description, inputSchema: input });
}
