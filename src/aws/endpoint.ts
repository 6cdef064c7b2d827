import { type ProfileKeys, readEnvOrProfile } from "./env-or-profile.ts";
import { maskUserInfo } from "../network/user-info.ts";
import { errorFrom, OpenclawError, usageError } from "../errors.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { regionalHost } from "./partition.ts";
import { regionOfBaseUrl } from "./region.ts";

/** An endpoint other than the region's own, and where it was named. */
export interface Endpoint {
  url: string;
  source: string;
}

export const SERVICES = [
  "bedrock",
  "bedrock-runtime",
  "bedrock-mantle",
  "service-quotas",
  "cloudwatch",
  "s3",
  "sts",
  "sso",
  "sso-oidc",
  "signin",
] as const;
export type Service = (typeof SERVICES)[number];

/** The services that are not Bedrock's, in words. */
export const SERVICE_NAMES: Partial<Record<Service, string>> = {
  sts: "STS",
  "service-quotas": "Service Quotas",
  cloudwatch: "CloudWatch",
  s3: "Amazon S3",
};

export interface EndpointClaims {
  service: Service;
  /** `--endpoint-url`: the services of Bedrock only. */
  flag?: string | undefined;
  env: Environment;
  /** Keys of the active profile, and of the `services` section it names. */
  profile?:
    | {
        name: string;
        keys: Readonly<Record<string, string>>;
        /** Undefined where there is no such section. */
        services?: Readonly<Record<string, string>> | undefined;
        /** Where each setting stands, as `FILE:LINE`, by its section and name: `profile dev endpoint_url`. */
        lines?: ReadonlyMap<string, string> | undefined;
      }
    | undefined;
  /** `baseUrl` of the provider, for calls of its models. */
  baseUrl?: { url: string; setting: string } | undefined;
}

const OWN_FLAG: ReadonlySet<Service> = new Set(["bedrock", "bedrock-runtime", "bedrock-mantle"]);

/** The variables that name an endpoint of a service, its own first. */
export function endpointVariables(service: Service): [own: string, general: string] {
  return [`AWS_ENDPOINT_URL_${service.replaceAll("-", "_").toUpperCase()}`, "AWS_ENDPOINT_URL"];
}

/** Who says that no endpoint of the environment and the profile counts; undefined where they do. */
export function whoIgnoresEndpoints({
  env,
  profile,
}: Pick<EndpointClaims, "env" | "profile">): string | undefined {
  const isTrue = (text: string | undefined): boolean => text?.trim().toLowerCase() === "true";
  const variable = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
  if (env[variable] !== undefined) return isTrue(env[variable]) ? variable : undefined;
  const key = "ignore_configured_endpoint_urls";
  return profile && isTrue(profile.keys[key]) ? `${key} of profile '${profile.name}'` : undefined;
}

/**
 * Decides the endpoint of a service; undefined means the region's own. The order of variables and profile is the
 * SDK's (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html): a service's variable goes before
 * the general one, and variables go before the profile. Throws `usage` for a flag that is no
 * endpoint, and `config-invalid` for anything else that names one, or a section with endpoints that is not there.
 */
export function decideEndpoint(claims: EndpointClaims): Endpoint | undefined {
  const { service, flag, env, profile, baseUrl } = claims;
  if (flag !== undefined && OWN_FLAG.has(service)) return readEndpoint(flag, "--endpoint-url");
  if (whoIgnoresEndpoints(claims) === undefined) {
    for (const name of endpointVariables(service)) {
      const value = env[name];
      if (value) return readEndpoint(value, `env ${name}`);
    }
    const named = profile && endpointOfProfile(service, profile);
    if (named) return named;
  }
  const isOfModels = service === "bedrock-runtime" || service === "bedrock-mantle";
  if (isOfModels && baseUrl && regionOfBaseUrl(baseUrl.url, service) === undefined) {
    return readEndpoint(baseUrl.url, baseUrl.setting);
  }
  return undefined;
}

