import type { Instrument, Series } from "./instruments.ts";

/** The two forms in which scrapers read metrics, by what they accept; the first is for whoever does not say. */
const PLAIN = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Prometheus' words for units, which its names end with (https://prometheus.io/docs/practices/naming/). */
const UNITS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

/**
 * Metrics in Prometheus' text format, or in OpenMetrics' for an `Accept` that names it: its content type and text
 * (https://prometheus.io/docs/instrumenting/exposition_formats/,
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md).
 */
export function prometheusText(
  metrics: Iterable<readonly [Instrument, readonly Series[]]>,
  accept = "",
): { contentType: string; text: string } {
  const isOpen = accept.includes("application/openmetrics-text");
  const lines: string[] = [];
  for (const [instrument, series] of metrics) lines.push(...linesOf(instrument, series, isOpen));
  if (isOpen) lines.push("# EOF");
  return { contentType: isOpen ? OPEN_METRICS : PLAIN, text: `${lines.join("\n")}\n` };
}

function* linesOf(
  { name, help, unit, kind, buckets }: Instrument,
  series: readonly Series[],
  isOpen: boolean,
): Generator<string> {
  // OpenMetrics names the family of a counter without the ending that its samples have.
  const family = isOpen && kind === "counter" ? name.replace(/_total$/, "") : name;
  yield `# HELP ${family} ${escape(help, isOpen)}`;
  yield `# TYPE ${family} ${kind}`;
  const word = unit === undefined ? undefined : UNITS[unit];
  if (isOpen && word !== undefined && family.endsWith(`_${word}`)) yield `# UNIT ${family} ${word}`;
  for (const { labels, value, counts } of series) {
    if (!buckets || !counts) {
      yield `${name}${labelsOf(labels)} ${value}`;
      continue;
    }
    let count = 0;
    for (const [at, own] of counts.entries()) {
      count += own;
      yield `${name}_bucket${labelsOf({ ...labels, le: boundOf(buckets[at]) })} ${count}`;
    }
    yield `${name}_sum${labelsOf(labels)} ${value}`;
    yield `${name}_count${labelsOf(labels)} ${count}`;
  }
}

/** A bound as both formats take it: OpenMetrics wants a number with a point. */
function boundOf(bound: number | undefined): string {
  if (bound === undefined) return "+Inf";
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value, true)}"`);
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}

/** Quotes are escaped in labels, and in OpenMetrics in help texts, too. */
function escape(text: string, escapesQuotes: boolean): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return escapesQuotes ? escaped.replaceAll('"', '\\"') : escaped;
}
