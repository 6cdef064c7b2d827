import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkEdit } from "../../src/config/check-edit.ts";
import { commandToolsOf, expandConfigured, mcpServersOf } from "../../src/config/configured-tools.ts";
import { applyEdit } from "../../src/config/edit-value.ts";
import { effectiveSettings } from "../../src/config/effective.ts";
import { inspectConfig } from "../../src/config/inspect.ts";
import { listMisspelt } from "../../src/config/nearest-setting.ts";
import { formatPath, parsePath } from "../../src/config/path.ts";
import { loadConfig } from "../../src/config/resolve.ts";
import { maskSecrets } from "../../src/config/secrets.ts";
import { BUILT_IN_TOOLS, type Configuration } from "../../src/config/settings.ts";
import { validate } from "../../src/config/validate.ts";
import { settingCandidates } from "../../src/completion/setting-candidates.ts";
import { errorFrom } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const DEPLOY = { description: "Deploys.", command: ["./deploy.sh"], input: { type: "object" } };
const tools = (entries: object): object => ({ tools: entries });
const deploy = (values: object): object => tools({ deploy: { ...DEPLOY, ...values } });
const server = (values: object): object => ({ mcpServers: { files: values } });

/** What the original OpenClaw keeps there: https://docs.openclaw.ai/gateway/configuration-reference */
const FOREIGN = {
  profile: "coding",
  deny: ["browser"],
  elevated: false,
  exec: { host: "gateway", timeoutSec: 1800, alow: ["x"], env: { KEY: "${NOBODY_HAS_THIS}" } },
};

describe("a tool or a server that fits", () => {
  test.each([
    ["a tool with what it must have", deploy({})],
    [
      "a tool with everything",
      deploy({ timeoutSeconds: 0.5, allow: "never", env: { A: "${A}", N: 1, YES: true, EMPTY: "" } }),
    ],
    ["a command with an empty argument", deploy({ command: ["grep", "-e", ""] })],
    ["an input of any fields", deploy({ input: {} })],
    [
      "an input with whatever a JSON Schema has",
      deploy({ input: { type: "object", oneOf: [{}], $defs: 1 } }),
    ],
    ["what is another program's", tools(FOREIGN)],
    ["a longest name", tools({ ["a".repeat(64)]: DEPLOY })],
    ["a local server", server({ command: "npx", args: ["", "-y"], env: { A: "1", PORT: 80 }, cwd: "~/x" })],
    [
      "a server with keys of other programs",
      server({
        command: "npx",
        type: "stdio",
        timeout: 5,
        autoApprove: ["x"],
        disabled: true,
        alwaysAllow: [],
      }),
    ],
    ["a remote server", server({ url: "https://h/mcp", headers: { "X-Key": "${KEY}" } })],
    ["a server whose address is in the environment", server({ url: "${MCP_URL}" })],
    [
      "servers of the original OpenClaw",
      {
        mcp: {
          sessionIdleTtlMs: 0,
          servers: { docs: { url: "https://h", transport: "sse", enabled: false } },
        },
      },
    ],
  ])("%s", (_, value) => {
    expect(validate(value)).toEqual([]);
  });
});

