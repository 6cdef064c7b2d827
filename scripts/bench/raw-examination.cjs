// The longest chain of calls of `openclaw doctor` that wait for each other, over one connection that is kept: whether the
// endpoint answers, what it lists, and whether the account has access to a model of the list.
const https = require("node:https");
const { AWS_ENDPOINT_URL_BEDROCK: endpoint, AWS_BEARER_TOKEN_BEDROCK: token } = process.env;
const headers = { authorization: `Bearer ${token}` };
const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });

/** @param {string[]} paths */
function ask([path, ...later]) {
  if (path === undefined) return;
  https.get(`${endpoint}${path}`, { headers, agent }, (response) => {
    console.log(path, response.statusCode);
    response.resume().on("end", () => ask(later));
  });
}

ask(["/", "/foundation-models", "/foundation-model-availability/amazon.nova-lite-v1%3A0"]);
