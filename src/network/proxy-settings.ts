import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { errorFrom, OpenclawError } from "../errors.ts";
import { withoutBrackets } from "../loopback.ts";
import type { Environment } from "../runtime.ts";
import { decodeUserInfo, MASK } from "./user-info.ts";

/** The schemes of a proxy and their ports where the URL names none: the URL's own, and 1080 for SOCKS (RFC 1928). */
const PORTS = {
  "http:": 80,
  "https:": 443,
  "socks:": 1080,
  "socks4:": 1080,
  "socks4a:": 1080,
  "socks5:": 1080,
  "socks5h:": 1080,
} as const;

export type ProxyScheme = keyof typeof PORTS;

export interface ProxyName {
  /** `host:port`. */
  address: string;
  variable: string;
}

export interface Proxy extends ProxyName {
  scheme: ProxyScheme;
  /** Without brackets. */
  host: string;
  port: number;
  /** Scheme, host and port, without user and password. */
  shown: string;
  /** Empty where the URL names none. */
  user: string;
  password: string;
}

/** Credentials of an instance or a container are handed out to this machine only (the SDK's `checkUrl` has the list). */
const NEVER_PROXIED = new Set([
  "169.254.169.254",
  "[fd00:ec2::254]",
  "169.254.170.2",
  "169.254.170.23",
  "[fd00:ec2::23]",
]);

/** Whether a URL's host is one of those, which only this machine has. */
export function isOfThisMachine(hostname: string): boolean {
  return NEVER_PROXIED.has(hostname);
}

/**
 * The proxy that the environment names for a URL, undefined for a direct connection: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY
 * and NO_PROXY as curl (https://curl.se/docs/manpage.html#ENVIRONMENT) and the AWS CLI
 * (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html) read them; docs/network.md says where the
 * two differ. Throws `config-invalid` for the variable that decides, when it names no proxy.
 */
export function findProxy(target: string | URL, env: Environment): Proxy | undefined {
  const url = new URL(target);
  if (isOfThisMachine(url.hostname)) return undefined;
  const named = readProxyVariable(env, url.protocol === "https:" ? "https_proxy" : "http_proxy");
  const [variable, value] = named ?? readProxyVariable(env, "all_proxy") ?? [];
  if (variable === undefined || value === undefined) return undefined;
  const [, exempt] = readProxyVariable(env, "no_proxy") ?? [];
  return exempt !== undefined && isExempt(url, exempt) ? undefined : readProxy(value, variable);
}

/** A variable about proxies in lower case, else in any other, by its name in lower case. */
export function readProxyVariable(
  env: Environment,
  name: string,
): readonly [name: string, value: string] | undefined {
  const names = [name, ...Object.keys(env).filter((key) => key !== name && key.toLowerCase() === name)];
  for (const key of names) {
    // A CGI server puts a header of its client, "Proxy:", into HTTP_PROXY. curl never reads that one; Python, and so the
    // AWS CLI, reads it where no CGI server is at work.
    if (name === "http_proxy" && key !== name && env["REQUEST_METHOD"] !== undefined) continue;
    const value = env[key]?.trim();
    if (value) return [key, value];
  }
  return undefined;
}

/** What is wrong with the variables that name proxies, whoever they are for. */
export function proxyErrors(env: Environment): OpenclawError[] {
  return ["https_proxy", "http_proxy", "all_proxy"].flatMap((name) => {
    const [variable, value] = readProxyVariable(env, name) ?? [];
    if (variable === undefined || value === undefined) return [];
    return errorFrom(() => readProxy(value, variable)) ?? [];
  });
}

/** Whether a list of NO_PROXY has the host of a URL. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replaceAll(/^\[|\]$|\.$/g, "").toLowerCase();
  const ownPort = port || (protocol === "https:" ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, name = entry, onlyPort = ownPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
      return onlyPort === ownPort && covers(name.replaceAll(/[[\]]/g, ""), host);
    });
}

/** Whether an entry, which is an address, a network, a name or a wildcard, covers a host. */
function covers(entry: string, host: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (isIP(host) !== 0) return coversAddress(entry, host);
  const name = entry.replaceAll(/^\.+|\.$/g, "");
  if (name.startsWith("*")) return host.endsWith(name.slice(1));
  return name !== "" && (host === name || host.endsWith(`.${name}`));
}

function coversAddress(entry: string, host: string): boolean {
  const [address = "", prefix] = entry.split("/", 2);
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const longest = family === "ipv4" ? 32 : 128;
  const bits = prefix === undefined ? longest : /^\d+$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (isIP(address) === 0 || !(bits <= longest)) return false;
  const network = new BlockList();
  network.addSubnet(address, bits, family);
  return network.check(host, isIPv6(host) ? "ipv6" : "ipv4");
}

const ENCODE =
  "Percent-encode what is special in user and password: %23 for #, %2F for /, %3F for ?, %40 for @, %25 for %.";

/** Reads a variable that names a proxy. Without a scheme it is `http://`. Throws `config-invalid`, without its secrets. */
function readProxy(value: string, variable: string): Proxy {
  const whole = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value.replace(/^\/\//, "")}`;
  const scheme = whole.slice(0, whole.indexOf("//")).toLowerCase();
  const example = `${variable}=http://HOST:PORT`;
  if (!isScheme(scheme)) {
    throw refused(
      `${variable} names a proxy of the kind ${scheme}//, which is not supported.`,
      `Use http://, https://, socks5h://, socks5://, socks4a:// or socks4://: export ${example}`,
    );
  }
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  // A # or / in a password ends the host for a URL's reader: what looks like the rest is where the host is.
  const isCut = url !== undefined && `${url.pathname}${url.search}${url.hash}`.includes("@");
  if (url === undefined || !/^[\w.:[\]-]+$/.test(url.hostname) || url.port === "0" || isCut) {
    throw refused(
      `${variable} is not the URL of a proxy: '${hideUserInfo(whole)}'.`,
      whole.includes("@") ? ENCODE : `Write it as a URL: export ${example}`,
    );
  }
  const [user, password] = [decodeUserInfo(url.username), decodeUserInfo(url.password)];
  if (user === undefined || password === undefined) {
    throw refused(`User and password in ${variable} are not percent-encoded UTF-8.`, ENCODE);
  }
  const port = url.port === "" ? PORTS[scheme] : Number(url.port);
  const address = `${url.hostname}:${port}`;
  return {
    scheme,
    host: withoutBrackets(url.hostname),
    port,
    address,
    variable,
    shown: `${scheme}//${address}`,
    user,
    password,
  };
}

function isScheme(scheme: string): scheme is ProxyScheme {
  return Object.hasOwn(PORTS, scheme);
}

/** A URL that is none, without what may be a secret in it. */
function hideUserInfo(whole: string): string {
  if (whole.includes("@")) return whole.replace(/^([^/]*:\/\/)[^]*@/, `$1${MASK}@`);
  return whole.replace(/^([^/]*:\/\/[^/:]*:)\D[^]*$/, `$1${MASK}`);
}

function refused(message: string, hint: string): OpenclawError {
  return new OpenclawError("config-invalid", { message, hint });
}
