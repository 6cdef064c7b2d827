import { describe, expect, it } from "vitest";
import { fingerprintCredentials } from "../../src/credentials/fingerprint.ts";
import { decideCredentials } from "../../src/credentials/order.ts";
import { loadSharedConfig } from "../../src/credentials/shared-config.ts";
import { createHome } from "../helpers/openclaw.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

interface Scene {
  env?: Record<string, string>;
  config?: string;
  credentials?: string;
  profileFlag?: string;
}

async function fingerprint({ env = {}, profileFlag, ...files }: Scene): Promise<string> {
  const home = createHome();
  writeSharedFiles(home, files);
  const shared = await loadSharedConfig(env, home);
  const decision = decideCredentials({ env, shared, ...(profileFlag === undefined ? {} : { profileFlag }) });
  return fingerprintCredentials(decision, env, shared);
}

const KEYS = { AWS_ACCESS_KEY_ID: "AKIA1", AWS_SECRET_ACCESS_KEY: "s" };
const ROLE = "[profile admin]\nrole_arn = r\nsource_profile = base\n";
const BASE = "[base]\naws_access_key_id = AKIA1\naws_secret_access_key = s\n";
const SSO = "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = Dev\n";
const CORP = "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://a\n";

describe("the fingerprint of credentials", () => {
  it.each<[string, Scene, Scene]>([
    [
      "the order of lines and comments in the files",
      { env: { AWS_PROFILE: "admin" }, config: ROLE, credentials: BASE },
      {
        env: { AWS_PROFILE: "admin" },
        config: "# hi\n[profile admin]\nsource_profile=base\nrole_arn=r\n",
        credentials: BASE,
      },
    ],
    [
      "other profiles",
      { env: { AWS_PROFILE: "base" }, credentials: BASE },
      { env: { AWS_PROFILE: "base" }, credentials: `${BASE}[other]\nregion = x\n` },
    ],
    [
      "the secret behind a key id of the environment",
      { env: KEYS },
      { env: { ...KEYS, AWS_SECRET_ACCESS_KEY: "rotated", AWS_SESSION_TOKEN: "t" } },
    ],
    ["shadowed sources", { env: KEYS }, { env: { ...KEYS, AWS_PROFILE: "base" }, credentials: BASE }],
    [
      "a flag instead of the variable",
      { env: { AWS_PROFILE: "base" }, credentials: BASE },
      { profileFlag: "base", credentials: BASE },
    ],
    ["unrelated variables", { env: {} }, { env: { HTTPS_PROXY: "http://p", AWS_REGION: "x" } }],
  ])("does not depend on %s", async (_, one, other) => {
    expect(await fingerprint(one)).toBe(await fingerprint(other));
  });

  it.each<[string, Scene, Scene]>([
    ["the source", { env: KEYS }, { env: { AWS_BEARER_TOKEN_BEDROCK: "AKIA1" } }],
    ["the key id", { env: KEYS }, { env: { ...KEYS, AWS_ACCESS_KEY_ID: "AKIA2" } }],
    [
      "the bearer token",
      { env: { AWS_BEARER_TOKEN_BEDROCK: "a" } },
      { env: { AWS_BEARER_TOKEN_BEDROCK: "b" } },
    ],
    [
      "the profile's name",
      { env: { AWS_PROFILE: "base" }, credentials: BASE },
      { env: { AWS_PROFILE: "b2" }, credentials: BASE.replace("base", "b2") },
    ],
    [
      "the profile's section",
      { env: { AWS_PROFILE: "base" }, credentials: BASE },
      { env: { AWS_PROFILE: "base" }, credentials: BASE.replace("AKIA1", "AKIA2") },
    ],
    [
      "the section of the source profile",
      { env: { AWS_PROFILE: "admin" }, config: ROLE, credentials: BASE },
      { env: { AWS_PROFILE: "admin" }, config: ROLE, credentials: BASE.replace("AKIA1", "AKIA2") },
    ],
    [
      "the sso-session",
      { env: { AWS_PROFILE: "sso" }, config: SSO + CORP },
      { env: { AWS_PROFILE: "sso" }, config: SSO + CORP.replace("https://a", "https://b") },
    ],
    [
      "the sso-session of the source profile",
      { env: { AWS_PROFILE: "x" }, config: `${SSO}${CORP}[profile x]\nrole_arn = r\nsource_profile = sso\n` },
      {
        env: { AWS_PROFILE: "x" },
        config: `${SSO}${CORP.replace("https://a", "https://b")}[profile x]\nrole_arn = r\nsource_profile = sso\n`,
      },
    ],
    [
      "the environment's key behind credential_source",
      {
        env: { ...KEYS },
        profileFlag: "x",
        config: "[profile x]\nrole_arn = r\ncredential_source = Environment\n",
      },
      {
        env: { ...KEYS, AWS_ACCESS_KEY_ID: "AKIA2" },
        profileFlag: "x",
        config: "[profile x]\nrole_arn = r\ncredential_source = Environment\n",
      },
    ],
    [
      "the default profile",
      { credentials: BASE.replace("base", "default") },
      { credentials: BASE.replace("base", "default").replace("AKIA1", "AKIA2") },
    ],
    [
      "the web identity role",
      { env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t", AWS_ROLE_ARN: "a" } },
      { env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t", AWS_ROLE_ARN: "b" } },
    ],
    [
      "the container endpoint",
      { env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/a" } },
      { env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/b" } },
    ],
    ["the metadata endpoint", {}, { env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1" } }],
    ["whether metadata is off", {}, { env: { AWS_EC2_METADATA_DISABLED: "true" } }],
  ])("depends on %s", async (_, one, other) => {
    expect(await fingerprint(one)).not.toBe(await fingerprint(other));
  });

  it("is a digest that tells nothing", async () => {
    expect(await fingerprint({ env: { AWS_BEARER_TOKEN_BEDROCK: "secret" } })).toMatch(/^[0-9a-f]{64}$/);
  });
});
