import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { FINDINGS } from "../../src/credentials/findings.ts";
import { emulate } from "../helpers/emulated.ts";
import { serveEmulated } from "../helpers/served.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

const ID = "AKIAEMULATED00000001";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const OTHER = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEX";
const MODEL = "us.anthropic.claude-opus-4-6-v1";

interface Machine {
  env?: Record<string, string | undefined>;
  config?: string;
  credentials?: string;
  args?: readonly string[];
  says: RegExp;
  hint: RegExp;
  /** It explains no failure: `doctor` tells it, and nothing fails. */
  isHarmless?: true;
}

const keys = (id: string, secret: string, more = ""): string =>
  `aws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n${more}`;
const pair = (id: string, secret: string): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: id,
  AWS_SECRET_ACCESS_KEY: secret,
});

/** Each finding of the table, each with every form that it has. */
const MACHINES: Readonly<Record<string, readonly Machine[]>> = {
  "value-in-quotes": [
    {
      env: pair(`"${ID}"`, SECRET),
      says: /^AWS_ACCESS_KEY_ID has quotes around its value/,
      hint: /export AWS_ACCESS_KEY_ID=…/,
    },
    {
      credentials: `[default]\n${keys(ID, `'${SECRET}'`)}`,
      says: /aws_secret_access_key of profile 'default' has quotes/,
      hint: /aws configure set aws_secret_access_key VALUE --profile default$/,
    },
    {
      credentials: `[default]\n${keys(`\u201C${ID}\u201D`, SECRET)}`,
      says: /aws_access_key_id of profile 'default' has quotes/,
      hint: /without quotes/,
    },
    {
      env: { AWS_BEARER_TOKEN_BEDROCK: '"key"' },
      says: /AWS_BEARER_TOKEN_BEDROCK has quotes/,
      hint: /export AWS_BEARER/,
    },
  ],
  "setting-misspelt": [
    {
      credentials: `[default]\n${keys(ID, SECRET).replace("access_key_id", "acess_key_id")}`,
      says: /^Profile 'default' has aws_acess_key_id, which nobody reads; aws_access_key_id is near\./,
      hint: /\.aws\/credentials write aws_access_key_id in place of aws_acess_key_id\./,
    },
    {
      config: "[profile dev]\nsso_sesion = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n",
      args: ["--profile", "dev"],
      says: /has sso_sesion, which nobody reads/,
      hint: /write sso_session in place of sso_sesion/,
    },
  ],
  "keys-swapped": [
    {
      env: pair(SECRET, ID),
      says: /stand in each other's place/,
      hint: /export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…/,
    },
    {
      credentials: `[default]\n${keys(SECRET, ID)}`,
      says: /aws_access_key_id and aws_secret_access_key in profile 'default' stand/,
      hint: /aws configure --profile default/,
    },
  ],
  "session-token-stale": [
    {
      env: { ...pair(ID, SECRET), AWS_SESSION_TOKEN: "an-old-token" },
      says: /^AKIA…0001 is a long-term key, and the AWS_SESSION_TOKEN beside it belongs to another\./,
      hint: /^unset AWS_SESSION_TOKEN$/,
    },
    {
      credentials: `[default]\n${keys(ID, SECRET, "aws_session_token = an-old-token\n")}`,
      says: /AKIA…0001 in profile 'default' is a long-term key/,
      hint: /Remove aws_session_token/,
    },
  ],
  "session-token-missing": [
    {
      env: pair("ASIAEMULATED00000001", SECRET),
      says: /ASIA…0001 is a temporary key/,
      hint: /Set AWS_SESSION_TOKEN/,
    },
    {
      credentials: `[default]\n${keys("ASIAEMULATED00000001", SECRET)}`,
      says: /ASIA…0001 in profile 'default' is a temporary key/,
      hint: /aws configure set aws_session_token TOKEN --profile default/,
    },
  ],
  "key-misshapen": [
    {
      env: pair(`${ID}X`, SECRET),
      says: /AWS_ACCESS_KEY_ID has 21 characters, and a key id of AWS has 20/,
      hint: /Copy both again/,
    },
    { env: pair(ID.toLowerCase(), SECRET), says: /characters that no key id has/, hint: /Copy both again/ },
    { env: pair(`${ID.slice(0, 9)} ${ID.slice(9)}`, SECRET), says: /space inside/, hint: /Copy both again/ },
    { env: pair(ID, SECRET.slice(1)), says: /has 39 characters/, hint: /Copy both again/ },
    {
      env: pair(ID, SECRET.replace("/", "_")),
      says: /characters that no secret key has/,
      hint: /Copy both again/,
    },
    {
      credentials: `[default]\n${keys(ID, SECRET.slice(2))}`,
      says: /has 38 characters.* in profile 'default'/,
      hint: /aws configure --profile default/,
    },
  ],
  "keys-outlived": [
    {
      env: {
        ...pair("ASIAEMULATED00000002", SECRET),
        AWS_SESSION_TOKEN: "expired",
        AWS_CREDENTIAL_EXPIRATION: "2020-01-01T00:00:00Z",
      },
      says: /counts until 2020-01-01T00:00:00\.000Z/,
      hint: /Get a new key pair/,
    },
  ],
  blank: [{ env: { AWS_PROFILE: " " }, says: /AWS_PROFILE is set but blank/, hint: /^unset AWS_PROFILE$/ }],
  "bearer-shadowed": [
    {
      env: { AWS_BEARER_TOKEN_BEDROCK: "x" },
      credentials: `[dev]\n${keys(ID, SECRET)}`,
      args: ["--profile", "dev"],
      says: /AWS_BEARER_TOKEN_BEDROCK is set, but --profile goes before it/,
      hint: /unset AWS_BEARER/,
      isHarmless: true,
    },
  ],
  "profile-shadowed": [
    {
      env: { ...pair("AKIAUNKNOWN000000001", OTHER), AWS_PROFILE: "dev" },
      credentials: `[dev]\n${keys(ID, SECRET)}`,
      says: /AWS_PROFILE=dev gives no credentials, because the key pair in the environment goes before it/,
      hint: /--profile dev$/,
    },
  ],
  "half-pair": [
    {
      env: { AWS_ACCESS_KEY_ID: ID },
      credentials: `[dev]\n${keys(ID, SECRET)}`,
      args: ["--profile", "dev"],
      says: /AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY/,
      hint: /unset AWS_ACCESS_KEY_ID/,
      isHarmless: true,
    },
  ],
  "session-token-alone": [
    {
      env: { AWS_SESSION_TOKEN: "t" },
      says: /AWS_SESSION_TOKEN is set without a key pair/,
      hint: /unset AWS_SESSION_TOKEN/,
    },
  ],
  "profile-invalid": [
    {
      env: { ...pair(ID, SECRET), AWS_PROFILE: "nobody" },
      says: /The AWS profile 'nobody'/,
      hint: /aws configure --profile nobody/,
      isHarmless: true,
    },
  ],
  "profile-without-credentials": [
    {
      env: { AWS_PROFILE: "dev" },
      config: "[profile dev]\nregion = us-east-1\n",
      says: /The profile 'dev' has settings but no credentials/,
      hint: /aws configure --profile dev/,
    },
  ],
  "web-identity-half": [
    {
      env: { AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/R" },
      says: /AWS_ROLE_ARN is set without AWS_WEB_IDENTITY_TOKEN_FILE/,
      hint: /unset AWS_ROLE_ARN/,
    },
  ],
  "container-twice": [
    {
      env: {
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "not-a-path",
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "SERVER/container",
        AWS_PROFILE: "dev",
      },
      credentials: `[dev]\n${keys(ID, SECRET)}`,
      says: /_FULL_URI are both set/,
      hint: /unset AWS_CONTAINER_CREDENTIALS_FULL_URI/,
      isHarmless: true,
    },
  ],
  "default-profile": [
    {
      env: { AWS_DEFAULT_PROFILE: "dev" },
      credentials: `[dev]\n${keys(ID, SECRET)}`,
      says: /AWS_DEFAULT_PROFILE=dev is not read/,
      hint: /export AWS_PROFILE=dev/,
    },
  ],
  "shared-config": [
    {
      config: `[work]\n${keys(ID, SECRET)}`,
      says: /config:1: \[work\] is not read here/,
      hint: /^Write \[profile work\] in line 1 of .*config\.$/,
    },
    {
      config: `[work]\n${keys(ID, SECRET)}`,
      args: ["--profile", "work"],
      says: /config:1: \[work\] is not read here.*\[profile work\]/,
      hint: /^Write \[profile work\] in line 1 of .*config\.$/,
    },
    {
      credentials: `[default\n${keys(ID, SECRET)}`,
      says: /credentials:1: the section title lacks its \]/,
      hint: /^Write \[default\] in line 1 of .*credentials\.$/,
    },
    {
      credentials: `[default]\naws_access_key_id = ${ID}\n  aws_secret_access_key = ${SECRET}\n`,
      says: /credentials:2: the value of aws_access_key_id goes on with the indented lines/,
      hint: /Correct line 2 of /,
    },
    {
      credentials: keys(ID, SECRET),
      says: /credentials:1: this setting stands before any/,
      hint: /^Correct line 1 of /,
    },
    {
      credentials: `[default]\naws_access_key_id = ${ID}\naws_secret_access_key ${SECRET}\n`,
      says: /credentials:3: this is not 'key = value'/,
      hint: /^Correct line 3 of /,
    },
    {
      env: { AWS_SHARED_CREDENTIALS_FILE: "HOME" },
      says: /cannot be read: it is a folder/,
      hint: /ls -ld/,
    },
  ],
};

