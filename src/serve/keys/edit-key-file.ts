import { randomBytes } from "node:crypto";
import path from "node:path";
import { LONGEST_MARK } from "../../converse/request-metadata.ts";
import { decodeText } from "../../disk/decode-text.ts";
import { editText, underLock } from "../../disk/edit-file.ts";
import { readRegularFile, ReadFailure } from "../../disk/read-file.ts";
import { isReadOnce } from "../../disk/read-input.ts";
import { OpenclawError, shorten, usageError, withFields } from "../../errors.ts";
import { didYouMean } from "../../models/nearest.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import {
  type ApiKey,
  digestOf,
  isKeyName,
  keyLine,
  type KeyLimits,
  parseKeys,
  refuseTwins,
} from "./key-file.ts";

/** By which a key is recognised, by people and by programs that look for secrets where none should be. */
const KEY_PREFIX = "oc-";
/** 256 bits: so many cannot be guessed, nor found by their digest. */
const KEY_BYTES = 32;

/**
 * Makes a key and keeps its digest and its limits in the file, in a line behind all others; a missing file is made with
 * mode 0600. The key itself is kept nowhere: it is handed to `tell`, and the file is as it was where that fails. Throws `usage` for a name that is none or taken and a file that
 * cannot be used, `internal` where it cannot be written; then it is as it was.
 */
export async function addKey(
  file: string,
  name: string,
  limits: KeyLimits,
  runtime: Runtime,
  tell: (key: string, kept: ApiKey) => Promise<void>,
): Promise<void> {
  if (!isKeyName(name) || name === "env")
    throw usageError(
      `'${shorten(name)}' cannot be the name of a key.`,
      name === "env"
        ? "It is the name of the key in OPENCLAW_SERVE_API_KEY. Take another one."
        : "A name has only letters, digits and ._@-.",
    );
  if (name.length > LONGEST_MARK)
    throw usageError(
      `The name '${shorten(name)}' has ${name.length} characters: it marks each call, and Bedrock takes marks of ${LONGEST_MARK}.`,
      "Take a shorter one.",
    );
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString("base64url");
  const kept = { name, digest: digestOf(key), ...limits, created: new Date(runtime.now()).toISOString() };
  const add = (before: string): string => {
    const lineEnd = /\r?\n/.exec(before)?.[0] ?? "\n";
    const keys: readonly ApiKey[] = parseKeys(before, file);
    if (keys.some((other) => other.name === name))
      throw usageError(
        `'${file}' has a key of the name '${name}' already.`,
        `Take another name, or revoke it first: openclaw serve keys revoke ${quoteForShell(name)} --api-key-file ${quoteForShell(file)}`,
      );
    refuseTwins(keys);
    const isWhole = before === "" || before.endsWith("\n");
    return `${before}${isWhole ? "" : lineEnd}${keyLine(kept)}${lineEnd}`;
  };
  await edit(file, runtime, add, () => tell(key, kept));
}

/**
 * Takes the key of a name out of the file; every other line stays to the letter. Throws `usage` for a name that is not
 * there and a file that cannot be used, `internal` where it cannot be written; then it is as it was.
 */
export async function revokeKey(file: string, name: string, runtime: Runtime): Promise<void> {
  await edit(file, runtime, (before) => {
    const keys = parseKeys(before, file);
    const revoked = keys.find((key) => key.name === name);
    if (revoked === undefined) {
      const names = keys.map((key) => key.name);
      const list = `openclaw serve keys list --api-key-file ${quoteForShell(file)}`;
      throw usageError(`'${file}' has no key of the name '${shorten(name)}'.`, didYouMean(name, names, list));
    }
    const lines = before.split("\n");
    const [line = ""] = lines.splice(revoked.line, 1);
    // Keys without a name are named for the number of their line, and a file without any line looks as if it were cut.
    const isMissed =
      keys.length === 1 || keys.some((key) => /^line-\d+$/.test(key.name) && key.line > revoked.line);
    if (isMissed) lines.splice(revoked.line, 0, `# ${name} was revoked.${line.endsWith("\r") ? "\r" : ""}`);
    return lines.join("\n");
  });
}

/** Reads the keys of a file, none where there is no file. Throws `usage`. */
export async function readKeys(file: string, runtime: Runtime): Promise<ApiKey[]> {
  const text = await readText(path.resolve(runtime.currentFolder, file), file);
  if (text === undefined)
    throw usageError(`--api-key-file '${file}' cannot be read: it does not exist.`, HINT);
  const keys = parseKeys(text, file);
  refuseTwins(keys);
  return keys;
}

const HINT = "Name a file of keys: --api-key-file FILE";

async function edit(
  name: string,
  runtime: Runtime,
  change: (before: string) => string,
  beforeReplaced?: () => Promise<void>,
): Promise<void> {
  if (isReadOnce(name)) throw usageError(`--api-key-file '${name}' is no file that can be written.`, HINT);
  const file = path.resolve(runtime.currentFolder, name);
  const read = (target: string): Promise<string | undefined> => readText(target, name);
  // Found wrong before the disk is touched, it makes no folder and no lock.
  change((await read(file)) ?? "");
  try {
    await underLock(file, read, runtime, (held) =>
      // A key that was revoked, or that stands in clear in the file, is in no other.
      editText(
        held,
        runtime,
        (before) => ({ text: change(before ?? ""), keepsBackup: false }),
        beforeReplaced,
      ),
    );
  } catch (error) {
    // What the disk refuses is told in words for the configuration file.
    if (!(error instanceof OpenclawError) || error.hint?.includes("--config") !== true) throw error;
    throw error.code === "internal" ? withFields(error, { hint: HINT }) : usageError(error.message, HINT);
  }
}

/** The text of a file, with its byte order mark; undefined where there is none. */
async function readText(file: string, name: string): Promise<string | undefined> {
  try {
    const { bytes } = await readRegularFile(file);
    const text = bytes.toString("utf8");
    // What is written back must be what was there.
    if (Buffer.from(text).equals(bytes) && !text.includes("\0")) return text;
    decodeText(bytes, { label: `--api-key-file '${name}'`, file: name, code: "usage" });
    throw usageError(
      `--api-key-file '${name}' is not UTF-8 text.`,
      "Convert it first: iconv -f UTF-16 -t UTF-8",
    );
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error;
    if (error.code === "ENOENT") return undefined;
    throw usageError(`--api-key-file '${name}' cannot be read: ${error.message}.`, HINT);
  }
}
