import { readFile } from "node:fs/promises";
import type { AwsCredentialIdentity, Logger } from "@smithy/types";
import { decideEndpoint, legacyStsEndpoint, plainEndpoint } from "../aws/endpoint.ts";
import { OpenclawError } from "../errors.ts";
import { type JsonObject, withoutUndefined } from "../json.ts";
import { ConnectionsAhead } from "../network/connections-ahead.ts";
import { createRequestHandler, type HandlerOptions } from "../network/request-handler.ts";
import type { Runtime } from "../runtime.ts";
import { askMfaCode } from "./ask-mfa-code.ts";
import {
  type CacheArguments,
  cacheFileFor,
  dropCached,
  type Identity,
  readCached,
  writeCached,
} from "./cli-cache.ts";
import { runCredentialProcess } from "./credential-process.ts";
import type { Deadline } from "./deadline.ts";
import type { CredentialSource, ProfileSource, RoleBase } from "./profile-source.ts";
import { REJECTED } from "./refreshing.ts";
import { ASKED } from "./resolution-error.ts";
import { type Keys, profileInForce, type SharedConfig } from "./shared-config.ts";

export interface ProfileContext {
  readonly runtime: Runtime;
  readonly shared: SharedConfig;
  /** The active profile, whose region and endpoint are those of STS. */
  readonly profileName: string;
  /** Region of STS calls, where neither the environment nor the profile names one. */
  readonly region: string | undefined;
  /** Whether what roles give is kept in the AWS CLI's cache. */
  readonly keepsRoles: boolean;
  /** AWS_ROLE_SESSION_NAME, where the environment has a say. */
  readonly sessionName: string | undefined;
  readonly deadline: Deadline;
  readonly handling: HandlerOptions;
  /** What `credential_source` names. */
  readonly named: Readonly<Record<CredentialSource, (profile: string) => Promise<AwsCredentialIdentity>>>;
}

/** Time for an HTTP request to STS or IAM Identity Center, in ms. */
const REQUEST_MS = 5000;

type SourceOf<Kind extends ProfileSource["kind"]> = Extract<ProfileSource, { kind: Kind }>;

/**
 * Resolves what a profile takes its credentials from, and nothing else. What roles give is read from the AWS CLI's cache
 * and kept there; credentials equal to `rejected` are asked for anew. Throws what the services and the SDK throw.
 */
export async function resolveSource(
  source: ProfileSource,
  context: ProfileContext,
  rejected?: AwsCredentialIdentity,
): Promise<Identity> {
  const { shared, runtime } = context;
  const keys = shared.profiles.get(source.profile)?.keys ?? {};
  switch (source.kind) {
    case "static":
      return staticKeys(keys);
    case "assume-role":
      return assumeRole(source, keys, context, rejected);
    case "web-identity": {
      const { roleArn, tokenFile } = source;
      const sessionName = context.sessionName ?? keys["role_session_name"];
      return assumeWithWebIdentity({ roleArn, tokenFile, sessionName }, context, rejected);
    }
    case "process":
      return runCredentialProcess(source, keys, runtime, context.deadline.signal);
    case "sso":
      return signInOnce(source, keys, context, rejected);
    case "login": {
      const { fromLoginCredentials } = await import("@aws-sdk/credential-providers");
      return fromLoginCredentials(await sdkOptions(source.profile, context, ASKED.signIn))();
    }
    case "none":
    case "invalid":
      throw new OpenclawError("no-credentials", {
        message: `Profile '${source.profile}' has no credentials.`,
        hint: "openclaw doctor",
      });
  }
}

function staticKeys(keys: Keys): AwsCredentialIdentity {
  return withoutUndefined({
    accessKeyId: keys["aws_access_key_id"] ?? "",
    secretAccessKey: keys["aws_secret_access_key"] ?? "",
    sessionToken: keys["aws_session_token"],
    credentialScope: keys["aws_credential_scope"],
    accountId: keys["aws_account_id"],
  });
}

/** What was asked for, and what beside the credentials stands in the cache. */
interface Given {
  identity: AwsCredentialIdentity;
  rest: JsonObject;
}

async function cached(
  call: CacheArguments,
  { runtime, keepsRoles }: ProfileContext,
  rejected: AwsCredentialIdentity | undefined,
  ask: () => Promise<Given>,
): Promise<Identity> {
  if (!keepsRoles) return (await ask()).identity;
  const file = await cacheFileFor(call, runtime.homeFolder);
  const kept = await readCached(file, runtime);
  if (kept && kept.accessKeyId !== rejected?.accessKeyId) return kept;
  if (kept) await dropCached(file, runtime);
  const { identity, rest } = await ask();
  await writeCached(file, identity, rest, runtime);
  return identity;
}

