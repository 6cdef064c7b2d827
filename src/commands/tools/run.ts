import { sourcesOf } from "../../chat/tools/tool-sources.ts";
import { contentAsJson, type Tool, type ToolResult } from "../../chat/tools/tool.ts";
import { withoutOwnSecrets } from "../../chat/tools/tool-result.ts";
import { openToolbox } from "../../chat/tools/toolbox.ts";
import { loadConfig } from "../../config/resolve.ts";
import { fileOf } from "../../converse/conversation.ts";
import { readTextInput } from "../../disk/read-input.ts";
import { OpenclawError, shorten, usageError, withFields } from "../../errors.ts";
import { isRecord, type JsonObject } from "../../json.ts";
import { parseBoundedExactly } from "../../json-bounds.ts";
import { problemOf } from "../../chat/tools/run-calls.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { formatBytes } from "../../terminal/numbers.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { anySignal } from "../../until-aborted.ts";

export interface RunOptions extends GlobalOptions {
  tool: string;
  /** A JSON object, or `-` for stdin. */
  input?: string;
  /** Seconds. */
  timeout?: number;
}

/**
 * Runs a tool once, as a call of a model would: that it is typed is leave, unless the settings say never. Throws `usage` for
 * a tool that is not there and for input that does not fit it, `tool-failed` where the tool says that it failed, and what its server failed by.
 */
export async function run(options: RunOptions, runtime: Runtime): Promise<void> {
  const { value } = await loadConfig(options, runtime);
  const input = await readInputOf(options, runtime);
  // From here on, so that a server that does not start is waited for no longer either.
  const signal = signalOf(options, runtime);
  const sources = sourcesOf(value, { ...runtime, signal }, options);
  const toolbox = await openToolbox({ tools: [options.tool], servers: [] }, sources);
  try {
    const tools = await toolbox.tools();
    const [tool] = tools;
    if (!tool || tools.length > 1)
      throw usageError(
        `'${shorten(options.tool)}' names ${tools.length} tools, and one is run.`,
        `Choose one: ${tools
          .slice(0, 5)
          .map(({ name }) => name)
          .join(", ")}`,
      );
    if (tool.allow === "never")
      throw usageError(
        `The settings never allow '${tool.name}'.`,
        `openclaw config set ${quoteForShell(`tools.${tool.name}.allow`)} ask`,
      );
    const problem = await problemOf(tool, { toolUseId: "", name: tool.name, input }, signal);
    if (problem !== undefined) throw usageError(problem, `Its schema: ${wayToSchema(tool)} --json`);
    const startedAt = runtime.elapsed();
    const result = await withSpinner(runtime, `Running ${tool.name}`, () => tool.run(input, signal));
    await print(tool, withoutOwnSecrets(result, runtime), Math.round(runtime.elapsed() - startedAt), runtime);
  } finally {
    await toolbox.close();
  }
}

/** What the tool is given: what stands there, or what is piped in; without either an object with nothing in it. */
async function readInputOf({ input }: RunOptions, runtime: Runtime): Promise<JsonObject> {
  const isRead = input === "-" || (input === undefined && runtime.stdin.isTTY !== true);
  const json = isRead ? await readTextInput("-", "input", EXAMPLE, runtime) : (input ?? "");
  // Nothing is piped in where a script has no terminal.
  if (json.trim() === "" && input !== "-" && (isRead || input === undefined)) return {};
  const label = isRead ? "The input on stdin" : `The input '${shorten(json)}'`;
  const value = parse(json, label);
  if (isRecord(value)) return value;
  throw usageError(`${label} is no JSON object.`, EXAMPLE);
}

const EXAMPLE = `For example: openclaw tools run read-file '{"path":"README.md"}'`;

function parse(json: string, label: string): unknown {
  try {
    return parseBoundedExactly(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw usageError(`${label} is not JSON: ${error.message}.`, EXAMPLE);
    throw error;
  }
}

/** What shows the schema of a tool's input, with `--json`. */
function wayToSchema({ source }: Tool): string {
  return source.kind === "server"
    ? `openclaw mcp tools ${quoteForShell(source.server)}`
    : "openclaw tools list";
}

/** The signal that ends the call: that of the program, or when it has taken too long. */
function signalOf({ timeout }: RunOptions, { signal }: Runtime): AbortSignal {
  if (timeout === undefined) return signal;
  const late = new AbortController();
  const timer = setTimeout(
    () =>
      late.abort(
        new OpenclawError("timeout", {
          message: `The tool took longer than ${timeout} s.`,
          hint: "Give it more time: --timeout SECONDS",
        }),
      ),
    timeout * 1000,
  );
  timer.unref();
  return anySignal(signal, late.signal);
}

/** Prints what came of it on stdout, also where the tool failed, which is thrown then. */
async function print(tool: Tool, result: ToolResult, durationMs: number, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const document = {
    name: tool.name,
    source: tool.source,
    status: result.isError ? "error" : "success",
    content: contentAsJson(result.content),
    durationMs,
  };
  if (result.failure) throw withFields(result.failure, { document });
  if (terminal.format !== "json") await printContent(result, runtime);
  if (result.isError)
    throw new OpenclawError("tool-failed", {
      message: `The tool '${tool.name}' failed.`,
      hint: "What it says is above.",
      document,
    });
  if (terminal.format === "json") await terminal.printJson(document);
}

/** As much as stdout takes: of an image alone its bytes, where they are not for a person. */
async function printContent({ content }: ToolResult, { terminal }: Runtime): Promise<void> {
  for (const block of content) {
    const file = fileOf(block);
    if (block.json !== undefined) await terminal.printDocument(block.json);
    else if (!file) await terminal.write(withLineEnd(terminal.foreign(block.text ?? "")));
    else if (file.bytes && content.length === 1 && !terminal.isStdoutTTY) await terminal.write(file.bytes);
    else {
      const size = file.bytes ? ` of ${formatBytes(file.bytes.length)}` : "";
      await terminal.print(`(${[file.format, file.kind].join(" ").trim()}${size}; --json has it in base64)`);
    }
  }
}

function withLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
