import parse from "parse-prometheus-text-format";
import { describe, expect, it } from "vitest";
import { type Instrument, Instruments, MOST_SERIES } from "../../../src/serve/telemetry/instruments.ts";
import { prometheusText } from "../../../src/serve/telemetry/prometheus-text.ts";

const ASKED: Instrument = {
  name: "asked_total",
  help: 'How often "it" was\nasked.',
  kind: "counter",
  labels: ["status"],
  openLabels: ["model"],
};
const TOOK: Instrument = {
  name: "took_seconds",
  help: "How long it took.",
  unit: "s",
  kind: "histogram",
  buckets: [0.1, 1],
};

describe("metrics as text", () => {
  it("are what a parser of Prometheus' format reads, with whatever stands in a label", () => {
    const instruments = new Instruments();
    const hostile = 'a"b\\c\nd{e="f"} 1\nfake_total 9';
    instruments.record(ASKED, 1, { status: "200", model: hostile });
    instruments.record(ASKED, 2, { status: "200", model: hostile });
    for (const value of [0.1, 0.5, 7]) instruments.record(TOOK, value, {});
    const { contentType, text } = prometheusText(instruments.read());
    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(parse(text)).toMatchObject([
      {
        name: "asked_total",
        type: "COUNTER",
        metrics: [{ value: "3", labels: { status: "200", model: hostile } }],
      },
      {
        name: "took_seconds",
        type: "HISTOGRAM",
        metrics: [{ buckets: { "0.1": "1", "1.0": "2", "+Inf": "3" }, count: "3", sum: "7.6" }],
      },
    ]);
    expect(text.split("\n")).toContain('took_seconds_bucket{le="0.1"} 1');
  });

  it("are in OpenMetrics' form for whoever accepts it", () => {
    const instruments = new Instruments();
    instruments.record(ASKED, 1, { status: "200", model: "m" });
    instruments.record(TOOK, 2, {});
    const accept =
      "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    const { contentType, text } = prometheusText(instruments.read(), accept);
    expect(contentType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(text).toBe(
      [
        String.raw`# HELP asked How often \"it\" was\nasked.`,
        "# TYPE asked counter",
        'asked_total{status="200",model="m"} 1',
        "# HELP took_seconds How long it took.",
        "# TYPE took_seconds histogram",
        "# UNIT took_seconds seconds",
        'took_seconds_bucket{le="0.1"} 0',
        'took_seconds_bucket{le="1.0"} 0',
        'took_seconds_bucket{le="+Inf"} 1',
        "took_seconds_sum 2",
        "took_seconds_count 1",
        "# EOF",
        "",
      ].join("\n"),
    );
  });

  it("have no more series than a thousand and one for each set of the labels that are few", () => {
    const instruments = new Instruments();
    for (let at = 0; at < 5 * MOST_SERIES; at++)
      instruments.record(ASKED, 1, { status: String(200 + (at % 2)), model: `model-${at}` });
    const [[, series] = []] = [...instruments.read()];
    expect(series).toHaveLength(MOST_SERIES + 2);
    const others = series?.filter(({ labels }) => labels["model"] === "other") ?? [];
    expect(others.map(({ value }) => value)).toEqual([2 * MOST_SERIES, 2 * MOST_SERIES]);
    // What was there before goes on.
    instruments.record(ASKED, 1, { status: "200", model: "model-0" });
    expect(series?.find(({ labels }) => labels["model"] === "model-0")?.value).toBe(2);
  });
});
