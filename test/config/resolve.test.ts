import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { expandEnv } from "../../src/config/expand-env.ts";
import { locateConfig } from "../../src/config/file.ts";
import { defaultModel, discoverySettings, loadConfig } from "../../src/config/resolve.ts";
import type { Configuration } from "../../src/config/settings.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const home = "/home/u";
const at = (config: string | undefined, env: Record<string, string>): string => {
  const options = config === undefined ? {} : { config };
  return locateConfig(options, { env, homeFolder: home, currentFolder: "/srv/dir" }).file;
};

test.each([
  [undefined, {}, "/home/u/.openclaw/openclaw.json"],
  [undefined, { OPENCLAW_STATE_DIR: "/var/state" }, "/var/state/openclaw.json"],
  [undefined, { OPENCLAW_STATE_DIR: "~/state" }, "/home/u/state/openclaw.json"],
  [undefined, { OPENCLAW_STATE_DIR: "/var/state", OPENCLAW_CONFIG_PATH: "/etc/o.json5" }, "/etc/o.json5"],
  [undefined, { OPENCLAW_CONFIG_PATH: "~/o.json5" }, "/home/u/o.json5"],
  [undefined, { OPENCLAW_CONFIG_PATH: "o.json5" }, "/srv/dir/o.json5"],
  ["c.json5", { OPENCLAW_CONFIG_PATH: "/etc/o.json5" }, "/srv/dir/c.json5"],
  ["~/c.json5", {}, "/home/u/c.json5"],
] as [string | undefined, Record<string, string>, string][])(
  "--config %s with %j is %s",
  (config, env, file) => {
    expect(at(config, env)).toBe(file);
  },
);

test("a --config that names nothing is a usage error", () => {
  expect(() => at(" ", {})).toThrow(expect.objectContaining({ code: "usage" }));
});

/** Loads this text as the configuration of a home of its own. */
async function load(text: string, env: Record<string, string> = {}): Promise<Configuration> {
  const home = createHome();
  const file = path.join(home, "c.json5");
  writeFileSync(file, text);
  return (await loadConfig({ config: file }, testRuntime({ home, env }))).value;
}

describe("the configuration", () => {
  test("is empty without a file", async () => {
    const home = createHome();
    expect(await loadConfig({}, testRuntime({ home }))).toEqual({
      file: path.join(home, ".openclaw", "openclaw.json"),
      exists: false,
      value: {},
    });
  });

  test("is empty where OPENCLAW_CONFIG_PATH names no file", async () => {
    const home = createHome();
    const runtime = testRuntime({ home, env: { OPENCLAW_CONFIG_PATH: "none.json5" } });
    expect(await loadConfig({}, runtime)).toMatchObject({ exists: false, value: {} });
  });

  test("of a --config that does not exist is an error", async () => {
    const home = createHome();
    const options = { config: path.join(home, "none.json5") };
    await expect(loadConfig(options, testRuntime({ home }))).rejects.toMatchObject({
      code: "config-unreadable",
      exitCode: 3,
      message: expect.stringContaining(options.config),
    });
  });

  test.each([
    ["", {}],
    ["  \n// only a comment\n/* and another */", {}],
    ["\uFEFF{ gateway: { port: 1 } }", { gateway: { port: 1 } }],
    ['{"models":{}}', { models: {} }],
  ])("%j is read", async (text, value) => {
    expect(await load(text)).toEqual(value);
  });

  test.each([
    ["[]", "must hold an object, not an empty list"],
    ["5", "must hold an object, not the number 5"],
    ["{ a: 1\n  b: 2 }", 'line 2, column 3: "b" is not expected here; a comma may be missing before it'],
    ['{ "a": "x\n" }', "line 1, column 10: the line ends inside a text or number"],
    ["{ a: [1,", "line 1, column 9: it ends too early"],
    ["{ a: 1 # b\n}", 'line 1, column 8: "#" is not expected here; comments begin with //'],
    ["{\r  a: @\r}", 'line 2, column 6: "@" is not expected here'],
    [
      "{ models: { bedrockDiscovery: { enabled: 'yes' } } }",
      'models.bedrockDiscovery.enabled takes true or false, not the string "yes".',
    ],
    ["{ models: 1, agents: 2 }", "models takes an object, not the number 1. One more problem follows."],
  ])("%j is refused", async (text, message) => {
    await expect(load(text)).rejects.toMatchObject({
      code: "config-invalid",
      exitCode: 3,
      message: expect.stringContaining(message),
    });
  });

  test("that is nested too deep for the call stack is no crash", async () => {
    const deep = 100_000;
    expect(await load(`{ other: ${"[".repeat(deep)}${"]".repeat(deep)} }`)).toHaveProperty("other");
  });

  test("that is a folder, and one that is not UTF-8, cannot be read", async () => {
    const home = createHome();
    const folder = path.join(home, "folder");
    mkdirSync(folder);
    await expect(loadConfig({ config: folder }, testRuntime({ home }))).rejects.toMatchObject({
      code: "config-unreadable",
      message: expect.stringContaining("it is a folder"),
    });
    const file = path.join(home, "latin1.json5");
    writeFileSync(file, Buffer.from([0x7b, 0x2f, 0x2f, 0xe9, 0x0a, 0x7d]));
    await expect(loadConfig({ config: file }, testRuntime({ home }))).rejects.toMatchObject({
      code: "config-invalid",
    });
  });

  test("that may not be read says so", async ({ skip }) => {
    skip(process.getuid?.() === 0, "root reads every file");
    const home = createHome();
    const file = path.join(home, "c.json5");
    writeFileSync(file, "{}");
    chmodSync(file, 0);
    await expect(loadConfig({ config: file }, testRuntime({ home }))).rejects.toMatchObject({
      code: "config-unreadable",
      message: expect.stringContaining("permission denied"),
    });
  });
});