describe("a tool or a server that does not fit is named with its place", () => {
  test.each<[object, string, string]>([
    [tools({ deploy: { command: ["x"], input: {} } }), "tools.deploy.description", "is missing"],
    [deploy({ description: "" }), "tools.deploy.description", "not an empty string"],
    [deploy({ description: " \n" }), "tools.deploy.description", "a text that says what the tool does"],
    [tools({ deploy: { description: "d", command: ["x"] } }), "tools.deploy.input", "is missing"],
    [deploy({ input: [] }), "tools.deploy.input", "not an empty list"],
    [deploy({ input: "object" }), "tools.deploy.input", 'not the string "object"'],
    [deploy({ input: null }), "tools.deploy.input", "not null"],
    [deploy({ input: { type: "string" } }), "tools.deploy.input.type", "takes object"],
    [deploy({ input: { type: ["object"] } }), "tools.deploy.input.type", "takes object"],
    [deploy({ input: { properties: [] } }), "tools.deploy.input.properties", "not an empty list"],
    [deploy({ input: { required: "a" } }), "tools.deploy.input.required", 'not the string "a"'],
    [deploy({ command: [] }), "tools.deploy.command", "at least 1, not an empty list"],
    [deploy({ command: "ls -l" }), "tools.deploy.command", 'not the string "ls -l"'],
    [deploy({ command: {} }), "tools.deploy.command", "not an object"],
    [deploy({ command: null }), "tools.deploy.command", "not null"],
    [deploy({ command: ["ls", 1] }), "tools.deploy.command[1]", "not the number 1"],
    [deploy({ command: ["", "x"] }), "tools.deploy.command[0]", "the name of a program"],
    [deploy({ command: ["ls", "a\0b"] }), "tools.deploy.command[1]", "without zero bytes"],
    [deploy({ timeoutSeconds: 0 }), "tools.deploy.timeoutSeconds", "not the number 0"],
    [deploy({ timeoutSeconds: -1 }), "tools.deploy.timeoutSeconds", "not the number -1"],
    [deploy({ timeoutSeconds: 1e9 }), "tools.deploy.timeoutSeconds", "from 0.1 to 86400"],
    [deploy({ timeoutSeconds: "60" }), "tools.deploy.timeoutSeconds", 'not the string "60"'],
    [deploy({ allow: "sometimes" }), "tools.deploy.allow", "ask, always or never"],
    [deploy({ allow: true }), "tools.deploy.allow", "ask, always or never"],
    [deploy({ env: ["A=1"] }), "tools.deploy.env", "not a list"],
    [deploy({ env: { A: null } }), "tools.deploy.env.A", "not null"],
    [deploy({ env: { "A=B": "1" } }), 'tools.deploy.env["A=B"]', "the name of an environment variable"],
    [deploy({ env: { "": "1" } }), 'tools.deploy.env[""]', "the name of an environment variable"],
    ...BUILT_IN_TOOLS.map((name): [object, string, string] => [
      tools({ [name]: DEPLOY }),
      formatPath(["tools", name]),
      "that is not built in",
    ]),
    ...["a b", "", "a.b", "ä", "a".repeat(65), "a\n"].map((name): [object, string, string] => [
      tools({ [name]: DEPLOY }),
      formatPath(["tools", name]),
      "a name of 1 to 64 letters",
    ]),
    [server({}), "mcpServers.files", "has neither command nor url"],
    [server({ type: "http" }), "mcpServers.files", "has neither command nor url"],
    [server({ command: "a", url: "https://h" }), "mcpServers.files", "has both command and url"],
    [server({ command: ["npx"] }), "mcpServers.files.command", "not a list"],
    [server({ command: "" }), "mcpServers.files.command", "not an empty string"],
    [server({ command: "a\0" }), "mcpServers.files.command", "without zero bytes"],
    [server({ command: "a", args: ["\0"] }), "mcpServers.files.args[0]", "without zero bytes"],
    [server({ command: "a", args: "-y" }), "mcpServers.files.args", 'not the string "-y"'],
    [server({ command: "a", cwd: "" }), "mcpServers.files.cwd", "not an empty string"],
    [server({ url: "localhost:3000" }), "mcpServers.files.url", "an http or https URL"],
    [server({ url: "https://h", headers: { A: [] } }), "mcpServers.files.headers.A", "not an empty list"],
    [server({ command: "a", disabled: "yes" }), "mcpServers.files.disabled", "true or false"],
    [{ mcp: { servers: { files: {} } } }, "mcp.servers.files", "has neither command nor url"],
    [{ mcpServers: [] }, "mcpServers", "not an empty list"],
    [{ templates: { t: { mcpServers: "files" } } }, "templates.t.mcpServers", 'not the string "files"'],
  ])("%j", (value, place, message) => {
    const problems = validate(value);
    expect(problems.map((problem) => formatPath(problem.path))).toEqual([place]);
    expect(problems[0]?.message).toContain(message);
  });
});

