// The least that streams an answer of Bedrock: node:https and a bearer token.
const https = require("node:https");
const { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: endpoint, AWS_BEARER_TOKEN_BEDROCK: token } = process.env;
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
const url = `${endpoint}/model/amazon.nova-lite-v1%3A0/converse-stream`;
const request = https.request(url, { method: "POST", headers }, (response) => {
  response.setEncoding("utf8").on("data", (frames) => {
    for (const [, text = ""] of frames.matchAll(/"text":"([^"]*)"/g)) process.stdout.write(text);
  });
});
request.end(JSON.stringify({ messages: [{ role: "user", content: [{ text: "Hello" }] }] }));