interface Misplaced {
  env?: Record<string, string>;
  /** Of the program. */
  configuration?: unknown;
  /** The shared config file. */
  config?: string;
  args?: readonly string[];
  says: RegExp;
  hint: string | RegExp;
}

const SSO_KEYS = "sso_account_id = 123456789012\nsso_role_name = Dev\n";
const SSO_URL = "sso_start_url = https://corp.awsapps.com/start\n";

/** Each finding that needs the place of a call, where a proxy finds no host. */
const PLACES: Readonly<Record<string, readonly Misplaced[]>> = {
  "sso-region-unknown": [
    {
      env: { AWS_PROFILE: "dev", AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_REGION: "us-east-1" },
      config: `[profile dev]\nsso_region = us-esat-1\n${SSO_URL}${SSO_KEYS}`,
      says: /^No region us-esat-1 \(sso_region of profile 'dev'\) is known\. /,
      hint: /config write the right one, such as: sso_region = us-east-1$/,
    },
  ],
  "configuration-misspelt": [
    {
      configuration: { models: { bedrockDiscovery: { regoin: "eu-west-1" } } },
      says: /^The configuration has models\.bedrockDiscovery\.regoin, which nobody reads; models\.bedrockDiscovery\.region is near\. /,
      hint: "Rename regoin to region: openclaw config validate",
    },
    {
      configuration: { modles: { bedrockDiscovery: { region: "eu-west-1" } } },
      says: /^The configuration has modles, which nobody reads; models is near\. /,
      hint: "Rename modles to models: openclaw config validate",
    },
  ],
};

