import type { Environment } from "../runtime.ts";
import type { SharedConfig } from "./shared-config.ts";

/** How the EC2 instance metadata service (IMDS) is reached. */
export interface InstanceMetadataSettings {
  /** For example `http://169.254.169.254`. */
  endpoint: string;
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
  const endpoint = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? keys["ec2_metadata_service_endpoint"];
  const mode = env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] ?? keys["ec2_metadata_service_endpoint_mode"];
  const usual = mode?.toLowerCase() === "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  return {
    endpoint: endpoint ?? usual,
    isDisabled: isOn(env["AWS_EC2_METADATA_DISABLED"]),
    allowsVersion1: !isOn(env["AWS_EC2_METADATA_V1_DISABLED"] ?? keys["ec2_metadata_v1_disabled"]),
  };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value.trim().toLowerCase() !== "false";
}
