import type { Service } from "../aws/endpoint.ts";

/**
 * A region's own endpoints by the SDK's rules, FIPS and dual-stack settings included. The rules of Bedrock Runtime are
 * those of Bedrock with another first part of the host, which saves loading its client.
 */
export async function regionalEndpoints(region: string, profile: string): Promise<Record<Service, string>> {
  const [{ BedrockClient }, { STSClient }] = await Promise.all([
    import("@aws-sdk/client-bedrock"),
    import("@aws-sdk/client-sts"),
  ]);
  const [bedrock, sts] = await Promise.all([
    ruleOf(new BedrockClient({ region, profile })),
    ruleOf(new STSClient({ region, profile })),
  ]);
  return { bedrock, "bedrock-runtime": bedrock.replace("//bedrock", "//bedrock-runtime"), sts };
}

interface EndpointConfig {
  region: () => Promise<string>;
  useFipsEndpoint: () => Promise<boolean>;
  useDualstackEndpoint: () => Promise<boolean>;
  endpointProvider: (parameters: { Region: string; UseFIPS: boolean; UseDualStack: boolean }) => { url: URL };
}

async function ruleOf(client: { readonly config: EndpointConfig; destroy(): void }): Promise<string> {
  const { config } = client;
  const [Region, UseFIPS, UseDualStack] = await Promise.all([
    config.region(),
    config.useFipsEndpoint(),
    config.useDualstackEndpoint(),
  ]);
  const { url } = config.endpointProvider({ Region, UseFIPS, UseDualStack });
  client.destroy();
  return url.origin;
}
