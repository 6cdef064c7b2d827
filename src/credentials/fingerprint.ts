import { sha256Hex } from "../aws/digest.ts";
import type { Environment } from "../runtime.ts";
import type { CredentialDecision } from "./order.ts";
import type { Keys, SharedConfig } from "./shared-config.ts";

/**
 * A digest (SHA-256, hex) of what decides where credentials come from: key id, digest of a bearer token, profile name
 * with its sections, the variables of container, web identity and instance metadata. Two calls with the same
 * fingerprint may share a cached model list. Who the credentials belong to is never asked.
 */
export function fingerprintCredentials(
  decision: CredentialDecision,
  env: Environment,
  shared: SharedConfig,
): string {
  return sha256Hex(JSON.stringify(ingredients(decision, env, shared)));
}

function ingredients(decision: CredentialDecision, env: Environment, shared: SharedConfig): unknown[] {
  const { chosen, instanceMetadata } = decision;
  const variables = (...names: string[]): unknown[] => names.map((name) => env[name] ?? null);
  switch (chosen.source) {
    case "AWS_BEARER_TOKEN_BEDROCK":
      return [chosen.source, sha256Hex(env["AWS_BEARER_TOKEN_BEDROCK"] ?? "")];
    case "AWS_ACCESS_KEY_ID":
      return [chosen.source, chosen.accessKeyId];
    case "AWS_PROFILE":
      return [chosen.source, chosen.profile, digestProfiles(chosen.profile, env, shared)];
    case "invalid":
      return [chosen.source, decision.profileName];
    case "default-chain":
      break;
  }
  switch (chosen.step) {
    case "shared-config":
      return [chosen.step, chosen.profile, digestProfiles(chosen.profile, env, shared)];
    case "web-identity":
      return [chosen.step, ...variables("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")];
    case "container":
      return [
        chosen.step,
        ...variables(
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
          "AWS_CONTAINER_CREDENTIALS_FULL_URI",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        sha256Hex(env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] ?? ""),
      ];
    case "instance-metadata":
      return [chosen.step, instanceMetadata.endpoint];
    case "none":
      return [chosen.step];
  }
}

/** A digest of a profile, of the profiles that its roles start from, and of their sso-sessions. */
function digestProfiles(first: string, env: Environment, shared: SharedConfig): string {
  const seen = new Map<string, unknown>();
  let name: string | undefined = first;
  while (name !== undefined && !seen.has(name)) {
    const keys: Keys = shared.profiles.get(name)?.keys ?? {};
    const session =
      keys["sso_session"] === undefined ? undefined : shared.ssoSessions.get(keys["sso_session"]);
    const isFromEnvironment = keys["credential_source"] === "Environment";
    seen.set(name, [
      sorted(keys),
      session && sorted(session),
      isFromEnvironment ? (env["AWS_ACCESS_KEY_ID"] ?? null) : null,
    ]);
    name = keys["source_profile"];
  }
  return sha256Hex(JSON.stringify([...seen]));
}

function sorted(keys: Keys): [string, string][] {
  return Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1));
}
