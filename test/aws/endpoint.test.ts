import { describe, expect, it } from "vitest";
import { decideEndpoint, type EndpointClaims } from "../../src/aws/endpoint.ts";

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

it.each(["", "localhost:8080", "ftp://x", "not a url"])("refuses the endpoint '%s' by name", (flag) => {
  const claims: EndpointClaims = {
    service: "bedrock",
    env: { AWS_ENDPOINT_URL: flag || " x" },
    flag: flag || undefined,
  };
  expect(() => decideEndpoint(claims)).toThrow(expect.objectContaining({ code: "usage" }));
});
