import { version } from "@aws-sdk/client-bedrock-runtime/package.json";
import { decideWishes } from "../aws/endpoint.ts";
import { usageError } from "../errors.ts";
import { profileInForce } from "../credentials/shared-config.ts";
import { clientConfig, type ClientSession } from "./client-config.ts";
import { type BedrockService, locateService } from "./regional-endpoint.ts";
import { RestClient } from "./rest-client.ts";

/** The names of the services in the user agents of the SDK's clients. */
const IDS: Record<BedrockService, string> = {
  bedrock: "Bedrock",
  "bedrock-runtime": "Bedrock Runtime",
  "bedrock-mantle": "Bedrock Mantle",
};

/**
 * Opens a client of a Bedrock service. Throws credential errors, and `usage` for an endpoint that does not go with FIPS or
 * dual-stack.
 */
export async function openRestClient(session: ClientSession, service: BedrockService): Promise<RestClient> {
  const { runtime, shared } = session.setup;
  const profile = profileInForce(shared, session.decision.profileName);
  const wishes = decideWishes(runtime.env, profile);
  const config = await clientConfig(session, service);
  if (config.endpoint !== undefined && (wishes.fips || wishes.dualStack)) {
    throw usageError(
      `FIPS and dual-stack endpoints are the region's own, and ${config.endpoint} is not one of them.`,
      "Unset AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or leave the endpoint out.",
    );
  }
  const { region, url } = await locateService(service, config.region, wishes);
  const rest = {
    id: IDS[service],
    signingName: service === "bedrock-mantle" ? service : "bedrock",
    endpoint: config.endpoint ?? url,
    isNamed: config.endpoint !== undefined,
    sdkVersion: version,
    appId: runtime.env["AWS_SDK_UA_APP_ID"] ?? profile?.keys["sdk_ua_app_id"],
  };
  return new RestClient({ ...config, region }, await session.authentication(), rest, runtime);
}
