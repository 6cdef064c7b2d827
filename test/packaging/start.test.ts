import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../helpers/documents.ts";
import { createHome, emptyEnvironment, nodeBinary } from "../helpers/openclaw.ts";

const script = path.join(root, "scripts", "start.js");

/** `npm start` with these arguments, as npm runs it. */
function startProgram(args: readonly string[], home: string, env: Record<string, string> = {}) {
  return spawn(nodeBinary, [script, ...args], {
    cwd: root,
    env: emptyEnvironment(home, { INIT_CWD: home, ...env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(args: readonly string[], home: string, env?: Record<string, string>) {
  const child = startProgram(args, home, env);
  const written = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (written.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (written.stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...written };
}

describe("npm start", () => {
  test("runs a command, and prints nothing but its answer", async () => {
    expect(await run(["chat", "--emulator", "ping"], createHome())).toEqual({
      code: 0,
      stdout: "This is a simulated answer from the openclaw emulator (model Nova Lite). You asked: ping\n",
      stderr: "",
    });
  });

  test("passes the exit code on", async () => {
    expect(await run(["chat", "--bogus"], createHome())).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["chat", "ping"], createHome())).toMatchObject({ code: 3, stdout: "" });
  });

  test("takes file names from where the user stands", async () => {
    const home = createHome();
    const folder = path.join(home, "project");
    mkdirSync(folder);
    writeFileSync(
      path.join(folder, "config.json5"),
      "{ models: { bedrockDiscovery: { region: 'eu-west-3' } } }",
    );
    const args = ["config", "get", "--config", "config.json5", "models.bedrockDiscovery.region"];
    expect(await run(args, home, { INIT_CWD: folder })).toMatchObject({ code: 0, stdout: "eu-west-3\n" });
  });

  test("passes a signal on", async () => {
    const child = startProgram(["emulator"], createHome());
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(143);
  });

  test("shows doctor, models list and a streamed chat where nothing is set up", async () => {
    const { code, stdout } = await run([], createHome());
    expect(code).toBe(0);
    const headings = [...stdout.matchAll(/^\$ (.*)$/gm)].map(([, command]) => command);
    expect(headings).toEqual([
      "openclaw doctor --emulator",
      "openclaw models list --emulator",
      'openclaw chat --emulator "Why is the sky blue?"',
    ]);
    expect(stdout).toContain("Credential sources, in order");
    expect(stdout).toContain("amazon-bedrock/us.anthropic.claude-opus-4-6-v1");
    expect(stdout).toContain("This is a simulated answer");
    expect(stdout).toContain('node bin/openclaw.js chat "Why is the sky blue?"');
  });

  test("keeps the tour on the emulator although credentials and a configuration are there", async () => {
    const home = createHome();
    mkdirSync(path.join(home, ".openclaw"));
    writeFileSync(
      path.join(home, ".openclaw", "openclaw.json"),
      '{ agents: { defaults: { model: "other/model" } } }',
    );
    const { code, stdout } = await run([], home, {
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
      // Nothing listens there: a call that leaves the emulator fails.
      AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    });
    expect(code).toBe(0);
    expect(stdout).toContain("This is a simulated answer");
    expect(stdout).toContain("AWS_ACCESS_KEY_ID is set, so the same three commands work against AWS");
  });
});

test("a clone that has nothing installed installs it before it is packed", async () => {
  const clone = createHome();
  for (const name of ["package.json", "package-lock.json", "scripts/set-up.js"])
    cpSync(path.join(root, name), path.join(clone, name));
  const { scripts } = JSON.parse(readFileSync(path.join(clone, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  // What stands in for npm says what it was asked for.
  const npm = path.join(clone, "npm-cli.js");
  writeFileSync(npm, "console.log(process.argv.slice(2).join(' '))");
  const [first = ""] = (scripts["prepack"] ?? "").split(" && ");
  const child = spawn("/bin/sh", ["-c", first], {
    cwd: clone,
    env: { ...emptyEnvironment(clone), PATH: path.dirname(nodeBinary), npm_execpath: npm },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  expect(await once(child, "close")).toEqual([0, null]);
  expect(stderr).toMatch(/^openclaw: installing packages \(npm ci\)\nci --include=dev /);
});

test("a clone that was not built says how it is", async () => {
  const home = createHome();
  cpSync(path.join(root, "bin"), path.join(home, "bin"), { recursive: true });
  mkdirSync(path.join(home, "src"));
  const child = spawn(nodeBinary, [path.join(home, "bin", "openclaw.js"), "--version"], {
    env: emptyEnvironment(home),
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  expect(await once(child, "close")).toEqual([1, null]);
  expect(stderr).toBe("openclaw: this clone is not built yet.\nhint: npm start\n");
});
