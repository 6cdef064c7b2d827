import { BedrockClient } from "@aws-sdk/client-bedrock";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { partition, setPartitionInfo, useDefaultPartitionInfo } from "@aws-sdk/core/client";
import { afterEach, describe, expect, it } from "vitest";
import { decideWishes, regionalEndpoint } from "../../src/session/regional-endpoint.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { createHome } from "../helpers/openclaw.ts";
import { useEnvironment } from "../helpers/test-runtime.ts";

const REGIONS = [
  "us-east-1",
  "eu-central-2",
  "mx-central-1",
  "cn-northwest-1",
  "us-gov-west-1",
  "eusc-de-east-1",
  "us-iso-east-1",
  "us-isob-east-1",
  "eu-isoe-west-1",
  "us-isof-south-1",
  "xx-nowhere-7",
];
const BOTH = [false, true];
const clients = { bedrock: BedrockClient, "bedrock-runtime": BedrockRuntimeClient };

afterEach(useDefaultPartitionInfo);

describe.each(REGIONS)("the endpoint of either service in %s", (region) => {
  it.each(BOTH.flatMap((fips) => BOTH.map((dualStack) => ({ fips, dualStack }))))(
    "is the one of the SDK's rules with %o",
    (wishes) => {
      for (const service of ["bedrock", "bedrock-runtime"] as const) {
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
  [{ AWS_USE_FIPS_ENDPOINT: "TRUE", AWS_USE_DUALSTACK_ENDPOINT: "1" }, ""],
  [{}, "use_fips_endpoint = true\nuse_dualstack_endpoint = false\n"],
  [{ AWS_USE_FIPS_ENDPOINT: "false" }, "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n"],
  [{ AWS_USE_FIPS_ENDPOINT: "maybe" }, "use_fips_endpoint = true\n"],
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
  expect(decideWishes(env, parsed)).toEqual({
    fips: await config.useFipsEndpoint(),
    dualStack: await config.useDualstackEndpoint(),
  });
});
