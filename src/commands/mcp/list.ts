import type { McpServer } from "../../chat/tools/mcp/open-server.ts";
import { sourcesOf } from "../../chat/tools/tool-sources.ts";
import { type ConfiguredServer, mcpServersOf } from "../../config/configured-tools.ts";
import { formatPath } from "../../config/path.ts";
import { loadConfig } from "../../config/resolve.ts";
import { maskSecrets } from "../../config/secrets.ts";
import type { McpServerSetting } from "../../config/settings.ts";
import { type ErrorDocument, OpenclawError, toErrorDocument, withFields } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { onOneLine } from "../../terminal/neutralise.ts";
import { count } from "../../terminal/numbers.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { printList } from "../../terminal/print-list.ts";
import type { Cell, Column } from "../../terminal/table.ts";
import { warnOfUnfit } from "../tools/warn-of-unfit.ts";

export interface ListOptions extends GlobalOptions {
  /** Starts or calls each server, and counts what it offers. */
  check?: boolean;
}

interface Offer {
  tools: number;
  prompts: number;
  resources: number;
}

/** A server in the `--json` document. */
interface ServerDocument extends Partial<Offer> {
  name: string;
  /** Where the configuration has it. */
  path: string;
  transport: "stdio" | "http";
  /** The program and its arguments. */
  command?: string[];
  url?: string;
  disabled: boolean;
  error?: ErrorDocument;
}

const COLUMNS: readonly Column[] = [
  { title: "Server" },
  { title: "Offers", wraps: true },
  { title: "Is", wraps: true, dropOrder: 1 },
];

/**
 * Lists the MCP servers of the configuration, and warns of those that are none; nothing is started for it but with
 * `--check`. Then throws the error of the
 * first one that does not answer, when all are told of.
 */
export async function run(options: ListOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { value } = await loadConfig(options, runtime);
  const fit = await warnOfUnfit(mcpServersOf(value), terminal);
  const listed = fit.map(([name, server]) => toDocument(name, server));
  const { openServer } = sourcesOf(value, runtime, options);
  const check = (): Promise<Checked[]> =>
    Promise.all(listed.map((server) => (server.disabled ? { server } : checkServer(server, openServer))));
  const checked = options.check
    ? await withSpinner(runtime, "Asking the MCP servers", check)
    : listed.map((server): Checked => ({ server }));
  runtime.signal.throwIfAborted();
  const servers = checked.map(({ server }) => server);
  const document = { count: servers.length, servers };
  const failures = checked.flatMap(({ error }) => error ?? []);
  const [failure] = failures;
  if (terminal.format !== "json") await print(servers, options.check === true, runtime);
  else if (!failure) await terminal.printJson(document);
  if (!failure) return;
  const message =
    failures.length === 1
      ? failure.message
      : `${failures.length} of ${servers.length} MCP servers do not answer.`;
  throw withFields(failure, { message, document });
}

function toDocument(name: string, { setting, path, isDisabled }: ConfiguredServer): ServerDocument {
  const { command, args = [], url } = maskSecrets(setting, path) as McpServerSetting;
  const way: Pick<ServerDocument, "transport" | "command" | "url"> =
    url === undefined
      ? { transport: "stdio", command: [command ?? "", ...args] }
      : { transport: "http", url };
  return { name, path: formatPath(path), ...way, disabled: isDisabled };
}

interface Checked {
  server: ServerDocument;
  error?: OpenclawError;
}

async function checkServer(
  server: ServerDocument,
  openServer: (name: string) => Promise<McpServer>,
): Promise<Checked> {
  try {
    const opened = await openServer(server.name);
    try {
      const offered = await Promise.all([opened.tools(), opened.prompts(), opened.resources()]);
      const [tools, prompts, resources] = offered.map(({ length }) => length) as [number, number, number];
      return { server: { ...server, tools, prompts, resources } };
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (!(error instanceof OpenclawError)) throw error;
    return { server: { ...server, error: toErrorDocument(error) }, error };
  }
}

async function print(
  servers: readonly ServerDocument[],
  isChecked: boolean,
  { terminal }: Runtime,
): Promise<void> {
  const isTold = isChecked || servers.some(({ disabled }) => disabled);
  /** Only where there is something to tell of it. */
  const told = <T>(cells: T[]): T[] => (isTold ? cells : cells.toSpliced(1, 1));
  await printList(
    {
      items: servers,
      columns: told([...COLUMNS]),
      toCells: (server, { cyan, dim }) =>
        told<Cell>([
          { text: terminal.foreign(server.name), look: cyan },
          terminal.foreign(onOneLine(describeOffer(server))),
          { text: terminal.foreign(onOneLine(describeWay(server))), look: dim },
        ]),
      toFields: (server) => [server.name, describeOffer(server), describeWay(server)].map(onOneLine),
      nothing: 'No MCP server is configured: openclaw config set mcpServers.NAME \'{"command":"…"}\'',
    },
    terminal,
  );
}

function describeOffer({ disabled, error, tools, prompts, resources }: ServerDocument): string {
  if (disabled) return "disabled";
  if (error) return error.message;
  const counts = { tool: tools, prompt: prompts, resource: resources };
  return Object.entries(counts)
    .flatMap(([word, number]) => (number ? count(number, word) : []))
    .join(", ");
}

function describeWay({ url, command = [] }: ServerDocument): string {
  return url ?? command.map(quoteForShell).join(" ");
}
