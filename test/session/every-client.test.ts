import { createHash, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { type AwsNetwork, createAwsNetwork } from "../helpers/aws-network.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { startSocksProxy } from "../helpers/socks-proxy.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

const MODEL = "amazon.nova-lite-v1:0";
const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
/** Keys that the identity server gives, which the emulator has to take. */
const GIVEN = ["ASIASTSROLE000000001", "ASIASTSWEBID00000001", "ASIASSO0000000000001"];

/** How a client is made to call, and the hosts that it then calls. */
interface Client {
  name: string;
  args: readonly string[];
  /** Puts into the home folder what leads to the call; gives the environment. */
  prepare: (user: Emulated) => Promise<Record<string, string | undefined>>;
  /** The host's name, without `-fips`, region and domain. */
  host: string;
}

const CHAT = ["chat", "-m", MODEL, "hi"];

const CLIENTS: readonly Client[] = [
  { name: "Bedrock", args: ["models", "list"], prepare: async () => ({}), host: "bedrock" },
  { name: "Bedrock Runtime", args: CHAT, prepare: async () => ({}), host: "bedrock-runtime" },
  {
    name: "Bedrock Runtime, by OpenAI's chat completions",
    args: ["chat", "-m", "openai.gpt-oss-120b-1:0", "hi"],
    prepare: async (user) => {
      user.configure('{models: {providers: {"amazon-bedrock": {api: "openai-completions"}}}}');
      return {};
    },
    host: "bedrock-runtime",
  },
  { name: "STS, asked who somebody is", args: ["doctor"], prepare: async () => ({}), host: "sts" },
  {
    name: "STS, assuming a role",
    args: CHAT,
    prepare: async ({ home }) => {
      writeSharedFiles(home, {
        config: "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = base\n",
        credentials: "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n",
      });
      return { ...NO_KEYS, AWS_PROFILE: "dev" };
    },
    host: "sts",
  },
  {
    name: "STS, taking a web identity",
    args: CHAT,
    prepare: async ({ home }) => {
      const file = path.join(home, "token.jwt");
      writeFileSync(file, "header.payload.signature");
      return {
        ...NO_KEYS,
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/R",
      };
    },
    host: "sts",
  },
  {
    name: "the portal of IAM Identity Center",
    args: CHAT,
    prepare: async ({ home }) => {
      await signIn(home, "2099-01-01T00:00:00Z");
      return { ...NO_KEYS, AWS_PROFILE: "dev" };
    },
    host: "portal.sso",
  },
  {
    name: "OIDC of IAM Identity Center, renewing a token",
    args: CHAT,
    prepare: async ({ home }) => {
      await signIn(home, new Date(Date.now() + 60_000).toISOString());
      return { ...NO_KEYS, AWS_PROFILE: "dev" };
    },
    host: "oidc",
  },
];

async function signIn(home: string, expiresAt: string, more = ""): Promise<void> {
  writeSharedFiles(home, {
    config:
      `[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = R\n${more}` +
      "[sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n",
  });
  await writeSsoToken(home, "corp", {
    accessToken: "sso-token",
    refreshToken: "refresh-1",
    clientId: "id",
    clientSecret: "secret",
    registrationExpiresAt: "2099-01-01T00:00:00Z",
    expiresAt,
    startUrl: "https://corp.example/start",
    region: "us-east-1",
  });
}

async function connect(client: Client, env: Record<string, string | undefined> = {}) {
  const identity = await startIdentityServer();
  const accessKeys = Object.fromEntries(
    GIVEN.map((id) => [id, { secretAccessKey: "secret", sessionToken: "token" }]),
  );
  const user = await emulate({ accessKeys });
  const isAssumed = client.name !== "STS, asked who somebody is";
  const network = await createAwsNetwork(user, isAssumed ? { identity } : {});
  const own = await client.prepare(user);
  const result = await user.run(client.args, { env: { ...network.env, ...own, ...env } });
  return { result, network };
}

const MODES: readonly [name: string, env: Record<string, string>, hostOf: (service: string) => string][] = [
  ["as it is", {}, (service) => `${service}.us-east-1.amazonaws.com:443`],
  [
    "with FIPS",
    { AWS_USE_FIPS_ENDPOINT: "true" },
    (service) => `${service}-fips.us-east-1.amazonaws.com:443`,
  ],
  [
    "with dual-stack",
    { AWS_USE_DUALSTACK_ENDPOINT: "true" },
    (service) => `${service}.us-east-1.api.aws:443`,
  ],
  [
    "with FIPS and dual-stack",
    { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" },
    (service) => `${service}-fips.us-east-1.api.aws:443`,
  ],
];

describe.each(CLIENTS)("$name", (client) => {
  it.each(MODES)(
    "%s is called through the proxy, over TLS that AWS_CA_BUNDLE vouches for",
    async (_, env, hostOf) => {
      const { result, network } = await connect(client, env);
      expect(result.code, result.stderr).toBe(0);
      expect(network.hosts).toContain(hostOf(client.host));
      // Nothing goes around the mode that was asked for.
      const others = network.hosts.filter(
        (host) => host !== hostOf(host.split(/(-fips)?\.us-east-1/)[0] ?? ""),
      );
      expect(others).toEqual([]);
    },
  );

  it("trusts NODE_EXTRA_CA_CERTS as Node does", async () => {
    const identity = await startIdentityServer();
    const accessKeys = Object.fromEntries(
      GIVEN.map((id) => [id, { secretAccessKey: "secret", sessionToken: "token" }]),
    );
    const user = await emulate({ accessKeys });
    const network = await createAwsNetwork(user, client.args === CHAT ? { identity } : {});
    const own = await client.prepare(user);
    const { AWS_CA_BUNDLE, ...env } = network.env;
    const result = await user.run(client.args, {
      env: { ...env, ...own, NODE_EXTRA_CA_CERTS: AWS_CA_BUNDLE },
    });
    expect(result.code, result.stderr).toBe(0);
  });
});

/** S3 has names of its own for each bucket, and for the modes. */
describe("Amazon S3", () => {
  const HOSTS: readonly [name: string, env: Record<string, string>, host: string][] = [
    ["as it is", {}, "s3.us-east-1.amazonaws.com"],
    ["with FIPS", { AWS_USE_FIPS_ENDPOINT: "true" }, "s3-fips.us-east-1.amazonaws.com"],
    ["with dual-stack", { AWS_USE_DUALSTACK_ENDPOINT: "true" }, "s3.dualstack.us-east-1.amazonaws.com"],
    [
      "with both",
      { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" },
      "s3-fips.dualstack.us-east-1.amazonaws.com",
    ],
  ];

  const SUBMIT = ["batch", "submit", "lines.jsonl", "-m", MODEL, "--s3", "s3://openclaw-emulator/x"];

  async function submit(env: (user: Emulated) => Record<string, string | undefined>) {
    const user = await emulate({ jobSeconds: 600 });
    writeFileSync(path.join(user.home, "lines.jsonl"), '{"prompt":"hi"}\n'.repeat(100));
    const network = await createAwsNetwork(user, {});
    const args = [...SUBMIT, "--role", "arn:aws:iam::123456789012:role/R"];
    return { network, result: await user.run(args, { env: { ...network.env, ...env(user) } }) };
  }

  it.each(HOSTS)(
    "%s is called through the proxy, over TLS that AWS_CA_BUNDLE vouches for",
    async (_, env, host) => {
      const { network, result } = await submit(() => env);
      expect(result.code, result.stderr).toBe(0);
      const called = network.hosts.filter((name) => name.includes("s3"));
      expect(new Set(called)).toEqual(new Set([`openclaw-emulator.${host}:443`]));
    },
  );

  it("is called where AWS_ENDPOINT_URL_S3 says, by its path", async () => {
    const { network, result } = await submit(({ emulator }) => ({ AWS_ENDPOINT_URL_S3: emulator.url }));
    expect(result.code, result.stderr).toBe(0);
    expect(network.hosts.filter((name) => name.includes("s3"))).toEqual([]);
  });

  it("names AWS_CA_BUNDLE for a certificate that nobody vouches for", async () => {
    const { result } = await submit(({ emulator }) => ({
      AWS_CA_BUNDLE: undefined,
      AWS_MAX_ATTEMPTS: "1",
      AWS_ENDPOINT_URL_BEDROCK: emulator.url,
      AWS_ENDPOINT_URL_SERVICE_QUOTAS: emulator.url,
    }));
    expect(result.stderr).toContain("is not one this machine trusts");
    expect(result.code).toBe(5);
  });
});

/** A client that is made to call behind what `env` makes of its network. */
async function callBehind(
  client: Client,
  env: (
    network: AwsNetwork,
    user: Emulated,
  ) => Record<string, string | undefined> | Promise<Record<string, string>>,
) {
  const identity = await startIdentityServer();
  const accessKeys = Object.fromEntries(
    GIVEN.map((id) => [id, { secretAccessKey: "secret", sessionToken: "token" }]),
  );
  const user = await emulate({ accessKeys });
  const network = await createAwsNetwork(user, client.args === CHAT ? { identity } : {});
  const own = await client.prepare(user);
  const result = await user.run(client.args, {
    env: { ...network.env, ...own, AWS_MAX_ATTEMPTS: "1", ...(await env(network, user)) },
  });
  return { result, network, said: result.stdout + result.stderr };
}

describe.each(CLIENTS)("$name, in a network that stands in the way,", (client) => {
  it("takes ca_bundle of the profile in force", async () => {
    const { result } = await callBehind(client, ({ env }, { home }) => {
      const file = path.join(home, ".aws", "config");
      const written = existsSync(file) ? readFileSync(file, "utf8") : "[default]\n";
      const bundle = `ca_bundle = ${env["AWS_CA_BUNDLE"]}\n`;
      writeSharedFiles(home, { config: written.replace("\n", `\n${bundle}`) });
      return { AWS_CA_BUNDLE: undefined };
    });
    expect(result.code, result.stderr).toBe(0);
  });

  it("names AWS_CA_BUNDLE for a certificate that nobody vouches for", async () => {
    const { result, said } = await callBehind(client, () => ({ AWS_CA_BUNDLE: undefined }));
    expect(said).toContain("is not one this machine trusts");
    expect(said).toContain("export AWS_CA_BUNDLE=FILE");
    expect(result.code, said).toBe(5);
  });

  it("names the proxy that answers 403", async () => {
    const proxy = createServer().on("connect", (_, socket) => {
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void proxy.close());
    const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { result, said } = await callBehind(client, () => ({ HTTPS_PROXY: `anna:SecretPw@${address}` }));
    expect(said).toContain(`The proxy ${address} (HTTPS_PROXY) answers 403 Forbidden, on the way to`);
    expect(said).not.toContain("SecretPw");
    expect(result.code, said).toBe(5);
  });

  it("goes through a SOCKS proxy that looks the names up", async () => {
    const { result, network } = await callBehind(client, async ({ env }) => {
      const socks = await startSocksProxy({ through: env["HTTPS_PROXY"], login: "anna:pw" });
      return { HTTPS_PROXY: `socks5h://anna:pw@${socks.address}` };
    });
    expect(result.code, result.stderr).toBe(0);
    expect(network.hosts).toContain(`${client.host}.us-east-1.amazonaws.com:443`);
  });

  it.each(["HTTPS_PROXY", "all_proxy"])("refuses a %s that is none", async (name) => {
    const { result, said } = await callBehind(client, () => ({
      HTTPS_PROXY: undefined,
      [name]: "http://alice:Secret#Pw@127.0.0.1:1",
    }));
    expect(said).toContain(`${name} is not the URL of a proxy: 'http://****@127.0.0.1:1'.`);
    expect(said).toContain("Percent-encode");
    expect(said).not.toMatch(/Secret|#Pw|bug/);
    expect(result.code, said).toBe(3);
  });
});

describe("a profile that is named with --profile", () => {
  it.each([
    ["use_fips_endpoint", "-fips.us-east-1.amazonaws.com:443"],
    ["use_dualstack_endpoint", ".us-east-1.api.aws:443"],
  ])("decides by its %s for Bedrock and for the STS that its role comes from", async (key, suffix) => {
    const identity = await startIdentityServer();
    const accessKeys = { ASIASTSROLE000000001: { secretAccessKey: "secret", sessionToken: "token" } };
    const user = await emulate({ accessKeys });
    const network = await createAwsNetwork(user, { identity });
    writeSharedFiles(user.home, {
      config: `[profile dev]\nregion = us-east-1\n${key} = true\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = base\n`,
      credentials: "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n",
    });
    const result = await user.run([...CHAT, "--profile", "dev"], { env: { ...network.env, ...NO_KEYS } });
    expect(result.code, result.stderr).toBe(0);
    expect(network.hosts).toEqual([`sts${suffix}`, `bedrock-runtime${suffix}`]);
  });

  it.each([
    ["use_fips_endpoint", "-fips.us-east-1.amazonaws.com:443"],
    ["use_dualstack_endpoint", ".us-east-1.api.aws:443"],
  ])("decides by its %s for IAM Identity Center, too", async (key, suffix) => {
    const identity = await startIdentityServer();
    const accessKeys = { ASIASSO0000000000001: { secretAccessKey: "secret", sessionToken: "token" } };
    const user = await emulate({ accessKeys });
    const network = await createAwsNetwork(user, { identity });
    await signIn(
      user.home,
      new Date(Date.now() + 60_000).toISOString(),
      `region = us-east-1\n${key} = true\n`,
    );
    const result = await user.run([...CHAT, "--profile", "dev"], { env: { ...network.env, ...NO_KEYS } });
    expect(result.code, result.stderr).toBe(0);
    expect(network.hosts).toEqual(
      ["oidc", "portal.sso", "bedrock-runtime"].map((service) => `${service}${suffix}`),
    );
  });
});

describe("an interface endpoint of a VPC", () => {
  const host = (service: string): string => `vpce-0abc-1def.${service}.us-east-1.vpce.amazonaws.com`;

  it("is called for each service by its own variable, and signed for the region", async () => {
    const user = await emulate();
    const network = await createAwsNetwork(user);
    const env = {
      ...network.env,
      AWS_ENDPOINT_URL_BEDROCK: `https://${host("bedrock")}`,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: `https://${host("bedrock-runtime")}`,
      AWS_ENDPOINT_URL_STS: `https://${host("sts")}`,
      AWS_REGION: "eu-west-1",
    };
    user.configure(`{ agents: { defaults: { model: "${MODEL}" } } }`);
    const result = await user.run(["doctor", "--probe"], { env });
    expect(result.code, result.stdout).toBe(0);
    expect(new Set(network.hosts)).toEqual(
      new Set(["bedrock", "bedrock-runtime", "sts"].map((service) => `${host(service)}:443`)),
    );
    const signed = user.emulator.calls.filter(({ region }) => region !== undefined);
    expect(new Set(signed.map(({ region }) => region))).toEqual(new Set(["eu-west-1"]));
  });

  it("is named by baseUrl for the models of its provider", async () => {
    const user = await emulate();
    const network = await createAwsNetwork(user);
    user.configure(
      JSON.stringify({
        models: {
          providers: {
            "amazon-bedrock": { baseUrl: `https://${host("bedrock-runtime")}`, models: [{ id: MODEL }] },
          },
        },
      }),
    );
    const result = await user.run(CHAT, { env: network.env });
    expect(result.code, result.stderr).toBe(0);
    expect(network.hosts).toEqual([`${host("bedrock-runtime")}:443`]);
  });
});

describe("IPv6", () => {
  it("is the way to an endpoint of either service", async () => {
    const emulator = await startEmulator({ host: "::1" });
    onTestFinished(() => emulator.stop());
    const home = createHome();
    const env = {
      AWS_ACCESS_KEY_ID: emulator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
      AWS_ENDPOINT_URL: emulator.url,
    };
    expect(emulator.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    for (const args of [CHAT, ["models", "list"], ["doctor"]]) {
      const result = await openclaw(args, home, { env });
      expect(result.code, result.stderr).toBe(0);
    }
    const result = await openclaw([...CHAT, "--endpoint-url", emulator.url], home, {
      env: { ...env, AWS_ENDPOINT_URL: undefined },
    });
    expect(result.code, result.stderr).toBe(0);
  });

  it("is the way to a proxy", async () => {
    const user = await emulate();
    const network = await createAwsNetwork(user, { host: "::1" });
    const result = await user.run(CHAT, { env: network.env });
    expect(result.code, result.stderr).toBe(0);
    expect(network.hosts).toEqual(["bedrock-runtime.us-east-1.amazonaws.com:443"]);
  });

  it("is the way to the metadata of an instance", async () => {
    const emulator = await startEmulator({ host: "::1" });
    onTestFinished(() => emulator.stop());
    const env = {
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.url,
      AWS_ENDPOINT_URL: emulator.url,
    };
    const result = await openclaw(CHAT, createHome(), { env });
    expect(result.code, result.stderr).toBe(0);
    expect(emulator.calls.at(-1)?.accessKeyId).toMatch(/^ASIA/);
  });
});

/** A proxy that lets nobody through, and what it was asked for. */
async function startClosedProxy(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(new URL(request.url ?? "", "http://nowhere").host);
    response.writeHead(407, { "content-type": "text/html" }).end("<html>no</html>");
  });
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void proxy.close());
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

describe("who else is asked through the proxy", () => {
  it("is AWS sign-in, for a session that has run out", async () => {
    const user = await emulate();
    const proxy = await startClosedProxy();
    const session = "arn:aws:iam::123456789012:user/me";
    writeSharedFiles(user.home, {
      config: `[profile dev]\nregion = us-east-1\nlogin_session = ${session}\n`,
    });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(
      path.join(user.home, `${createHash("sha256").update(session).digest("hex")}.json`),
      JSON.stringify({
        accessToken: {
          accessKeyId: "ASIALOGIN00000000001",
          secretAccessKey: "s",
          sessionToken: "t",
          accountId: "123456789012",
          expiresAt: "2020-01-01T00:00:00Z",
        },
        clientId: "c",
        refreshToken: "r",
        dpopKey: privateKey.export({ type: "sec1", format: "pem" }),
      }),
    );
    const { code, stderr } = await user.run(CHAT, {
      env: {
        ...NO_KEYS,
        AWS_ENDPOINT_URL: undefined,
        AWS_PROFILE: "dev",
        AWS_LOGIN_CACHE_DIRECTORY: user.home,
        AWS_MAX_ATTEMPTS: "1",
        HTTPS_PROXY: proxy.url,
      },
    });
    expect(stderr).toContain("The proxy ");
    expect(code).toBe(5);
    expect(new Set(proxy.asked)).toEqual(new Set(["us-east-1.signin.aws.amazon.com:443"]));
  });

  it.each([
    ["https", "far.example:443"],
    ["http", "far.example"],
  ])("is another provider, over %s", async (scheme, host) => {
    const user = await emulate();
    const proxy = await startClosedProxy();
    user.configure(
      JSON.stringify({
        models: { providers: { far: { baseUrl: `${scheme}://far.example/v1`, models: [] } } },
      }),
    );
    const { code, stderr } = await user.run(["chat", "-m", "far/some-model", "hi"], {
      env: { ALL_PROXY: proxy.url, AWS_MAX_ATTEMPTS: "1" },
    });
    expect(stderr).toContain("The proxy ");
    expect(code).toBe(5);
    expect(new Set(proxy.asked)).toEqual(new Set([host]));
  });
});

describe("who is never asked through a proxy", () => {
  /** Everything that could name a proxy, for Node itself, too; only the emulator is exempt, by its name. */
  const proxied = (url: string): Record<string, string | undefined> => ({
    ...NO_KEYS,
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    ALL_PROXY: url,
    NODE_USE_ENV_PROXY: "1",
    NO_PROXY: "localhost",
    AWS_EC2_METADATA_DISABLED: undefined,
  });
  const GIVEN_HERE = { secretAccessKey: "secret", sessionToken: "token" };

  async function machine() {
    const user = await emulate({
      accessKeys: { ASIACONTAINER0000001: GIVEN_HERE, ASIAIMDS000000000001: GIVEN_HERE },
    });
    const proxy = await startClosedProxy();
    const identity = await startIdentityServer();
    const env = { ...proxied(proxy.url), AWS_ENDPOINT_URL: `http://localhost:${user.emulator.port}` };
    return { user, proxy, identity, env };
  }

  it.each<[string, (url: string) => Record<string, string>]>([
    ["a container endpoint", (url) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container` })],
    ["instance metadata", (url) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url })],
  ])("is %s", async (_, where) => {
    const { user, proxy, identity, env } = await machine();
    const { code, stderr } = await user.run(CHAT, { env: { ...env, ...where(identity.url) } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(identity.calls.length).toBeGreaterThan(0);
    expect(proxy.asked).toEqual([]);
  });

  it("is a container endpoint on the loopback of IPv6", async () => {
    const { user, proxy, env } = await machine();
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      const ends = new Date(Date.now() + 3_600_000).toISOString();
      response.end(
        JSON.stringify({
          AccessKeyId: "ASIACONTAINER0000001",
          SecretAccessKey: "secret",
          Token: "token",
          Expiration: ends,
        }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await user.run(CHAT, {
      env: { ...env, AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://[::1]:${port}/container` },
    });
    expect({ code, stderr, asked }).toEqual({ code: 0, stderr: "", asked: 1 });
    expect(proxy.asked).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ["the address of ECS", { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/x" }],
    ["the address of EKS", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials" }],
    [
      "the IPv6 address of EKS",
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://[fd00:ec2::23]/v1/credentials" },
    ],
    ["the address of EC2", {}],
    ["the IPv6 address of EC2", { AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv6" }],
    ["it, written out", { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://[fd00:ec2:0:0:0:0:0:254]" }],
  ])("is %s", async (_, where) => {
    const { user, proxy, env } = await machine();
    // Here nobody is there, who would answer on its machine.
    const { code } = await user.run(CHAT, { env: { ...env, ...where, AWS_MAX_ATTEMPTS: "1" } });
    expect(code).not.toBe(0);
    expect(proxy.asked).toEqual([]);
  });
});
