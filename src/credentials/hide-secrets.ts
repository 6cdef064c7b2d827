import type { Runtime } from "../runtime.ts";
import { hideKeyIds } from "./mask.ts";

/** What a process has resolved, by its terminal: a command may run on copies of its Runtime. */
const resolved = new WeakMap<Runtime["terminal"], Set<string>>();

/** Variables whose values are secrets. */
const SECRET_VARIABLES = [
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];
/** A text this short is part of too many words to be taken out of them. */
const SHORTEST_SECRET = 8;

/** Remembers secrets that were read or resolved, so that no message of a service tells them. */
export function rememberSecrets(
  { terminal }: Pick<Runtime, "terminal">,
  secrets: readonly (string | undefined)[],
): void {
  const known = secretsOf(terminal);
  for (const secret of secrets) if (secret) known.add(secret);
}

/** Lets a terminal know the secrets of another, those that are resolved later, too: for work with an output of its own. */
export function shareSecrets(
  { terminal: from }: Pick<Runtime, "terminal">,
  { terminal: to }: Pick<Runtime, "terminal">,
): void {
  resolved.set(to, secretsOf(from));
}

function secretsOf(terminal: Runtime["terminal"]): Set<string> {
  const known = resolved.get(terminal) ?? new Set<string>();
  resolved.set(terminal, known);
  return known;
}

/**
 * Takes out of a foreign text what this process must not tell: its secrets, whole key ids, and the canonical request
 * with which AWS explains a wrong signature, which holds the session token.
 */
export function hideSecrets(text: string, { env, terminal }: Pick<Runtime, "env" | "terminal">): string {
  const secrets = [
    ...SECRET_VARIABLES.map((name) => env[name]?.trim() ?? ""),
    ...(resolved.get(terminal) ?? []),
  ].filter((secret) => secret.length >= SHORTEST_SECRET);
  let hidden = text.replace(
    /\s*The (Canonical String for this request|String-to-Sign) should have been[^]*$/,
    "",
  );
  for (const secret of secrets) hidden = hidden.replaceAll(secret, "…");
  return hideKeyIds(hidden);
}
