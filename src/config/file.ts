import { readFileSync } from "node:fs";
import path from "node:path";
import { expandHome, type FolderNames, stateFolder } from "../disk/state-folder.ts";
import { errorCode, OpenclawError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** Where the configuration is, and what named that place. */
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
  let bytes: Uint8Array;
  try {
    // At once, because a small file is read sooner than Node's promises for files are loaded.
    bytes = readFileSync(file);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw unreadable(file, error);
  }
  try {
    // Fatal, because a replacement character written back would lose what stood there.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new OpenclawError("config-invalid", {
      message: `${file} is not UTF-8 text.`,
      hint: `Save ${file} as UTF-8.`,
      cause: error,
      details: { file },
    });
  }
}

/** The error for a file that is named but not there. */
export function missingFile({ file, source }: ConfigLocation): OpenclawError {
  return new OpenclawError("config-unreadable", {
    message: `The configuration file ${file} (from ${source}) does not exist.`,
    hint: `openclaw config set --config ${quoteForShell(file)} models.bedrockDiscovery.enabled true`,
    details: { file },
  });
}

function unreadable(file: string, error: unknown): OpenclawError {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is not a folder",
    ELOOP: "its symbolic links lead in a circle",
  };
  const code = errorCode(error) ?? "";
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new OpenclawError("config-unreadable", {
    message: `Cannot read the configuration file ${file}: ${reason}.`,
    hint:
      code === "EISDIR" || code === "ENOTDIR" ? "openclaw --config FILE …" : `ls -l ${quoteForShell(file)}`,
    cause: error,
    details: { file, ...(code ? { reason: code } : {}) },
  });
}
