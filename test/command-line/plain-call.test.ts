import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCommand } from "../../src/command-line/build-command.ts";
import { type Flag, readFlag } from "../../src/command-line/declaration.ts";
import { type Call, fillValues, readPlainCall } from "../../src/command-line/plain-call.ts";
import { PROGRAM } from "../../src/program.ts";
import { everyCommand } from "../helpers/every-command.ts";

/** What commander makes of the arguments; undefined where it refuses them or prints help. */
async function readWithCommander(args: readonly string[]): Promise<Call | undefined> {
  let found: Call | undefined;
  const root = buildCommand(PROGRAM, {
    run: async (call) => {
      found = call;
    },
  });
  try {
    await root.parseAsync([...args], { from: "user" });
  } catch {
    return undefined;
  }
  return found;
}

/** What commander says of arguments that it refuses. */
async function refusalOfCommander(args: readonly string[]): Promise<string> {
  const root = buildCommand(PROGRAM, { run: async () => undefined });
  try {
    await root.parseAsync([...args], { from: "user" });
  } catch (error) {
    return String(error);
  }
  return "";
}

const ACTIONS = everyCommand();

/** The flags that take a text of any kind, and not one of a few. Without a word `--search` finds everything. */
const TEXT_FLAGS = ACTIONS.flatMap(({ path, action }) =>
  [...PROGRAM.flags, ...(action.flags ?? [])].flatMap((flag) => {
    const { long, placeholder, choices } = readFlag(flag);
    const isNumber = /number|tokens|seconds|megabytes|usd/.test(placeholder ?? "number");
    return choices || isNumber || long === "--search" ? [] : [[path.join(" "), long] as const];
  }),
);

const READABLE: readonly string[][] = [
  ["models", "list"],
  ["models", "list", "--json"],
  ["--region", "us-west-2", "models", "--no-color", "list", "--provider", "amazon", "--provider=meta"],
  ["models", "list", "--sort", "price-in", "--search", ""],
  ["config", "get"],
  ["config", "get", "models.bedrockDiscovery.region", "--effective"],
  ["config", "set", "agents.defaults.model", "amazon.nova-lite-v1:0", "--dry-run"],
  ["chat", "-m", "amazon.nova-lite-v1:0", "Hello", "there", "--max-tokens", "20", "-f", "-", "-v"],
  ["chat", "--no-stream", "--no-save", "--temperature=0.5", "--", "--not-a-flag", "-m"],
  ["chat"],
  ["sessions", "rm", "one", "two"],
  ["serve", "--port", "0"],
  ["completion", "bash"],
  ["complete", "fish", "--", "chat", "--max"],
];

const LEFT_TO_COMMANDER: readonly string[][] = [
  [],
  ["--help"],
  ["models"],
  ["models", "list", "-h"],
  ["models", "lst"],
  ["models", "--", "list"],
  ["--search", "nova", "models", "list"],
  ["models", "list", "extra"],
  ["models", "show"],
  ["sessions", "rename", "one"],
  ["models", "list", "--sort", "colour"],
  ["models", "list", "--serch", "nova"],
  ["models", "list", "--json=yes"],
  ["models", "list", "--search"],
  ["models", "list", "--search", "--json"],
  ["chat", "-mamazon.nova-lite-v1:0", "Hello"],
  ["chat", "-vm", "amazon.nova-lite-v1:0", "Hello"],
  ["chat", "--max-tokens", "many", "Hello"],
  ["chat", "--temperature", "-1", "Hello"],
  ["chat", "--system", "", "Hello"],
  ["chat", "--stop=", "Hello"],
  ["completion", "tcsh"],
  ["constructor"],
  ["config", "toString"],
];

describe("a plain command line", () => {
  it.each(READABLE)("is read as commander reads it: %j", async (...args) => {
    const call = readPlainCall(PROGRAM, args);
    expect(call).toBeDefined();
    expect(call).toEqual(await readWithCommander(args));
  });

  it.each(LEFT_TO_COMMANDER)("is not: %j", (...args) => {
    expect(readPlainCall(PROGRAM, args)).toBeUndefined();
  });

  it.each(TEXT_FLAGS)("is none with nothing for a text: %s %s", async (path, flag) => {
    for (const args of [[flag, ""], [`${flag}=`]]) {
      const line = [...path.split(" "), ...args, "one", "two"];
      expect(readPlainCall(PROGRAM, line)).toBeUndefined();
      expect(await refusalOfCommander(line)).toContain("It is empty.");
    }
  });

  it("is read as commander reads it, whatever is made of names, flags and words", async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(commandLine, async (args) => {
        const call = readPlainCall(PROGRAM, args);
        if (!call) return;
        read += 1;
        expect(call).toEqual(await readWithCommander(args));
      }),
      { numRuns: 1500 },
    );
    // A reader that leaves everything to commander would pass, too.
    expect(read).toBeGreaterThan(200);
  });
});

