import { timingSafeEqual } from "node:crypto";
import { stat } from "node:fs/promises";
import path from "node:path";
import { decodeText } from "../../disk/decode-text.ts";
import { readRegularFile, ReadFailure } from "../../disk/read-file.ts";
import { isReadOnce, readInput, type Input } from "../../disk/read-input.ts";
import { rereadFiles } from "../../disk/watch-files.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { inSteps } from "../../next-turn.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { type ApiKey, digestOf, parsingKeys, refuseTwins, toKey } from "./key-file.ts";

/** The name of the key that OPENCLAW_SERVE_API_KEY holds. */
const FROM_ENVIRONMENT = "env";

/** Where a client may put its key: OpenAI's clients the first, Anthropic's either. */
interface KeyHeaders {
  authorization: string | undefined;
  "x-api-key": string | undefined;
}

/** The keys that open the server; without any, everybody on this machine may come in. */
export class ApiKeys {
  /** Where the last key was revoked nobody comes in any more. */
  readonly areRequired: boolean;
  #byDigest: ReadonlyMap<string, ApiKey> = new Map();

  constructor(keys: readonly ApiKey[]) {
    this.areRequired = keys.length > 0;
    this.replace(keys);
  }

  /** Has other keys open the server from now on. */
  replace(keys: readonly ApiKey[]): void {
    this.#byDigest = new Map(keys.map((key) => [key.digest.toString("hex"), key]));
  }

  /** Every key, in the order of the file. */
  get all(): readonly ApiKey[] {
    return [...this.#byDigest.values()];
  }

  /**
   * The key that a request brings, or in words why it opens nothing. Keys are found by their digests, so that an answer's
   * timing tells nothing of a key. `now` is in ms since 1970.
   */
  find({ authorization, "x-api-key": apiKey }: KeyHeaders, now: number): ApiKey | string {
    const [, bearer = ""] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
    const sent = new Set([bearer, apiKey?.trim() ?? ""].filter((key) => key !== ""));
    if (sent.size > 1) return "'Authorization' and 'x-api-key' bring two different API keys: send one.";
    const [given] = sent;
    if (given === undefined && authorization === undefined)
      return "An API key is needed: send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'.";
    if (given === undefined && /^AWS4-/i.test(authorization ?? ""))
      return "The request is signed with AWS credentials, and this server takes API keys of its own: set AWS_BEARER_TOKEN_BEDROCK to one.";
    const digest = digestOf(given ?? "");
    const key = this.#byDigest.get(digest.toString("hex"));
    if (key === undefined || !timingSafeEqual(key.digest, digest))
      return "The API key is not one of this server's.";
    const isExpired = key.expires !== undefined && Date.parse(key.expires) <= now;
    return isExpired ? `The API key '${key.name}' has expired (${key.expires}).` : key;
  }
}

/**
 * Reads the keys of `--api-key-file` and of OPENCLAW_SERVE_API_KEY. Throws `usage`, never with a key in it.
 */
export async function readApiKeys(file: string | undefined, runtime: Runtime): Promise<ApiKeys> {
  const fromEnvironment = readEnvironment(runtime);
  const keys = file === undefined ? [] : await readKeyFile(file, runtime, (name) => readInput(name, runtime));
  if (file !== undefined && keys.length === 0)
    throw usageError(
      `--api-key-file '${file}' holds no key.`,
      `Make one: openclaw serve keys add NAME --api-key-file ${quoteForShell(file)}`,
    );
  return new ApiKeys(joined(keys, fromEnvironment));
}

/** Who looks at the keys of a file that is read again. */
interface KeyWatch {
  /** Throws where they cannot be used. */
  judge: (keys: readonly ApiKey[]) => void;
  tell: (text: string) => void;
}

/**
 * Reads the file again at SIGHUP and when it changes, for as long as `runtime` runs. One that cannot be used changes
 * nothing: `tell` is told why, and of every new one. What can be read but once, such as a pipe, stays as it is, and SIGHUP
 * ends the program.
 */
export async function keepKeys(
  keys: ApiKeys,
  name: string,
  runtime: Runtime,
  { judge, tell }: KeyWatch,
): Promise<void> {
  const file = path.resolve(runtime.currentFolder, name);
  const reload = async (): Promise<void> => {
    try {
      const read = await readKeyFile(name, runtime, () => readRegularFile(file));
      // One in which nothing is left is being written, or was cut by a full disk; `serve keys revoke` leaves a comment.
      if (read.length === 0 && (await stat(file)).size === 0)
        return tell(`The keys stay as they are: '${name}' is empty.`);
      const all = joined(read, readEnvironment(runtime));
      judge(all);
      keys.replace(all);
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      return tell(`The keys stay as they are: ${error.message}`);
    }
    tell(`The keys of '${name}' were read again: ${keys.all.length} open this server now.`);
  };
  await rereadFiles([name], runtime, reload);
}

function joined(keys: readonly ApiKey[], fromEnvironment: ApiKey | undefined): ApiKey[] {
  const all = fromEnvironment === undefined ? [...keys] : [...keys, fromEnvironment];
  refuseTwins(all);
  return all;
}

function readEnvironment({ env }: Runtime): ApiKey | undefined {
  const value = env["OPENCLAW_SERVE_API_KEY"];
  if (value === undefined) return undefined;
  if (value.trim() !== "") return toKey(FROM_ENVIRONMENT, value.trim(), "OPENCLAW_SERVE_API_KEY");
  throw usageError(
    "OPENCLAW_SERVE_API_KEY is set, and blank: the server would be open.",
    "Set it to a key (openssl rand -hex 32), or unset it: unset OPENCLAW_SERVE_API_KEY",
  );
}

async function readKeyFile(
  name: string,
  runtime: Runtime,
  read: (name: string) => Promise<Input>,
): Promise<ApiKey[]> {
  const { bytes, stats } = await read(name).catch((cause: unknown) => {
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
  return inSteps(parsingKeys(text, name));
}
