import { OpenclawError } from "../errors.ts";
import { maskUserInfo } from "../network/user-info.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { SharedConfig } from "./shared-config.ts";

export interface InstanceMetadataSettings {
  /** For example `http://169.254.169.254`. */
  endpoint: string;
  /** What is wrong with what names the endpoint; nobody is asked then. */
  error?: OpenclawError;
  isDisabled: boolean;
  /** Whether the older protocol without a token may be used where the newer one is refused. */
  allowsVersion1: boolean;
}

/**
 * Reads the variables and the profile keys of instance metadata
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html). As in the SDK, the profile is that of
 * AWS_PROFILE, not of a flag, and any value of AWS_EC2_METADATA_DISABLED but `false` turns it off.
 */
export function decideInstanceMetadata(
  env: Environment,
  shared: Pick<SharedConfig, "profiles">,
): InstanceMetadataSettings {
  const keys = shared.profiles.get(env["AWS_PROFILE"] ?? "default")?.keys ?? {};
  const named = firstSet([
    ["AWS_EC2_METADATA_SERVICE_ENDPOINT", env],
    ["ec2_metadata_service_endpoint", keys],
  ]);
  const mode = firstSet([
    ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", env],
    ["ec2_metadata_service_endpoint_mode", keys],
  ]);
  const usual = mode?.value.toLowerCase() === "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  const isDisabled = isOn(env["AWS_EC2_METADATA_DISABLED"]);
  const error = isDisabled ? undefined : named ? judgeEndpoint(named) : mode && judgeMode(mode);
  return {
    ...(error ? { error } : {}),
    endpoint: named?.value ?? usual,
    isDisabled,
    allowsVersion1: !isOn(env["AWS_EC2_METADATA_V1_DISABLED"] ?? keys["ec2_metadata_v1_disabled"]),
  };
}

interface Named {
  name: string;
  value: string;
}

function firstSet(
  places: readonly (readonly [name: string, values: Readonly<Record<string, string | undefined>>])[],
): Named | undefined {
  for (const [name, values] of places) {
    const value = values[name]?.trim();
    if (value) return { name, value };
  }
  return undefined;
}

function judgeEndpoint({ name, value }: Named): OpenclawError | undefined {
  if (URL.canParse(value) && new URL(value).protocol === "http:") return undefined;
  const host = /^[\w.[\]:-]+$/.test(value) ? value : "169.254.169.254";
  return refuse(name, value, "an http URL", `http://${host}`);
}

function judgeMode({ name, value }: Named): OpenclawError | undefined {
  return /^ipv[46]$/i.test(value) ? undefined : refuse(name, value, "IPv4 or IPv6", "IPv4");
}

function refuse(name: string, value: string, what: string, example: string): OpenclawError {
  return new OpenclawError("config-invalid", {
    message: `${name} '${maskUserInfo(value)}' is not ${what}.`,
    hint: name.startsWith("AWS_")
      ? `export ${name}=${example}`
      : `aws configure set ${quoteForShell(name)} ${quoteForShell(example)}`,
  });
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value.trim().toLowerCase() !== "false";
}
