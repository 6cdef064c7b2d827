/** 127.0.0.0/8 as inet_pton(3) reads it, which takes no zeros in front. */
const LOOPBACK_IPV4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** Whether a host name or address is this machine alone, by its name: nothing is looked up. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === "localhost" || host === "::1" || LOOPBACK_IPV4.test(host);
}

/** What a request says of where it goes: the parts of HTTP/1.1's and HTTP/2's requests that tell it. */
interface AddressedRequest {
  readonly url?: string | undefined;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** The values of all Host headers of a request, and HTTP/2's `:authority`. */
export function hostsOf({ rawHeaders }: AddressedRequest): string[] {
  return rawHeaders.filter((_, index) => {
    const name = index % 2 === 1 ? rawHeaders[index - 1]?.toLowerCase() : undefined;
    return name === "host" || name === ":authority";
  });
}

/**
 * The first name by which a request goes elsewhere than to this machine, empty where it has no name at all. Undefined for
 * one that names this machine only. A page in a browser can reach this
 * machine's own address under a name of its own (DNS rebinding), but cannot help sending that name.
 */
export function foreignHostIn(request: AddressedRequest): string | undefined {
  const hosts = hostsOf(request);
  // A request target may have a host of its own, which goes before the header (RFC 9112, section 3.2.2).
  const [, target] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.url ?? "") ?? [];
  if (target !== undefined) hosts.push(target);
  if (hosts.length === 0) return "";
  return hosts.find((host) => !isLoopback(withoutPort(host.trim().toLowerCase())));
}

function withoutPort(host: string): string {
  return withoutBrackets(host.replace(/:\d*$/, ""));
}

/** The host of a URL as an address or a name: what stands around an address of IPv6 belongs to the URL. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