const word = fc.oneof(
  fc.constantFrom("bash", "amazon", "off", "1", "0.5", "-", "", "-1", "--", "a b", "x=y", "list", "price-in"),
  fc.string({ maxLength: 4 }),
);

function flagWords(flags: readonly Flag[]): fc.Arbitrary<string[]> {
  if (flags.length === 0) return fc.constant([]);
  return fc.constantFrom(...flags).chain((flag) => {
    const { long, short, placeholder, choices } = readFlag(flag);
    const value = choices ? fc.oneof(fc.constantFrom(...choices), word) : word;
    if (placeholder === undefined) return fc.constantFrom([long], [short ?? long]);
    return value.chain((text) =>
      fc.constantFrom([long, text], [`${long}=${text}`], [short ?? long, text], [long]),
    );
  });
}

/** A command's names with flags of its own and of every command around them, and a few words. */
const commandLine: fc.Arbitrary<string[]> = fc.constantFrom(...ACTIONS).chain(({ path, action }) => {
  const shared = flagWords(PROGRAM.flags);
  const own = flagWords(action.flags ?? []);
  const count = action.arguments?.length ?? 0;
  return fc
    .tuple(
      fc.array(shared, { maxLength: 1 }),
      fc.array(fc.oneof(own, own, shared, fc.array(word, { maxLength: count })), { maxLength: 4 }),
      fc.array(word, { minLength: count, maxLength: count }),
      fc.nat(),
    )
    .map(([before, after, words, at]) => {
      const split = at % (path.length + 1);
      const early = words.slice(0, at % 3);
      return path
        .slice(0, split)
        .concat(before.flat(), path.slice(split), early, after.flat(), words.slice(early.length));
    });
});

describe("a flag whose value may be left out, or that has several", () => {
  it.each([
    [
      ["chat", "--wait-for-quota", "hi"],
      ["chat", "--wait-for-quota=600", "hi"],
    ],
    [
      ["chat", "hi", "--wait-for-quota"],
      ["chat", "hi", "--wait-for-quota=600"],
    ],
    [
      ["chat", "--wait-for-quota", "--json", "hi"],
      ["chat", "--wait-for-quota=600", "--json", "hi"],
    ],
    [
      ["chat", "--wait-for-quota", "30", "hi"],
      ["chat", "--wait-for-quota", "30", "hi"],
    ],
    [
      ["chat", "--wait-for-quota=30", "hi"],
      ["chat", "--wait-for-quota=30", "hi"],
    ],
    [
      ["chat", "--", "--wait-for-quota"],
      ["chat", "--", "--wait-for-quota"],
    ],
    [
      ["chat", "--timeout", "hi"],
      ["chat", "--timeout", "hi"],
    ],
    [
      ["serve", "keys", "add", "ci", "--models", "a", "b", "--rpm", "1"],
      ["serve", "keys", "add", "ci", "--models=a", "--models=b", "--rpm", "1"],
    ],
    [
      ["serve", "keys", "add", "--models", "a", "--models", "b", "ci", "--profile", "x"],
      ["serve", "keys", "add", "--models=a", "--models=b", "ci", "--profile", "x"],
    ],
    [
      ["serve", "keys", "add", "--models", "a=1,b", "c", "ci"],
      ["serve", "keys", "add", "--models=a=1,b", "--models=c", "ci"],
    ],
    [
      ["serve", "keys", "add", "--models", "a", "--", "ci"],
      ["serve", "keys", "add", "--models=a", "--", "ci"],
    ],
    [
      ["serve", "keys", "add", "--models", "ci"],
      ["serve", "keys", "add", "--models=ci"],
    ],
    [
      ["serve", "keys", "add", "--models=a", "ci"],
      ["serve", "keys", "add", "--models=a", "ci"],
    ],
    [
      ["serve", "keys", "add", "--models", "a", "-v", "b", "--models"],
      ["serve", "keys", "add", "--models=a", "-v", "b", "--models"],
    ],
  ])("is read in %j", (args, expected) => {
    expect(fillValues(PROGRAM, args)).toEqual(expected);
  });
});
