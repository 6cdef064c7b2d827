import { createHash, timingSafeEqual } from "node:crypto";
import { decodeText } from "../disk/decode-text.ts";
import { ReadFailure } from "../disk/read-file.ts";
import { isReadOnce, readInput } from "../disk/read-input.ts";
import { usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** The name of the key that OPENCLAW_SERVE_API_KEY holds. */
const FROM_ENVIRONMENT = "env";
/** What a shorter key holds can be guessed. In characters. */
const SHORTEST = 8;

/** A key that opens the server. Only its digest is kept. */
interface ApiKey {
  name: string;
  digest: Buffer;
}

/** The keys that open the server; without any, everybody on this machine may come in. */
export class ApiKeys {
  readonly #keys: readonly ApiKey[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys;
  }

  get areRequired(): boolean {
    return this.#keys.length > 0;
  }

  /**
   * The name of the key in an Authorization header; undefined when it holds none of ours. Digests are compared, all of
   * them and each in constant time, so that an answer's timing tells nothing of a key.
   */
  nameOf(authorization: string | undefined): string | undefined {
    const [, sent = ""] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
    const digest = digestOf(sent);
    let name: string | undefined;
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) name = key.name;
    return name;
  }
}

/**
 * Reads the keys of `--api-key-file` and of OPENCLAW_SERVE_API_KEY. A line of the file is `name:key` or a bare key; blank
 * lines and those that begin with # are skipped. Throws `usage`, never with a key in it.
 */
export async function readApiKeys(file: string | undefined, runtime: Runtime): Promise<ApiKeys> {
  const keys = file === undefined ? [] : await readKeyFile(file, runtime);
  const fromEnvironment = runtime.env["OPENCLAW_SERVE_API_KEY"];
  if (fromEnvironment?.trim() === "") {
    throw usageError(
      "OPENCLAW_SERVE_API_KEY is set, and blank: the server would be open.",
      "Set it to a key (openssl rand -hex 32), or unset it: unset OPENCLAW_SERVE_API_KEY",
    );
  }
  if (fromEnvironment !== undefined)
    keys.push(toKey(FROM_ENVIRONMENT, fromEnvironment.trim(), "OPENCLAW_SERVE_API_KEY"));
  refuseTwins(keys);
  return new ApiKeys(keys);
}

async function readKeyFile(name: string, runtime: Runtime): Promise<ApiKey[]> {
  const { bytes, stats } = await readInput(name, runtime).catch((cause: unknown) => {
    if (!(cause instanceof ReadFailure)) throw cause;
    throw usageError(
      `--api-key-file '${name}' cannot be read: ${cause.message}.`,
      "Name a file with a line for each key: name:key",
    );
  });
  // Only a file keeps keys: the mode of a pipe says nothing, and that of a device is everybody's.
  const mode = stats?.isFile() === true ? stats.mode : 0;
  if (runtime.platform !== "win32" && (mode & 0o077) !== 0)
    await runtime.terminal.warn(
      `Others on this machine can read '${name}'.`,
      `chmod 600 ${quoteForShell(name)}`,
    );
  const file = isReadOnce(name) ? undefined : name;
  const text = decodeText(bytes, { label: `--api-key-file '${name}'`, file, code: "usage" });
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.flatMap((line, index) => {
    if (line === "" || line.startsWith("#")) return [];
    const place = `line ${index + 1} of '${name}'`;
    const colon = line.indexOf(":");
    return [
      colon < 0
        ? toKey(`line-${index + 1}`, line, place)
        : toKey(line.slice(0, colon).trim(), line.slice(colon + 1).trim(), place),
    ];
  });
  if (keys.length > 0) return keys;
  throw usageError(`--api-key-file '${name}' holds no key.`, "Write a line for each key: name:key");
}

/** A name must tell in the log whose key it was, and a key whose name that is. */
function refuseTwins(keys: readonly ApiKey[]): void {
  const seen = new Map<string, string>();
  for (const { name, digest } of keys) {
    const hash = digest.toString("hex");
    const twin = seen.get(hash);
    if (seen.has(name))
      throw usageError(`Two API keys have the name '${name}'.`, "Give each a name of its own.");
    if (twin !== undefined)
      throw usageError(`'${twin}' and '${name}' are names of one API key.`, "Leave one of them out.");
    seen.set(name, name).set(hash, name);
  }
}

function toKey(name: string, key: string, place: string): ApiKey {
  if (/^[\w.@-]+$/.test(name) && key.length >= SHORTEST && /^[\x21-\x7E]+$/.test(key))
    return { name, digest: digestOf(key) };
  throw usageError(
    `The key in ${place} cannot be used: it must have ${SHORTEST} or more visible ASCII characters, and a name only letters, digits and ._@-.`,
    "Make one: openssl rand -hex 32",
  );
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
