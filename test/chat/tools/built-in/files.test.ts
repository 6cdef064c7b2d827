import { spawnSync } from "node:child_process";
import fs from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { builtIns, builtInTool } from "../../../../src/chat/tools/built-in/built-in-tools.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { PIXEL } from "../../../helpers/pixel.ts";
import { swapFolders } from "../../../helpers/swap-folders.ts";
import { testRuntime } from "../../../helpers/test-runtime.ts";

const OUTSIDE = "a word that is only outside";
const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n";
const BASE64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj";
const PEM = `-----BEGIN PRIVATE KEY-----\n${BASE64}\n-----END PRIVATE KEY-----\n`;

let home: string;
let folder: string;

/** The files of a home folder: `work` is the one that tools are given. */
const FILES: Readonly<Record<string, string | Buffer>> = {
  "outside.txt": OUTSIDE,
  "work-beside/outside.txt": OUTSIDE,
  ".aws/credentials": OUTSIDE,
  "dotfiles/aws/credentials": OUTSIDE,
  "work/notes.txt": "one\ntwo\nthree\n",
  "work/src/main.ts": "export const answer = 42;\nconst İstanbul = 'Straße';\n",
  "work/src/deep/a.js": "the answer\r\nagain\r\n",
  "work/.hidden/x.txt": "the answer hides",
  "work/.env": "SECRET=answer",
  "work/.env.example": "SECRET=answer here",
  "work/.ssh/config": "answer",
  "work/.ssh/id_ed25519.pub": "answer",
  "work/key.txt": KEY,
  "work/node_modules/x/index.js": "answer",
  "work/empty.txt": "",
  "work/latin.txt": Buffer.from("gr\xfc\xdfe\n", "latin1"),
  "work/wide.txt": Buffer.from("\ufeffweit\n", "utf16le"),
  "work/program": Buffer.from("\x7fELF\0\0\0answer", "latin1"),
  "work/dot.png": PIXEL,
  "work/paper.pdf": "%PDF-1.7\n%âãÏÓ\n",
  "work/long.txt": Array.from({ length: 5000 }, (_, index) => `line ${index + 1}`).join("\n"),
  "work/wide-line.txt": `${"x".repeat(9000)}needle${"y".repeat(9000)}`,
};

const LINKS: Readonly<Record<string, string>> = {
  "work/link-out": "../outside.txt",
  "work/link-root": "/etc/hostname",
  "work/folder-out": "..",
  "work/folder-beside": "../work-beside",
  "work/dangling": "nothing-there",
  "work/dangling-out": "../nothing-there",
  "work/loop": "loop",
  "work/link-in": "src/main.ts",
  "work/folder-in": "src",
  "work/secret-in": ".ssh/config",
  given: "work",
};

beforeAll(async () => {
  home = await fs.realpath(await fs.mkdtemp(path.join(tmpdir(), "built-in-")));
  folder = path.join(home, "work");
  for (const [name, content] of Object.entries(FILES)) {
    await fs.mkdir(path.dirname(path.join(home, name)), { recursive: true });
    await fs.writeFile(path.join(home, name), content);
  }
  for (const [name, target] of Object.entries(LINKS)) await fs.symlink(target, path.join(home, name));
  expect(spawnSync("mkfifo", [path.join(folder, "pipe")]).status).toBe(0);
});

afterAll(() => fs.rm(home, { recursive: true }));

/** What a tool says to a call, in a folder below the home folder. */
async function call(name: string, input: JsonObject, of = "work", env: Record<string, string> = {}) {
  const tool = await builtInTool(name, path.join(home, of), testRuntime({ home, env }));
  const { content, isError } = await tool.run(input, new AbortController().signal);
  return { text: content.map(({ text }) => text ?? "").join(""), content, isError };
}

