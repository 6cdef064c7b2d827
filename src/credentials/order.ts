import { capitalize, OpenclawError, shorten } from "../errors.ts";
import type { Environment } from "../runtime.ts";
import { describeProfileSource, describeStep } from "./describe.ts";
import type { ChainStep, Chosen } from "./chosen.ts";
import type { Scene } from "./finding.ts";
import { decideInstanceMetadata, type InstanceMetadataSettings } from "./instance-metadata-settings.ts";
import { maskKeyId } from "./mask.ts";
import { explainProfile, findHalf, nearestName, tellProblem } from "./profile-source.ts";
import type { SharedConfig } from "./shared-config.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** The four sources in their order, as scripts see them. */
export const SOURCES = [
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "default-chain",
] as const;
export type SourceName = (typeof SOURCES)[number];

export type SourceStatus = "used" | "shadowed" | "not set" | "invalid";

export interface OrderRow {
  source: SourceName;
  status: SourceStatus;
  detail: string;
}

export interface CredentialInput {
  /** `--profile`. */
  profileFlag?: string | undefined;
  /** Without blank variables, as the Runtime has it. */
  env: Environment;
  shared: SharedConfig;
}

export interface CredentialDecision {
  readonly chosen: Chosen;
  /** The table of `doctor`: sources 1 to 4. The last row tells what the chain will try, not whether it answers. */
  readonly order: readonly OrderRow[];
  /** What findings.ts looks at, where something fails or somebody asks what there is to know. */
  readonly scene: () => Scene;
  /** The active profile of the shared config: `--profile`, else AWS_PROFILE, else `default`. It may not exist. */
  readonly profileName: string;
  readonly instanceMetadata: InstanceMetadataSettings;
  readonly shared: SharedConfig;
}

/**
 * Decides which source signs: `--profile`, AWS_BEARER_TOKEN_BEDROCK, the key pair of the environment, AWS_PROFILE, the
 * default chain. A profile without credentials of its own leaves the choice to the rest of the chain, as in the AWS CLI
 * and SDKs. Asks nobody and throws nothing: what is wrong is `chosen.error` or a finding.
 */
export function decideCredentials(input: CredentialInput): CredentialDecision {
  const { profileFlag, env, shared } = input;
  const profile = claimProfile(input);
  const instanceMetadata = decideInstanceMetadata(env, shared);
  const chain = claimChain(input, profile.settingsOf !== undefined, instanceMetadata);
  const claims: Readonly<Record<SourceName, Claim>> = {
    AWS_BEARER_TOKEN_BEDROCK: claimBearer(env),
    AWS_ACCESS_KEY_ID: claimKeys(env),
    AWS_PROFILE: profile,
    "default-chain": chain,
  };
  // `--profile` goes first of all, also where what it names leaves the choice to the rest of the chain.
  const rivals = profileFlag === undefined ? SOURCES : (["AWS_PROFILE", "default-chain"] as const);
  const winner = rivals.find((source) => claims[source].chosen) ?? "default-chain";
  const chosen = claims[winner].chosen ?? chain.chosen;
  const profileName = profileFlag ?? env["AWS_PROFILE"] ?? "default";
  const scene = (): Scene => ({
    env,
    shared,
    profileFlag,
    profileName,
    chosen,
    shadowed: {
      keys: winner === "AWS_ACCESS_KEY_ID" ? undefined : errorOf(claims.AWS_ACCESS_KEY_ID),
      profile: winner === "AWS_PROFILE" ? undefined : errorOf(profile),
    },
    hasProfile: profile.chosen?.source === "AWS_PROFILE",
    settingsOf: winner === "default-chain" ? profile.settingsOf : undefined,
  });
  const order = SOURCES.map((source) => rowOf(source, claims[source], source === winner));
  return { chosen, order, scene, profileName, instanceMetadata, shared };
}

function errorOf({ chosen }: Claim): OpenclawError | undefined {
  return chosen?.source === "invalid" ? chosen.error : undefined;
}

interface Claim {
  /** What signs where this source wins; undefined where it is not set. */
  chosen?: Chosen;
  detail: string;
  /** The profile that was named and has no credentials of its own: the chain goes on behind it. */
  settingsOf?: string;
}

function claimBearer(env: Environment): Claim {
  return env["AWS_BEARER_TOKEN_BEDROCK"]
    ? { chosen: { source: "AWS_BEARER_TOKEN_BEDROCK" }, detail: "Bedrock API key from the environment" }
    : { detail: "" };
}

function claimKeys(env: Environment): Claim {
  const id = env["AWS_ACCESS_KEY_ID"];
  const half = findHalf(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], env);
  if (half) {
    const { has, lacks } = half;
    const error = new OpenclawError("no-credentials", {
      message: `${has} is set${id ? ` (${maskKeyId(id)})` : ""} without ${lacks}: half a key pair signs nothing.`,
      hint: `Set the other half too, or drop this one: unset ${has}`,
    });
    return { chosen: { source: "invalid", error }, detail: `${has} is set without ${lacks}` };
  }
  if (!id) return { detail: "" };
  const hasSessionToken = env["AWS_SESSION_TOKEN"] !== undefined;
  return {
    chosen: { source: "AWS_ACCESS_KEY_ID", accessKeyId: id, hasSessionToken },
    detail: `${maskKeyId(id)}${hasSessionToken ? " with AWS_SESSION_TOKEN" : ""}`,
  };
}

