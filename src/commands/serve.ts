import { once } from "node:events";
import { loadConfig } from "../config/resolve.ts";
import { collectEarly } from "../collect-early.ts";
import { OpenclawError, usageError } from "../errors.ts";
import { isLoopback, withoutBrackets } from "../loopback.ts";
import { explainListenFailure } from "../network/listen-failure.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import type { Configuration } from "../config/settings.ts";
import type { ApiKeys } from "../serve/keys/api-keys.ts";
import type { Certificate } from "../serve/certificate.ts";
import type { ApiKey } from "../serve/keys/key-file.ts";
import type { KeyLimiter } from "../serve/keys/key-limiter.ts";
import type { ServeLog } from "../serve/serve-log.ts";
import type { RunningServer } from "../serve/server.ts";
import type { Pacing, Upstream } from "../serve/upstream.ts";
import type { MetricsServer } from "../serve/telemetry/metrics-server.ts";
import type { Telemetry } from "../serve/telemetry/telemetry.ts";
import { count } from "../terminal/numbers.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { anySignal } from "../until-aborted.ts";

export interface ServeOptions extends GlobalOptions {
  port: number;
  host: string;
  apiKeyFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  /** Origins. */
  cors?: string[];
  /** `NAME=MODEL`. */
  map?: string[];
  /** By commas. */
  regions?: string;
  pace?: boolean;
  /** Seconds. */
  paceWait: number;
  /** In a minute. */
  tpm?: number;
  rpm?: number;
  maxStreams: number;
  /** Megabytes. */
  maxBody: number;
  /** Megabytes. */
  maxInFlight: number;
  /** Seconds. */
  readTimeout: number;
  /** Seconds. */
  idleTimeout: number;
  /** Seconds. */
  heartbeat: number;
  /** Seconds. */
  drainTimeout: number;
  allowRemoteImages?: boolean;
  logContent?: boolean;
  metricsPort?: number;
  metricsHost: string;
  ignoreBudget?: boolean;
  /** Address of a Redis. */
  shared?: string;
  onStoreLoss: "allow" | "deny";
  strict?: boolean;
}

/**
 * Serves Bedrock over OpenAI's API until the program is interrupted, then lets running answers end. Throws `usage` for an
 * open address without a key or a port that cannot be had, config errors, the interruption when it ends, with exit code 1
 * after too many bugs.
 */
export async function run(given: ServeOptions, runtime: Runtime): Promise<void> {
  const options = { ...given, host: withoutBrackets(given.host) };
  collectEarly();
  const { keepKeys, readApiKeys } = await import("../serve/keys/api-keys.ts");
  const [config, keys] = await Promise.all([
    loadConfig(options, runtime),
    readApiKeys(options.apiKeyFile, runtime),
  ]);
  refuseOpenDoor(options, keys);
  const tls = await openTls(options, runtime);
  const origins = (options.cors ?? []).map(readOrigin);
  const [
    { startServer },
    { Upstream },
    { parseNameMap },
    { listeningTerminal, ServeLog },
    { watchBugs },
    { UnknownFields },
    { startTelemetry },
  ] = await Promise.all([
    import("../serve/server.ts"),
    import("../serve/upstream.ts"),
    import("../serve/model-names.ts"),
    import("../serve/serve-log.ts"),
    import("../serve/bug-watch.ts"),
    import("../serve/field-rules.ts"),
    import("../serve/telemetry/telemetry.ts"),
  ]);
  const log = new ServeLog(runtime);
  const end = new AbortController();
  // What runs in the server ends with the server, and not with the signal that asks it to end.
  const inner: Runtime = {
    ...runtime,
    signal: end.signal,
    terminal: listeningTerminal((line) => log.note(line), runtime.terminal.isVerbose),
  };
  const upstream = new Upstream(
    { ...options, pacing: readPacing(options), hasKeyBudgets: () => keys.all.some(hasBudget) },
    inner,
    config,
    parseNameMap(options.map ?? [], runtime),
  );
  const judge = (all: readonly ApiKey[]): void => refuseUncounted(all, config.value);
  judge(keys.all);
  const limiter = await openLimiter(options, keys, upstream, inner, log);
  const telemetry = await startTelemetry(inner, log);
  const anyPort = `openclaw serve --host ${quoteForShell(isLoopback(options.host) ? options.host : "127.0.0.1")} --port 0 takes any free port.`;
  const server = await listening(options, anyPort, () =>
    startServer({
      telemetry,
      tellsMetrics: options.metricsPort === undefined,
      host: options.host,
      port: options.port,
      certificate: tls?.certificate,
      runtime: inner,
      log,
      keys,
      upstream,
      limiter,
      unknownFields: new UnknownFields(options.strict === true, log),
      origins,
      isLocal: isLoopback(options.host),
      mostStreams: options.maxStreams,
      // One that is larger than all may be together would never find room.
      mostBytes: Math.floor(Math.min(options.maxBody, options.maxInFlight) * MEGABYTE),
      mostBytesInFlight: Math.floor(options.maxInFlight * MEGABYTE),
      readMs: options.readTimeout * 1000,
      idleMs: options.idleTimeout * 1000,
      heartbeatMs: options.heartbeat * 1000,
      allowsRemoteImages: options.allowRemoteImages === true,
      logsContent: options.logContent === true,
    }),
  );
  const metrics = await openMetrics(options, telemetry, server);
  const broken = new AbortController();
  watchBugs(inner, log, (reason) => broken.abort(reason));
  const ended = anySignal(runtime.signal, broken.signal);
  if (options.apiKeyFile !== undefined)
    await keepKeys(keys, options.apiKeyFile, inner, { judge, tell: (text) => log.note(text) });
  await tls?.keep(inner, server.replaceCertificate, (text) => log.note(text));
  upstream.warm();
  runtime.allowGrace(options.drainTimeout * 1000 + SPARE_MS);
  await announce(server, keys, metrics, tls !== undefined, runtime);
  if (!isLoopback(options.host) && !tls) {
    log.note(
      "Keys and answers travel unencrypted to and from this server: name a certificate with --tls-cert and --tls-key, or let what speaks TLS stand in front of it.",
    );
  }
  if (!ended.aborted) await once(ended, "abort");
  if (server.running() > 0) log.note("Ending: no new requests are taken, running answers are finished.");
  const cut = await server.drain(options.drainTimeout * 1000);
  if (cut > 0)
    log.note(`${count(cut, "answer was", "answers were")} cut off after ${options.drainTimeout} s.`);
  await Promise.all([telemetry.close(FLUSH_MS), metrics?.close()]);
  end.abort(ended.reason);
  await Promise.all([limiter.close(), upstream.close(), log.settled()]);
  throw ended.reason;
}

