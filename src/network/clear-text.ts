import { isLoopback, withoutBrackets } from "../loopback.ts";
import type { Environment, Runtime } from "../runtime.ts";
import { findProxy, isOfThisMachine } from "./proxy-settings.ts";

type Headers = Readonly<Record<string, string | undefined>>;

const SECRET_NAME =
  /token|secret|passw|passphrase|cookie|credential|(?:api|auth|private|access)[-_]?key(?![-_]?id)/i;

/** Whether a header or variable of this name holds a secret, whatever its value is. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Headers that hold a secret by themselves; a signature of AWS is none, but the session token beside it is. */
const SECRET_HEADERS: readonly (readonly [name: RegExp, value: RegExp, what: string])[] = [
  [/^authorization$/i, /^bearer\b/i, "a bearer token"],
  [/^authorization$/i, /^basic\b/i, "a user and password"],
  [/^authorization$/i, /^(?!AWS4-)/, "a key"],
  [/^x-amz-security-token$/i, /./, "a session token"],
  [/^x-amz-sso_bearer_token$/i, /./, "a bearer token"],
  [SECRET_NAME, /./, "a key"],
];

/** What of a request's headers is secret, in words; undefined where nothing is. */
export function secretOf(headers: Headers): string | undefined {
  const sent = Object.entries(headers);
  return SECRET_HEADERS.find(([name, value]) =>
    sent.some(([key, text]) => text !== undefined && name.test(key) && value.test(text)),
  )?.[2];
}

/** Whether what is sent to a URL can be read on its way: `http://` to another machine, or to another one's proxy. */
export function isReadableOnTheWay(target: string | URL, env: Environment): boolean {
  const url = new URL(target);
  if (url.protocol !== "http:") return false;
  const proxy = findProxy(url, env);
  if (proxy && proxy.scheme !== "https:" && !isLoopback(proxy.host)) return true;
  return !isLoopback(withoutBrackets(url.hostname)) && !isOfThisMachine(url.hostname);
}

/** The two lines for a secret that travels in clear. */
export function tellClearText(what: string, origin: string): { message: string; hint: string } {
  return {
    message: `${what.replace(/^a/, "A")} travels unencrypted to ${origin}, where others on the way can read it`,
    hint: "Use https://, or an SSH or VPN tunnel to this machine.",
  };
}

/** What stands in the bodies of those who hand out credentials: tokens and codes on the way there, keys on the way back. */
export const CREDENTIALS = "a set of credentials";

type Warning = ReturnType<typeof tellClearText>;

const told = new WeakMap<Runtime["terminal"], Map<string, Warning>>();

/** What has travelled in clear from this process, of one kind; undefined where nothing has. */
export function clearTextOf({ terminal }: Pick<Runtime, "terminal">, what: string): Warning | undefined {
  return told.get(terminal)?.get(what);
}

/** Warns, once per process, of a secret that others on the way can read: `what` is it, in words. */
export async function warnOfClearText(
  { env, terminal }: Pick<Runtime, "env" | "terminal">,
  url: URL,
  what: string | undefined,
): Promise<void> {
  const known = told.get(terminal);
  if (what === undefined || known?.has(what) || !isReadableOnTheWay(url, env)) return;
  const warning = tellClearText(what, url.origin);
  told.set(terminal, new Map([...(known ?? []), [what, warning]]));
  if (!known) await terminal.warn(`${warning.message}.`, warning.hint);
}
