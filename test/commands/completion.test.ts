import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fencedBlocks, root } from "../helpers/documents.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { createHome, emptyEnvironment, openclaw, pathWithOpenclaw } from "../helpers/openclaw.ts";
import { openPty, type Pty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const CONFIG = `{
  templates: { review: { prompt: "In $lang for $reader: $input", defaults: { lang: "English" } } },
  agents: { defaults: { models: { "amazon-bedrock/us.anthropic.claude-opus-4-6-v1": { alias: "opus" } } } },
  models: { providers: { "my-proxy": { baseUrl: "http://127.0.0.1:1" } } },
}`;

interface User {
  emulated: Emulated;
  env: Record<string, string>;
}

/** A user with a cached list, a configuration, AWS profiles and a file to attach. */
async function prepare({ hasList = true } = {}): Promise<User> {
  const emulated = await emulate();
  emulated.configure(CONFIG);
  writeSharedFiles(emulated.home, { config: "[profile dev-east]\nregion = us-east-2\n[profile prod]\n" });
  writeFileSync(path.join(emulated.home, "my notes.txt"), "Milk.\n");
  if (hasList) await emulated.run(["models", "list"]);
  const env = emptyEnvironment(emulated.home, { ...emulated.env, PATH: pathWithOpenclaw(emulated.home) });
  return { emulated, env };
}

const isInstalled = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

/** An interactive bash that has done what docs/completion.md says. */
function openBash({ emulated, env }: User): Pty {
  const { home } = emulated;
  const rc = path.join(home, ".bashrc");
  writeFileSync(rc, `PS1='$ '\neval "$(openclaw completion bash)"\n`);
  const inputrc = path.join(home, ".inputrc");
  writeFileSync(
    inputrc,
    [
      "set bell-style none",
      "set show-all-if-ambiguous on",
      "set completion-query-items 0",
      "set page-completions off",
      "set enable-bracketed-paste off",
    ].join("\n"),
  );
  return openPty([], home, {
    command: ["bash", "--noprofile", "--rcfile", rc, "-i"],
    columns: 160,
    rows: 50,
    env: { ...env, INPUTRC: inputrc },
  });
}

function openZsh({ emulated, env }: User): Pty {
  const { home } = emulated;
  writeFileSync(path.join(home, ".zshrc"), `PS1='$ '\nunsetopt beep\neval "$(openclaw completion zsh)"\n`);
  return openPty([], home, {
    command: ["zsh", "-i"],
    columns: 160,
    rows: 50,
    env: { ...env, ZDOTDIR: home },
  });
}

/** Lines that are typed, `\t` for the key, and what then stands on the screen. */
const TYPED: [typed: string, seen: RegExp][] = [
  ["openclaw mod\tsh\t", /^\$ openclaw models show *$/m],
  [
    "openclaw models show us.anthropic.claude-opus-4-6\t",
    /^\$ openclaw models show us\.anthropic\.claude-opus-4-6-v1 *$/m,
  ],
  // The colon breaks words for bash.
  ["openclaw chat -m us.amazon.nova-lite-v1:\t", /^\$ openclaw chat -m us\.amazon\.nova-lite-v1:0 *$/m],
  ["openclaw chat --model=amazon.nova-mic\t", /^\$ openclaw chat --model=amazon\.nova-micro-v1:0 *$/m],
  ["openclaw chat -m us.amazon.nova-lite-v1:0,us.amazon.nova-mic\t", /:0,us\.amazon\.nova-micro-v1:0 *$/m],
  ["openclaw chat -m opu\t", /^\$ openclaw chat -m opus *$/m],
  ["openclaw chat --reasoning xh\t", /^\$ openclaw chat --reasoning xhigh *$/m],
  ["openclaw --profile dev\t", /^\$ openclaw --profile dev-east *$/m],
  ["openclaw --region=ap-southeast-7\t", /^\$ openclaw --region=ap-southeast-7 *$/m],
  ["openclaw models list --provider Mis\t", /^\$ openclaw models list --provider Mistral\\ AI *$/m],
  [
    "openclaw config set models.bed\tena\tt\t",
    /^\$ openclaw config set models\.bedrockDiscovery\.enabled true *$/m,
  ],
  [
    "openclaw config set models.providers.my\tbase\t",
    /^\$ openclaw config set models\.providers\.my-proxy\.baseUrl *$/m,
  ],
  ["openclaw chat -f my\t", /^\$ openclaw chat -f my\\ notes\.txt *$/m],
  ["openclaw iam policy --for chat,disc\t", /^\$ openclaw iam policy --for chat,discovery *$/m],
];

async function typeAll(shell: Pty): Promise<void> {
  for (const [typed, seen] of TYPED) {
    // Ctrl-U takes away what stands there.
    shell.type(`\u0015${typed}`);
    await shell.see(seen);
  }
}

describe("in bash", () => {
  it("completes commands, flags and their values, models with colons among them", async () => {
    const shell = openBash(await prepare());
    await shell.see(/^\$ $/m);
    await typeAll(shell);
  });

  it("lists what may follow", async () => {
    const shell = openBash(await prepare());
    await shell.see(/^\$ $/m);
    shell.type("openclaw models list --pro\t");
    await shell.see(/^--profile +--provider *$/m);
    shell.type("\u0015openclaw config \t");
    await shell.see(/^edit +file +get +list +patch +schema +set +unset +validate *$/m);
  });

  it("makes a line that means what was offered", async () => {
    const shell = openBash(await prepare());
    await shell.see(/^\$ $/m);
    shell.type(
      "openclaw config get agents.defaults.models\tamazon-bedrock/us.anthropic.claude-opus-4-6\tal\t\r",
    );
    await shell.see(/^opus *$/m);
  });

  it("goes on within quotes, and behind variables and other commands", async () => {
    const shell = openBash(await prepare());
    await shell.see(/^\$ $/m);
    shell.type('X=1 openclaw models list --provider "Mis\t');
    await shell.see(/--provider "Mistral AI" *$/m);
    shell.type("\u0015true; openclaw chat -m amazon.nova-mic\t");
    await shell.see(/^\$ true; openclaw chat -m amazon\.nova-micro-v1:0 *$/m);
  });

  it.each([
    ["a broken configuration", "openclaw chat -m us.\tx", /^\$ openclaw chat -m us\.x *$/m],
    [
      "a broken configuration",
      "openclaw config get models.bed\t",
      /^\$ openclaw config get models\.bedrockDiscovery\.$/m,
    ],
    ["a flag that makes no sense", "openclaw --region nowhere chat -m us.\tx", /chat -m us\.x *$/m],
    ["a program that is gone", "openclaw chat --rea\tx", /^\$ openclaw chat --reax *$/m],
  ])("%s leaves the line alone: %j", async (what, typed, seen) => {
    const user = await prepare();
    const shell = openBash(user);
    await shell.see(/^\$ $/m);
    if (what === "a broken configuration") user.emulated.configure("{ nonsense");
    if (what === "a program that is gone") {
      shell.type("PATH=/nowhere\r");
      await shell.see(/PATH=\/nowhere\n\$ $/m);
    }
    shell.type(typed);
    await shell.see(seen);
    expect(shell.lines().filter((line) => !line.startsWith("$"))).toEqual([]);
  });

  it("asks nobody: without a list there are only the configured models", async () => {
    const user = await prepare({ hasList: false });
    const shell = openBash(user);
    await shell.see(/^\$ $/m);
    shell.type("openclaw models show us.amazon.nova-l\tx\u0015openclaw models show opu\t");
    await shell.see(/^\$ openclaw models show opus *$/m);
    expect(user.emulated.routes()).toEqual([]);
  });
});

describe("in zsh", () => {
  it("completes the same", async ({ skip }) => {
    skip(!isInstalled("zsh"), "zsh is not installed");
    const shell = openZsh(await prepare());
    await shell.see(/^\$ $/m);
    await typeAll(shell);
  });
});

describe("what the scripts of zsh and fish read", () => {
  it.each<[shell: string, words: string[], expected: string]>([
    ["zsh", ["mod"], " models:Find the models this account can call."],
    ["zsh", ["chat", "-m", "us.amazon.nova-lite-v1:"], " us.amazon.nova-lite-v1\\:0:US Nova Lite"],
    ["zsh", ["config", "get", "models.bed"], "-models.bedrockDiscovery.:Discovery of the models"],
    ["zsh", ["chat", "-f", "my"], "files"],
    ["zsh", ["help", "cred"], " credentials:where they come from"],
    ["zsh", ["help", "mod"], " models:Find the models"],
    ["zsh", ["help", "models", "li"], " list:List configured"],
    ["fish", ["mod"], "models\tFind the models this account can call."],
    ["fish", ["chat", "-m", "us.amazon.nova-lite-v1:"], "us.amazon.nova-lite-v1:0\tUS Nova Lite"],
    ["fish", ["config", "get", "'models.bed"], "models.bedrockDiscovery.\tDiscovery of the models"],
    ["fish", ["chat", "-f", "my"], "files"],
    ["fish", ["chat", "-t", "rev"], "review"],
    ["fish", ["chat", "-t", "review", "-p", ""], "lang=\tEnglish"],
    ["fish", ["chat", "--template=review", "-p", "re"], "reader="],
    ["fish", ["templates", "show", ""], "review"],
    ["fish", ["models", "alias", "--rm", ""], "opus"],
    ["fish", ["models", "alias", "fast", "us.amazon.nova-l"], "us.amazon.nova-lite-v1:0"],
    ["fish", ["usage", "--by", ""], "profile"],
    ["fish", [], "chat\tAsk a model and stream its answer."],
  ])("%s: %j", async (shell, words, expected) => {
    const { emulated } = await prepare();
    const { code, stdout } = await emulated.run(["complete", shell, "--", ...words]);
    expect(code).toBe(0);
    expect(stdout.split("\n").some((line) => line.startsWith(expected))).toBe(true);
  });
});

describe("in fish", () => {
  it.for([
    ["openclaw mod", "models\tFind the models this account can call."],
    ["openclaw chat -m us.amazon.nova-lite-v1:", "us.amazon.nova-lite-v1:0\tUS Nova Lite"],
    ["openclaw chat --model=amazon.nova-mic", "--model=amazon.nova-micro-v1:0\tNova Micro"],
    ["openclaw chat -m opu", "opus\tus.anthropic.claude-opus-4-6-v1"],
    ["openclaw --profile dev", "dev-east"],
    ["openclaw models list --provider Mis", "Mistral AI"],
    [
      "openclaw config get 'models.bed",
      "models.bedrockDiscovery.\tDiscovery of the models this account can call.",
    ],
    ["openclaw chat -f my", "my notes.txt"],
    ["openclaw chat --file=my", "--file=my notes.txt"],
  ])("%j", async ([typed = "", expected], { skip }) => {
    skip(!isInstalled("fish"), "fish is not installed");
    const { emulated, env } = await prepare();
    const { home } = emulated;
    const install = fencedBlocks(readFileSync(path.join(root, "docs", "completion.md"), "utf8"), "sh")[0];
    const line = install?.split("\n").find((each) => each.includes("completion fish"));
    spawnSync("fish", ["-c", line ?? ""], { env, cwd: home });
    const { stdout, stderr } = spawnSync("fish", ["-c", "complete -C $argv[1]", typed], {
      env,
      cwd: home,
      encoding: "utf8",
    });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((text) => text.trimEnd()),
    ).toContain(expected);
    expect(stderr).toBe("");
  });
});

