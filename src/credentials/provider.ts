import type {
  AwsCredentialIdentity,
  AwsCredentialIdentityProvider,
  Logger,
  TokenIdentity,
} from "@smithy/types";
import { decideEndpoint } from "../aws/endpoint.ts";
import { createRequestHandler, type HandlerOptions } from "../network/request-handler.ts";
import { OpenclawError } from "../errors.ts";
import { withoutUndefined } from "../json.ts";
import type { Runtime } from "../runtime.ts";
import { withSpinner } from "../terminal/spinner.ts";
import { askMfaCode } from "./ask-mfa-code.ts";
import { askContainer } from "./container.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { adviseInstance, describeInstance } from "./describe.ts";
import { hideSecrets, rememberSecrets } from "./hide-secrets.ts";
import { askChosenInstance, instanceMetadata } from "./imds.ts";
import type { Chosen } from "./chosen.ts";
import type { CredentialDecision } from "./order.ts";
import { type ProfileSource, startOf } from "./profile-source.ts";
import { refreshing } from "./refreshing.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { toResolutionError, type UnansweredRequest } from "./resolution-error.ts";

/** What signs the requests: a Bedrock API key, or credentials that renew themselves. */
export type Authentication =
  | { kind: "token"; token: TokenIdentity }
  | { kind: "credentials"; credentials: AwsCredentialIdentityProvider };

export interface AuthenticationContext {
  runtime: Runtime;
  /** Region of STS calls, where the profile names none. */
  region?: string | undefined;
  /** How long resolving may take, in ms, without the time a person needs for an MFA code. */
  timeoutMs?: number | undefined;
}

/** Time for STS, IAM Identity Center and container endpoints, in ms. */
const RESOLVE_MS = 10_000;
/** Time for a credential_process, in ms: some open a browser and wait for a person. */
const PROCESS_MS = 60_000;
/** Time for an HTTP request to STS or IAM Identity Center, in ms. */
const REQUEST_MS = 5000;
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
  if (chosen.source === "invalid") throw chosen.error;
  if (chosen.source === "AWS_BEARER_TOKEN_BEDROCK") {
    const token = (env["AWS_BEARER_TOKEN_BEDROCK"] ?? "").trim();
    return { kind: "token", token: { token: sendable("AWS_BEARER_TOKEN_BEDROCK", token) } };
  }
  if (chosen.source === "AWS_ACCESS_KEY_ID") {
    const identity = keysOf(context.runtime);
    return { kind: "credentials", credentials: async () => identity };
  }
  return { kind: "credentials", credentials: refreshing(() => resolve(decision, chosen, context), now) };
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
  return instance === undefined || instance.status === "role";
}

type Resolvable = Extract<Chosen, { source: "AWS_PROFILE" | "default-chain" }>;

