import { noServer } from "../../chat/tools/toolbox.ts";
import { sourcesOf } from "../../chat/tools/tool-sources.ts";
import type { Tool } from "../../chat/tools/tool.ts";
import { loadConfig } from "../../config/resolve.ts";
import { shorten } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { onOneLine } from "../../terminal/neutralise.ts";
import { count } from "../../terminal/numbers.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { printList } from "../../terminal/print-list.ts";
import type { Column } from "../../terminal/table.ts";

export interface ToolsOptions extends GlobalOptions {
  server: string;
}

const COLUMNS: readonly Column[] = [{ title: "Tool" }, { title: "Does", wraps: true }];

/** As much of a description as a list shows, in characters: some servers write pages. */
const LONGEST_DESCRIPTION = 300;

/**
 * Starts an MCP server and lists its tools, in JSON its prompts and resources, too. Throws `usage` for a server that is
 * not in the configuration, and what keeps it from starting.
 */
export async function run(options: ToolsOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { value } = await loadConfig(options, runtime);
  const { openServer, servers } = sourcesOf(value, runtime, options);
  if (!servers.includes(options.server)) throw noServer(options.server, servers);
  const offered = await withSpinner(runtime, `Starting ${options.server}`, async () => {
    const server = await openServer(options.server);
    try {
      const { instructions } = server;
      const lists = await Promise.all([server.tools(), server.prompts(), server.resources()]);
      return [instructions, ...lists] as const;
    } finally {
      await server.close();
    }
  });
  const [instructions, tools, prompts, resources] = offered;
  if (terminal.format === "json")
    return terminal.printJson({
      server: options.server,
      ...(instructions === undefined ? {} : { instructions }),
      count: tools.length,
      tools: tools.map(({ name, source, description, inputSchema }) => ({
        name,
        tool: source.kind === "server" ? source.tool : name,
        description,
        inputSchema,
      })),
      prompts,
      resources,
    });
  await printList(
    {
      items: tools,
      columns: COLUMNS,
      toCells: (tool, { cyan }) => {
        const [name, does] = fieldsOf(tool);
        return [{ text: name, look: cyan }, terminal.foreign(shorten(does, LONGEST_DESCRIPTION))];
      },
      toFields: fieldsOf,
      nothing: `The MCP server '${options.server}' offers no tools.`,
    },
    terminal,
  );
  if (!terminal.isStdoutTTY) return;
  const others = { prompt: prompts.length, resource: resources.length };
  const counts = Object.entries(others).flatMap(([word, number]) => (number > 0 ? count(number, word) : []));
  if (counts.length > 0) terminal.note(`openclaw: it has ${counts.join(" and ")}, too (--json)`);
}

function fieldsOf({ name, description }: Tool): [string, string] {
  return [name, onOneLine(description).replaceAll("\t", " ").trim()];
}
