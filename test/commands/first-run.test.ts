import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Script } from "../../src/emulator/script.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { binary, createHome, nodeBinary, openclaw, pathWithOpenclaw } from "../helpers/openclaw.ts";
import { openPty, openTerminal, type Sight, type TerminalOptions } from "../helpers/pty.ts";

/* What a person meets who has credentials and has chosen no model yet, or has not even credentials. */

const ENTER = "\r";
const ESC = "\u001B";
const DOWN = "\u001B[B";
const UP = "\u001B[A";
const PAGE_DOWN = "\u001B[6~";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
/** The line that Enter takes. */
const SELECTED = /^› .*$/m;

interface Sitting extends Emulated {
  pty: Sight;
  /** The default model of the configuration; undefined where none was written. */
  kept: () => unknown;
}

async function sitDown(args: string[], options: TerminalOptions = {}, script?: Script): Promise<Sitting> {
  const emulated = await emulate(script ? { script } : {});
  const pty = openTerminal(args, emulated.home, {
    ...options,
    env: { ...emulated.env, AWS_REGION: "us-east-1", ...options.env },
  });
  return { ...emulated, pty, kept: () => keptIn(emulated.home) };
}

function keptIn(home: string): unknown {
  try {
    const file = path.join(home, ".openclaw", "openclaw.json");
    return JSON.parse(readFileSync(file, "utf8")).agents?.defaults?.model;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const asked = ({ emulator }: Emulated) =>
  emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ parameters }) => parameters["modelId"]);

describe("chat without a default model at a terminal", () => {
  it("offers the models, keeps the choice on a yes, and answers the question", async () => {
    const sitting = await sitDown(["chat", "hi", "there"]);
    const { pty } = sitting;
    const screen = await pty.see("Enter takes it");
    expect(screen).toMatch(/^Model: {3}\(\d+\)\n {2}Name +Answers from +Context +\$ in +\$ out\n› /);
    pty.type("sonnet 4.5 us");
    expect(await pty.see("1 of ")).toMatch(/^› US Claude Sonnet 4\.5 +US +200K +3\.30\d? +16\.50$/m);
    expect(pty.lines().join("\n")).toMatch(
      new RegExp(`^${SONNET} {2}US, \\$3\\.30\\d? in, \\$16\\.50 out`, "m"),
    );
    pty.type(ENTER);
    await pty.see("Keep it as the default model? [Y/n]");
    pty.type("y");
    expect(await pty.exit).toBe(0);
    expect(pty.lines()).toEqual([
      `Model: ${SONNET}`,
      "Keep it as the default model? [Y/n] yes",
      "openclaw: another one is kept with: openclaw models set",
      expect.stringContaining("simulated answer"),
      expect.stringContaining("hi there"),
    ]);
    expect(sitting.kept()).toBe(`amazon-bedrock/${SONNET}`);
    expect(asked(sitting)).toEqual([SONNET]);
  });

  it.each([
    ["n", "no"],
    [ESC, "no"],
    [CTRL_D, "no"],
    [`x${ENTER}`, "yes"],
  ])("takes %j for the answer %s", async (key, answer) => {
    const sitting = await sitDown(["chat", "hi"]);
    await sitting.pty.see("Enter takes it");
    sitting.pty.type(`nova micro${ENTER}`);
    await sitting.pty.see("[Y/n]");
    sitting.pty.type(key);
    expect(await sitting.pty.exit).toBe(0);
    expect(sitting.pty.lines().join("\n")).toContain(`[Y/n] ${answer}\n`);
    expect(sitting.kept()).toBe(answer === "yes" ? "amazon-bedrock/amazon.nova-micro-v1:0" : undefined);
    expect(asked(sitting)).toEqual(["amazon.nova-micro-v1:0"]);
  });

  it("goes on to the conversation, with what was typed meanwhile", async () => {
    const sitting = await sitDown(["chat"]);
    const { pty } = sitting;
    await pty.see("Enter takes it");
    pty.type(`nova lite${ENTER}nOne${ENTER}`);
    await pty.see(/asked: One\n\n> $/);
    pty.type(CTRL_D);
    expect(await pty.exit).toBe(0);
    expect(pty.lines().join("\n")).toContain("> One\n");
    expect(sitting.kept()).toBeUndefined();
  });

  it.each([
    [ESC, 3],
    [CTRL_D, 3],
    [CTRL_C, 130],
  ])("leaves no trace of the list after %j", async (key, code) => {
    const sitting = await sitDown(["chat", "hi"]);
    await sitting.pty.see("Enter takes it");
    sitting.pty.type(key);
    expect(await sitting.pty.exit).toBe(code);
    const left = sitting.pty.lines();
    expect(left).toEqual(
      code === 3
        ? [
            "error: No model is named, and the configuration has no default model.",
            "hint: Choose one from `openclaw models list`, then: openclaw models set MODEL",
          ]
        : [],
    );
    expect(sitting.kept()).toBeUndefined();
    expect(asked(sitting)).toEqual([]);
  });

  it("is left by Ctrl-C at the question, too, and ended by a signal", async () => {
    const sitting = await sitDown(["chat", "hi"]);
    await sitting.pty.see("Enter takes it");
    sitting.pty.type(`nova micro${ENTER}`);
    await sitting.pty.see("[Y/n]");
    sitting.pty.type(CTRL_C);
    expect(await sitting.pty.exit).toBe(130);
    expect(sitting.pty.lines().at(-1)).toBe("Keep it as the default model? [Y/n] ^C");
    const other = await sitDown(["chat", "hi"], { isAlone: true });
    await other.pty.see("Enter takes it");
    other.pty.kill("SIGTERM");
    expect(await other.pty.exit).toBe(143);
    expect(other.pty.lines()).toEqual([]);
  });

  it("asks all the same where the choice cannot be kept", async () => {
    const sitting = await sitDown(["chat", "hi"], {
      env: { OPENCLAW_CONFIG_READONLY: "1" },
    });
    await sitting.pty.see("Enter takes it");
    sitting.pty.type(`nova micro${ENTER}${ENTER}`);
    expect(await sitting.pty.exit).toBe(0);
    const text = sitting.pty.lines().join("\n");
    expect(text).toContain("warning: It is not kept. ");
    expect(text).toContain("asked: hi");
  });

  it.each([
    ["a pipe behind it", "openclaw chat hi | cat"],
    ["a pipe before it", "echo hi | openclaw chat"],
    ["messages that go elsewhere", "openclaw chat hi 2> errors"],
    ["JSON", "openclaw chat hi --json"],
    ["a terminal that cannot take back what it shows", "TERM=dumb openclaw chat hi"],
    ["CI", "CI=1 openclaw chat hi"],
  ])("asks nobody with %s", async (_, command) => {
    const emulated = await emulate();
    const pty = openPty([], emulated.home, {
      command: ["bash", "-c", `set -o pipefail; ${command}`],
      env: { ...emulated.env, AWS_REGION: "us-east-1", PATH: pathWithOpenclaw(emulated.home) },
    });
    expect(await pty.exit).toBe(3);
    expect(pty.output()).not.toContain("Enter takes it");
    expect(emulated.routes()).toEqual([]);
  });

  it("tells why there is nothing to choose from", async () => {
    const denied: Script = ({ route }) =>
      route === "ListFoundationModels"
        ? {
            error: {
              name: "AccessDeniedException",
              message: "User: me is not authorized to perform: bedrock:ListFoundationModels",
              status: 403,
            },
          }
        : undefined;
    const { pty } = await sitDown(["chat", "hi"], {}, denied);
    expect(await pty.exit).toBe(4);
    expect(pty.lines()[0]).toMatch(/^error: .*ListFoundationModels/);
  });
});

