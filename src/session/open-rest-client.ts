import { version } from "@aws-sdk/client-bedrock-runtime/package.json";
import { decideWishes } from "../aws/endpoint.ts";
import { OpenclawError } from "../errors.ts";
import { profileInForce } from "../credentials/shared-config.ts";
import { clientConfig, type ClientSession } from "./client-config.ts";
import { type CalledService, locateService } from "./regional-endpoint.ts";
import { RestClient } from "./rest-client.ts";

/** The services: their names in the user agents of the SDK's clients, and those that signatures are for. */
const NAMES: Record<CalledService, { id: string; signingName: string }> = {
  bedrock: { id: "Bedrock", signingName: "bedrock" },
  "bedrock-runtime": { id: "Bedrock Runtime", signingName: "bedrock" },
  "bedrock-mantle": { id: "Bedrock Mantle", signingName: "bedrock-mantle" },
  "service-quotas": { id: "Service Quotas", signingName: "servicequotas" },
  cloudwatch: { id: "CloudWatch", signingName: "monitoring" },
};

/**
 * Opens a client of a service. Throws credential errors, and `config-invalid` for an endpoint that does not go with FIPS or
 * dual-stack.
 */
export async function openRestClient(session: ClientSession, service: CalledService): Promise<RestClient> {
  const { runtime, shared } = session.setup;
  const profile = profileInForce(shared, session.decision.profileName);
  const wishes = decideWishes(runtime.env, profile);
  const config = await clientConfig(session, service);
  if (config.endpoint !== undefined && (wishes.fips || wishes.dualStack)) {
    throw new OpenclawError("config-invalid", {
      message: `FIPS and dual-stack endpoints are the region's own, and ${config.endpoint} is not one of them.`,
      hint: "Unset AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or leave the endpoint out.",
    });
  }
  const { region, url } = await locateService(service, config.region, wishes);
  const rest = {
    ...NAMES[service],
    endpoint: config.endpoint ?? url,
    isNamed: config.endpoint !== undefined,
    sdkVersion: version,
    appId: runtime.env["AWS_SDK_UA_APP_ID"] ?? profile?.keys["sdk_ua_app_id"],
  };
  return new RestClient({ ...config, region }, await session.authentication(), rest, runtime);
}
