import { hostname } from "node:os";
import { OpenclawError } from "../../../errors.ts";
import { percentDecoded } from "../../../network/user-info.ts";
import type { Environment } from "../../../runtime.ts";
import { VERSION } from "../../../version.ts";
import type { TraceContext } from "../trace-context.ts";

export interface OtlpTarget {
  url: URL;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  format: "json" | "protobuf";
  isGzipped: boolean;
  /** For one attempt, in ms. */
  timeoutMs: number;
}

export interface OtlpSettings {
  traces: OtlpTarget | undefined;
  metrics: OtlpTarget | undefined;
  /** What is told of this process. */
  resource: Readonly<Record<string, string>>;
  /** Whether a trace is kept. `parent` is that of who asks, where it has one. */
  samples: (traceId: string, parent: TraceContext | undefined) => boolean;
  /** Between two exports of metrics, in ms. */
  intervalMs: number;
}

const SIGNALS = ["TRACES", "METRICS"] as const;
type Signal = (typeof SIGNALS)[number];

/** Whether telemetry is asked for; without it nothing of this folder is loaded. */
export function wantsOtlp(env: Environment): boolean {
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return false;
  return [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    ...SIGNALS.map((signal) => `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`),
  ].some((name) => env[name] !== undefined);
}

/**
 * Reads the variables of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/,
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/). Throws `config-invalid` for one that cannot be used.
 */
export function readOtlpSettings(env: Environment): OtlpSettings {
  return {
    traces: readTarget("TRACES", env),
    metrics: readTarget("METRICS", env),
    resource: readResource(env),
    samples: readSampler(env),
    intervalMs: readNumber("OTEL_METRIC_EXPORT_INTERVAL", env, 60_000, 1),
  };
}

/** The variable of one kind of telemetry, else that for all. */
function ofSignal(signal: Signal, name: string, env: Environment): [name: string, value: string] | undefined {
  const names = [`OTEL_EXPORTER_OTLP_${signal}_${name}`, `OTEL_EXPORTER_OTLP_${name}`];
  const found = names.find((name) => env[name] !== undefined);
  return found === undefined ? undefined : [found, env[found] ?? ""];
}

function readTarget(signal: Signal, env: Environment): OtlpTarget | undefined {
  const [endpointName, endpoint] = ofSignal(signal, "ENDPOINT", env) ?? [];
  const exporter = env[`OTEL_${signal}_EXPORTER`] ?? "otlp";
  if (endpointName === undefined || endpoint === undefined || !exporter.split(",").includes("otlp"))
    return undefined;
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint))
    throw unusable(endpointName, endpoint, "http://127.0.0.1:4318");
  const url = new URL(endpoint);
  // That for all kinds is where their paths begin, that for one is used as it is.
  if (endpointName === "OTEL_EXPORTER_OTLP_ENDPOINT")
    url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal.toLowerCase()}`;
  const [protocolName, protocol] = ofSignal(signal, "PROTOCOL", env) ?? ["", "http/protobuf"];
  const [, format] = /^http\/(protobuf|json)$/.exec(protocol) ?? [];
  if (format !== "json" && format !== "protobuf") throw unusable(protocolName, protocol, "http/protobuf");
  const [compressionName, compression] = ofSignal(signal, "COMPRESSION", env) ?? ["", "none"];
  if (compression !== "gzip" && compression !== "none") throw unusable(compressionName, compression, "gzip");
  const [timeoutName] = ofSignal(signal, "TIMEOUT", env) ?? [];
  return {
    url,
    format,
    isGzipped: compression === "gzip",
    headers: {
      ...readPairs("OTEL_EXPORTER_OTLP_HEADERS", env, true),
      ...readPairs(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`, env, true),
    },
    timeoutMs: timeoutName === undefined ? 10_000 : readNumber(timeoutName, env, 10_000, 1),
  };
}

/** Reads `name=value,name=value`, percent-decoded. What is wrong in a secret one is not repeated. */
function readPairs(name: string, env: Environment, isSecret: boolean): Record<string, string> {
  const pairs: Record<string, string> = {};
  const isName = isSecret ? /^[!#$%&'*+.^_`|~\w-]+$/ : /^[\x21-\x7e]+$/;
  for (const entry of (env[name] ?? "").split(",")) {
    if (entry.trim() === "") continue;
    const [, key = "", text = ""] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
    const value = percentDecoded(text.trim());
    const isGood =
      isName.test(key.trim()) && value !== undefined && !(isSecret && /[^\t\x20-\x7e]/.test(value));
    if (!isGood) throw unusable(name, isSecret ? "…" : entry, "name=value,other=value");
    pairs[isSecret ? key.trim().toLowerCase() : key.trim()] = value;
  }
  return pairs;
}

/** https://opentelemetry.io/docs/specs/semconv/resource/ */
function readResource(env: Environment): Record<string, string> {
  return {
    "service.name": "openclaw",
    "service.version": VERSION,
    "service.instance.id": crypto.randomUUID(),
    "host.name": hostname(),
    "telemetry.sdk.name": "openclaw",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.version": VERSION,
    ...readPairs("OTEL_RESOURCE_ATTRIBUTES", env, false),
    ...(env["OTEL_SERVICE_NAME"] === undefined ? {} : { "service.name": env["OTEL_SERVICE_NAME"] }),
  };
}

/** https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers */
function readSampler(env: Environment): OtlpSettings["samples"] {
  const name = env["OTEL_TRACES_SAMPLER"] ?? "parentbased_always_on";
  const [, parentBased, root] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name) ?? [];
  if (root === undefined) throw unusable("OTEL_TRACES_SAMPLER", name, "parentbased_traceidratio");
  const ratio =
    root === "traceidratio"
      ? readNumber("OTEL_TRACES_SAMPLER_ARG", env, 1, 0, 1)
      : Number(root === "always_on");
  return (traceId, parent) =>
    parentBased !== undefined && parent ? parent.isSampled : isWithin(traceId, ratio);
}

/**
 * Whether a trace is among a share of all: every program that sees it decides the same by what is random in it, of which a
 * number holds 52 bits.
 */
function isWithin(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) >= (1 - ratio) * 2 ** 52;
}

function readNumber(
  name: string,
  env: Environment,
  usual: number,
  least: number,
  most = 2 ** 31 - 1,
): number {
  const text = env[name]?.trim();
  if (text === undefined) return usual;
  const value = Number(text);
  if (text !== "" && value >= least && value <= most) return value;
  throw unusable(name, text, String(usual));
}

function unusable(name: string, value: string, example: string): OpenclawError {
  return new OpenclawError("config-invalid", {
    message: `${name} is '${value}', which cannot be used.`,
    hint: `For example: export ${name}=${example}`,
  });
}
