import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../helpers/documents.ts";

/** The sources of the program by their paths from src/, without comments. */
function readSources(): [file: string, code: string][] {
  const folder = path.join(root, "src");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => [
      name.split(path.sep).join("/"),
      readFileSync(path.join(folder, name), "utf8").replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, ""),
    ]);
}

interface Rule {
  name: string;
  /** What only some files may say. */
  pattern: RegExp;
  files: readonly string[];
  violation: string;
}

/** All that is printed goes through the Terminal, which lets nothing act that this program did not make. */
const RULES: readonly Rule[] = [
  {
    name: "takes the streams of the process",
    pattern: /\bprocess\.(?:stdout|stderr)\b|"node:tty"|\/dev\/(?:tty|std(?:out|err))/,
    files: ["main.ts", "runtime.ts"],
    violation: 'process.stderr.write("hi");',
  },
  {
    name: "opens a sink",
    pattern: /\boutputSink\(/,
    files: ["terminal/output-sink.ts", "runtime.ts"],
    violation: "const sink = outputSink(1, open, fail, platform);",
  },
  {
    name: "writes to a descriptor",
    pattern: /\bwriteSync\(|\bcreateWriteStream\(/,
    files: ["terminal/output-sink.ts"],
    violation: 'writeSync(2, "hi");',
  },
  {
    name: "makes a Terminal",
    pattern: /\bnew Terminal\(/,
    files: ["runtime.ts", "serve/serve-log.ts", "terminal/terminal.ts"],
    violation: "const terminal = new Terminal(stdout, stderr, {});",
  },
  {
    name: "draws with a library",
    pattern: /"(?:ora|chalk|log-update|cli-spinners|picocolors)"|\bstyleText\b/,
    files: [],
    violation: 'const { default: ora } = await import("ora");',
  },
  {
    name: "writes a sequence of a terminal by hand",
    pattern: /(?<!\\)\\(?:u001[bB]|x1[bB]|u009[bB]|u\{1[bB]\})(?!\\\[)/,
    files: ["terminal/neutralise.ts", "terminal/terminal.ts", "terminal/word-wrap.ts"],
    violation: 'terminal.note("\\u001B[2J");',
  },
  {
    name: "lets its own sequences act",
    pattern: /\bactOwn\(|\bnew Neutraliser\(/,
    files: ["terminal/neutralise.ts", "terminal/terminal.ts"],
    violation: "sink.write(actOwn(text));",
  },
  {
    name: "prints JSON as a text, in which what would act is lost and not escaped",
    pattern: /\b(?:print|note|write|writeAside)\(\s*JSON\.stringify\(/,
    files: [],
    violation: "await terminal.print(JSON.stringify(value));",
  },
];

/** Files other than those of the rule that say it. */
function breaking({ pattern, files }: Rule, sources: readonly [string, string][]): string[] {
  return sources.flatMap(([file, code]) => (pattern.test(code) && !files.includes(file) ? [file] : []));
}

/**
 * Values within a command to paste that are not quoted for a shell. What comes from a table of this program's own, or was
 * checked to be made of letters and digits, needs none.
 */
const COMMAND =
  /\b(?:openclaw [a-z]+|aws [a-z]+|chmod \d+|ls -l|rm|mv|export [A-Z_]+=)(?: [\w./-]+)*[ =]?\$\{(?!quoteForShell\(|[^}]* \? )([^}]+)\}|\s--(?:profile|region|model|session|provider|config) \$\{(?!quoteForShell\(|[^}]* \? )([^}]+)\}/g;
const OWN_VALUES = new Set([
  "emulator.accessKeyId",
  "emulator.secretAccessKey",
  "emulator.url",
  "emulator.bearerToken",
  // A model that the emulator names itself.
  "CLAUDE",
  "DEFAULT_HOST",
  // Made of an address and a port that a socket was opened on.
  "url",
]);

function unquoted(code: string): string[] {
  return [...code.matchAll(COMMAND)].flatMap(([found, ...values]) =>
    OWN_VALUES.has(values.find((value) => value !== undefined) ?? "") ? [] : [found.trim()],
  );
}

const sources = readSources();

describe("the way out", () => {
  test.each(RULES)("$name in no other file", (rule) => {
    expect(breaking(rule, sources)).toEqual([]);
    expect(breaking(rule, [["chat/a.ts", rule.violation]])).toEqual(["chat/a.ts"]);
    // A file that has no need of its exception has none.
    for (const file of rule.files)
      expect({
        file,
        isNeeded: rule.pattern.test(sources.find(([name]) => name === file)?.[1] ?? ""),
      }).toEqual({
        file,
        isNeeded: true,
      });
  });

  test("quotes what it puts into commands to paste", () => {
    expect(sources.flatMap(([file, code]) => unquoted(code).map((found) => `${file}: ${found}`))).toEqual([]);
    expect(unquoted("hint: `aws configure --profile ${name}`")).toHaveLength(1);
    expect(unquoted("hint: `Try: --profile ${near}`")).toHaveLength(1);
    expect(unquoted("hint: `chmod 600 ${file}`")).toHaveLength(1);
    expect(unquoted("`export AWS_REGION=${region}`")).toHaveLength(1);
    expect(unquoted("`openclaw models set ${quoteForShell(id)}`")).toEqual([]);
  });
});

test("no library in the bundle speaks on the console", () => {
  const folder = path.join(root, "dist");
  const speaking = readdirSync(folder).filter(
    (name) =>
      name.endsWith(".js") &&
      /\bconsole\.(?:debug|error|info|log|warn)\b/.test(readFileSync(path.join(folder, name), "utf8")),
  );
  expect(speaking).toEqual([]);
});
