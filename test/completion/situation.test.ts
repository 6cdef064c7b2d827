import { describe, expect, it } from "vitest";
import { type Action, flag, type Group, type Program } from "../../src/command-line/declaration.ts";
import { readSituation, staticCandidates } from "../../src/completion/situation.ts";

function action(more: Partial<Action> = {}): Action {
  return {
    description: "does it",
    load: () => Promise.reject(new Error("completion loads no command")),
    ...more,
  };
}

const group = (members: Group["members"]): Group => ({ description: "does more", members });

const program: Program = {
  ...group({
    models: group({
      list: action({ flags: [flag("--sort <field>", "order", ["name", "price"])] }),
      show: action({ arguments: [{ notation: "<model>" }] }),
    }),
    chat: action({
      flags: [flag("-m, --model <model>", "model"), flag("-f, --file <file>", "file")],
      arguments: [{ notation: "[prompt...]" }],
    }),
    sessions: group({ rm: action({ arguments: [{ notation: "<ids...>" }] }) }),
    hidden: action({ isHidden: true }),
  }),
  name: "openclaw",
  version: "1.0.0",
  versionFlag: flag("-V, --version", "version"),
  flags: [
    flag("--config <file>", "file"),
    flag("--profile <name>", "profile"),
    flag("-v, --verbose", "more"),
  ],
};

const read = (line: string) => {
  const words = line.split(" ");
  return readSituation(program, words.slice(0, -1), words.at(-1) ?? "");
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
    ["sessions rm a b ", "session", "", ""],
    ["nonsense ", undefined, "", ""],
    ["hidden ", undefined, "", ""],
    ["nonsense --", "flags", "", "--"],
    ["chat models ", "anything", "", ""],
    ["--unknown models ", "commands", "", ""],
  ])("%j wants %s", (line, wanted, before, text) => {
    const situation = read(line);
    const kind = situation.wanted?.kind === "value" ? situation.wanted.value.kind : situation.wanted?.kind;
    expect({ kind, before: situation.before, text: situation.text }).toEqual({ kind: wanted, before, text });
  });

  it("keeps the flags and arguments that were typed", () => {
    const { values, positionals, command } = read("--profile dev models show --config=x.json us ");
    expect(command).toMatchObject({ arguments: [{ notation: "<model>" }] });
    expect([...values]).toEqual([
      ["--profile", "dev"],
      ["--config", "x.json"],
    ]);
    expect(positionals).toEqual(["us"]);
  });
});

describe("staticCandidates", () => {
  const offered = (line: string): string[] => staticCandidates(read(line)).map(({ value }) => value);

  const everywhere = ["--version", "--config", "--profile", "--verbose"];

  it("offers commands, flags and choices", () => {
    expect(offered("")).toEqual(["models", "chat", "sessions"]);
    expect(offered("models list --sort ")).toEqual(["name", "price"]);
    expect(offered("models list --sort=")).toEqual(["--sort=name", "--sort=price"]);
    expect(offered("models list --")).toEqual(["--sort", "--help", ...everywhere]);
    expect(offered("--")).toEqual([...everywhere, "--help"]);
    expect(offered("chat -")).toEqual(["--model", "--file", "--help", ...everywhere]);
  });

  it("confirms a short flag, and offers nothing where anything may come", () => {
    expect(offered("chat -m")).toEqual(["-m"]);
    expect(offered("chat ")).toEqual([]);
    expect(offered("nonsense ")).toEqual([]);
  });
});
