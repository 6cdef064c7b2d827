import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CacheArguments, cacheFileFor } from "../../src/credentials/cli-cache.ts";
import { decideCredentials } from "../../src/credentials/order.ts";
import { buildAuthentication } from "../../src/credentials/provider.ts";
import { loadSharedConfig } from "../../src/credentials/shared-config.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { emulate } from "../helpers/emulated.ts";
import { type IdentityServer, startIdentityServer, stsError } from "../helpers/identity-server.ts";
import { binary, createHome, emptyEnvironment, nodeBinary } from "../helpers/openclaw.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";
import { testRuntime, useEnvironment } from "../helpers/test-runtime.ts";

const BASE = "[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = base-secret\n";
const ROLE = "arn:aws:iam::123456789012:role/Dev";
const CONFIG =
  `[profile dev]\nrole_arn = ${ROLE}\nsource_profile = base\n` +
  `[profile "all of it"]\nrole_arn = ${ROLE}\nsource_profile = base\nrole_session_name = jürgen\nexternal_id = "a/😂"\n` +
  "mfa_serial = arn:aws:iam::123456789012:mfa/me\nduration_seconds = 3_600\n" +
  `[profile outer]\nrole_arn = arn:aws:iam::123456789012:role/Outer\nsource_profile = dev\n` +
  `[profile web]\nrole_arn = ${ROLE}\nweb_identity_token_file = HOME/token\nrole_session_name = web\n` +
  "[sso-session 'my corp']\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n" +
  "[profile sso]\nsso_session = my corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n" +
  "[profile old]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-3\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
const ALL = ["dev", "all of it", "outer", "web", "sso", "old"];
const SOON = 3_600_000;

