import { isIP } from "node:net";
import {
  endpointErrors,
  endpointVariables,
  SERVICES,
  type Service,
  whoIgnoresEndpoints,
} from "../aws/endpoint.ts";
import {
  isKnownRegion,
  KNOWN_REGIONS,
  MANTLE_REGIONS,
  nearestRegion,
  neighborOf,
} from "../aws/known-regions.ts";
import { commandForRegion, type Region } from "../aws/region.ts";
import { type OpenclawError, shorten } from "../errors.ts";
import { decideCaBundle } from "../network/certificates.ts";
import { findProxy, proxyErrors, readProxyVariable } from "../network/proxy-settings.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type FindingRow, NOT_THERE, type Scene, type Told } from "./finding.ts";
import { profileInForce } from "./shared-config.ts";

/**
 * Says of a region that Amazon Bedrock, or its endpoint `bedrock-mantle`, is not known to be there, and where it is; undefined
 * where it is. A region that AWS has is nobody's slip.
 */
export function tellRegion(region: Region, service?: Service): Told | undefined {
  const { value, source } = region;
  const isMantle = service === "bedrock-mantle";
  const regions = isMantle ? MANTLE_REGIONS : KNOWN_REGIONS;
  if (regions.includes(value)) return undefined;
  const isReal = isKnownRegion(value);
  const other = isReal ? neighborOf(value, regions) : nearestRegion(value, regions);
  const what = isMantle ? "Amazon Bedrock's endpoint bedrock-mantle" : "Amazon Bedrock";
  return {
    message: isReal
      ? `${value} (${source}) is a region of AWS in which ${what} is not known to be.`
      : `No region ${value} is known (${source}).`,
    hint:
      other === undefined
        ? "No region of its partition has it: take one of another, with credentials that count there."
        : `Choose a region that has it: ${commandForRegion(region, other)}`,
  };
}

/**
 * What the readers of regions, endpoints, proxies and certificates notice. A value that cannot be read is an error of who
 * needs it, in the same words: here it is told where nobody needed it yet.
 */
