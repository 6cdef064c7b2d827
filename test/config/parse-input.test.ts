import { describe, expect, test } from "vitest";
import { parseValue } from "../../src/config/parse-input.ts";
import { parsePath } from "../../src/config/path.ts";

describe("a value typed on the command line", () => {
  const table: [what: string, path: string, text: string, value: unknown][] = [
    ["a string setting takes the text as it is", "models.bedrockDiscovery.region", "us-east-1", "us-east-1"],
    ["also when it looks like a number", "agents.defaults.models.m.alias", "007", "007"],
    ["also when it looks like a boolean", "agents.defaults.models.m.alias", "true", "true"],
    ["also when it looks like an object", "agents.defaults.models.m.alias", "{a:1}", "{a:1}"],
    ["blanks included", "agents.defaults.models.m.alias", " a ", " a "],
    ["empty included", "agents.defaults.models.m.alias", "", ""],
    ["double quotes are taken off", "models.bedrockDiscovery.region", '"us-east-1"', "us-east-1"],
    ["single quotes are taken off", "models.bedrockDiscovery.region", "'us-east-1'", "us-east-1"],
    ["escapes in quotes count", "agents.defaults.models.m.alias", '"a\\tb"', "a\tb"],
    ["a lone quote stays", "agents.defaults.models.m.alias", '"a', '"a'],
    ["a choice is a string setting", "models.providers.x.api", "openai-completions", "openai-completions"],
    ["a header is a string setting", "models.providers.x.headers.X-Count", "5", "5"],
    ["a URL", "models.providers.x.baseUrl", "https://h/a//b", "https://h/a//b"],
    ["boolean", "models.bedrockDiscovery.enabled", "true", true],
    ["boolean, mistyped", "models.bedrockDiscovery.enabled", "yes", "yes"],
    ["number", "models.bedrockDiscovery.refreshInterval", "60", 60],
    ["number, hexadecimal", "models.bedrockDiscovery.refreshInterval", "0x10", 16],
    ["number in quotes is a string", "models.bedrockDiscovery.refreshInterval", '"60"', "60"],
    ["list in JSON", "models.bedrockDiscovery.providerFilter", '["a","b"]', ["a", "b"]],
    ["list in JSON5", "models.bedrockDiscovery.providerFilter", "['a', 'b',]", ["a", "b"]],
    ["list, mistyped", "models.bedrockDiscovery.providerFilter", "a,b", "a,b"],
    [
      "a default model as text",
      "agents.defaults.model",
      "amazon-bedrock/us.x-v1:0",
      "amazon-bedrock/us.x-v1:0",
    ],
    ["a default model as object", "agents.defaults.model", "{primary: 'a'}", { primary: "a" }],
    ["a default model that looks like a number", "agents.defaults.model", "4", "4"],
    ["an item of a list of strings", "models.bedrockDiscovery.providerFilter[0]", "5", "5"],
    ["an unknown path takes JSON5", "gateway.port", "8080", 8080],
    ["an unknown path takes raw text", "gateway.host", "0.0.0.0", "0.0.0.0"],
  ];
  test.each(table)("%s", (_, path, text, value) => {
    expect(parseValue(text, parsePath(path))).toEqual(value);
  });
});

describe("with --strict-json", () => {
  test.each([
    ["models.bedrockDiscovery.region", '"us-east-1"', "us-east-1"],
    ["models.bedrockDiscovery.enabled", "true", true],
    ["models.bedrockDiscovery.providerFilter", '["a"]', ["a"]],
  ])("%s takes %s", (path, text, value) => {
    expect(parseValue(text, parsePath(path), true)).toEqual(value);
  });

  test.each([
    ["models.bedrockDiscovery.region", "us-east-1"],
    ["models.bedrockDiscovery.providerFilter", "['a']"],
    ["models.bedrockDiscovery.refreshInterval", "0x10"],
    ["models.bedrockDiscovery.refreshInterval", ""],
  ])("%s refuses %s", (path, text) => {
    expect(() => parseValue(text, parsePath(path), true)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining(text) }),
    );
  });

  test("a secret that is not JSON is not repeated", () => {
    expect(() => parseValue("sk-topsecret", parsePath("models.providers.x.apiKey"), true)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("topsecret") }),
    );
  });
});