async function resolve(
  decision: CredentialDecision,
  chosen: Resolvable,
  context: AuthenticationContext,
): Promise<AwsCredentialIdentity> {
  const { runtime } = context;
  const started = runtime.elapsed();
  const deadline = createDeadline(timeFor(chosen, context), runtime.signal);
  let unanswered: UnansweredRequest | undefined;
  const handling: HandlerOptions = {
    profile: decision.shared.profiles.get(decision.profileName),
    onOutcome: (failure, origin) => {
      unanswered = failure === undefined ? undefined : { failure, origin };
    },
  };
  try {
    const identity = await withSpinner(runtime, "Getting credentials", () =>
      deadline.race(ask(decision, chosen, { ...context, handling }, deadline)),
    );
    rememberSecrets(runtime, [identity.secretAccessKey, identity.sessionToken]);
    runtime.terminal.verbose(
      () => `credentials resolved in ${Math.round(runtime.elapsed() - started)} ms (${chosen.source})`,
    );
    return identity;
  } catch (failure) {
    for (const { keys } of decision.shared.profiles.values()) {
      rememberSecrets(runtime, [keys["aws_secret_access_key"], keys["aws_session_token"]]);
    }
    const hide = (text: string): string => hideSecrets(text, runtime);
    throw toResolutionError(failure, chosen, { signal: runtime.signal, hide, unanswered });
  } finally {
    deadline.stop();
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

function ask(
  decision: CredentialDecision,
  chosen: Resolvable,
  context: Resolving,
  deadline: Deadline,
): Promise<AwsCredentialIdentity> {
  if ("from" in chosen) return askProfile(decision, chosen, context, deadline);
  switch (chosen.step) {
    case "web-identity":
      return askWebIdentity(decision, context);
    case "container":
      return askContainer(context.runtime, context.handling);
    case "instance-metadata":
      return askInstance(decision, context.runtime);
    case "none":
      return Promise.reject(noCredentials(chosen.detail));
  }
}

async function askProfile(
  decision: CredentialDecision,
  { profile, from }: Extract<Chosen, { from: ProfileSource }>,
  context: Resolving,
  deadline: Deadline,
): Promise<AwsCredentialIdentity> {
  const { runtime } = context;
  const { shared } = decision;
  const needsInstance = startOf(from).kind === "Ec2InstanceMetadata";
  const needsRole = from.kind === "assume-role" || from.kind === "web-identity";
  const [{ fromIni }, roleAssumers, requestHandler] = await Promise.all([
    import("@aws-sdk/credential-providers"),
    needsRole ? createRoleAssumers(decision, context) : {},
    createRequestHandler(runtime, REQUEST_MS, context.handling),
  ]);
  const options = {
    configFilepath: shared.configFile,
    filepath: shared.credentialsFile,
    ignoreCache: true,
    logger: quietLogger(runtime),
    // The profile also says whether FIPS and dual-stack endpoints are wanted.
    clientConfig: { requestHandler, profile },
    mfaCodeProvider: (serial: string) => deadline.pauseDuring(() => askMfaCode(serial, profile, runtime)),
    ...roleAssumers,
  };
  if (from.kind === "assume-role" && from.mfaSerial !== undefined && "profile" in from.from) {
    // The SDK asks for the code while it resolves the source: nobody should type one for credentials that are not there.
    await fromIni({ ...options, profile: from.from.profile })();
  }
  const provider = fromIni({ ...options, profile });
  return needsInstance ? besideInstance(provider(), decision, runtime) : provider();
}

async function askWebIdentity(
  decision: CredentialDecision,
  context: Resolving,
): Promise<AwsCredentialIdentity> {
  const { env } = context.runtime;
  const [{ fromTokenFile }, { roleAssumerWithWebIdentity }] = await Promise.all([
    import("@aws-sdk/credential-providers"),
    createRoleAssumers(decision, context),
  ]);
  const options = withoutUndefined({
    webIdentityTokenFile: env["AWS_WEB_IDENTITY_TOKEN_FILE"],
    roleArn: env["AWS_ROLE_ARN"],
    roleSessionName: env["AWS_ROLE_SESSION_NAME"],
    roleAssumerWithWebIdentity,
  });
  return fromTokenFile(options)();
}

/**
 * What assumes roles. The endpoint is that of the active profile and the variables, never `--endpoint-url`; the SDK by
 * itself would look only at the profile of AWS_PROFILE.
 */
async function createRoleAssumers(decision: CredentialDecision, context: Resolving) {
  const { runtime, region, handling } = context;
  const { shared, profileName } = decision;
  const [{ getDefaultRoleAssumer, getDefaultRoleAssumerWithWebIdentity }, requestHandler] = await Promise.all(
    [import("@aws-sdk/client-sts"), createRequestHandler(runtime, REQUEST_MS, handling)],
  );
  const keys = shared.profiles.get(profileName)?.keys;
  const profile = keys && {
    name: profileName,
    keys,
    services: shared.services.get(keys["services"] ?? ""),
  };
  const endpoint = decideEndpoint(withoutUndefined({ service: "sts" as const, env: runtime.env, profile }));
  const options = withoutUndefined({
    requestHandler,
    profile: profileName,
    region: keys?.["region"] ?? region,
    endpoint: endpoint?.url,
  });
  return {
    roleAssumer: getDefaultRoleAssumer(options),
    roleAssumerWithWebIdentity: getDefaultRoleAssumerWithWebIdentity(options),
  };
}

/** Not by the SDK's provider, which would ask once more for the token and the role that are known by now. */
async function askInstance(decision: CredentialDecision, runtime: Runtime): Promise<AwsCredentialIdentity> {
  const metadata = instanceMetadata(runtime, decision.instanceMetadata);
  const answer = await metadata.answer();
  if (answer.status !== "role") throw noCredentials(describeInstance(answer), adviseInstance(answer));
  const reply = await metadata.credentials();
  if (reply.status === "credentials") return reply.credentials;
  throw noCredentials(
    `${describeInstance(answer)}: ${reply.reason}`,
    `Look at the trust policy of the role, which ec2.amazonaws.com must be able to assume: aws iam get-role --role-name ${quoteForShell(answer.role)}`,
  );
}

/**
 * Lets the SDK ask the instance while this program asks it, too: that nobody is there is known after 1 s, where the SDK
 * would wait for one time-out after the other, and why there are no credentials is known better than from its error.
 */
async function besideInstance(
  identity: Promise<AwsCredentialIdentity>,
  decision: CredentialDecision,
  runtime: Runtime,
): Promise<AwsCredentialIdentity> {
  const answered = instanceMetadata(runtime, decision.instanceMetadata)
    .answer()
    .then((answer) => {
      if (answer.status === "role") return identity;
      throw noCredentials(describeInstance(answer), adviseInstance(answer));
    });
  return Promise.race([identity.catch(() => answered), answered]);
}

/** The key pair of the environment, with what the SDK's own `fromEnv` reads beside it. */
function keysOf({ env }: Runtime): AwsCredentialIdentity {
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === undefined ? undefined : sendable(name, value);
  };
  const expiration = text("AWS_CREDENTIAL_EXPIRATION");
  return withoutUndefined({
    accessKeyId: text("AWS_ACCESS_KEY_ID") ?? "",
    secretAccessKey: text("AWS_SECRET_ACCESS_KEY") ?? "",
    sessionToken: text("AWS_SESSION_TOKEN"),
    expiration: expiration === undefined ? undefined : new Date(expiration),
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

function noCredentials(
  chain: string,
  hint = "Set some up with: aws configure   (on EC2, attach an instance role)",
): OpenclawError {
  return new OpenclawError("no-credentials", {
    message:
      "No AWS credentials found: AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, and AWS_PROFILE " +
      `name none, and the default chain has none (${chain}).`,
    hint,
  });
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
