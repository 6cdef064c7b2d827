import { closest, distance } from "fastest-levenshtein";
import { OpenclawError } from "../errors.ts";
import type { Environment } from "../runtime.ts";
import { describeProfileSource, describeStep } from "./describe.ts";
import type { ChainStep, Chosen } from "./chosen.ts";
import { decideInstanceMetadata, type InstanceMetadataSettings } from "./instance-metadata-settings.ts";
import { maskKeyId } from "./mask.ts";
import { explainProfile, type ProfileSource } from "./profile-source.ts";
import type { SharedConfig } from "./shared-config.ts";

/** The four sources in their order, as scripts see them. */
export const SOURCES = [
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "default-chain",
] as const;
export type SourceName = (typeof SOURCES)[number];

export type SourceStatus = "used" | "shadowed" | "not set" | "invalid";

/** One line of the credential table. */
export interface OrderRow {
  source: SourceName;
  status: SourceStatus;
  detail: string;
}

/** Something about the credentials that a person should know although it stops nothing. */
export interface Finding {
  id: string;
  message: string;
  hint: string;
}

export interface CredentialInput {
  /** `--profile`. */
  profileFlag?: string;
  /** Without blank variables, as the Runtime has it. */
  env: Environment;
  shared: SharedConfig;
}

export interface CredentialDecision {
  readonly chosen: Chosen;
  /** The table of `doctor`: sources 1 to 4. The last row tells what the chain will try, not whether it answers. */
  readonly order: readonly OrderRow[];
  readonly findings: readonly Finding[];
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
  const { env, shared } = input;
  const claims: Claims = {
    bearer: claimBearer(env),
    keys: claimKeys(env),
    profile: claimProfile(input),
  };
  const chain = claimChain(input, claims.profile.kind === "settings-only");
  const winner = findWinner(claims, input.profileFlag !== undefined);
  const chosen = choose(winner, claims, chain);
  const row = (source: SourceName, claim: { status: SourceStatus; detail: string }): OrderRow => ({
    source,
    ...claim,
  });
  return {
    chosen,
    order: [
      row("AWS_BEARER_TOKEN_BEDROCK", statusOf(claims.bearer, winner === "bearer")),
      row("AWS_ACCESS_KEY_ID", statusOf(claims.keys, winner === "keys")),
      row("AWS_PROFILE", statusOf(claims.profile, winner === "profile")),
      row("default-chain", chainStatus(chain, winner)),
    ],
    findings: findOddities(input, claims, winner),
    profileName: profileNameOf(input),
    instanceMetadata: decideInstanceMetadata(env, shared),
    shared,
  };
}

type Winner = "bearer" | "keys" | "profile" | "chain";

type Claim<K extends string, T = object> = { kind: K; detail: string } & T;
type BearerClaim = Claim<"unset"> | Claim<"set">;
type KeysClaim =
  | Claim<"unset">
  | Claim<"set", { accessKeyId: string; hasSessionToken: boolean }>
  | Claim<"invalid", { error: OpenclawError }>;
type ProfileClaim =
  | Claim<"unset">
  /** Named, but without credentials of its own: the chain goes on behind it. */
  | Claim<"settings-only", { name: string; exists: boolean }>
  | Claim<"set", { name: string; viaFlag: boolean; from: ProfileSource }>
  | Claim<"invalid", { error: OpenclawError }>;

interface Claims {
  bearer: BearerClaim;
  keys: KeysClaim;
  profile: ProfileClaim;
}

interface ChainClaim {
  step: ChainStep;
  detail: string;
  /** The `default` profile of the shared config, where the chain ends there. */
  from?: ProfileSource;
  error?: OpenclawError;
}

function profileNameOf(input: CredentialInput): string {
  return input.profileFlag ?? input.env["AWS_PROFILE"] ?? "default";
}

function claimBearer(env: Environment): BearerClaim {
  return env["AWS_BEARER_TOKEN_BEDROCK"]
    ? { kind: "set", detail: "Bedrock API key from the environment" }
    : { kind: "unset", detail: "" };
}

