import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { completeCommands } from "../../src/command-line/complete-commands.ts";
import type { GlobalOptions } from "../../src/options.ts";
import { PROGRAM } from "../../src/program.ts";
import { listeningTerminal, ServeLog } from "../../src/serve/serve-log.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";

const complete = (hint: string, options: Partial<GlobalOptions>): string =>
  completeCommands(hint, PROGRAM, { color: true, ...options });

const EVERYWHERE = { config: "my conf.json5", region: "eu-west-1" };
const FLAGS = "--config 'my conf.json5' --region eu-west-1";

describe("the commands of a hint", () => {
  it.each([
    ["openclaw doctor", `openclaw doctor ${FLAGS}`],
    ["Check what is asked: openclaw doctor", `Check what is asked: openclaw doctor ${FLAGS}`],
    ["openclaw models list --embeddings", `openclaw models list ${FLAGS} --embeddings`],
    [
      "Choose one from `openclaw models list`, then: openclaw models set MODEL",
      `Choose one from \`openclaw models list ${FLAGS}\`, then: openclaw models set ${FLAGS} MODEL`,
    ],
    [
      "Ask less (openclaw models list --sort price-in), or allow more.",
      `Ask less (openclaw models list ${FLAGS} --sort price-in), or allow more.`,
    ],
    ["openclaw chat -- help", `openclaw chat ${FLAGS} -- help`],
    ["openclaw batch … --profile NAME", `openclaw batch ${FLAGS} … --profile NAME`],
    ["openclaw batch status list", `openclaw batch status ${FLAGS} list`],
  ])("say where the command line looked: %s", (hint, whole) => {
    expect(complete(hint, EVERYWHERE)).toBe(whole);
  });

  it.each([
    ["aws sts get-caller-identity", "aws sts get-caller-identity --profile work"],
    [
      "List those: aws bedrock list-guardrails",
      "List those: aws bedrock list-guardrails --profile work --region eu-west-1",
    ],
    ["aws s3 ls --recursive s3://b", "aws s3 ls --profile work --region eu-west-1 --recursive s3://b"],
    ["aws s3 rm s3://b/k", "aws s3 rm --profile work --region eu-west-1 s3://b/k"],
    [
      "aws configure   (on EC2, attach an instance role)",
      "aws configure --profile work   (on EC2, attach an instance role)",
    ],
    [
      "Did you mean aws sso login? See: openclaw help ec2",
      "Did you mean aws sso login --profile work? See: openclaw help ec2",
    ],
    ["aws s3 mb s3://b --region us-east-1", "aws s3 mb --profile work s3://b --region us-east-1"],
    ["aws sso login --profile dev", "aws sso login --profile dev"],
    ["In the aws-cli: ~/.aws login", "In the aws-cli: ~/.aws login"],
  ])("of the AWS CLI ask the same account: %s", (hint, whole) => {
    const options = { ...EVERYWHERE, profile: "work", endpointUrl: "http://localhost:1" };
    expect(complete(hint, options)).toBe(whole);
    expect(complete(whole, options)).toBe(whole);
  });

  it.each([
    ["http://alice:S3cret-pw@127.0.0.1:1", "'http://****@127.0.0.1:1'"],
    ["https://proxy.example/bedrock?apiKey=S3cret-pw", "'https://proxy.example/bedrock?apiKey=****'"],
  ])("have no secret of an endpoint: %s", (endpointUrl, shown) => {
    expect(complete("openclaw doctor", { endpointUrl })).toBe(`openclaw doctor --endpoint-url ${shown}`);
  });

  it.each([
    ["openclaw config get mcp", "openclaw config get --config 'my conf.json5' mcp"],
    ["openclaw tools list", "openclaw tools list --config 'my conf.json5'"],
  ])("have no flags that decide nothing there: %s", (hint, whole) => {
    expect(complete(hint, { ...EVERYWHERE, profile: "work", endpointUrl: "http://localhost:1" })).toBe(whole);
  });

  it.each([
    ["openclaw help ec2", EVERYWHERE],
    ["openclaw sessions list", EVERYWHERE],
    ["openclaw emulator --host 127.0.0.1", { emulator: true, config: "c" }],
    ["aws configure --profile openclaw", EVERYWHERE],
    ["rm -r /opt/openclaw doctor", EVERYWHERE],
    ["What openclaw keeps is yours.", EVERYWHERE],
    ["openclaw doctor", {}],
    ["openclaw chat --emulator", { profile: "work", endpointUrl: "http://localhost:1" }],
    ["openclaw quota --profile NAME", { emulator: true }],
    ["openclaw models list --region us-east-1", { region: "eu-west-1" }],
    ["openclaw models list --region=us-east-1", { region: "eu-west-1" }],
  ] as const)("stay as they are: %s", (hint, options) => {
    expect(complete(hint, options)).toBe(hint);
  });

  it("is not completed twice", () => {
    const options = { emulatorScript: "s.json5", ...EVERYWHERE };
    const once = complete("openclaw doctor; openclaw models list", options);
    expect(once).toContain("--emulator-script s.json5");
    expect(complete(once, options)).toBe(once);
  });
});

