import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import {
  decideRegion,
  decideRegions,
  commandForRegion,
  isRegionName,
  type RegionClaims,
  regionOfBaseUrl,
  resolveRegion,
} from "../../src/aws/region.ts";
import {
  KNOWN_REGIONS,
  MANTLE_REGIONS,
  nearestRegion,
  neighborOf,
  REGIONS,
} from "../../src/aws/known-regions.ts";

const everything: RegionClaims = {
  flag: undefined,
  arn: { text: "arn:aws:bedrock:eu-west-3::foundation-model/x.y", region: "eu-west-3" },
  discovery: "eu-central-1",
  baseUrl: { region: "us-west-2", setting: "models.providers.amazon-bedrock.baseUrl" },
  env: { AWS_REGION: "ap-south-1", AWS_DEFAULT_REGION: "sa-east-1" },
  profile: { name: "work", region: "ca-central-1" },
  askInstance: async () => "us-gov-west-1",
};

describe("the regions that calls may go to", () => {
  it.each([
    [{}, undefined],
    [{ setting: [] }, undefined],
    [{ setting: ["us-east-1", " us-west-2", "us-east-1"] }, ["us-east-1", "us-west-2"]],
    [{ setting: ["us-east-1"], one: "us-west-2" }, undefined],
    [{ setting: ["us-east-1"], flag: "eu-west-1,eu-west-3" }, ["eu-west-1", "eu-west-3"]],
  ])("of %j are %j", (claims, regions) => {
    expect(decideRegions(claims)).toEqual(regions);
  });

  it.each([
    [{ flag: "us-east-1", one: "us-west-2" }, "usage", "Leave one of them out."],
    [{ flag: "us-east" }, "usage", "Is it us-east-1?"],
    [{ setting: ["Ünterwegs"] }, "config-invalid", "Is it us-east-1?"],
    [
      { setting: ["us-east-1", "cn-north-1"] },
      "config-invalid",
      "Name regions of one of them, and run another server for the others.",
    ],
  ])("cannot be those of %j", (claims, code, hint) => {
    expect(() => decideRegions(claims)).toThrow(expect.objectContaining({ code, hint }));
  });
});

describe("the region order", () => {
  // Each row takes away the winner of the row before.
  const rows: [string, Partial<RegionClaims>, string, string][] = [
    ["--region", { flag: "eu-west-3" }, "eu-west-3", "flag --region"],
    ["the model's ARN", {}, "eu-west-3", "model ARN"],
    ["the discovery setting", { arn: undefined }, "eu-central-1", "models.bedrockDiscovery.region"],
    [
      "the provider's baseUrl",
      { discovery: undefined },
      "us-west-2",
      "models.providers.amazon-bedrock.baseUrl",
    ],
    ["AWS_REGION", { baseUrl: undefined }, "ap-south-1", "env AWS_REGION"],
    [
      "AWS_DEFAULT_REGION",
      { env: { AWS_DEFAULT_REGION: "sa-east-1" } },
      "sa-east-1",
      "env AWS_DEFAULT_REGION",
    ],
    ["the profile", { env: {} }, "ca-central-1", "profile work"],
    ["the instance", { profile: undefined }, "us-gov-west-1", "instance metadata"],
    ["the default", { askInstance: undefined }, "us-east-1", "default"],
  ];
  let claims = everything;
  for (const [name, change, value, source] of rows) {
    const these = { ...claims, ...change };
    if (name !== "--region") claims = these;
    it(`takes ${name} when nothing nearer names one`, async () => {
      expect(await resolveRegion(these)).toEqual({ value, source });
    });
  }

  it("falls to us-east-1 when the instance does not answer", async () => {
    const claims = { env: {}, askInstance: async () => undefined };
    expect(await resolveRegion(claims)).toEqual({ value: "us-east-1", source: "default" });
  });

  it("does not ask the instance when something nearer names a region", () => {
    const askInstance = (): Promise<string> => Promise.reject(new Error("asked"));
    expect(decideRegion({ env: { AWS_REGION: "us-east-2" }, askInstance })?.value).toBe("us-east-2");
  });

  it("refuses a --region that contradicts the ARN", () => {
    expect(() => decideRegion({ ...everything, flag: "us-east-1" })).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining("eu-west-3") }),
    );
  });

  it.each(["virginia", "us-east", "US-EAST-1", "us-east-1;rm", "https://x"])(
    "refuses --region %s",
    (flag) => {
      expect(() => decideRegion({ env: {}, flag })).toThrow(expect.objectContaining({ code: "usage" }));
    },
  );
});

