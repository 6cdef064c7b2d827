import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { FINDINGS } from "../../src/credentials/findings.ts";
import { createAwsNetwork } from "../helpers/aws-network.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { serveEmulated, type ServeTestOptions } from "../helpers/served.ts";
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
  "value-with-its-name": [
    {
      env: { AWS_BEARER_TOKEN_BEDROCK: "Bearer ABSKkey" },
      says: /^The value of AWS_BEARER_TOKEN_BEDROCK begins with Bearer, which is no part of it/,
      hint: /export AWS_BEARER_TOKEN_BEDROCK=…$/,
    },
    {
      env: pair(`aws_access_key_id=${ID}`, SECRET),
      says: /^The value of AWS_ACCESS_KEY_ID begins with aws_access_key_id=, which/,
      hint: /export AWS_ACCESS_KEY_ID=…$/,
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
      env: { ...pair("ASIAEMULATED00000001", SECRET), AWS_SECURITY_TOKEN: "t" },
      says: /ASIA…0001 is a temporary key/,
      hint: /^export AWS_SESSION_TOKEN="\$AWS_SECURITY_TOKEN"$/,
    },
    {
      credentials: `[default]\n${keys("ASIAEMULATED00000001", SECRET)}`,
      says: /ASIA…0001 in profile 'default' is a temporary key/,
      hint: /aws configure set aws_session_token TOKEN --profile default/,
    },
  ],
  "keys-before-source": [
    {
      config: "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n",
      credentials: `[dev]\n${keys("AKIAUNKNOWN000000001", OTHER)}`,
      args: ["--profile", "dev"],
      says: /^The key pair of profile 'dev' goes before its sso_account_id, of which nothing is used\./,
      hint: /remove aws_access_key_id and aws_secret_access_key of profile 'dev' from .*config or .*credentials\.$/,
    },
    {
      credentials: `[default]\n${keys("AKIAUNKNOWN000000001", OTHER)}credential_process = get-keys\n`,
      says: /^The key pair of profile 'default' goes before its credential_process/,
      hint: /remove aws_access_key_id/,
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
    { env: pair(ID, "x"), says: /has 1 character, and/, hint: /Copy both again/ },
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
  "environment-passed-over": [
    {
      env: pair(ID, SECRET),
      args: ["--profile", "default"],
      says: /^AWS_ACCESS_KEY_ID is set, but --profile default goes before it and gives no credentials/,
      hint: /^Leave --profile out\.$/,
    },
    {
      env: { AWS_BEARER_TOKEN_BEDROCK: "x" },
      args: ["--profile", "default"],
      says: /^AWS_BEARER_TOKEN_BEDROCK is set, but --profile default goes before it/,
      hint: /^Leave --profile out\.$/,
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
      says: /credentials:3: aws_secret_access_key is indented, so it is a part of the value of aws_access_key_id/,
      hint: /^Write aws_secret_access_key without the spaces before it in line 3 of /,
    },
    {
      credentials: keys(ID, SECRET),
      says: /credentials:1: this setting stands before any/,
      hint: /^Write \[default\] above line 1 of /,
    },
    {
      credentials: `export AWS_ACCESS_KEY_ID="${ID}"\nexport AWS_SECRET_ACCESS_KEY="${SECRET}"\n`,
      says: /credentials:1: this is a line for a shell/,
      hint: /^Write \[default\] above it, and aws_access_key_id = VALUE in line 1 of /,
    },
    ...["export ", "SET ", "$Env:"].map((word) => ({
      credentials: `[default]\n${word}AWS_ACCESS_KEY_ID=${ID}\n${word}AWS_SECRET_ACCESS_KEY=${SECRET}\n`,
      says: /credentials:2: this is a line for a shell, not 'key = value'/,
      hint: /^Write aws_access_key_id = VALUE in line 2 of /,
    })),
    {
      credentials: `[default]\naws_access_key_id = ${ID}\naws_secret_access_key ${SECRET}\n`,
      says: /credentials:3: this is not 'key = value'/,
      hint: /^Write aws_secret_access_key = VALUE in line 3 of /,
    },
    {
      config: `[profil work]\n${keys(ID, SECRET)}`,
      env: { AWS_PROFILE: "work" },
      says: /^The AWS profile 'work' .*config:1: \[profil work\] is neither/,
      hint: /^Write \[profile work\] in line 1 of /,
    },
    {
      config: `[profile work]\nregion = us-east-1\n  [profile dev]\n${keys(ID, SECRET)}`,
      args: ["--profile", "dev"],
      says: /config:3: \[profile dev\] is indented/,
      hint: /^Write \[profile dev\] without the spaces before it in line 3 of /,
    },
    {
      config: `[profile work]\n${keys(ID, SECRET)}[profile work]\naws_secret_access_key = ${OTHER}\n`,
      args: ["--profile", "work"],
      says: /config:4: \[profile work\] stands in line 1 already/,
      hint: /^Move its settings to those below line 1, and remove line 4 of /,
    },
    {
      config: `[profile work]\nsso_session = corp\n${"sso_account_id = 123456789012\nsso_role_name = Dev\n"}[sso-sesion corp]\nsso_region = us-east-1\n`,
      args: ["--profile", "work"],
      says: /config:5: \[sso-sesion corp\] is neither/,
      hint: /^Write \[sso-session corp\] in line 5 of /,
    },
    {
      config: `[profile work]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = base\n[base]\n${keys(ID, SECRET)}`,
      args: ["--profile", "work"],
      says: /config:4: \[base\] is not read here/,
      hint: /^Write \[profile base\] in line 4 of /,
    },
    {
      env: { AWS_SHARED_CREDENTIALS_FILE: "HOME" },
      says: /cannot be read: it is a folder/,
      hint: /ls -ld/,
    },
  ],
};

interface Misplaced {
  /** `NOBODY` stands for an address where nobody listens, `GATEWAY` for one that wants a log-in, `TRUSTED` for a proxy. */
  env?: Record<string, string>;
  /** Of the program. */
  configuration?: unknown;
  /** The shared config file. */
  config?: string;
  args?: readonly string[];
  says: RegExp;
  hint: string | RegExp;
  /** Of the exit; 5 unless it says otherwise. */
  code?: number;
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
  "region-without-bedrock": [
    {
      env: { AWS_REGION: "us-esat-1" },
      says: /^No region us-esat-1 is known \(env AWS_REGION\)\. /,
      hint: "Choose a region that has it: export AWS_REGION=us-east-1",
    },
    {
      env: { AWS_REGION: "ap-east-1" },
      says: /^ap-east-1 \(env AWS_REGION\) is a region of AWS in which Amazon Bedrock is not known to be\. /,
      hint: "Choose a region that has it: export AWS_REGION=ap-east-2",
    },
    {
      env: { AWS_REGION: "cn-north-1" },
      says: /^cn-north-1 \(env AWS_REGION\) is a region of AWS in which/,
      hint: /^No region of its partition has it/,
    },
  ],
  "endpoint-invalid": [
    {
      env: { AWS_ENDPOINT_URL: "localhost:8080" },
      says: /^env AWS_ENDPOINT_URL 'localhost:8080' is not an http or https URL\.$/,
      hint: "export AWS_ENDPOINT_URL=http://localhost:8080",
      code: 3,
    },
    {
      config: "[default]\nregion = us-east-1\nendpoint_url = htp://host\n",
      says: /^profile default, endpoint_url \(.*config:3\) 'htp:\/\/host' is not/,
      hint: "Write it as http://host",
      code: 3,
    },
    {
      config: "[default]\nservices = local\n[services locl]\nsts =\n  endpoint_url = http://127.0.0.1:1\n",
      says: /^Profile default has services = local \(.*config:2\), and there is no \[services local\]\.$/,
      hint: /aws configure set services NAME --profile default$/,
      code: 3,
    },
  ],
  "endpoint-parts": [
    {
      env: { AWS_ENDPOINT_URL: "http://me:hidden@GATEWAY/base?key=hidden" },
      says: /^AWS_ENDPOINT_URL has a user and password and a query: that is not sent to an endpoint of AWS\. /,
      hint: /^Write it without: export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+\/base$/,
    },
  ],
  "endpoint-ignored": [
    {
      env: { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true", AWS_ENDPOINT_URL: "http://NOBODY" },
      says: /^AWS_ENDPOINT_URL does not count, because AWS_IGNORE_CONFIGURED_ENDPOINT_URLS says that none does\. /,
      hint: "unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    },
    {
      env: { AWS_ENDPOINT_URL_BEDROCK: "http://NOBODY", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "http://NOBODY" },
      config: "[default]\nignore_configured_endpoint_urls = true\n",
      says: /does not count, because ignore_configured_endpoint_urls of profile 'default' says/,
      hint: "aws configure set ignore_configured_endpoint_urls false --profile default",
    },
  ],
  "proxy-invalid": [
    {
      env: { HTTPS_PROXY: "ftp://proxy.corp" },
      says: /^HTTPS_PROXY names a proxy of the kind ftp:\/\/, which is not supported\.$/,
      hint: /export HTTPS_PROXY=http:\/\/HOST:PORT$/,
      code: 3,
    },
  ],
  "proxy-twice": [
    {
      env: { https_proxy: "http://NOBODY" },
      says: /^https_proxy goes before HTTPS_PROXY, which says something else\. Nothing accepts connections at the proxy/,
      hint: "unset https_proxy",
    },
  ],
  "no-proxy-entry": [
    {
      env: { HTTPS_PROXY: "http://NOBODY", NO_PROXY: "10.0.0.0/8,https://amazonaws.com/" },
      says: /^NO_PROXY has 'https:\/\/amazonaws\.com\/', which exempts nothing/,
      hint: "export NO_PROXY=10.0.0.0/8,amazonaws.com",
    },
    {
      env: { NO_PROXY: "localhost;amazonaws.com" },
      says: /^NO_PROXY has 'localhost;amazonaws\.com', which exempts nothing/,
      hint: "export NO_PROXY=localhost,amazonaws.com",
    },
  ],
  "proxy-for-http-only": [
    {
      env: { HTTP_PROXY: "http://NOBODY", HTTPS_PROXY: "", AWS_ENDPOINT_URL: "https://NOBODY" },
      says: /^HTTP_PROXY is for http:\/\/ only, and no proxy is named for https:\/\/\. /,
      hint: /^export HTTPS_PROXY="\$HTTP_PROXY"$/,
    },
  ],
  "certificates-elsewhere": [
    {
      env: { HTTPS_PROXY: "TRUSTED", REQUESTS_CA_BUNDLE: "/etc/corp.pem" },
      says: /^REQUESTS_CA_BUNDLE is not read; AWS_CA_BUNDLE is what names certificates\. The TLS certificate/,
      hint: /^export AWS_CA_BUNDLE="\$REQUESTS_CA_BUNDLE"$/,
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

describe("chat, models list, doctor and serve tell what was found, and what to do", () => {
  it.each(CASES)("%s", async (name, { env = {}, config = "", credentials = "", args = [], ...expected }) => {
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
    // A server is a process each time: one of each kind.
    if (name.endsWith(" 1") && !expected.isHarmless)
      await expectServed(machine, { env: all, args }, 403, expected);
    const printed = runs.map(({ stdout, stderr }) => stdout + stderr).join("");
    expect(printed).not.toContain(SECRET);
    expect(printed).not.toMatch(/an-old-token|EXAMPLEKE|undefined|\[object/);
  });
});

/** A request to a server on this machine fails, and its log has what was found, and what to do. */
async function expectServed(
  machine: Emulated,
  options: ServeTestOptions,
  status: number,
  { says, hint }: { says: RegExp; hint: string | RegExp },
): Promise<void> {
  const server = await serveEmulated(machine, options);
  const failure: unknown = await server.client.chat.completions
    .create({ model: MODEL, messages: [{ role: "user", content: "x" }] })
    .catch((thrown: unknown) => thrown);
  // What is wrong with credentials, configuration and the way to AWS is for whoever runs the server.
  expect(failure).toMatchObject({ status });
  expect(String(failure)).not.toMatch(says);
  const { error } = await server.logged((line) => line.kind === "request");
  expect(error).toMatchObject({ message: expect.stringMatching(says), hint: expect.stringMatching(hint) });
  await server.end();
}

/** A proxy that wants a log-in for itself, and finds no host, as one of a company answers for a name that does not exist. */
async function startBlindProxy(): Promise<string> {
  const proxy = createServer((_, response) => response.writeHead(401, { "content-type": "text/html" }).end());
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
    async (name, { config = "", configuration = {}, args = [], says, hint, ...own }) => {
      const machine = await emulate();
      if (config !== "") writeSharedFiles(machine.home, { config });
      machine.configure(JSON.stringify(configuration));
      const proxy = await startBlindProxy();
      // Credentials of IAM Identity Center need a log-in that is there.
      await writeSsoToken(machine.home, "https://corp.awsapps.com/start", {
        accessToken: "t",
        expiresAt: "2999-01-01T00:00:00Z",
      });
      const gateway = new URL(await startBlindProxy()).host;
      const trusted = (await createAwsNetwork(machine)).env["HTTPS_PROXY"] ?? "";
      const env = {
        AWS_ENDPOINT_URL: undefined,
        AWS_REGION: undefined,
        HTTPS_PROXY: proxy,
        AWS_MAX_ATTEMPTS: "1",
        ...Object.fromEntries(
          Object.entries(own.env ?? {}).map(([variable, value]) => [
            variable,
            value
              .replaceAll("NOBODY", "127.0.0.1:1")
              .replace("TRUSTED", trusted)
              .replace("GATEWAY", gateway) || undefined,
          ]),
        ),
      };
      const { code: expectedCode = 5 } = own;
      for (const command of [["chat", "-m", MODEL, "hi"], ["models", "list"], ["doctor"]]) {
        const { code, stdout, stderr } = await machine.run([...command, "--json", ...args], { env });
        const { error } = JSON.parse(stdout) as { error?: { message: string; hint: string } };
        expect([command[0], code]).toEqual([command[0], expectedCode]);
        expect(error).toMatchObject({
          message: expect.stringMatching(says),
          hint: expect.stringMatching(hint),
        });
        expect(stdout + stderr).not.toMatch(/hidden|undefined|\[object/);
      }
      if (name.endsWith(" 1"))
        await expectServed(machine, { env, args }, expectedCode === 3 ? 500 : 502, { says, hint });
    },
  );

  it.each<[string, Record<string, string>, RegExp]>([
    ["a proxy is down", { HTTPS_PROXY: "http://127.0.0.1:1" }, /^Nothing accepts connections at the proxy/],
    ["a proxy wants a log-in", { HTTPS_PROXY: "LOGIN" }, /^The proxy .* demands a user and password/],
    ["a proxy is no proxy", { HTTPS_PROXY: "socks5h://LOGIN" }, /^The proxy .* does not answer like one/],
  ])("a region, an sso_region and a setting are not blamed where %s", async (_, proxied, says) => {
    const machine = await emulate();
    machine.configure(JSON.stringify({ models: { bedrockDiscovery: { regoin: "eu-west-1" } } }));
    const proxy = createServer();
    proxy.on("connect", (_request, socket: Socket) => socket.end("HTTP/1.1 407 No\r\n\r\n"));
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void proxy.close());
    const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const env = {
      AWS_ENDPOINT_URL: undefined,
      AWS_REGION: "us-esat-1",
      AWS_MAX_ATTEMPTS: "1",
      HTTPS_PROXY: proxied["HTTPS_PROXY"]?.replace(/^LOGIN/, `http://${address}`).replace("LOGIN", address),
    };
    for (const command of [["chat", "-m", MODEL, "hi"], ["models", "list"], ["doctor"]]) {
      const { code, stdout } = await machine.run([...command, "--json"], { env });
      const { error } = JSON.parse(stdout) as { error: { message: string } };
      expect([command[0], code]).toEqual([command[0], 5]);
      expect(error.message).toMatch(says);
      expect(error.message).not.toMatch(/region|regoin/);
    }
  });

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