/** What counts what keys use: in memory, or in the Redis that several servers share. Throws `usage` for an address of none. */
async function openLimiter(
  { shared, onStoreLoss: onLoss }: ServeOptions,
  keys: ApiKeys,
  { ledger }: Upstream,
  runtime: Runtime,
  log: ServeLog,
): Promise<KeyLimiter> {
  const [limiting, { MemoryStore }, { readSpent: spentBefore }] = await Promise.all([
    import("../serve/keys/key-limiter.ts"),
    import("../serve/keys/memory-store.ts"),
    import("../serve/keys/spent-before.ts"),
  ]);
  const readSpent = async (): ReturnType<typeof spentBefore> => {
    await ledger.settle();
    return spentBefore(runtime);
  };
  const memory = new MemoryStore(runtime, readSpent);
  if (keys.all.some(hasBudget)) await memory.before();
  if (shared === undefined) return new limiting.KeyLimiter(memory, runtime.now);
  const { RedisStore } = await import("../serve/keys/redis-store.ts");
  const tell = (text: string): void => log.note(text);
  const isKept = (): boolean => ledger.isKept;
  const store = new RedisStore({ url: shared, onLoss, memory, readSpent, isKept, tell }, runtime);
  await store.open();
  return new limiting.KeyLimiter(store, store.now);
}

function hasBudget({ dailyBudgetUsd, monthlyBudgetUsd }: ApiKey): boolean {
  return dailyBudgetUsd !== undefined || monthlyBudgetUsd !== undefined;
}

/** What keys spend is known from the ledger. Throws `config-invalid` for a budget without it. */
function refuseUncounted(keys: readonly ApiKey[], { usage }: Configuration): void {
  const budgeted = usage?.ledger === false ? keys.find(hasBudget) : undefined;
  if (budgeted)
    throw new OpenclawError("config-invalid", {
      message: `The budget of the API key '${budgeted.name}' cannot be kept while usage.ledger is false: nobody knows what was spent.`,
      hint: "openclaw config set usage.ledger true",
    });
}

/** In bytes. */
const MEGABYTE = 1024 * 1024;
/** For closing connections after the last answer, in ms. */
const SPARE_MS = 3000;

/** For what was not sent yet of traces and metrics, in ms: a server without requests ends within a second. */
const FLUSH_MS = 800;

