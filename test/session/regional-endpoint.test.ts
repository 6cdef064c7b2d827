import { BedrockClient } from "@aws-sdk/client-bedrock";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { STSClient } from "@aws-sdk/client-sts";
import { partition, setPartitionInfo, useDefaultPartitionInfo } from "@aws-sdk/core/client";
import { afterEach, describe, expect, it } from "vitest";
import { KNOWN_REGIONS } from "../../src/aws/known-regions.ts";
import { decideWishes, plainEndpoint } from "../../src/aws/endpoint.ts";
import { locateService, regionalEndpoint } from "../../src/session/regional-endpoint.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { createHome } from "../helpers/openclaw.ts";
import { useEnvironment } from "../helpers/test-runtime.ts";

const REGIONS = [
  ...KNOWN_REGIONS,
  "cn-north-1",
  "cn-northwest-1",
  "us-iso-west-1",
  "us-isob-west-1",
  "eu-isoe-west-1",
  "xx-nowhere-7",
];
const BOTH = [false, true];
const clients = {
  bedrock: BedrockClient,
  "bedrock-runtime": BedrockRuntimeClient,
  sts: STSClient,
  "service-quotas": ServiceQuotasClient,
  cloudwatch: CloudWatchClient,
};
const SERVICES = ["bedrock", "bedrock-runtime", "sts", "service-quotas", "cloudwatch"] as const;

afterEach(useDefaultPartitionInfo);

describe.each(REGIONS)("the endpoint of each service in %s", (region) => {
  it.each(BOTH.flatMap((fips) => BOTH.map((dualStack) => ({ fips, dualStack }))))(
    "is the one of the SDK's rules with %o",
    (wishes) => {
      for (const service of SERVICES) {
        const { config } = new clients[service]({ region });
        const { url } = config.endpointProvider({
          Region: region,
          UseFIPS: wishes.fips,
          UseDualStack: wishes.dualStack,
        });
        expect(regionalEndpoint(service, region, wishes)).toBe(url.origin);
      }
    },
  );
});

it.each(["us-east-1", "us-gov-west-1", "cn-north-1", "fips-us-east-1", "us-gov-west-1-fips"])(
  "%s leads to the host that the SDK's clients call, and is signed for their region",
  async (name) => {
    useEnvironment({ HOME: createHome(), AWS_USE_FIPS_ENDPOINT: "true" });
    for (const service of SERVICES) {
      const { config } = new clients[service]({ region: name });
      const region = await config.region();
      const UseFIPS = await config.useFipsEndpoint();
      const { url } = config.endpointProvider({ Region: region, UseFIPS, UseDualStack: false });
      const wishes = decideWishes({ AWS_USE_FIPS_ENDPOINT: "true" }, undefined);
      expect(await locateService(service, name, wishes)).toEqual({ region, url: url.origin });
    }
  },
);

describe("the endpoint of Mantle, of which the SDK knows nothing", () => {
  it.each([
    ["us-east-1", "https://bedrock-mantle.us-east-1.api.aws"],
    ["us-gov-west-1", "https://bedrock-mantle.us-gov-west-1.api.aws"],
    ["cn-north-1", "https://bedrock-mantle.cn-north-1.api.amazonwebservices.com.cn"],
  ])("of %s is %s, whether dual-stack is wished for or not", (region, url) => {
    for (const dualStack of BOTH)
      expect(regionalEndpoint("bedrock-mantle", region, { fips: false, dualStack })).toBe(url);
    expect(plainEndpoint("bedrock-mantle", region, {}, undefined)).toBe(url);
  });

  it("is not there for FIPS", () => {
    expect(() => regionalEndpoint("bedrock-mantle", "us-east-1", { fips: true, dualStack: false })).toThrow(
      "There is no FIPS endpoint of bedrock-mantle in us-east-1.",
    );
  });
});

it.each([
  ["FIPS", { fips: true, dualStack: false }],
  ["dual-stack", { fips: false, dualStack: true }],
])("there is none of %s in a partition without", (kind, wishes) => {
  const { name, ...outputs } = partition("us-east-1");
  const bare = { ...outputs, name, supportsFIPS: false, supportsDualStack: false };
  setPartitionInfo({
    partitions: [{ id: "aws", outputs: bare, regionRegex: "^", regions: {} }],
  });
  expect(() => regionalEndpoint("bedrock", "us-east-1", wishes)).toThrow(
    `There is no ${kind} endpoint of bedrock in us-east-1.`,
  );
});

const WISHES: readonly [env: Record<string, string>, profile: string][] = [
  [{}, ""],
  [{ AWS_USE_FIPS_ENDPOINT: "true" }, ""],
  [{ AWS_USE_DUALSTACK_ENDPOINT: "true" }, ""],
  [{}, "use_fips_endpoint = true\nuse_dualstack_endpoint = false\n"],
  [{ AWS_USE_FIPS_ENDPOINT: "false" }, "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n"],
  [{ AWS_USE_FIPS_ENDPOINT: " ", AWS_USE_DUALSTACK_ENDPOINT: "" }, "use_fips_endpoint = true\n"],
];

it.each(WISHES)("what %o and the profile keys %j wish for is what the SDK reads there", async (env, keys) => {
  const home = createHome();
  writeSharedFiles(home, { config: `[default]\nregion = us-east-1\n${keys}` });
  useEnvironment({ HOME: home, ...env });
  const { config } = new BedrockClient({ profile: "default" });
  const parsed = Object.fromEntries(
    keys
      .trim()
      .split("\n")
      .map((line) => line.split(" = ")),
  ) as Record<string, string>;
  expect(decideWishes(env, { name: "default", keys: parsed })).toEqual({
    fips: await config.useFipsEndpoint(),
    dualStack: await config.useDualstackEndpoint(),
  });
});

it("a wish is read in any case of letters, as the AWS CLI reads it", () => {
  const dev = { name: "dev", keys: { use_dualstack_endpoint: "True" } };
  expect(decideWishes({ AWS_USE_FIPS_ENDPOINT: "TRUE" }, dev)).toEqual({ fips: true, dualStack: true });
});

it.each([
  [{ AWS_USE_FIPS_ENDPOINT: "maybe" }, {}, "AWS_USE_FIPS_ENDPOINT 'maybe'"],
  [{ AWS_USE_FIPS_ENDPOINT: "1" }, { use_fips_endpoint: "true" }, "AWS_USE_FIPS_ENDPOINT '1'"],
  [{ AWS_USE_DUALSTACK_ENDPOINT: "yes" }, {}, "AWS_USE_DUALSTACK_ENDPOINT 'yes'"],
  [{}, { use_dualstack_endpoint: "on" }, "use_dualstack_endpoint of profile dev 'on'"],
])("a wish that is neither true nor false is refused: %j %j", (env, keys, words) => {
  const profile = { name: "dev", keys: keys as Record<string, string> };
  expect(() => decideWishes(env as Record<string, string>, profile)).toThrow(
    expect.objectContaining({
      code: "config-invalid",
      message: `${words} is neither true nor false.`,
    }),
  );
});
