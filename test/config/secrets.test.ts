import { expect, test } from "vitest";
import { maskedAt } from "../../src/config/edit-value.ts";
import { parsePath } from "../../src/config/path.ts";
import { isSecretPath, maskSecrets } from "../../src/config/secrets.ts";
import { maskBrokenText, maskDocument } from "../../src/config/mask-document.ts";

test.each([
  ["models.providers.x.apiKey", true],
  ["models.providers.x.headers.Authorization", true],
  ["models.providers.x.headers", true],
  ["models.providers.x.baseUrl", false],
  ["models.bedrockDiscovery.defaultMaxTokens", false],
  ["channels.telegram.botToken", true],
  ["gateway.auth.password", true],
  ["gateway.aws_secret_access_key", true],
  ["gateway.tokens", false],
  ["gateway.port", false],
])("%s: secret %s", (path, isSecret) => {
  expect(isSecretPath(parsePath(path))).toBe(isSecret);
});

test("masks secrets at every depth, those of other programs and of URLs among them", () => {
  const value = {
    models: {
      providers: {
        a: { apiKey: "sk-1", headers: { "X-Trace": "h-2" }, baseUrl: "https://user:pw-3@host/v1" },
        b: { apiKey: "${MY_KEY}" },
      },
    },
    channels: [{ botToken: "t-4", name: "n" }],
    credentials: { user: "u-5", nested: [{ anything: "x-6" }] },
    maxTokens: 5,
  };
  expect(maskSecrets(value)).toEqual({
    models: {
      providers: {
        a: { apiKey: "****", headers: { "X-Trace": "****" }, baseUrl: "https://****@host/v1" },
        b: { apiKey: "${MY_KEY}" },
      },
    },
    channels: [{ botToken: "****", name: "n" }],
    credentials: { user: "****", nested: [{ anything: "****" }] },
    maxTokens: 5,
  });
});

test.each([
  ["--api-key", "k"],
  ["--token", "k"],
  ["-password", "k"],
])("masks the word behind %s of a command line", (flag, secret) => {
  const server = { command: "x", args: ["-y", flag, secret, "b"] };
  expect(maskSecrets({ mcpServers: { a: server } })).toEqual({
    mcpServers: { a: { command: "x", args: ["-y", flag, "****", "b"] } },
  });
});

test.each([
  '{args:["--token","k"]}',
  "{ // a comment\n  args: ['--token', 'k', \"--token\", /* b */ 'k'],\n}",
])("masks the word behind a flag in a text as in its value: %j", (server) => {
  const masked = maskDocument(`{mcpServers:{a:${server}}}`);
  expect(masked).not.toMatch(/['"]k['"]/);
  expect(masked).toContain("--token");
});

test("a secret that only the word before it tells is masked by its place, too", () => {
  const document = { mcpServers: { a: { command: "x", args: ["--token", "k", "b"] } } };
  expect(maskedAt(document, parsePath("mcpServers.a.args[1]"))).toBe("****");
  expect(maskedAt(document, parsePath("mcpServers.a.args[2]"))).toBe("b");
});

test.each([
  ["--token=k", "--token=****"],
  ["API_KEY=k", "API_KEY=****"],
  ["Authorization: Bearer k", "Authorization: ****"],
  ["x-api-key:k", "x-api-key:****"],
  ["--token=${TOKEN}", "--token=${TOKEN}"],
  ["Authorization: Bearer ${TOKEN}", "Authorization: Bearer ${TOKEN}"],
  ["--tokens", "--tokens"],
  ["https://h/?a=1&access_token=k#b", "https://h/?a=1&access_token=****#b"],
])("masks what a word of a command line has behind a name: %s", (word, masked) => {
  expect(maskSecrets({ tools: { a: { command: ["x", word] } } })).toEqual({
    tools: { a: { command: ["x", masked] } },
  });
  expect(maskSecrets([word], ["mcpServers", "a", "args"])).toEqual([masked]);
});

test("leaves other lists as they are", () => {
  const value = { agents: { defaults: { params: { stopSequences: ["--token", "key=value"] } } } };
  expect(maskSecrets(value)).toEqual(value);
});

test("masks a part of the file that is secret as a whole", () => {
  expect(maskSecrets("sk-1", parsePath("models.providers.a.apiKey"))).toBe("****");
  expect(maskSecrets({ A: "1" }, parsePath("models.providers.a.headers"))).toEqual({ A: "****" });
  expect(maskSecrets(undefined, parsePath("models.providers.a.apiKey"))).toBeUndefined();
});

test("masks the text of a document without changing its structure or its number of lines", () => {
  const text =
    "{ // c\n  models: { providers: { a: { apiKey: 'sk-\\\n1', headers: { A: \"h-2\" } } } }, // d\n}";
  expect(maskDocument(text)).toBe(
    "{ // c\n  models: { providers: { a: { apiKey: '****\\\n', headers: { A: \"****\" } } } }, // d\n}",
  );
});

test.each([
  ["{ apiKey: 'sk-123, region: 1", "{ apiKey: ******************"],
  ["{ botToken: sk-123\n a: 1", "{ botToken: ******\n a: 1"],
  ['{ headers: { "X": "abc" ', '{ headers: { "X": "*****'],
  ['{ "api-key" : "abc"}', '{ "api-key" : ******'],
])("hides what may be a secret in a text that cannot be parsed: %j", (text, masked) => {
  expect(maskBrokenText(text)).toHaveLength(text.length);
  expect(maskBrokenText(text)).toBe(masked);
});