const neverLeaves = [
  "..",
  "../",
  "../outside.txt",
  "src/../../outside.txt",
  "/",
  "/etc/passwd",
  "/proc/self/environ",
  "/dev/stdin",
  "../work-beside/outside.txt",
  "link-out",
  "link-root",
  "folder-out",
  "folder-out/outside.txt",
  "folder-out/work/folder-out/outside.txt",
  "folder-beside/outside.txt",
  "src/../folder-out/outside.txt",
];

describe("a folder that tools read in", () => {
  test.each(neverLeaves)("is not left by '%s'", async (named) => {
    for (const tool of ["read-file", "list-files", "search-files"]) {
      const { text, isError } = await call(tool, { path: named, text: "word" });
      expect(text).not.toContain(OUTSIDE);
      expect({ tool, isError, text }).toMatchObject({
        isError: true,
        text: expect.stringContaining("nothing outside of it is read"),
      });
    }
  });

  test.each([
    ["dangling", "does not exist"],
    ["dangling-out", "does not exist"],
    ["nothing", "does not exist"],
    ["loop", "circle"],
    ["notes.txt/x", "not a folder"],
    ["src", "it is a folder"],
    ["pipe", "it is a pipe"],
    ["a\0b", "zero byte"],
    ["x".repeat(5000), "name is too long"],
    [".env", "may hold credentials"],
    [".ssh/config", "may hold credentials"],
    ["secret-in", "may hold credentials"],
    ["key.txt", "holds a private key"],
    ["program", "it is a program"],
  ])("does not give '%s': %s", async (named, why) => {
    const { text, isError } = await call("read-file", { path: named });
    expect({ text, isError }).toMatchObject({ isError: true, text: expect.stringContaining(why) });
    expect(text.length).toBeLessThan(6000);
  });

  test.each([
    ["behind what openssl writes before it", `Bag Attributes\n    localKeyID: 01\n${PEM}`],
    ["indented in YAML", `tls:\n  key: |\n${PEM.replaceAll(/^/gm, "    ")}`],
    ["in JSON", JSON.stringify({ type: "service_account", private_key: PEM })],
    ["in JSON with line ends of Windows", JSON.stringify({ key: PEM.replaceAll("\n", "\r\n") })],
    ["in a program", `const key = "-----BEGIN PRIVATE KEY-----\\n" +\n  "${BASE64}\\n";`],
    [
      "with a password",
      `x\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F1E\n\n${BASE64}`,
    ],
    ["of PGP", `x\n-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n${BASE64}\n`],
    ["in a variable on one line", `KEY=-----BEGIN EC PRIVATE KEY-----\\n${BASE64}`],
    ["behind a byte order mark", `\uFEFF${PEM}`],
    ["of PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"],
    ["of age", `# created: 2026\nAGE-SECRET-KEY-1${"Q".repeat(58)}\n`],
  ])("neither reads nor searches a private key %s", async (_, content) => {
    await fs.writeFile(path.join(folder, "some.txt"), content);
    try {
      const read = await call("read-file", { path: "some.txt" });
      expect(read).toMatchObject({ isError: true, text: expect.stringContaining("holds a private key") });
      const { text } = await call("search-files", { path: "some.txt", text: "K" });
      expect(text).toBe("(nothing found in 1 file)\n(1 place not read: may hold credentials)");
    } finally {
      await fs.rm(path.join(folder, "some.txt"));
    }
  });

  test.each([
    "A key begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.",
    'if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new Error("a private key");',
    `x${"-----BEGIN PRIVATE KEY-----".repeat(20_000)}`,
    `x\n-----BEGIN CERTIFICATE-----\n${"TUlJ".repeat(20)}\n-----END CERTIFICATE-----\n`,
    `x\n-----BEGIN PRIVATE KEY-----${"\nAa-b: c".repeat(100_000)}`,
  ])("reads what only speaks of private keys: %.40s", async (content) => {
    await fs.writeFile(path.join(folder, "some.txt"), content);
    try {
      expect(await call("read-file", { path: "some.txt" })).toMatchObject({ isError: false });
    } finally {
      await fs.rm(path.join(folder, "some.txt"));
    }
  });

  test("does not wait for a socket", async () => {
    const server = createServer();
    const file = path.join(folder, "socket");
    await new Promise<void>((resolve) => server.listen(file, resolve));
    onTestFinished(() => void server.close());
    const { text, isError } = await call("read-file", { path: "socket" });
    expect({ text, isError }).toMatchObject({ isError: true, text: expect.stringContaining("socket") });
  });

  test.each(["notes.txt", "./src/../notes.txt", "folder-in/../notes.txt", "ABSOLUTE"])(
    "gives '%s', which is in it",
    async (named) => {
      const input = { path: named === "ABSOLUTE" ? path.join(folder, "notes.txt") : named };
      expect((await call("read-file", input)).text).toBe("1\tone\n2\ttwo\n3\tthree");
      expect((await call("read-file", input, "given")).text).toBe("1\tone\n2\ttwo\n3\tthree");
    },
  );

  test("follows links in it that stay in it", async () => {
    expect((await call("read-file", { path: "link-in" })).text).toContain("answer = 42");
    expect((await call("read-file", { path: "folder-in/main.ts" })).text).toContain("answer = 42");
  });

  test("is not left by any path", async () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "",
      "/",
      "~",
      "\\",
      "%2e%2e",
      "src",
      "folder-out",
      "folder-in",
      "folder-beside",
      "link-out",
      "work",
      "outside.txt",
      "..\\outside.txt",
      "dangling-out",
      "\u2024\u2024",
      home,
    );
    const paths = fc.array(fc.oneof({ weight: 5, arbitrary: part }, fc.string()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(paths, fc.constantFrom("/", "//", ""), async (parts, between) => {
        const named = parts.join(between);
        for (const tool of ["read-file", "search-files", "list-files"]) {
          const { text } = await call(tool, { path: named, text: "only outside", hidden: true });
          expect(text).not.toContain(OUTSIDE);
          expect(text).not.toMatch(/^(?:work-beside|dotfiles)/m);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("is not left while links are put in the place of its folders", async () => {
    const race = path.join(home, "race");
    await fs.mkdir(path.join(race, "moving"), { recursive: true });
    await fs.writeFile(path.join(race, "moving/outside.txt"), "inside");
    onTestFinished(() => fs.rm(race, { recursive: true }));
    swapFolders(race, "moving", "../work-beside");
    const tool = await builtInTool("read-file", race, testRuntime({ home }));
    const said = new Set<string>();
    const until = performance.now() + 1500;
    while (performance.now() < until || said.size < 2) {
      const { content } = await tool.run({ path: "moving/outside.txt" }, new AbortController().signal);
      said.add(content[0]?.text ?? "");
    }
    expect(said).toContain("1\tinside");
    for (const text of said) expect(text).not.toContain(OUTSIDE);
  });

  test.each([
    [{ AWS_SHARED_CREDENTIALS_FILE: "dotfiles/aws/credentials" }, "dotfiles/aws/credentials"],
    [{ OPENCLAW_STATE_DIR: "~/dotfiles" }, "dotfiles/aws/credentials"],
    [{ OPENCLAW_CONFIG_PATH: "outside.txt" }, "outside.txt"],
    [{}, ".aws/credentials"],
  ])("keeps back what the environment %o names", async (env, named) => {
    expect((await call("read-file", { path: named }, ".", env)).text).toContain("may hold credentials");
    const found = await call(
      "search-files",
      { text: "only outside", path: path.dirname(named), hidden: true },
      ".",
      env,
    );
    expect(found.text.split("\n").filter((line) => line.startsWith(`${named}:`))).toEqual([]);
  });

  test("keeps back where a link in the home folder leads", async () => {
    await fs.symlink("dotfiles/aws", path.join(home, ".azure"));
    onTestFinished(() => fs.rm(path.join(home, ".azure")));
    expect((await call("read-file", { path: "dotfiles/aws/credentials" }, ".")).isError).toBe(true);
  });

  test("keeps back what is a file of credentials under another name", async () => {
    const other = path.join(folder, "harmless.txt");
    await fs.link(path.join(home, ".aws/credentials"), other);
    onTestFinished(() => fs.rm(other));
    expect(await call("read-file", { path: "harmless.txt" })).toMatchObject({
      isError: true,
      text: expect.stringContaining("may hold credentials"),
    });
    expect((await call("search-files", { text: OUTSIDE })).text).not.toContain("harmless.txt:");
  });

  test("has no environments of processes, wherever the system shows them", async (context) => {
    const mounted = path.join(home, "host-proc");
    await fs.mkdir(mounted);
    const { status } = spawnSync("mount", ["--bind", "/proc", mounted]);
    context.skip(status !== 0, "nothing may be mounted here");
    onTestFinished(() => void spawnSync("umount", ["-l", mounted]));
    const { text, isError } = await call("read-file", { path: "self/environ" }, "host-proc");
    expect({ text, isError }).toMatchObject({ isError: true, text: expect.stringContaining("makes it up") });
    expect((await call("read-file", { path: "host-proc/1/cmdline" }, ".")).isError).toBe(true);
  });

  test("has to be there", async () => {
    await expect(builtInTool("read-file", "nothing", testRuntime({ home }))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("does not exist"),
    });
    await expect(builtInTool("list-files", "outside.txt", testRuntime({ home }))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("not a folder"),
    });
  });

  test("is the root of the machine only in so far as its files are files", async () => {
    for (const named of ["proc/self/environ", "/proc/1/environ", "dev/null", "sys/kernel/notes"]) {
      const tool = await builtInTool("read-file", "/", testRuntime({ home }));
      const { content, isError } = await tool.run({ path: named }, new AbortController().signal);
      expect({ content, isError }).toMatchObject({ isError: true, content: [{ text: expect.any(String) }] });
    }
  });
});

describe("read-file", () => {
  test.each([
    [{ path: "long.txt", offset: 4999 }, "4999\tline 4999\n5000\tline 5000\n(lines 4999 to 5000 of 5000)"],
    [{ path: "long.txt", offset: -1 }, "5000\tline 5000\n(lines 5000 to 5000 of 5000)"],
    [{ path: "long.txt", offset: 3, limit: 1 }, "3\tline 3\n(lines 3 to 3 of 5000; go on with offset 4)"],
    [{ path: "notes.txt", offset: -9 }, "1\tone\n2\ttwo\n3\tthree"],
    [{ path: "empty.txt" }, "(the file is empty)"],
    [{ path: "latin.txt" }, "1\tgr\ufffd\ufffde"],
    [{ path: "wide.txt" }, "1\tweit"],
    [{ path: "src/deep/a.js" }, "1\tthe answer\n2\tagain"],
  ])("reads %o", async (input, text) => {
    expect(await call("read-file", input)).toMatchObject({ text, isError: false });
  });

  test.each([
    [{}, "'path' is missing."],
    [{ path: 3 }, "'path' has to be a text."],
    [{ path: "notes.txt", limit: 0 }, "'limit' has to be a whole number from 1 to 10000."],
    [{ path: "notes.txt", offset: 1.5 }, /'offset' has to be a whole number/],
    [{ path: "notes.txt", offset: 4 }, "The file has only 3 lines."],
  ])("says what is wrong with %o", async (input, text) => {
    const said = await call("read-file", input);
    expect(said.isError).toBe(true);
    expect(said.text).toMatch(text instanceof RegExp ? text : new RegExp(text.replace(/[.]/g, "\\.")));
  });

  test("gives so many lines at once, and says where to go on", async () => {
    const { text } = await call("read-file", { path: "long.txt" });
    expect(text.split("\n")).toHaveLength(2001);
    expect(text).toMatch(/\(lines 1 to 2000 of 5000; go on with offset 2001\)$/);
    const { text: cut } = await call("read-file", { path: "wide-line.txt" });
    expect(cut).toMatch(/^1\tx{2000}… \(16006 more characters\)$/);
  });

  test("gives no more than a result may have, counted as it is sent", async () => {
    const file = path.join(folder, "wide-text.txt");
    await fs.writeFile(file, Array.from({ length: 2000 }, () => "語".repeat(100)).join("\n"));
    onTestFinished(() => fs.rm(file));
    const { text } = await call("read-file", { path: "wide-text.txt" });
    expect(Buffer.byteLength(text)).toBeLessThan(100_000);
    expect(text).toMatch(/go on with offset (\d+)\)$/);
    expect(text).not.toContain("left out");
  });

  test("gives images and documents as they are", async () => {
    expect((await call("read-file", { path: "dot.png" })).content).toMatchObject([
      { image: { format: "png", source: { bytes: PIXEL } } },
    ]);
    expect((await call("read-file", { path: "paper.pdf" })).content).toMatchObject([
      { document: { format: "pdf", name: "paper.pdf" } },
    ]);
  });

  test("does not read what is too long for that", async () => {
    const file = path.join(folder, "large.log");
    const handle = await fs.open(file, "w");
    await handle.truncate(17 * 1024 * 1024);
    await handle.close();
    onTestFinished(() => fs.rm(file));
    expect(await call("read-file", { path: "large.log" })).toMatchObject({
      isError: true,
      text: "'large.log' cannot be read: it has more than 16 MB.",
    });
  });
});

describe("list-files", () => {
  test("lists two levels, and says what is left out", async () => {
    const { text } = await call("list-files", {});
    const lines = text.split("\n");
    expect(lines).toContain("src/");
    expect(lines).toContain("src/main.ts  55 bytes");
    expect(lines).toContain("src/deep/");
    expect(lines).not.toContain("src/deep/a.js  19 bytes");
    expect(lines).toContain("link-out -> ../outside.txt");
    expect(lines).toContain("pipe (not a file)");
    expect(text).not.toContain(".hidden");
    expect(text).toContain("(4 hidden entries left out (hidden: true includes them))");
    expect(text).toContain("(not entered unless named by path: node_modules)");
    expect(text).toContain("folders more than 2 deep are not entered");
  });

  test.each([
    [{ pattern: "*.js" }, ["src/deep/a.js"]],
    [{ pattern: "src/**/*.{js,ts}" }, ["src/deep/a.js", "src/main.ts"]],
    [{ pattern: "*.js", path: "node_modules" }, ["node_modules/x/index.js"]],
    [{ pattern: ".env*", hidden: true }, [".env", ".env.example"]],
    [{ path: "src", depth: 1 }, ["src/deep/", "src/main.ts"]],
    [{ pattern: "nothing" }, ["(nothing)"]],
  ])("lists %o", async (input, names) => {
    const { text } = await call("list-files", input);
    const listed = text.split("\n").filter((line) => !/^\((?!nothing\))/.test(line));
    expect(listed.map((line) => line.replace(/ {2}.*/, ""))).toEqual(names);
  });

  test("has a line for each name, whatever is in it", async () => {
    const odd = path.join(home, "odd");
    await fs.mkdir(odd);
    await fs.writeFile(path.join(odd, "a\n(nothing)\nb"), "found");
    expect((await call("list-files", {}, "odd")).text).toBe("a (nothing) b  5 bytes");
    expect((await call("search-files", { text: "found" }, "odd")).text).toBe("a (nothing) b:1: found");
  });

  test("lists so many entries, the nearest", async () => {
    const many = path.join(home, "many");
    await fs.mkdir(path.join(many, "a"), { recursive: true });
    await Promise.all(
      Array.from({ length: 1500 }, (_, index) => fs.writeFile(path.join(many, "a", String(index)), "")),
    );
    await fs.writeFile(path.join(many, "z"), "");
    const { text } = await call("list-files", {}, "many");
    expect(text.split("\n")).toContain("z  0 bytes");
    expect(text).toMatch(/\n\(502 more are not listed: name a folder in here, or a pattern\)$/);
  });

  test("ends where it takes too long, and says so", async () => {
    let now = 0;
    const runtime = { ...testRuntime({ home }), elapsed: () => (now += 9000) };
    const tool = await builtInTool("list-files", folder, runtime);
    const { content } = await tool.run({ depth: 1 }, new AbortController().signal);
    const text = content[0]?.text ?? "";
    expect(text).toContain("it took more than 20 seconds");
    expect(text.split("\n").length).toBeLessThan(
      (await call("list-files", { depth: 1 })).text.split("\n").length,
    );
  });
});

describe("search-files", () => {
  test("finds lines, and says what was not searched", async () => {
    const { text } = await call("search-files", { text: "answer" });
    expect(text.split("\n")).toEqual([
      "src/main.ts:1: export const answer = 42;",
      "src/deep/a.js:1: the answer",
      "(2 binary files not searched)",
      "(4 hidden entries left out (hidden: true includes them))",
      "(not entered unless named by path: node_modules)",
      "(1 place not read: may hold credentials)",
    ]);
  });

  test.each([
    [{ text: "ANSWER", ignoreCase: true, pattern: "*.ts" }, ["src/main.ts:1: export const answer = 42;"]],
    [{ text: "STRASSE", ignoreCase: true }, ["(nothing found in 12 files)"]],
    [{ text: "straße", ignoreCase: true }, ["src/main.ts:2: const İstanbul = 'Straße';"]],
    [{ text: ".*" }, ["(nothing found in 12 files)"]],
    [{ text: "weit" }, ["wide.txt:1: weit"]],
    [{ text: "two", path: "notes.txt" }, ["notes.txt:2: two"]],
    [{ text: "answer", hidden: true, pattern: ".env*" }, [".env.example:1: SECRET=answer here"]],
    [{ text: "needle" }, [`wide-line.txt:1: …${"x".repeat(100)}needle${"y".repeat(194)}…`]],
  ])("finds %o", async (input, lines) => {
    const { text } = await call("search-files", input);
    expect(text.split("\n").filter((line) => !/^\((?!nothing)/.test(line))).toEqual(lines);
  });

  test("ends with its bound, and on a signal", async () => {
    const { text } = await call("search-files", { text: "line" });
    expect(text.split("\n").filter((line) => line.startsWith("long.txt:"))).toHaveLength(200);
    expect(text).toContain("(not everything was looked at: more than 200 lines were found)");
    const tool = await builtInTool("search-files", folder, testRuntime({ home }));
    const reason = new Error("enough");
    await expect(tool.run({ text: "x" }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("finds each line that has a text, by its number", async () => {
    const sample = path.join(folder, "sample.txt");
    onTestFinished(() => fs.rm(sample));
    const line = fc.string({ unit: fc.constantFrom("a", "b", "A", "İ", "ß", "x"), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.string({ unit: fc.constantFrom("a", "b", "A", "i", "ß"), minLength: 1, maxLength: 2 }),
        fc.boolean(),
        async (lines, text, ignoreCase) => {
          await fs.writeFile(sample, lines.join("\n"));
          const lower = (value: string): string => (ignoreCase ? value.toLowerCase() : value);
          const expected = lines.flatMap((line, index) =>
            lower(line).includes(lower(text)) ? [`sample.txt:${index + 1}: ${line}`] : [],
          );
          const said = await call("search-files", { text, ignoreCase, path: "sample.txt" });
          const found = said.text.split("\n").filter((found) => found.startsWith("sample.txt:"));
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("each tool says what it does, within what Converse takes", async () => {
  for (const { name, says } of builtIns()) {
    const tool = await builtInTool(name, undefined, testRuntime({ home }));
    expect(says).not.toBe("");
    expect(tool.description.length).toBeLessThan(700);
    expect(tool.inputSchema["type"]).toBe("object");
  }
});
