import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import type { Script, ScriptedAnswer } from "../../src/emulator/script.ts";
import { createAwsNetwork } from "../helpers/aws-network.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { createHome, openclaw, type Result } from "../helpers/openclaw.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

const MODEL = "amazon.nova-lite-v1:0";

/** In every secret that is planted, and in nothing else. */
const MARK = "PLANTED";
let planted = 0;
/** A secret of the length and alphabet of AWS's own. */
function secret(kind: string): string {
  planted += 1;
  return `${kind}${MARK}${planted}wJalrXUtnFEMI/K7MDENG+bPxRfiCY`.slice(0, 48);
}
/** A key id is shown with its ends only. */
const KEY_ID = "AKIAPLANTEDKEYID0XYZ";

const CONFIG = (): string =>
  JSON.stringify({
    models: {
      providers: {
        other: {
          baseUrl: `https://user:${encodeURIComponent(secret("url"))}@127.0.0.1:1/v1`,
          apiKey: secret("apikey"),
          headers: { "x-api-key": secret("header") },
          models: [{ id: "some-model" }],
        },
      },
    },
    agents: { defaults: { model: MODEL } },
    gateway: { token: secret("foreign") },
  });

/** Every command that a person can run against one set-up, each with all it has to say. */
const COMMANDS: readonly (readonly string[])[] = [
  ["models", "list", "--refresh"],
  ["models", "list", "--json"],
  ["models", "status"],
  ["models", "status", "--json"],
  ["models", "show", MODEL, "--json"],
  ["chat", "--usage", "hi"],
  ["chat", "--json", "hi"],
  ["chat", "--ndjson", "hi"],
  ["chat", "--dry-run", "--json", "hi"],
  ["doctor", "--probe"],
  ["doctor", "--probe", "--json"],
  ["config", "get"],
  ["config", "get", "--json"],
  ["config", "get", "--effective"],
  ["config", "get", "models.providers.other"],
  ["config", "set", "models.bedrockDiscovery.region", "us-east-1", "--json"],
  ["config", "set", "--dry-run", "models.providers.other.apiKey", `new${MARK}key0123456789`],
  ["config", "validate"],
  ["sessions", "list", "--json"],
  ["iam", "policy"],
];
/** One of each kind that a failure reaches, and a write. */
const FAILING: readonly (readonly string[])[] = [
  ["models", "list", "--refresh"],
  ["models", "list", "--json"],
  ["chat", "hi"],
  ["chat", "--json", "hi"],
  ["doctor", "--probe"],
  ["doctor", "--json"],
  ["config", "set", "models.bedrockDiscovery.refreshInterval", "60"],
];

interface Setup {
  user: Pick<Emulated, "home" | "configure" | "run">;
  env: Record<string, string | undefined>;
}

/** Everything that a home folder holds, but what the person put there. */
function filesOf(
  folder: string,
  isOwn: (file: string) => boolean,
): { file: string; text: string; mode: number }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(folder, name))
    .filter((file) => lstatSync(file).isFile() && !isOwn(file))
    .map((file) => ({ file, text: readFileSync(file, "utf8"), mode: lstatSync(file).mode & 0o777 }));
}

function leaksIn(text: string): string[] {
  return (
    [
      ...text.matchAll(
        new RegExp(`.{0,60}(?:${MARK}|${Buffer.from(MARK).toString("base64").slice(0, 8)}).{0,60}`, "g"),
      ),
    ]
      .map(([leak]) => leak)
      // What a person types on the command line is theirs.
      .filter((leak) => !/AKIA…0?XYZ/.test(leak))
  );
}

async function runAll({ user, env }: Setup, commands = COMMANDS): Promise<Map<string, Result>> {
  const run = async (args: readonly string[]): Promise<[string, Result]> => [
    args.join(" "),
    await user.run([...args, "--verbose"], { env }),
  ];
  // Three at a time: a person has several terminals, too.
  const results: [string, Result][] = [];
  for (let index = 0; index < commands.length; index += 3) {
    results.push(...(await Promise.all(commands.slice(index, index + 3).map(run))));
  }
  return new Map(results);
}

/** Nothing planted is in what was printed or written, and what was written is nobody else's to read. */
function expectNoLeak({ user }: Setup, results: ReadonlyMap<string, Result>): void {
  for (const [command, { stdout, stderr }] of results) {
    expect(leaksIn(stdout), `stdout of ${command}`).toEqual([]);
    expect(leaksIn(stderr), `stderr of ${command}`).toEqual([]);
  }
  const state = path.join(user.home, ".openclaw");
  const config = path.join(state, "openclaw.json");
  // The backup is the configuration of before, byte for byte, under the same mode.
  const isConfig = (file: string): boolean => file === config || file === `${config}.bak`;
  const isOwn = (file: string): boolean => isConfig(file) || !file.startsWith(state);
  for (const { file, text, mode } of filesOf(user.home, isOwn)) {
    expect(leaksIn(text), file).toEqual([]);
    expect(mode.toString(8), file).toBe("600");
  }
  for (const file of [config, `${config}.bak`].filter((name) => existsSync(name))) {
    expect((lstatSync(file).mode & 0o777).toString(8), file).toBe("600");
  }
}

