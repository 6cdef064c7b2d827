import { once } from "node:events";
import { isRegionName } from "../aws/region.ts";
import { explainListenFailure } from "../network/listen-failure.ts";
import { maskUserInfo } from "../network/user-info.ts";
import { maskKeyId } from "../credentials/mask.ts";
import {
  startEmulator,
  variablesOfClients,
  type Dialogue,
  type EmulatedGate,
  type Emulator,
  type EmulatorOptions,
  type MinuteLimit,
  type RecordedCall,
  type Upstream,
} from "../emulator/emulator.ts";
import { faultScript } from "../emulator/fault.ts";
import { unknownOperation } from "../emulator/unknown-operation.ts";
import { OpenclawError, usageError } from "../errors.ts";
import { isLoopback, withoutBrackets } from "../loopback.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { neutralise, onOneLine } from "../terminal/neutralise.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

const DEFAULT_HOST = "127.0.0.1";

export interface EmulatorCommandOptions extends GlobalOptions {
  /** Any free port when it is not given. */
  port?: number;
  host: string;
  /** `ROUTE[:CALL]=FAULT[@DELTAS]`. */
  fault?: string[];
  /** What is closed to the account at the start. */
  close?: EmulatedGate[];
  /** Address of an OpenAI-compatible server whose model answers Converse calls. */
  upstream?: string;
  upstreamModel?: string;
  /** Tokens and requests in any minute: `N`, or `OF=N` for a region or model. */
  tpm?: string[];
  rpm?: string[];
  /** How long a model invocation job takes, in seconds, and the fewest records that it may have. */
  jobSeconds: number;
  jobRecords: number;
}

/** Where the upstream's key comes from: a flag would show it to everybody on this machine. */
const UPSTREAM_KEY = "OPENCLAW_UPSTREAM_API_KEY";

/**
 * Runs a simulated Bedrock until the program is interrupted, and prints how to use it. Throws `usage` for a host that
 * is not loopback, a port that cannot be had, a fault that does not exist, a script that is none or an upstream that is no
 * address, and the interruption when it ends.
 */
export async function run(options: EmulatorCommandOptions, runtime: Runtime): Promise<void> {
  const emulator = await open(options, runtime, {
    dialogue: await readDialogue(options, runtime),
    upstream: await openUpstream(options, runtime),
  });
  try {
    const region =
      options.region ?? runtime.env["AWS_REGION"] ?? runtime.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
    if (runtime.terminal.format === "json")
      await runtime.terminal.printJson(describe(emulator, region, options));
    else await runtime.terminal.print(instructions(emulator, region, options));
    if (!runtime.signal.aborted) await once(runtime.signal, "abort");
  } finally {
    await emulator.stop();
  }
  throw runtime.signal.reason;
}

/** The model that answers in the emulator's place, where one is named. Opens no connection yet. */
async function openUpstream(
  { upstream, upstreamModel }: EmulatorCommandOptions,
  runtime: Runtime,
): Promise<Upstream | undefined> {
  if (upstream === undefined) {
    if (upstreamModel === undefined) return undefined;
    throw usageError(
      "--upstream-model names a model, and there is no --upstream that has it.",
      `openclaw emulator --upstream http://127.0.0.1:11434/v1 --upstream-model ${quoteForShell(upstreamModel)}`,
    );
  }
  if (!/^https?:\/\//i.test(upstream) || !URL.canParse(upstream)) {
    throw usageError(
      `--upstream '${maskUserInfo(upstream)}' is not the address of a server.`,
      "openclaw emulator --upstream http://127.0.0.1:11434/v1",
    );
  }
  const [{ createUpstream }, { openLine }, { openServer }] = await Promise.all([
    import("./emulator/upstream.ts"),
    import("../wires/call-server.ts"),
    import("../wires/server.ts"),
  ]);
  const server = openServer(new URL(upstream).host, upstream, {
    key: runtime.env[UPSTREAM_KEY],
    keyPlace: UPSTREAM_KEY,
    urlPlace: "--upstream",
  });
  return createUpstream(await openLine(server, runtime), upstreamModel);
}

/** What the models say, where a script has it. */
async function readDialogue(
  { emulatorScript, upstream }: EmulatorCommandOptions,
  runtime: Runtime,
): Promise<Dialogue | undefined> {
  if (emulatorScript === undefined) return undefined;
  if (upstream !== undefined)
    throw usageError(
      "--emulator-script says what models answer, and --upstream has a model that does.",
      "Leave one of them out.",
    );
  const { readEmulatorScript } = await import("../command-line/read-emulator-script.ts");
  return readEmulatorScript(emulatorScript, runtime);
}

/** So many operations that are not there are told of. */
const MOST_TOLD = 100;