describe("openclaw completion", () => {
  it.each(["bash", "zsh", "fish"])("prints a script for %s, and its document", async (shell) => {
    const { code, stdout, stderr } = await openclaw(["completion", shell], createHome());
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`openclaw complete ${shell} --`);
    const json = JSON.parse((await openclaw(["completion", shell, "--json"], createHome())).stdout);
    expectSchema("completion", json);
    expect(json).toEqual({ shell, script: stdout });
  });

  it.each([
    [["completion", "tcsh"], "tcsh"],
    [["completion"], "shell"],
  ])("refuses %j", async (args, word) => {
    const { code, stderr } = await openclaw(args, createHome());
    expect(code).toBe(2);
    expect(stderr).toContain(word);
  });

  it("writes a script that bash reads without a warning, also where words split elsewhere", async () => {
    const { stdout } = await openclaw(["completion", "bash"], createHome());
    const { status, stderr } = spawnSync("bash", ["-n"], { input: stdout, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const home = createHome();
    const complete = (line: string, breaks: string) =>
      openclaw(["complete", "bash", "--", breaks, line], home);
    expect((await complete("openclaw --region=us-gov-w", " \t\n=")).stdout).toBe("\nus-gov-west-1\n");
    expect((await complete("openclaw --region=us-gov-w", " \t\n")).stdout).toBe("\n--region=us-gov-west-1\n");
  });
});