/** Opens the port for metrics, where they have one; without it the server is closed again. Throws `usage`. */
async function openMetrics(
  { metricsPort: port, metricsHost }: ServeOptions,
  { metrics }: Telemetry,
  server: RunningServer,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined;
  const host = withoutBrackets(metricsHost);
  const { startMetricsServer } = await import("../serve/telemetry/metrics-server.ts");
  return listening({ host, port }, "openclaw serve --metrics-port 0 takes any free one.", () =>
    startMetricsServer(metrics, server.state, { host, port }).catch(async (failure: unknown) => {
      await server.drain(0);
      throw failure;
    }),
  );
}

/** Quotas that are named are kept, whether or not `--pace` is said, too. */
function readPacing({ pace, paceWait, tpm: tokens, rpm: requests }: ServeOptions): Pacing | undefined {
  if (!pace && tokens === undefined && requests === undefined) return undefined;
  return { waitMs: paceWait * 1000, tokens, requests };
}

/** Everybody who reaches the address can spend the account's money: beyond this machine only with a key. */
function refuseOpenDoor({ host }: ServeOptions, keys: ApiKeys): void {
  if (isLoopback(host) || keys.areRequired) return;
  throw usageError(
    `--host ${host} can be reached from other machines, and no API key protects it.`,
    "Name a file of keys with --api-key-file, or set OPENCLAW_SERVE_API_KEY.",
  );
}

/** The certificate of `--tls-cert`, and what reads it again. Throws `usage`, for half a pair, too. */
async function openTls(
  { tlsCert, tlsKey }: ServeOptions,
  runtime: Runtime,
): Promise<
  | {
      certificate: Certificate;
      keep: (
        runtime: Runtime,
        replace: RunningServer["replaceCertificate"],
        tell: (text: string) => void,
      ) => Promise<void>;
    }
  | undefined
> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw usageError(
      `--tls-${tlsCert === undefined ? "key" : "cert"} is half of what TLS takes.`,
      "Name both: openclaw serve --tls-cert fullchain.pem --tls-key privkey.pem",
    );
  }
  const { keepCertificate, readCertificate } = await import("../serve/certificate.ts");
  const files = { tlsCert, tlsKey };
  return {
    certificate: await readCertificate(files, runtime),
    keep: (...options) => keepCertificate(files, ...options),
  };
}

/** An origin as browsers send it: without a slash, a port that is the usual one, or capitals. Throws `usage`. */
function readOrigin(text: string): string {
  if (text === "*" || text === "null") return text;
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+\/?$/i.test(text) || !URL.canParse(text))
    throw usageError(`--cors '${text}' is not an origin.`, "For example: --cors https://app.example.com");
  const { origin } = new URL(text);
  // Only the schemes of the web have one for the URL parser; those of apps are sent all the same.
  return origin === "null" ? text.replace(/\/$/, "").toLowerCase() : origin;
}

/** Starts what listens. Throws `usage` with the hint for a port or an address that cannot be had. */
async function listening<T>(
  { host, port }: { host: string; port: number },
  hint: string,
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (cause) {
    const failure = explainListenFailure(cause, host, port);
    throw failure ? new OpenclawError("usage", { message: failure.message, hint, cause }) : cause;
  }
}

async function announce(
  server: RunningServer,
  keys: ApiKeys,
  metrics: MetricsServer | undefined,
  isSecure: boolean,
  { terminal }: Runtime,
): Promise<void> {
  const { host, port } = server;
  const origin = originOf(server, isSecure);
  const url = `${origin}/v1`;
  const metricsUrl = `${metrics ? originOf(metrics) : origin}/metrics`;
  if (terminal.format === "json")
    return terminal.printJson({ url, host, port, requiresKey: keys.areRequired, metricsUrl });
  const key = keys.areRequired ? "KEY" : "none";
  const set = (name: string, value: string): string => `export ${name}=${quoteForShell(value)}`;
  await terminal.print(
    [
      `# Amazon Bedrock at ${origin} (Ctrl-C ends it).`,
      "# For clients of OpenAI's and of Anthropic's API:",
      set("OPENAI_BASE_URL", url),
      set("OPENAI_API_KEY", key),
      set("ANTHROPIC_BASE_URL", origin),
      set("ANTHROPIC_API_KEY", key),
      "# For AWS's own, which then ask nobody else:",
      `# ${set("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", origin)}`,
      `# ${set("AWS_BEARER_TOKEN_BEDROCK", key)}`,
    ].join("\n"),
  );
}

function originOf({ host, port }: { host: string; port: number }, isSecure = false): string {
  return `http${isSecure ? "s" : ""}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
