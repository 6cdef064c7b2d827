import { decodeUserInfo, maskUserInfoWithin } from "../network/user-info.ts";
import type { Environment, Runtime } from "../runtime.ts";
import { hideKeyIds } from "./mask.ts";

interface Known {
  secrets: Set<string>;
  /** Hidden also where they are short, as whole words. */
  passwords: Set<string>;
}

/** What a process has resolved, by its terminal: a command may run on copies of its Runtime. */
const resolved = new WeakMap<Runtime["terminal"], Known>();

const SECRET_VARIABLES = [
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];
/** Variables that hold a URL, which may have a user and password in it. */
const URL_VARIABLE = /^(?:(?:https?|all)_proxy|aws_endpoint_url(?:_\w+)?)$/i;
/** A text this short is part of too many words to be taken out of them. */
const SHORTEST_SECRET = 8;
/** The same for data, which is not ours: what stands for a key where a server asks for none is a word there. */
const SHORTEST_IN_DATA = 16;
/** A password this short is not even taken for a word. */
const SHORTEST_PASSWORD = 2;

/**
 * Remembers secrets that were read or resolved, so that no message of a service tells them. `passwords` are those of a
 * URL, which are often short and stand where words do.
 */
export function rememberSecrets(
  { terminal }: Pick<Runtime, "terminal">,
  secrets: readonly (string | undefined)[],
  passwords: readonly (string | undefined)[] = [],
): void {
  const known = knownOf(terminal);
  for (const secret of secrets) if (secret) known.secrets.add(secret);
  for (const password of passwords) if (password) known.passwords.add(password);
}

/** Lets a terminal know the secrets of another, those that are resolved later, too: for work with an output of its own. */
export function shareSecrets(
  { terminal: from }: Pick<Runtime, "terminal">,
  { terminal: to }: Pick<Runtime, "terminal">,
): void {
  resolved.set(to, knownOf(from));
}

function knownOf(terminal: Runtime["terminal"]): Known {
  const known = resolved.get(terminal) ?? { secrets: new Set<string>(), passwords: new Set<string>() };
  resolved.set(terminal, known);
  return known;
}

/**
 * Takes out of a foreign text what this process must not tell: its secrets, in each form in which a service may repeat
 * them, user and password of URLs and of Basic authentication, whole key ids, and the canonical request with which AWS
 * explains a wrong signature, which holds the session token.
 */
export function hideSecrets(text: string, { env, terminal }: Pick<Runtime, "env" | "terminal">): string {
  const known = resolved.get(terminal);
  const logins = loginsOf(env);
  const passwords = [...logins.map(({ password }) => password), ...(known?.passwords ?? [])];
  const secrets = [
    ...SECRET_VARIABLES.map((name) => env[name]?.trim() ?? ""),
    ...(known?.secrets ?? []),
    ...logins.map(({ user, password }) => `${user}:${password}`),
    ...passwords,
  ];
  let hidden = maskUserInfoWithin(
    text.replace(/\s*The (Canonical String for this request|String-to-Sign) should have been[^]*$/, ""),
  ).replaceAll(/\b(Basic\s+)[A-Za-z0-9+/_-]{4,}={0,2}/g, (match, scheme: string) =>
    Buffer.from(match.slice(scheme.length), "base64").includes(":") ? `${scheme}…` : match,
  );
  hidden = withoutForms(hidden, formsOfAll(secrets, SHORTEST_SECRET));
  for (const password of passwords) {
    if (password.length < SHORTEST_PASSWORD || password.length >= SHORTEST_SECRET) continue;
    for (const form of formsOf(password)) {
      const escaped = form.replaceAll(/[^\w\s]/g, "\\$&");
      hidden = hidden.replaceAll(new RegExp(`(?<![\\w%])${escaped}(?!\\w)`, "g"), "…");
    }
  }
  return hideKeyIds(hidden);
}

/**
 * Takes out of data that goes on to others, such as what a program has printed, the secrets that this process has read or
 * resolved, in each form in which they may stand there. All else stays as it is.
 */
export function ownSecretsHider({
  env,
  terminal,
}: Pick<Runtime, "env" | "terminal">): (text: string) => string {
  const secrets = [...SECRET_VARIABLES.map((name) => env[name]?.trim() ?? ""), ...knownOf(terminal).secrets];
  const forms = formsOfAll(secrets, SHORTEST_IN_DATA);
  return (text) => withoutForms(text, forms);
}

/** The forms of secrets that have at least so many characters, the longest first. */
function formsOfAll(secrets: readonly string[], shortest: number): string[] {
  const forms = new Set(secrets.flatMap(formsOf).filter((form) => form.length >= shortest));
  return [...forms].toSorted((left, right) => right.length - left.length);
}

function withoutForms(text: string, forms: readonly string[]): string {
  return forms.reduce((hidden, form) => hidden.replaceAll(form, "…"), text);
}

/** A secret as it stands in a header, a URL, a form, JSON and Basic authentication. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inUrl = encodeURIComponent(bytes.toString("utf8"));
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  return [
    secret,
    inUrl,
    inUrl.replaceAll(/%[\dA-F]{2}/g, (escape) => escape.toLowerCase()),
    inUrl.replaceAll("%20", "+"),
    JSON.stringify(secret).slice(1, -1),
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_"),
  ];
}

/** The users and passwords in the URLs of proxies and endpoints. */
function loginsOf(env: Environment): { user: string; password: string }[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const [, user, password] =
      (URL_VARIABLE.test(name) && /^(?:[a-z][a-z\d+.-]*:)?(?:\/\/)?([^:]*):(.*)@/is.exec(value ?? "")) || [];
    if (user === undefined || password === undefined) return [];
    return [{ user: decodeUserInfo(user) ?? user, password: decodeUserInfo(password) ?? password }];
  });
}