describe("the list to choose from", () => {
  it("is moved through by arrows and pages, never beyond its ends, and searched by any words", async () => {
    const { pty } = await sitDown(["models", "set"]);
    const first = SELECTED.exec(await pty.see("Enter takes it"))?.[0] ?? "";
    const selected = (): string => SELECTED.exec(pty.lines().join("\n"))?.[0] ?? "";
    const moved = async (keys: string): Promise<string> => {
      const before = selected();
      pty.type(keys);
      await expect.poll(selected).not.toBe(before);
      return selected();
    };
    const second = await moved(DOWN);
    expect(await moved(UP)).toBe(first);
    pty.type(UP + UP);
    expect(await moved(DOWN)).toBe(second);
    await moved(PAGE_DOWN);
    const last = await moved(PAGE_DOWN.repeat(30));
    pty.type(PAGE_DOWN + DOWN);
    expect(await moved(UP)).not.toBe(last);
    pty.type("CLAUDE  haiku");
    await pty.see(/^Model: CLAUDE {2}haiku {2}\(3 of \d+\)$/m);
    pty.type(" nothing like this");
    await pty.see("Nothing has these words in it.");
    pty.type(ENTER);
    pty.type(`${CTRL_U}\u001B[200~nova\npro\u001B[201~`);
    await pty.see(/^Model: nova pro {2}\(\d of \d+\)$/m);
    pty.type(ESC);
    expect(await pty.exit).toBe(2);
  });

  it.each([20, 40, 80, 100, 120, 200])("fits %d columns, and leaves what was there", async (columns) => {
    const { home, env } = await emulate();
    const pty = openPty([], home, {
      columns,
      env: { ...env, AWS_REGION: "us-east-1" },
      command: ["sh", "-c", `echo before; "${nodeBinary}" "${binary}" models set`],
    });
    // The last line: what is above it is there, too.
    await pty.see(/\bEsc\b/);
    const lines = pty.lines();
    await expect(lines.join("\n")).toMatchFileSnapshot(`screens/choose-model-${columns}.txt`);
    expect(lines[0]).toBe("before");
    pty.type(`nova micro${ENTER}`);
    expect(await pty.exit).toBe(0);
    expect(pty.lines().join("")).toMatch(/^beforeModel: *amazon\.nova.*Default model: /);
  });

  it("is drawn anew where the terminal gets another size, and as for 80 columns where it tells none", async () => {
    const { home, env } = await emulate();
    const pty = openPty(["models", "set"], home, { env: { ...env, AWS_REGION: "us-east-1" } });
    await pty.see("Enter takes it");
    for (const [columns, rows] of [
      [40, 24],
      [30, 8],
      [120, 40],
      [80, 3],
      [80, 24],
    ] as const) {
      const before = pty.output().length;
      await pty.resize(columns, rows);
      await expect.poll(() => pty.output().length).toBeGreaterThan(before);
      // Where the cursor stands when it is drawn, and not where the terminal has moved it before.
      await expect.poll(() => pty.lines()[pty.cursor().row]).toMatch(/^Model: /);
      await pty.see(/^› /m);
      await expect.poll(() => pty.lines().filter((line) => line.startsWith("Model: ")).length).toBe(1);
    }
    pty.tell(0, 0);
    pty.type("nova micro");
    await pty.see("of ");
    pty.type(ENTER);
    expect(await pty.exit).toBe(0);
    expect(pty.lines().at(-1)).toMatch(/^Default model: /);
  });

  it("has no look where none is wanted", async () => {
    const { pty } = await sitDown(["models", "set"], { env: { NO_COLOR: "1" } });
    await pty.see("Enter takes it");
    expect(pty.output()).not.toMatch(/\u001B\[[\d;]*m/);
    pty.type(ESC);
    expect(await pty.exit).toBe(2);
  });
});

describe("models set without a model", () => {
  it("stores what is chosen, without another question", async () => {
    const sitting = await sitDown(["models", "set"]);
    await sitting.pty.see("Enter takes it");
    sitting.pty.type(`sonnet 4.5 us${ENTER}`);
    expect(await sitting.pty.exit).toBe(0);
    expect(sitting.kept()).toBe(`amazon-bedrock/${SONNET}`);
    expect(sitting.pty.lines().at(-1)).toBe(`Default model: amazon-bedrock/${SONNET}`);
  });

  it("stores it for the emulator only under --emulator", async () => {
    const home = createHome();
    const pty = openTerminal(["models", "set", "--emulator"], home);
    await pty.see("Enter takes it");
    pty.type(`nova pro${ENTER}`);
    expect(await pty.exit).toBe(0);
    expect(keptIn(home)).toBeUndefined();
    expect(pty.lines().join("\n")).toContain("Default model of the emulator: amazon-bedrock/");
  });

  it("is a mistake in a pipe", async () => {
    const { run } = await emulate();
    expect(await run(["models", "set"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "error: Missing required argument 'model'.\nhint: openclaw models set --help\n",
    });
  });
});

describe("a machine without credentials", () => {
  it.each([[["chat"]], [["chat", "hi"]], [["models", "set"]], [["models", "list"]]])(
    "shows how to begin at a terminal for %j",
    async (args) => {
      const pty = openTerminal(args, createHome(), { env: { AWS_REGION: "us-east-1" } });
      expect(await pty.exit).toBe(4);
      const text = pty.lines().join("\n");
      for (const way of [
        "aws configure sso",
        "export AWS_PROFILE=",
        "attach an instance profile",
        "export AWS_BEARER_TOKEN_BEDROCK=",
        "openclaw chat --emulator",
      ])
        expect(text).toContain(way);
      expect(text).toMatch(/\n\nerror: No AWS credentials were found[^]*\nhint: .*$/);
    },
  );

  it.each([20, 40, 80, 200])("shows it on %d columns", async (columns) => {
    const pty = openTerminal(["chat"], createHome(), { columns, env: { AWS_REGION: "us-east-1" } });
    expect(await pty.exit).toBe(4);
    await expect(pty.lines().join("\n")).toMatchFileSnapshot(`screens/no-credentials-${columns}.txt`);
  });

  it("names the cause instead where there is one", async () => {
    const home = createHome();
    const pty = openTerminal(["chat"], home, { env: { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" } });
    expect(await pty.exit).not.toBe(0);
    expect(pty.lines()[0]).toMatch(/^error: .*AWS_SECRET_ACCESS_KEY/);
  });

  it("names what keeps an EC2 instance from its role, and nothing that a laptop needs", async () => {
    const { emulator } = await emulate({
      script: ({ route }) => (route.startsWith("Imds") ? { http: { status: 403 } } : undefined),
    });
    const env = {
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.url,
    };
    const pty = openTerminal(["models", "list"], createHome(), { env, columns: 200 });
    expect(await pty.exit).toBe(4);
    expect(pty.lines()).toEqual([
      expect.stringMatching(/^error: .*answered 403/),
      "hint: Turn instance metadata on: aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled",
    ]);
  });

  it("says in a pipe what it said before", async () => {
    expect(await openclaw(["chat", "hi"], createHome())).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: No model is named/),
    });
  });
});
