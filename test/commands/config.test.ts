import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import JSON5 from "json5";
import { describe, expect, test } from "vitest";
import { createHome, openclaw, type Result, type RunOptions } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

interface Fixture {
  home: string;
  file: string;
  run: (args: readonly string[], options?: RunOptions) => Promise<Result>;
  /** The text of the configuration file, or undefined without one. */
  text: () => string | undefined;
}

/** A home of its own, with this text as its configuration file. */
function homeWith(text?: string): Fixture {
  const home = createHome();
  const file = path.join(home, ".openclaw", "openclaw.json");
  if (text !== undefined) {
    mkdirSync(path.dirname(file), { mode: 0o700 });
    writeFileSync(file, text);
  }
  return {
    home,
    file,
    run: (args, options) => openclaw(["config", ...args], home, options),
    text: () => (existsSync(file) ? readFileSync(file, "utf8") : undefined),
  };
}

/** Parses the one document on stdout and asserts that it is what its schema says. */
function documentOf({ stdout }: Result, schema: string): Record<string, unknown> {
  const document = JSON.parse(stdout) as Record<string, unknown>;
  expectSchema(schema, document);
  return document;
}

const FULL = `// The settings of this host.
{
  models: {
    bedrockDiscovery: { region: 'eu-west-1', refreshInterval: 0xE10, }, // an hour
    providers: {
      "my-proxy": { baseUrl: "https://me:pw-secret@proxy.example/v1", apiKey: "sk-secret", headers: { "X-Auth": "h-secret" } },
    },
  },
  gateway: { port: 8080, authToken: "t-secret" }, /* of another program */
}
`;

