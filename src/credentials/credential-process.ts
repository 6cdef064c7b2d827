import { once } from "node:events";
import type { Readable } from "node:stream";
import type { AwsCredentialIdentity } from "@smithy/types";
import { endWith } from "../end-child.ts";
import { type ErrorCode, OpenclawError, shorten } from "../errors.ts";
import { isRecord, textAt, withoutUndefined } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import type { Runtime } from "../runtime.ts";
import { redactSecrets } from "./mask.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { readExpiry } from "./expiry.ts";
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
    hint: `Run it by hand to see what is wrong: aws configure get credential_process --profile ${quoteForShell(profile)} | sh`,
  });
}

/**
 * Runs a credential_process in a shell, as the SDK for JavaScript does, and reads what it prints
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). Not by the SDK's provider, which cuts
 * the command at a `;` or `#` behind a space. `signal` ends it, with the processes that it has started.
 * Throws `no-credentials` and `credentials-expired`, and the signal's reason.
 */
export async function runCredentialProcess(
  source: ProcessSource,
  keys: Readonly<Record<string, string>>,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<AwsCredentialIdentity> {
  const { now } = runtime;
  const command = keys["credential_process"] ?? "";
  const { printed, complaint, end } = await runInShell(command, runtime, signal);
  if (signal.aborted) throw signal.reason;
  if (end !== undefined) {
    const last = complaint
      .split("\n")
      .findLast((line) => line.trim() !== "")
      ?.trim();
    const said = last && shorten(redactSecrets(withoutArguments(last, command)));
    throw processError(source, `failed${said ? `: ${said.replace(/\.$/, "")}` : ""}. ${end}`);
  }
  const answer = parse(printed);
  if (answer === undefined) throw processError(source, "printed something that is not JSON");
  if (answer["Version"] !== 1) throw processError(source, 'printed JSON without "Version": 1');
  const accessKeyId = textAt(answer, "AccessKeyId");
  const secretAccessKey = textAt(answer, "SecretAccessKey");
  if (!accessKeyId || !secretAccessKey)
    throw processError(source, "printed no AccessKeyId or no SecretAccessKey");
  const ends = textAt(answer, "Expiration");
  const expiration = readExpiry(ends);
  if (ends && !expiration)
    throw processError(source, `printed an Expiration that is no time: '${shorten(ends)}'`);
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

/** The longest that a process may print, in bytes. */
const LONGEST_OUTPUT = 1024 * 1024;

interface Ending {
  printed: string;
  /** What it wrote to stderr. */
  complaint: string;
  /** How it ended, as a sentence without its stop; undefined where it went well. */
  end: string | undefined;
}

/**
 * Runs a command line, in a group of its own, so that what it starts ends with it. Where a person sits at the terminal it
 * stays in this program's: only there it can ask the person, at /dev/tty, and the terminal ends them all at Ctrl-C.
 */
async function runInShell(command: string, runtime: Runtime, signal: AbortSignal): Promise<Ending> {
  const { stdin, terminal, platform } = runtime;
  const { spawn } = await import("node:child_process");
  const isPersonThere = stdin.isTTY === true || terminal.isStderrTTY;
  const hasGroup = !isPersonThere && platform !== "win32";
  signal.throwIfAborted();
  const child = spawn(command, { shell: true, detached: hasGroup, stdio: ["ignore", "pipe", "pipe"] });
  const { stop, forget } = endWith(signal, child, hasGroup, runtime);
  let isTooLong = false;
  const gather = (stream: Readable): Buffer[] => {
    const pieces: Buffer[] = [];
    let length = 0;
    stream.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length <= LONGEST_OUTPUT) pieces.push(piece);
      else if (!isTooLong) {
        isTooLong = true;
        stop();
      }
    });
    return pieces;
  };
  const [printed, complaint] = [gather(child.stdout), gather(child.stderr)];
  try {
    const [code, by] = (await once(child, "close")) as [number | null, string | null];
    const ended = by === null ? `ended with exit code ${code}` : `was ended by ${by}`;
    return {
      printed: Buffer.concat(printed).toString("utf8"),
      complaint: Buffer.concat(complaint).toString("utf8"),
      end: isTooLong ? "It printed more than a megabyte" : code === 0 ? undefined : `It ${ended}`,
    };
  } finally {
    forget();
  }
}

/** A line without what the command line has behind options such as `--password`, which some programs repeat. */
function withoutArguments(line: string, command: string): string {
  const secrets = [...command.matchAll(/(?:token|secret|passw\w*|pwd|key)[=\s]+["']?([^\s"']{4,})/gi)];
  return secrets.reduce((text, [, secret = ""]) => text.replaceAll(secret, "…"), line);
}

function parse(text: string): Record<string, unknown> | undefined {
  const value = parseIfJson(text);
  return isRecord(value) ? value : undefined;
}
