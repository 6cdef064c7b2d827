import { lookup } from "node:dns";
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { MOST_FILE_BYTES } from "../converse/attachments.ts";
import { OpenclawError } from "../errors.ts";
import { readBytes } from "../read-bytes.ts";
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

/** Fetches images, each by its URL. Throws `invalid-request` for the first that cannot be had. */
export async function fetchRemoteImages(
  urls: readonly string[],
  signal: AbortSignal,
  mayReach: (address: string) => boolean = isPublicAddress,
): Promise<Map<string, Uint8Array>> {
  if (urls.length > MOST_IMAGES) {
    throw refused(`${urls.length} remote images are more than the ${MOST_IMAGES} of a request.`, "messages");
  }
  const bound = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]);
  return new Map(
    await Promise.all(urls.map(async (url) => [url, await fetchImage(url, bound, mayReach)] as const)),
  );
}

async function fetchImage(
  url: string,
  signal: AbortSignal,
  mayReach: (address: string) => boolean,
): Promise<Uint8Array> {
  if (!URL.canParse(url)) throw cannotFetch(url, "its URL is not one");
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== "" || password !== "") throw cannotFetch(url, "its URL holds a password");
  // A literal address is never looked up.
  const literal = hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0 && !mayReach(literal)) throw cannotFetch(url, "its host is not a public one");
  const send = protocol === "https:" ? httpsRequest : httpRequest;
  const lookupPublic: LookupFunction = (name, options, callback) => {
    // The very address that was looked at is connected to: a name that changes its mind gains nothing.
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const reachable = (addresses ?? []).filter(({ address }) => mayReach(address));
      const [first] = reachable;
      if (error) callback(error, "", 0);
      else if (!first) callback(new Error("its host is not a public one"), "", 0);
      else if (options.all) callback(null, reachable);
      else callback(null, first.address, first.family);
    });
  };
  const request = send(url, {
    agent: false,
    lookup: lookupPublic,
    signal,
    headers: { accept: "image/*", "user-agent": "openclaw" },
  });
  // What breaks behind the headers ends the body, too, and is told by that.
  request.on("error", () => undefined);
  try {
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    request.end();
    const [response] = await answered;
    const { statusCode = 0 } = response;
    // A redirect could lead anywhere, and is another address than the one that was asked for.
    if (statusCode !== 200) throw cannotFetch(url, `its host answers with status ${statusCode}`);
    const tooLong = (): Error => cannotFetch(url, `it has more than ${MOST_FILE_BYTES} bytes`);
    return await readBytes(response, { most: MOST_FILE_BYTES, tooLong });
  } catch (error) {
    request.destroy();
    if (signal.aborted) throw cannotFetch(url, `it took longer than ${FETCH_MS / 1000} s`);
    throw error instanceof OpenclawError ? error : cannotFetch(url, (error as Error).message);
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
