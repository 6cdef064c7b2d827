import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PROGRAMS } from "../../scripts/clients/programs.js";
import { root } from "../helpers/documents.ts";

const [KEY, MODEL] = ["KEY", "us.anthropic.claude-sonnet-4-6"];

/** What the programs are run with, at the addresses that the page has. */
const PLACE = {
  bin: "/bin",
  serve: "http://127.0.0.1:8080",
  emulator: "http://127.0.0.1:4566",
  key: KEY,
  model: MODEL,
  home: "/home",
  work: "/work",
  prompt: "hi",
  aws: {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIAEMULATOR0EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "openclaw/emulator/secret/for/no/AWS/call",
  },
};

const page = readFileSync(path.join(root, "docs", "clients.md"), "utf8");

/** The blocks of a program's section, with the model put in. */
function blocksOf(name: string): { kind: string; text: string }[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? "";
  return [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, kind = "", text = ""]) => ({
    kind,
    text: text.replaceAll(/\bMODEL\b/g, MODEL),
  }));
}

/** Lines of a shell as what they set, and what they start. */
function readShell(text: string): { env: Record<string, string>; started: string[] } {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+#.*/, ""));
  const exports = lines.flatMap((line) => {
    const [, name = "", value = ""] = /^export (\w+)=(\S+)$/.exec(line) ?? [];
    return name === "" ? [] : [[name, value] as const];
  });
  return { env: Object.fromEntries(exports), started: lines.filter((line) => !line.startsWith("export ")) };
}

/** Finds the words of a command in their order, whatever else it is given. */
function inOrder(command: string): RegExp {
  const words = command.split(" ").map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${words.join("( .*)? ")}( |$)`);
}

/** What a block of YAML says, in the words of JSON: a scalar or a list beside its name. */
function pairsIn(text: string): string[] {
  return [...text.matchAll(/(\w+): (?:"([^"]*)"|\[([^\]]*)\]|([^\s{},]+))/g)].map(
    ([, name = "", quoted, list, plain]) =>
      list === undefined ? `"${name}":"${quoted ?? plain}"` : `"${name}":["${list}"]`,
  );
}

const filled = (text: string): string[] => text.split("\n").filter((line) => line !== "");

describe.each(PROGRAMS)(
  "the page of clients has for $name what npm run test:clients runs",
  ({ name, ways }) => {
    const files = ways.flatMap((way) => Object.values(way.files?.(PLACE) ?? {}));
    const envs = ways.map((way) => way.env?.(PLACE) ?? {});
    const commands = ways
      .flatMap((way) => [way.before?.(PLACE) ?? [], way.command(PLACE)])
      .map(([program = "", ...args]) => [path.basename(program), ...args].join(" "));

    it.each(blocksOf(name).map(({ kind, text }, index) => [`${index + 1} (${kind})`, kind, text]))(
      "in block %s",
      (_, kind, text) => {
        if (kind === "sh") {
          const { env, started } = readShell(text);
          expect(envs).toContainEqual(expect.objectContaining(env));
          // With the prompt and the leave to write, which a person gives by hand.
          for (const line of started) expect(commands).toContainEqual(expect.stringMatching(inOrder(line)));
        } else if (kind === "json") {
          expect(
            files.filter((file) => file.startsWith("{")).map((file) => JSON.parse(file) as unknown),
          ).toContainEqual(JSON.parse(text));
        } else if (kind === "toml") expect(files.map(filled)).toContainEqual(filled(text));
        else {
          const minified = files.map((file) => JSON.stringify(JSON.parse(file)));
          const pairs = pairsIn(text);
          expect(pairs).not.toEqual([]);
          expect(minified.some((file) => pairs.every((pair) => file.includes(pair)))).toBe(true);
        }
      },
    );
  },
);
