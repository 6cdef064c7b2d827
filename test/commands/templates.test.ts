import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openTerminal } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const MODEL = "amazon.nova-lite-v1:0";
const CONFIG = `{
  // kept
  agents: { defaults: { model: "${MODEL}" } },
  templates: {
    review: {
      prompt: "Review in $lang: $input",
      system: "Be careful, \${HOME}.",
      model: "us.anthropic.claude-sonnet-4-6",
      params: { maxTokens: 77 },
      defaults: { lang: "English", HOME: "friend" },
    },
    daily: { prompt: "What is the weather?" },
    pirate: { system: "Talk like a pirate." },
    translate: { prompt: "Into $lang: $input" },
  },
}
`;

async function machine(): Promise<Emulated> {
  const emulated = await emulate();
  emulated.configure(CONFIG);
  return emulated;
}

const lastCall = ({ emulator }: Emulated) =>
  emulator.calls.findLast(({ route }) => route === "ConverseStream");
const user = (text: string) => [{ role: "user", content: [{ text }] }];
const configOf = ({ home }: Emulated): string =>
  readFileSync(path.join(home, ".openclaw", "openclaw.json"), "utf8");

/** Where an error says that what was written is. */
const leftIn = (stderr: string): string => /(\S+\/openclaw-\S+\.json5)/.exec(stderr)?.[1] ?? "";

/** An editor that runs this in a shell; `$1` is the file. */
function editor({ home }: Emulated, script: string): Record<string, string> {
  const file = path.join(home, "editor.sh");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { EDITOR: file };
}

