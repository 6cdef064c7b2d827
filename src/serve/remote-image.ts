import { lookup } from "node:dns";
import { lookup as lookupAll } from "node:dns/promises";
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import { MOST_FILE_BYTES } from "../converse/attachments.ts";
import { errorCode, OpenclawError } from "../errors.ts";
import { withoutBrackets } from "../loopback.ts";
import { decideCaBundle, type NamedProfile, readCertificates } from "../network/certificates.ts";
import { fromNetworkFailure, tellProxy } from "../network/network-errors.ts";
import { findProxy } from "../network/proxy-settings.ts";
import { readBytes } from "../read-bytes.ts";
import type { Environment } from "../runtime.ts";
import { anySignal, untilAborted } from "../until-aborted.ts";
import { refused } from "./request-field.ts";

/** Name look-up, connection and the whole image together, in ms. */
const FETCH_MS = 15_000;
/** Converse takes no more images in a message. */
const MOST_IMAGES = 20;

/** Where nothing public is (https://www.iana.org/assignments/iana-ipv4-special-registry/ and the one of IPv6). */
const NOT_PUBLIC = networks(
  "ipv4",
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
   192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`,
);
/** All that is public in IPv6; addresses that carry one of IPv4 in them are left out below. */
const PUBLIC_IPV6 = networks("ipv6", "2000::/3");
const NOT_PUBLIC_IPV6 = networks("ipv6", "2001::/23 2001:db8::/32 2002::/16 3fff::/20");

function networks(family: "ipv4" | "ipv6", list: string): BlockList {
  const all = new BlockList();
  for (const network of list.split(/\s+/)) {
    const [address = "", prefix] = network.split("/");
    all.addSubnet(address, Number(prefix), family);
  }
  return all;
}

/** Whether an address is one of the public internet: not of this machine, its network, or a cloud's metadata service. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC.check(address, "ipv4");
  return family === 6 && PUBLIC_IPV6.check(address, "ipv6") && !NOT_PUBLIC_IPV6.check(address, "ipv6");
}

/** What decides the proxy of a URL and the certificates that are trusted. */
export interface Network {
  env: Environment;
  /** The AWS profile in force, for its `ca_bundle`. */
  profile?: NamedProfile | undefined;
}

/**
 * Fetches images, each by its URL. Behind a proxy it is the proxy that looks names up and connects; what this machine itself
 * knows to be no public host is not asked for there either. Throws `invalid-request` for the first that cannot be had, and
 * `config-invalid` and `config-unreadable` for a proxy or a CA bundle that is none.
 */
export async function fetchRemoteImages(
  urls: readonly string[],
  signal: AbortSignal,
  mayReach: (address: string) => boolean = isPublicAddress,
  network: Network = { env: {} },
): Promise<Map<string, Uint8Array>> {
  if (urls.length > MOST_IMAGES) {
    throw refused(`${urls.length} remote images are more than the ${MOST_IMAGES} of a request.`, "messages");
  }
  const bound = anySignal(signal, AbortSignal.timeout(FETCH_MS));
  return new Map(
    await Promise.all(
      urls.map(async (url) => [url, await fetchImage(url, bound, mayReach, network)] as const),
    ),
  );
}

async function fetchImage(
  url: string,
  signal: AbortSignal,
  mayReach: (address: string) => boolean,
  network: Network,
): Promise<Uint8Array> {
  if (!URL.canParse(url)) throw cannotFetch(url, "its URL is not one");
  const { protocol, hostname, username, password, origin } = new URL(url);
  if (!/^https?:$/.test(protocol)) throw cannotFetch(url, "its URL is not http or https");
  if (username !== "" || password !== "") throw cannotFetch(url, "its URL holds a password");
  // A literal address is never looked up.
  const literal = withoutBrackets(hostname);
  if (isIP(literal) !== 0 && !mayReach(literal)) throw cannotFetch(url, "its host is not a public one");
  const proxy = findProxy(url, network.env);
  const open = proxy ? openThroughProxy : openDirectly;
  try {
    const { status, body, close } = await open(new URL(url), signal, mayReach, network);
    try {
      // A redirect could lead anywhere, and is another address than the one that was asked for.
      if (status !== 200) throw cannotFetch(url, `its host answers with status ${status}`);
      const tooLong = (): Error => cannotFetch(url, `it has more than ${MOST_FILE_BYTES} bytes`);
      return await readBytes(body, { most: MOST_FILE_BYTES, tooLong });
    } finally {
      close();
    }
  } catch (error) {
    const onTheWay = proxy ? `, through the ${tellProxy(proxy)}` : "";
    if (signal.aborted) throw cannotFetch(url, `it took longer than ${FETCH_MS / 1000} s${onTheWay}`);
    if (error instanceof OpenclawError) throw error;
    const told = proxy ? fromNetworkFailure(error as Error, origin)?.message.replace(/\.$/, "") : undefined;
    throw cannotFetch(url, told ?? (error as Error).message);
  }
}

interface OpenImage {
  status: number;
  body: Readable;
  close: () => void;
}

const HEADERS = { accept: "image/*", "user-agent": "openclaw" };
const NOT_A_PUBLIC_HOST = "its host is not a public one";

async function openDirectly(
  url: URL,
  signal: AbortSignal,
  mayReach: (address: string) => boolean,
  { env, profile }: Network,
): Promise<OpenImage> {
  const bundle = url.protocol === "https:" ? decideCaBundle(env, profile) : undefined;
  const ca = bundle && (await readCertificates(bundle));
  const lookupPublic: LookupFunction = (name, options, callback) => {
    // The very address that was looked at is connected to: a name that changes its mind gains nothing.
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const reachable = (addresses ?? []).filter(({ address }) => mayReach(address));
      const [first] = reachable;
      if (error) callback(error, "", 0);
      else if (!first) callback(new Error(NOT_A_PUBLIC_HOST), "", 0);
      else if (options.all) callback(null, reachable);
      else callback(null, first.address, first.family);
    });
  };
  const options = { agent: false, lookup: lookupPublic, signal, headers: HEADERS };
  const request =
    url.protocol === "https:" ? httpsRequest(url, { ...options, ca }) : httpRequest(url, options);
  // What breaks behind the headers ends the body, too, and is told by that.
  request.on("error", () => undefined);
  try {
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    request.end();
    const [response] = await answered;
    return { status: response.statusCode ?? 0, body: response, close: () => void request.destroy() };
  } catch (error) {
    request.destroy();
    throw error;
  }
}

async function openThroughProxy(
  url: URL,
  signal: AbortSignal,
  mayReach: (address: string) => boolean,
  { env, profile }: Network,
): Promise<OpenImage> {
  // Behind many a proxy no name outside can be looked up at all: then it is for the proxy to say what may be reached.
  const looked = lookupAll(url.hostname, { all: true }).catch((error: unknown) => {
    if (errorCode(error)?.startsWith("E")) return [];
    throw error;
  });
  const addresses = await untilAborted(looked, signal);
  if (addresses.length > 0 && !addresses.every(({ address }) => mayReach(address))) {
    throw new Error(NOT_A_PUBLIC_HOST);
  }
  const [{ createRequestHandler }, { HttpRequest }] = await Promise.all([
    import("../network/request-handler.ts"),
    import("../network/sdk-parts.ts"),
  ]);
  const handler = await createRequestHandler({ env, isEmulated: false }, undefined, { profile });
  const close = (): void => handler.destroy();
  try {
    const { protocol, hostname, host, port, pathname, search } = url;
    const request = new HttpRequest({
      protocol,
      hostname,
      ...(port === "" ? {} : { port: Number(port) }),
      path: `${pathname}${search}`,
      headers: { host, ...HEADERS },
    });
    const { response } = await handler.handle(request, { abortSignal: signal });
    return { status: response.statusCode, body: response.body as Readable, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Names the URL without its query, which may be a signature. */
function cannotFetch(url: string, why: string): OpenclawError {
  return refused(
    `The image ${url.split(/[?#]/, 1)[0]?.slice(0, 200)} cannot be fetched: ${why}.`,
    "messages",
    "invalid_image_url",
  );
}
