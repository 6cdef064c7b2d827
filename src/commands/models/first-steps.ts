import { listMisspelt } from "../../config/nearest-setting.ts";
import { adviseInstance } from "../../credentials/describe.ts";
import { findCause } from "../../credentials/findings.ts";
import { askChosenInstance } from "../../credentials/imds.ts";
import { nothingSigns } from "../../credentials/no-credentials.ts";
import type { ModelSurvey } from "../../discovery/survey.ts";
import { OpenclawError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { type Cell, layoutTable } from "../../terminal/table.ts";

/** What makes this machine able to call Amazon Bedrock, for the kinds of machines that there are. */
const WAYS: readonly (readonly [place: string, command: string, what: string])[] = [
  ["On a laptop", "aws configure sso", "IAM Identity Center"],
  ["", "aws configure", "access keys"],
  ["", "export AWS_PROFILE=NAME", "a profile you have"],
  ["On an EC2 host", "attach an instance profile", "openclaw help ec2"],
  ["Bedrock API key", "export AWS_BEARER_TOKEN_BEDROCK=KEY", "no other is needed"],
  ["Just to try", "openclaw chat --emulator", "needs no account"],
];

/**
 * The error where no source has credentials and no model can be called without: with what was found that explains it.
 * Where nothing does, this is a machine on which nothing is set up, and a person at a terminal is shown how to begin.
 */
export async function withoutCredentials({ setup, load }: ModelSurvey): Promise<OpenclawError> {
  if (load.error) return load.error;
  const general = "No AWS credentials were found, and no model is configured";
  const { decision, runtime, config } = setup;
  const cause = findCause(decision, "nothing signs", { place: { misspelt: listMisspelt(config.value) } });
  if (cause) {
    return new OpenclawError("no-credentials", {
      message: `${cause.message} ${general}.`,
      hint: cause.hint,
    });
  }
  const error = await nothingSigns(decision, runtime, general);
  const instance = await askChosenInstance(decision, runtime);
  const isInstance = instance !== undefined && adviseInstance(instance) !== undefined;
  // An instance has its own hint, and no use for what a laptop needs.
  if (error.code === "no-credentials" && !isInstance) await showFirstSteps(runtime);
  return error;
}

/** For a person: nobody else reads it. */
async function showFirstSteps({ terminal }: Runtime): Promise<void> {
  const { screen } = terminal;
  if (!screen || terminal.format !== "text" || !terminal.isStdoutTTY) return;
  const { dim, bold } = await terminal.stderrStyle();
  const rows = WAYS.map(([place, command, what]): Cell[] => [
    place,
    { text: command, look: bold },
    { text: what, look: dim },
  ]);
  const columns = [{ title: "" }, { title: "" }, { title: "", dropOrder: 1 }];
  const title = "Nothing on this machine can call Amazon Bedrock yet. One of these is enough:";
  terminal.writeAside(`${[title, "", ...layoutTable(columns, rows, screen.columns)].join("\n")}\n\n`);
}