describe("${NAME}", () => {
  test("is resolved in what is loaded, but not in secrets and not where the variable is missing", async () => {
    const text = `{ models: {
      bedrockDiscovery: { region: "\${R}", providerFilter: ["\${P}", "\${MISSING}"] },
      providers: { p: { apiKey: "\${P}", headers: { A: "\${P}" }, baseUrl: "https://\${P}.example" } },
    } }`;
    expect(await load(text, { R: "eu-west-1", P: "anthropic" })).toEqual({
      models: {
        bedrockDiscovery: { region: "eu-west-1", providerFilter: ["anthropic", "${MISSING}"] },
        providers: { p: { apiKey: "${P}", headers: { A: "${P}" }, baseUrl: "https://anthropic.example" } },
      },
    });
  });

  test("is checked by the value it stands for", async () => {
    await expect(
      load('{ models: { bedrockDiscovery: { region: "${R}" } } }', { R: "nowhere" }),
    ).rejects.toMatchObject({
      code: "config-invalid",
    });
  });

  test("without such a variable is an error for those who need the value", async () => {
    const value = await load(
      '{ models: { bedrockDiscovery: { region: "${R}" } }, agents: { defaults: { model: "${M}" } } }',
    );
    expect(() => discoverySettings(value)).toThrow(
      expect.objectContaining({
        code: "config-invalid",
        details: { variable: "R", path: "models.bedrockDiscovery.region" },
      }),
    );
    expect(() => defaultModel(value)).toThrow("The environment variable M is not set");
  });

  test.each([
    ["plain", "plain"],
    ["${A}", "1"],
    ["x${A}y${B_2}z", "x1y22z"],
    ["$${A}", "${A}"],
    ["${not a name}", "${not a name}"],
    ["$A", "$A"],
  ])("%s becomes %s", (text, expanded) => {
    expect(expandEnv(text, { A: "1", B_2: "22" })).toBe(expanded);
  });
});

describe("discovery settings", () => {
  const defaults = {
    enabled: undefined,
    region: undefined,
    providerFilter: [],
    refreshInterval: 3600,
    defaultContextWindow: 32_000,
    defaultMaxTokens: 4096,
  };
  const own = {
    enabled: false,
    region: "us-east-1",
    providerFilter: ["anthropic"],
    refreshInterval: 0,
    defaultContextWindow: 1,
    defaultMaxTokens: 2,
  };

  test("have their defaults", () => {
    expect(discoverySettings({})).toEqual(defaults);
  });

  test.each(Object.entries(own))(
    "%s counts from either place, models.bedrockDiscovery first",
    (name, value) => {
      const plugin = (discovery: object): Configuration => ({
        plugins: { entries: { "amazon-bedrock": { config: { discovery } } } },
      });
      expect(discoverySettings({ models: { bedrockDiscovery: { [name]: value } } })).toEqual({
        ...defaults,
        [name]: value,
      });
      expect(discoverySettings(plugin({ [name]: value }))).toEqual({ ...defaults, [name]: value });
      const other = {
        enabled: true,
        region: "eu-west-1",
        providerFilter: [],
        refreshInterval: 9,
        defaultContextWindow: 9,
        defaultMaxTokens: 9,
      };
      const both = { ...plugin(other), models: { bedrockDiscovery: { [name]: value } } };
      expect(discoverySettings(both)).toEqual({ ...other, [name]: value });
    },
  );
});

test.each([
  [{}, { fallbacks: [] }],
  [{ agents: { defaults: { model: "a" } } }, { primary: "a", fallbacks: [] }],
  [
    { agents: { defaults: { model: { primary: "a", fallbacks: ["b"] } } } },
    { primary: "a", fallbacks: ["b"] },
  ],
] as [Configuration, object][])("the default model of %j", (config, model) => {
  expect(defaultModel(config)).toEqual(model);
});
