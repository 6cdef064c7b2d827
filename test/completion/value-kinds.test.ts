import { expect, it } from "vitest";
import { type Action, readArgument, readFlag } from "../../src/command-line/declaration.ts";
import { leavesOf } from "../../src/command-line/help-text.ts";
import { readSituation, staticCandidates } from "../../src/completion/situation.ts";
import { kindOfArgument, kindOfFlag } from "../../src/completion/value-kinds.ts";
import { choicesOf, flagName, PARAMETER_ROWS } from "../../src/config/parameters.ts";
import { PROGRAM } from "../../src/program.ts";

/** The flags of the parameters that take other words than a few. */
const FREE_PARAMETERS = PARAMETER_ROWS.filter(([, row]) => choicesOf(row).length === 0).map(
  ([name]) => `chat --${flagName(name)}`,
);

/** Flags and arguments whose values only the person knows. A new one belongs here, or into src/completion/value-kinds.ts. */
const FREE = [
  ...FREE_PARAMETERS,
  "batch estimate --max-tokens",
  "batch estimate --output-tokens",
  "batch estimate --rpm",
  "batch estimate --tpm",
  "batch list --limit",
  "batch list --search",
  "batch results job",
  "batch role --bucket-owner",
  "batch role --kms-key",
  "batch role --name",
  "batch role --s3",
  "batch run --concurrency",
  "batch run --deadline",
  "batch run --max-cost",
  "batch run --max-tokens",
  "batch run --rpm",
  "batch run --tpm",
  "batch status job",
  "batch stop job",
  "batch submit --bucket-owner",
  "batch submit --kms-key",
  "batch submit --name",
  "batch submit --role",
  "batch submit --s3",
  "batch submit --tag",
  "batch submit --timeout-hours",
  "chat --first-token-timeout",
  "chat --guardrail",
  "chat --max-cost",
  "chat --max-steps",
  "chat --metadata",
  "chat --system",
  "chat --timeout",
  "chat --wait-for-quota",
  "chat prompt",
  "doctor --batch",
  "doctor --role",
  "embed --dimensions",
  "embed --max-cost",
  "embed --rpm",
  "embed --timeout",
  "embed --tpm",
  "embed text",
  "emulator --fault",
  "emulator --host",
  "emulator --job-records",
  "emulator --job-seconds",
  "emulator --port",
  "emulator --rpm",
  "emulator --tpm",
  "emulator --upstream",
  "emulator --upstream-model",
  "iam policy --kms-key",
  "iam policy --role",
  "iam policy --s3",
  "mcp call --timeout",
  "mcp call input",
  "mcp call tool",
  "mcp serve --allow-model",
  "mcp serve --max-cost",
  "models list --search",
  "openclaw --endpoint-url",
  "quota --input-tokens",
  "quota --max-tokens",
  "serve --cors",
  "serve --drain-timeout",
  "serve --heartbeat",
  "serve --host",
  "serve --idle-timeout",
  "serve --map",
  "serve --max-body",
  "serve --max-in-flight",
  "serve --max-streams",
  "serve --metrics-host",
  "serve --metrics-port",
  "serve --pace-wait",
  "serve --port",
  "serve --read-timeout",
  "serve --rpm",
  "serve --shared",
  "serve --tpm",
  "serve keys add --daily-budget",
  "serve keys add --expires",
  "serve keys add --models",
  "serve keys add --monthly-budget",
  "serve keys add --rpm",
  "serve keys add --tpm",
  "serve keys add name",
  "serve keys revoke name",
  "sessions rename name",
  "sessions rm --older-than",
  "sessions search text",
  "tools run --timeout",
  "tools run input",
  "usage --since",
];

it("knows what every flag and argument takes, or leaves it to the person on purpose", () => {
  const free: string[] = [];
  const noteFree = (path: string, { flags = [], arguments: declared = [] }: Partial<Action>): void => {
    for (const flag of flags.map(readFlag))
      if (flag.placeholder !== undefined && kindOfFlag(flag).kind === "anything")
        free.push(`${path} ${flag.long}`);
    for (const argument of declared)
      if (kindOfArgument(argument, path).kind === "anything")
        free.push(`${path} ${readArgument(argument).name}`);
  };
  noteFree("openclaw", { flags: PROGRAM.flags });
  for (const { path, action } of leavesOf(PROGRAM)) noteFree(path, action);
  expect(free.sort()).toEqual(FREE.sort());
});

it("offers every command of the program but the hidden one, and the flags of each", () => {
  const offered = (words: string[], current: string): string[] =>
    staticCandidates(readSituation(PROGRAM, words, current)).map(({ value }) => value);
  const names = offered([], "");
  expect(names).toEqual(expect.arrayContaining(["config", "models", "chat", "doctor", "completion"]));
  expect(names).not.toContain("complete");
  expect(offered(["models", "list"], "--")).toEqual(expect.arrayContaining(["--sort", "--all", "--help"]));
  expect(offered(["models", "list", "--sort"], "")).toContain("price-in");
});
