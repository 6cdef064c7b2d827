import { DEFAULT_TOOL_SECONDS } from "../../../config/settings.ts";
import type { JsonObject } from "../../../json.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Environment, Runtime } from "../../../runtime.ts";
import { quoteForShell } from "../../../terminal/quote-for-shell.ts";
import { commandResult } from "../command-tool.ts";
import { environmentFor, runCommand } from "../run-command.ts";
import { textResult, type Demand, type ToolResult } from "../tool.ts";
import { whyAwsWrites } from "./aws-reads.ts";
import { CallFault } from "./tool-input.ts";

export const AWS = {
  description: `Runs the AWS CLI: aws ARGS, with the person's credentials and region. No shell: no pipes, variables or globs. Runs what only reads: describe-, get-, list-, batch-get-, head-, search-, lookup-, filter- and simulate- commands, wait, s3 ls, s3 cp s3://BUCKET/KEY -, dynamodb query and scan, logs tail, help. Everything else is refused unless the person has allowed it beforehand, as is what reveals credentials or secrets, what writes a local file, file:// and http:// as values, --profile, --endpoint-url, --debug and --cli-input-json. Ends after ${DEFAULT_TOOL_SECONDS} seconds; of more than 100,000 bytes the middle is left out, so choose with --query, --filters and --max-items.`,
  inputSchema: {
    type: "object",
    properties: {
      args: {
        type: "array",
        items: { type: "string" },
        minItems: 1,
        description: 'The arguments, one each: ["ec2", "describe-instances", "--region", "eu-west-1"]',
      },
    },
    required: ["args"],
  },
} as const;

const READS: Demand = { name: "aws", isExact: false, isAsked: true };

/** The leave that a call needs: another one for what does more than read, which only `--allow` gives. */
export function demandOfAws(input: JsonObject): Demand {
  const args = readArgs(input);
  // What is no call comes to an error and does nothing.
  const because = args && whyAwsWrites(args);
  return because === undefined ? READS : { name: "aws:write", isExact: true, isAsked: false, because };
}

/** The command line, as it may be pasted. */
export function describeAws(input: JsonObject): string {
  return ["aws", ...(readArgs(input) ?? [])].map(quoteForShell).join(" ");
}

/** Runs the AWS CLI. Throws a `CallFault` for a call without arguments, and the signal's reason. */
export async function runAws(
  input: JsonObject,
  signal: AbortSignal,
  runtime: Runtime,
  { profile, region }: Pick<GlobalOptions, "profile" | "region"> = {},
): Promise<ToolResult> {
  const args = readArgs(input);
  if (args === undefined) throw new CallFault("'args' has to be a list of texts.");
  const { env, platform, currentFolder } = runtime;
  // Before the call's own: of two regions the CLI takes the last one.
  const asked = [
    ...(profile === undefined ? [] : ["--profile", profile]),
    ...(region === undefined ? [] : ["--region", region]),
  ];
  const run = await runCommand(
    {
      command: ["aws", ...asked, ...args],
      env: environmentFor(env, awsEnvironment(env), platform),
      folder: currentFolder,
      timeoutSeconds: DEFAULT_TOOL_SECONDS,
    },
    runtime,
    signal,
  );
  if (run.end.kind === "not-started")
    return textResult(`${run.end.why} The AWS CLI is not installed here: https://aws.amazon.com/cli/`, true);
  return withoutOverstrike(commandResult(run, "aws", DEFAULT_TOOL_SECONDS));
}

/** A result without what makes letters bold and underlined on paper, as the pages of `help` have it. */
function withoutOverstrike({ content, isError }: ToolResult): ToolResult {
  return {
    content: content.map((block) =>
      block.text === undefined ? block : { text: block.text.replace(/[^\n]\x08/g, "") },
    ),
    isError,
  };
}

/** The variables of AWS, and those that keep the CLI from asking or from opening a pager. */
function awsEnvironment(env: Environment): Record<string, string> {
  const own = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith("AWS_") && value !== undefined ? [[name, value] as const] : [],
  );
  return {
    // Version 1 knows only this one.
    ...(env["AWS_REGION"] === undefined ? {} : { AWS_DEFAULT_REGION: env["AWS_REGION"] }),
    ...Object.fromEntries(own),
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-pagination.html
    AWS_PAGER: "",
    AWS_CLI_AUTO_PROMPT: "off",
    MANPAGER: "cat",
    PAGER: "cat",
  };
}

/** The arguments of a call; undefined where they are none. Models begin with the name of the program, too. */
function readArgs({ args }: JsonObject): string[] | undefined {
  if (!Array.isArray(args) || args.length === 0) return undefined;
  const texts = args.filter((arg): arg is string => typeof arg === "string");
  if (texts.length < args.length) return undefined;
  return texts[0] === "aws" ? texts.slice(1) : texts;
}