/** A machine with the profiles above; the variables are for this program and for Python alike. */
async function prepare(identity: IdentityServer): Promise<{ home: string; env: Record<string, string> }> {
  const home = createHome();
  writeSharedFiles(home, { config: CONFIG.replace("HOME", home), credentials: BASE });
  writeFileSync(path.join(home, "token"), "web-token");
  for (const name of ["my corp", "https://corp.awsapps.com/start"]) {
    await writeSsoToken(home, name, {
      accessToken: "sso-token",
      expiresAt: new Date(Date.now() + SOON).toISOString(),
    });
  }
  const env = {
    HOME: home,
    AWS_ENDPOINT_URL_STS: identity.url,
    AWS_ENDPOINT_URL_SSO: identity.url,
    AWS_DEFAULT_REGION: "eu-central-1",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  return { home, env };
}

interface Machine {
  home: string;
  env: Record<string, string>;
}

/** Resolves a profile as this program does. */
async function resolve(
  { home, env }: Machine,
  profile: string,
  options: { keepsRoles?: boolean; now?: number } = {},
) {
  const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  stdin.isTTY = true;
  stdin.write("123456\n");
  const variables = { ...env, AWS_PROFILE: profile };
  useEnvironment({ ...variables, PATH: process.env["PATH"] ?? "" });
  const { now } = options;
  const runtime = testRuntime({
    env: variables,
    home,
    stdin,
    // Where a person is asked; a spinner would come up otherwise.
    isTTY: profile === "all of it",
    ...(now === undefined ? {} : { now: () => now }),
  });
  const verbose: string[] = [];
  runtime.terminal.verbose = (line) => void verbose.push(line());
  const decision = decideCredentials({ env: variables, shared: await loadSharedConfig(variables, home) });
  const authentication = await buildAuthentication(decision, {
    runtime,
    ...(options.keepsRoles === undefined ? {} : { keepsRoles: options.keepsRoles }),
  });
  if (authentication.kind !== "credentials") throw new Error("no credentials");
  return { identity: await authentication.credentials(), authentication, verbose, runtime };
}

/** Resolves profiles as the AWS CLI does: botocore's session, with the cache that the AWS CLI gives it. */
const AWS_CLI = `
import json, os, sys
import botocore.session
from awscli.customizations.assumerole import CACHE_DIR, inject_assume_role_provider_cache
from botocore.utils import JSONFileCache
def resolve(profile):
    os.environ["AWS_PROFILE"] = profile
    session = botocore.session.Session()
    inject_assume_role_provider_cache(session)
    chain = session.get_component("credential_provider")
    # Version 2 keeps what IAM Identity Center gives, too.
    chain.get_provider("sso").cache = JSONFileCache(CACHE_DIR)
    chain.get_provider("assume-role")._prompter = lambda prompt: "123456"
    keys = session.get_credentials().get_frozen_credentials()
    return {"accessKeyId": keys.access_key, "secretAccessKey": keys.secret_key, "sessionToken": keys.token}
print(json.dumps([resolve(profile) for profile in json.load(sys.stdin)]))
`;

const cacheOf = (home: string): string => path.join(home, ".aws", "cli", "cache");
const filesOf = (home: string): string[] =>
  existsSync(cacheOf(home)) ? readdirSync(cacheOf(home)).toSorted() : [];
const actionsOf = ({ calls }: IdentityServer): string[] => calls.map(({ action }) => action);

describe("the name of a file in the AWS CLI's cache", () => {
  it("is that of the facts", async () => {
    expect(await cacheFileFor({ RoleArn: ROLE }, "/home/me")).toBe(
      "/home/me/.aws/cli/cache/2bb38c5db97ed7ea85d819b0a043df7bd7b4363a.json",
    );
  });

  it("is botocore's, whatever the arguments hold", async (context) => {
    needBotocore(context);
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
    const role = fc.record(
      {
        RoleArn: text,
        RoleSessionName: text,
        ExternalId: text,
        SerialNumber: text,
        DurationSeconds: fc.integer({ min: 0, max: 43_200 }),
      },
      { requiredKeys: ["RoleArn"] },
    );
    const session = fc.record({ accountId: text, roleName: text, sessionName: text });
    const legacy = fc.record({ accountId: text, roleName: text, startUrl: text });
    const calls = fc.sample(fc.oneof(role, session, legacy), 500) as CacheArguments[];
    const theirs = await askPython(
      `
import json, sys
from botocore.credentials import AssumeRoleCredentialFetcher, SSOCredentialFetcher
def name(call):
    if "RoleArn" in call:
        extra = {key: value for key, value in call.items() if key != "RoleArn"}
        return AssumeRoleCredentialFetcher(None, None, call["RoleArn"], extra)._cache_key
    return SSOCredentialFetcher(call.get("startUrl"), "x", call["roleName"], call["accountId"], None,
        sso_session_name=call.get("sessionName"))._cache_key
print(json.dumps([name(call) for call in json.load(sys.stdin)]))`,
      calls,
    );
    const ours = await Promise.all(calls.map((call) => cacheFileFor(call, "/")));
    expect(ours.map((file) => path.basename(file, ".json"))).toEqual(theirs);
  });
});

describe("what a role gives", () => {
  it.each(ALL)("is asked for once, and kept for this user only: %s", async (profile) => {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const first = await resolve(machine, profile);
    const asked = identity.calls.length;
    expect(asked).toBe(profile === "outer" ? 2 : 1);
    const second = await resolve(machine, profile);
    expect(identity.calls).toHaveLength(asked);
    const { accessKeyId, secretAccessKey, sessionToken, accountId } = first.identity;
    expect(second.identity).toEqual({
      accessKeyId,
      secretAccessKey,
      sessionToken,
      accountId,
      expiration: new Date(Math.floor(Number(first.identity.expiration) / 1000) * 1000),
      cacheFile: expect.stringMatching(/^\/.*\/\.aws\/cli\/cache\/[0-9a-f]{40}\.json$/),
    });
    expect(accountId).toBe("123456789012");
    expect(second.runtime.stderr()).toBe("");
    expect(filesOf(machine.home)).toHaveLength(asked);
    expect(statSync(cacheOf(machine.home)).mode & 0o777).toBe(0o700);
    for (const file of filesOf(machine.home))
      expect(statSync(path.join(cacheOf(machine.home), file)).mode & 0o777).toBe(0o600);
    const used = second.verbose.filter((line) => line.startsWith("credentials resolved"));
    expect(used).toEqual([expect.stringContaining(String(second.identity.cacheFile))]);
  });

  it("by this program is used by the AWS CLI", async (context) => {
    needBotocore(context);
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const ours = [];
    for (const profile of ALL) {
      const { accessKeyId, secretAccessKey, sessionToken } = (await resolve(machine, profile)).identity;
      ours.push({ accessKeyId, secretAccessKey, sessionToken });
    }
    const asked = identity.calls.length;
    expect(await askPython(AWS_CLI, ALL, machine.env)).toEqual(ours);
    expect(identity.calls).toHaveLength(asked);
  });

  it("by the AWS CLI is used by this program", async (context) => {
    needBotocore(context);
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const theirs = (await askPython(AWS_CLI, ALL, machine.env)) as object[];
    const asked = identity.calls.length;
    expect(asked).toBe(ALL.length);
    for (const [index, profile] of ALL.entries())
      expect((await resolve(machine, profile)).identity).toMatchObject(theirs[index] ?? {});
    expect(identity.calls).toHaveLength(asked);
  });

  it("stands with the names of AWS and nothing else", async () => {
    const machine = await prepare(await startIdentityServer());
    await resolve(machine, "all of it");
    const [file = ""] = filesOf(machine.home);
    const text = readFileSync(path.join(cacheOf(machine.home), file), "utf8");
    expect(JSON.parse(text)).toEqual({
      AssumedRoleUser: { Arn: "arn:aws:sts::123456789012:assumed-role/R/S", AssumedRoleId: "AROA:S" },
      Credentials: {
        AccessKeyId: "ASIASTSROLE000000001",
        SecretAccessKey: "secret",
        SessionToken: "token",
        Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        AccountId: "123456789012",
      },
    });
  });

  it("is neither read nor kept where the setting says so", async () => {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    for (const _ of [1, 2]) await resolve(machine, "dev", { keepsRoles: false });
    expect(actionsOf(identity)).toEqual(["AssumeRole", "AssumeRole"]);
    expect(filesOf(machine.home)).toEqual([]);
    await resolve(machine, "dev");
    await resolve(machine, "dev", { keepsRoles: false });
    expect(identity.calls).toHaveLength(4);
  });

  it.each<[string, (place: string) => void]>([
    ["a file is in its place", (place) => writeFileSync(place, "a file")],
    ["a link leads nowhere", (place) => symlinkSync("/nowhere/cli", place)],
    ["a link leads to where nobody can write", (place) => symlinkSync("/sys", place)],
    ["a link leads to itself", (place) => symlinkSync(place, place)],
  ])("does without a cache where none can be made: %s", async (_, put) => {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    put(path.join(machine.home, ".aws", "cli"));
    const { identity: given, verbose, runtime } = await resolve(machine, "dev");
    expect(given.accessKeyId).toBe("ASIASTSROLE000000001");
    expect(verbose).toContainEqual(expect.stringContaining("cannot be written (E"));
    expect(runtime.stderr()).toBe("");
  });

  it("is kept where a link leads, for a folder may be anywhere", async () => {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const elsewhere = path.join(machine.home, "elsewhere");
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, path.join(machine.home, ".aws", "cli"));
    for (const _ of [1, 2]) await resolve(machine, "dev");
    expect(identity.calls).toHaveLength(1);
    expect(readdirSync(path.join(elsewhere, "cache"))).toEqual(filesOf(machine.home));
  });

  it("is kept whole by many at once", async () => {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const user = { ...machine.env, AWS_PROFILE: "dev" };
    useEnvironment({ ...user, PATH: process.env["PATH"] ?? "" });
    const decision = decideCredentials({ env: user, shared: await loadSharedConfig(user, machine.home) });
    const all = Array.from({ length: 8 }, async () => {
      const runtime = testRuntime({ env: user, home: machine.home });
      const authentication = await buildAuthentication(decision, { runtime });
      return authentication.kind === "credentials" && (await authentication.credentials()).accessKeyId;
    });
    expect(new Set(await Promise.all(all))).toEqual(new Set(["ASIASTSROLE000000001"]));
    expect(filesOf(machine.home)).toHaveLength(1);
    expect((await resolve(machine, "dev")).identity.cacheFile).toBeDefined();
  });
});