function endpointOfProfile(
  service: Service,
  { name, keys, services, lines }: NonNullable<EndpointClaims["profile"]>,
): Endpoint | undefined {
  const { services: section, endpoint_url: general } = keys;
  const serviceKey = `${service.replaceAll("-", "_")}.endpoint_url`;
  if (section !== undefined && services === undefined) {
    const spot = lines?.get(`profile ${name} services`);
    // As the AWS CLI, which refuses it as well.
    throw new OpenclawError("config-invalid", {
      message: `Profile ${name} has services = ${section}${spot ? ` (${spot})` : ""}, and there is no [services ${section}].`,
      hint: `Write that section, or correct the name: aws configure set services NAME --profile ${quoteForShell(name)}`,
    });
  }
  const own = services?.[serviceKey];
  if (own)
    return readEndpoint(
      own,
      `profile ${name}, services.${serviceKey}`,
      lines?.get(`services ${section} ${serviceKey}`),
    );
  return general
    ? readEndpoint(general, `profile ${name}, endpoint_url`, lines?.get(`profile ${name} endpoint_url`))
    : undefined;
}

/** What is wrong with the endpoints that environment and profile name, whoever they are for. */
export function endpointErrors(claims: Pick<EndpointClaims, "env" | "profile">): OpenclawError[] {
  const errors = SERVICES.flatMap((service) => errorFrom(() => decideEndpoint({ ...claims, service })) ?? []);
  return [...new Map(errors.map((error) => [error.message, error])).values()];
}

export interface EndpointWishes {
  fips: boolean;
  dualStack: boolean;
}

/**
 * Reads AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, else the keys of the profile, in any case of letters as the
 * AWS CLI does. The SDK passes over what is neither `true` nor `false`, and then asks an endpoint that nobody wished for:
 * here that throws `config-invalid`.
 */
export function decideWishes(env: Environment, profile: ProfileKeys | undefined): EndpointWishes {
  const isWished = (variable: string, key: string): boolean => {
    const read = readEnvOrProfile(env, profile, variable, key);
    if (!read) return false;
    const wish = read.text.toLowerCase();
    if (wish === "true" || wish === "false") return wish === "true";
    throw new OpenclawError("config-invalid", {
      message: `${read.source} '${read.text}' is neither true nor false.`,
      hint: read.source === variable ? `export ${variable}=true` : `Write it as ${key} = true`,
    });
  };
  return {
    fips: isWished("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
    dualStack: isWished("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
  };
}

/** A region's own endpoint of a service; undefined where another one is wished for, and where it is not plain to say. */
export function plainEndpoint(
  service: Service,
  region: string,
  env: Environment,
  profile: ProfileKeys | undefined,
): string | undefined {
  const { fips, dualStack } = decideWishes(env, profile);
  return fips || dualStack ? undefined : regionalHost(service, region);
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
 * are put behind its own path with one slash between. `spot` is its place in a file, where it is in one.
 */
function readEndpoint(text: string, source: string, spot?: string): Endpoint {
  const url = urlOf(text);
  if (url) return { url: url.origin + url.pathname.replace(/\/+$/, ""), source };
  const where = spot === undefined ? source : `${source} (${spot})`;
  const message = `${where} '${maskUserInfo(text.trim())}' is not an http or https URL.`;
  const example = exampleFor(text.trim());
  if (source.startsWith("--")) throw usageError(message, `Write it as ${source} ${example}`);
  const hint = source.startsWith("env ") ? `export ${source.slice(4)}=${example}` : `Write it as ${example}`;
  throw new OpenclawError("config-invalid", { message, hint });
}

function urlOf(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A scheme that is written twice is a host to the parser.
  const isTwice = url && /^https?$/.test(url.hostname) && url.pathname.startsWith("//");
  return url && /^https?:$/.test(url.protocol) && !isTwice ? url : undefined;
}

/** A text that is no endpoint, as it may have been meant. */
function exampleFor(text: string): string {
  const bare = text.replace(/^["'<\s]+|["'>\s]+$/g, "");
  const last = /https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w./-]*)?$/i.exec(bare)?.[0];
  if (last !== undefined && urlOf(last)) return last;
  // What was to be a scheme: `http//`, `https;//`, `htp://`.
  const [, scheme = "http", rest = bare] = /^(h?t*ps?)[:;.,]?\/\/+(.*)$/i.exec(bare) ?? [];
  const whole = `${/s$/i.test(scheme) ? "https" : "http"}://${rest}`;
  return /^[\w.-]+(:\d+)?(\/[\w./-]*)?$/.test(rest) && urlOf(whole) ? whole : "https://HOST";
}