function claimKeys(env: Environment): KeysClaim {
  const id = env["AWS_ACCESS_KEY_ID"];
  const secret = env["AWS_SECRET_ACCESS_KEY"];
  if (id && secret) {
    const hasSessionToken = env["AWS_SESSION_TOKEN"] !== undefined;
    return {
      kind: "set",
      accessKeyId: id,
      hasSessionToken,
      detail: `${maskKeyId(id)}${hasSessionToken ? " with AWS_SESSION_TOKEN" : ""}`,
    };
  }
  if (!id && !secret) return { kind: "unset", detail: "" };
  const [has, lacks] = id
    ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    : ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"];
  return {
    kind: "invalid",
    detail: `${has} is set without ${lacks}`,
    error: new OpenclawError("no-credentials", {
      message: `${has} is set${id ? ` (${maskKeyId(id)})` : ""} without ${lacks}: half a key pair signs nothing.`,
      hint: `Set the other half too, or drop this one: unset ${has}`,
    }),
  };
}

function claimProfile(input: CredentialInput): ProfileClaim {
  const { profileFlag, env, shared } = input;
  const name = profileFlag ?? env["AWS_PROFILE"];
  if (name === undefined) return { kind: "unset", detail: "" };
  const viaFlag = profileFlag !== undefined;
  const asked = viaFlag ? `--profile ${name}` : `AWS_PROFILE=${name}`;
  const overridden = viaFlag && env["AWS_PROFILE"] !== undefined && env["AWS_PROFILE"] !== name;
  const note = overridden ? ` (goes before AWS_PROFILE=${env["AWS_PROFILE"]})` : "";
  if (!shared.profiles.has(name)) {
    if (name === "default") {
      return {
        kind: "settings-only",
        name,
        exists: false,
        detail: `${asked}: no such profile, so the default chain decides${note}`,
      };
    }
    return {
      kind: "invalid",
      detail: `${asked}: no such profile${note}`,
      error: missingProfile(name, asked, shared),
    };
  }
  const from = explainProfile(name, shared);
  if (from.kind === "none") {
    return {
      kind: "settings-only",
      name,
      exists: true,
      detail: `${asked}: no credentials in it, so the default chain decides${note}`,
    };
  }
  if (from.kind === "invalid") {
    return { kind: "invalid", detail: `${asked}: ${from.message}${note}`, error: brokenProfile(from) };
  }
  return {
    kind: "set",
    name,
    viaFlag,
    from,
    detail: `${viaFlag ? `--profile ${name}` : `profile ${name}`}${note}: ${describeProfileSource(from)}`,
  };
}

function brokenProfile(from: { message: string; hint: string }): OpenclawError {
  return new OpenclawError("no-credentials", {
    message: `${from.message.charAt(0).toUpperCase()}${from.message.slice(1)}.`,
    hint: from.hint,
  });
}

function missingProfile(name: string, asked: string, shared: SharedConfig): OpenclawError {
  const known = [...shared.profiles.keys()];
  const near = known.length > 0 ? closest(name, known) : undefined;
  const isNear =
    near !== undefined && distance(name.toLowerCase(), near.toLowerCase()) <= Math.max(2, name.length / 3);
  return new OpenclawError("no-credentials", {
    message: `The AWS profile '${name}' (${asked}) does not exist in ${shared.configFile} or ${shared.credentialsFile}.`,
    hint: missingProfileHint(name, isNear ? near : undefined, known),
    details: { profile: name, profiles: known, ...(isNear ? { nearest: near } : {}) },
  });
}

function missingProfileHint(name: string, near: string | undefined, known: readonly string[]): string {
  if (near !== undefined) return `Did you mean '${near}'? Try: --profile ${near}`;
  if (known.length > 0)
    return `Choose one that exists: ${known.slice(0, 8).join(", ")}${known.length > 8 ? ", …" : ""}`;
  return `Create it: aws configure --profile ${name}`;
}