/** A service that tells everybody what it was sent: a debugging proxy, or AWS explaining a wrong signature. */
function echo(answer: (headers: string) => ScriptedAnswer): Script {
  return ({ route, headers }) =>
    route.startsWith("Imds")
      ? undefined
      : answer(
          Object.entries(headers)
            .map(([name, value]) => `${name}:${value}`)
            .join("\n"),
        );
}

const FAILURES: Record<string, Script> = {
  "AWS explains a wrong signature": echo((headers) => ({
    error: {
      name: "InvalidSignatureException",
      status: 403,
      message: `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/model\n\n${headers}'`,
    },
  })),
  "AWS denies, naming what it saw": echo((headers) => ({
    error: {
      name: "AccessDeniedException",
      status: 403,
      message: `Denied: ${headers.replaceAll("\n", " ")}`,
    },
  })),
  "the request is refused, naming what was sent": echo((headers) => ({
    error: { name: "ValidationException", status: 400, message: `Unexpected headers ${headers}` },
  })),
  "a debugging proxy answers": echo((headers) => ({
    http: { status: 503, headers: { "content-type": "application/json" }, body: { message: headers } },
  })),
};

/** Where credentials can be, each with secrets of its own. */
const SOURCES: Record<string, (options?: EmulatorOptions) => Promise<Setup>> = {
  "keys in the environment": async (options = {}) => {
    const keys = { secretAccessKey: secret("env"), sessionToken: secret("token") };
    const user = await emulate({ ...options, accessKeys: { [KEY_ID]: keys } });
    return {
      user,
      env: {
        AWS_ACCESS_KEY_ID: KEY_ID,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_SESSION_TOKEN: keys.sessionToken,
      },
    };
  },
  "a Bedrock API key": async (options = {}) => {
    const token = `ABSK${secret("bearer")}`;
    const user = await emulate({ ...options, bearerTokens: [token] });
    return { user, env: { AWS_BEARER_TOKEN_BEDROCK: token } };
  },
  "a profile": async (options = {}) => {
    const keys = { secretAccessKey: secret("profile"), sessionToken: secret("token") };
    const user = await emulate({ ...options, accessKeys: { [KEY_ID]: keys } });
    writeSharedFiles(user.home, {
      credentials: `[dev]\naws_access_key_id = ${KEY_ID}\naws_secret_access_key = ${keys.secretAccessKey}\naws_session_token = ${keys.sessionToken}\n`,
    });
    return { user, env: { ...NO_KEYS, AWS_PROFILE: "dev" } };
  },
  "a credential_process": async (options = {}) => {
    const keys = { secretAccessKey: secret("process"), sessionToken: secret("token") };
    const user = await emulate({ ...options, accessKeys: { [KEY_ID]: keys } });
    const output = JSON.stringify({
      Version: 1,
      AccessKeyId: KEY_ID,
      SecretAccessKey: keys.secretAccessKey,
      SessionToken: keys.sessionToken,
    });
    writeSharedFiles(user.home, {
      config: `[profile dev]\ncredential_process = ${program(user.home, `echo '${output}'; echo "debug ${secret("stderr")}" >&2`)} --password ${secret("argument")}\n`,
    });
    return { user, env: { ...NO_KEYS, AWS_PROFILE: "dev" } };
  },
  "the role of an instance": async (options = {}) => {
    const imds = {
      accessKeyId: KEY_ID.replace("AKIA", "ASIA"),
      secretAccessKey: secret("imds"),
      sessionToken: secret("token"),
    };
    const user = await emulate({ ...options, imds });
    return {
      user,
      env: {
        ...NO_KEYS,
        AWS_EC2_METADATA_DISABLED: undefined,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: user.emulator.url,
      },
    };
  },
  "a container": async (options = {}) => {
    const identity = await startIdentityServer();
    const keys = { secretAccessKey: secret("container"), sessionToken: secret("token") };
    identity.answer("ContainerCredentials", {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        AccessKeyId: KEY_ID,
        SecretAccessKey: keys.secretAccessKey,
        Token: keys.sessionToken,
        Expiration: "2099-01-01T00:00:00Z",
      }),
    });
    const user = await emulate({ ...options, accessKeys: { [KEY_ID]: keys } });
    return {
      user,
      env: {
        ...NO_KEYS,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${identity.url}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: secret("authorization"),
      },
    };
  },
};

