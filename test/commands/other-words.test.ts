import { describe, expect, it } from "vitest";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";

const NOTHING_TO_LEAVE =
  "There is nothing to leave; /quit or Ctrl-D ends a conversation, Ctrl-C a command that runs.";

/** Words that are typed alone, by the hint they get. */
const WORDS: Readonly<Record<string, string>> = {
  "quit exit bye stop end close leave": NOTHING_TO_LEAVE,
  "upgrade update install": "Did you mean npm install -g openclaw@latest?",
  "q start run new prompt": "Did you mean openclaw chat?",
  continue: "Did you mean openclaw chat --continue?",
  "init setup whoami test profiles region": "Did you mean openclaw doctor?",
  status: "Did you mean openclaw models status?",
  show: "Did you mean openclaw models show?",
  price: "Did you mean openclaw models list?",
  pull: "Did you mean openclaw models access?",
  set: "Did you mean openclaw config set?",
  get: "Did you mean openclaw config get?",
  settings: "Did you mean openclaw config list?",
  cost: "Did you mean openclaw usage?",
  history: "Did you mean openclaw sessions list?",
  rm: "Did you mean openclaw sessions rm?",
  rename: "Did you mean openclaw sessions rename?",
  export: "Did you mean openclaw sessions export?",
  find: "Did you mean openclaw sessions search?",
  limits: "Did you mean openclaw quota?",
  embeddings: "Did you mean openclaw embed?",
  jobs: "Did you mean openclaw batch list?",
  plugins: "Did you mean openclaw tools list?",
  policy: "Did you mean openclaw iam policy?",
  server: "Did you mean openclaw serve?",
  man: "Did you mean openclaw help?",
};

/** What is typed behind the program's name, and the hint that it gets. */
const TYPED: readonly (readonly [args: string[], hint: string])[] = [
  [["hi there"], "Did you mean openclaw chat 'hi there'?"],
  [["hi"], "Did you mean openclaw chat hi?"],
  [["why", "is", "the", "sky", "blue?"], "Did you mean openclaw chat why is the sky 'blue?'?"],
  [["what", "is", "this"], "Did you mean openclaw chat what is this?"],
  [["frobnicate", "the", "widgets"], "Did you mean openclaw chat frobnicate the widgets?"],
  [["--model=opus", "hi"], "Did you mean openclaw chat --model=opus hi?"],
  [["-mopus", "hi"], "Did you mean openclaw chat -mopus hi?"],
  [["-p", "hi"], "Did you mean openclaw chat hi?"],
  [["2+2"], "Did you mean openclaw chat 2+2?"],
  [["Hi!"], "Did you mean openclaw chat 'Hi!'?"],
  [["?"], "Did you mean openclaw help?"],
  [["/models"], "Did you mean openclaw models?"],
  [["/quit"], NOTHING_TO_LEAVE],
  [["/undo"], "That is /undo in a conversation, which begins with: openclaw chat"],
  [["retry"], "That is /retry in a conversation, which begins with: openclaw chat"],
  [["HELP", "models"], "Did you mean openclaw help models?"],
  [["Models", "list"], "Did you mean openclaw models list?"],
  [["list", "models", "--all"], "Did you mean openclaw models list --all?"],
  [["delete", "session", "x"], "Did you mean openclaw sessions rm x?"],
  [["list", "templates"], "Did you mean openclaw templates list?"],
  [["new", "template", "x"], "Did you mean openclaw templates edit x?"],
  [["show", "config"], "Did you mean openclaw config get?"],
  [
    ["config", "models.bedrockDiscovery.region"],
    "Did you mean openclaw config get models.bedrockDiscovery.region?",
  ],
  [["config", "a.b", "1"], "Did you mean openclaw config set a.b 1?"],
  [["-m", "opus", "hi there"], "Did you mean openclaw chat -m opus 'hi there'?"],
  [["--system", "Be short.", "hi"], "Did you mean openclaw chat --system 'Be short.' hi?"],
  [["list", "three", "colours"], "Did you mean openclaw chat list three colours?"],
  [["show", "me", "the", "way"], "Did you mean openclaw chat show me the way?"],
  [["who", "are", "you"], "Did you mean openclaw chat who are you?"],
  [["status", "quo?"], "Did you mean openclaw chat status 'quo?'?"],
  [["ask", "why?"], "Did you mean openclaw chat 'why?'?"],
  [["Ask", "-m", "opus", "why"], "Did you mean openclaw chat -m opus why?"],
  [["version"], "Did you mean openclaw --version?"],
  [["-version"], "Did you mean openclaw --version?"],
  [["ls"], "Did you mean openclaw models list?"],
  [["ls", "--all"], "Did you mean openclaw models list --all?"],
  [["list"], "Did you mean openclaw models list?"],
  [["stop", "doing", "that"], "Did you mean openclaw chat stop doing that?"],
  [["image", "cat.png"], "Did you mean openclaw chat --file cat.png?"],
  [["rm", "old-one"], "Did you mean openclaw sessions rm old-one?"],
  [["batch", "cancel", "job"], "Did you mean openclaw batch stop job?"],
  [["serve", "keys", "delete", "a"], "Did you mean openclaw serve keys revoke a?"],
  [["keys"], "Did you mean openclaw serve keys? Which credentials are used says: openclaw doctor"],
  [
    ["set", "models.bedrockDiscovery.region", "us-east-1"],
    "Did you mean openclaw config set models.bedrockDiscovery.region us-east-1?",
  ],
  [["use", "opus"], "Did you mean openclaw models set opus?"],
  [["resume"], "Did you mean openclaw chat --continue?"],
  [["models", "ls"], "Did you mean openclaw models list?"],
  [["models", "use", "opus"], "Did you mean openclaw models set opus?"],
  [["models", "help"], "Did you mean openclaw models --help?"],
  [["--region", "us-east-1", "models", "lst"], "Did you mean openclaw --region us-east-1 models list?"],
  [["model", "list"], "Did you mean openclaw models list?"],
  [["chta", "hi"], "Did you mean openclaw chat hi?"],
  [["sessions", "delete", "one"], "Did you mean openclaw sessions rm one?"],
  [["docs"], "Did you mean openclaw help?"],
  [["man", "chat"], "Did you mean openclaw help chat?"],
  [["logout"], "Did you mean aws sso logout? Which credentials are used says: openclaw doctor"],
  [["login"], "Did you mean aws sso login? Which credentials are used says: openclaw doctor"],
  [["frobnicate"], "openclaw --help"],
  [["models", "frobnicate"], "openclaw models --help"],
  [["doctor", "help"], "openclaw doctor --help"],
  [["models", "list", "--serch", "nova"], "Did you mean --search?"],
  [["-m", "opus", "models", "list"], "openclaw models list --help"],
  ...Object.entries(WORDS).flatMap(([words, hint]) =>
    words.split(" ").map((word): [string[], string] => [[word], hint]),
  ),
  // What would act on a terminal stays within its quotes.
  [["hi \u001b[2Jthere"], "Did you mean openclaw chat $'hi \\x1b[2Jthere'?"],
  [[`${"very ".repeat(100)}long`], "openclaw --help"],
];

