import { createHash } from "node:crypto";
import { shorten, usageError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { atOnce, type Steps } from "../../next-turn.ts";

/** What a shorter key holds can be guessed. In characters. */
const SHORTEST = 8;
/** Before the digest of a key, in a file. */
const HASH_PREFIX = "sha256:";

/** What a key may do. What is undefined is not limited. */
export interface KeyLimits {
  /** Patterns of models, `*` standing for anything. */
  models?: readonly string[] | undefined;
  /** Requests in any minute. */
  rpm?: number | undefined;
  /** Tokens in any minute. */
  tpm?: number | undefined;
  /** USD in a day of UTC. */
  dailyBudgetUsd?: number | undefined;
  /** USD in a month of UTC. */
  monthlyBudgetUsd?: number | undefined;
  /** From when on it opens nothing, in ISO 8601. */
  expires?: string | undefined;
}

/** A key that opens the server. Only its SHA-256 digest is kept. */
export interface ApiKey extends KeyLimits {
  name: string;
  digest: Buffer;
  /** When it was made, in ISO 8601. */
  created?: string | undefined;
}

/** The digest by which a key is known. */
export function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** What a line of a file of keys is: nothing, or a key; the key of a line without a name is named for its number. */
function parseKeyLine(text: string, number: number, file: string): ApiKey | undefined {
  const line = text.trim();
  if (line === "" || line.startsWith("#")) return undefined;
  const place = `line ${number} of '${file}'`;
  if (line.startsWith("{")) return parseJsonLine(line, place);
  const colon = line.indexOf(":");
  return colon < 0
    ? toKey(`line-${number}`, line, place)
    : toKey(line.slice(0, colon).trim(), line.slice(colon + 1).trim(), place);
}

/**
 * The keys of a file's text, in order, each with the number of its line from 0. A line is `name:key`, a bare key, or a
 * JSON object as `serve keys add` writes it; blank lines and those that begin with # are skipped. Throws `usage`, never
 * with a key in it.
 */
export function parseKeys(text: string, file: string): PlacedKey[] {
  return atOnce(parsingKeys(text, file));
}

/** The same in steps: of 10,000 lines in one go others would wait for 100 ms. */
export function* parsingKeys(text: string, file: string): Steps<PlacedKey[]> {
  const keys: PlacedKey[] = [];
  for (const [line, content] of text.split("\n").entries()) {
    const key = parseKeyLine(content, line + 1, file);
    if (key) keys.push({ ...key, line });
    yield;
  }
  return keys;
}

/** A key with the number of its line, from 0. */
type PlacedKey = ApiKey & { line: number };

/** A name must tell in the log whose key it was, and a key whose name that is. Throws `usage`. */
export function refuseTwins(keys: readonly ApiKey[]): void {
  const names = new Set<string>();
  const hashes = new Map<string, string>();
  for (const { name, digest } of keys) {
    const hash = digest.toString("hex");
    const twin = hashes.get(hash);
    if (names.has(name))
      throw usageError(`Two API keys have the name '${name}'.`, "Give each a name of its own.");
    if (twin !== undefined)
      throw usageError(`'${twin}' and '${name}' are names of one API key.`, "Leave one of them out.");
    names.add(name);
    hashes.set(hash, name);
  }
}

/** A key in clear, under a name. Throws `usage` for what cannot be one, without it. `place` is where it stands. */
export function toKey(name: string, key: string, place: string): ApiKey {
  if (isKeyName(name) && key.length >= SHORTEST && /^[\x21-\x7E]+$/.test(key))
    return { name, digest: digestOf(key) };
  throw usageError(
    `The key in ${place} cannot be used: it must have ${SHORTEST} or more visible ASCII characters, and a name only letters, digits and ._@-.`,
    "Make one: openssl rand -hex 32",
  );
}

/** Whether a text can be the name of a key. */
export function isKeyName(text: string): boolean {
  return /^[\w.@-]+$/.test(text);
}

/** The line of a file that keeps a key. */
export function keyLine({ name, digest, created, ...limits }: ApiKey): string {
  return JSON.stringify({ name, hash: HASH_PREFIX + digest.toString("hex"), ...limits, created });
}

/** A field of a key's JSON: whether a value fits it, and what does. */
interface Field {
  fits: (value: unknown) => boolean;
  takes: string;
}

const COUNT: Field = {
  fits: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  takes: "a whole number of at least 1",
};
const MONEY: Field = {
  fits: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
  takes: "USD, a number of at least 0",
};
const MOMENT: Field = {
  fits: (value) =>
    typeof value === "string" &&
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(value) &&
    !Number.isNaN(Date.parse(value)),
  takes: "a date of ISO 8601, such as 2027-01-31 or 2027-01-31T12:00:00Z",
};

const FIELDS: Readonly<Record<string, Field>> = {
  name: {
    fits: (value) => typeof value === "string" && isKeyName(value),
    takes: "letters, digits and ._@-",
  },
  hash: {
    fits: (value) => typeof value === "string" && /^sha256:[\da-f]{64}$/i.test(value),
    takes: "the key's SHA-256 digest: sha256: and 64 hexadecimal digits",
  },
  models: {
    fits: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((pattern) => typeof pattern === "string" && pattern.trim() !== ""),
    takes: "a list of patterns of models, not empty",
  },
  rpm: COUNT,
  tpm: COUNT,
  dailyBudgetUsd: MONEY,
  monthlyBudgetUsd: MONEY,
  expires: MOMENT,
  created: MOMENT,
};

/** A limit that is misspelt would be none: what is not known is refused. */
function parseJsonLine(line: string, place: string): ApiKey {
  const value = readJson(line, place);
  for (const [name, given] of Object.entries(value)) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field === undefined)
      throw usageError(
        `'${shorten(name)}' in ${place} is nothing that a key has.`,
        `It may have: ${Object.keys(FIELDS).join(", ")}`,
      );
    if (!field.fits(given)) throw usageError(`'${name}' in ${place} must be ${field.takes}.`, MAKE_ANEW);
  }
  // Each field was found to fit.
  const { name, hash, ...limits } = value as KeyLimits & { name?: string; hash?: string; created?: string };
  if (name === undefined || hash === undefined)
    throw usageError(`The key in ${place} has no '${name === undefined ? "name" : "hash"}'.`, MAKE_ANEW);
  return { name, digest: Buffer.from(hash.slice(HASH_PREFIX.length), "hex"), ...limits };
}

const MAKE_ANEW = "Correct the line, or make the key anew: openclaw serve keys add NAME --api-key-file FILE";

function readJson(line: string, place: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // Its message would quote the line.
  throw usageError(`The key in ${place} is not JSON, although it begins with '{'.`, MAKE_ANEW);
}
