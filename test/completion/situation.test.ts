import { describe, expect, it } from "vitest";
import type { CommandNode, ValueKind } from "../../src/completion/command-tree.ts";
import { readSituation, staticCandidates } from "../../src/completion/situation.ts";

const models: ValueKind = { kind: "model", isList: true };

function command(name: string, more: Partial<CommandNode> = {}): CommandNode {
  return { name, description: `does ${name}`, commands: [], flags: [], arguments: [], ...more };
}

const tree = command("openclaw", {
  flags: [
    { long: "--config", description: "file", value: { kind: "files" } },
    { long: "--profile", description: "profile", value: { kind: "profile" } },
    { long: "--verbose", short: "-v", description: "more" },
  ],
  commands: [
    command("models", {
      commands: [
        command("list", {
          flags: [
            { long: "--sort", description: "order", value: { kind: "choices", values: ["name", "price"] } },
          ],
        }),
        command("show", { arguments: [{ name: "model", isVariadic: false, value: { kind: "model" } }] }),
      ],
    }),
    command("chat", {
      flags: [
        { long: "--model", short: "-m", description: "model", value: models },
        { long: "--file", short: "-f", description: "file", value: { kind: "files" } },
      ],
      arguments: [{ name: "prompt", isVariadic: true, value: { kind: "anything" } }],
    }),
    command("rm", { arguments: [{ name: "ids", isVariadic: true, value: { kind: "session" } }] }),
  ],
});

const read = (line: string) => {
  const words = line.split(" ");
  return readSituation(tree, words.slice(0, -1), words.at(-1) ?? "");
};

describe("readSituation", () => {
  it.each<[line: string, wanted: string | undefined, before: string, text: string]>([
    ["", "commands", "", ""],
    ["mo", "commands", "", "mo"],
    ["models ", "commands", "", ""],
    ["models list ", undefined, "", ""],
    ["models list --", "flags", "", "--"],
    ["models list --sort ", "choices", "", ""],
    ["models list --sort=na", "choices", "--sort=", "na"],
    ["models list --sort name --", "flags", "", "--"],
    ["models show us", "model", "", "us"],
    ["models show us ", undefined, "", ""],
    ["--profile ", "profile", "", ""],
    ["models --profile dev list --profile=", "profile", "--profile=", ""],
    ["chat ", "anything", "", ""],
    ["chat -m ", "model", "", ""],
    ["chat -mus", "model", "-m", "us"],
    ["chat -vmus", "model", "-vm", "us"],
    ["chat -m a:0,b:1,us", "model", "a:0,b:1,", "us"],
    ["chat --model=a,us", "model", "--model=a,", "us"],
    ["chat -f ", "files", "", ""],
    ["chat -v ", "anything", "", ""],
    ["chat -- -m ", "anything", "", ""],
    ["chat hello --mo", "flags", "", "--mo"],
    ["chat - ", "anything", "", ""],
    ["rm a b ", "session", "", ""],
    ["nonsense ", undefined, "", ""],
    ["nonsense --", "flags", "", "--"],
    ["chat models ", "anything", "", ""],
    ["--unknown models ", "commands", "", ""],
  ])("%j wants %s", (line, wanted, before, text) => {
    const situation = read(line);
    const kind = situation.wanted?.kind === "value" ? situation.wanted.value.kind : situation.wanted?.kind;
    expect({ kind, before: situation.before, text: situation.text }).toEqual({ kind: wanted, before, text });
  });

  it("keeps the flags and arguments that were typed", () => {
    const { values, positionals, command: at } = read("--profile dev models show --config=x.json us ");
    expect(at.name).toBe("show");
    expect([...values]).toEqual([
      ["--profile", "dev"],
      ["--config", "x.json"],
    ]);
    expect(positionals).toEqual(["us"]);
  });
});

describe("staticCandidates", () => {
  const offered = (line: string): string[] => staticCandidates(read(line)).map(({ value }) => value);

  it("offers commands, flags and choices", () => {
    expect(offered("")).toEqual(["models", "chat", "rm"]);
    expect(offered("models list --sort ")).toEqual(["name", "price"]);
    expect(offered("models list --sort=")).toEqual(["--sort=name", "--sort=price"]);
    expect(offered("models list --")).toEqual(["--sort", "--config", "--profile", "--verbose"]);
    expect(offered("--")).toEqual(["--config", "--profile", "--verbose"]);
    expect(offered("chat -")).toEqual(["--model", "--file", "--config", "--profile", "--verbose"]);
  });

  it("confirms a short flag, and offers nothing where anything may come", () => {
    expect(offered("chat -m")).toEqual(["-m"]);
    expect(offered("chat ")).toEqual([]);
    expect(offered("nonsense ")).toEqual([]);
  });
});