describe("what another program has in tools", () => {
  test("is no finding, no typing error and no setting in force", () => {
    expect(inspectConfig(JSON.stringify(tools(FOREIGN)), {})).toEqual([]);
    expect(listMisspelt(tools({ ...FOREIGN, deploy: { ...DEPLOY, alow: "ask" } }))).toMatchObject([
      { path: ["tools", "deploy", "alow"] },
    ]);
    const region = { value: "us-east-1", source: "default" };
    const settings = effectiveSettings(tools({ ...FOREIGN, deploy: DEPLOY }), [], region);
    const names = settings
      .map((setting) => formatPath(setting.path))
      .filter((name) => name.startsWith("tools"));
    expect(names).toEqual([
      "tools.deploy.description",
      "tools.deploy.command",
      "tools.deploy.input",
      "tools.deploy.timeoutSeconds",
      "tools.deploy.allow",
    ]);
    expect(effectiveSettings(tools(FOREIGN), ["tools"], region)).toEqual([]);
  });

  test("is not offered to be set, and what is a tool is", () => {
    const offered = (text: string): string[] =>
      settingCandidates(text, {
        use: "set",
        value: tools({ ...FOREIGN, deploy: DEPLOY }),
        modelKeys: [],
        regions: [],
      }).map(({ value }) => value);
    expect(offered("tools.")).toEqual(["tools.deploy."]);
    expect(offered("tools.exec.")).toEqual([]);
    expect(offered("tools.deploy.")).toContain("tools.deploy.timeoutSeconds");
  });

  test("is no tool", () => {
    const config = tools({ ...FOREIGN, deploy: DEPLOY }) as Configuration;
    expect([...commandToolsOf(config)]).toEqual([["deploy", { setting: DEPLOY, path: ["tools", "deploy"] }]]);
    expect([...commandToolsOf({})]).toEqual([]);
  });
});

describe("an edit", () => {
  const before = { ...tools({ ...FOREIGN, deploy: DEPLOY }), ...server({ command: "npx" }) };
  const edit = (text: string, value: unknown, force = false): string | undefined => {
    const path = parsePath(text);
    const one =
      value === undefined ? ({ op: "unset", path } as const) : ({ op: "set", path, value } as const);
    const error = errorFrom(() => checkEdit(before, applyEdit(before, one), [one], { force }));
    return error && `${error.code}: ${error.message} ${error.hint}`;
  };

  test.each<[string, unknown]>([
    ["tools.deploy.timeoutSeconds", 5],
    ["tools.deploy.env.TOKEN", "${T}"],
    ["tools.deploy.input.properties.branch", { type: "string", pattern: "^x" }],
    ["tools.deploy.input.additionalProperties", false],
    ["tools.deploy", undefined],
    ["tools.exec", undefined],
    ["tools.exec.host", undefined],
    ["tools.profile", undefined],
    ["tools.other", { ...DEPLOY, input: { type: "object", additionalProperties: false } }],
    ["mcpServers.files.args", ["-y"]],
  ])("of %s to %j is made", (path, value) => {
    expect(edit(path, value)).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    ["tools.profile", "full", "tools.profile has no command, without which it belongs to another program."],
    ["tools.exec.host", "node", "tools.exec has no command"],
    ["tools.new.description", "x", "tools.new has no command"],
    ["tools.new", { description: "x" }, "tools.new has no command"],
    ["tools.deploy.command", undefined, "openclaw config unset tools.deploy"],
    ["tools.deploy.description", undefined, "openclaw config unset tools.deploy"],
    ["tools.shell", DEPLOY, "openclaw config set tools.NAME VALUE"],
    ["tools.deploy.comand", ["x"], "is not a setting; the nearest one is tools.deploy.command"],
    ["mcpServers.files.url", "https://h", 'config set --replace mcpServers.files \'{"command":"npx"}\''],
    ["mcpServers.files.command", undefined, "config set --replace mcpServers.files"],
  ])("of %s to %j is refused", (path, value, message) => {
    expect(edit(path, value)).toMatch(/^config-invalid: /);
    expect(edit(path, value)).toContain(message);
  });

  test("of another program's is made with --force", () => {
    expect(edit("tools.profile", "full", true)).toBeUndefined();
    expect(edit("tools.exec.host", "node", true)).toBeUndefined();
  });
});

