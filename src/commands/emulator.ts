import { maskKeyId } from "../credentials/mask.ts";
import { startEmulator, type Emulator, type RecordedCall } from "../emulator/emulator.ts";
import { OpenclawError, usageError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

const DEFAULT_HOST = "127.0.0.1";

export interface EmulatorCommandOptions extends GlobalOptions {
  /** Any free port when it is not given. */
  port?: number;
  host: string;
}

/**
 * Runs a simulated Bedrock until the program is interrupted, and prints how to use it. Throws `usage` for a host that
 * is not loopback or a port that cannot be had, and the interruption when it ends.
 */
export async function run(options: EmulatorCommandOptions, runtime: Runtime): Promise<void> {
  const emulator = await open(options, runtime);
  try {
    const region =
      options.region ?? runtime.env["AWS_REGION"] ?? runtime.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
    if (runtime.terminal.format === "json") await runtime.terminal.printJson(describe(emulator, region));
    else await runtime.terminal.print(instructions(emulator, region));
    await whenAborted(runtime.signal);
  } finally {
    await emulator.stop();
  }
  throw runtime.signal.reason;
}

async function open(
  { host, port, region }: EmulatorCommandOptions,
  { terminal }: Runtime,
): Promise<Emulator> {
  if (!isLoopback(host)) {
    throw usageError(
      `--host ${host} is not an address of this machine alone; the emulator's credentials are public.`,
      `openclaw emulator --host ${DEFAULT_HOST}`,
    );
  }
  try {
    return await startEmulator({
      host,
      port,
      ...(region === undefined ? {} : { region }),
      onAnswer: (call) => terminal.verbose(() => describeCall(call)),
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") throw cannotListen(host, `Port ${port} is already in use on ${host}.`, error);
    if (code === "EACCES")
      throw cannotListen(host, `Port ${port} needs more rights than this user has.`, error);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAFNOSUPPORT") {
      throw cannotListen(DEFAULT_HOST, `This machine has no address ${host}.`, error);
    }
    throw error;
  }
}

function describeCall(call: RecordedCall): string {
  const signer =
    call.bearerToken === undefined ? call.accessKeyId && maskKeyId(call.accessKeyId) : "bearer token";
  const who = [signer, call.region].filter((part) => part !== undefined).join(" ");
  return `HTTP/${call.httpVersion} ${call.method} ${call.path} (${call.route}${who === "" ? "" : `, ${who}`}): ${call.status}`;
}

function cannotListen(host: string, message: string, cause: unknown): OpenclawError {
  const command = host === DEFAULT_HOST ? "openclaw emulator" : `openclaw emulator --host ${host}`;
  return new OpenclawError("usage", { message, hint: `${command} takes any free port.`, cause });
}

function describe(emulator: Emulator, region: string): object {
  const { url, port, accessKeyId, secretAccessKey, bearerToken } = emulator;
  return { url, port, region, credentials: { accessKeyId, secretAccessKey, bearerToken } };
}

/** Lines to paste into a shell. The credentials are the emulator's own and open nothing else. */
function instructions(emulator: Emulator, region: string): string {
  return [
    `# Simulated Amazon Bedrock at ${emulator.url} (Ctrl-C ends it). Paste into another shell:`,
    "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK",
    `export AWS_ACCESS_KEY_ID=${emulator.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${emulator.secretAccessKey}`,
    `export AWS_REGION=${region}`,
    `export AWS_ENDPOINT_URL=${emulator.url}`,
    "# or, in place of the two keys, a Bedrock API key:",
    `# export AWS_BEARER_TOKEN_BEDROCK=${emulator.bearerToken}`,
    "# or the role of a simulated EC2 instance:",
    "# unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED",
    `# export AWS_EC2_METADATA_SERVICE_ENDPOINT=${emulator.url}`,
  ].join("\n");
}

async function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