describe("a file of the cache", () => {
  const entry = (fields: object = {}): string =>
    JSON.stringify({
      Credentials: {
        AccessKeyId: "ASIAKEPT000000000001",
        SecretAccessKey: "kept",
        SessionToken: "kept-token",
        Expiration: new Date(Date.now() + SOON).toISOString(),
        ...fields,
      },
    });

  /** A machine in whose cache something stands for the role `dev`. */
  async function keeping(put: (file: string, home: string) => void) {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const file = await cacheFileFor({ RoleArn: ROLE }, machine.home);
    mkdirSync(path.dirname(file), { recursive: true });
    put(file, machine.home);
    return { identity, machine, file };
  }
  const write =
    (text: string, mode = 0o600) =>
    (file: string): void => {
      writeFileSync(file, text);
      chmodSync(file, mode);
    };
  const at = (ms: number): Date => new Date(Math.floor((Date.now() + ms) / 1000) * 1000);
  const bare = (date: Date): string => date.toISOString().slice(0, 19);

  it.each<[string, (date: Date) => string]>([
    ["Z", (date) => `${bare(date)}Z`],
    ["milliseconds", (date) => date.toISOString()],
    ["microseconds", (date) => `${bare(date)}.123456+00:00`],
    ["+00:00", (date) => `${bare(date)}+00:00`],
    ["UTC", (date) => `${bare(date)}UTC`],
    ["another zone", (date) => `${bare(new Date(date.getTime() + 7_200_000))}+02:00`],
    ["a zone without colon", (date) => `${bare(new Date(date.getTime() - 5_400_000))}-0130`],
  ])("counts with an expiry written with %s", async (_, expiry) => {
    const date = at(SOON);
    const { machine, identity } = await keeping(write(entry({ Expiration: expiry(date) })));
    const { identity: given } = await resolve(machine, "dev");
    expect(given.accessKeyId).toBe("ASIAKEPT000000000001");
    expect(Math.floor(Number(given.expiration) / 1000)).toBe(date.getTime() / 1000);
    expect(identity.calls).toEqual([]);
  });

  it("counts while 15 minutes are left, and not after", async () => {
    const { machine, identity } = await keeping(write(entry({ Expiration: at(SOON).toISOString() })));
    const ends = at(SOON).getTime();
    await resolve(machine, "dev", { now: ends - 16 * 60_000 });
    expect(identity.calls).toHaveLength(0);
    const { verbose } = await resolve(machine, "dev", { now: ends - 14 * 60_000 });
    expect(actionsOf(identity)).toEqual(["AssumeRole"]);
    expect(verbose.filter((line) => line.includes("not used"))).toEqual([]);
  });

  it.each<[string, (file: string, home: string) => void, RegExp]>([
    ["that the group may read", write(entry(), 0o640), /others may read or change it/],
    ["that others may read", write(entry(), 0o604), /others may read or change it/],
    ["that others may write", write(entry(), 0o602), /others may read or change it/],
    [
      "that is a link",
      (file, home) => {
        write(entry())(path.join(home, "elsewhere"));
        symlinkSync(path.join(home, "elsewhere"), file);
      },
      /it is a link/,
    ],
    [
      "that is a pipe",
      (file) => execFileSync("mkfifo", ["-m", "600", file]),
      /a pipe \(FIFO\), and a regular file is expected/,
    ],
    ["that is empty", write(""), /not JSON/],
    ["that is torn", write(entry().slice(0, 60)), /not JSON/],
    ["that is a list", write("[]"), /not hold whole credentials/],
    ["of another shape", write('{"Credentials":"x"}'), /not hold whole credentials/],
    ["without token", write(entry({ SessionToken: undefined })), /not hold whole credentials/],
    ["with an empty key", write(entry({ AccessKeyId: "" })), /not hold whole credentials/],
    ["with a line break in the token", write(entry({ SessionToken: "a\nb" })), /not hold whole credentials/],
    ["with a number for a secret", write(entry({ SecretAccessKey: 1 })), /not hold whole credentials/],
    ["without expiry", write(entry({ Expiration: undefined })), /not hold whole credentials/],
    ["with an expiry that is none", write(entry({ Expiration: "soon" })), /not hold whole credentials/],
    ["with an expiry without zone", write(entry({ Expiration: "2099-01-01T00:00:00" })), /not hold whole/],
    ["that is too large", write(`${entry()}${" ".repeat(70_000)}`), /more than 65536 bytes/],
  ])("%s is passed over and written anew", async (_, put, reason) => {
    const { machine, identity, file } = await keeping(put);
    const { identity: given, verbose } = await resolve(machine, "dev");
    expect(given.accessKeyId).toBe("ASIASTSROLE000000001");
    expect(actionsOf(identity)).toEqual(["AssumeRole"]);
    expect(verbose.filter((line) => line.includes("is not used"))).toEqual([expect.stringMatching(reason)]);
    expect(verbose.join()).not.toMatch(/kept-token/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await resolve(machine, "dev")).identity.accessKeyId).toBe("ASIASTSROLE000000001");
    expect(identity.calls).toHaveLength(1);
  });

  it("that is another user's is passed over, and so is their folder", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root can give a file away");
    const { machine, identity, file } = await keeping((kept) => {
      write(entry())(kept);
      chownSync(kept, 12_345, 12_345);
    });
    const first = await resolve(machine, "dev");
    expect(first.verbose).toContainEqual(expect.stringContaining("it belongs to another user"));
    expect(actionsOf(identity)).toEqual(["AssumeRole"]);
    rmSync(file);
    chownSync(path.dirname(file), 12_345, 12_345);
    const second = await resolve(machine, "dev");
    expect(second.verbose).toContainEqual(expect.stringContaining("nothing is kept there"));
    expect(existsSync(file)).toBe(false);
  });

  it("of a role that assumes another is dropped when STS rejects it, and asked for anew once", async () => {
    const identity = await startIdentityServer();
    const machine = await prepare(identity);
    const file = await cacheFileFor({ RoleArn: ROLE }, machine.home);
    mkdirSync(path.dirname(file), { recursive: true });
    write(entry())(file);
    identity.answer(
      "AssumeRole",
      stsError("ExpiredToken", "The security token included in the request is expired"),
    );
    await expect(resolve(machine, "outer")).rejects.toMatchObject({ code: "credentials-expired" });
    expect(identity.calls.map(({ signedBy }) => signedBy)).toEqual([
      "ASIAKEPT000000000001",
      "AKIABASE000000000001",
    ]);
    expect(existsSync(file)).toBe(false);
  });

  it("that AWS has rejected gives way to what another process has got meanwhile", async () => {
    const { machine, identity, file } = await keeping(write(entry()));
    const { authentication } = await resolve(machine, "dev");
    write(entry({ AccessKeyId: "ASIAOTHER00000000001" }))(`${file}.new`);
    renameSync(`${file}.new`, file);
    expect(await authentication.credentials({ forceRefresh: true })).toMatchObject({
      accessKeyId: "ASIAOTHER00000000001",
    });
    expect(identity.calls).toEqual([]);
    expect(await authentication.credentials({ forceRefresh: true })).toMatchObject({
      accessKeyId: "ASIASTSROLE000000001",
    });
    expect(actionsOf(identity)).toEqual(["AssumeRole"]);
  });
});