it("every finding of the table is tried", () => {
  expect([...Object.keys(MACHINES), ...Object.keys(PLACES)].toSorted()).toEqual(
    FINDINGS.map(({ id }) => id).toSorted(),
  );
});

const CASES = Object.entries(MACHINES).flatMap(([id, machines]) =>
  machines.map((machine, index): [string, Machine] => [`${id} ${index + 1}`, machine]),
);

describe("chat, models list and doctor tell what was found, and what to do", () => {
  it.each(CASES)("%s", async (_, { env = {}, config = "", credentials = "", args = [], ...expected }) => {
    const machine = await emulate({
      accessKeys: {
        [ID]: { secretAccessKey: SECRET },
        ASIAEMULATED00000001: { secretAccessKey: SECRET, sessionToken: "right" },
      },
      script: ({ accessKeyId }) =>
        accessKeyId === "ASIAEMULATED00000002"
          ? {
              error: {
                name: "ExpiredTokenException",
                message: "The security token included in the request is expired",
              },
            }
          : undefined,
    });
    const identity = await startIdentityServer();
    writeSharedFiles(machine.home, { config, credentials });
    const own = Object.entries(env).map(([name, value]) => [
      name,
      value?.replace("HOME", machine.home).replace("SERVER", identity.url),
    ]);
    const all = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_MAX_ATTEMPTS: "1",
      ...(Object.fromEntries(own) as Record<string, string | undefined>),
    };
    const runs = await Promise.all(
      [
        ["chat", "-m", MODEL, "hi", "--json"],
        ["models", "list", "--json"],
        ["doctor", "--json"],
      ].map((command) => machine.run([...command, ...args], { env: all })),
    );
    const [chat, list, doctor] = runs.map(({ code, stdout }) => ({
      code,
      document: JSON.parse(stdout) as {
        error?: { message: string; hint: string };
        checks?: { detail: string; hint?: string }[];
        credentials?: { findings: { message: string; hint: string }[] };
      },
    }));
    if (expected.isHarmless) {
      expect([chat?.code, list?.code]).toEqual([0, 0]);
      const told = doctor?.document.credentials?.findings.find(({ message }) => expected.says.test(message));
      expect(told?.hint).toMatch(expected.hint);
      expect(doctor?.document.checks?.some(({ detail }) => expected.says.test(detail))).toBe(true);
    } else {
      for (const run of [chat, list, doctor]) {
        expect(run?.code).toBe(4);
        expect(run?.document.error).toMatchObject({
          message: expect.stringMatching(expected.says),
          hint: expect.stringMatching(expected.hint),
        });
      }
    }
    const printed = runs.map(({ stdout, stderr }) => stdout + stderr).join("");
    expect(printed).not.toContain(SECRET);
    expect(printed).not.toMatch(/an-old-token|EXAMPLEKE|undefined|\[object/);
  });
});