describe("chat -t", () => {
  it("asks what the template says, with its system prompt, model and parameters", async () => {
    const emulated = await machine();
    expect((await emulated.run(["chat", "-t", "review", "this"])).code).toBe(0);
    const call = lastCall(emulated);
    expect(call?.body).toMatchObject({
      messages: user("Review in English: this"),
      // No variable of the environment stands in a template.
      system: [{ text: "Be careful, friend." }],
      inferenceConfig: { maxTokens: 77 },
    });
    expect(call?.parameters["modelId"]).toBe("us.anthropic.claude-sonnet-4-6");
  });

  it("takes piped text, parameters and flags before what it says", async () => {
    const emulated = await machine();
    const args = ["chat", "-t", "review", "-p", "lang=de", "-m", MODEL, "-s", "Short.", "--max-tokens", "5"];
    await emulated.run([...args, "more"], { input: "piped\n" });
    expect(lastCall(emulated)?.body).toMatchObject({
      messages: user("Review in de: piped\n\nmore"),
      system: [{ text: "Short." }],
      inferenceConfig: { maxTokens: 5 },
    });
    expect(lastCall(emulated)?.parameters["modelId"]).toBe(MODEL);
  });

  it("needs no prompt for a template that is a question", async () => {
    const emulated = await machine();
    expect((await emulated.run(["chat", "-t", "daily"])).code).toBe(0);
    expect(lastCall(emulated)?.body).toMatchObject({ messages: user("What is the weather?") });
    const terminal = openTerminal(["chat", "-t", "daily"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
  });

  it("begins a conversation with the system prompt of a template without a question", async () => {
    const emulated = await machine();
    const terminal = openTerminal(["chat", "-t", "pirate"], emulated.home, { env: emulated.env });
    await terminal.see("/help");
    terminal.type("hi\r");
    await terminal.see("simulated answer");
    const body = lastCall(emulated)?.body as { system: unknown[] } | undefined;
    expect(body?.system[0]).toEqual({ text: "Talk like a pirate." });
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
  });

  it.each([
    [
      ["-t", "translate", "hi"],
      "Template 'translate' needs a value for lang.",
      "openclaw chat -t translate -p lang=VALUE",
    ],
    [["-t", "translate", "-p", "lang=de"], "takes a text for $input", "openclaw chat -t translate"],
    [["-t", "reviw", "hi"], "There is no template 'reviw'.", "Did you mean review?"],
    [["-t", "", "hi"], "--template cannot be empty.", "openclaw chat --help"],
    [["-p", "a=b", "hi"], "--param is for a template", "openclaw templates list"],
    [["-t", "daily", "-p", "a=b"], "Template 'daily' has no parameter 'a'.", "It has none"],
  ])("refuses %j", async (args, message, hint) => {
    const emulated = await machine();
    const result = await emulated.run(["chat", ...args]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain(hint);
    expect(emulated.routes()).toEqual([]);
  });
});

describe("templates list and show", () => {
  it("prints a line for each, with its parameters", async () => {
    const emulated = await machine();
    const { stdout } = await emulated.run(["templates", "list"]);
    expect(stdout.split("\n")).toEqual([
      "review\tlang=English HOME=friend\tus.anthropic.claude-sonnet-4-6\tReview in $lang: $input",
      "daily\t\t\tWhat is the weather?",
      "pirate\t\t\tTalk like a pirate.",
      "translate\tlang\t\tInto $lang: $input",
      "",
    ]);
    const list = JSON.parse((await emulated.run(["templates", "list", "--json"])).stdout) as object;
    expectSchema("templates-list", list);
    expect(list).toMatchObject({ count: 4 });
  });

  it("says at a terminal how to make the first one", async () => {
    const emulated = await emulate();
    const terminal = openTerminal(["templates", "list"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().join(" ")).toContain("openclaw templates edit NAME");
    expect(await emulated.run(["templates", "list"])).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(/^openclaw: No template is kept.*\n$/),
      code: 0,
    });
  });

  it("prints one as JSON", async () => {
    const emulated = await machine();
    const { stdout } = await emulated.run(["templates", "show", "translate"]);
    expect(JSON.parse(stdout)).toEqual({ prompt: "Into $lang: $input" });
    const shown = JSON.parse(
      (await emulated.run(["templates", "show", "review", "--json"])).stdout,
    ) as object;
    expectSchema("templates-show", shown);
    expect(await emulated.run(["templates", "show", "none"])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("templates edit", () => {
  it("makes a template from an example, and leaves the rest of the file as it is", async () => {
    const emulated = await machine();
    const env = editor(emulated, `grep -q '\\$input' "$1" && echo '{ prompt: "Say $input" }' > "$1"`);
    const result = await emulated.run(["templates", "edit", "say it"], { env });
    expect(result).toMatchObject({ code: 0, stdout: "Made template say it.\n" });
    expect(configOf(emulated)).toContain("// kept");
    expect(JSON.parse((await emulated.run(["templates", "show", "say it"])).stdout)).toEqual({
      prompt: "Say $input",
    });
  });

  it("shows the lines of a text one below the other, and drops what was taken out", async () => {
    const emulated = await emulate();
    emulated.configure(
      JSON.stringify({ templates: { t: { prompt: "one\ntwo \\n", defaults: { a: "b" } } } }),
    );
    const env = editor(emulated, `cp "$1" seen; printf '{"prompt":"new"}' > "$1"`);
    const { stdout } = await emulated.run(["templates", "edit", "t", "--json"], { env });
    expectSchema("templates-edit", JSON.parse(stdout));
    expect(readFileSync(path.join(emulated.home, "seen"), "utf8")).toContain('"one\\n\\\ntwo \\\\n"');
    expect(JSON.parse((await emulated.run(["templates", "show", "t"])).stdout)).toEqual({ prompt: "new" });
  });

  it("keeps a template as it was when the editor changes nothing or fails", async () => {
    const emulated = await machine();
    const unchanged = await emulated.run(["templates", "edit", "daily"], { env: { EDITOR: "true" } });
    expect(unchanged).toMatchObject({ code: 0, stdout: "Template daily stays as it is.\n" });
    const failed = await emulated.run(["templates", "edit", "daily"], { env: { EDITOR: "false" } });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("The editor 'false' ended with exit code 1");
    expect(configOf(emulated)).toBe(CONFIG);
  });

  it.each([
    ["{ promt: 1 }", "templates.t.promt is not a setting"],
    ["{ prompt: 1 }", "templates.t.prompt takes a non-empty string"],
    ["{ prompt: ", "What was edited is not valid JSON5"],
    ["[]", "must hold an object"],
  ])("leaves %s where it was written, where nobody can be asked", async (text, message) => {
    const emulated = await machine();
    const result = await emulated.run(["templates", "edit", "t"], {
      env: { ...editor(emulated, `printf '%s' '${text}' > "$1"`), TMPDIR: emulated.home },
    });
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(readFileSync(leftIn(result.stderr), "utf8")).toBe(text);
    expect(configOf(emulated)).toBe(CONFIG);
  });

  it("writes over no template that another program has changed meanwhile", async () => {
    const emulated = await machine();
    const changed = CONFIG.replace("the weather", "the time");
    writeFileSync(path.join(emulated.home, "changed"), changed);
    const script = `cp "$HOME/changed" "$HOME/.openclaw/openclaw.json"; echo '{ prompt: "mine" }' > "$1"`;
    const env = { ...editor(emulated, script), TMPDIR: emulated.home };
    const result = await emulated.run(["templates", "edit", "daily"], { env });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain("Template daily was changed by another program meanwhile");
    expect(configOf(emulated)).toBe(changed);
    expect(readFileSync(leftIn(result.stderr), "utf8")).toContain("mine");
  });

  it("is refused where nothing may be written, and where there is no editor", async () => {
    const emulated = await machine();
    const readonly = await emulated.run(["templates", "edit", "t"], {
      env: { EDITOR: "touch seen", OPENCLAW_CONFIG_READONLY: "1" },
    });
    expect(readonly.code).toBe(3);
    expect(existsSync(path.join(emulated.home, "seen"))).toBe(false);
    const none = await emulated.run(["templates", "edit", "t"]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toContain("export EDITOR=nano");
  });
});
