import { maskUserInfo } from "../network/user-info.ts";
import { OpenclawError, usageError } from "../errors.ts";
import type { Environment } from "../runtime.ts";
import { regionOfBaseUrl } from "./region.ts";

/** An endpoint other than the region's own, and where it was named. */
export interface Endpoint {
  url: string;
  source: string;
}

export type Service = "bedrock" | "bedrock-runtime" | "sts";

export interface EndpointClaims {
  service: Service;
  /** `--endpoint-url`: Bedrock and Bedrock Runtime only. */
  flag?: string | undefined;
  env: Environment;
  /** Keys of the active profile, and of the `services` section it names. */
  profile?:
    | {
        name: string;
        keys: Readonly<Record<string, string>>;
        services?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  /** `baseUrl` of the provider, for runtime calls. */
  baseUrl?: { url: string; setting: string } | undefined;
}

const VARIABLES: Record<Service, string> = {
  bedrock: "AWS_ENDPOINT_URL_BEDROCK",
  "bedrock-runtime": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
  sts: "AWS_ENDPOINT_URL_STS",
};

/**
 * Decides the endpoint of a service; undefined means the region's own. The order of variables and profile is the
 * SDK's (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html): a service's variable goes before
 * the general one, and variables go before the profile. Throws `usage` for a flag that is no
 * endpoint, and `config-invalid` for anything else that names one.
 */
export function decideEndpoint(claims: EndpointClaims): Endpoint | undefined {
  const { service, flag, env, profile, baseUrl } = claims;
  if (flag !== undefined && service !== "sts") return readEndpoint(flag, "--endpoint-url");
  const ignored =
    env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] ?? profile?.keys["ignore_configured_endpoint_urls"];
  const isIgnored = ignored?.trim().toLowerCase() === "true";
  if (!isIgnored) {
    for (const name of [VARIABLES[service], "AWS_ENDPOINT_URL"]) {
      const value = env[name];
      if (value) return readEndpoint(value, `env ${name}`);
    }
    const serviceKey = service.replace("-", "_");
    const inServices = profile?.services?.[`${serviceKey}.endpoint_url`];
    if (profile && inServices)
      return readEndpoint(inServices, `profile ${profile.name}, services.${serviceKey}.endpoint_url`);
    const inProfile = profile?.keys["endpoint_url"];
    if (profile && inProfile) return readEndpoint(inProfile, `profile ${profile.name}, endpoint_url`);
  }
  if (service === "bedrock-runtime" && baseUrl && regionOfBaseUrl(baseUrl.url) === undefined) {
    return readEndpoint(baseUrl.url, baseUrl.setting);
  }
  return undefined;
}

/** The regions whose STS was the global one before there were regional ones: botocore's LEGACY_GLOBAL_STS_REGIONS. */
const GLOBAL_STS = new Set(
  (
    "ap-northeast-1 ap-south-1 ap-southeast-1 ap-southeast-2 aws-global ca-central-1 eu-central-1 eu-north-1 eu-west-1 " +
    "eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
  ).split(" "),
);

/**
 * The global endpoint of STS and the region that is signed for there, where AWS_STS_REGIONAL_ENDPOINTS or
 * `sts_regional_endpoints` of the profile is `legacy`
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html); undefined where the region has
 * its own.
 */
export function legacyStsEndpoint(
  region: string,
  env: Environment,
  keys: Readonly<Record<string, string>> | undefined,
): { region: string; endpoint: string } | undefined {
  const mode = env["AWS_STS_REGIONAL_ENDPOINTS"] ?? keys?.["sts_regional_endpoints"];
  return mode?.trim().toLowerCase() === "legacy" && GLOBAL_STS.has(region)
    ? { region: "us-east-1", endpoint: "https://sts.amazonaws.com" }
    : undefined;
}

/**
 * The endpoint in a text. The SDK sends neither user and password of a URL, which nobody is to read, nor its query; paths
 * are put behind its own path with one slash between.
 */
function readEndpoint(text: string, source: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    const isHost = /^[\w.-]+(:\d+)?(\/|$)/.test(text.trim());
    throw refuse(
      `${source} '${maskUserInfo(text.trim())}' is not an http or https URL.`,
      source,
      isHost ? `http://${text.trim()}` : "https://HOST",
    );
  }
  return { url: url.origin + url.pathname.replace(/\/+$/, ""), source };
}

function refuse(message: string, source: string, example: string): OpenclawError {
  if (source.startsWith("--")) return usageError(message, `Write it as ${source} ${example}`);
  const hint = source.startsWith("env ") ? `export ${source.slice(4)}=${example}` : `Write it as ${example}`;
  return new OpenclawError("config-invalid", { message, hint });
}