/** A proxy that finds no host, as one of a company answers for a name that does not exist. */
async function startBlindProxy(): Promise<string> {
  const proxy = createServer();
  proxy.on("connect", (_, socket: Socket) => socket.end("HTTP/1.1 502 Host not found\r\n\r\n"));
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

const PLACE_CASES = Object.entries(PLACES).flatMap(([id, machines]) =>
  machines.map((machine, index): [string, Misplaced] => [`${id} ${index + 1}`, machine]),
);

describe("chat, models list, doctor and serve tell what sends their calls to the wrong place", () => {
  it.each(PLACE_CASES)(
    "%s",
    async (_, { config = "", configuration = {}, args = [], says, hint, ...own }) => {
      const machine = await emulate();
      if (config !== "") writeSharedFiles(machine.home, { config });
      machine.configure(JSON.stringify(configuration));
      const proxy = await startBlindProxy();
      // Credentials of IAM Identity Center need a log-in that is there.
      await writeSsoToken(machine.home, "https://corp.awsapps.com/start", {
        accessToken: "t",
        expiresAt: "2999-01-01T00:00:00Z",
      });
      const env = {
        AWS_ENDPOINT_URL: undefined,
        AWS_REGION: undefined,
        HTTPS_PROXY: proxy,
        AWS_MAX_ATTEMPTS: "1",
        ...Object.fromEntries(
          Object.entries(own.env ?? {}).map(([name, value]) => [name, value || undefined]),
        ),
      };
      for (const command of [["chat", "-m", MODEL, "hi"], ["models", "list"], ["doctor"]]) {
        const { code, stdout } = await machine.run([...command, "--json", ...args], { env });
        const { error } = JSON.parse(stdout) as { error?: { message: string; hint: string } };
        expect([command[0], code]).toEqual([command[0], 5]);
        expect(error).toMatchObject({
          message: expect.stringMatching(says),
          hint: expect.stringMatching(hint),
        });
      }
      const server = await serveEmulated(machine, { env, args });
      const failure: unknown = await server.client.chat.completions
        .create({ model: MODEL, messages: [{ role: "user", content: "x" }] })
        .catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ status: 502, error: { message: expect.stringMatching(says) } });
      const { error } = await server.logged((line) => line.kind === "request");
      expect(error).toMatchObject({
        message: expect.stringMatching(says),
        hint: expect.stringMatching(hint),
      });
    },
  );

  it("a default model under a misspelt name is told where none is found", async () => {
    const machine = await emulate();
    machine.configure(JSON.stringify({ agents: { defaults: { modle: MODEL } } }));
    const { code, stderr } = await machine.run(["chat", "hi"]);
    expect(code).toBe(3);
    expect(stderr).toContain("agents.defaults.modle, which nobody reads; agents.defaults.model is near.");
    expect(stderr).toContain("hint: Rename modle to model: openclaw config validate");
  });

  it.each([
    ["a region that AWS has without Bedrock", `sso_region = ap-east-1\n${SSO_URL}${SSO_KEYS}`],
    ["a profile without one", `role_arn = arn:aws:iam::1:role/R\nsource_profile = base\n`],
  ])("sso_region is not suspected: %s", async (_, section) => {
    const machine = await emulate();
    writeSharedFiles(machine.home, {
      config: `[profile dev]\n${section}`,
      credentials: `[base]\n${keys(ID, SECRET)}`,
    });
    await writeSsoToken(machine.home, "https://corp.awsapps.com/start", {
      accessToken: "t",
      expiresAt: "2999-01-01T00:00:00Z",
    });
    const { code, stderr } = await machine.run(["models", "list", "--profile", "dev"], {
      env: {
        AWS_ENDPOINT_URL: undefined,
        AWS_REGION: "us-east-1",
        HTTPS_PROXY: await startBlindProxy(),
        AWS_MAX_ATTEMPTS: "1",
      },
    });
    expect(code).toBe(5);
    expect(stderr).toMatch(/^error: The proxy /);
  });
});