async function open(
  options: EmulatorCommandOptions,
  { terminal }: Runtime,
  speakers: Pick<EmulatorOptions, "dialogue" | "upstream">,
): Promise<Emulator> {
  const { port, region, fault = [], close = [], tpm = [], rpm = [] } = options;
  const host = withoutBrackets(options.host);
  if (!isLoopback(host)) {
    throw usageError(
      `--host ${host} is not an address of this machine alone; the emulator's credentials are public.`,
      `openclaw emulator --host ${DEFAULT_HOST}`,
    );
  }
  const script = faultScript(fault);
  const told = new Set<string>();
  const limits = { tokens: tpm.map(readLimit("--tpm")), requests: rpm.map(readLimit("--rpm")) };
  if (speakers.upstream && tpm.length + rpm.length > 0)
    throw usageError(
      "--tpm and --rpm are for answers that are made up, and --upstream has a model that answers.",
      "Leave one of them out.",
    );
  try {
    return await startEmulator({
      host,
      port,
      script,
      closedGates: close,
      limits,
      jobSeconds: options.jobSeconds,
      leastRecords: options.jobRecords,
      ...(region === undefined ? {} : { region }),
      ...speakers,
      remembersCalls: false,
      onAnswer: (call) => {
        terminal.verbose(() => describeCall(call));
        const unknown = unknownOperation(call);
        if (unknown === undefined || told.has(unknown) || told.size === MOST_TOLD) return;
        told.add(unknown);
        terminal.note(
          `openclaw: the emulator does not have ${neutralise(onOneLine(unknown)).slice(0, 200)}, and refused it`,
        );
      },
    });
  } catch (cause) {
    const failure = explainListenFailure(cause, host, port);
    if (!failure) throw cause;
    const isUsual = host === DEFAULT_HOST || !failure.isHostKnown;
    throw new OpenclawError("usage", {
      message: failure.message,
      hint: `openclaw emulator${isUsual ? "" : ` --host ${quoteForShell(host)}`} takes any free port.`,
      cause,
    });
  }
}

/** Reads `N` or `OF=N`. Throws `usage`. */
function readLimit(flag: string): (text: string) => MinuteLimit {
  return (text) => {
    const [, of, value] = /^(?:([^=\s]+)=)?(\d{1,15})$/.exec(text.trim()) ?? [];
    const isKnown = of === undefined || isRegionName(of) || of.includes(".");
    if (value === undefined || !isKnown)
      throw usageError(
        `${flag} '${text}' is no whole number, nor one behind a region or model.`,
        "For example: openclaw emulator --tpm 20000 --rpm us-west-2=0",
      );
    return { of, value: Number(value) };
  };
}

function describeCall(call: RecordedCall): string {
  const signer =
    call.bearerToken === undefined ? call.accessKeyId && maskKeyId(call.accessKeyId) : "bearer token";
  const who = [signer, call.region].filter((part) => part !== undefined).join(" ");
  return `HTTP/${call.httpVersion} ${call.method} ${call.path} (${call.route}${who === "" ? "" : `, ${who}`}): ${call.status}`;
}

function describe(
  emulator: Emulator,
  region: string,
  { upstream, upstreamModel }: EmulatorCommandOptions,
): object {
  const { url, port, accessKeyId, secretAccessKey, bearerToken, bucket, roleArn } = emulator;
  return {
    url,
    port,
    region,
    credentials: { accessKeyId, secretAccessKey, bearerToken },
    jobs: { bucket, roleArn },
    ...(upstream === undefined
      ? {}
      : { upstream: { url: maskUserInfo(upstream), model: upstreamModel ?? null } }),
  };
}

/** Lines to paste into a shell. The credentials are the emulator's own and open nothing else. */
function instructions(
  emulator: Emulator,
  region: string,
  { upstream, upstreamModel }: EmulatorCommandOptions,
): string {
  const model = upstreamModel === undefined ? "a model" : `the model ${neutralise(onOneLine(upstreamModel))}`;
  return [
    `# Simulated Amazon Bedrock at ${emulator.url} (Ctrl-C ends it).`,
    ...(upstream === undefined
      ? []
      : [
          `# Converse and ConverseStream are answered by ${model} at ${neutralise(onOneLine(maskUserInfo(upstream)))}; the rest is simulated.`,
        ]),
    "# Paste into another shell:",
    "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK",
    `export AWS_ACCESS_KEY_ID=${emulator.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${emulator.secretAccessKey}`,
    // boto3 and version 1 of the AWS CLI read the second name only.
    `export AWS_REGION=${quoteForShell(region)}`,
    `export AWS_DEFAULT_REGION=${quoteForShell(region)}`,
    `export AWS_ENDPOINT_URL=${emulator.url}`,
    "# or, in place of the two keys, a Bedrock API key:",
    `# export AWS_BEARER_TOKEN_BEDROCK=${emulator.bearerToken}`,
    "# or the role of a simulated EC2 instance:",
    "# unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED",
    `# export AWS_EC2_METADATA_SERVICE_ENDPOINT=${emulator.url}`,
    ...variablesOfClients(emulator),
    "# A bucket and a role for batch inference:",
    `# s3://${emulator.bucket} ${emulator.roleArn}`,
  ].join("\n");
}