describe("a word that is no command", () => {
  it.each(TYPED)("%j is answered with the right one", async (args, hint) => {
    const { code, stdout, stderr } = await openclaw(args, createHome());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n").at(-2)).toBe(`hint: ${hint}`);
  });

  it("is told in the document of --json, too", async () => {
    const { code, stdout } = await openclaw(["ls", "--json"], createHome());
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "usage", hint: "Did you mean openclaw models list --json?" },
    });
  });
});

describe("help in place of a prompt", () => {
  it.each([
    [["chat", "help"], "Did you mean openclaw chat --help? To ask a model: openclaw chat -- help"],
    [["chat", "-m", "opus", "help"], "Did you mean openclaw chat -m opus --help?"],
    [["models", "show", "help"], "Did you mean openclaw models show --help?"],
  ])("%j is a question for the program at a terminal", async (args, hint) => {
    const terminal = openPty(args, createHome(), { columns: 120 });
    expect(await terminal.exit).toBe(2);
    expect(terminal.lines().join("\n")).toContain(hint);
  });

  it.each([[["chat", "--emulator", "help"]], [["chat", "--emulator", "--", "help"]]])(
    "%j asks the model in a script",
    async (args) => {
      const { code, stdout } = await openclaw(args, createHome());
      expect(code).toBe(0);
      expect(stdout).toMatch(/You asked: help\n$/);
    },
  );

  it.each([[["chat", "--emulator", "--", "help"]], [["chat", "--emulator", "-s", "help", "hi"]]])(
    "%j asks the model at a terminal",
    async (args) => {
      const terminal = openPty(args, createHome());
      expect(await terminal.exit).toBe(0);
      expect(terminal.lines().join(" ")).toMatch(/You asked: (?:help|hi)/);
    },
  );
});
