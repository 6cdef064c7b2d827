import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSingle } from "../../scripts/build-single.js";
import { root } from "../helpers/documents.ts";
import { emptyEnvironment, nodeBinary } from "../helpers/openclaw.ts";

let folder: string;
let home: string;
let program: string;

/** Runs the file where there is no Node and no package. */
function run(
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): SpawnSyncReturns<string> {
  return spawnSync(program, args, {
    cwd: home,
    env: { ...emptyEnvironment(home), PATH: "/usr/bin:/bin", ...options.env },
    input: options.input ?? "",
    encoding: "utf8",
  });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "openclaw-single-"));
  home = path.join(folder, "home");
  mkdirSync(home);
  program = path.join(folder, "openclaw");
  await buildSingle({ node: nodeBinary, output: program });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the single file", () => {
  test("is the program of this version", () => {
    const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
      version: string;
    };
    expect(run(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("lists models", () => {
    const { status, stdout, stderr } = run([
      "models",
      "list",
      "--emulator",
      "--plain",
      "--region",
      "us-east-1",
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n")).toContain("amazon-bedrock/us.anthropic.claude-opus-4-6-v1");
  });

  test("streams an answer to what is piped in", () => {
    const { status, stdout, stderr } = run(["chat", "--emulator", "-"], { input: "ping" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/simulated.*ping\n$/);
  });

  test("writes and reads its configuration, with comments", () => {
    writeFileSync(path.join(home, "c.json5"), "{ // mine\n models: { bedrockDiscovery: {} } }\n");
    const config = ["--config", "c.json5"];
    expect(run(["config", "set", ...config, "models.bedrockDiscovery.region", "eu-west-3"])).toMatchObject({
      status: 0,
    });
    expect(readFileSync(path.join(home, "c.json5"), "utf8")).toContain("// mine");
    expect(run(["config", "get", ...config, "models.bedrockDiscovery.region"])).toMatchObject({
      stdout: "eu-west-3\n",
    });
  });

  test("has its help and its pages inside", () => {
    expect(run(["chat", "--help"]).stdout).toContain("--max-tokens");
    expect(run(["help", "ec2"]).stdout).toMatch(/^# EC2\n/);
  });

  test("judges schemas in processes of its own", () => {
    const schemaOf = (type: string): string =>
      JSON.stringify({ type: "object", properties: { a: { type } }, required: ["a"] });
    const wrong = run(["chat", "--emulator", "--schema", schemaOf("nonsense"), "hi"]);
    expect(wrong).toMatchObject({ status: 2, stdout: "" });
    expect(wrong.stderr).toContain("/properties/a/type must be equal to one of the allowed values");
    const right = run(["chat", "--emulator", "--schema", schemaOf("string"), "hi"]);
    expect({ status: right.status, stderr: right.stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(right.stdout)).toMatchObject({ a: expect.any(String) });
  });

  test("takes the bound of such a process's memory from the environment", () => {
    const hook = path.join(home, "heap.cjs");
    writeFileSync(
      hook,
      'process.stderr.write(String(require("node:v8").getHeapStatistics().heap_size_limit / 2 ** 20));\n',
    );
    const limitWith = (options: string): number =>
      Number(run(["--version"], { env: { NODE_OPTIONS: `--require ${hook} ${options}` } }).stderr);
    expect(limitWith("--max-old-space-size=128")).toBeLessThan(256);
    expect(limitWith("")).toBeGreaterThan(256);
  });

  test("examines a machine", () => {
    const { stdout } = run(["doctor", "--emulator"]);
    expect(stdout).toContain("Credential sources, in order");
  });

  test("takes a signal as the program does, and a reader that goes away", () => {
    const { stdout } = spawnSync(
      "/bin/sh",
      ["-c", `"${program}" models list --emulator | head -1; echo "left: $?"`],
      {
        cwd: home,
        env: emptyEnvironment(home),
        encoding: "utf8",
      },
    );
    expect(stdout).toMatch(/\nleft: 0\n$/);
  });

  test("tells of a bug with lines of the sources", () => {
    const bug = path.join(home, "bug.cjs");
    writeFileSync(bug, 'Array.prototype.sort = () => { throw new TypeError("planted"); };\n');
    const { stderr } = run(["models", "list", "--emulator"], { env: { NODE_OPTIONS: `--require ${bug}` } });
    expect(stderr).toMatch(/ +at async main \(src\/main\.ts:\d+\)\n$/);
  });

  test("writes nothing beside itself", () => {
    expect(spawnSync("ls", [folder], { encoding: "utf8" }).stdout.trim().split("\n")).toEqual([
      "home",
      "openclaw",
    ]);
  });
});
