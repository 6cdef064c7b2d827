import path from "node:path";
import type { AwsCredentialIdentity, TokenIdentity } from "@smithy/types";
import type { Exchange, HandlerOptions } from "../network/request-handler.ts";
import { decideEndpoint, type Service } from "../aws/endpoint.ts";
import { readStart, ReadFailure } from "../disk/read-file.ts";
import { OpenclawError } from "../errors.ts";
import { withoutUndefined } from "../json.ts";
import type { Runtime } from "../runtime.ts";
import { withSpinner } from "../terminal/spinner.ts";
import type { Identity } from "./cli-cache.ts";
import { askContainer, containerVariable } from "./container.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { adviseInstance, describeChosen, describeInstance, renewalOf } from "./describe.ts";
import { readExpiry } from "./expiry.ts";
import { explainChosen, explainError } from "./findings.ts";
import { hideSecrets, rememberSecrets } from "./hide-secrets.ts";
import { askChosenInstance, instanceMetadata } from "./imds.ts";
import type { Chosen } from "./chosen.ts";
import { noCredentials } from "./no-credentials.ts";
import type { CredentialDecision } from "./order.ts";
import { assumeWithWebIdentity, type ProfileContext, resolveSource } from "./profile-credentials.ts";
import { startOf } from "./profile-source.ts";
import { refreshing, type RefreshOptions } from "./refreshing.ts";
import { profileInForce, type SharedConfig } from "./shared-config.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { ASKED, toResolutionError } from "./resolution-error.ts";

/** What signs the requests: a Bedrock API key, or credentials that renew themselves. */
export type Authentication =
  | { kind: "token"; token: TokenIdentity }
  | { kind: "credentials"; credentials: (options?: RefreshOptions) => Promise<Identity> };

export interface AuthenticationContext {
  runtime: Runtime;
  /** Region of STS calls, where neither the environment nor the profile names one. */
  region?: string | undefined;
  /** Whether what roles give is kept in the AWS CLI's cache, and read from there. True unless said otherwise. */
  keepsRoles?: boolean | undefined;
  /** How long resolving may take, in ms, without the time a person needs for an MFA code. */
  timeoutMs?: number | undefined;
}

/** Time for STS, IAM Identity Center and container endpoints, in ms. */
const RESOLVE_MS = 10_000;
/** Time for a credential_process, in ms: some open a browser and wait for a person. */
const PROCESS_MS = 60_000;
/** Time for the instance metadata service, in ms, whatever the SDK is waiting for. */
const INSTANCE_MS = 2000;

/**
 * Builds the authentication of exactly the source that was decided, never a chain of sources. Credentials are resolved
 * when first asked for, kept, and renewed 5 minutes before they expire or with `forceRefresh`.
 * Throws the decision's own error; the provider throws `no-credentials`, `credentials-expired`, `credentials-rejected`,
 * `access-denied`, `timeout` or `network`.
 */
export async function buildAuthentication(
  decision: CredentialDecision,
  context: AuthenticationContext,
): Promise<Authentication> {
  const { chosen } = decision;
  const { env, now } = context.runtime;
  if (chosen.source === "invalid") throw explainChosen(decision) ?? chosen.error;
  if (chosen.source === "AWS_BEARER_TOKEN_BEDROCK") {
    const token = (env["AWS_BEARER_TOKEN_BEDROCK"] ?? "").trim();
    return { kind: "token", token: { token: sendable("AWS_BEARER_TOKEN_BEDROCK", token) } };
  }
  if (chosen.source === "AWS_ACCESS_KEY_ID") {
    const identity = keysOf(context.runtime);
    return { kind: "credentials", credentials: async () => identity };
  }
  const credentials = refreshing((rejected) => resolve(decision, chosen, context, rejected), now);
  return { kind: "credentials", credentials };
}

/**
 * Says whether the decided source has credentials, for the default of `models.bedrockDiscovery.enabled`. Only the
 * instance metadata step opens a socket: at most 1 s when nothing answers, 2 s in all, once per process. A source that
 * is set and broken counts as there, so that its error is told instead of being taken for absence.
 */
export async function detectCredentials(decision: CredentialDecision, runtime: Runtime): Promise<boolean> {
  const { chosen } = decision;
  if ("step" in chosen && chosen.step === "none") return false;
  const instance = await askChosenInstance(decision, runtime);
  return instance === undefined || ["role", "failed", "misnamed"].includes(instance.status);
}

type Resolvable = Extract<Chosen, { source: "AWS_PROFILE" | "default-chain" }>;