function assumeRole(
  { profile, roleArn, mfaSerial, from }: SourceOf<"assume-role">,
  keys: Keys,
  context: ProfileContext,
  rejected: AwsCredentialIdentity | undefined,
): Promise<Identity> {
  const { runtime, deadline } = context;
  const call = {
    RoleArn: roleArn,
    RoleSessionName: keys["role_session_name"],
    ExternalId: keys["external_id"],
    SerialNumber: mfaSerial,
    DurationSeconds: readSeconds(keys["duration_seconds"]),
  };
  return cached(call, context, rejected, async () => {
    // First, because nobody should type a code for credentials that are not there.
    const base = await resolveBase(from, profile, context);
    const code =
      mfaSerial === undefined
        ? undefined
        : await deadline.pauseDuring(() => askMfaCode(mfaSerial, profile, runtime));
    const ask = (credentials: AwsCredentialIdentity): Promise<Given> =>
      askSts(context, { ...call, TokenCode: code }, credentials);
    try {
      return await ask(base);
    } catch (failure) {
      const wasKept = base.cacheFile !== undefined;
      if (!wasKept || !(failure instanceof Error) || !REJECTED.has(failure.name)) throw failure;
      return ask(await resolveBase(from, profile, context, base));
    }
  });
}

function resolveBase(
  from: RoleBase,
  profile: string,
  context: ProfileContext,
  rejected?: AwsCredentialIdentity,
): Promise<Identity> {
  if (!("profile" in from)) return context.named[from.kind](profile);
  // The environment has no say about a profile that another one names.
  return resolveSource(from, { ...context, sessionName: undefined }, rejected);
}

/** A whole number of seconds, as Python's `int` reads it for the AWS CLI, which passes over anything else. */
function readSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d+(_\d+)*$/.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}

/** Assumes a role with the token in a file, which is read when it is needed. Throws Node's own error for the file. */
export function assumeWithWebIdentity(
  {
    roleArn,
    tokenFile,
    sessionName,
  }: { roleArn: string; tokenFile: string; sessionName: string | undefined },
  context: ProfileContext,
  rejected?: AwsCredentialIdentity,
): Promise<Identity> {
  const call = { RoleArn: roleArn, RoleSessionName: sessionName };
  return cached(call, context, rejected, async () => {
    return askSts(context, { ...call, WebIdentityToken: (await readFile(tokenFile, "utf8")).trim() });
  });
}

interface RoleCall {
  RoleArn: string;
  RoleSessionName: string | undefined;
  TokenCode?: string | undefined;
  WebIdentityToken?: string;
}

/**
 * Asks STS for the credentials of a role. The endpoint is that of the active profile and the variables, never
 * `--endpoint-url`.
 */
async function askSts(
  context: ProfileContext,
  { WebIdentityToken, ...call }: RoleCall,
  credentials?: AwsCredentialIdentity,
): Promise<Given> {
  const { runtime, profileName, handling } = context;
  const place = placeOfSts(context);
  const url = place.endpoint ?? plainEndpoint("sts", place.region, runtime.env, handling.profile);
  const ahead = new ConnectionsAhead();
  if (url !== undefined) await ahead.open(url, 1, runtime, handling.profile);
  const [{ STSClient, AssumeRoleCommand, AssumeRoleWithWebIdentityCommand }, requestHandler] =
    await Promise.all([
      import("@aws-sdk/client-sts"),
      createRequestHandler(runtime, REQUEST_MS, {
        ...handling,
        asked: ASKED.sts,
        handsOutCredentials: true,
        ahead,
      }),
      handOver(context.shared),
    ]);
  const client = new STSClient({
    ...place,
    profile: profileName,
    requestHandler,
    ...(credentials ? { credentials } : {}),
  });
  const named = {
    ...withoutUndefined(call),
    RoleSessionName: call.RoleSessionName ?? `openclaw-${Math.floor(runtime.now() / 1000)}`,
  };
  try {
    const { Credentials, AssumedRoleUser } =
      WebIdentityToken === undefined
        ? await client.send(new AssumeRoleCommand(named))
        : await client.send(new AssumeRoleWithWebIdentityCommand({ ...named, WebIdentityToken }));
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    if (!AccessKeyId || !SecretAccessKey)
      throw new Error(`STS answers without credentials for ${call.RoleArn}`);
    const identity = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
      accountId: AssumedRoleUser?.Arn?.split(":")[4] || undefined,
    };
    return { identity: withoutUndefined(identity), rest: AssumedRoleUser ? { AssumedRoleUser } : {} };
  } finally {
    client.destroy();
    ahead.close();
  }
}

