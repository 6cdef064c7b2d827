import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { baseModelId } from "./base-model-id.ts";
import { familyOf } from "./families.ts";

/** What may stand between an identity and a model, in the order in which AWS looks at it. */
export type GateName =
  | "region"
  | "authorization"
  | "form"
  | "entitlement"
  | "agreement"
  | "retention"
  | "quota";

/**
 * The modes of data retention that an account may have in a region, the least that is kept first, and what AWS does with
 * prompts and answers then: https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html
 */
export const RETENTION_MODES = {
  none: "AWS keeps no prompts and answers, and nobody gets them",
  default:
    "each model's terms hold: AWS may keep prompts and answers against abuse, and the model's provider does not get them",
  aws_review:
    "AWS may keep prompts and answers for up to 30 days and let its people review them, where a model needs that; the model's provider does not get them",
  provider_data_share:
    "AWS may keep prompts and answers for up to 30 days and share them with the model's provider; AWS calls it legacy, and says that it shares none today",
} as const satisfies Record<string, string>;
export type RetentionMode = keyof typeof RETENTION_MODES;
const MODES = Object.keys(RETENTION_MODES) as RetentionMode[];

/** What an account has that says nothing: each model's own default holds. */
export const INHERIT = "inherit" as const;

/** The mode that a word is, of those that an account may be switched to; undefined for another word. */
export function settableMode(word: string): RetentionMode | typeof INHERIT | undefined {
  return word === INHERIT ? INHERIT : MODES.find((mode) => mode === word);
}

/** The mode in force for a model under an account's; undefined for a word that is no mode. */
export function effectiveMode(accountMode: string): RetentionMode | undefined {
  const mode = settableMode(accountMode);
  return mode === INHERIT ? "default" : mode;
}

/** Whether a mode permits what another one does: each permits all that those before it do. */
export function permits(mode: RetentionMode, wanted: RetentionMode): boolean {
  return MODES.indexOf(mode) >= MODES.indexOf(wanted);
}

/** The mode that a model needs at least, by its family; undefined where none is known. */
export function leastRetention(modelId: string | undefined): RetentionMode | undefined {
  return modelId === undefined ? undefined : familyOf(baseModelId(modelId)).retention?.least;
}

/** How a refusal names the mode that the account has: "mode 'default' is not available", "not available under … mode 'default'". */
const OWN_MODE =
  /\bmode\b\s*['"`‘’“”]?(\w+)['"`‘’“”]?\s+is not|not available under.*?\bmode\b\s*['"`‘’“”]?(\w+)/i;

/**
 * The mode that a refusal of AWS's asks for: the first that it names beside the account's own, else what the model's family
 * needs, else the next one that permits more.
 */
export function retentionNeeded(message: string, modelId: string | undefined): RetentionMode {
  const own = OWN_MODE.exec(message);
  const has = effectiveMode(own?.[1] ?? own?.[2] ?? "");
  const others = message.replace(OWN_MODE, "");
  const next = MODES[(has === undefined ? -1 : MODES.indexOf(has)) + 1];
  return (
    MODES.find((mode) => new RegExp(`\\b${mode}\\b`).test(others)) ??
    leastRetention(modelId) ??
    (has === undefined || next === undefined ? "aws_review" : next)
  );
}

export interface Barred {
  /** As it is called: an id, a profile, an ARN. */
  modelId?: string | undefined;
  region?: string | undefined;
  /** The mode of data retention that is needed. */
  retention?: RetentionMode | undefined;
}

/** The command that shows the gates of a model, and with `flags` opens one, to paste into a shell. */
export function accessCommand({ modelId, region }: Barred, ...flags: readonly string[]): string {
  const place = region === undefined ? [] : ["--region", quoteForShell(region)];
  return ["openclaw models access", quoteForShell(modelId ?? "MODEL"), ...flags, ...place].join(" ");
}

/** How a gate is opened, by the one command for it where there is one. */
const OPENINGS: Readonly<Record<GateName, (barred: Barred) => string>> = {
  region: (barred) => {
    const region = barred.region === "us-east-1" ? "us-west-2" : "us-east-1";
    return `Look in another region: ${accessCommand({ ...barred, region })}`;
  },
  // A service control policy may close it too: https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
  authorization: () =>
    "Ask your administrator, whose service control policy may close it, or AWS Support: https://console.aws.amazon.com/support/home",
  form: (barred) => `Send it once for the account: ${accessCommand(barred, "--submit-form", "FILE")}`,
  entitlement: () => "Request access in the Bedrock console: Model catalog, the model, Request access.",
  agreement: (barred) =>
    `Accept it, with aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions allowed: ${accessCommand(barred, "--accept-agreement")}`,
  retention: (barred) =>
    `See the account's mode, and switch it: ${accessCommand(barred, "--retention", barred.retention ?? "MODE")}`,
  // Which can be raised by whom: https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-increase.html
  quota: () => "Ask AWS Support for more: https://console.aws.amazon.com/support/home",
};

/** One thing to do about a gate that is closed, as a command where there is one. */
export function openingOf(gate: GateName, barred: Barred): string {
  return OPENINGS[gate](barred);
}
