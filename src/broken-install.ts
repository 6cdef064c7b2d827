import { existsSync } from "node:fs";
import path from "node:path";
import { OpenclawError } from "./errors.ts";

/** Where this program's files lie, as texts of Node begin that name one. */
const FOLDER = import.meta.dirname + path.sep;

/**
 * What a failure says of this program's own files, where one of them is gone, cut short or not to be read, as after an
 * update that was broken off; undefined for any other failure.
 */
export function brokenInstall(failure: unknown): OpenclawError | undefined {
  if (!(failure instanceof Error)) return undefined;
  const told = toldOf(failure);
  if (told === undefined) return undefined;
  return new OpenclawError("internal", {
    message: `This installation is broken: ${told}.`,
    // The package has no sources.
    hint: existsSync(path.join(FOLDER, "..", "src"))
      ? "Build it again: npm start"
      : "Install it again: npm install -g openclaw",
  });
}

function toldOf({ message, stack = "", code, requireStack }: NodeRequireError): string | undefined {
  const [, missing] = /^Cannot find module '(.+?)'/.exec(message) ?? [];
  if (code === "MODULE_NOT_FOUND" && missing && requireStack?.[0]?.startsWith(FOLDER))
    return `${path.basename(missing)} is missing`;
  // Node puts the place of what it cannot parse in front.
  const [, cut] = stack.startsWith(FOLDER) ? (/^(.+?):\d+\n/.exec(stack) ?? []) : [];
  if (cut) return `${path.basename(cut)} is not whole`;
  const [, why, unread] = /^(\w+): .+ '(.+)'$/.exec(message) ?? [];
  return unread?.startsWith(FOLDER) ? `${path.basename(unread)} cannot be read (${why})` : undefined;
}

interface NodeRequireError extends Error {
  code?: string;
  /** The files that led to a module, the one that asked for it first. */
  requireStack?: string[];
}
