import { isUtf8 } from "node:buffer";
import path from "node:path";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { expandHome, type FolderNames, stateFolder } from "../disk/state-folder.ts";
import { OpenclawError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

export interface ConfigLocation {
  /** Absolute path, a leading `~` replaced by the home folder. */
  file: string;
  source: "--config" | "OPENCLAW_CONFIG_PATH" | "OPENCLAW_STATE_DIR" | "default";
}

/** Finds the configuration file: `--config`, OPENCLAW_CONFIG_PATH, $OPENCLAW_STATE_DIR/openclaw.json, ~/.openclaw/openclaw.json. */
export function locateConfig(options: Pick<GlobalOptions, "config">, runtime: FolderNames): ConfigLocation {
  const { env, homeFolder, currentFolder } = runtime;
  const absolute = (file: string): string => path.resolve(currentFolder, expandHome(file, homeFolder));
  if (options.config !== undefined) {
    if (options.config.trim() === "") {
      throw new OpenclawError("usage", {
        message: "--config names no file.",
        hint: "openclaw --config FILE …",
      });
    }
    return { file: absolute(options.config), source: "--config" };
  }
  const configPath = env["OPENCLAW_CONFIG_PATH"];
  if (configPath !== undefined) return { file: absolute(configPath), source: "OPENCLAW_CONFIG_PATH" };
  const file = path.join(stateFolder(runtime), "openclaw.json");
  return { file, source: env["OPENCLAW_STATE_DIR"] === undefined ? "default" : "OPENCLAW_STATE_DIR" };
}

/**
 * Reads the configuration file as text, a byte order mark included. Returns undefined when there is none.
 * Throws `config-unreadable` when it exists and cannot be read, `config-invalid` when it is not UTF-8.
 */
export async function readConfigText(file: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    ({ bytes } = await readRegularFile(file));
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error;
    // Without a home folder, or with a file in its place, there is none either.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw unreadable(file, error);
  }
  if (isUtf8(bytes)) return bytes.toString("utf8");
  // A replacement character written back would lose what stood there.
  const { notText } = await import("../disk/decode-text.ts");
  throw notText(bytes, { label: file, file, code: "config-invalid", isInPlace: true });
}

/** The error for a file that is named but not there. */
export function missingFile({ file, source }: ConfigLocation): OpenclawError {
  return new OpenclawError("config-unreadable", {
    message: `The configuration file ${file} (from ${source}) does not exist.`,
    hint: "openclaw config set models.bedrockDiscovery.enabled true",
    details: { file },
  });
}

function adviseUnreadable(file: string, code: string): string {
  if (code === "EACCES" || code === "EPERM" || code === "ELOOP") return `ls -l ${quoteForShell(file)}`;
  // A folder of another name was meant to be one that has the file in it.
  if (path.basename(file) !== "openclaw.json")
    return `Name a file: --config ${code === "EISDIR" ? quoteForShell(path.join(file, "openclaw.json")) : "FILE"}`;
  return `Move it out of the way: mv ${quoteForShell(file)} ${quoteForShell(`${file}.old`)}`;
}

function unreadable(file: string, failure: ReadFailure): OpenclawError {
  const { code = "", message } = failure;
  return new OpenclawError("config-unreadable", {
    message: `Cannot read the configuration file ${file}: ${message}.`,
    hint: adviseUnreadable(file, code),
    cause: failure,
    details: { file, ...(code ? { reason: code } : {}) },
  });
}
