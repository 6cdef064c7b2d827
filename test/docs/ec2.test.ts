import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fencedBlocks, root } from "../helpers/documents.ts";
import { emulate } from "../helpers/emulated.ts";
import { createHome, emptyEnvironment, pathWithOpenclaw } from "../helpers/openclaw.ts";

const page = readFileSync(path.join(root, "docs", "ec2.md"), "utf8");

/** Programs that the page calls and this machine has not, by their names: lines of a shell. */
function standIns(home: string, programs: Readonly<Record<string, string>>): string {
  const folder = path.join(home, "stand-ins");
  mkdirSync(folder);
  for (const [name, lines] of Object.entries(programs))
    writeFileSync(path.join(folder, name), `#!/bin/sh\necho "${name} $*" >> "${home}/calls"\n${lines}\n`, {
      mode: 0o755,
    });
  return folder;
}

/** Runs bash while the emulator of this process answers. */
async function runShell(args: readonly string[], options: { cwd?: string; env: Record<string, string> }) {
  const child = spawn("bash", args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

const callsIn = (home: string): string[] =>
  readFileSync(path.join(home, "calls"), "utf8").trimEnd().split("\n");

describe("the page on EC2", () => {
  it("has user data that ends with the models, and writes the settings of the user", async () => {
    const machine = await emulate();
    const { home } = machine;
    // The role comes late: AWS is not there for the first two calls.
    const late = `n=$(cat "${home}/n" 2>/dev/null || echo 0); echo $((n + 1)) > "${home}/n"`;
    const folder = standIns(home, {
      dnf: "",
      npm: "",
      sleep: "",
      runuser: `case "$4" in *"models list"*) ${late}; [ "$n" -lt 2 ] && exit 4 ;; esac; exec sh -c "$4"`,
    });
    const [script = ""] = fencedBlocks(page, "bash");
    const run = await runShell(["-c", script], {
      cwd: home,
      env: emptyEnvironment(home, {
        ...machine.env,
        PATH: [folder, pathWithOpenclaw(home)].join(path.delimiter),
      }),
    });
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
    expect(run.stdout).toContain("amazon-bedrock/us.anthropic.claude-opus-4-6-v1\n");
    const calls = callsIn(home);
    expect(calls.filter((call) => !call.startsWith("runuser"))).toEqual([
      "dnf install -y nodejs24 nodejs24-npm",
      "npm install -g openclaw",
      "sleep 10",
      "sleep 10",
    ]);
    const { stdout } = await machine.run(["config", "get", "agents.defaults.model"]);
    expect(stdout).toBe("us.anthropic.claude-opus-4-6-v1\n");
  });

  it("gives the profile to the instance as soon as EC2 knows of it", async () => {
    const home = createHome();
    const known = `[ "$2" != associate-iam-instance-profile ] || [ "$(grep -c associate "${home}/calls")" -ge 3 ]`;
    const folder = standIns(home, { aws: known, sleep: "" });
    const steps = fencedBlocks(page, "sh").find((block) => block.includes("iam wait")) ?? "";
    const last = steps.slice(steps.indexOf("# 3."));
    const run = await runShell(["-euo", "pipefail", "-c", last], {
      env: emptyEnvironment(home, { PATH: [folder, process.env["PATH"]].join(path.delimiter) }),
    });
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
    expect(callsIn(home).map((call) => call.split(" ").slice(0, 3).join(" "))).toEqual([
      "aws iam wait",
      "aws ec2 associate-iam-instance-profile",
      "sleep 10",
      "aws ec2 associate-iam-instance-profile",
      "sleep 10",
      "aws ec2 associate-iam-instance-profile",
    ]);
  });

  it("shows the policy that its own lines print", async () => {
    const machine = await emulate();
    const steps = fencedBlocks(page, "sh").find((block) => block.includes("openclaw iam policy")) ?? "";
    const lines = steps.split("\n").filter((line) => line.startsWith("openclaw "));
    expect(lines).toHaveLength(3);
    let printed = "";
    for (const line of lines) {
      const result = await machine.run(
        line
          .replace(/ > .*$/, "")
          .split(" ")
          .slice(1),
      );
      expect(result).toMatchObject({ code: 0, stderr: "" });
      printed = result.stdout;
    }
    const [shown = ""] = fencedBlocks(page, "json");
    expect(JSON.parse(shown)).toEqual(JSON.parse(printed));
  });

  it("quotes the findings of doctor as doctor words them", () => {
    const source = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(path.join(root, "src", name), "utf8"))
      .join("\n");
    const findings = [...page.matchAll(/^\| [^|]*\| `([^`]+)` \|/gm)].map(([, finding = ""]) => finding);
    expect(findings.length).toBeGreaterThan(12);
    // Names and numbers stand for those of the instance.
    const pieces = findings.flatMap((finding) =>
      finding
        .split(/…|403|EC2-Bedrock-Access|, IMDSv2|no (?:identity-based|VPC endpoint) policy/)
        .map((piece) => piece.replaceAll(/^[\s/(]+|[\s/,)]+$/g, ""))
        .filter((piece) => piece.length > 3 && piece !== "assumed-role"),
    );
    expect(pieces.filter((piece) => !source.includes(piece))).toEqual([]);
  });
});
