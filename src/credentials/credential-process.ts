import type { AwsCredentialIdentity } from "@smithy/types";
import { type ErrorCode, OpenclawError } from "../errors.ts";
import { isRecord, textAt, withoutUndefined } from "../json.ts";
import type { Runtime } from "../runtime.ts";
import { redactSecrets } from "./mask.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { ProfileSource } from "./profile-source.ts";

type ProcessSource = Extract<ProfileSource, { kind: "process" }>;

/** What is wrong with a credential_process. A command line may hold secrets: of it the program's name is all that is told. */
export function processError(
  { program, profile }: ProcessSource,
  what: string,
  code: ErrorCode = "no-credentials",
): OpenclawError {
  return new OpenclawError(code, {
    message: `credential_process ${program} of profile '${profile}' ${what}.`,
    hint: `Run it by hand to see what is wrong: aws configure get credential_process --profile ${quoteForShell(profile)}`,
  });
}

/**
 * Runs a credential_process in a shell, as the SDK for JavaScript does, and reads what it prints
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). Not by the SDK's provider, which cuts
 * the command at a `;` or `#` behind a space. Throws `no-credentials` and `credentials-expired`.
 */
export async function runCredentialProcess(
  source: ProcessSource,
  keys: Readonly<Record<string, string>>,
  { now, signal }: Runtime,
): Promise<AwsCredentialIdentity> {
  const [{ exec }, { promisify }] = await Promise.all([import("node:child_process"), import("node:util")]);
  let printed: string;
  try {
    ({ stdout: printed } = await promisify(exec)(keys["credential_process"] ?? "", { signal }));
  } catch (failure) {
    if (signal.aborted) throw failure;
    const last = textAt(failure, "stderr")
      ?.split("\n")
      .findLast((line) => line.trim() !== "")
      ?.trim();
    const said =
      last && redactSecrets(withoutArguments(last, keys["credential_process"] ?? "")).slice(0, 200);
    throw processError(
      source,
      `failed${said ? `: ${said.replace(/\.$/, "")}` : ""}. ${describeEnd(failure)}`,
    );
  }
  const answer = parse(printed);
  if (answer === undefined) throw processError(source, "printed something that is not JSON");
  if (answer["Version"] !== 1) throw processError(source, 'printed JSON without "Version": 1');
  const accessKeyId = textAt(answer, "AccessKeyId");
  const secretAccessKey = textAt(answer, "SecretAccessKey");
  if (!accessKeyId || !secretAccessKey)
    throw processError(source, "printed no AccessKeyId or no SecretAccessKey");
  const ends = textAt(answer, "Expiration");
  const expiration = ends ? new Date(ends) : undefined;
  if (expiration && expiration.getTime() < now()) {
    throw processError(source, "returned credentials that have expired", "credentials-expired");
  }
  return withoutUndefined({
    accessKeyId,
    secretAccessKey,
    sessionToken: textAt(answer, "SessionToken") || undefined,
    expiration,
    credentialScope: textAt(answer, "CredentialScope") || undefined,
    accountId: textAt(answer, "AccountId") || keys["aws_account_id"],
  });
}

/** How a process ended, as a sentence without its stop. */
function describeEnd(failure: unknown): string {
  const { code, signal } = failure as { code?: unknown; signal?: unknown };
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "It printed more than a megabyte";
  if (typeof signal === "string") return `It was ended by ${signal}`;
  return `It ended with exit code ${String(code)}`;
}

/** A line without what the command line has behind options such as `--password`, which some programs repeat. */
function withoutArguments(line: string, command: string): string {
  const secrets = [...command.matchAll(/(?:token|secret|passw\w*|pwd|key)[=\s]+["']?([^\s"']{4,})/gi)];
  return secrets.reduce((text, [, secret = ""]) => text.replaceAll(secret, "…"), line);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
