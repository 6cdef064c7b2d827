import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createHome, openclaw, start, writeConfig } from "../helpers/openclaw.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const SETTINGS = `{
  tools: {
    echo: {
      description: "Says what it is given.",
      command: ["cat"],
      input: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
    },
    fail: { description: "Fails.", command: ["sh", "-c", "echo half; echo broken >&2; exit 3"], input: { type: "object" } },
    never: { description: "Is never run.", command: ["touch", "ran"], input: { type: "object" }, allow: "never" },
    slow: { description: "Takes its time.", command: ["sleep", "60"], input: { type: "object" } },
    "not-there": { description: "Is not there.", command: ["./not-there"], input: { type: "object" } },
    profile: "minimal",
    exec: { security: "full" },
  },
  mcpServers: { files: { command: "./no-server" } },
}`;

function machine(): string {
  const home = createHome();
  writeConfig(home, SETTINGS);
  mkdirSync(path.join(home, "src"));
  writeFileSync(path.join(home, "src", "notes.txt"), "first\\nsecond\\n".replaceAll("\\n", "\n"));
  return home;
}

describe("tools list", () => {
  it("lists what is built in and what the configuration has, and starts no server", async () => {
    const home = machine();
    const { code, stdout, stderr } = await openclaw(["tools", "list"], home);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    const names = rows.map(([name]) => name).join(" ");
    expect(names).toMatch(/^read-file list-files search-files shell aws echo fail never slow not-there$/);
    expect(rows.find(([name]) => name === "echo")?.slice(1)).toEqual([
      "command cat",
      "ask",
      "Says what it is given.",
    ]);
    expect(rows.find(([name]) => name === "never")?.[2]).toBe("never");
  });

  it("has what a tool does whole in a pipe, however long its first sentence is", async () => {
    const home = createHome();
    const long = `Does ${"very ".repeat(60)}much.`;
    writeConfig(
      home,
      `{ tools: { long: { description: "${long} And more.", command: ["cat"], input: { type: "object" } } } }`,
    );
    expect((await openclaw(["tools", "list"], home)).stdout).toContain(`long\tcommand cat\task\t${long}\n`);
    const pty = openPty(["tools", "list"], home, { columns: 120, lingerSeconds: 1 });
    await pty.see(/characters\) …/);
  });

  it("needs nothing of what commands take from the environment", async () => {
    const home = createHome();
    writeConfig(
      home,
      `{ tools: { deploy: { description: "Deploys.", command: ["cat"], input: { type: "object" }, env: { TOKEN: "\${NOT_SET}" } } } }`,
    );
    expect((await openclaw(["tools", "list"], home)).stdout).toContain(
      "deploy\tcommand cat\task\tDeploys.\n",
    );
    const { code, stderr } = await openclaw(["tools", "run", "deploy", "{}"], home);
    expect(stderr).toContain("The environment variable NOT_SET is not set");
    expect(code).toBe(3);
  });

  it("has the schemas of their input in JSON", async () => {
    const home = machine();
    const { stdout } = await openclaw(["tools", "list", "--json"], home);
    const document = JSON.parse(stdout) as { tools: { name: string }[] };
    expectSchema("tools-list", document);
    expect(document.tools.find(({ name }) => name === "echo")).toMatchObject({
      source: { kind: "command", command: ["cat"] },
      allow: "ask",
      inputSchema: { type: "object", required: ["word"] },
    });
  });

  it("names the servers that it has not started, on a terminal", async () => {
    const pty = openPty(["tools", "list"], machine(), { columns: 120, lingerSeconds: 1 });
    await pty.see(/Tool +From +Runs +Does/);
    await pty.see("not started for this: the MCP server files (--mcp NAME)");
  });

  it("says what keeps a server from starting", async () => {
    const { code, stderr } = await openclaw(["tools", "list", "--mcp", "files"], machine());
    expect(stderr).toContain("no-server");
    expect(code).toBe(3);
  });
});

describe("tools run", () => {
  it.each([
    ["takes from the environment", '{ TOK: "${DEPLOY_TOKEN}" }', "$TOK", "tok-0123456789-abcdef"],
    ["is given", '{ SHOP_API_KEY: "key-0123456789-abcdef" }', "$SHOP_API_KEY", "key-0123456789-abcdef"],
  ])("does not tell a secret that a command %s", async (_, env, shown, secret) => {
    const home = createHome();
    const command = JSON.stringify([
      "sh",
      "-c",
      `echo "out ${shown} $SHORT"; echo "err ${shown}" >&2; exit 1`,
    ]);
    writeConfig(
      home,
      `{ tools: { tell: { description: "d", command: ${command}, input: {}, env: ${env} } } }`,
    );
    const { stdout, stderr } = await openclaw(["tools", "run", "tell"], home, {
      env: { DEPLOY_TOKEN: "tok-0123456789-abcdef", SHORT: "word" },
    });
    expect(stdout).toContain("err …");
    expect(stdout).toContain("out … word");
    expect(stdout + stderr).not.toContain(secret);
  });

  it.runIf(process.platform === "linux")(
    "does not tell the secrets that stand in its own environment",
    async () => {
      const input = JSON.stringify({ command: "tr '\\0' '\\n' < /proc/$PPID/environ; env" });
      const { code, stdout } = await openclaw(["tools", "run", "shell", input], createHome(), {
        env: {
          AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
          AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
          AWS_SESSION_TOKEN: "IQoJb3JpZ2luX2VjEXAMPLETOKEN",
        },
        isAlone: true,
      });
      expect(code).toBe(0);
      expect(stdout).toContain("AWS_SECRET_ACCESS_KEY=…\n");
      expect(stdout).toContain("AWS_SESSION_TOKEN=…\n");
      expect(stdout).not.toMatch(/wJalr|EXAMPLETOKEN/);
    },
  );

  it("does not tell the secrets of the configuration, whatever they are for", async () => {
    const home = createHome();
    writeConfig(
      home,
      JSON.stringify({
        models: {
          providers: {
            near: { baseUrl: "http://127.0.0.1:9", apiKey: "sk-0123456789-abcdef", models: [{ id: "m" }] },
            far: { baseUrl: "http://127.0.0.1:9", apiKey: "${FAR_KEY}", models: [{ id: "m" }] },
          },
        },
        mcpServers: {
          docs: {
            url: "http://127.0.0.1:9",
            headers: {
              Authorization: "Bearer mcp-0123456789-abcdef",
              Accept: "application/json, text/plain",
            },
          },
        },
        gateway: { auth: { token: "gateway-0123456789" } },
      }),
    );
    const command = 'cat .openclaw/openclaw.json; echo "far $FAR_KEY; alone mcp-0123456789-abcdef"';
    const { stdout } = await openclaw(["tools", "run", "shell", JSON.stringify({ command })], home, {
      env: { FAR_KEY: "far-0123456789-abcdef" },
      cwd: home,
    });
    expect(stdout).toContain('"apiKey":"…"');
    expect(stdout).toContain('"apiKey":"${FAR_KEY}"');
    expect(stdout).toContain('"Authorization":"…","Accept":"application/json, text/plain"');
    expect(stdout).toContain('"token":"…"');
    expect(stdout).toContain("far …; alone …");
  });

  const run = (args: string[], options: Parameters<typeof openclaw>[2] = {}, home = machine()) =>
    openclaw(["tools", "run", ...args], home, options);

  it("prints what a command says to its input, which may be piped in", async () => {
    expect(await run(["echo", '{"word":"one"}'])).toMatchObject({
      code: 0,
      stdout: '{"word":"one"}\n',
      stderr: "",
    });
    expect((await run(["echo"], { input: '{"word":"two"}\n' })).stdout).toBe('{"word":"two"}\n');
    expect((await run(["echo", "-"], { input: '{"word":"three"}' })).stdout).toBe('{"word":"three"}\n');
  });

  it("runs what is built in, in its folder", async () => {
    const { code, stdout } = await run(["read-file:src", '{"path":"notes.txt"}']);
    expect(stdout).toContain("second");
    expect(code).toBe(0);
    const outside = await run(["read-file:src", '{"path":"../.openclaw/openclaw.json"}']);
    expect(outside.code).toBe(5);
    expect(outside.stdout).not.toContain("tools");
  });

  it("has it as a document", async () => {
    const { code, stdout } = await run(["echo", '{"word":"one"}', "--json"]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as object;
    expectSchema("tools-run", document);
    expect(document).toMatchObject({
      name: "echo",
      status: "success",
      content: [{ text: '{"word":"one"}' }],
    });
  });

  it("ends with 5 where the tool fails, and prints what it says all the same", async () => {
    const plain = await run(["fail"], { input: "" });
    expect(plain.code).toBe(5);
    expect(plain.stdout).toContain("broken");
    expect(plain.stderr).toContain("error: The tool 'fail' failed.");
    const { code, stdout } = await run(["fail", "{}", "--json"]);
    expect(code).toBe(5);
    expectSchema("tools-run", JSON.parse(stdout));
    expect(JSON.parse(stdout)).toMatchObject({
      status: "error",
      error: { code: "tool-failed", exitCode: 5 },
    });
  });

  it("writes an image as it is into a pipe, and says that it is one on a terminal", async () => {
    const home = machine();
    writeFileSync(path.join(home, "src", "dot.png"), PIXEL);
    const child = start(["tools", "run", "read-file:src", '{"path":"dot.png"}'], home);
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    await new Promise((resolve) => child.once("close", resolve));
    expect(Buffer.concat(parts).equals(Buffer.from(PIXEL))).toBe(true);
    const pty = openPty(["tools", "run", "read-file:src", '{"path":"dot.png"}'], home, { lingerSeconds: 1 });
    await pty.see(/\(png image of .*; --json has it in base64\)/);
  });

  it.each<[string[], RegExp, RegExp]>([
    [["ecko", "{}"], /There is no tool 'ecko'/, /Did you mean echo\?/],
    [["profile", "{}"], /There is no tool 'profile'/, /tools list/],
    [["exec", "{}"], /There is no tool 'exec'/, /./],
    [["files", "{}"], /an MCP server of that name/, /./],
    [["echo", "{"], /The input '\{' is not JSON/, /For example/],
    [["echo", "[]"], /is no JSON object/, /For example/],
    [["echo", '"x"'], /is no JSON object/, /For example/],
    [["echo", ""], /is not JSON|is no JSON object/, /For example/],
    [["echo", "-"], /on stdin/, /For example/],
    [["echo", '{"word":7}'], /does not fit its schema.*word/, /tools list --json/],
    [["echo", "{}"], /does not fit its schema.*word/, /tools list --json/],
    [["never", "{}"], /The settings never allow 'never'/, /openclaw config set tools.never.allow ask/],
    [["read-file:nowhere", "{}"], /nowhere/, /./],
  ])("refuses %j as a wrong call", async (args, message, hint) => {
    const { code, stderr } = await run(args, { input: "" });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(hint);
    expect(code).toBe(2);
  });

  it.each<[fault: string, input: string, place: string, words: string]>([
    [
      "a type that there is not",
      `{ properties: { "x/~y": { type: "text" } } }`,
      `.properties["x/~y"].type`,
      "must be equal",
    ],
    [
      "a pattern that is none",
      `{ properties: { x: { pattern: "(" } } }`,
      ".properties.x.pattern",
      "is not a regular expression",
    ],
    [
      "a reference to nothing",
      `{ properties: { x: { $ref: "#/$defs/x" } } }`,
      ".properties.x.$ref",
      "refers to '#/$defs/x'",
    ],
    [
      "a reference elsewhere",
      `{ allOf: [{ $ref: "https://example.com/x" }] }`,
      ".allOf[0].$ref",
      "refers to 'https:",
    ],
    [
      "a draft that nobody knows",
      `{ $schema: "https://example.com/draft" }`,
      ".$schema",
      "names none of the drafts",
    ],
  ])("runs no command whose schema has %s, in a chat neither", async (_, input, place, words) => {
    const home = createHome();
    const tool = `{ description: "Is never run.", command: ["touch", "ran"], input: ${input}, allow: "always" }`;
    writeConfig(home, `{ tools: { "to-stage": ${tool} } }`);
    for (const args of [
      ["tools", "run", "to-stage", '{"x":1}'],
      ["chat", "--emulator", "--tool", "to-stage", "hi"],
    ]) {
      const { code, stdout, stderr } = await openclaw(args, home);
      expect(stderr).toContain(
        `error: tools.to-stage.input${place} is not valid in a JSON Schema: it ${words}`,
      );
      expect(stderr).toContain("hint: Correct it: openclaw config set ");
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    }
    expect(existsSync(path.join(home, "ran"))).toBe(false);
    expect((await openclaw(["tools", "list"], home)).code).toBe(0);
  });

  it("says of a command that is not there that it failed", async () => {
    const { code, stderr, stdout } = await run(["not-there", "{}"]);
    expect(stdout + stderr).toContain("./not-there");
    expect(code).toBe(5);
  });

  it("gives up when it takes too long, and ends it", async () => {
    const { code, stderr } = await run(["slow", "{}", "--timeout", "0.2"]);
    expect(stderr).toContain("longer than 0.2 s.");
    expect(code).toBe(5);
  });

  it("ends with the tool when it is interrupted", async () => {
    const child = start(["tools", "run", "slow", "{}"], machine());
    const ended = new Promise<unknown>((resolve) =>
      child.once("close", (code, signal) => resolve(code ?? signal)),
    );
    setTimeout(() => child.kill("SIGINT"), 500);
    // On a busy machine it has not begun.
    expect([130, "SIGINT"]).toContain(await ended);
  });
});

describe("completion of tools", () => {
  it.each<[string[], string[]]>([
    [["chat", "--tool", "ec"], ["echo"]],
    [["chat", "--tool", "files"], ["files__"]],
    [["chat", "--tool", "read"], ["read-file"]],
    [["chat", "--mcp", ""], ["files"]],
    [
      ["chat", "--allow", "aws"],
      ["aws", "aws:write"],
    ],
    [["chat", "--allow", "files"], ["files__*"]],
    [["tools", "run", "sl"], ["slow"]],
    [["tools", "list", "--mcp", "f"], ["files"]],
  ])("offers for %j: %j", async (words, offered) => {
    const { stdout } = await openclaw(["complete", "fish", "--", ...words], machine());
    const values = stdout.split("\n").filter((line) => line !== "");
    const names = values.map((line) => line.split("\t")[0] ?? "");
    // The shell leaves out what does not begin so.
    expect(names.filter((name) => name.startsWith(words.at(-1) ?? ""))).toEqual(offered);
  });
});
