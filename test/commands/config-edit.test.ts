import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { isRunning } from "../helpers/is-running.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const CONFIG = `{
  // a comment
  models: { bedrockDiscovery: { region: "us-east-1" }, providers: { p: { apiKey: "secret-key-0123" } } },
}
`;

async function machine(text: string | null = CONFIG): Promise<Emulated> {
  const emulated = await emulate();
  if (text !== null) emulated.configure(text);
  return emulated;
}

const fileOf = ({ home }: Emulated): string => path.join(home, ".openclaw", "openclaw.json");
const textOf = (emulated: Emulated): string => readFileSync(fileOf(emulated), "utf8");

/** Where an error says that what was written is. */
const leftIn = (stderr: string): string => /(\S+\/openclaw-\S+\.json5)/.exec(stderr)?.[1] ?? "";

/** An editor that runs this in a shell; `$1` is the file. */
function editor({ home }: Emulated, script: string): Record<string, string> {
  const file = path.join(home, "editor.sh");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { EDITOR: file };
}

describe("config edit", () => {
  it("keeps what is valid, with the version before beside it", async () => {
    const emulated = await machine();
    const env = editor(emulated, `stat -c %a "$1" > mode; sed -i s/us-east-1/eu-west-1/ "$1"`);
    const result = await emulated.run(["config", "edit"], { env });
    expect(result).toMatchObject({ code: 0, stdout: `Updated ${fileOf(emulated)}.\n`, stderr: "" });
    expect(textOf(emulated)).toBe(CONFIG.replace("us-east-1", "eu-west-1"));
    expect(readFileSync(`${fileOf(emulated)}.bak`, "utf8")).toBe(CONFIG);
    expect(statSync(fileOf(emulated)).mode & 0o777).toBe(0o600);
    expect(readFileSync(path.join(emulated.home, "mode"), "utf8")).toBe("600\n");
  });

  it("makes a file that is not there, and none where nothing was written", async () => {
    const emulated = await machine(null);
    const nothing = await emulated.run(["config", "edit", "--json"], { env: { EDITOR: "true" } });
    expectSchema("config-edit", JSON.parse(nothing.stdout));
    expect(JSON.parse(nothing.stdout)).toMatchObject({ changed: false });
    expect(existsSync(fileOf(emulated))).toBe(false);
    const env = editor(emulated, `echo '{ usage: { ledger: false } }' > "$1"`);
    expect((await emulated.run(["config", "edit"], { env })).code).toBe(0);
    expect(statSync(fileOf(emulated)).mode & 0o777).toBe(0o600);
  });

  it("prefers $VISUAL, and takes an editor with arguments", async () => {
    const emulated = await machine();
    const env = { EDITOR: "false", VISUAL: `${editor(emulated, 'echo "$@" > seen')["EDITOR"]} --wait` };
    expect((await emulated.run(["config", "edit"], { env })).code).toBe(0);
    expect(readFileSync(path.join(emulated.home, "seen"), "utf8")).toMatch(/^--wait \S+\/openclaw\.json5\n$/);
  });

  it("leaves what is not valid where it was written, where nobody can be asked", async () => {
    const emulated = await machine();
    const env = { ...editor(emulated, `sed -i 's/"us-east-1"/7/' "$1"`), TMPDIR: emulated.home };
    const result = await emulated.run(["config", "edit"], { env });
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toContain("models.bedrockDiscovery.region takes an AWS region");
    const rejected = leftIn(result.stderr);
    expect(result.stderr).toContain(`mv ${rejected} ${fileOf(emulated)}`);
    expect(result.stderr).not.toContain("secret-key-0123");
    expect(textOf(emulated)).toBe(CONFIG);
    expect(readFileSync(rejected, "utf8")).toBe(CONFIG.replace('"us-east-1"', "7"));
    expect(statSync(rejected).mode & 0o777).toBe(0o600);
    const document = JSON.parse((await emulated.run(["config", "edit", "--json"], { env })).stdout) as object;
    expectSchema("error", document);
    const details = { rejected: expect.stringMatching(/openclaw\.json5$/) };
    expect(document).toMatchObject({ error: { code: "config-invalid", details } });
  });

  it("offers it again at a terminal", async () => {
    const emulated = await machine();
    const env = {
      ...emulated.env,
      ...editor(
        emulated,
        `if grep -q ': 7' "$1"; then sed -i 's/: 7/: "eu-west-1"/' "$1"; else sed -i 's/"us-east-1"/7/' "$1"; fi`,
      ),
    };
    const terminal = openPty(["config", "edit"], emulated.home, { env });
    await terminal.see("Edit it again? [Y/n]");
    expect(textOf(emulated)).toBe(CONFIG);
    terminal.type("\r");
    expect(await terminal.exit).toBe(0);
    expect(textOf(emulated)).toBe(CONFIG.replace("us-east-1", "eu-west-1"));
  });

  it.each([
    ["n\r", 3],
    ["\u0004", 3],
    ["\u0003", 130],
  ])("leaves the file as it was after %j", async (keys, code) => {
    const emulated = await machine();
    const folder = path.join(emulated.home, "drafts");
    mkdirSync(folder);
    const env = { ...emulated.env, ...editor(emulated, `echo '{' > "$1"`), TMPDIR: folder };
    const terminal = openPty(["config", "edit"], emulated.home, { env });
    await terminal.see("Edit it again? [Y/n]");
    terminal.type(keys);
    expect(await terminal.exit).toBe(code);
    expect(textOf(emulated)).toBe(CONFIG);
    expect(readdirSync(folder).length).toBe(code === 3 ? 1 : 0);
  });

  it("writes over nothing that another program wrote meanwhile", async () => {
    const emulated = await machine();
    const env = editor(
      emulated,
      `echo '{ other: 1 }' > .openclaw/openclaw.json; sed -i s/us-east-1/eu-west-1/ "$1"`,
    );
    const result = await emulated.run(["config", "edit"], { env: { ...env, TMPDIR: emulated.home } });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain("was changed by another program meanwhile");
    expect(textOf(emulated)).toBe("{ other: 1 }\n");
    expect(readFileSync(leftIn(result.stderr), "utf8")).toContain("eu-west-1");
  });

  it.each([
    ["exit 3", "ended with exit code 3"],
    ["kill -9 $$", "was ended by SIGKILL"],
    [`printf '\\377\\376\\000\\330' > "$1"`, "What was edited is not UTF-8 text"],
  ])("keeps nothing of an editor that does: %s", async (script, message) => {
    const emulated = await machine();
    const result = await emulated.run(["config", "edit"], { env: editor(emulated, script) });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain(message);
    expect(textOf(emulated)).toBe(CONFIG);
  });

  it("names an editor that is not there", async () => {
    const emulated = await machine();
    const result = await emulated.run(["config", "edit"], { env: { EDITOR: "no-such-editor" } });
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toContain("There is no editor 'no-such-editor'.");
  });

  it.each([
    ["that ends", "", "", "SIGTERM", 143],
    ["that does not listen", "trap '' TERM HUP;", "", "SIGTERM", 143],
    ["in a line of a shell", "", "; true", "SIGTERM", 143],
    ["in a line of a shell, that does not listen", "trap '' TERM HUP;", "; true", "SIGHUP", 129],
    ["without a terminal", "", "", "SIGINT", 130],
    ["in a line of a shell without a terminal", "", "; true", "SIGINT", 130],
  ] as const)(
    "ends with its editor %s on a signal, and leaves nothing behind",
    async (_, trap, more, signal, code) => {
      const emulated = await machine();
      const script = `${trap} echo $$ > id; echo "$1" > seen; exec sleep 60`;
      const { EDITOR = "" } = editor(emulated, script);
      // The line names the file itself where something is behind it.
      const env = { EDITOR: more === "" ? EDITOR : `${EDITOR} "$1"${more}`, TMPDIR: emulated.home };
      const child = emulated.start(["config", "edit"], { env });
      const closed = new Promise((resolve) => child.once("close", resolve));
      const seen = path.join(emulated.home, "seen");
      await expect
        .poll(() => existsSync(seen) && readFileSync(seen, "utf8").endsWith("\n"), { timeout: 10_000 })
        .toBe(true);
      const sent = performance.now();
      child.kill(signal);
      expect(await closed).toBe(code);
      expect(performance.now() - sent).toBeLessThan(1000);
      expect(isRunning(Number(readFileSync(path.join(emulated.home, "id"), "utf8")))).toBe(false);
      expect(existsSync(path.dirname(readFileSync(seen, "utf8").trim()))).toBe(false);
      expect(textOf(emulated)).toBe(CONFIG);
    },
  );
});

describe("config list", () => {
  it("is what is in force, as config get --effective prints it", async () => {
    const emulated = await machine();
    const list = await emulated.run(["config", "list"]);
    const effective = await emulated.run(["config", "get", "--effective"]);
    expect(list).toEqual(effective);
    expect(list.stdout).toContain("models.bedrockDiscovery.region\tus-east-1\tfile\n");
    expect(list.stdout).not.toContain("secret-key-0123");
  });
});
