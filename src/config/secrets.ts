import { MASK, masked, maskUrl } from "../network/user-info.ts";
import type { Environment } from "../runtime.ts";
import { findSetting, foreignPart } from "./find-setting.ts";
import type { Path } from "./path.ts";
import { entriesOf, type Leaf, listLeaves, mapLeaves } from "./walk-value.ts";

/** Names other programs that share the file give their secrets. */
const SECRET_NAME =
  /(?:api[-_]?key|access[-_]?key|private[-_]?key|secret|token|password|passwd|passphrase|credentials?|authorization)$/i;

/** True when the value at this path must never be printed: by the table of settings, or, for other programs' keys, by its name. */
export function isSecretPath(path: Path): boolean {
  const found = findSetting(path);
  // What is below a setting that takes anything is named by others.
  if (found?.kind.kind === "anything") return found.isSecret || SECRET_NAME.test(String(path.at(-1)));
  if (found) return found.isSecret;
  return path.some((segment, index) => {
    if (typeof segment === "string" && SECRET_NAME.test(segment)) return true;
    return findSetting(path.slice(0, index + 1))?.isSecret === true;
  });
}

/**
 * The place of a secret of this program that stands in a configuration itself, not by `${NAME}`; undefined where there is
 * none.
 */
export function writtenSecret(value: unknown): Path | undefined {
  return secretTexts(value).find(
    ({ path, text }) => !text.includes("${") && findSetting(path)?.isSecret && !foreignPart(value, path),
  )?.path;
}

/** Every secret of a configuration, those that `${NAME}` stands for, too; of `Bearer …` also what stands behind the word. */
export function secretsOf(value: unknown, env: Environment): string[] {
  return secretTexts(value).flatMap(({ text }) => {
    const secret = text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? "");
    return [secret, secret.split(" ").at(-1) ?? ""];
  });
}

/** The texts that are secrets: of an environment and of headers what its name says to be one. */
function secretTexts(value: unknown): { path: Path; text: string }[] {
  return listLeaves(value).flatMap(({ path, value: text }) =>
    typeof text === "string" && text !== "" && isSecretPath(path) && SECRET_NAME.test(String(path.at(-1)))
      ? [{ path, text }]
      : [],
  );
}

/**
 * A copy of the value at `path` with every secret in it replaced by `****`: of URLs user, password and what their query names
 * so, of command lines what stands behind such a name.
 */
export function maskSecrets(value: unknown, path: Path = []): unknown {
  return maskWords(mapLeaves(value, maskLeaf, path), path.at(-1));
}

/** Whether a secret that stands in one configuration stands no more in the next. */
export function losesSecret(before: unknown, after: unknown): boolean {
  const kept = secretsIn(after);
  return [...secretsIn(before)].some((secret) => !kept.has(secret));
}

/** The values that are secrets, or have one in them. */
function secretsIn(value: unknown): Set<unknown> {
  const shown = listLeaves(maskSecrets(value));
  return new Set(
    listLeaves(value).flatMap((leaf, nth) => (leaf.value === shown[nth]?.value ? [] : leaf.value)),
  );
}

/** A flag, header or variable with a secret behind it in the same word: `--token=…`, `Authorization: Bearer …`. */
const SECRET_BEHIND = /^([^=:\s]*?(?:[-_]?key|secret|token|password|authorization)\s*[=:]\s*)(.+)$/is;
/** A flag whose secret is the next word. */
const SECRET_FLAG = /^--?[\w-]*(?:api[-_]?key|access[-_]?key|secret|token|password)$/i;

/** Settings that are the words of a command line. */
const COMMAND_LINES: ReadonlySet<unknown> = new Set(["args", "command"]);

/** A value in which no command line has a secret behind its name. */
function maskWords(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) && COMMAND_LINES.has(key))
    return value.map((word: unknown, index) => {
      const before: unknown = value[index - 1];
      if (typeof word !== "string" || isReference(word)) return word;
      if (typeof before === "string" && SECRET_FLAG.test(before) && !word.startsWith("-")) return MASK;
      return word.replace(SECRET_BEHIND, (_, name: string, secret: string) => name + masked(secret));
    });
  if (typeof value !== "object" || value === null) return value;
  const entries = entriesOf(value).map(([name, item]) => [name, maskWords(item, name)] as const);
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

function maskLeaf({ path, value }: Leaf): unknown {
  if (isSecretPath(path)) return isReference(value) || isHarmless(value) ? value : MASK;
  if (typeof value !== "string") return value;
  return maskUrl(value);
}

/** `${NAME}` says where the secret is, not what it is. */
function isReference(value: unknown): boolean {
  return typeof value === "string" && /^\$\{[A-Za-z_]\w*\}$/.test(value);
}

function isHarmless(value: unknown): boolean {
  return value === undefined || value === "" || value === null || typeof value === "boolean";
}
