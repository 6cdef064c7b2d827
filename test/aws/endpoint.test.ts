import type { OpenclawError } from "../../src/errors.ts";
import { describe, expect, it } from "vitest";
import {
  decideEndpoint,
  type EndpointClaims,
  endpointErrors,
  endpointVariables,
  legacyStsEndpoint,
  SERVICES,
} from "../../src/aws/endpoint.ts";

const everything: EndpointClaims = {
  service: "bedrock-runtime",
  flag: "http://flag",
  env: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "http://service-variable", AWS_ENDPOINT_URL: "http://variable" },
  profile: {
    name: "work",
    keys: { endpoint_url: "http://profile", services: "local" },
    services: { "bedrock_runtime.endpoint_url": "http://profile-service" },
  },
  baseUrl: { url: "http://base", setting: "models.providers.amazon-bedrock.baseUrl" },
};

describe("the endpoint order of Bedrock Runtime", () => {
  const rows: [string, Partial<EndpointClaims>, string | undefined][] = [
    ["--endpoint-url", {}, "http://flag"],
    ["the service's variable", { flag: undefined }, "http://service-variable"],
    ["the general variable", { env: { AWS_ENDPOINT_URL: "http://variable" } }, "http://variable"],
    ["the profile's services section", { env: {} }, "http://profile-service"],
    [
      "the profile",
      { profile: { name: "work", keys: { endpoint_url: "http://profile" } } },
      "http://profile",
    ],
    ["baseUrl", { profile: undefined }, "http://base"],
    ["the region's own", { baseUrl: undefined }, undefined],
  ];
  for (const [index, [name, , url]] of rows.entries()) {
    const these: EndpointClaims = Object.assign(
      { ...everything },
      ...rows.slice(0, index + 1).map(([, change]) => change),
    );
    it(`takes ${name} when nothing nearer names one`, () => expect(decideEndpoint(these)?.url).toBe(url));
  }

  it("leaves a standard AWS host to the region, so that --region moves it", () => {
    const baseUrl = { url: "https://bedrock-runtime.us-east-1.amazonaws.com", setting: "x" };
    expect(decideEndpoint({ service: "bedrock-runtime", env: {}, baseUrl })).toBeUndefined();
  });

  it.each([
    ["https://bedrock-mantle.us-east-2.api.aws", undefined],
    ["https://bedrock-runtime.us-east-2.amazonaws.com", "https://bedrock-runtime.us-east-2.amazonaws.com"],
    ["https://mantle.corp.example/aws", "https://mantle.corp.example/aws"],
  ])(
    "of Mantle is %s for the baseUrl of its provider only where it is no host of AWS's: %s",
    (url, expected) => {
      const claims = { service: "bedrock-mantle" as const, env: {}, baseUrl: { url, setting: "x" } };
      expect(decideEndpoint(claims)?.url).toBe(expected);
      expect(decideEndpoint({ ...claims, flag: "http://flag" })?.url).toBe("http://flag");
    },
  );

  it.each([
    [undefined, "true", true],
    [undefined, "True", true],
    [undefined, "false", false],
    ["true", "false", true],
    // The variable goes before the profile, also where it says no.
    ["false", "true", false],
  ])("%j in AWS_IGNORE_CONFIGURED_ENDPOINT_URLS and %j in the profile", (variable, key, isIgnored) => {
    const { env, profile = { name: "", keys: {} } } = everything;
    const claims = {
      service: "sts" as const,
      env: variable === undefined ? env : { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: variable },
      profile: { ...profile, keys: { ...profile.keys, ignore_configured_endpoint_urls: key } },
    };
    expect(decideEndpoint(claims) === undefined).toBe(isIgnored);
  });

  it.each([
    ["eu-west-1", { AWS_STS_REGIONAL_ENDPOINTS: "legacy" }, {}, true],
    ["eu-west-1", {}, { sts_regional_endpoints: "Legacy" }, true],
    ["eu-west-1", { AWS_STS_REGIONAL_ENDPOINTS: "regional" }, { sts_regional_endpoints: "legacy" }, false],
    ["eu-south-1", { AWS_STS_REGIONAL_ENDPOINTS: "legacy" }, {}, false],
    ["eu-west-1", {}, {}, false],
  ])("the STS of %s is the global one under %j and %j: %s", (region, env, keys, isGlobal) => {
    expect(legacyStsEndpoint(region, env, keys)).toEqual(
      isGlobal ? { region: "us-east-1", endpoint: "https://sts.amazonaws.com" } : undefined,
    );
  });

  it("ignores variables and profile under AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", () => {
    const env = { ...everything.env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" };
    expect(decideEndpoint({ ...everything, flag: undefined, env })?.url).toBe("http://base");
  });
});

describe("other services", () => {
  it("never sends STS to --endpoint-url", () => {
    expect(decideEndpoint({ service: "sts", flag: "http://flag", env: {} })).toBeUndefined();
  });

  it("sends STS to AWS_ENDPOINT_URL, as the SDK does", () => {
    expect(decideEndpoint({ service: "sts", env: { AWS_ENDPOINT_URL: "http://all" } })?.url).toBe(
      "http://all",
    );
  });

  it("never sends the control plane to baseUrl", () => {
    expect(
      decideEndpoint({ ...everything, service: "bedrock", flag: undefined, env: {}, profile: undefined }),
    ).toBeUndefined();
  });
});

const CLAIM: Record<string, (text: string) => Partial<EndpointClaims>> = {
  "--endpoint-url": (flag) => ({ flag }),
  AWS_ENDPOINT_URL: (text) => ({ env: { AWS_ENDPOINT_URL: text } }),
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: (text) => ({ env: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: text } }),
  "profile work, endpoint_url": (text) => ({ profile: { name: "work", keys: { endpoint_url: text } } }),
  "models.providers.corp.baseUrl": (text) => ({
    baseUrl: { url: text, setting: "models.providers.corp.baseUrl" },
  }),
};