describe("another region", () => {
  it.each([
    ["us-est-1", "us-east-1"],
    ["eu-centrl-1", "eu-central-1"],
    ["xx-nowhere-9", "us-east-1"],
    ["eu-west-3", undefined],
    ["ap-east-1", undefined],
    ["cn-north-1", undefined],
  ])("is meant by %s: %s", (name, meant) => {
    expect(nearestRegion(name)).toBe(meant);
  });

  it("is never meant by a region that AWS has", () => {
    for (const region of REGIONS) expect([region, nearestRegion(region)]).toEqual([region, undefined]);
  });

  it("with Bedrock is of the same partition, where there is one", () => {
    const others = REGIONS.filter((region) => !KNOWN_REGIONS.includes(region));
    expect(Object.fromEntries(others.map((region) => [region, neighborOf(region)]))).toEqual({
      "ap-east-1": "ap-east-2",
      "cn-north-1": undefined,
      "cn-northwest-1": undefined,
      "eu-isoe-west-1": undefined,
      "us-iso-west-1": "us-iso-east-1",
      "us-isob-west-1": "us-isob-east-1",
    });
  });

  it("of Mantle is one that Bedrock has, and the nearest is in the same part of the world, or the next", () => {
    expect(MANTLE_REGIONS.filter((region) => !KNOWN_REGIONS.includes(region))).toEqual([]);
    const near = (region: string): string | undefined => neighborOf(region, MANTLE_REGIONS);
    const asked = ["us-west-1", "eu-west-3", "eu-central-2", "ca-central-1", "me-south-1", "us-gov-east-1"];
    expect(asked.map(near)).toEqual([
      "us-west-2",
      "eu-west-1",
      "eu-central-1",
      "us-east-1",
      "eu-south-1",
      "us-gov-west-1",
    ]);
    expect(["ap-northeast-2", "af-south-1", "mx-central-1", "cn-north-1"].map(near)).toEqual([
      "ap-northeast-1",
      "eu-south-1",
      "us-east-1",
      undefined,
    ]);
  });

  it.each([
    ["env AWS_DEFAULT_REGION", "export AWS_DEFAULT_REGION=us-east-1"],
    ["models.bedrockDiscovery.region", "openclaw config set models.bedrockDiscovery.region us-east-1"],
    ["instance metadata", "export AWS_REGION=us-east-1"],
    ["profile work", "--region us-east-1"],
    ["flag --region", "--region us-east-1"],
  ])("goes before %s by: %s", (source, command) => {
    expect(commandForRegion({ value: "us-est-1", source }, "us-east-1")).toBe(command);
  });
});

describe("isRegionName", () => {
  it.each(["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2", "eusc-de-east-1", "us-iso-east-1"])(
    "knows %s as one",
    (name) => expect(isRegionName(name)).toBe(true),
  );
});

describe("regionOfBaseUrl", () => {
  it.each([
    ["https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"],
    ["https://bedrock-runtime.cn-north-1.amazonaws.com.cn/", "cn-north-1"],
    ["https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["https://bedrock-runtime.eu-west-1.api.aws", "eu-west-1"],
    ["https://bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"],
    ["https://bedrock-runtime.evil.example.amazonaws.com", undefined],
    ["https://bedrock-runtime.us-east-1.amazonawsXcom", undefined],
    ["https://vpce-0123.bedrock-runtime.us-east-1.vpce.amazonaws.com", undefined],
    ["http://127.0.0.1:8080", undefined],
    ["https://bedrock-mantle.us-east-1.api.aws", undefined],
  ])("reads %s as %s", (url, region) => expect(regionOfBaseUrl(url)).toBe(region));

  it("reads Mantle's host for Mantle only", () => {
    const read = (url: string): string | undefined => regionOfBaseUrl(url, "bedrock-mantle");
    expect(read("https://bedrock-mantle.eu-west-1.api.aws")).toBe("eu-west-1");
    expect(read("https://bedrock-runtime.eu-west-1.amazonaws.com")).toBeUndefined();
  });
});

describe("the SDK's own endpoints", () => {
  const client = new BedrockRuntimeClient({ region: "us-east-1" });
  const { endpointProvider } = client.config;
  const regions = [
    "us-east-1",
    "ap-southeast-7",
    "cn-north-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
  ];
  it.each(regions)("are known as standard ones of %s, with FIPS and dual stack", (region) => {
    for (const UseFIPS of [false, true]) {
      for (const UseDualStack of [false, true]) {
        const { url } = endpointProvider({ Region: region, UseFIPS, UseDualStack });
        expect(regionOfBaseUrl(url.href), url.href).toBe(region);
      }
    }
  });
});

it.each([
  ["us-west-2a", "export AWS_REGION=us-west-2"],
  ["EU-West-1", "export AWS_REGION=eu-west-1"],
  ["eu_west_3", "export AWS_REGION=eu-west-3"],
  ["Frankfurt", "export AWS_REGION=us-east-1"],
])("the hint for a name that is none is the region that was meant: %s", (value, command) => {
  expect(() => decideRegion({ env: { AWS_REGION: value } })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining(command) }),
  );
});