function claimProfile({ profileFlag, env, shared }: CredentialInput): Claim {
  const name = profileFlag ?? env["AWS_PROFILE"];
  if (name === undefined) return { detail: "" };
  const viaFlag = profileFlag !== undefined;
  const asked = viaFlag ? `--profile ${quoteForShell(name)}` : `AWS_PROFILE=${name}`;
  const overridden = viaFlag && env["AWS_PROFILE"] !== undefined && env["AWS_PROFILE"] !== name;
  const note = overridden ? ` (goes before AWS_PROFILE=${env["AWS_PROFILE"]})` : "";
  if (!shared.profiles.has(name)) {
    if (name === "default")
      return { detail: `${asked}: no such profile, so the default chain decides${note}` };
    const error = missingProfile(name, asked, shared);
    return { chosen: { source: "invalid", error }, detail: `${asked}: no such profile${note}` };
  }
  const from = explainProfile(name, shared);
  if (from.kind === "none") {
    const detail = `${asked}: no credentials in it, so the default chain decides${note}`;
    return { detail, settingsOf: name };
  }
  if (from.kind === "invalid") {
    return { chosen: brokenProfile(from), detail: `${asked}: ${from.message}${note}` };
  }
  return {
    chosen: { source: "AWS_PROFILE", profile: name, viaFlag, from },
    detail: `${viaFlag ? asked : `profile ${name}`}${note}: ${describeProfileSource(from)}`,
  };
}

function brokenProfile({
  profile,
  message,
  hint,
}: {
  profile: string;
  message: string;
  hint: string;
}): Chosen {
  const sentence = `${capitalize(message)}.`;
  const error = new OpenclawError("no-credentials", { message: sentence, hint });
  return { source: "invalid", error, profile };
}

function missingProfile(name: string, asked: string, shared: SharedConfig): OpenclawError {
  const known = [...shared.profiles.keys()];
  const { problems } = shared;
  const cause =
    problems.find(({ missing }) => missing === `profile ${name}`) ??
    problems.find(({ line }) => line === undefined);
  if (cause) {
    const { message, hint } = tellProblem(cause);
    return new OpenclawError("no-credentials", {
      message: `The AWS profile '${shorten(name)}' (${asked}) is not there: ${message}`,
      hint,
      details: { profile: name, profiles: known },
    });
  }
  const nearest = nearestName(name, known);
  return new OpenclawError("no-credentials", {
    message: `The AWS profile '${shorten(name)}' (${asked}) does not exist in ${shared.configFile} or ${shared.credentialsFile}.`,
    hint: missingProfileHint(name, nearest, known),
    details: { profile: name, profiles: known, nearest },
  });
}

function missingProfileHint(name: string, near: string | undefined, known: readonly string[]): string {
  if (near !== undefined) return `Did you mean '${near}'? Try: --profile ${quoteForShell(near)}`;
  if (known.length > 0)
    return `Choose one that exists: ${known.slice(0, 8).join(", ")}${known.length > 8 ? ", …" : ""}`;
  return `Create it: aws configure --profile ${quoteForShell(name)}`;
}

/** `skipsDefault` is true where a profile was named: then the SDKs do not look at `default`, either. */
function claimChain(
  { env, shared }: CredentialInput,
  skipsDefault: boolean,
  { error, isDisabled }: InstanceMetadataSettings,
): Claim & { chosen: Chosen } {
  if (!skipsDefault && shared.profiles.has("default")) {
    const from = explainProfile("default", shared);
    const detail = `profile default: ${describeProfileSource(from)}`;
    if (from.kind === "invalid") return { chosen: brokenProfile(from), detail };
    if (from.kind !== "none") {
      return {
        chosen: { source: "default-chain", step: "shared-config", profile: "default", from },
        detail,
      };
    }
  }
  if (env["AWS_WEB_IDENTITY_TOKEN_FILE"] && !env["AWS_ROLE_ARN"]) {
    const detail = "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN";
    const error = new OpenclawError("no-credentials", {
      message: `${detail}: nobody knows which role the token is for.`,
      hint: "Set AWS_ROLE_ARN, or: unset AWS_WEB_IDENTITY_TOKEN_FILE",
    });
    return { chosen: { source: "invalid", error }, detail };
  }
  const step = stepBehindProfiles(env, isDisabled);
  if (step === "instance-metadata" && error) {
    return { chosen: { source: "invalid", error }, detail: error.message.replace(/\.$/, "") };
  }
  const detail = describeStep(step, env);
  return { chosen: { source: "default-chain", step, detail }, detail };
}

function stepBehindProfiles(env: Environment, isDisabled: boolean): Exclude<ChainStep, "shared-config"> {
  if (env["AWS_WEB_IDENTITY_TOKEN_FILE"] && env["AWS_ROLE_ARN"]) return "web-identity";
  if (env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] || env["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    return "container";
  return isDisabled ? "none" : "instance-metadata";
}

function rowOf(source: SourceName, { chosen, detail }: Claim, isWinner: boolean): OrderRow {
  if (chosen?.source === "invalid") return { source, status: "invalid", detail };
  const step = chosen && "step" in chosen ? chosen.step : undefined;
  if (!chosen || step === "none") return { source, status: "not set", detail };
  if (isWinner) return { source, status: "used", detail };
  // Where another source is used the instance is not asked, so nobody knows whether it would answer.
  if (step === "instance-metadata")
    return { source, status: "not set", detail: "instance metadata not asked" };
  return { source, status: "shadowed", detail };
}
