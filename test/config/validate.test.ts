import { readFileSync } from "node:fs";
import path from "node:path";
import JSON5 from "json5";
import { describe, expect, test } from "vitest";
import { formatPath } from "../../src/config/path.ts";
import { validate } from "../../src/config/validate.ts";

const discovery = (values: object): object => ({ models: { bedrockDiscovery: values } });
const provider = (values: object): object => ({ models: { providers: { p: values } } });
const model = (values: object): object => provider({ models: [values] });
const defaults = (values: object): object => ({ agents: { defaults: values } });

describe("a value that fits", () => {
  const table: [string, unknown][] = [
    ["nothing", {}],
    [
      "keys of other programs",
      { gateway: { port: 1 }, models: { other: [] }, plugins: { entries: { x: 1 } } },
    ],
    [
      "every discovery key",
      discovery({
        enabled: false,
        region: "us-gov-west-1",
        providerFilter: ["a"],
        refreshInterval: 0,
        defaultContextWindow: 1,
        defaultMaxTokens: 1,
      }),
    ],
    ["a model with its id only", model({ id: "x" })],
    [
      "a model with everything",
      model({
        id: "x",
        name: "",
        reasoning: true,
        input: ["text", "image", "document"],
        cost: { input: 0, output: 0.5, cacheRead: 0, cacheWrite: 0 },
        contextWindow: 1,
        maxTokens: 1,
      }),
    ],
    ["a default model as text", defaults({ model: "a/b" })],
    ["a default model as object", defaults({ model: { primary: "a", fallbacks: ["b"] } })],
    [
      "a key taken from the environment",
      provider({ apiKey: "${KEY}", baseUrl: "${BASE}/v1", api: "${API}" }),
    ],
    ["a region taken from the environment", discovery({ region: "${MY_REGION}" })],
    ["headers", provider({ headers: { "X-A": "" } })],
    ["an IPv6 base URL", provider({ baseUrl: "http://[::1]:8080/" })],
  ];
  test.each(table)("%s", (_, value) => {
    expect(validate(value)).toEqual([]);
  });

  test("the seed's configuration file", () => {
    const file = path.join(import.meta.dirname, "../fixtures/seed-config.json5");
    expect(validate(JSON5.parse(readFileSync(file, "utf8")))).toEqual([]);
  });
});

