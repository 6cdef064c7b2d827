// The least a script with the AWS SDK does to list model ids.
import { BedrockClient, ListFoundationModelsCommand } from "@aws-sdk/client-bedrock";

const client = new BedrockClient({});
const { modelSummaries } = await client.send(new ListFoundationModelsCommand({}));
for (const { modelId } of modelSummaries ?? []) console.log(modelId);