describe.each(Object.keys(CLAIM))("an endpoint of %s", (source) => {
  const decide = (text: string) =>
    decideEndpoint({ service: "bedrock-runtime", env: {}, ...CLAIM[source]?.(text) });

  it.each([
    ["http://host", "http://host"],
    ["http://host/", "http://host"],
    [" http://host ", "http://host"],
    ["HTTP://Host.Example:80/", "http://host.example"],
    ["https://host:443/v1/", "https://host/v1"],
    ["http://host/Prefix//", "http://host/Prefix"],
    ["http://[::1]:8080/a/b/", "http://[::1]:8080/a/b"],
    ["http://me:SecretPw@host/", "http://host"],
    ["http://host/v1/?key=x", "http://host/v1"],
  ])("is read from '%s'", (text, url) => {
    expect(decide(text)).toMatchObject({ url, source: expect.stringContaining(source) });
  });

  it.each([
    ["localhost:8080", "http://localhost:8080"],
    ["host.example/v1", "http://host.example/v1"],
    ["ftp://me:SecretPw@x", "https://HOST"],
    ["not a url", "https://HOST"],
    ["http://me:Secret/Pw@host", "https://HOST"],
    ["htp://host", "http://host"],
    ["http//127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["https;//host/v1", "https://host/v1"],
    ['"http://host:8080"', "http://host:8080"],
    ["'host:8080'", "http://host:8080"],
    ["http//me:SecretPw@host", "https://HOST"],
    ["ftp://host", "https://HOST"],
    ["//host/x", "https://HOST"],
    ["http://", "https://HOST"],
    ["https://https://host/v1", "https://host/v1"],
    ["http://http://host:8080", "http://host:8080"],
    ["http://host:99999", "https://HOST"],
    ["http://host:port", "https://HOST"],
    ["host:99999", "https://HOST"],
    ["http://a b", "https://HOST"],
  ])("is refused by name for '%s'", (text, hint) => {
    const failure = (() => {
      try {
        return decide(text);
      } catch (error) {
        return error as OpenclawError;
      }
    })();
    expect(failure).toMatchObject({
      code: source.startsWith("--") ? "usage" : "config-invalid",
      message: expect.stringContaining(source),
      hint: expect.stringContaining(hint),
    });
    expect(JSON.stringify(failure)).not.toMatch(/Secret|Pw/);
  });
});

describe("every variable and setting that names an endpoint", () => {
  const lines = new Map([
    ["profile work endpoint_url", "/home/me/.aws/config:3"],
    ["services local sts.endpoint_url", "/home/me/.aws/config:7"],
    ["profile work services", "/home/me/.aws/config:2"],
  ]);
  const work = (keys: Record<string, string>, services?: Record<string, string>) => ({
    name: "work",
    keys,
    services,
    lines,
  });

  it.each([
    ...SERVICES.map((service): [string, Pick<EndpointClaims, "env" | "profile">] => [
      endpointVariables(service)[0],
      { env: { [endpointVariables(service)[0]]: "host:1" } },
    ]),
    ["AWS_ENDPOINT_URL ", { env: { AWS_ENDPOINT_URL: "host:1" } }],
    ["/home/me/.aws/config:3", { env: {}, profile: work({ endpoint_url: "host:1" }) }],
    [
      "/home/me/.aws/config:7",
      { env: {}, profile: work({ services: "local" }, { "sts.endpoint_url": "host:1" }) },
    ],
    ["/home/me/.aws/config:2", { env: {}, profile: work({ services: "locl" }) }],
  ])("is found wrong by its place: %s", (place, claims) => {
    const errors = endpointErrors(claims);
    expect(errors).toMatchObject([{ code: "config-invalid", message: expect.stringContaining(place) }]);
  });

  it("is named as AWS names it", () => {
    expect(SERVICES.map((service) => endpointVariables(service)[0])).toEqual([
      "AWS_ENDPOINT_URL_BEDROCK",
      "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
      "AWS_ENDPOINT_URL_BEDROCK_MANTLE",
      "AWS_ENDPOINT_URL_SERVICE_QUOTAS",
      "AWS_ENDPOINT_URL_CLOUDWATCH",
      "AWS_ENDPOINT_URL_S3",
      "AWS_ENDPOINT_URL_STS",
      "AWS_ENDPOINT_URL_SSO",
      "AWS_ENDPOINT_URL_SSO_OIDC",
      "AWS_ENDPOINT_URL_SIGNIN",
    ]);
  });

  it("counts for nothing where endpoints are ignored", () => {
    const claims = { env: { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true", AWS_ENDPOINT_URL: "host:1" } };
    expect(endpointErrors({ ...claims, profile: work({ services: "locl", endpoint_url: "x" }) })).toEqual([]);
  });
});
