// The least that gets both lists of Bedrock: node:https and a bearer token, both asked for at once.
const https = require("node:https");
const { AWS_ENDPOINT_URL_BEDROCK: endpoint, AWS_BEARER_TOKEN_BEDROCK: token } = process.env;
const headers = { authorization: `Bearer ${token}` };
for (const path of ["/foundation-models", "/inference-profiles?maxResults=1000"]) {
  https.get(`${endpoint}${path}`, { headers }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    response.on("end", () => {
      const { modelSummaries = [], inferenceProfileSummaries = [] } = JSON.parse(text);
      for (const { modelId } of modelSummaries) console.log(modelId);
      for (const { inferenceProfileId } of inferenceProfileSummaries) console.log(inferenceProfileId);
    });
  });
}