describe("commands to paste are whole", () => {
  const told = (tell: (terminal: ReturnType<typeof listeningTerminal>) => void): string => {
    const lines: string[] = [];
    const terminal = listeningTerminal((line) => lines.push(line));
    terminal.setMode({ completeCommands: (text) => complete(text, EVERYWHERE) });
    tell(terminal);
    return lines.join("\n");
  };

  it("in notices", () => {
    expect(told((terminal) => terminal.note("openclaw: kept with: openclaw models set"))).toBe(
      `kept with: openclaw models set ${FLAGS}`,
    );
  });

  it("and those in words of somebody else stay as they are", () => {
    expect(told((terminal) => terminal.note("openclaw doctor", "  "))).toBe("  openclaw doctor");
  });

  it("where a person is told that there is nothing", () => {
    const lines: string[] = [];
    const take = (text: string | Uint8Array): boolean => lines.push(String(text)) > 0;
    const terminal = new Terminal(
      { write: take, once: () => undefined, isTTY: true },
      { write: take, once: () => undefined },
      {},
    );
    terminal.setMode({ completeCommands: (text) => complete(text, EVERYWHERE) });
    terminal.noteNothing("Begin: openclaw chat");
    expect(lines.join("")).toBe(`Begin: openclaw chat ${FLAGS}\n`);
  });

  it.each([
    [["models", "status"], "not set (openclaw models set --region eu-west-1 MODEL)"],
    [["sessions", "list"], "`openclaw chat --region eu-west-1` begins one."],
    [
      ["batch", "role", "--s3", "s3://a-bucket/p", "--emulator"],
      "# Then: openclaw batch submit --emulator --region eu-west-1 FILE",
    ],
  ])("in what %j tells", async (command, told) => {
    const { stdout, stderr } = await openclaw([...command, "--region", "eu-west-1"], createHome());
    expect(stdout + stderr).toContain(told);
  });

  it("in the log of serve", () => {
    const error = { code: "model-access", message: "No access.", hint: "openclaw models access m" };
    const request = { method: "POST", path: "/v1/messages", status: 403, error };
    const log = told((terminal) => {
      const serveLog = new ServeLog({ terminal, now: () => 0 });
      serveLog.request(request as never);
      serveLog.note("See openclaw doctor");
    });
    const [first, second] = log.split("\n").map((line) => JSON.parse(line));
    expect(first.error.hint).toBe(`openclaw models access ${FLAGS} m`);
    expect(second.message).toBe(`See openclaw doctor ${FLAGS}`);
  });
});

describe("what a command says to do next looks where it looked itself", () => {
  it.each([
    ["chat", "-m", "nope", "hi"],
    ["models", "show", "nope"],
    ["models", "list", "--search", "zzz"],
    ["models", "access", "nope"],
    ["models", "set", "nope"],
    ["quota", "nope"],
    ["embed", "-m", "nope", "text"],
    ["batch", "status", "nope"],
    ["doctor"],
  ])("%s %s", async (...command) => {
    const home = createHome();
    const config = path.join(home, "own.json5");
    writeFileSync(config, '{ agents: { defaults: { model: "nope" } } }');
    const args = [...command, "--emulator", "--config", config, "--region", "us-west-2"];
    const repeated = `--emulator --config ${config} --region us-west-2`;
    const document = JSON.parse((await openclaw([...args, "--json"], home)).stdout);
    const { error, warnings = [], checks = [] } = document;
    const hints = [error, ...warnings, ...checks].flatMap((told) => told?.hint ?? []);
    const commands = hints.filter((hint: string) => /\bopenclaw [a-z]/.test(hint));
    expect(commands).not.toEqual([]);
    for (const hint of commands) expect(hint).toContain(repeated);
    const { stdout, stderr } = await openclaw(args, home);
    expect(stdout + stderr).toContain(repeated);
  });
});
