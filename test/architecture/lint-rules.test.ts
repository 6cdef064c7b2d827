import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Violation {
  name: string;
  file: string;
  text: string;
  rule: string;
}

const importing = (what: string): string => `import { it } from "${what}";\nexport const used = it;\n`;

const imports = (name: string, file: string, what: string): Violation => ({
  name,
  file,
  text: importing(what),
  rule: "eslint(no-restricted-imports)",
});

const VIOLATIONS: readonly Violation[] = [
  imports("a command that imports the SDK", "src/commands/a.ts", "@aws-sdk/client-bedrock"),
  imports("a command that goes back up", "src/commands/a.ts", "../program.ts"),
  imports("a command that imports the process", "src/commands/a.ts", "node:process"),
  imports("the program that imports the SDK", "src/program.ts", "@aws-sdk/client-bedrock"),
  imports("a room that imports a command", "src/discovery/a.ts", "../commands/chat.ts"),
  imports("a room that imports the program", "src/discovery/a.ts", "../program.ts"),
  imports("a room that imports main", "src/aws/a.ts", "../main.ts"),
  imports("an SDK value outside the files that may", "src/chat/prompt.ts", "@aws-sdk/client-bedrock-runtime"),
  imports("a part of an SDK package", "src/credentials/shared-config.ts", "@smithy/core/config"),
  imports("the SDK in a room that takes its parts", "src/session/a.ts", "@smithy/core/retry"),
  imports("an SDK file that imports a command", "src/discovery/discover.ts", "../commands/models/list.ts"),
  imports("a pure file that reads files", "src/models/list.ts", "node:fs/promises"),
  imports("a pure file that imports the SDK", "src/converse/request.ts", "@aws-sdk/client-bedrock-runtime"),
  {
    name: "a re-export of the SDK",
    file: "src/discovery/a.ts",
    text: 'export { BedrockClient } from "@aws-sdk/client-bedrock";\n',
    rule: "eslint(no-restricted-imports)",
  },
  {
    name: "a dynamic import of the SDK in a command",
    file: "src/commands/a.ts",
    text: 'export const load = () => import("@aws-sdk/client-bedrock");\n',
    rule: "eslint(no-restricted-imports)",
  },
  {
    name: "the process outside main.ts and runtime.ts",
    file: "src/discovery/a.ts",
    text: 'export const region = process.env["AWS_REGION"];\n',
    rule: "eslint(no-restricted-globals)",
  },
  {
    name: "signals that are joined and not held",
    file: "src/discovery/a.ts",
    text: "export const any = (signal: AbortSignal) => AbortSignal.any([signal]);\n",
    rule: "eslint(no-restricted-properties)",
  },
  {
    name: "a print past the terminal",
    file: "src/discovery/a.ts",
    text: 'console.log("hello");\n',
    rule: "eslint(no-console)",
  },
  {
    name: "a catch that hides",
    file: "src/discovery/a.ts",
    text: "export function hide(work: () => void): void {\n  try {\n    work();\n  } catch {}\n}\n",
    rule: "eslint(no-empty)",
  },
];

const ALLOWED: readonly Omit<Violation, "rule">[] = [
  {
    name: "a type of the SDK in a room",
    file: "src/discovery/a.ts",
    text: 'import type { BedrockClient } from "@aws-sdk/client-bedrock";\nexport type Client = BedrockClient;\n',
  },
  {
    name: "the SDK in the file that hands on its parts",
    file: "src/network/sdk-parts.ts",
    text: importing("@smithy/core/retry"),
  },
  { name: "the SDK in the emulator", file: "src/emulator/a.ts", text: importing("@smithy/signature-v4") },
  { name: "a room in a command", file: "src/commands/a.ts", text: importing("../discovery/load.ts") },
  { name: "the process in runtime.ts", file: "src/runtime.ts", text: "export const env = process.env;\n" },
];

interface Diagnostic {
  code: string;
  filename: string;
}

/** What oxlint says about one file in a tree of its own with this project's rules. */
function lint({ file, text }: Omit<Violation, "rule" | "name">): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), "openclaw-lint-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(path.join(root, ".oxlintrc.json"), path.join(folder, ".oxlintrc.json"));
  mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
  const oxlint = path.join(root, "node_modules", "oxlint", "bin", "oxlint");
  const { stdout } = spawnSync(process.execPath, [oxlint, "--format=json", "."], {
    cwd: folder,
    encoding: "utf8",
  });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  return diagnostics.map(({ code }) => code);
}

describe("the lint rules", () => {
  test.each(VIOLATIONS)("refuse $name", ({ rule, ...violation }) => {
    expect(lint(violation)).toContain(rule);
  });

  test.each(ALLOWED)("allow $name", (file) => {
    expect(lint(file)).toEqual([]);
  });
});