const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

function program(home: string, text: string): string {
  const file = path.join(home, "credentials.sh");
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("no secret of anybody is printed or written, whatever is run", () => {
  it.each(Object.keys(SOURCES))(
    "with %s",
    async (source) => {
      const setup = await SOURCES[source]?.();
      if (!setup) throw new Error(source);
      setup.user.configure(CONFIG());
      const results = await runAll(setup);
      for (const [command, { code, stderr }] of results) expect(code, `${command}\n${stderr}`).toBe(0);
      expectNoLeak(setup, results);
    },
    60_000,
  );

  it.each(
    // A failure repeats what is sent, and that is of two kinds; the other sources differ in how they know a secret.
    Object.keys(SOURCES).flatMap((source, index) =>
      (index < 2 ? Object.keys(FAILURES) : ["AWS denies, naming what it saw"]).map(
        (failure) => [source, failure] as const,
      ),
    ),
  )(
    "with %s when %s",
    async (source, failure) => {
      const script = FAILURES[failure];
      const setup = script && (await SOURCES[source]?.({ script }));
      if (!setup) throw new Error(source);
      setup.user.configure(CONFIG());
      const env = { ...setup.env, AWS_MAX_ATTEMPTS: "1" };
      const results = await runAll({ ...setup, env }, FAILING);
      expect([...results.values()].filter(({ code }) => code !== 0).length).toBeGreaterThan(3);
      expectNoLeak(setup, results);
    },
    60_000,
  );
});

describe("nor where credentials cannot be had", () => {
  const without = async (config: string, text: string) => {
    const user = await emulate();
    user.configure(CONFIG());
    writeSharedFiles(user.home, { config: config.replace("PROGRAM", program(user.home, text)) });
    const setup = { user, env: { ...NO_KEYS, AWS_PROFILE: "dev" } };
    const results = await runAll(setup, FAILING);
    expectNoLeak(setup, results);
    expect(results.get("chat --json hi")?.code).toBe(4);
  };
  const PROCESS = `[profile dev]\ncredential_process = PROGRAM --token ${secret("argument")}\n`;
  const KEYS = (): string => `{"Version":1,"AccessKeyId":"${KEY_ID}","SecretAccessKey":"${secret("output")}"`;

  it.each<[string, string]>([
    [
      "fails and prints what it knows",
      `echo '${KEYS()}}'; echo 'cannot decrypt ${secret("stderr")}' >&2; exit 3`,
    ],
    ["prints half of its JSON", `printf '%s' '${KEYS()}'`],
    ["prints keys that have expired", `echo '${KEYS()},"Expiration":"2020-01-01T00:00:00Z"}'`],
    ["prints JSON of an unknown version", `echo '${KEYS().replace('"Version":1', '"Version":7')}}'`],
    ["prints no key id", `echo '{"Version":1,"SecretAccessKey":"${secret("output")}"}'`],
  ])("because credential_process %s", (_, text) => without(PROCESS, text), 60_000);

  it("because STS refuses a role, naming what it was sent", async () => {
    const identity = await startIdentityServer();
    const keys = { id: KEY_ID, secret: secret("base"), token: secret("token") };
    identity.answer("AssumeRole", {
      status: 403,
      headers: { "content-type": "text/xml" },
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>The Canonical String for this request should have been 'POST x-amz-security-token:${keys.token} ${keys.id}' ${keys.secret}</Message></Error></ErrorResponse>`,
    });
    const user = await emulate();
    user.configure(CONFIG());
    writeSharedFiles(user.home, {
      config: "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = base\n",
      credentials: `[base]\naws_access_key_id = ${keys.id}\naws_secret_access_key = ${keys.secret}\naws_session_token = ${keys.token}\n`,
    });
    const setup = { user, env: { ...NO_KEYS, AWS_PROFILE: "dev", AWS_ENDPOINT_URL_STS: identity.url } };
    const results = await runAll(setup, FAILING);
    expectNoLeak(setup, results);
    expect(results.get("chat --json hi")?.code).toBe(4);
  }, 60_000);

  it("because the sign-in to IAM Identity Center is over", async () => {
    const user = await emulate();
    user.configure(CONFIG());
    writeSharedFiles(user.home, {
      config:
        "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = R\n" +
        "[sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n",
    });
    await writeSsoToken(user.home, "corp", {
      accessToken: secret("sso"),
      refreshToken: secret("refresh"),
      clientId: "id",
      clientSecret: secret("client"),
      expiresAt: "2020-01-01T00:00:00Z",
      startUrl: "https://corp.example/start",
      region: "us-east-1",
    });
    const setup = { user, env: { ...NO_KEYS, AWS_PROFILE: "dev" } };
    const results = await runAll(setup, FAILING);
    expectNoLeak(setup, results);
    expect(results.get("chat --json hi")?.code).toBe(4);
  }, 60_000);
});

describe("nor where they travel", () => {
  it("in the name of a proxy, that lets through or is not there", async () => {
    const user = await emulate();
    user.configure(CONFIG());
    const network = await createAwsNetwork(user);
    const password = secret("proxy");
    const proxies = [network.env["HTTPS_PROXY"], "http://127.0.0.1:1"].map((proxy) =>
      proxy?.replace("//", `//me:${encodeURIComponent(password)}@`),
    );
    for (const HTTPS_PROXY of proxies) {
      const setup = { user, env: { ...network.env, HTTPS_PROXY, AWS_MAX_ATTEMPTS: "1" } };
      const results = await runAll(setup, FAILING);
      expectNoLeak(setup, results);
    }
    expect(network.logins).toContain(`me:${password}`);
  }, 60_000);

  it("in the URL of an endpoint", async () => {
    const user = await emulate();
    user.configure(CONFIG());
    const password = secret("endpoint");
    const url = (user.env["AWS_ENDPOINT_URL"] ?? "").replace("//", `//me:${encodeURIComponent(password)}@`);
    for (const env of [
      { AWS_ENDPOINT_URL: url },
      // With a slash in it, it is no URL.
      { AWS_ENDPOINT_URL: url.replace(encodeURIComponent(password), `a/${password}`) },
      { AWS_ENDPOINT_URL: url.replace(/:\d+$/, ":1"), AWS_MAX_ATTEMPTS: "1" },
    ]) {
      const setup = { user, env };
      const results = await runAll(setup, FAILING);
      expectNoLeak(setup, results);
    }
  }, 60_000);

  it.each(["hunter2", `${MARK}planted/pass word+1`, "pw"])(
    "in the address, headers and query of another provider that repeats them: %s",
    async (password) => {
      const user = await emulate();
      const key = secret("header");
      const query = secret("query");
      const login = Buffer.from(`me:${password}`).toString("base64");
      const server = createServer((request, response) => {
        const { host = "", authorization = "" } = request.headers;
        const told = [
          JSON.stringify(request.headers),
          `http://me:${encodeURIComponent(password)}@${host}${request.url}`,
          authorization,
          authorization.replace(/=+$/, ""),
          `user me with '${password}' is unknown`,
          Buffer.from(key).toString("base64"),
          encodeURIComponent(key),
        ];
        response.writeHead(400, {
          "content-type": "application/json",
          "x-request-id": authorization.split(" ").at(-1),
          location: `http://me:${encodeURIComponent(password)}@${host}/${key}`,
        });
        response.end(JSON.stringify({ error: { message: told.join(" | ") } }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      user.configure(
        JSON.stringify({
          models: {
            providers: {
              other: {
                baseUrl: `http://me:${encodeURIComponent(password)}@127.0.0.1:${port}/v1?code=${encodeURIComponent(query)}`,
                headers: { "x-trace": key, "x-api-key": "k3y" },
              },
            },
          },
        }),
      );
      const commands = [
        ["chat", "-m", "other/some-model", "hi"],
        ["chat", "--json", "-m", "other/some-model", "hi"],
        ["models", "list", "--provider", "other", "--refresh"],
        ["doctor", "--json"],
      ];
      const results = await runAll({ user, env: {} }, commands);
      for (const [command, { stdout, stderr }] of results) {
        const said = stdout + stderr;
        expect(leaksIn(said), command).toEqual([]);
        for (const form of [password, encodeURIComponent(password), login.replace(/=+$/, ""), "k3y"]) {
          // A short one may well be part of a word.
          expect(said, command).not.toMatch(
            new RegExp(`(?<!\\w)${form.replaceAll(/[^\w\s]/g, "\\$&")}(?!\\w)`),
          );
        }
      }
      expect(results.get(commands[0]?.join(" ") ?? "")?.stderr).toContain("refuses the request");
    },
    60_000,
  );

  it("in a configuration that cannot be read, shown with the place of its error", async () => {
    const home = createHome();
    const folder = path.join(home, ".openclaw");
    mkdirSync(folder, { mode: 0o700 });
    const broken = CONFIG().replace('"agents"', '"agents" oops');
    for (const text of [
      broken,
      CONFIG().slice(0, -1),
      CONFIG().replaceAll('"', "'").replace("apiKey'", "apiKey"),
    ]) {
      writeFileSync(path.join(folder, "openclaw.json"), text, { mode: 0o600 });
      for (const args of [...COMMANDS, ["config", "patch", "--file", "openclaw.json"]]) {
        const { stdout, stderr } = await openclaw([...args, "--verbose"], home);
        expect([...leaksIn(stdout), ...leaksIn(stderr)], args.join(" ")).toEqual([]);
      }
    }
  }, 60_000);
});
