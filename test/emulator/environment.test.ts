import { expect, it } from "vitest";
import { emulatedEnvironment } from "../../src/emulator/environment.ts";

const EMULATOR = { url: "http://127.0.0.1:4000", accessKeyId: "AKIAX", secretAccessKey: "secret" };
const POINTING = {
  AWS_ACCESS_KEY_ID: "AKIAX",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_ENDPOINT_URL: "http://127.0.0.1:4000",
  AWS_EC2_METADATA_DISABLED: "true",
};

it("points an empty environment at the emulator", () => {
  expect(emulatedEnvironment({}, EMULATOR)).toEqual(POINTING);
});

it("keeps the region and everything that is not AWS's", () => {
  const kept = {
    HOME: "/home/me",
    PATH: "/bin",
    AWS_REGION: "eu-west-1",
    AWS_DEFAULT_REGION: "us-east-2",
    LANG: "C",
  };
  expect(emulatedEnvironment(kept, EMULATOR)).toEqual({ ...kept, ...POINTING });
});

it.each([
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_ENDPOINT_URL_BEDROCK",
  "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
  "AWS_ENDPOINT_URL_STS",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "ALL_PROXY",
  "no_proxy",
])("takes away %s, which would lead past it", (name) => {
  expect(emulatedEnvironment({ [name]: "x" }, EMULATOR)).toEqual(POINTING);
});

it.each(Object.keys(POINTING))("replaces %s", (name) => {
  expect(emulatedEnvironment({ [name]: "mine" }, EMULATOR)).toEqual(POINTING);
});
