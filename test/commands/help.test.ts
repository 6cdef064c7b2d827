import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { closingOf } from "../../src/command-line/examples.ts";
import { leavesOf } from "../../src/command-line/help-text.ts";
import { TOPIC_ROWS } from "../../src/command-line/topics.ts";
import { PROGRAM } from "../../src/program.ts";
import { root } from "../helpers/documents.ts";
import { emulate } from "../helpers/emulated.ts";
import { isRunning } from "../helpers/is-running.ts";
import { binary, createHome, nodeBinary, openclaw } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const pageOf = (name: string): string => readFileSync(path.join(root, "docs", `${name}.md`), "utf8");

describe("--json", () => {
  it.each([
    [["--version", "--json"]],
    [["--json", "-V"]],
    [["--config", "c", "--version", "--json"]],
    [["chat", "-qV", "--json"]],
  ])("of %j is a document", async (args) => {
    const { code, stdout } = await openclaw(args, createHome());
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expectSchema("version", JSON.parse(stdout));
  });

  it.each([
    [["--help", "--json"], "", "Usage: openclaw [options] [command]\n"],
    [["models", "list", "--json", "--help"], "models list", "Usage: openclaw models list [options]\n"],
    [["models", "--json"], "models", "Usage: openclaw models"],
    [["chat", "--region", "us-east-1", "--help", "--json"], "chat", "Usage: openclaw chat"],
    [["models", "-q", "--json"], "models", "Usage: openclaw models"],
    [["-v", "--json"], "", "Usage: openclaw [options] [command]\n"],
  ])("of %j is a document", async (args, name, beginning) => {
    const { code, stdout } = await openclaw(args, createHome());
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as { text: string };
    expectSchema("help", document);
    expect(document).toMatchObject({ name, text: expect.stringContaining(beginning) });
  });
});