describe("a value that does not fit names path, expected and received", () => {
  const table: [unknown, string, string, string][] = [
    [[], "", "an object", "an empty list"],
    [{ models: [] }, "models", "an object", "an empty list"],
    [{ models: null }, "models", "an object", "null"],
    [discovery({ enabled: "yes" }), "models.bedrockDiscovery.enabled", "true or false", 'the string "yes"'],
    [discovery({ enabled: 1 }), "models.bedrockDiscovery.enabled", "true or false", "the number 1"],
    [
      discovery({ region: "Frankfurt" }),
      "models.bedrockDiscovery.region",
      "an AWS region such as us-east-1",
      'the string "Frankfurt"',
    ],
    [
      discovery({ region: "" }),
      "models.bedrockDiscovery.region",
      "an AWS region such as us-east-1",
      "an empty string",
    ],
    [
      discovery({ providerFilter: "anthropic" }),
      "models.bedrockDiscovery.providerFilter",
      "a list of non-empty strings",
      'the string "anthropic"',
    ],
    [
      discovery({ providerFilter: ["a", 5] }),
      "models.bedrockDiscovery.providerFilter[1]",
      "a non-empty string",
      "the number 5",
    ],
    [
      discovery({ refreshInterval: -1 }),
      "models.bedrockDiscovery.refreshInterval",
      "a whole number of seconds, at least 0",
      "the number -1",
    ],
    [
      discovery({ refreshInterval: 1.5 }),
      "models.bedrockDiscovery.refreshInterval",
      "a whole number of seconds, at least 0",
      "the number 1.5",
    ],
    [
      discovery({ refreshInterval: "60" }),
      "models.bedrockDiscovery.refreshInterval",
      "a whole number of seconds, at least 0",
      'the string "60"',
    ],
    [
      discovery({ refreshInterval: Number.POSITIVE_INFINITY }),
      "models.bedrockDiscovery.refreshInterval",
      "a whole number of seconds, at least 0",
      "the number Infinity",
    ],
    [
      discovery({ refreshInterval: Number.NaN }),
      "models.bedrockDiscovery.refreshInterval",
      "a whole number of seconds, at least 0",
      "the number NaN",
    ],
    [
      discovery({ refreshInterval: 1e300 }),
      "models.bedrockDiscovery.refreshInterval",
      "a whole number of seconds, at least 0",
      "the number 1e+300",
    ],
    [
      discovery({ defaultContextWindow: 0 }),
      "models.bedrockDiscovery.defaultContextWindow",
      "a whole number of tokens, at least 1",
      "the number 0",
    ],
    [
      discovery({ defaultMaxTokens: 0 }),
      "models.bedrockDiscovery.defaultMaxTokens",
      "a whole number of tokens, at least 1",
      "the number 0",
    ],
    [
      provider({ baseUrl: "bedrock.local" }),
      "models.providers.p.baseUrl",
      "an http or https URL",
      'the string "bedrock.local"',
    ],
    [
      provider({ baseUrl: "ftp://u:secret@h/" }),
      "models.providers.p.baseUrl",
      "an http or https URL",
      'the string "ftp://****@h/"',
    ],
    [
      provider({ api: "converse" }),
      "models.providers.p.api",
      "bedrock-converse-stream, openai-completions, openai-responses or anthropic-messages",
      'the string "converse"',
    ],
    [provider({ auth: true }), "models.providers.p.auth", "aws-sdk, api-key or none", "true"],
    [provider({ apiKey: 12345 }), "models.providers.p.apiKey", "a non-empty string", "a number"],
    [provider({ headers: { "X-A": 5 } }), "models.providers.p.headers.X-A", "a string", "a number"],
    [provider({ headers: ["X"] }), "models.providers.p.headers", "an object of strings by name", "a list"],
    [model({}), "models.providers.p.models[0].id", "a non-empty string", "nothing"],
    [
      model({ id: "x", input: ["smell"] }),
      "models.providers.p.models[0].input[0]",
      "text, image, document, video or audio",
      'the string "smell"',
    ],
    [
      model({ id: "x", cost: { input: -1 } }),
      "models.providers.p.models[0].cost.input",
      "a number in USD per million tokens, at least 0",
      "the number -1",
    ],
    [
      defaults({ model: 5 }),
      "agents.defaults.model",
      "a non-empty string, or an object with primary",
      "the number 5",
    ],
    [
      defaults({ model: { fallbacks: [] } }),
      "agents.defaults.model.primary",
      "a non-empty string",
      "nothing",
    ],
    [
      defaults({ params: { temperature: 3 } }),
      "agents.defaults.params.temperature",
      "a number from 0 to 2",
      "the number 3",
    ],
  ];
  test.each(table)("%j", (value, place, expected, received) => {
    const problems = validate(value);
    expect(problems).toHaveLength(1);
    expect(formatPath(problems[0]!.path)).toBe(place);
    expect(problems[0]).toMatchObject({ expected, received });
    expect(problems[0]!.message).toContain(expected);
  });
});

test("every problem of a value is named, not only the first", () => {
  const problems = validate({ ...discovery({ enabled: 1, region: 2 }), ...defaults({ model: [] }) });
  expect(problems.map((problem) => formatPath(problem.path))).toEqual([
    "models.bedrockDiscovery.enabled",
    "models.bedrockDiscovery.region",
    "agents.defaults.model",
  ]);
});

test("a long string is cut in the message", () => {
  expect(validate(discovery({ enabled: "x".repeat(500) }))[0]?.received.length).toBeLessThan(90);
});