describe("commands with a role", () => {
  async function user() {
    const temporary = { secretAccessKey: "kept", sessionToken: "kept-token" };
    const emulated = await emulate({
      accessKeys: {
        ASIAKEPT000000000001: temporary,
        ASIASTSROLE000000001: { secretAccessKey: "secret", sessionToken: "token" },
      },
      script: ({ route, accessKeyId }) =>
        route === "ListFoundationModels" && accessKeyId === rejected
          ? {
              error: {
                name: "UnrecognizedClientException",
                message: "The security token included in the request is invalid.",
                status: 403,
              },
            }
          : undefined,
    });
    let rejected: string | undefined;
    const identity = await startIdentityServer();
    writeSharedFiles(emulated.home, { config: CONFIG.replace("HOME", emulated.home), credentials: BASE });
    const env = {
      ...emulated.env,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: "dev",
      AWS_ENDPOINT_URL_STS: identity.url,
    };
    return { emulated, identity, env, reject: (id: string) => void (rejected = id) };
  }

  it("ask STS once in a day's work", async () => {
    const { emulated, identity, env } = await user();
    for (const args of [
      ["models", "list", "--refresh"],
      ["chat", "-m", "amazon.nova-lite-v1:0", "hi"],
      ["models", "list", "--refresh"],
    ])
      expect((await emulated.run(args, { env })).code).toBe(0);
    expect(actionsOf(identity)).toEqual(["AssumeRole"]);
  });

  it("drop what AWS does not know any more, and ask once", async () => {
    const { emulated, identity, env, reject } = await user();
    reject("ASIAKEPT000000000001");
    const file = await cacheFileFor({ RoleArn: ROLE }, emulated.home);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(
      file,
      JSON.stringify({
        Credentials: {
          AccessKeyId: "ASIAKEPT000000000001",
          SecretAccessKey: "kept",
          SessionToken: "kept-token",
          Expiration: new Date(Date.now() + SOON).toISOString(),
        },
      }),
      { mode: 0o600 },
    );
    expect((await emulated.run(["models", "list", "--refresh"], { env })).code).toBe(0);
    expect(actionsOf(identity)).toEqual(["AssumeRole"]);
    expect(readFileSync(file, "utf8")).toContain("ASIASTSROLE000000001");
  });

  it("may be several at once", async () => {
    const { emulated, identity, env } = await user();
    const runs = await Promise.all(
      [1, 2, 3].map(() => emulated.run(["models", "list", "--refresh"], { env, isAlone: true })),
    );
    for (const { code, stderr } of runs) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const asked = identity.calls.length;
    // No more than the one file, and nothing beside it.
    expect(filesOf(emulated.home)).toEqual([expect.stringMatching(/^[0-9a-f]{40}\.json$/)]);
    expect((await emulated.run(["models", "list", "--refresh"], { env })).code).toBe(0);
    expect(identity.calls).toHaveLength(asked);
  });

  it("work where the disk takes nothing more, and leave nothing half there", async () => {
    const { emulated, env } = await user();
    const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
    // The limit of a file's size makes each write fail, as a full disk does; what is printed goes into a pipe.
    const { stdout: printed } = await promisify(execFile)(
      "/bin/sh",
      [
        "-c",
        'ulimit -f 0; exec "$@" 2>&1 </dev/null',
        "sh",
        nodeBinary,
        binary,
        "chat",
        "-m",
        "amazon.nova-lite-v1:0",
        "hi",
        "--verbose",
      ],
      { env: emptyEnvironment(emulated.home, given) },
    );
    expect(printed).toContain("simulated answer");
    expect(printed).toMatch(/\.aws\/cli\/cache\/[0-9a-f]{40}\.json cannot be written \(E\w+\)/);
    expect(filesOf(emulated.home)).toEqual([]);
  });

  it("leave the cache alone where credentials.cache is false", async () => {
    const { emulated, identity, env } = await user();
    emulated.configure("{ credentials: { cache: false } }");
    for (const _ of [1, 2])
      expect((await emulated.run(["models", "list", "--refresh"], { env })).code).toBe(0);
    expect(identity.calls).toHaveLength(2);
    expect(filesOf(emulated.home)).toEqual([]);
  });
});
