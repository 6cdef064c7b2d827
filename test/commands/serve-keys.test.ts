import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { binary, nodeBinary } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { MODEL, serveEmulated } from "../helpers/served.ts";

const ADD = ["serve", "keys", "add"];
const OLD = "team-a:key-of-team-a-0123456789";

interface Machine extends Emulated {
  file: string;
  add: (name: string, ...args: string[]) => ReturnType<Emulated["run"]>;
  revoke: (name: string) => ReturnType<Emulated["run"]>;
}

async function machine(text?: string): Promise<Machine> {
  const emulated = await emulate();
  const file = path.join(emulated.home, "keys");
  if (text !== undefined) writeFileSync(file, text, { mode: 0o600 });
  return {
    ...emulated,
    file,
    add: (name, ...args) => emulated.run([...ADD, name, "--api-key-file", file, ...args]),
    revoke: (name) => emulated.run(["serve", "keys", "revoke", name, "--api-key-file", file]),
  };
}

describe("serve keys", () => {
  it("add prints a key once that opens the server, and keeps its digest alone", async () => {
    const { file, add, revoke, ...emulated } = await machine();
    const { stdout, stderr, code } = await add("team-a");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^oc-[\w-]{43}\n$/);
    expect(stderr).toContain("not shown again");
    const key = stdout.trim();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toMatch(
      /^\{"name":"team-a","hash":"sha256:[\da-f]{64}","created":"[^"]+"\}\n$/,
    );
    const limits = "--models amazon.nova-*,opus --models gpt-* nova-* --rpm 60 --tpm 200000 --daily-budget 5";
    const more = "--monthly-budget 0.5 --expires 90d --json";
    const json = await add("team-b", ...`${limits} ${more}`.split(" "));
    const document = JSON.parse(json.stdout) as { key: string; expires: string };
    expectSchema("serve-keys-add", document);
    expect(document).toMatchObject({
      models: ["amazon.nova-*", "opus", "gpt-*", "nova-*"],
      rpm: 60,
      dailyBudgetUsd: 5,
      monthlyBudgetUsd: 0.5,
    });
    expect(Date.parse(document.expires) - Date.now()).toBeGreaterThan(89.9 * 86_400_000);
    const { origin, logged } = await serveEmulated(emulated, { args: ["--api-key-file", file] });
    const statusOf = async (sent: string): Promise<number> =>
      (await fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${sent}` } })).status;
    expect([await statusOf(key), await statusOf(document.key), await statusOf("oc-none")]).toEqual([
      200, 200, 401,
    ]);
    await revoke("team-a");
    await revoke("team-b");
    expect(readFileSync(file, "utf8")).toBe("# team-b was revoked.\n");
    expect((await revoke("team-b")).stderr).toContain(
      `\nhint: openclaw serve keys list --api-key-file ${file}\n`,
    );
    await logged(({ message }) => message?.includes("0 open this server") === true);
    expect([await statusOf(key), await statusOf(document.key)]).toEqual([401, 401]);
    expect(Object.values(readdirSync(emulated.home)).filter((name) => name.includes(key))).toEqual([]);
  });

  it("list tells limits, and what the ledger has of today and this month", async () => {
    const { file, add, ...emulated } = await machine();
    const { stdout } = await add("team-a", "--daily-budget", "5");
    appendFileSync(
      file,
      `${OLD.replace("team-a", "team-b")}\n{"name":"ci","hash":"sha256:${"a".repeat(64)}","expires":"2020-01-31"}\n`,
    );
    const served = await serveEmulated(emulated, { args: ["--api-key-file", file] });
    const response = await fetch(`${served.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stdout.trim()}`, "content-type": "application/json" },
      body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }] }),
    });
    expect(response.status).toBe(200);
    await response.text();
    await served.end();
    const list = ["serve", "keys", "list", "--api-key-file", file];
    const document = JSON.parse((await emulated.run([...list, "--json"])).stdout) as {
      keys: { name: string; isExpired: boolean; today: { calls: number; usd: number } }[];
    };
    expectSchema("serve-keys-list", document);
    expect(document.keys.map(({ name, isExpired, today }) => [name, isExpired, today.calls])).toEqual([
      ["team-a", false, 1],
      ["team-b", false, 0],
      ["ci", true, 0],
    ]);
    expect(document.keys[0]?.today.usd).toBeGreaterThan(0);
    const piped = await emulated.run(list);
    expect(piped.stdout.split("\n").map((line) => line.split("\t").length)).toEqual([9, 9, 9, 1]);
    expect(piped.stdout).not.toContain("0123456789");
    const missing = await emulated.run([...list.slice(0, -1), `${file}.none`]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("does not exist")]);
  });

  it("add and revoke leave every other line to the letter", async () => {
    const { file, add, revoke } = await machine("");
    const line = fc.constantFrom(
      "# teams",
      "",
      "  # indented",
      "x: key-of-x-0123456789 ",
      "\ty:key-of-y-0123456789",
      `{"hash": "sha256:${"A".repeat(64)}",  "name": "z" }`,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(line, { maxLength: 5 }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.constantFrom("", "\ufeff"),
        async (lines, lineEnd, isWhole, mark) => {
          const before = mark + lines.join(lineEnd) + (isWhole || lines.length === 0 ? lineEnd : "");
          writeFileSync(file, before);
          expect((await add("new")).code).toBe(0);
          const added = readFileSync(file, "utf8");
          expect(added.startsWith(before)).toBe(true);
          expect((await revoke("new")).code).toBe(0);
          const after = readFileSync(file, "utf8");
          const isLeft = lines.some((text) => /^\s*[^#\s]/.test(text));
          // The line end is the file's first, and a file with nothing in it needs none.
          const ended =
            before === "" || before.endsWith("\n") ? before : before + (/\r?\n/.exec(before)?.[0] ?? "\n");
          expect(after).toBe(
            isLeft ? ended : `${ended}# new was revoked.${before.includes("\r") ? "\r" : ""}\n`,
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it("revoke lets keys without a name keep theirs", async () => {
    const { file, revoke, run } = await machine(`${OLD}\nkey-of-nobody-0123456789\nb:key-of-b-0123456789\n`);
    expect((await revoke("team-a")).stdout).toBe("Revoked team-a.\n");
    expect(readFileSync(file, "utf8")).toBe(
      "# team-a was revoked.\nkey-of-nobody-0123456789\nb:key-of-b-0123456789\n",
    );
    expect((await revoke("b")).code).toBe(0);
    const { stdout } = await run(["serve", "keys", "list", "--api-key-file", file]);
    expect(stdout).toMatch(/^line-2\t/);
    const none = await revoke("line-3");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("Did you mean line-2?")]);
    expectSchema(
      "serve-keys-revoke",
      JSON.parse((await run(["serve", "keys", "revoke", "line-2", "--api-key-file", file, "--json"])).stdout),
    );
  });

  it("leave no copy of what the file held, not even an earlier one", async () => {
    const { file, home, add, revoke } = await machine(`${OLD}\n`);
    writeFileSync(`${file}.bak`, `${OLD}\n`);
    expect((await revoke("team-a")).code).toBe(0);
    expect((await add("team-b")).code).toBe(0);
    expect(readdirSync(home).filter((name) => name.includes("keys"))).toEqual(["keys"]);
    expect(readFileSync(file, "utf8")).not.toContain("key-of-team-a");
  });

  it("take turns, follow a link, and keep its mode", async () => {
    const { file, home, start } = await machine();
    const target = path.join(home, "real");
    writeFileSync(target, `${OLD}\n`);
    chmodSync(target, 0o640);
    symlinkSync("real", file);
    const names = Array.from({ length: 8 }, (_, index) => `key-${index}`);
    await Promise.all(
      names.map(
        (name) =>
          new Promise((resolve) => {
            start([...ADD, name, "--api-key-file", file]).on("close", resolve);
          }),
      ),
    );
    const text = readFileSync(target, "utf8");
    expect(text.startsWith(`${OLD}\n`)).toBe(true);
    for (const name of names) expect(text).toContain(`"name":"${name}"`);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o640);
  });

  it("refuse what is no file, what is no name, what is taken, and limits that are none", async () => {
    const { file, home, run, add } = await machine(`${OLD}\n`);
    const fifo = path.join(home, "fifo");
    execFileSync("mkfifo", [fifo]);
    mkdirSync(path.join(home, "folder"));
    writeFileSync(path.join(home, "broken"), '{"name":"a"}\n');
    writeFileSync(path.join(home, "latin"), Buffer.from("# caf\xe9\n", "latin1"));
    const refused: [args: string[], words: string][] = [
      [["a", "--api-key-file", fifo], "it is a pipe (FIFO)"],
      [["a", "--api-key-file", path.join(home, "folder")], "it is a folder"],
      [["a", "--api-key-file", "/dev/null"], "is not a regular file"],
      [["a", "--api-key-file", "-"], "is no file that can be written"],
      [["a", "--api-key-file", path.join(home, "broken")], "The key in line 1 of"],
      [["a", "--api-key-file", path.join(home, "latin")], "is not UTF-8 text"],
      [["a"], "The file of keys is not named."],
      [["team-a", "--api-key-file", file], "has a key of the name 'team-a' already"],
      [["env", "--api-key-file", file], "cannot be the name of a key"],
      [["a b", "--api-key-file", file], "cannot be the name of a key"],
      [["a".repeat(257), "--api-key-file", file], "has 257 characters"],
      [["a", "--api-key-file", file, "--expires", "2020-01-31"], "is over"],
      [["a", "--api-key-file", file, "--expires", "soon"], "is no time"],
      [["a", "--api-key-file", file, "--models", "a,,b"], "empty pattern"],
      [["a", "--api-key-file", file, "--rpm", "0"], "whole number of at least 1"],
      [["a", "--api-key-file", file, "--daily-budget", "-1"], ""],
    ];
    for (const [args, words] of refused) {
      const { code, stderr, stdout } = await run([...ADD, ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toContain(words);
      expect(stderr).not.toMatch(/0123456789|--config/);
    }
    expect(readFileSync(file, "utf8")).toBe(`${OLD}\n`);
    expect((await add("ok", "--expires", "2126-01-31")).code).toBe(0);
  });

  it.each([[[]], [["--json"]]])("keep no key that nobody could read: %j", async (args) => {
    const { file, env, home } = await machine(`${OLD}\n`);
    const command = [nodeBinary, binary, ...ADD, "a", "--api-key-file", file, ...args];
    const { status, stderr } = spawnSync("bash", ["-c", '"$@" > /dev/full', "bash", ...command], {
      env: { ...env, HOME: home, PATH: process.env["PATH"] ?? "" },
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining("The answer cannot be written")]);
    expect(readFileSync(file, "utf8")).toBe(`${OLD}\n`);
  });

  it("leave the file as it is where the disk takes no more", async () => {
    const { file, env, home } = await machine(
      `${"# a long comment of a thousand characters\n".repeat(60)}${OLD}\n`,
    );
    const before = readFileSync(file, "utf8");
    const result = spawnSync(
      "bash",
      ["-c", 'ulimit -f 1; exec "$@"', "bash", nodeBinary, binary, ...ADD, "a", "--api-key-file", file],
      { env: { ...env, HOME: home, PATH: process.env["PATH"] ?? "" }, encoding: "utf8" },
    );
    expect([result.status, result.stdout]).toEqual([1, ""]);
    expect(result.stderr).toContain("larger than this process may write");
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(readdirSync(home).filter((name) => name.includes("keys"))).toEqual(["keys"]);
  });
});

describe("a line of a file of keys", () => {
  const hash = `sha256:${"ab".repeat(32)}`;
  it.each([
    ['{"name":"a"}', "has no 'hash'"],
    [`{"hash":"${hash}"}`, "has no 'name'"],
    [`{"name":"a","hash":"${hash}`, "is not JSON"],
    [`{"name":"a","hash":"md5:ab"}`, "'hash' in line 1"],
    [`{"name":"a b","hash":"${hash}"}`, "'name' in line 1"],
    [`{"name":"a","hash":"${hash}","rmp":5}`, "'rmp' in line 1"],
    [`{"name":"a","hash":"${hash}","__proto__":{}}`, "'__proto__' in line 1"],
    [`{"name":"a","hash":"${hash}","rpm":0}`, "'rpm' in line 1"],
    [`{"name":"a","hash":"${hash}","rpm":"5"}`, "'rpm' in line 1"],
    [`{"name":"a","hash":"${hash}","rpm":null}`, "'rpm' in line 1"],
    [`{"name":"a","hash":"${hash}","tpm":1.5}`, "'tpm' in line 1"],
    [`{"name":"a","hash":"${hash}","models":[]}`, "'models' in line 1"],
    [`{"name":"a","hash":"${hash}","models":"*"}`, "'models' in line 1"],
    [`{"name":"a","hash":"${hash}","dailyBudgetUsd":1e999}`, "'dailyBudgetUsd' in line 1"],
    [`{"name":"a","hash":"${hash}","monthlyBudgetUsd":-1}`, "'monthlyBudgetUsd' in line 1"],
    [`{"name":"a","hash":"${hash}","expires":"tomorrow"}`, "'expires' in line 1"],
    [`{"name":"a","hash":"${hash}","expires":"2027-02-31T99:00:00Z"}`, "'expires' in line 1"],
    [`{"name":"env2","hash":"${hash}"}\n{"name":"env2","hash":"sha256:${"cd".repeat(32)}"}`, "Two API keys"],
    [
      `{"name":"a","hash":"${hash}"}\n{"name":"b","hash":"${hash.toUpperCase().replace("SHA", "sha")}"}`,
      "names of one",
    ],
    ["[]", "cannot be used"],
  ])("is refused that is %s", async (text, words) => {
    const { file, run } = await machine(`${text}\n`);
    const { code, stderr } = await run(["serve", "--port", "0", "--api-key-file", file]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain("abab");
  });
});