describe("config get", () => {
  test.each([
    ["a string bare", "models.bedrockDiscovery.region", "eu-west-1\n"],
    ["a number bare", "models.bedrockDiscovery.refreshInterval", "3600\n"],
    [
      "an object as JSON",
      "models.bedrockDiscovery",
      '{\n  "region": "eu-west-1",\n  "refreshInterval": 3600\n}\n',
    ],
    ["a key of another program", "gateway.port", "8080\n"],
    ["a path in brackets", 'models.providers["my-proxy"].headers["X-Auth"]', "****\n"],
    ["a secret masked", "models.providers.my-proxy.apiKey", "****\n"],
    ["a URL without its password", "models.providers.my-proxy.baseUrl", "https://****@proxy.example/v1\n"],
  ])("prints %s", async (_, name, stdout) => {
    expect(await homeWith(FULL).run(["get", name])).toEqual({ code: 0, signal: null, stdout, stderr: "" });
  });

  test("prints the whole file without a path, no secret in it", async () => {
    const { run } = homeWith(FULL);
    const { code, stdout } = await run(["get"]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("secret");
    expect(JSON.parse(stdout)).toMatchObject({ gateway: { port: 8080, authToken: "****" } });
  });

  test("prints an empty object where there is no file", async () => {
    expect(await homeWith().run(["get"])).toMatchObject({ code: 0, stdout: "{}\n" });
  });

  test("prints JSON with --json", async () => {
    const { run } = homeWith(FULL);
    const result = await run(["get", "models.bedrockDiscovery.region", "--json"]);
    expect(result.stdout).toBe('"eu-west-1"\n');
    expectSchema("config-get", JSON.parse(result.stdout));
    documentOf(await run(["get", "models", "--json"]), "config-get");
  });

  test.each([
    ["models.bedrockDiscovery.defaultMaxTokens", "its default is 4096", "openclaw config get --effective"],
    ["models.bedrockDiscovery.enabled", "its default is on when AWS credentials are found", "--effective"],
    [
      "agents.defaults.model",
      "agents.defaults.model is not set.",
      "openclaw config set agents.defaults.model VALUE",
    ],
    [
      "models.bedrockDiscovery.regoin",
      "the nearest one is models.bedrockDiscovery.region",
      "openclaw config get models.bedrockDiscovery.region",
    ],
    [
      "bedrockDiscovery.region",
      "the nearest one is models.bedrockDiscovery.region",
      "models.bedrockDiscovery.region",
    ],
    ["models.providers.my-proxy.models[3].id", "is not set", "VALUE"],
    ["new.path", "new.path is not set, and is not a setting.", "openclaw help settings"],
  ])("%s is not set: nothing on stdout, exit 3, %s", async (name, message, hint) => {
    const { code, stdout, stderr } = await homeWith(FULL).run(["get", name]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  test("says config-not-set in the error document", async () => {
    const result = await homeWith().run(["get", "models.bedrockDiscovery.region", "--json"]);
    expect(documentOf(result, "error")).toMatchObject({ error: { code: "config-not-set", exitCode: 3 } });
  });

  test("shows a wrong value, so that it can be mended", async () => {
    const { run } = homeWith("{ models: { bedrockDiscovery: { enabled: 'yes' } } }");
    expect(await run(["get", "models.bedrockDiscovery.enabled"])).toMatchObject({ code: 0, stdout: "yes\n" });
  });

  test("finds a default model in its short form by its long path", async () => {
    const { run } = homeWith("{ agents: { defaults: { model: 'a/b' } } }");
    expect(await run(["get", "agents.defaults.model.primary"])).toMatchObject({ code: 0, stdout: "a/b\n" });
  });
});

describe("config get --effective", () => {
  const region = "models.bedrockDiscovery.region";
  const profile = (home: string): void => {
    mkdirSync(path.join(home, ".aws"));
    writeFileSync(path.join(home, ".aws", "config"), "[profile work]\nregion = ap-south-1\n");
  };

  test.each([
    ["--region", ["--region", "us-west-2"], { AWS_REGION: "eu-north-1" }, "us-west-2\tflag --region\n", FULL],
    ["the file", [], { AWS_REGION: "eu-north-1" }, "eu-west-1\tfile\n", FULL],
    [
      "AWS_REGION",
      [],
      { AWS_REGION: "eu-north-1", AWS_DEFAULT_REGION: "eu-south-1" },
      "eu-north-1\tenv AWS_REGION\n",
      "{}",
    ],
    [
      "AWS_DEFAULT_REGION",
      [],
      { AWS_DEFAULT_REGION: "eu-south-1" },
      "eu-south-1\tenv AWS_DEFAULT_REGION\n",
      "{}",
    ],
    ["the profile", [], { AWS_PROFILE: "work" }, "ap-south-1\tprofile work\n", "{}"],
    ["nothing", [], {}, "us-east-1\tdefault\n", "{}"],
  ])("takes the region from %s", async (_, flags, env, stdout, text) => {
    const { run, home } = homeWith(text);
    profile(home);
    expect(await run(["get", "--effective", region, ...flags], { env })).toMatchObject({
      code: 0,
      stdout,
      stderr: "",
    });
  });

  test.each([
    ["models.bedrockDiscovery.refreshInterval", "3600\tfile\n"],
    ["models.bedrockDiscovery.defaultContextWindow", "32000\tdefault\n"],
    ["models.bedrockDiscovery.providerFilter", '["amazon"]\tfile\n'],
    ["models.bedrockDiscovery.enabled", "on when AWS credentials are found\tdefault\n"],
    ["models.providers.my-proxy.apiKey", "****\tfile\n"],
    ["models.providers.my-proxy.models", "[]\tdefault\n"],
    ["agents.defaults.params", "{}\tdefault\n"],
  ])("%s", async (name, stdout) => {
    const plugin = `plugins: { entries: { "amazon-bedrock": { config: { discovery: { refreshInterval: 9, providerFilter: ["amazon"] } } } } },`;
    const { run } = homeWith(FULL.replace("gateway:", `${plugin} gateway:`));
    expect(await run(["get", name, "--effective"])).toMatchObject({ code: 0, stdout, stderr: "" });
  });

  test("lists every setting that has a value, with its source", async () => {
    const { run } = homeWith(FULL);
    const { code, stdout } = await run(["get", "--effective"]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining([
        "models.bedrockDiscovery.region\teu-west-1\tfile",
        "models.bedrockDiscovery.defaultMaxTokens\t4096\tdefault",
        "models.providers.my-proxy.apiKey\t****\tfile",
      ]),
    );
    expect(stdout).not.toContain("secret");
  });

  test("prints a document", async () => {
    const { run } = homeWith(FULL);
    const one = documentOf(await run(["get", "--effective", region, "--json"]), "config-get-effective");
    expect(one).toEqual({ path: region, value: "eu-west-1", source: "file" });
    const enabled = await run(["get", "--effective", "models.bedrockDiscovery.enabled", "--json"]);
    expect(documentOf(enabled, "config-get-effective")).toMatchObject({ value: null, source: "default" });
    const all = documentOf(await run(["get", "--effective", "--json"]), "config-get-effective");
    expect(JSON.stringify(all)).not.toContain("secret");
  });

  test("of what is neither set nor has a default ends with config-not-set", async () => {
    expect(await homeWith().run(["get", "--effective", "agents.defaults.model"])).toMatchObject({
      code: 3,
      stdout: "",
    });
  });
});

describe("config set", () => {
  test("writes what the seed's lines say, as they are written", async () => {
    const { run, text } = homeWith();
    for (const [name, value] of [
      ["models.bedrockDiscovery.enabled", "true"],
      ["models.bedrockDiscovery.region", "us-east-1"],
    ] as const) {
      expect(await run(["set", name, value])).toEqual({
        code: 0,
        signal: null,
        stdout: `Updated ${name}.\n`,
        stderr: "",
      });
    }
    expect(JSON.parse(text() ?? "")).toEqual({
      models: { bedrockDiscovery: { enabled: true, region: "us-east-1" } },
    });
  });

  test("changes the value and nothing else", async () => {
    const { run, text } = homeWith(FULL);
    await run(["set", "models.bedrockDiscovery.refreshInterval", "60"]);
    expect(text()).toBe(FULL.replace("0xE10", "60"));
  });

  test("prints a document, secrets masked", async () => {
    const { run, file } = homeWith(FULL);
    const result = await run(["set", 'models.providers["my-proxy"].apiKey', "sk-other", "--json"]);
    expect(result.stderr).toBe("");
    expect(documentOf(result, "config-set")).toEqual({
      path: 'models.providers["my-proxy"].apiKey',
      value: "****",
      previous: "****",
      file,
    });
    const fresh = await run(["set", "models.bedrockDiscovery.enabled", "true", "--json"]);
    expect(documentOf(fresh, "config-set")).toMatchObject({ value: true, previous: null });
  });

  test("creates the file that --config names", async () => {
    const { run, home, file } = homeWith();
    const other = path.join(home, "deep", "other.json5");
    expect(await run(["set", "--config", other, "models.bedrockDiscovery.enabled", "true"])).toMatchObject({
      code: 0,
    });
    expect(JSON.parse(readFileSync(other, "utf8"))).toEqual({
      models: { bedrockDiscovery: { enabled: true } },
    });
    expect(existsSync(file)).toBe(false);
  });

  test("takes a negative number and a value behind -- as values", async () => {
    const { run } = homeWith();
    expect((await run(["set", "models.bedrockDiscovery.refreshInterval", "-1"])).stderr).toContain(
      "not the number -1",
    );
    expect(await run(["set", "--", "agents.defaults.models.m.alias", "--odd"])).toMatchObject({ code: 0 });
    expect(await run(["get", "agents.defaults.models.m.alias"])).toMatchObject({ stdout: "--odd\n" });
  });

  const wrong: [args: string[], code: number, error: string, message: string][] = [
    [
      ["models.bedrockDiscovery.enabled", "yes"],
      3,
      "config-invalid",
      'takes true or false, not the string "yes"',
    ],
    [
      ["models.bedrockDiscovery.region", "Frankfurt"],
      3,
      "config-invalid",
      'takes an AWS region such as us-east-1, not the string "Frankfurt"',
    ],
    [["models.bedrockDiscovery.region", ""], 3, "config-invalid", "not an empty string"],
    [
      ["models.bedrockDiscovery.providerFilter", "anthropic"],
      3,
      "config-invalid",
      "takes a list of non-empty strings",
    ],
    [
      ["models.bedrockDiscovery.refreshInterval", "1.5"],
      3,
      "config-invalid",
      "takes a whole number of seconds, at least 0",
    ],
    [["models.bedrockDiscovery.refreshInterval", "null"], 3, "config-invalid", "not null"],
    [
      ["models.bedrockDiscovery.defaultContextWindow", "0"],
      3,
      "config-invalid",
      "takes a whole number of tokens, at least 1",
    ],
    [["models.bedrockDiscovery.defaultMaxTokens", "4k"], 3, "config-invalid", 'not the string "4k"'],
    [["models.providers.p.baseUrl", "bedrock"], 3, "config-invalid", "takes an http or https URL"],
    [
      ["models.providers.p.api", "rest"],
      3,
      "config-invalid",
      "takes bedrock-converse-stream, openai-completions, openai-responses or anthropic-messages",
    ],
    [["models.providers.p.auth", "basic"], 3, "config-invalid", "takes aws-sdk, api-key or none"],
    [
      ["models.providers.p.models", "[{}]"],
      3,
      "config-invalid",
      "models.providers.p.models[0].id is missing",
    ],
    [
      ["models.providers.p.models[2].id", "x"],
      3,
      "config-invalid",
      "is beyond the end: models.providers.p.models has 0 items",
    ],
    [["models.providers.my-proxy.baseUrl.x", "1"], 3, "config-invalid", "is the string"],
    [
      ["agents.defaults.model", "{fallbacks: []}"],
      3,
      "config-invalid",
      "agents.defaults.model.primary is missing",
    ],
    [
      ["models.bedrockDiscovery.regoin", "us-east-1"],
      3,
      "config-invalid",
      "is not a setting; the nearest one is models.bedrockDiscovery.region",
    ],
    [["new.path", "1"], 3, "config-invalid", "new.path is not a setting."],
    [["nw", "1"], 3, "config-invalid", "nw is not a setting."],
    [
      ["models.bedrockDiscovery", "{regoin: 'x'}"],
      3,
      "config-invalid",
      "models.bedrockDiscovery.regoin is not a setting",
    ],
    [["gateway.port", "1"], 3, "config-invalid", "gateway.port is not a setting"],
    [["__proto__.polluted", "1"], 2, "usage", "a part of JavaScript itself"],
    [["models.constructor", "1"], 2, "usage", "a part of JavaScript itself"],
    [["models", '{"__proto__":{}}'], 2, "usage", "a part of JavaScript itself"],
    [["models..x", "1"], 2, "usage", "malformed at character 8"],
    [["models.bedrockDiscovery.region", "eu-west-1", "--strict-json"], 2, "usage", "is not JSON"],
    [["models.providers", "{other: {}}"], 2, "usage", "would drop models.providers.my-proxy"],
    [["models", "{}"], 2, "usage", "would drop models.providers.my-proxy"],
    [["models.bedrockDiscovery.region"], 2, "usage", "takes a value for models.bedrockDiscovery.region"],
    [[], 2, "usage", "takes a path and a value"],
    [["models.providers", "{}", "--merge", "--replace"], 2, "usage", "--merge keeps what --replace drops"],
    [["a", "b", "c"], 2, "usage", "'c' is one argument too many"],
    [["models.bedrockDiscovery.region", "eu-west-1", "--colour"], 2, "usage", "--colour"],
  ];
  test.each(wrong)("%j is refused with exit %i and changes nothing", async (args, code, error, message) => {
    const { run, text, file } = homeWith(FULL);
    const result = await run(["set", ...args, "--json"]);
    expect(result.code).toBe(code);
    expect(documentOf(result, "error")).toMatchObject({ error: { code: error, exitCode: code } });
    expect(result.stderr).toContain(message);
    expect(text()).toBe(FULL);
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json"]);
    const nothing = homeWith();
    if (!message.includes("drop")) {
      await nothing.run(["set", ...args]);
      expect(readdirSync(nothing.home)).toEqual([]);
    }
  });

  test("names the path, what was expected, what came and the nearest path in the error document", async () => {
    const { run } = homeWith();
    const unknown = documentOf(
      await run(["set", "models.bedrockDiscovery.enable", "true", "--json"]),
      "error",
    );
    expect(unknown).toMatchObject({
      error: {
        details: { path: "models.bedrockDiscovery.enable", nearest: "models.bedrockDiscovery.enabled" },
      },
    });
    const wrongType = documentOf(
      await run(["set", "models.bedrockDiscovery.enabled", "1", "--json"]),
      "error",
    );
    expect(wrongType).toMatchObject({
      error: {
        hint: "openclaw config set models.bedrockDiscovery.enabled true",
        details: {
          path: "models.bedrockDiscovery.enabled",
          expected: "true or false",
          received: "the number 1",
        },
      },
    });
  });

  test("shows what must be set together, as a command that works", async () => {
    const { run } = homeWith();
    const guardrail = "plugins.entries.amazon-bedrock.config.guardrail";
    const { stderr } = await run(["set", `${guardrail}.guardrailVersion`, "DRAFT"]);
    const [, name, value] = /hint: openclaw config set (\S+) '(.*)'/.exec(stderr) ?? [];
    expect(name).toBe(guardrail);
    expect(await run(["set", guardrail, value ?? ""])).toMatchObject({ code: 0 });
    expect(await run(["get", `${guardrail}.guardrailVersion`])).toMatchObject({ stdout: "DRAFT\n" });
  });

  test("--force writes a path of another program, but no wrong type", async () => {
    const { run, text } = homeWith(FULL);
    expect(await run(["set", "gateway.port", "9090", "--force"])).toMatchObject({ code: 0 });
    expect(text()).toBe(FULL.replace("8080", "9090"));
    expect(await run(["set", "models.bedrockDiscovery.enabled", "5", "--force"])).toMatchObject({ code: 3 });
  });

  test.each([
    ["a text in place of more", ["agents.defaults.model", "c/d"], true],
    ["an object without it", ["agents.defaults.model", "{primary: 'c/d'}"], true],
    ["an object with it", ["agents.defaults.model", "{primary: 'c/d', fallbacks: []}"], false],
    ["a part of it", ["agents.defaults.model.primary", "c/d"], false],
    ["--merge", ["agents.defaults.model", "c/d", "--merge"], false],
  ])("tells what a value has replaced: %s", async (_, args, isTold) => {
    const { run } = homeWith("{ agents: { defaults: { model: { primary: 'a/b', fallbacks: ['e/f'] } } } }");
    const { code, stderr } = await run(["set", ...args]);
    expect(code).toBe(0);
    expect(stderr).toBe(
      isTold
        ? 'openclaw: it was {"primary":"a/b","fallbacks":["e/f"]}; --merge would keep what the new value lacks\n'
        : "",
    );
  });

  test("--merge keeps entries, --replace drops them", async () => {
    const { run, text } = homeWith("{ models: { providers: { a: { auth: 'none' } /* keep */ } } }");
    await run(["set", "models.providers", "{b: {auth: 'none'}}", "--merge"]);
    expect(text()).toBe("{ models: { providers: { a: { auth: 'none' }, b: { auth: 'none' } /* keep */ } } }");
    await run(["set", "models.providers", "{c: {auth: 'none'}}", "--replace"]);
    expect(JSON5.parse(text() ?? "")).toEqual({ models: { providers: { c: { auth: "none" } } } });
  });

  test("--dry-run prints the difference, secrets masked, and writes nothing", async () => {
    const { run, text, file } = homeWith(FULL);
    const { code, stdout } = await run(["set", "models.providers.my-proxy.apiKey", "sk-other", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`--- ${file}\n+++ ${file}\n@@ -3,7 +3,7 @@\n`);
    expect(stdout).toContain('+      "my-proxy": { baseUrl: "https://****@proxy.example/v1", apiKey: "****"');
    expect(stdout).not.toMatch(/secret|sk-other/);
    const document = documentOf(
      await run(["set", "models.bedrockDiscovery.enabled", "true", "--dry-run", "--json"]),
      "config-set",
    );
    expect(document).toMatchObject({
      dryRun: true,
      value: true,
      diff: expect.stringContaining("enabled: true"),
    });
    expect(text()).toBe(FULL);
    expect(readdirSync(path.dirname(file))).toEqual(["openclaw.json"]);
    const none = homeWith();
    expect(await none.run(["set", "models.bedrockDiscovery.enabled", "true", "--dry-run"])).toMatchObject({
      code: 0,
    });
    expect(readdirSync(none.home)).toEqual([]);
  });

  test("--batch-file makes all its changes or none", async () => {
    const { run, text, home } = homeWith(FULL);
    const batch = path.join(home, "batch.json5");
    writeFileSync(
      batch,
      `[{ path: "models.bedrockDiscovery.region", value: "us-east-1" }, { path: "gateway", unset: true }]`,
    );
    const result = await run(["set", "--batch-file", "batch.json5", "--json"]);
    expect(documentOf(result, "config-batch")).toMatchObject({
      changes: [
        { path: "models.bedrockDiscovery.region", value: "us-east-1", previous: "eu-west-1" },
        { path: "gateway", value: null, previous: { port: 8080, authToken: "****" } },
      ],
    });
    expect(result.stdout).not.toContain("secret");
    const after = text();
    expect(JSON5.parse(after ?? "")).not.toHaveProperty("gateway");
    const input = `[{ path: "models.bedrockDiscovery.region", value: "eu-west-3" }, { path: "models.bedrockDiscovery.enabled", value: "no" }]`;
    expect(await run(["set", "--batch-file", "-"], { input })).toMatchObject({ code: 3 });
    expect(text()).toBe(after);
  });

  test.each([
    ["{}", "must hold a list of edits"],
    ["[{ value: 1 }]", "entry 1 has no path"],
    ["[{ path: 'models' }]", "entry 1 must have either a value or unset: true"],
    ["[{ path: 'models..' , value: 1 }]", "malformed"],
    ["[", "is not valid JSON5"],
  ])("a batch of %j is a usage error", async (input, message) => {
    const { code, stderr } = await homeWith(FULL).run(["set", "--batch-file", "-"], { input });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("a batch file that is not there is a usage error", async () => {
    const { code, stderr } = await homeWith().run(["set", "--batch-file", "none.json5"]);
    expect(code).toBe(2);
    expect(stderr).toContain("none.json5");
  });

  test("is refused under OPENCLAW_CONFIG_READONLY, as are unset and patch", async () => {
    const { run, text } = homeWith(FULL);
    const env = { OPENCLAW_CONFIG_READONLY: "1" };
    for (const args of [
      ["set", "models.bedrockDiscovery.region", "us-east-1"],
      ["unset", "models.bedrockDiscovery.region"],
      ["patch", "--stdin"],
    ]) {
      const result = await run([...args, "--json"], {
        env,
        input: "{ models: { bedrockDiscovery: { region: null } } }",
      });
      expect(documentOf(result, "error")).toMatchObject({ error: { code: "config-readonly", exitCode: 3 } });
      expect(result.code).toBe(3);
    }
    expect(text()).toBe(FULL);
  });

  test("never shows a secret that is refused", async () => {
    const { run } = homeWith();
    for (const args of [
      ["models.providers.p.apikey", "sk-topsecret"],
      ["models.providers.p.apiKey", '["sk-topsecret"]', "--strict-json"],
      ["models.providers.p.headers", "{A: ['sk-topsecret']}"],
      ["models.providers.p.baseUrl", "ftp://u:sk-topsecret@h/"],
    ]) {
      const { code, stdout, stderr } = await run(["set", ...args, "--json"]);
      expect(code).toBe(3);
      expect(stdout + stderr).not.toContain("topsecret");
    }
  });
});

describe("config unset", () => {
  test("removes a setting and what it leaves hanging", async () => {
    const { run, text, file } = homeWith(FULL);
    expect(await run(["unset", "models.providers"])).toMatchObject({
      code: 0,
      stdout: "Removed models.providers.\n",
    });
    expect(text()).not.toContain("providers");
    expect(text()).toContain("// an hour");
    const document = documentOf(await run(["unset", "gateway.authToken", "--json"]), "config-set");
    expect(document).toEqual({ path: "gateway.authToken", value: null, previous: "****", file });
    expect(text()).toContain("/* of another program */");
  });

  test.each([
    [["models.bedrockDiscovery.enabled"], 3, "is not set"],
    [["nothing.here"], 3, "is not set"],
    [["__proto__"], 2, "JavaScript"],
    [["a..b"], 2, "malformed"],
    [[], 2, "path"],
  ])("%j ends with exit %i", async (args, code, message) => {
    const { run, text } = homeWith(FULL);
    const result = await run(["unset", ...args]);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
    expect(text()).toBe(FULL);
  });

  test("refuses to take away what another setting needs", async () => {
    const { run } = homeWith("{ agents: { defaults: { model: { primary: 'a', fallbacks: ['b'] } } } }");
    const { code, stderr } = await run(["unset", "agents.defaults.model.primary"]);
    expect(code).toBe(3);
    expect(stderr).toContain("hint: openclaw config unset agents.defaults.model\n");
  });

  test("--dry-run writes nothing", async () => {
    const { run, text } = homeWith(FULL);
    expect((await run(["unset", "models.bedrockDiscovery.region", "--dry-run"])).stdout).toContain(
      "-    bedrockDiscovery: { region",
    );
    expect(text()).toBe(FULL);
  });
});

describe("config patch", () => {
  test("merges, replaces and removes, and keeps the comments", async () => {
    const { run, text, home } = homeWith(FULL);
    writeFileSync(
      path.join(home, "p.json5"),
      "{ models: { bedrockDiscovery: { region: null, providerFilter: ['amazon'] } } }",
    );
    const { code, stdout } = await run(["patch", "--file", "p.json5"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "Removed models.bedrockDiscovery.region.\nUpdated models.bedrockDiscovery.providerFilter.\n",
    });
    expect(text()).toBe(
      FULL.replace(
        "region: 'eu-west-1', refreshInterval: 0xE10, ",
        'refreshInterval: 0xE10, providerFilter: ["amazon"], ',
      ),
    );
  });

  test("reads stdin and prints a document", async () => {
    const { run } = homeWith(FULL);
    const input =
      '{ models: { bedrockDiscovery: { enabled: true }, providers: { "my-proxy": { apiKey: "sk-new-secret" } } } }';
    const result = await run(["patch", "--stdin", "--json"], { input });
    expect(documentOf(result, "config-batch")).toMatchObject({
      changes: [{ value: true }, { value: "****" }],
    });
    expect(result.stdout).not.toContain("secret");
  });

  test.each([
    [[], "{}", 2, "either --file FILE or --stdin"],
    [["--stdin", "--file", "x"], "{}", 2, "either --file FILE or --stdin"],
    [["--stdin"], "[]", 2, "must hold an object of settings"],
    [["--stdin"], "{", 2, "is not valid JSON5"],
    [["--file", "none.json5"], "", 2, "none.json5"],
    [["--stdin"], "{ models: { bedrockDiscovery: { enabled: 5 } } }", 3, "takes true or false"],
    [["--stdin"], "{ models: { other: 5 } }", 3, "models.other is not a setting"],
    [["--stdin"], '{ "__proto__": { a: 1 } }', 2, "JavaScript"],
  ])("%j with %j ends with exit %i", async (args, input, code, message) => {
    const { run, text } = homeWith(FULL);
    const result = await run(["patch", ...args], { input });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
    expect(text()).toBe(FULL);
  });

  test("that changes nothing says so", async () => {
    const { run, text } = homeWith(FULL);
    const result = await run(["patch", "--stdin"], { input: "{ agents: null }" });
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("Nothing to change");
    expect(text()).toBe(FULL);
  });
});

describe("config file", () => {
  test("prints the path, whether the file exists or not", async () => {
    const { run, file } = homeWith();
    expect(await run(["file"])).toEqual({ code: 0, signal: null, stdout: `${file}\n`, stderr: "" });
    expect(documentOf(await run(["file", "--json"]), "config-file")).toEqual({
      file,
      source: "default",
      exists: false,
    });
  });

  test.each([
    [["--config", "c.json5"], {}, "c.json5", "--config"],
    [[], { OPENCLAW_CONFIG_PATH: "~/p.json5" }, "p.json5", "OPENCLAW_CONFIG_PATH"],
    [[], { OPENCLAW_STATE_DIR: "state" }, "state/openclaw.json", "OPENCLAW_STATE_DIR"],
  ] as [string[], Record<string, string>, string, string][])(
    "%j %j",
    async (flags, env, relative, source) => {
      const { run, home } = homeWith("{}");
      const document = documentOf(await run(["file", "--json", ...flags], { env }), "config-file");
      expect(document).toEqual({ file: path.join(home, relative), source, exists: false });
    },
  );
});

describe("config validate", () => {
  test("finds nothing wrong with a good file, and with none", async () => {
    const good = homeWith(FULL);
    expect(await good.run(["validate"])).toEqual({
      code: 0,
      signal: null,
      stdout: `${good.file} is valid.\n`,
      stderr: "",
    });
    const none = homeWith();
    expect(await none.run(["validate"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("does not exist"),
    });
    expect(documentOf(await none.run(["validate", "--json"]), "config-validate")).toMatchObject({
      exists: false,
      valid: true,
    });
  });

  test("lists every problem with its place, and carets under it", async () => {
    const { run, file } = homeWith(`{
  models: {
    bedrockDiscovery: { enabled: "yes" },
    providers: { p: { apiKey: 12345, baseUrl: "nowhere" } },
  },
}
`);
    const { code, stdout, stderr } = await run(["validate"]);
    expect(code).toBe(3);
    expect(stdout)
      .toBe(`${file}:3:34: models.bedrockDiscovery.enabled takes true or false, not the string "yes".
  3 |     bedrockDiscovery: { enabled: "yes" },
    |                                  ^^^^^
${file}:4:31: models.providers.p.apiKey takes a non-empty string, not a number.
  4 |     providers: { p: { apiKey: "****", baseUrl: "nowhere" } },
    |                               ^^^^^^
${file}:4:47: models.providers.p.baseUrl takes an http or https URL, not the string "nowhere".
  4 |     providers: { p: { apiKey: "****", baseUrl: "nowhere" } },
    |                                                ^^^^^^^^^
`);
    expect(stderr).toContain("has 3 problems");
  });

  test("prints its own document with the error in it", async () => {
    const { run, file } = homeWith(
      "{ models: { bedrockDiscovery: { refreshInterval: 'soon', regoin: 1 } } }",
    );
    const result = await run(["validate", "--json"]);
    expect(result.code).toBe(3);
    expect(documentOf(result, "config-validate")).toMatchObject({
      file,
      valid: false,
      problems: [
        {
          path: "models.bedrockDiscovery.refreshInterval",
          line: 1,
          column: 50,
          received: 'the string "soon"',
        },
      ],
      warnings: [{ path: "models.bedrockDiscovery.regoin" }],
      error: { code: "config-invalid", exitCode: 3 },
    });
  });

  test("points at the place where a file is not JSON5", async () => {
    const { run, file } = homeWith("{\n  models: {}\n  agents: {}\n}\n");
    const { code, stdout } = await run(["validate"]);
    expect(code).toBe(3);
    expect(stdout).toBe(
      `${file}:3:3: This is not valid JSON5: "a" is not expected here; a comma may be missing before it.\n  3 |   agents: {}\n    |   ^\n`,
    );
  });

  test("warns on stderr about what is likely a mistake, and ends with exit 0", async () => {
    const { run } = homeWith("{ modles: {} }");
    const { code, stderr } = await run(["validate"]);
    expect(code).toBe(0);
    expect(stderr).toContain("did you mean models?");
  });

  test.each([
    ["a --config that is not there", ["--config", "none.json5"]],
    ["a folder", ["--config", "."]],
  ])("%s is config-unreadable", async (_, flags) => {
    const { run } = homeWith("{}");
    for (const command of [["validate"], ["get"], ["get", "--effective"]]) {
      const result = await run([...command, ...flags, "--json"]);
      expect(documentOf(result, "error")).toMatchObject({
        error: { code: "config-unreadable", exitCode: 3 },
      });
    }
  });
});

describe("config schema", () => {
  test("prints a JSON Schema that takes what the program takes", async () => {
    const { run } = homeWith();
    const { code, stdout } = await run(["schema"]);
    expect(code).toBe(0);
    const accepts = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse(stdout) as object,
    );
    expect(accepts(JSON5.parse(FULL))).toBe(true);
    expect(accepts({ models: { bedrockDiscovery: { enabled: "yes" } } })).toBe(false);
    expect(JSON.parse((await run(["schema", "--json"])).stdout)).toEqual(JSON.parse(stdout));
    documentOf(await run(["schema", "--json"]), "config-schema");
  });
});