/** `skipsDefault` is true where a profile was named: then the SDKs do not look at `default`, either. */
function claimChain(input: CredentialInput, skipsDefault: boolean): ChainClaim {
  const { env, shared } = input;
  if (!skipsDefault && shared.profiles.has("default")) {
    const from = explainProfile("default", shared);
    const detail = `profile default: ${describeProfileSource(from)}`;
    if (from.kind === "invalid") return { step: "shared-config", from, detail, error: brokenProfile(from) };
    if (from.kind !== "none") return { step: "shared-config", from, detail };
  }
  if (env["AWS_WEB_IDENTITY_TOKEN_FILE"] && env["AWS_ROLE_ARN"]) return stepClaim("web-identity", env);
  if (env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] || env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]) {
    return stepClaim("container", env);
  }
  return stepClaim(decideInstanceMetadata(env, shared).isDisabled ? "none" : "instance-metadata", env);
}

function stepClaim(step: Exclude<ChainStep, "shared-config">, env: Environment): ChainClaim {
  return { step, detail: describeStep(step, env) };
}

function findWinner({ bearer, keys, profile }: Claims, hasProfileFlag: boolean): Winner {
  // `--profile` goes first of all, also where what it names leaves the choice to the rest of the chain.
  if (hasProfileFlag) return profile.kind === "settings-only" ? "chain" : "profile";
  if (bearer.kind === "set") return "bearer";
  if (keys.kind !== "unset") return "keys";
  return profile.kind === "set" || profile.kind === "invalid" ? "profile" : "chain";
}

function choose(winner: Winner, claims: Claims, chain: ChainClaim): Chosen {
  const { keys, profile } = claims;
  if (winner === "bearer") return { source: "AWS_BEARER_TOKEN_BEDROCK" };
  if (winner === "keys" && keys.kind === "set") {
    return {
      source: "AWS_ACCESS_KEY_ID",
      accessKeyId: keys.accessKeyId,
      hasSessionToken: keys.hasSessionToken,
    };
  }
  if (winner === "profile" && profile.kind === "set") {
    return { source: "AWS_PROFILE", profile: profile.name, viaFlag: profile.viaFlag, from: profile.from };
  }
  const loser = winner === "keys" ? keys : winner === "profile" ? profile : undefined;
  if (loser?.kind === "invalid") return { source: "invalid", error: loser.error };
  if (chain.error) return { source: "invalid", error: chain.error };
  if (chain.step === "shared-config") {
    const from = chain.from ?? { kind: "none", profile: "default" };
    return { source: "default-chain", step: chain.step, profile: "default", from };
  }
  return { source: "default-chain", step: chain.step, detail: chain.detail };
}

function statusOf(
  claim: BearerClaim | KeysClaim | ProfileClaim,
  isWinner: boolean,
): { status: SourceStatus; detail: string } {
  if (claim.kind === "invalid") return { status: "invalid", detail: claim.detail };
  if (claim.kind === "unset" || claim.kind === "settings-only")
    return { status: "not set", detail: claim.detail };
  return { status: isWinner ? "used" : "shadowed", detail: claim.detail };
}

/** Where another source is used the instance is not asked, so nobody knows whether it would answer. */
function chainStatus(chain: ChainClaim, winner: Winner): { status: SourceStatus; detail: string } {
  const { step, detail, error } = chain;
  if (error) return { status: "invalid", detail };
  if (step === "none") return { status: "not set", detail };
  if (winner === "chain") return { status: "used", detail };
  if (step === "instance-metadata") return { status: "not set", detail: "instance metadata not asked" };
  return { status: "shadowed", detail };
}

