import { version } from "@aws-sdk/client-bedrock-runtime/package.json";
import { usageError } from "../errors.ts";
import { clientConfig } from "./client-config.ts";
import { type BedrockService, decideWishes, regionalEndpoint } from "./regional-endpoint.ts";
import { RestClient } from "./rest-client.ts";
import { resolveRegionConfig } from "../network/sdk-parts.ts";
import type { AwsSession } from "./session.ts";

/** The names of the services in the user agents of the SDK's clients. */
const IDS: Record<BedrockService, string> = { bedrock: "Bedrock", "bedrock-runtime": "Bedrock Runtime" };

/**
 * Opens a client for the calls that people wait for: lists of discovery, and the stream of an answer. Throws credential
 * errors, and `usage` for an endpoint that does not go with FIPS or dual-stack.
 */
export async function openRestClient(session: AwsSession, service: BedrockService): Promise<RestClient> {
  const { runtime, shared } = session.setup;
  const keys = shared.profiles.get(session.decision.profileName)?.keys;
  const wishes = decideWishes(runtime.env, keys);
  const config = await clientConfig(session, service);
  if (config.endpoint !== undefined && (wishes.fips || wishes.dualStack)) {
    throw usageError(
      `FIPS and dual-stack endpoints are the region's own, and ${config.endpoint} is not one of them.`,
      "Unset AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or leave the endpoint out.",
    );
  }
  // A region such as fips-us-east-1 is another one's FIPS endpoint.
  const resolved = resolveRegionConfig({ region: config.region, useFipsEndpoint: wishes.fips });
  const region = await resolved.region();
  const own = { ...wishes, fips: await resolved.useFipsEndpoint() };
  const endpoint = config.endpoint ?? regionalEndpoint(service, region, own);
  const rest = {
    id: IDS[service],
    endpoint,
    isNamed: config.endpoint !== undefined,
    sdkVersion: version,
    appId: runtime.env["AWS_SDK_UA_APP_ID"] ?? keys?.["sdk_ua_app_id"],
  };
  return new RestClient({ ...config, region }, await session.authentication(), rest, runtime);
}