async function resolve(
  decision: CredentialDecision,
  chosen: Resolvable,
  context: AuthenticationContext,
  rejected: AwsCredentialIdentity | undefined,
): Promise<Identity> {
  const { runtime } = context;
  const started = runtime.elapsed();
  const deadline = createDeadline(timeFor(chosen, context), runtime.signal);
  let exchange: Exchange | undefined;
  const handling: HandlerOptions = {
    profile: decision.shared.profiles.get(decision.profileName),
    onExchange: (last) => {
      exchange = last;
    },
  };
  try {
    await refusePipes(decision, chosen, runtime);
    const identity = await withSpinner(runtime, "Getting credentials", () =>
      deadline.race(ask(decision, chosen, { ...context, handling }, deadline, rejected)),
    );
    rememberSecrets(runtime, [identity.secretAccessKey, identity.sessionToken]);
    refuseExpired(identity, chosen, exchange?.answer?.headers["date"], runtime);
    runtime.terminal.verbose(() => {
      const kept = identity.cacheFile === undefined ? "" : ` from ${identity.cacheFile}`;
      return `credentials resolved in ${Math.round(runtime.elapsed() - started)} ms (${chosen.source})${kept}`;
    });
    return identity;
  } catch (failure) {
    for (const { keys } of decision.shared.profiles.values()) {
      rememberSecrets(runtime, [keys["aws_secret_access_key"], keys["aws_session_token"]]);
    }
    const hide = (text: string): string => hideSecrets(text, runtime);
    const keys = decision.shared.profiles.get("profile" in chosen ? chosen.profile : "")?.keys ?? {
      role_arn: runtime.env["AWS_ROLE_ARN"] ?? "the role",
    };
    const endpointSource = exchange && sourceOfEndpoint(exchange, decision, runtime);
    const setup = { signal: runtime.signal, now: runtime.now, hide, exchange, endpointSource, keys };
    const error = toResolutionError(failure, chosen, setup);
    throw error === failure ? error : explainError(error, decision);
  } finally {
    deadline.stop();
  }
}

/**
 * As botocore's `RefreshableCredentials` does, of what was just handed out; by the time of who did, where it says so, since a
 * clock that is wrong is set right by the first answer of AWS. Those of an instance are signed with all the same: its service
 * hands the old ones on where it has no new ones, and AWS may take them
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html). Throws `credentials-expired`.
 */
function refuseExpired(
  { expiration }: Identity,
  chosen: Resolvable,
  date: string | undefined,
  { now }: Runtime,
): void {
  if (!expiration || ("step" in chosen && chosen.step === "instance-metadata")) return;
  const at = Date.parse(date ?? "");
  if (expiration.getTime() > (Number.isNaN(at) ? now() : at)) return;
  throw new OpenclawError("credentials-expired", {
    message: `The credentials (${describeChosen(chosen)}) had expired when they were handed out: they counted until ${expiration.toISOString()}.`,
    hint: renewalOf(chosen),
  });
}

/** Who named the endpoint that was asked; undefined for a region's own. */
function sourceOfEndpoint(
  exchange: Exchange,
  { shared, profileName }: CredentialDecision,
  { env }: Runtime,
): string | undefined {
  if (exchange.asked === ASKED.container) return `env ${containerVariable(env)}`;
  const service = serviceOf(exchange);
  return service && decideEndpoint({ service, env, profile: profileInForce(shared, profileName) })?.source;
}

function serviceOf({ asked, path: place }: Exchange): Service | undefined {
  if (asked === ASKED.sts) return "sts";
  if (asked === ASKED.signIn) return "signin";
  if (asked !== ASKED.sso) return undefined;
  // IAM Identity Center has two: a sign-in is renewed (CreateToken) at another one than that of the portal.
  return place.endsWith("/token") ? "sso-oidc" : "sso";
}

/**
 * These files are read in a thread of Node's pool, a sign-in by the SDK: of a FIFO it would wait for the writer, and hold
 * up the end of the process. Throws `no-credentials`.
 */
async function refusePipes(
  { shared }: CredentialDecision,
  chosen: Resolvable,
  runtime: Runtime,
): Promise<void> {
  const file = await tokenFileOf(chosen, shared, runtime);
  if (file === undefined) return;
  await readStart(file, 1).catch((cause: unknown) => {
    if (!(cause instanceof ReadFailure)) throw cause;
    // Those are told by who reads it: without a sign-in, there is no file of it.
    if (cause.code === "ENOENT" || cause.code === "EACCES") return;
    throw new OpenclawError("no-credentials", {
      message: `The credentials (${describeChosen(chosen)}) need the file ${file}, which cannot be read: ${cause.message}.`,
      hint: `ls -l ${quoteForShell(file)}`,
      cause,
    });
  });
}

async function tokenFileOf(
  chosen: Resolvable,
  shared: SharedConfig,
  { env, homeFolder }: Runtime,
): Promise<string | undefined> {
  if ("step" in chosen) {
    if (chosen.step === "web-identity") return env["AWS_WEB_IDENTITY_TOKEN_FILE"];
    return chosen.step === "container" ? env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] : undefined;
  }
  const start = startOf(chosen.from);
  switch (start.kind) {
    case "web-identity":
      return start.tokenFile;
    case "sso": {
      const { createHash } = await import("node:crypto");
      const name = start.session ?? shared.profiles.get(start.profile)?.keys["sso_start_url"] ?? "";
      const digest = createHash("sha1").update(name).digest("hex");
      return path.join(homeFolder, ".aws", "sso", "cache", `${digest}.json`);
    }
    case "EcsContainer":
      return env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
    default:
      return undefined;
  }
}

