import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { nodeBinary } from "../../scripts/node-binary.js";
import type { Dialogue } from "../../src/emulator/emulator.ts";
import { fencedBlocks, root } from "../helpers/documents.ts";
import { emulate } from "../helpers/emulated.ts";
import { emptyEnvironment, pathWithOpenclaw } from "../helpers/openclaw.ts";
import { writeDbhub } from "../helpers/real-servers.ts";

const page = readFileSync(path.join(root, "docs", "tools.md"), "utf8");

/** The lines of shell under a heading of the page that hold a text. */
function linesWith(text: string): string {
  const found = fencedBlocks(page, "sh").filter((block) => block.includes(text));
  expect(found, text).toHaveLength(1);
  return found[0] ?? "";
}

const commands = linesWith("config set tools.unit-log");
const handOver = linesWith("--tool-result");
const failing = linesWith("--allow aws ");
const review = linesWith("review.md");
const shop = linesWith("dbhub");

/** Programs that the page calls and a machine of tests may not have. */
const STAND_INS = {
  journalctl: `echo "$*: bind() to 0.0.0.0:80 failed (98: Address already in use)"`,
  npm: "",
  aws: `echo "aws $*"`,
};
/** Where there is no jq: the two filters of the page. */
const JQ = `#!${process.execPath}
const value = JSON.parse(require("fs").readFileSync(0, "utf8"));
if (process.argv.includes(".unit")) console.log(value.unit);
else for (const { toolUseId } of value.steps.at(-1).calls)
  console.log(JSON.stringify({ toolUseId, content: "nginx: port 80 is taken" }));
`;

/** Runs lines of the page as they are written, where AWS is an emulator whose models say what `dialogue` has. */
async function user(dialogue: Dialogue) {
  const machine = await emulate({ dialogue });
  const { home } = machine;
  machine.configure(`{
    models: { bedrockDiscovery: { region: "us-east-1" } },
    agents: { defaults: { model: "amazon-bedrock/us.anthropic.claude-sonnet-4-6" } },
  }`);
  const folder = path.join(home, "stand-ins");
  mkdirSync(folder);
  for (const [name, lines] of Object.entries(STAND_INS))
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  if (spawnSync("jq", ["--version"]).status !== 0)
    writeFileSync(path.join(folder, "jq"), JQ, { mode: 0o755 });
  const env = emptyEnvironment(home, {
    ...machine.env,
    PATH: [folder, pathWithOpenclaw(home)].join(path.delimiter),
  });
  return {
    home,
    folder,
    run: async (lines: string) => {
      const child = spawn("/bin/sh", ["-ec", lines], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      const [code] = (await once(child, "close")) as [number | null];
      expect({ code, stderr: stderr.includes("error:") ? stderr : "" }).toEqual({ code: 0, stderr: "" });
      return { stdout, stderr };
    },
  };
}

describe("the page on tools", () => {
  it("explains a unit that fails", async () => {
    const { run } = await user([
      {
        text: "I look at its log, and at the host.",
        toolCalls: [
          { name: "unit-log", input: { unit: "nginx.service" } },
          { name: "aws", input: { args: ["ec2", "describe-instances"] } },
          { name: "aws", input: { args: ["ec2", "terminate-instances"] } },
        ],
      },
      { text: "Seen: $result" },
    ]);
    const set = await run(commands);
    expect(set.stdout).toContain("--unit=nginx.service: bind() to 0.0.0.0:80 failed");
    const { stdout, stderr } = await run(failing);
    expect(stdout).toContain("-n 100 --unit=nginx.service: bind() to 0.0.0.0:80 failed");
    expect(stdout).toContain("aws ec2 describe-instances");
    expect(stdout).not.toContain("aws ec2 terminate-instances");
    expect(stderr).toContain("aws:write");
  });

  it("lets a script run the calls", async () => {
    const { run } = await user([
      { toolCalls: [{ name: "unit-log", input: { unit: "nginx.service" } }] },
      { text: "It does not start: $result" },
    ]);
    await run(commands);
    const { stdout } = await run(handOver);
    expect(stdout).toBe("It does not start: nginx: port 80 is taken\n");
  });

  it("reviews a folder", async () => {
    const { run, home } = await user([
      {
        toolCalls: [
          { name: "list-files", input: {} },
          { name: "search-files", input: { text: "eval" } },
          { name: "read-file", input: { path: "main.js" } },
          { name: "read-file", input: { path: "../secret" } },
        ],
      },
      { text: "# Review\n\n$result" },
    ]);
    mkdirSync(path.join(home, "src"));
    writeFileSync(path.join(home, "src", "main.js"), "eval(input);\n");
    writeFileSync(path.join(home, "secret"), "hunter2\n");
    await run(review);
    const written = readFileSync(path.join(home, "review.md"), "utf8");
    expect(written).toContain("# Review");
    expect(written.match(/eval\(input\)/g)?.length).toBeGreaterThan(1);
    expect(written).not.toContain("hunter2");
  });

  it("asks a SQLite file through an MCP server", { timeout: 120_000 }, async () => {
    const { run, home, folder } = await user([
      {
        toolCalls: [
          {
            name: "shop__execute_sql",
            input: {
              sql: "SELECT customer, sum(price) AS paid FROM orders GROUP BY customer ORDER BY paid DESC",
            },
          },
        ],
      },
      { text: "The best: $result" },
    ]);
    await writeDbhub(folder);
    execFileSync(
      await nodeBinary("24"),
      [
        "-e",
        `const db = new (require("node:sqlite").DatabaseSync)("shop.db");
         db.exec("CREATE TABLE orders (customer TEXT, price REAL); INSERT INTO orders VALUES ('Ada', 40), ('Bob', 25), ('Ada', 5)");`,
      ],
      { cwd: home },
    );
    const { stdout } = await run(shop);
    expect(stdout).toMatch(/The best: [^]*Ada[^]*45[^]*Bob[^]*25/);
  });
});
