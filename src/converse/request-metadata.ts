import { usageError } from "../errors.ts";

/** Bounds and characters of the service model of Bedrock Runtime (RequestMetadata). */
export const MOST_ENTRIES = 16;
const ALLOWED = /^[a-zA-Z0-9\s:_@$#=/+,.-]*$/;
export const LONGEST_MARK = 256;

/** The mark with the name of the key of `serve` that asks. */
const KEY_MARK = "openclaw-key";

/**
 * The marks of a call that a key of `serve` makes: a client's own, and the name of its key, which is never the client's to
 * say. `notices` says which of its own there was no room for. Without a name the marks are as they are.
 */
export function withKeyMark(
  metadata: Readonly<Record<string, string>> | undefined,
  keyName: string | undefined,
): { metadata: Readonly<Record<string, string>> | undefined; notices: string[] } {
  if (keyName === undefined) return { metadata, notices: [] };
  const own = Object.entries(metadata ?? {}).filter(([name]) => name !== KEY_MARK);
  const left = own.splice(MOST_ENTRIES - 1).map(([name]) => name);
  return {
    metadata: Object.fromEntries([...own, [KEY_MARK, keyName.slice(0, LONGEST_MARK)]]),
    notices:
      left.length === 0
        ? []
        : [`'${left.join("', '")}' of the metadata is left out: the key's name is told there`],
  };
}

/** Whether Converse takes a mark for the invocation logs. */
export function isRequestMetadata(key: string, value: string): boolean {
  return key !== "" && [key, value].every((part) => ALLOWED.test(part) && part.length <= LONGEST_MARK);
}

/** Reads `--metadata KEY=VALUE`, which marks the call in the account's invocation logs. Throws `usage`. */
export function parseRequestMetadata(entries: readonly string[]): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    const [key, value] = [entry.slice(0, Math.max(equals, 0)), entry.slice(equals + 1)];
    if (!isRequestMetadata(key, value)) {
      throw usageError(
        `--metadata '${entry}' is not KEY=VALUE of at most ${LONGEST_MARK} letters, digits, spaces and :_@$#=/+,.- each.`,
        "For example: --metadata team=search",
      );
    }
    metadata[key] = value;
  }
  if (Object.keys(metadata).length > MOST_ENTRIES)
    throw usageError(`--metadata is given more than ${MOST_ENTRIES} times.`, "Leave some out.");
  return metadata;
}
