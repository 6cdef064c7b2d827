import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { root } from "../helpers/documents.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

interface Loaded {
  /** Files of the program. */
  files: string[];
  /** Parts of Node, its inner ones included. */
  parts: string[];
  /** How many threads it has begun, as far as the system tells. */
  threads: number;
}

/** Runs a command and tells what it loaded. */
async function loadedBy(
  emulated: Emulated,
  args: string[],
  env: Record<string, string | undefined> = {},
): Promise<Loaded> {
  const hook = path.join(emulated.home, "hook.cjs");
  const report = path.join(emulated.home, "loaded.json");
  writeFileSync(
    hook,
    `const { existsSync, readdirSync, writeFileSync } = require("node:fs");
    const tasks = "/proc/self/task";
    const countThreads = () => (existsSync(tasks) ? readdirSync(tasks).length : 0);
    const atFirst = countThreads();
    process.on("exit", () => writeFileSync(${JSON.stringify(report)}, JSON.stringify({
      files: Object.keys(require.cache),
      parts: process.moduleLoadList,
      threads: countThreads() - atFirst,
    })));`,
  );
  const { stderr, code } = await emulated.run(args, { env: { ...env, NODE_OPTIONS: `--require ${hook}` } });
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  const { files, parts, threads } = JSON.parse(readFileSync(report, "utf8")) as Loaded;
  return {
    threads,
    files: files
      .filter((file) => file.includes(`${path.sep}dist${path.sep}`))
      .map((file) => path.basename(file, ".js"))
      // A file of its own only in the build that coverage traces.
      .filter((name) => name !== "rolldown-runtime"),
    parts: parts.map((part) => part.replace("NativeModule ", "")),
  };
}

/** Parts of Node that take a start some milliseconds each. */
const COSTLY = new Set([
  "http",
  "https",
  "net",
  "tls",
  "crypto",
  "child_process",
  "http2",
  "readline",
  "stream",
]);

describe("what is compiled as soon as its file is loaded", () => {
  const dist = path.join(root, "dist");
  const names = JSON.parse(
    readFileSync(path.join(root, "scripts", "started-functions.json"), "utf8"),
  ) as string[];

  it("is what every start runs", () => {
    const main = readFileSync(path.join(dist, "main.js"), "utf8");
    for (const name of ["main", "runProgram", "createRuntime"])
      expect(main).toMatch(new RegExp(`\\b${name}=\\((?:async )?function\\(`));
  });

  it("is known by names that are mostly still there", () => {
    const code = readdirSync(dist)
      .filter((name) => name.endsWith(".js"))
      .map((name) => readFileSync(path.join(dist, name), "utf8"))
      .join("\n");
    const words = new Set(code.match(/\w+/g));
    const gone = names.filter((name) => !words.has(name));
    // After many have gone: npm run started-functions
    expect(gone.length, gone.join(" ")).toBeLessThan(names.length / 10);
  });
});

describe("what a command loads", () => {
  it.each([[["--version"]], [["-V"]]])("is nothing of the program for %j", async (args) => {
    const emulated = await emulate();
    const { files, parts, threads } = await loadedBy(emulated, args);
    expect({ files, threads }).toEqual({ files: [], threads: 0 });
    expect(parts.filter((part) => COSTLY.has(part))).toEqual([]);
  });

  it.each([
    [["config", "file"]],
    [["models", "list"]],
    [["models", "list", "--json"]],
    [["models", "list", "--offline", "--search", "nova"]],
  ])("is one file, and nothing costly of Node, for %j with a list that was printed", async (args) => {
    const emulated = await emulate();
    await emulated.run(["models", "list"]);
    // As long as what it is made from may still change.
    await wait(1100);
    await emulated.run(args);
    const { files, parts, threads } = await loadedBy(emulated, args);
    // Those of Node's pool would be four.
    expect({ files, threads }).toEqual({ files: ["main"], threads: 0 });
    expect(parts.filter((part) => COSTLY.has(part))).toEqual([]);
  });

  it.each([
    [
      ["models", "list", "--offline", "--search", "nova"],
      ["main", "config", "setup"],
    ],
    [
      ["config", "get"],
      ["main", "config"],
    ],
  ])("is nothing costly of Node for %j with a fresh list", async (args, expected) => {
    const emulated = await emulate();
    // What a variable decides is not kept as it was printed.
    emulated.configure('{"other":"${HOME}"}');
    await emulated.run(["models", "list"]);
    const { files, parts } = await loadedBy(emulated, args);
    expect(files.toSorted()).toEqual(expected.toSorted());
    expect(parts.filter((part) => COSTLY.has(part))).toEqual([]);
  });

  it("is nothing of STS for a role that is in the AWS CLI's cache", async () => {
    const emulated = await emulate({
      accessKeys: { ASIASTSROLE000000001: { secretAccessKey: "secret", sessionToken: "token" } },
    });
    const identity = await startIdentityServer();
    writeSharedFiles(emulated.home, {
      config: "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/Dev\nsource_profile = base\n",
      credentials:
        "[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = secret-of-base\n",
    });
    const env = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: "dev",
      AWS_ENDPOINT_URL_STS: identity.url,
    };
    const chat = ["chat", "-m", "amazon.nova-lite-v1:0", "hi"];
    expect((await loadedBy(emulated, chat, env)).files).toContain("aws-sdk-client-sts-index");
    expect((await loadedBy(emulated, chat, env)).files.toSorted()).toEqual([
      "aws",
      "chat",
      "config",
      "main",
      "secure",
      "setup",
    ]);
    expect(identity.calls).toHaveLength(1);
  });

  it("is nothing of a chat's for doctor", async () => {
    const { files } = await loadedBy(await emulate(), ["doctor"]);
    expect(files).toContain("doctor");
    expect(files).not.toContain("chat");
  });

  it("is nothing of MCP's client where no server is named", async () => {
    const chat = ["chat", "-m", "amazon.nova-lite-v1:0", "--tool", "read-file", "hi"];
    const { files } = await loadedBy(await emulate(), chat);
    expect(files).toContain("commands-chat-with-tools");
    expect(files.filter((file) => /modelcontextprotocol|transport/.test(file))).toEqual([]);
  });

  it.each([
    [
      ["chat", "-m", "amazon.nova-lite-v1:0", "hi"],
      ["main", "config", "setup", "secure", "chat", "aws"],
      ["http2", "zlib", "fs/promises", "readline"],
    ],
    [
      ["models", "list", "--refresh"],
      ["main", "config", "setup", "secure", "aws", "refresh"],
      ["http2", "zlib"],
    ],
    [
      ["chat", "--help"],
      ["main", "help"],
      ["http2", "zlib", "fs/promises", "readline"],
    ],
  ])("is few files for %j, and not what of Node it does not use", async (args, expected, unused) => {
    const { files, parts } = await loadedBy(await emulate(), args);
    expect(files.toSorted()).toEqual(expected.toSorted());
    expect(parts.filter((part) => unused.includes(part))).toEqual([]);
  });
});