function timeFor(chosen: Resolvable, context: AuthenticationContext): number {
  if (context.timeoutMs !== undefined) return context.timeoutMs;
  if ("step" in chosen && chosen.step === "instance-metadata") return INSTANCE_MS;
  return "from" in chosen && startOf(chosen.from).kind === "process" ? PROCESS_MS : RESOLVE_MS;
}

/** What resolving goes on with: the requests of every provider are sent and watched alike. */
interface Resolving extends AuthenticationContext {
  handling: HandlerOptions;
}

async function ask(
  decision: CredentialDecision,
  chosen: Resolvable,
  { runtime, region, keepsRoles = true, handling }: Resolving,
  deadline: Deadline,
  rejected: AwsCredentialIdentity | undefined,
): Promise<Identity> {
  const { env } = runtime;
  const isByFlag = chosen.source === "AWS_PROFILE" && chosen.viaFlag;
  const context: ProfileContext = {
    runtime,
    shared: decision.shared,
    profileName: decision.profileName,
    region,
    keepsRoles,
    sessionName: isByFlag ? undefined : env["AWS_ROLE_SESSION_NAME"],
    deadline,
    handling,
    named: {
      Environment: async (profile) => environmentOf(profile, runtime),
      Ec2InstanceMetadata: () => askInstance(decision, runtime),
      EcsContainer: (profile) => askContainerFor(profile, runtime, handling),
    },
  };
  if ("from" in chosen) return resolveSource(chosen.from, context, rejected);
  switch (chosen.step) {
    case "web-identity": {
      const web = {
        roleArn: env["AWS_ROLE_ARN"] ?? "",
        tokenFile: env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? "",
        sessionName: env["AWS_ROLE_SESSION_NAME"],
      };
      return assumeWithWebIdentity(web, context, rejected);
    }
    case "container":
      return askContainer(runtime, handling);
    case "instance-metadata":
      return askInstance(decision, runtime);
    case "none":
      throw noCredentials(decision, chosen.detail);
  }
}

/** The environment's keys for a role. Throws `no-credentials` where they are not there. */
function environmentOf(profile: string, runtime: Runtime): AwsCredentialIdentity {
  const missing = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].find((name) => !runtime.env[name]);
  if (missing === undefined) return keysOf(runtime);
  throw new OpenclawError("no-credentials", {
    message: `Profile '${profile}' takes its keys from the environment (credential_source), and ${missing} is not set.`,
    hint: `export ${missing}=…`,
  });
}

/** What the container gives for a role. Throws `no-credentials` where this is none. */
async function askContainerFor(
  profile: string,
  runtime: Runtime,
  handling: HandlerOptions,
): Promise<AwsCredentialIdentity> {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } =
    runtime.env;
  if (relative || full) return askContainer(runtime, handling);
  throw new OpenclawError("no-credentials", {
    message: `Profile '${profile}' takes its keys from the container (credential_source), and no variable says where: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set.`,
    hint: "Run it in the container, or choose another profile with --profile.",
  });
}

/** Not by the SDK's provider, which would ask once more for the token and the role that are known by now. */
async function askInstance(decision: CredentialDecision, runtime: Runtime): Promise<AwsCredentialIdentity> {
  const metadata = instanceMetadata(runtime, decision.instanceMetadata);
  const answer = await metadata.answer();
  if (answer.status !== "role") throw noCredentials(decision, describeInstance(answer), { instance: answer });
  const reply = await metadata.credentials();
  if (reply.status === "credentials") return reply.credentials;
  throw new OpenclawError(reply.code ?? "no-credentials", {
    message: `The ${describeInstance(answer)}, gives no credentials: ${reply.reason}.`,
    hint:
      (reply.refused && adviseInstance(reply.refused)) ??
      (reply.code === undefined
        ? `Look at the trust policy of the role, which ec2.amazonaws.com must be able to assume: aws iam get-role --role-name ${quoteForShell(answer.role)}`
        : "Try again in a minute."),
  });
}

/** The key pair of the environment, with what the SDK's own `fromEnv` reads beside it. */
function keysOf({ env }: Runtime): AwsCredentialIdentity {
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === undefined ? undefined : sendable(name, value);
  };
  return withoutUndefined({
    accessKeyId: text("AWS_ACCESS_KEY_ID") ?? "",
    secretAccessKey: text("AWS_SECRET_ACCESS_KEY") ?? "",
    sessionToken: text("AWS_SESSION_TOKEN"),
    expiration: readExpiry(text("AWS_CREDENTIAL_EXPIRATION")),
    accountId: text("AWS_ACCOUNT_ID"),
    credentialScope: text("AWS_CREDENTIAL_SCOPE"),
  });
}

/** What goes into a header, which carries no line break and nothing beyond ASCII. Throws `credentials-rejected`. */
function sendable(name: string, value: string): string {
  if (/^[\x20-\x7E]*$/.test(value)) return value;
  throw new OpenclawError("credentials-rejected", {
    message: `${name} holds a character that no credential has: a line break inside it, or one beyond ASCII.`,
    hint: `Copy it again, as one line: export ${name}=…`,
  });
}
