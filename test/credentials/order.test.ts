import { describe, expect, it } from "vitest";
import { findAll } from "../../src/credentials/findings.ts";
import { decideCredentials, type CredentialDecision, SOURCES } from "../../src/credentials/order.ts";
import { loadSharedConfig } from "../../src/credentials/shared-config.ts";
import { createHome } from "../helpers/openclaw.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

interface Scene {
  env?: Record<string, string>;
  config?: string;
  credentials?: string;
  profileFlag?: string;
}

async function decide(scene: Scene): Promise<CredentialDecision> {
  const home = createHome();
  const files: { config?: string; credentials?: string } = {};
  if (scene.config !== undefined) files.config = scene.config;
  if (scene.credentials !== undefined) files.credentials = scene.credentials;
  writeSharedFiles(home, files);
  const env = scene.env ?? {};
  return decideCredentials({
    env,
    shared: await loadSharedConfig(env, home),
    ...(scene.profileFlag === undefined ? {} : { profileFlag: scene.profileFlag }),
  });
}

const statuses = ({ order }: CredentialDecision): string[] => order.map(({ status }) => status);
const findings = (decision: CredentialDecision): string[] => findAll(decision).map(({ id }) => id);

const BEARER = { AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-secret" };
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAENV0000000000001", AWS_SECRET_ACCESS_KEY: "env-secret" };
const PROFILE = { AWS_PROFILE: "dev" };
const DEFAULT = "[default]\naws_access_key_id = AKIADEF0000000000001\naws_secret_access_key = def-secret\n";
const DEV = "[dev]\naws_access_key_id = AKIADEV0000000000001\naws_secret_access_key = dev-secret\n";

/** Every combination of the four sources and of `--profile`. */
const combinations = Array.from({ length: 32 }, (_, bits) => ({
  bearer: (bits & 1) !== 0,
  keys: (bits & 2) !== 0,
  profile: (bits & 4) !== 0,
  chain: (bits & 8) !== 0,
  flag: (bits & 16) !== 0,
}));

describe("the order of credential sources", () => {
  it.each(combinations)(
    "bearer $bearer, keys $keys, profile $profile, default $chain, flag $flag",
    async (set) => {
      const decision = await decide({
        env: {
          ...(set.bearer ? BEARER : {}),
          ...(set.keys ? KEYS : {}),
          ...(set.profile ? PROFILE : {}),
          AWS_EC2_METADATA_DISABLED: "true",
        },
        credentials: `${DEV}${set.chain ? DEFAULT : ""}[flagged]\naws_access_key_id = AKIAFLAG000000000001\naws_secret_access_key = x\n`,
        ...(set.flag ? { profileFlag: "flagged" } : {}),
      });
      const present = [set.bearer, set.keys, set.profile || set.flag, set.chain];
      const used = set.flag ? 2 : present.indexOf(true);
      expect(statuses(decision)).toEqual(
        present.map((isSet, index) => (index === used ? "used" : isSet ? "shadowed" : "not set")),
      );
      expect(decision.order.map(({ source }) => source)).toEqual(SOURCES);
      if (used === -1) expect(decision.chosen).toMatchObject({ source: "default-chain", step: "none" });
      else expect(decision.chosen.source).toBe(SOURCES[used]);
      if (set.flag) expect(decision.chosen).toMatchObject({ profile: "flagged", viaFlag: true });
      else if (used === 2) expect(decision.chosen).toMatchObject({ profile: "dev", viaFlag: false });
    },
  );

  it("never tells a secret", async () => {
    const decision = await decide({
      env: { ...BEARER, ...KEYS, ...PROFILE, AWS_SESSION_TOKEN: "env-session" },
      credentials: DEV + DEFAULT,
    });
    const told = JSON.stringify({ ...decision, shared: undefined });
    expect(told).not.toMatch(/secret|env-session/);
    // The full key id is for signing, not for showing.
    expect(JSON.stringify([decision.order, findAll(decision)])).not.toContain("AKIAENV0000000000001");
    expect(decision.order[1]?.detail).toContain("AKIA…0001");
  });

  describe("the end of the chain", () => {
    it.each<[string, Scene, string]>([
      ["default profile", { credentials: DEFAULT }, "shared-config"],
      [
        "web identity",
        { env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t", AWS_ROLE_ARN: "arn:aws:iam::1:role/R" } },
        "web-identity",
      ],
      ["container, relative", { env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x" } }, "container"],
      [
        "container, full",
        { env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials" } },
        "container",
      ],
      ["nothing", {}, "instance-metadata"],
      ["nothing, instance off", { env: { AWS_EC2_METADATA_DISABLED: "true" } }, "none"],
      ["nothing, instance off in capitals", { env: { AWS_EC2_METADATA_DISABLED: "TRUE" } }, "none"],
      ["nothing, instance not off", { env: { AWS_EC2_METADATA_DISABLED: "false" } }, "instance-metadata"],
      ["half a web identity", { env: { AWS_ROLE_ARN: "arn:aws:iam::1:role/R" } }, "instance-metadata"],
      [
        "a default profile with a region only",
        { config: "[default]\nregion = eu-west-1\n" },
        "instance-metadata",
      ],
      [
        "default profile before web identity and container",
        {
          credentials: DEFAULT,
          env: {
            AWS_WEB_IDENTITY_TOKEN_FILE: "/t",
            AWS_ROLE_ARN: "r",
            AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x",
          },
        },
        "shared-config",
      ],
      [
        "web identity before container",
        {
          env: {
            AWS_WEB_IDENTITY_TOKEN_FILE: "/t",
            AWS_ROLE_ARN: "r",
            AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x",
          },
        },
        "web-identity",
      ],
    ])("with %s", async (_, scene, step) => {
      const decision = await decide(scene);
      expect(decision.chosen).toMatchObject({ source: "default-chain", step });
      expect(decision.order[3]?.status).toBe(step === "none" ? "not set" : "used");
    });
  });

  describe("AWS_PROFILE=default", () => {
    it("without such a profile means the default chain", async () => {
      const decision = await decide({ env: { AWS_PROFILE: "default" } });
      expect(decision.chosen).toMatchObject({ source: "default-chain", step: "instance-metadata" });
      expect(statuses(decision)).toEqual(["not set", "not set", "not set", "used"]);
      expect(decision.order[2]?.detail).toContain("AWS_PROFILE=default");
      expect(findings(decision)).toEqual([]);
    });

    it("with a region only means the default chain, too", async () => {
      const decision = await decide({
        env: { AWS_PROFILE: "default" },
        config: "[default]\nregion = eu-west-1\n",
      });
      expect(decision.chosen).toMatchObject({ source: "default-chain", step: "instance-metadata" });
    });

    it("with credentials is that profile", async () => {
      const decision = await decide({ env: { AWS_PROFILE: "default" }, credentials: DEFAULT });
      expect(decision.chosen).toMatchObject({ source: "AWS_PROFILE", profile: "default" });
      expect(decision.order[3]?.status).toBe("shadowed");
    });

    it("gives way to keys of the environment", async () => {
      const decision = await decide({ env: { AWS_PROFILE: "default", ...KEYS } });
      expect(decision.chosen.source).toBe("AWS_ACCESS_KEY_ID");
      expect(findings(decision)).toEqual([]);
    });
  });

  it("a named profile with settings only leaves the choice to the rest of the chain, without the default profile", async () => {
    const decision = await decide({
      env: { AWS_PROFILE: "eu" },
      config: "[profile eu]\nregion = eu-west-1\n",
      credentials: DEFAULT,
    });
    expect(decision.chosen).toMatchObject({ source: "default-chain", step: "instance-metadata" });
    expect(findings(decision)).toEqual(["profile-without-credentials"]);
    expect(decision.profileName).toBe("eu");
  });

  it("--profile with settings only still goes before bearer token and keys", async () => {
    const decision = await decide({
      env: { ...BEARER, ...KEYS },
      profileFlag: "eu",
      config: "[profile eu]\nregion = eu-west-1\n",
    });
    expect(decision.chosen).toMatchObject({ source: "default-chain", step: "instance-metadata" });
    expect(statuses(decision)).toEqual(["shadowed", "shadowed", "not set", "used"]);
  });

  it("--profile is shown as AWS_PROFILE with the flag, and says what it goes before", async () => {
    const decision = await decide({
      env: { AWS_PROFILE: "dev", ...BEARER },
      profileFlag: "other",
      credentials: `${DEV}[other]\naws_access_key_id = AKIAOTHER00000000001\naws_secret_access_key = x\n`,
    });
    expect(decision.chosen).toMatchObject({ source: "AWS_PROFILE", profile: "other", viaFlag: true });
    expect(decision.order[2]?.detail).toBe("--profile other (goes before AWS_PROFILE=dev): key AKIA…0001");
    expect(findings(decision)).toEqual(["bearer-shadowed"]);
  });

  describe("a profile that does not exist", () => {
    it.each([
      [{ AWS_PROFILE: "dve" }, undefined],
      [{}, "dve"],
    ])("is an error that names the nearest one (%j, flag %s)", async (env, profileFlag) => {
      const decision = await decide({
        env,
        ...(profileFlag ? { profileFlag } : {}),
        credentials: DEV + DEFAULT,
      });
      expect(decision.chosen.source).toBe("invalid");
      const error = decision.chosen.source === "invalid" ? decision.chosen.error : undefined;
      expect(error).toMatchObject({
        code: "no-credentials",
        exitCode: 4,
        hint: "Did you mean 'dev'? Try: --profile dev",
      });
      expect(error?.message).toContain("'dve'");
      expect(decision.order[2]?.status).toBe("invalid");
    });

    it("lists the others when none is near", async () => {
      const decision = await decide({ env: { AWS_PROFILE: "production" }, credentials: DEV });
      expect(decision.chosen).toMatchObject({ error: { hint: "Choose one that exists: dev" } });
    });

    it("says how to create it when there is none at all", async () => {
      const decision = await decide({ env: { AWS_PROFILE: "production" } });
      expect(decision.chosen).toMatchObject({
        error: { hint: "Create it: aws configure --profile production" },
      });
    });

    it("is only a finding while another source signs", async () => {
      const decision = await decide({ env: { ...KEYS, AWS_PROFILE: "dve" }, credentials: DEV });
      expect(decision.chosen.source).toBe("AWS_ACCESS_KEY_ID");
      expect(statuses(decision)).toEqual(["not set", "used", "invalid", "not set"]);
      expect(findings(decision)).toContain("profile-invalid");
    });
  });

  describe("a profile that is not read", () => {
    it.each<[string, Scene, string | RegExp]>([
      [
        "without prefix",
        { config: "[default]\na = b\n[dev]\n" },
        /config:3: \[dev\] is not read here; .*\[profile dev\]\.$/,
      ],
      [
        "without bracket",
        { config: "[profile dev\nregion = x\n" },
        /config:1: the section title lacks its \]\.$/,
      ],
      [
        "with a space",
        { config: "[profile de v]\n", env: { AWS_PROFILE: "de v" } },
        /write \[profile "de v"\]\.$/,
      ],
      ["in capitals", { config: "[PROFILE dev]\n" }, /write \[profile dev\]\.$/],
      ["with a prefix in credentials", { credentials: "[profile dev]\n" }, /a profile is written \[dev\]\.$/],
      [
        "because its file is not there",
        { env: { AWS_CONFIG_FILE: "/nowhere/c", ...PROFILE } },
        "AWS_CONFIG_FILE names '/nowhere/c', which does not exist.",
      ],
      [
        "because its file is a folder",
        { env: { AWS_CONFIG_FILE: "/", ...PROFILE } },
        "'/' cannot be read: it is a folder.",
      ],
    ])("%s is an error that says so", async (_, scene, cause) => {
      const decision = await decide({ env: PROFILE, ...scene });
      expect(decision.chosen).toMatchObject({ source: "invalid", error: { code: "no-credentials" } });
      const error = decision.chosen.source === "invalid" ? decision.chosen.error : undefined;
      if (typeof cause === "string") expect(error?.message).toContain(cause);
      else expect(error?.message).toMatch(cause);
      expect(error?.hint).toMatch(
        /^(Name a file that is there, or: unset |Write \[.+\] in line \d+ of |Correct |ls -ld )/,
      );
    });
  });

  it("a token of a web identity in the environment without its role is an error", async () => {
    const decision = await decide({ env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t" } });
    expect(decision.chosen).toMatchObject({
      source: "invalid",
      error: {
        message:
          "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN: nobody knows which role the token is for.",
      },
    });
    expect(statuses(decision)).toEqual(["not set", "not set", "not set", "invalid"]);
  });

  describe("half a key pair", () => {
    it.each([
      [{ AWS_ACCESS_KEY_ID: "AKIAENV0000000000001" }, "AWS_SECRET_ACCESS_KEY"],
      [{ AWS_SECRET_ACCESS_KEY: "env-secret" }, "AWS_ACCESS_KEY_ID"],
    ])("%j is an error that names what is missing, also with a profile behind it", async (env, missing) => {
      for (const more of [{}, PROFILE]) {
        const decision = await decide({ env: { ...env, ...more }, credentials: DEV + DEFAULT });
        expect(decision.chosen.source).toBe("invalid");
        const error = decision.chosen.source === "invalid" ? decision.chosen.error : undefined;
        expect(error?.code).toBe("no-credentials");
        expect(error?.message).toContain(`without ${missing}`);
        expect(error?.message).not.toContain("env-secret");
        expect(decision.order[1]?.status).toBe("invalid");
      }
    });

    it("is only a finding behind a bearer token or --profile", async () => {
      for (const scene of [
        { env: { ...BEARER, AWS_ACCESS_KEY_ID: "AKIAX" } },
        { env: { AWS_ACCESS_KEY_ID: "AKIAX" }, profileFlag: "dev", credentials: DEV },
      ]) {
        const decision = await decide(scene);
        expect(decision.chosen.source).not.toBe("invalid");
        expect(decision.order[1]?.status).toBe("invalid");
        expect(findings(decision)).toContain("half-pair");
      }
    });

    it("in a profile is an error, too", async () => {
      const decision = await decide({
        env: PROFILE,
        credentials: "[dev]\naws_access_key_id = AKIADEV0000000000001\n",
      });
      expect(decision.chosen).toMatchObject({
        error: { message: "Profile 'dev' has aws_access_key_id without aws_secret_access_key." },
      });
    });
  });

  describe("findings", () => {
    it.each<[string, Scene, string[]]>([
      [
        "a temporary key without its token",
        { env: { AWS_ACCESS_KEY_ID: "ASIA0000000000000001", AWS_SECRET_ACCESS_KEY: "x" } },
        ["session-token-missing"],
      ],
      [
        "a temporary key with its token",
        {
          env: {
            AWS_ACCESS_KEY_ID: "ASIA0000000000000001",
            AWS_SECRET_ACCESS_KEY: "x",
            AWS_SESSION_TOKEN: "t",
          },
        },
        [],
      ],
      [
        "a temporary key in a profile without its token",
        {
          env: PROFILE,
          credentials: "[dev]\naws_access_key_id = ASIA0000000000000001\naws_secret_access_key = x\n",
        },
        ["session-token-missing"],
      ],
      ["a session token alone", { env: { AWS_SESSION_TOKEN: "t" } }, ["session-token-alone"]],
      ["half a web identity", { env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t" } }, ["web-identity-half"]],
      [
        "two container endpoints",
        {
          env: {
            AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x",
            AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://localhost/x",
          },
        },
        ["container-twice"],
      ],
      [
        "a bearer token before a profile",
        { env: { ...BEARER, ...PROFILE }, credentials: DEV },
        ["profile-shadowed"],
      ],
      ["AWS_DEFAULT_PROFILE", { env: { AWS_DEFAULT_PROFILE: "dev" } }, ["default-profile"]],
      [
        "AWS_DEFAULT_PROFILE beside AWS_PROFILE",
        { env: { AWS_DEFAULT_PROFILE: "other", ...PROFILE }, credentials: DEV },
        [],
      ],
      ["a malformed file", { config: "[profile dev\n" }, ["shared-config"]],
      [
        "variables that are blank",
        { env: { OPENCLAW_BLANK_VARIABLES: "AWS_PROFILE,HTTPS_PROXY,AWS_REGION" } },
        ["blank"],
      ],
      ["a blank variable that is not AWS's", { env: { OPENCLAW_BLANK_VARIABLES: "HTTPS_PROXY" } }, []],
    ])("%s", async (_, scene, expected) => {
      const decision = await decide({ ...scene, env: { AWS_EC2_METADATA_DISABLED: "true", ...scene.env } });
      expect(findings(decision)).toEqual(expected);
      for (const { message, hint } of findAll(decision)) {
        expect(message).toMatch(/\.$/);
        expect(hint).not.toBe("");
      }
    });

    it("tell the line of a malformed shared config", async () => {
      const decision = await decide({ config: "[default]\nregion = x\nwhat is this\n" });
      expect(findAll(decision)[0]?.message).toMatch(/\.aws\/config:3: this is not 'key = value'\.$/);
    });
  });

  describe("what a profile takes its credentials from", () => {
    it.each<[string, string, string]>([
      ["keys", "aws_access_key_id = AKIADEV0000000000001\naws_secret_access_key = x", "key AKIA…0001"],
      [
        "keys with token",
        "aws_access_key_id = ASIADEV0000000000001\naws_secret_access_key = x\naws_session_token = t",
        "key ASIA…0001 with session token",
      ],
      [
        "a role",
        "role_arn = arn:aws:iam::1:role/Admin\nsource_profile = base",
        "role `Admin`, assumed with profile base (key AKIA…BASE)",
      ],
      [
        "a role before keys",
        "role_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\naws_access_key_id = A\naws_secret_access_key = B",
        "role `Admin`, assumed with profile base (key AKIA…BASE)",
      ],
      [
        "its own keys for a role",
        "role_arn = arn:aws:iam::1:role/Admin\nsource_profile = dev\naws_access_key_id = AKIADEV0000000000001\naws_secret_access_key = B",
        "role `Admin`, assumed with its own keys",
      ],
      [
        "a role on an instance",
        "role_arn = arn:aws:iam::1:role/Admin\ncredential_source = Ec2InstanceMetadata",
        "role `Admin`, assumed with the EC2 instance role",
      ],
      [
        "a role in a container",
        "role_arn = arn:aws:iam::1:role/Admin\ncredential_source = EcsContainer",
        "role `Admin`, assumed with the container's role",
      ],
      [
        "a role from the environment",
        "role_arn = arn:aws:iam::1:role/Admin\ncredential_source = Environment",
        "role `Admin`, assumed with the environment's keys",
      ],
      [
        "a role with MFA",
        "role_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me",
        "role `Admin`, assumed with profile base (key AKIA…BASE) and MFA",
      ],
      [
        "a role over a role",
        "role_arn = arn:aws:iam::1:role/Admin\nsource_profile = middle",
        "role `Admin`, assumed with profile middle (role `Middle`, assumed with profile base (key AKIA…BASE))",
      ],
      [
        "a web identity",
        "role_arn = arn:aws:iam::1:role/Admin\nweb_identity_token_file = /t",
        "role `Admin`, web identity token from /t",
      ],
      [
        "a process",
        "credential_process = /opt/bin/get-keys --password hunter2",
        "credential_process get-keys",
      ],
      [
        "a session",
        "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev",
        "IAM Identity Center session `corp`, account 123456789012, role `Dev`",
      ],
      [
        "the older SSO",
        "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = Dev",
        "IAM Identity Center, account 123456789012, role `Dev`",
      ],
      ["aws login", "login_session = arn:aws:iam::1:user/me", "aws login session"],
    ])("%s", async (_, keys, detail) => {
      const decision = await decide({
        env: PROFILE,
        config: `[profile dev]\n${keys}\n[profile middle]\nrole_arn = arn:aws:iam::1:role/Middle\nsource_profile = base\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n`,
        credentials: "[base]\naws_access_key_id = AKIABASE000000000BASE\naws_secret_access_key = x\n",
      });
      expect(decision.order[2]).toEqual({
        source: "AWS_PROFILE",
        status: "used",
        detail: `profile dev: ${detail}`,
      });
      expect(JSON.stringify(decision.order)).not.toContain("hunter2");
    });

    it.each<[string, string, string]>([
      [
        "a source profile that does not exist",
        "role_arn = r\nsource_profile = nobody",
        "Profile 'dev' has source_profile 'nobody', which does not exist.",
      ],
      [
        "a source profile without credentials",
        "role_arn = r\nsource_profile = empty",
        "Profile 'dev' has source_profile 'empty', which has no credentials.",
      ],
      [
        "a circle",
        "role_arn = r\nsource_profile = circle",
        "The profiles 'dev' → 'circle' → 'dev' name each other as source_profile.",
      ],
      [
        "a profile that names itself without keys",
        "role_arn = r\nsource_profile = dev",
        "The profiles 'dev' → 'dev' name each other as source_profile.",
      ],
      [
        "a circle through keys of its own",
        "role_arn = r\nsource_profile = circle\naws_access_key_id = A\naws_secret_access_key = B",
        "The profiles 'dev' → 'circle' → 'dev' name each other as source_profile.",
      ],
      [
        "a chain of roles that leads nowhere within a hundred",
        `role_arn = r\nsource_profile = p0\n${Array.from({ length: 20_000 }, (_, n) => `[profile p${n}]\nrole_arn = r\nsource_profile = p${n + 1}`).join("\n")}`,
        "Profile 'dev' begins a chain of more than 100 roles, each of which names the next as source_profile.",
      ],
      [
        "a web identity without role",
        "web_identity_token_file = /t\ncredential_process = x",
        "Profile 'dev' has web_identity_token_file without role_arn.",
      ],
      [
        "keys that run into each other",
        "aws_access_key_id = AKIADEV0000000000001\n  and more\naws_secret_access_key = x",
        "Profile 'dev' has a line break, or a character beyond ASCII, in aws_access_key_id.",
      ],
      [
        "two sources for a role",
        "role_arn = r\nsource_profile = base\ncredential_source = Environment",
        "Profile 'dev' has both source_profile and credential_source, and only one is allowed.",
      ],
      [
        "an unknown credential_source",
        "role_arn = r\ncredential_source = Ec2",
        "Profile 'dev' has credential_source 'Ec2', which is none that AWS knows.",
      ],
      [
        "a role without anything to assume it with",
        "role_arn = r",
        "Profile 'dev' has role_arn without source_profile, credential_source or web_identity_token_file.",
      ],
      [
        "an sso_session that does not exist",
        "sso_session = crop\nsso_account_id = 1\nsso_role_name = Dev",
        "Profile 'dev' has sso_session 'crop', which does not exist; 'corp' does.",
      ],
      [
        "an sso_session without region",
        "sso_session = bare\nsso_account_id = 1\nsso_role_name = Dev",
        "[sso-session bare] lacks sso_region.",
      ],
      [
        "SSO without account",
        "sso_session = corp\nsso_role_name = Dev",
        "Profile 'dev' lacks sso_account_id.",
      ],
    ])("%s is told before anybody is asked", async (_, keys, message) => {
      const decision = await decide({
        env: PROFILE,
        config:
          `[profile dev]\n${keys}\n[profile empty]\nregion = x\n[profile circle]\nrole_arn = r\nsource_profile = dev\n` +
          "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = u\n[sso-session bare]\nsso_start_url = u\n",
        credentials: "[base]\naws_access_key_id = AKIABASE000000000BASE\naws_secret_access_key = x\n",
      });
      expect(decision.chosen).toMatchObject({
        source: "invalid",
        error: { code: "no-credentials", message },
      });
      expect(decision.order[2]?.status).toBe("invalid");
    });
  });

  it.each([
    ["sso_session = crop", "aws configure set sso_session corp --profile dev"],
    ["sso_session = elsewhere", "Set it up again: aws configure sso --profile dev"],
    [
      "role_arn = r\nsource_profile = bsae",
      "Correct it: aws configure set source_profile base --profile dev",
    ],
    // Never itself: that is a loop.
    ["role_arn = r\nsource_profile = dve", "Correct it: aws configure set source_profile NAME --profile dev"],
    [
      "role_arn = r\ncredential_source = Enviroment",
      "Use Environment, Ec2InstanceMetadata or EcsContainer: aws configure set credential_source Environment --profile dev",
    ],
  ])("of a name that does not exist the nearest one is named: %s", async (keys, hint) => {
    const { chosen } = await decide({
      env: PROFILE,
      config: `[profile dev]\n${keys}\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = u\n`,
      credentials: "[base]\naws_access_key_id = AKIABASE000000000BASE\naws_secret_access_key = x\n",
    });
    expect(chosen).toMatchObject({ source: "invalid", error: { hint } });
  });

  it("reads instance metadata settings from variables before the profile", async () => {
    const config =
      "[default]\nec2_metadata_service_endpoint = http://127.0.0.1:1\nec2_metadata_v1_disabled = true\n";
    expect((await decide({ config })).instanceMetadata).toEqual({
      endpoint: "http://127.0.0.1:1",
      isDisabled: false,
      allowsVersion1: false,
    });
    expect(
      (await decide({ config, env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:2" } }))
        .instanceMetadata.endpoint,
    ).toBe("http://127.0.0.1:2");
    expect(
      (await decide({ env: { AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv6" } })).instanceMetadata.endpoint,
    ).toBe("http://[fd00:ec2::254]");
    expect((await decide({})).instanceMetadata).toEqual({
      endpoint: "http://169.254.169.254",
      isDisabled: false,
      allowsVersion1: true,
    });
  });
});
