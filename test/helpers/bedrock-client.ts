import { BedrockClient } from "@aws-sdk/client-bedrock";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { onTestFinished } from "vitest";

/** What AWS's own clients are pointed at a server with. */
interface Place {
  url: string;
  /** A key of the server's, or of AWS's. */
  key: string;
}

/** AWS's own clients, with a key as `AWS_BEARER_TOKEN_BEDROCK` and nothing tried twice. */
export function bedrockClients({ url, key }: Place): {
  runtime: BedrockRuntimeClient;
  control: BedrockClient;
} {
  const options = () => ({
    region: "us-east-1",
    endpoint: url,
    token: { token: key },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
  const runtime = new BedrockRuntimeClient(options());
  const control = new BedrockClient(options());
  onTestFinished(() => {
    runtime.destroy();
    control.destroy();
  });
  return { runtime, control };
}