function findOddities(input: CredentialInput, claims: Claims, winner: Winner): Finding[] {
  const { env, shared, profileFlag } = input;
  const findings: Finding[] = [];
  const add = (id: string, message: string, hint: string): void => void findings.push({ id, message, hint });
  const { bearer, keys, profile } = claims;
  const blanks = blankVariables(env);
  if (blanks.length > 0) {
    const [are, count] = blanks.length === 1 ? ["is", "it counts"] : ["are", "they count"];
    add(
      "blank",
      `${blanks.join(" and ")} ${are} set but blank, so ${count} as not set.`,
      `unset ${blanks.join(" ")}`,
    );
  }
  if (bearer.kind === "set" && winner !== "bearer") {
    add(
      "bearer-shadowed",
      "AWS_BEARER_TOKEN_BEDROCK is set, but --profile goes before it.",
      "unset AWS_BEARER_TOKEN_BEDROCK",
    );
  }
  if (bearer.kind === "set" && winner === "bearer" && profile.kind === "set") {
    add(
      "profile-shadowed",
      `AWS_PROFILE=${env["AWS_PROFILE"]} gives no credentials, because AWS_BEARER_TOKEN_BEDROCK goes before it.`,
      `Use the profile with: --profile ${env["AWS_PROFILE"]}`,
    );
  }
  if (keys.kind === "set" && winner === "keys" && profile.kind === "set") {
    add(
      "profile-shadowed",
      `AWS_PROFILE=${env["AWS_PROFILE"]} gives no credentials, because the key pair in the environment goes before it.`,
      `Use the profile with: --profile ${env["AWS_PROFILE"]}`,
    );
  }
  if (keys.kind === "invalid" && winner !== "keys") {
    add("half-pair", `${keys.detail}.`, keys.error.hint ?? "");
  }
  if (keys.kind === "set" && keys.accessKeyId.startsWith("ASIA") && !keys.hasSessionToken) {
    add(
      "session-token-missing",
      `${maskKeyId(keys.accessKeyId)} is a temporary key, which AWS rejects without AWS_SESSION_TOKEN.`,
      "Set AWS_SESSION_TOKEN to the token that came with the key.",
    );
  }
  if (keys.kind !== "set" && env["AWS_SESSION_TOKEN"] !== undefined) {
    add(
      "session-token-alone",
      "AWS_SESSION_TOKEN is set without a key pair and is not used.",
      "unset AWS_SESSION_TOKEN",
    );
  }
  if (profile.kind === "invalid" && winner !== "profile") {
    add("profile-invalid", profile.error.message, profile.error.hint ?? "");
  }
  if (profile.kind === "settings-only" && profile.exists && winner === "chain") {
    add(
      "profile-without-credentials",
      `The profile '${profile.name}' has settings but no credentials, so the default chain decides.`,
      `Give it credentials: aws configure --profile ${profile.name}`,
    );
  }
  const used = usedProfile(claims, winner, input);
  if (used?.kind === "static" && used.accessKeyId.startsWith("ASIA") && !used.hasSessionToken) {
    add(
      "session-token-missing",
      `${maskKeyId(used.accessKeyId)} in profile '${used.profile}' is a temporary key, which AWS rejects without aws_session_token.`,
      `aws configure set aws_session_token TOKEN --profile ${used.profile}`,
    );
  }
  if (!env["AWS_WEB_IDENTITY_TOKEN_FILE"] !== !env["AWS_ROLE_ARN"] && profileFlag === undefined) {
    const [has, lacks] = env["AWS_ROLE_ARN"]
      ? ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"]
      : ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"];
    add(
      "web-identity-half",
      `${has} is set without ${lacks} and is not used.`,
      `Set ${lacks}, or: unset ${has}`,
    );
  }
  if (env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] && env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]) {
    add(
      "container-twice",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are both set; the relative one is used.",
      "unset AWS_CONTAINER_CREDENTIALS_FULL_URI",
    );
  }
  for (const { file, line, message } of shared.problems) {
    add("shared-config", `${file}${line === undefined ? "" : `:${line}`}: ${message}.`, `Correct ${file}.`);
  }
  return findings;
}

/** The AWS variables that are set to blanks; bin/openclaw.js removes them, because the SDK would take them for values. */
function blankVariables(env: Environment): string[] {
  return (env["OPENCLAW_BLANK_VARIABLES"] ?? "").split(",").filter((name) => name.startsWith("AWS_"));
}

function usedProfile(claims: Claims, winner: Winner, { shared }: CredentialInput): ProfileSource | undefined {
  if (winner === "profile" && claims.profile.kind === "set") return claims.profile.from;
  if (winner !== "chain" || claims.profile.kind === "settings-only") return undefined;
  return shared.profiles.has("default") ? explainProfile("default", shared) : undefined;
}
