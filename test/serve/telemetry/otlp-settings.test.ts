import { describe, expect, it, test } from "vitest";
import { OpenclawError } from "../../../src/errors.ts";
import { readOtlpSettings, wantsOtlp } from "../../../src/serve/telemetry/otlp/otlp-settings.ts";

const BASE = "OTEL_EXPORTER_OTLP_ENDPOINT";

function urls(env: Record<string, string>): (string | undefined)[] {
  const { traces, metrics } = readOtlpSettings(env);
  return [traces?.url.href, metrics?.url.href];
}

describe("the variables of OpenTelemetry", () => {
  test.each([
    [{ [BASE]: "http://c:4318" }, ["http://c:4318/v1/traces", "http://c:4318/v1/metrics"]],
    [{ [BASE]: "https://c/otlp/" }, ["https://c/otlp/v1/traces", "https://c/otlp/v1/metrics"]],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/as-it-is" }, ["http://c/as-it-is", undefined]],
    [
      { [BASE]: "http://c", OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://d/m?k=1" },
      ["http://c/v1/traces", "http://d/m?k=1"],
    ],
    [{ [BASE]: "http://c", OTEL_METRICS_EXPORTER: "none" }, ["http://c/v1/traces", undefined]],
    [{ [BASE]: "http://c", OTEL_TRACES_EXPORTER: "console" }, [undefined, "http://c/v1/metrics"]],
  ] as [Record<string, string>, (string | undefined)[]][])("of %o lead to %o", (env, expected) => {
    expect(urls(env)).toEqual(expected);
    expect(wantsOtlp(env)).toBe(true);
  });

  it("ask for nothing without an endpoint, or where they turn all of it off", () => {
    expect(wantsOtlp({ OTEL_SERVICE_NAME: "x", OTEL_TRACES_EXPORTER: "otlp" })).toBe(false);
    expect(wantsOtlp({ [BASE]: "http://c", OTEL_SDK_DISABLED: "TRUE" })).toBe(false);
    expect(wantsOtlp({ [BASE]: "http://c", OTEL_SDK_DISABLED: "false" })).toBe(true);
  });

  it("give headers, protocol, compression and time, for one kind before those for all", () => {
    const { traces, metrics } = readOtlpSettings({
      [BASE]: "http://c",
      OTEL_EXPORTER_OTLP_HEADERS: "X-Key=a%20b%2Cc, other = 1,",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-key=t=1",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "250",
    });
    expect(traces).toMatchObject({
      headers: { "x-key": "t=1", other: "1" },
      format: "json",
      isGzipped: true,
      timeoutMs: 250,
    });
    expect(metrics).toMatchObject({
      headers: { "x-key": "a b,c", other: "1" },
      format: "protobuf",
      timeoutMs: 10_000,
    });
  });

  it("name the service, by the name for it before the attribute", () => {
    const env = {
      [BASE]: "http://c",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=a,deployment.environment.name=t%C3%A4st",
    };
    expect(readOtlpSettings(env).resource).toMatchObject({
      "service.name": "a",
      "deployment.environment.name": "täst",
    });
    expect(readOtlpSettings({ ...env, OTEL_SERVICE_NAME: "b" }).resource["service.name"]).toBe("b");
    expect(readOtlpSettings({}).resource["service.name"]).toBe("openclaw");
  });

  const low = "00000000000000000000000000000001";
  const high = "0000000000000000ffffffffffffffff";
  const parent = (isSampled: boolean): object => ({ traceId: low, spanId: low.slice(16), isSampled });
  test.each([
    [undefined, undefined, [true, true, false, true]],
    ["always_on", undefined, [true, true, true, true]],
    ["always_off", undefined, [false, false, false, false]],
    ["parentbased_always_off", undefined, [false, false, false, true]],
    ["traceidratio", "0.5", [false, true, false, false]],
    ["parentbased_traceidratio", "0.5", [false, true, false, true]],
    ["parentbased_traceidratio", "0", [false, false, false, true]],
    ["parentbased_traceidratio", undefined, [true, true, false, true]],
  ] as [string | undefined, string | undefined, boolean[]][])("sample by %s %s", (name, share, expected) => {
    const { samples } = readOtlpSettings({
      ...(name === undefined ? {} : { OTEL_TRACES_SAMPLER: name }),
      ...(share === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: share }),
    });
    const asked = [
      samples(low, undefined),
      samples(high, undefined),
      samples(low, parent(false) as never),
      samples(low, parent(true) as never),
    ];
    expect(asked).toEqual(expected);
  });

  test.each([
    [{ [BASE]: "collector:4318" }, BASE],
    [{ [BASE]: "http://" }, BASE],
    [{ [BASE]: "ftp://c" }, BASE],
    [{ [BASE]: "http://c", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "OTEL_EXPORTER_OTLP_PROTOCOL"],
    [{ [BASE]: "http://c", OTEL_EXPORTER_OTLP_COMPRESSION: "br" }, "OTEL_EXPORTER_OTLP_COMPRESSION"],
    [{ [BASE]: "http://c", OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, "OTEL_EXPORTER_OTLP_TIMEOUT"],
    [
      { [BASE]: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "authorization Bearer s3cret" },
      "OTEL_EXPORTER_OTLP_HEADERS",
    ],
    [{ [BASE]: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "x=%0as3cret" }, "OTEL_EXPORTER_OTLP_HEADERS"],
    [{ [BASE]: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "x=%zzs3cret" }, "OTEL_EXPORTER_OTLP_HEADERS"],
    [{ OTEL_RESOURCE_ATTRIBUTES: "a=%zz" }, "OTEL_RESOURCE_ATTRIBUTES"],
    [{ OTEL_TRACES_SAMPLER: "xray" }, "OTEL_TRACES_SAMPLER"],
    [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1.5" }, "OTEL_TRACES_SAMPLER_ARG"],
    [{ OTEL_METRIC_EXPORT_INTERVAL: "0" }, "OTEL_METRIC_EXPORT_INTERVAL"],
  ] as [Record<string, string>, string][])("are named where they cannot be used: %o", (env, name) => {
    let thrown: unknown;
    try {
      readOtlpSettings(env);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OpenclawError);
    expect(thrown).toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining(name) as string,
    });
    expect(`${String(thrown)}${(thrown as OpenclawError).hint ?? ""}`).not.toContain("s3cret");
  });
});
