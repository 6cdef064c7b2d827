import { loadConfig } from "../../config/resolve.ts";
import { ReadFailure } from "../../disk/read-file.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { defaultModels, splitModelNames } from "../../models/default-models.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { untilAborted } from "../../until-aborted.ts";

export interface McpServeOptions extends GlobalOptions {
  /** Several, by commas, are tried in order. */
  model?: string;
  /** Patterns of ids or keys. */
  allowModel?: string[];
  /** In USD. */
  maxCost?: number;
  ignoreBudget?: boolean;
}

/**
 * Offers models to the program that has started this one, over the Model Context Protocol on stdin and stdout, until stdin
 * ends. Throws config errors, and the interruption.
 */
export async function run(options: McpServeOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  // stdout is the protocol's.
  terminal.setMode({ format: "text" });
  const config = await loadConfig(options, runtime);
  const [{ serveMcp }, { StdioTransport }, { Upstream }, { listeningTerminal, ServeLog }, { DEFAULT }] =
    await Promise.all([
      import("../../serve/mcp/mcp-server.ts"),
      import("../../serve/mcp/stdio-transport.ts"),
      import("../../serve/upstream.ts"),
      import("../../serve/serve-log.ts"),
      import("../../serve/mcp/served-tool.ts"),
    ]);
  const log = new ServeLog(runtime);
  const end = new AbortController();
  const inner: Runtime = {
    ...runtime,
    signal: end.signal,
    terminal: listeningTerminal((line) => log.note(line), terminal.isVerbose),
  };
  const models =
    options.model === undefined
      ? defaultModels(config.value, runtime)
      : splitModelNames(options.model, runtime);
  const names = new Map(models.length === 0 ? [] : [[DEFAULT, models] as const]);
  const upstream = new Upstream(options, inner, config, names, "mcp");
  if (runtime.stdin.isTTY === true)
    terminal.note(
      "openclaw: this speaks the Model Context Protocol on stdin and stdout: let a program start it. Ctrl-D ends it.",
    );
  if (runtime.stdin.isTTY === true) await runtime.untilForeground();
  const transport = new StdioTransport(runtime);
  const by = {
    options,
    upstream,
    hasDefault: models.length > 0,
    allowed: options.allowModel ?? [],
    mostUsd: options.maxCost,
  };
  try {
    await untilAborted(serveMcp(transport, by, inner, log), runtime.signal);
  } catch (cause) {
    if (!(cause instanceof ReadFailure)) throw cause;
    throw usageError(
      `stdin cannot be read: ${cause.message}.`,
      "Let a client of the Model Context Protocol start it: openclaw mcp serve --help",
    );
  } finally {
    end.abort(runtime.signal.aborted ? runtime.signal.reason : hungUp());
    await upstream.close();
  }
}

function hungUp(): OpenclawError {
  return new OpenclawError("interrupted", { message: "The client has ended the conversation." });
}