test("servers of both places are read, and mcpServers goes first", () => {
  const config: Configuration = {
    mcpServers: { files: { command: "first" }, off: { command: "x", disabled: true } },
    mcp: { servers: { files: { command: "second" }, docs: { url: "https://h", enabled: false } } },
  };
  expect([...mcpServersOf(config)]).toEqual([
    ["files", { setting: { command: "first" }, path: ["mcpServers", "files"], isDisabled: false }],
    ["off", { setting: { command: "x", disabled: true }, path: ["mcpServers", "off"], isDisabled: true }],
    [
      "docs",
      { setting: { url: "https://h", enabled: false }, path: ["mcp", "servers", "docs"], isDisabled: true },
    ],
  ]);
  expect([...mcpServersOf({})]).toEqual([]);
});

test("secrets of tools and servers are masked, the schema of an input is not", () => {
  const secret = { A: "s-1", N: 2, ABSENT: "${A}" };
  const input = { type: "object", properties: { token: { type: "string" } }, required: ["token"] };
  const value = {
    ...deploy({ env: secret, input: { ...input, examples: [{ token: "s-3" }] } }),
    mcpServers: { a: { url: "https://u:p@h/", headers: { K: "s-4" } }, b: { command: "x", env: secret } },
    mcp: { servers: { c: { url: "https://h", headers: { K: "s-5" } } } },
  };
  const shown = maskSecrets(value);
  expect(JSON.stringify(shown)).not.toMatch(/s-\d|u:p@/);
  expect(shown).toMatchObject({
    tools: { deploy: { env: { A: "****", N: "****", ABSENT: "${A}" }, input } },
    mcpServers: { a: { headers: { K: "****" } }, b: { env: { A: "****" } } },
    mcp: { servers: { c: { headers: { K: "****" } } } },
  });
});

describe("${NAME}", () => {
  const load = async (value: object, env: Record<string, string>): Promise<Configuration> => {
    const home = createHome();
    const config = path.join(home, "c.json5");
    writeFileSync(config, JSON.stringify(value));
    return (await loadConfig({ config }, testRuntime({ home, env }))).value;
  };
  const loadDeploy = async (values: object, env: Record<string, string>): Promise<unknown> => {
    const found = commandToolsOf(await load(deploy(values), env)).get("deploy");
    return found && expandConfigured(found, env);
  };

  test("gets its value in every text of a tool but its schema, once", async () => {
    const input = { type: "object", properties: { a: { description: "such as ${A}" } } };
    expect(
      await loadDeploy(
        { command: ["sh", "-c", "$${B} ${A}"], env: { X: "${A}", Y: "$${C}" }, input },
        { A: "${B}" },
      ),
    ).toEqual({ ...DEPLOY, command: ["sh", "-c", "${B} ${B}"], env: { X: "${B}", Y: "${C}" }, input });
  });

  test("gets its value in a server's address and headers", async () => {
    const env = { HOST: "h", KEY: "k" };
    const value = server({ url: "https://${HOST}/mcp", headers: { Authorization: "Bearer ${KEY}" } });
    const found = mcpServersOf(await load(value, env)).get("files");
    expect(found && expandConfigured(found, env)).toEqual({
      url: "https://h/mcp",
      headers: { Authorization: "Bearer k" },
    });
  });

  test.each([
    [{ env: { X: "${NOPE}" } }, "tools.deploy.env.X takes its value"],
    [{ command: ["x", "${NOPE}"] }, "tools.deploy.command[1] takes its value"],
    [{ allow: "${A}" }, 'tools.deploy.allow takes ask, always or never, not the string "often"'],
  ])("of %j is refused where the tool is used", async (values, message) => {
    await expect(loadDeploy(values, { A: "often" })).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining(message),
    });
  });

  test("that is not set is told by config validate, for tools and servers", () => {
    const text = JSON.stringify({ ...deploy({ env: { X: "${NOPE}" } }), ...server({ command: "${NOT}" }) });
    expect(inspectConfig(text, {}).map(({ severity, path: place }) => `${severity} ${place}`)).toEqual([
      "warning tools.deploy.env.X",
      "warning mcpServers.files.command",
    ]);
  });
});