describe("help in a pipe", () => {
  it("lists commands and topics", async () => {
    const { code, stdout, stderr } = await openclaw(["help"], createHome());
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^ {2}models list +List configured/m);
    expect(stdout).toMatch(/^ {2}exit-codes +what a script/m);
  });

  it.each(TOPIC_ROWS.filter(([, { section }]) => section === undefined))(
    "prints the page of %s as it is",
    async (name, { page }) => {
      const { code, stdout } = await openclaw(["help", name], createHome());
      expect(code).toBe(0);
      expect(stdout).toContain(pageOf(page).replace(/\n*<!-- .* -->\n/, "\n"));
      expect(stdout).not.toContain("<!--");
    },
  );

  it.each(leavesOf(PROGRAM).map(({ path: name }) => name))("prints the page of %s", async (name) => {
    const { code, stdout } = await openclaw(["help", ...name.split(" ")], createHome());
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^# openclaw ${name}\n`));
  });

  it("prints a section alone", async () => {
    const { stdout } = await openclaw(["help", "exit-codes"], createHome());
    expect(stdout).toMatch(/^# Exit codes\n\n\| exit \| means/);
    expect(stdout).toContain("interrupted by SIGHUP");
    expect(stdout).not.toMatch(/^## /m);
  });

  it.each([
    ["config", "# Settings", "`openclaw config get`"],
    ["sessions", "# Conversations", "`openclaw sessions rm`"],
    ["models", "# Which model answers", "`openclaw models set`"],
    ["chat", "# openclaw chat", "# Chat"],
  ])("has all there is on %s", async (name, first, second) => {
    const { stdout } = await openclaw(["help", name], createHome());
    expect(stdout.startsWith(`${first}\n`)).toBe(true);
    expect(stdout).toContain(second);
  });

  it.each([
    [["Exit", "codes"], "# Exit codes"],
    [["openclaw", "models", "list"], "# openclaw models list"],
    [["models list"], "# openclaw models list"],
    [["models-list"], "# openclaw models list"],
    [["openclaw-models-list"], "# openclaw models list"],
    [["openclaw-ec2"], "# EC2"],
    [[" models  list "], "# openclaw models list"],
    [["env"], "# Environment"],
    [["settings"], "# Settings"],
  ])("knows what is meant by %j", async (words, first) => {
    const { stdout } = await openclaw(["help", ...words], createHome());
    expect(stdout.startsWith(`${first}\n`)).toBe(true);
  });

  it.each([
    ["credentails", "Did you mean openclaw help credentials?"],
    ["modles list", "Did you mean openclaw help models list?"],
    ["exitcodes", "Did you mean openclaw help exit-codes?"],
    ["mod", "Did you mean openclaw help models?"],
    ["cred", "Did you mean openclaw help credentials?"],
    ["exit", "Did you mean openclaw help exit-codes?"],
    ["pricing", "Did you mean openclaw help models list?"],
    ["aws", "Did you mean openclaw help doctor?"],
    ["quit", "There is nothing to leave; /quit or Ctrl-D ends a conversation, Ctrl-C a command that runs."],
    ["nosuch", "openclaw help"],
    ["xyzzy", "openclaw help"],
    ["complete bash", "openclaw help"],
    ["__proto__", "openclaw help"],
    ["../README", "openclaw help"],
  ])("says what %s may have meant", async (words, hint) => {
    const { code, stdout, stderr } = await openclaw(["help", ...words.split(" ")], createHome());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`error: Nothing is known about '${words.toLowerCase()}'.\nhint: ${hint}\n`);
  });

  it.each([[["help"]], [["help", "models", "list"]]])("%j is a document with --json", async (args) => {
    const { stdout } = await openclaw([...args, "--json"], createHome());
    const document = JSON.parse(stdout) as { name: string };
    expectSchema("help", document);
    expect(document.name).toBe(args.slice(1).join(" "));
  });

  it("is a document without colours on a terminal, too", async () => {
    const terminal = openPty(["help", "--json"], createHome(), { columns: 200 });
    expect(await terminal.exit).toBe(0);
    expect(terminal.output()).not.toMatch(/\u001b\[|\\u001b/);
    expect(terminal.output()).toContain("models list");
  });
});

describe("help on a terminal", () => {
  it("lays a page out, with the names of the pages it leads to, and no marks of Markdown", async () => {
    const terminal = openPty(["help", "scripting"], createHome(), {
      env: { PAGER: "cat" },
      lingerSeconds: 1,
    });
    await terminal.see("AWS_CA_BUNDLE");
    expect(await terminal.exit).toBe(0);
    const text = terminal.lines().join("\n");
    expect(terminal.lookOf("Scripting").isBold).toBe(true);
    expect(text).toContain("(openclaw help errors)");
    expect(text).not.toMatch(/\]\(|^#|<!--|\*\*/m);
  });

  it.each([["cat"], [""], ["  "], ["no-such-pager-anywhere"]])(
    "prints all of it with PAGER=%j",
    async (pager) => {
      const terminal = openPty(["help", "exit-codes"], createHome(), {
        env: { PAGER: pager },
        lingerSeconds: 1,
      });
      await terminal.see("ends it at once.");
      expect(await terminal.exit).toBe(0);
      expect(terminal.lines().join("\n")).toContain("interrupted by SIGHUP");
    },
  );

  it.each([["PATH=/nonexistent"], ["TERM=dumb"]])("prints all of it where there is %s", async (variable) => {
    // The terminal that tests open sets TERM itself.
    const terminal = openPty([], createHome(), {
      command: ["/usr/bin/env", variable, nodeBinary, binary, "help", "credentials"],
      lingerSeconds: 1,
    });
    await terminal.see("the Bedrock console.");
    expect(await terminal.exit).toBe(0);
  });

  it("uses the pager that PAGER names, by a shell", async () => {
    const terminal = openPty(["help", "credentials"], createHome(), {
      env: { PAGER: "head -1 | sed 's/^/paged: /'" },
    });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()[0]).toMatch(/^paged: .*Credentials$/);
    expect(terminal.lines()).toHaveLength(1);
  });

  it("shows a long page in less, and ends with it", async () => {
    const terminal = openPty(["help", "credentials"], createHome());
    await terminal.see(/^:\s*$/m);
    terminal.type(" ");
    await terminal.see("This differs from the AWS SDK's own chain");
    terminal.type("q");
    expect(await terminal.exit).toBe(0);
  });

  it("leaves Ctrl-C to the pager", async () => {
    const waits = "echo ready; until read line </dev/tty; do :; done; echo bye";
    const terminal = openPty(["help", "credentials"], createHome(), {
      env: { PAGER: `trap 'echo caught' INT; cat >/dev/null; ${waits}` },
    });
    await terminal.see("ready");
    for (const times of [1, 2, 3]) {
      terminal.type("\u0003");
      await terminal.see(new RegExp(`(?:caught[^]*){${times}}`));
    }
    terminal.type("\r");
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().at(-1)).toBe("bye");
  });

  it("ends with the pager when it is told to", async () => {
    const terminal = openPty(["help", "credentials"], createHome());
    await terminal.see(/^:\s*$/m);
    terminal.kill("SIGTERM");
    expect(await terminal.exit).toBe(143);
  });

  it.each(["PAGER -R", "PAGER -R; true", "cat | PAGER -R"])("leaves no pager behind: %s", async (line) => {
    const home = createHome();
    const pager = path.join(home, "pager");
    writeFileSync(pager, '#!/bin/sh\ncat >/dev/null; echo "reading $1 as $$"; exec sleep 60\n', {
      mode: 0o755,
    });
    const terminal = openPty(["help", "credentials"], home, { env: { PAGER: line.replace("PAGER", pager) } });
    const [, id] = /reading -R as (\d+)/.exec(await terminal.see(/reading -R as \d+/)) ?? [];
    terminal.kill("SIGTERM");
    expect(await terminal.exit).toBe(143);
    await expect.poll(() => isRunning(Number(id))).toBe(false);
  });

  it("has no colours with NO_COLOR", async () => {
    const terminal = openPty(["help", "exit-codes"], createHome(), { env: { NO_COLOR: "1", PAGER: "cat" } });
    expect(await terminal.exit).toBe(0);
    expect(terminal.output()).not.toContain("\u001b[");
    expect(terminal.lines()[0]).toBe("Exit codes");
  });
});

describe("the name of the program alone", () => {
  it("is one screen on a terminal", async () => {
    const terminal = openPty([], createHome());
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().length).toBeLessThan(24);
    expect(terminal.lines()[0]).toMatch(/^openclaw \d+\.\d+\.\d+: Amazon Bedrock from the command line/);
  });

  it("is the help in a pipe", async () => {
    const bare = await openclaw([], createHome());
    expect(bare).toEqual(await openclaw(["--help"], createHome()));
  });
});

describe("the fields of a table in a pipe", () => {
  it.each([
    ["models list", ["models", "list"]],
    ["models list", ["models", "list", "--access"]],
    ["sessions list", ["sessions", "list"]],
    ["config get", ["config", "get", "--effective"]],
  ])("are as many as the help of %s names: %j", async (name, args) => {
    const machine = await emulate();
    await machine.run(["chat", "--session", "one", "-m", "amazon.nova-lite-v1:0", "hi"]);
    const { stdout } = await machine.run(args);
    const fields = closingOf(name).piped?.fields ?? [];
    const optional = args.includes("--access")
      ? 0
      : fields.filter((field) => field.includes("(where")).length;
    const counts = new Set(
      stdout
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => line.split("\t").length),
    );
    expect([...counts]).toEqual([fields.length - optional]);
  });
});
