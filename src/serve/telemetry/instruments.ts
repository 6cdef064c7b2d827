/** What is measured: a number that grows, one that goes up and down, or how values are spread over buckets. */
export interface Instrument {
  name: string;
  /** Said of it wherever it is read. */
  help: string;
  /** The unit of its values, `s` for seconds and `By` for bytes as UCUM has them; undefined where they count something. */
  unit?: string;
  kind: "counter" | "gauge" | "histogram";
  /** The upper bounds of a histogram's buckets, ascending. */
  buckets?: readonly number[];
  /** Names of labels whose values are of this program's making: few, and known beforehand. */
  labels?: readonly string[];
  /** Names of labels of which there may be any number of values. */
  openLabels?: readonly string[];
}

/** What makes an instrument of a kind. */
const instrument =
  (kind: Instrument["kind"]) =>
  (name: string, help: string, more: Omit<Instrument, "name" | "help" | "kind"> = {}): Instrument => ({
    name,
    help,
    kind,
    ...more,
  });
export const counter = instrument("counter");
export const gauge = instrument("gauge");
export const histogram = instrument("histogram");

/** The values of an instrument under one set of labels. */
export interface Series {
  labels: Readonly<Record<string, string>>;
  /** Of a counter or gauge; of a histogram the sum of all values. */
  value: number;
  /** Of a histogram: how many values lie in each bucket, the last being what is above every bound. */
  counts?: readonly number[];
}

/** What stands in an open label once there are too many of its values. */
export const OTHER = "other";
/** Of one instrument. Whoever sends requests can make as many names as they like. */
export const MOST_SERIES = 1000;
/** Of a histogram, which has some twenty lines for each. */
const MOST_HISTOGRAMS = 200;

/** Keeps the values of instruments. A set of labels beyond the first thousand of an instrument, or 200 of a histogram, is counted as `other`. */
export class Instruments {
  readonly #series = new Map<Instrument, Map<string, { -readonly [Key in keyof Series]: Series[Key] }>>();

  /** Adds to a counter, sets a gauge, or sorts a value into a histogram. A label that is not given is an empty text. */
  record(instrument: Instrument, value: number, labels: Readonly<Record<string, string | undefined>>): void {
    const series = this.#find(instrument, labels);
    if (instrument.kind === "gauge") series.value = value;
    else series.value += value;
    const { buckets } = instrument;
    if (!buckets) return;
    const bucket = buckets.findIndex((bound) => value <= bound);
    const counts = series.counts as number[];
    const at = bucket < 0 ? buckets.length : bucket;
    counts[at] = (counts[at] ?? 0) + 1;
  }

  /** Counts anew how many there are at the moment under each set of labels: none of those that were counted before and are gone. */
  tally(instrument: Instrument, each: readonly Readonly<Record<string, string | undefined>>[]): void {
    for (const series of this.#series.get(instrument)?.values() ?? []) series.value = 0;
    // What is not there at all has no sum.
    this.#find(instrument, {});
    for (const labels of each) this.#find(instrument, labels).value += 1;
  }

  /** Every instrument that has values, with these. */
  *read(): Generator<[Instrument, readonly Series[]]> {
    for (const [instrument, series] of this.#series) yield [instrument, [...series.values()]];
  }

  #find(
    instrument: Instrument,
    given: Readonly<Record<string, string | undefined>>,
  ): { -readonly [Key in keyof Series]: Series[Key] } {
    const { labels = [], openLabels = [], buckets } = instrument;
    let all = this.#series.get(instrument);
    if (!all) this.#series.set(instrument, (all = new Map()));
    const own = labels.map((name) => given[name] ?? "");
    let open = openLabels.map((name) => given[name] ?? "");
    let key = JSON.stringify([own, open]);
    if (!all.has(key) && all.size >= (buckets ? MOST_HISTOGRAMS : MOST_SERIES) && open.length > 0) {
      open = open.map(() => OTHER);
      key = JSON.stringify([own, open]);
    }
    let series = all.get(key);
    if (!series) {
      const names = [...labels, ...openLabels];
      const values = [...own, ...open];
      series = { labels: Object.fromEntries(names.map((name, at) => [name, values[at] ?? ""])), value: 0 };
      if (buckets) series.counts = Array.from({ length: buckets.length + 1 }, () => 0);
      all.set(key, series);
    }
    return series;
  }
}
