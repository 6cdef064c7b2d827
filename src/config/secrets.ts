import { MASK, maskUserInfo } from "../network/user-info.ts";
import { findSetting, foreignPart } from "./find-setting.ts";
import type { Path } from "./path.ts";
import { type Leaf, listLeaves, mapLeaves } from "./walk-value.ts";

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
 * none. Of an environment and of headers that is what its name says to be one.
 */
export function writtenSecret(value: unknown): Path | undefined {
  return listLeaves(value).find(({ path, value: leaf }) => {
    if (typeof leaf !== "string" || leaf === "" || leaf.includes("${")) return false;
    if (!findSetting(path)?.isSecret || foreignPart(value, path)) return false;
    return SECRET_NAME.test(String(path.at(-1)));
  })?.path;
}

/** A copy of the value at `path` with every secret in it replaced by `****`, user and password of URLs included. */
export function maskSecrets(value: unknown, path: Path = []): unknown {
  return mapLeaves(value, maskLeaf, path);
}

function maskLeaf({ path, value }: Leaf): unknown {
  if (isSecretPath(path)) return isReference(value) || isHarmless(value) ? value : MASK;
  return typeof value === "string" ? maskUserInfo(value) : value;
}

/** `${NAME}` says where the secret is, not what it is. */
function isReference(value: unknown): boolean {
  return typeof value === "string" && /^\$\{[A-Za-z_]\w*\}$/.test(value);
}

function isHarmless(value: unknown): boolean {
  return value === undefined || value === "" || value === null || typeof value === "boolean";
}