/** The region of STS is that of the environment, as for everything else; then that of the profile. */
function placeOfSts({ runtime: { env }, shared, profileName, region }: ProfileContext): {
  region: string;
  endpoint?: string;
} {
  const profile = profileInForce(shared, profileName);
  const endpoint = decideEndpoint({ service: "sts", env, profile });
  const keys = profile?.keys;
  const own =
    [env["AWS_REGION"], env["AWS_DEFAULT_REGION"], keys?.["region"], region].find(Boolean) ?? "us-east-1";
  if (endpoint) return { region: own, endpoint: endpoint.url };
  return legacyStsEndpoint(own, env, keys) ?? { region: own };
}

function signInOnce(
  { profile, session, accountId, roleName }: SourceOf<"sso">,
  keys: Keys,
  context: ProfileContext,
  rejected: AwsCredentialIdentity | undefined,
): Promise<Identity> {
  const call = { accountId, roleName };
  const place =
    session === undefined
      ? { ...call, startUrl: keys["sso_start_url"] ?? "" }
      : { ...call, sessionName: session };
  return cached(place, context, rejected, async () => {
    const { fromSSO } = await import("@aws-sdk/credential-providers");
    const identity = await fromSSO(await sdkOptions(profile, context, ASKED.sso))();
    return { identity: { accountId, ...identity }, rest: { ProviderType: "sso" } };
  });
}

async function sdkOptions(profile: string, { runtime, shared, handling }: ProfileContext, asked: string) {
  // The SDK reads them by itself, and says of a bad one that a URL is invalid.
  for (const service of ["sso", "sso-oidc", "signin"] as const)
    decideEndpoint({ service, env: runtime.env, profile: profileInForce(shared, profile) });
  const [requestHandler] = await Promise.all([
    createRequestHandler(runtime, REQUEST_MS, { ...handling, asked, handsOutCredentials: true }),
    handOver(shared),
  ]);
  return {
    profile,
    configFilepath: shared.configFile,
    filepath: shared.credentialsFile,
    ignoreCache: true,
    logger: quietLogger(runtime),
    // The profile also says whether FIPS and dual-stack endpoints are wanted.
    clientConfig: { requestHandler, profile },
  };
}

/**
 * Gives the SDK, in the place of both files, what this program reads in them: its own reader has another grammar, in which
 * names with spaces, keys in capitals and more are not there.
 */
async function handOver(shared: SharedConfig): Promise<void> {
  const { externalDataInterceptor } = await import("@smithy/core/config");
  externalDataInterceptor.interceptFile(shared.credentialsFile, "");
  externalDataInterceptor.interceptFile(shared.configFile, writeForSdk(shared));
}

/**
 * The files as the SDK's reader takes them: with a dot instead of a space a title has any name, a key of a block the
 * block's. What its grammar has no form for (line breaks, a `#` or `;` behind a space) is in no setting that it is asked
 * for.
 */
export function writeForSdk({ profiles, ssoSessions, services }: SharedConfig): string {
  const canStand = (text: string): boolean => !/[\r\n]|(?:^|\s)[#;]/.test(text);
  const section = (title: string, keys: Keys): string[] => {
    const set = Object.entries(keys).filter(([key, value]) => value !== "" && canStand(`${key}=${value}`));
    return canStand(title) ? [`[${title}]`, ...set.map(([key, value]) => `${key}=${value}`)] : [];
  };
  return [
    ...[...profiles.values()].flatMap(({ name, keys }) => section(`profile.${name}`, keys)),
    ...[...ssoSessions].flatMap(([name, keys]) => section(`sso-session.${name}`, keys)),
    ...[...services].flatMap(([name, keys]) => section(`services.${name}`, keys)),
  ].join("\n");
}

/** The SDK's warnings are for `--verbose`: stderr is for what a person has to know. */
function quietLogger({ terminal }: Runtime): Logger {
  const quiet = (): void => undefined;
  return {
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (...content: unknown[]) => terminal.verbose(() => content.map(String).join(" ")),
    error: quiet,
  };
}