export const NETWORK_FINDINGS: readonly FindingRow[] = [
  {
    id: "region-without-bedrock",
    explains: NOT_THERE,
    isSuspicion: true,
    find: ({ place }) => {
      const { asked } = place ?? {};
      if (!asked || asked.endpoint) return undefined;
      // Where there is no Bedrock, there may be an STS.
      if (asked.service === "sts" && isKnownRegion(asked.region.value)) return undefined;
      const told = tellRegion(asked.region, asked.service);
      return told;
    },
  },
  {
    id: "endpoint-invalid",
    explains: [],
    find: (scene) => endpointErrors(endpointsOf(scene)).map(asTold),
  },
  {
    id: "endpoint-parts",
    explains: ["the answer"],
    find: ({ env, place }) =>
      namedEndpoints(env)
        .filter(({ name }) => !place?.asked || place.asked.endpoint?.source === `env ${name}`)
        .filter(({ url }) => partsOf(url) !== "")
        .map(({ name, url }) => ({
          message: `${name} has ${partsOf(url)}: that is not sent to an endpoint of AWS.`,
          hint: `Write it without: export ${name}=${quoteForShell(url.origin + url.pathname)}`,
        })),
  },
  {
    id: "endpoint-ignored",
    explains: NOT_THERE,
    isSuspicion: true,
    find: (scene) => {
      const { env, place } = scene;
      const who = whoIgnoresEndpoints(endpointsOf(scene));
      const [own, general] = endpointVariables(place?.asked?.service ?? "bedrock");
      const name = [own, general].find((variable) => env[variable] !== undefined);
      if (who === undefined || name === undefined || !place?.asked || place.asked.endpoint) return undefined;
      return {
        message: `${name} does not count, because ${who} says that none does.`,
        hint: who.startsWith("AWS_")
          ? `unset ${who}`
          : `aws configure set ignore_configured_endpoint_urls false --profile ${quoteForShell(scene.profileName)}`,
      };
    },
  },
  {
    id: "proxy-invalid",
    explains: [],
    find: ({ env }) => proxyErrors(env).map(asTold),
  },
  {
    id: "proxy-twice",
    explains: ["the proxy"],
    find: ({ env }) =>
      PROXIES.flatMap((name) => {
        const used = readProxyVariable(env, name);
        const other = Object.keys(env).find(
          (key) => key !== used?.[0] && key.toLowerCase() === name && env[key]?.trim() !== used?.[1],
        );
        return used === undefined || other === undefined
          ? []
          : [
              {
                message: `${used[0]} goes before ${other}, which says something else.`,
                hint: `unset ${used[0]}`,
              },
            ];
      }),
  },
  {
    id: "no-proxy-entry",
    explains: ["the proxy", ...NOT_THERE],
    find: ({ env, place }) => {
      const [name, list = ""] = readProxyVariable(env, "no_proxy") ?? [];
      const entry = list.split(/[\s,]+/).find((text) => hostOfEntry(text) !== text);
      if (name === undefined || entry === undefined) return undefined;
      const meant = list
        .split(/[\s,;]+/)
        .map(hostOfEntry)
        .join(",");
      const url = urlAsked(place);
      const exempting = { ...env, [name]: meant };
      if (url && (!findProxy(url, env) || findProxy(url, exempting))) return undefined;
      return {
        message: `${name} has '${shorten(entry)}', which exempts nothing: its entries are hosts, with commas between them.`,
        hint: `export ${name}=${quoteForShell(meant)}`,
      };
    },
  },
  {
    id: "proxy-for-http-only",
    explains: ["the far end"],
    isSuspicion: true,
    find: ({ env, place }) => {
      const [name] = readProxyVariable(env, "http_proxy") ?? [];
      const isMissed =
        urlAsked(place)?.startsWith("https:") === true &&
        !readProxyVariable(env, "https_proxy") &&
        !readProxyVariable(env, "all_proxy") &&
        proxyErrors(env).length === 0;
      return name === undefined || !isMissed
        ? undefined
        : {
            message: `${name} is for http:// only, and no proxy is named for https://.`,
            hint: `export HTTPS_PROXY="$${name}"`,
          };
    },
  },
  {
    id: "certificates-elsewhere",
    explains: ["the certificate"],
    isSuspicion: true,
    find: (scene) => {
      const { env } = scene;
      const bundle = decideCaBundle(env, profileInForce(scene.shared, scene.profileName));
      const other = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"].find((name) => env[name]);
      return bundle || other === undefined
        ? undefined
        : {
            message: `${other} is not read; AWS_CA_BUNDLE is what names certificates.`,
            hint: `export AWS_CA_BUNDLE="$${other}"`,
          };
    },
  },
];

const PROXIES = ["https_proxy", "http_proxy", "all_proxy"] as const;

function asTold({ message, hint = "openclaw doctor" }: OpenclawError): Told {
  return { message, hint };
}

function endpointsOf({ env, shared, profileName }: Scene) {
  return { env, profile: profileInForce(shared, profileName) };
}

/** The variables that name an endpoint, with what they name. */
function namedEndpoints(env: Environment): { name: string; url: URL }[] {
  return [...new Set(SERVICES.flatMap(endpointVariables))].flatMap((name) => {
    const value = env[name]?.trim() ?? "";
    return URL.canParse(value) ? [{ name, url: new URL(value) }] : [];
  });
}

/** What of a URL is not sent, in words. */
function partsOf({ username, password, search, hash }: URL): string {
  const parts = [username + password && "a user and password", search && "a query", hash && "a fragment"];
  return parts.filter(Boolean).join(" and ");
}

/** Where a call was sent; of a region's own endpoint about so. */
function urlAsked(place: Scene["place"]): string | undefined {
  const { asked } = place ?? {};
  const domain = asked?.service === "bedrock-mantle" ? "api.aws" : "amazonaws.com";
  return asked && (asked.endpoint?.url ?? `https://${asked.service}.${asked.region.value}.${domain}`);
}

/** An entry of NO_PROXY without what no host and no network has: a scheme, a path, a semicolon. */
function hostOfEntry(entry: string): string {
  const host = entry.replace(/^[a-z]+:\/\//i, "").replace(/;.*$/, "");
  const [address = "", ...rest] = host.split("/");
  return rest.length > 0 && isIP(address.replaceAll(/[[\]]/g, "")) === 0 ? address : host;
}
