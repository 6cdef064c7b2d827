import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./helpers/documents.ts";
import { emulate } from "./helpers/emulated.ts";
import { binary, createHome, emptyEnvironment, nodeBinary, openclaw } from "./helpers/openclaw.ts";
import { expectSchema } from "./helpers/schema.ts";

/** The environment of a program in which the sorting of lists has a bug. */
function withBug(home: string, bug: string): Record<string, string> {
  const file = path.join(home, "bug.cjs");
  writeFileSync(file, `Array.prototype.sort = () => { throw ${bug}; };\n`);
  return { NODE_OPTIONS: `--require ${file}` };
}

const LIST = ["models", "list", "--emulator"];

describe("a bug", () => {
  it("is told with its stack and where to report it", async () => {
    const home = createHome();
    const { bugs } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
      bugs: { url: string };
    };
    const result = await openclaw(LIST, home, { env: withBug(home, 'new TypeError("planted")') });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    const [error, hint, ...stack] = result.stderr.split("\n");
    expect(error).toBe("error: Unexpected: planted");
    expect(hint).toBe(
      `hint: This is a bug in openclaw. Please report it with the lines below and the command you ran: ${bugs.url}`,
    );
    expect(stack[0]).toBe("TypeError: planted");
    expect(stack[1]).toMatch(/^ +at /);
  });

  it("is told with functions and lines of the sources", async () => {
    const home = createHome();
    const { stderr } = await openclaw(LIST, home, { env: withBug(home, "new Error()") });
    const frames = [...stderr.matchAll(/ at (?:async )?(\w+) \((src\/[\w/-]+\.ts):(\d+)\)$/gm)].map(
      ([, name, file, line]) => ({
        name,
        code: readFileSync(path.join(root, file ?? ""), "utf8").split("\n")[Number(line) - 1],
      }),
    );
    expect(frames.at(-1)).toEqual({ name: "main", code: expect.stringContaining("await runProgram(") });
    expect(frames[0]?.code).toContain(".sort(");
    expect(frames[1]?.code).toContain(`${frames[0]?.name}(`);
    expect(stderr).not.toContain(path.join("dist", "main.js"));
  });

  it.each(["process.nextTick(() => { throw bug; })", "void Promise.reject(bug)"])(
    "is told the same way where nobody waits for it: %s",
    async (thrown) => {
      const home = createHome();
      const file = path.join(home, "bug.cjs");
      writeFileSync(
        file,
        `const { sort } = Array.prototype;
         Array.prototype.sort = function (...given) {
           const bug = new TypeError("planted");
           ${thrown};
           return sort.apply(this, given);
         };`,
      );
      const { code, stderr } = await openclaw(LIST, home, { env: { NODE_OPTIONS: `--require ${file}` } });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: Unexpected: planted\nhint: .*\nTypeError: planted\n/);
      expect(stderr).toMatch(/ \(?src\/[\w/-]+\.ts:\d+/);
    },
  );

  it("is a document with --json, and is one also when it is no error", async () => {
    const home = createHome();
    const { code, stdout } = await openclaw([...LIST, "--json"], home, { env: withBug(home, '"planted"') });
    expect(code).toBe(1);
    const document = JSON.parse(stdout);
    expectSchema("error", document);
    expect(document.error).toMatchObject({ code: "internal", message: "Unexpected: planted", exitCode: 1 });
  });

  it("does not tell the secrets that are in its message", async () => {
    const user = await emulate();
    const bug = "new Error(`at ${process.env.AWS_SECRET_ACCESS_KEY}`)";
    const { code, stderr } = await user.run(["models", "list"], { env: withBug(user.home, bug) });
    expect(code).toBe(1);
    expect(stderr).toContain("Unexpected: at …");
    expect(stderr).not.toContain(user.emulator.secretAccessKey);
  });
});

describe("this machine", () => {
  it("is said to be full when it is", async () => {
    const home = createHome();
    const bug = 'Object.assign(new Error("no space left on device"), { code: "ENOSPC" })';
    const { code, stderr } = await openclaw(LIST, home, { env: withBug(home, bug) });
    expect(code).toBe(1);
    expect(stderr).toBe(
      "error: The disk is full: no space left on device.\nhint: Free some space and run the command again.\n",
    );
  });

  it.each([
    ["EMFILE", "process", path.join(root, "dist", "setup.js")],
    ["EMFILE", "process", "openclaw.json"],
    ["ENFILE", "machine", "openclaw.json"],
  ])(
    "is said to have too many files open, and nothing else to be broken: %s, %s, %s",
    async (code, who, name) => {
      const home = createHome();
      const hook = path.join(home, "hook.cjs");
      writeFileSync(
        hook,
        `const fs = require("node:fs");
       const isOut = (file) => String(file).endsWith(${JSON.stringify(name)});
       const failure = () => Object.assign(new Error("${code}: too many open files"), { code: "${code}" });
       for (const way of ["openSync", "readFileSync"]) {
         const own = fs[way];
         fs[way] = (file, ...rest) => { if (isOut(file)) throw failure(); return own(file, ...rest); };
       }
       const own = fs.open;
       fs.open = (file, ...rest) => isOut(file) ? rest.at(-1)(failure()) : own(file, ...rest);`,
      );
      const { code: status, stderr } = await openclaw(LIST, home, {
        env: { NODE_OPTIONS: `--require ${hook}` },
      });
      expect(status).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^error: This ${who} may open no more files: ${code}.*\nhint: .* run the command again.*\n$`,
        ),
      );
    },
  );

  it("that cannot take the answer is told, and no stack", async (context) => {
    if (!existsSync("/dev/full")) return context.skip("this system has no /dev/full");
    const child = spawn(nodeBinary, [binary, "config", "schema"], {
      env: emptyEnvironment(createHome()),
      stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    });
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: The answer cannot be written: ENOSPC.*\nhint: Check where stdout leads to\.\n$/,
    );
  });
});

it("names the service's request id with --verbose", async () => {
  const user = await emulate({
    script: ({ route }) =>
      route === "ConverseStream" ? { error: { name: "ValidationException", message: "No." } } : undefined,
  });
  const { stderr } = await user.run(["chat", "-v", "-m", "amazon.nova-lite-v1:0", "hi"]);
  expect(stderr).toContain(`request id: ${user.emulator.calls[0]?.requestId}\n`);
});

describe("a Node that is too old", () => {
  it.each([
    [
      "/usr/bin/apt-get",
      "curl -fsSL https://deb.nodesource.com/setup_24.x | sudo -E bash - && sudo apt-get install -y nodejs",
    ],
    [
      "/usr/bin/dnf",
      "curl -fsSL https://rpm.nodesource.com/setup_24.x | sudo bash - && sudo dnf install -y nodejs",
    ],
    ["/nothing", "install a current Node (https://nodejs.org/en/download) and run the command again."],
  ])("is told with what installs another where there is %s", async (manager, hint) => {
    const home = createHome();
    const file = path.join(home, "old.cjs");
    writeFileSync(
      file,
      `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.19.1" } });
       require("node:fs").existsSync = (file) => file === ${JSON.stringify(manager)};\n`,
    );
    const { code, stdout, stderr } = await openclaw(["doctor"], home, {
      env: { NODE_OPTIONS: `--require ${file}` },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `openclaw: Node 18.19.1 is too old; openclaw needs Node 20.19 or newer.\nhint: ${hint}\n`,
    );
  });
});
