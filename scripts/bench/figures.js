// What many runs come to, and what became slower.

/**
 * The ratio of two medians, and between which ratios the middle half of the runs that took turns lies.
 * @typedef {{ ratio: number, low: number, high: number }} Figure
 */

/**
 * The value below which so much of the values lies: 0.5 is the median.
 * @param {readonly number[]} values
 * @param {number} share
 */
export function quantile(values, share) {
  const sorted = values.toSorted((left, right) => left - right);
  const place = (sorted.length - 1) * share;
  const [below = Number.NaN, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place % 1);
}

/**
 * The figure of runs that took turns with those of their reference.
 * @param {readonly number[]} own
 * @param {readonly number[]} other
 * @returns {Figure}
 */
export function toFigure(own, other) {
  const ratios = own.map((value, index) => value / (other[index] ?? Number.NaN));
  const inDigits = (/** @type {number} */ value) => Number(value.toFixed(3));
  return {
    ratio: inDigits(quantile(own, 0.5) / quantile(other, 0.5)),
    low: inDigits(quantile(ratios, 0.25)),
    high: inDigits(quantile(ratios, 0.75)),
  };
}

/**
 * Compares figures with earlier ones of the same names. `slower` are those whose middle half of runs lies above that of
 * before: what differs by less is spread. `compared` is how many names both have.
 * @param {Readonly<Record<string, Figure>>} now
 * @param {Readonly<Record<string, Figure>>} before
 */
export function compareFigures(now, before) {
  const both = Object.entries(now).flatMap(([name, figure]) => {
    const earlier = before[name];
    return earlier ? [{ name, figure, earlier }] : [];
  });
  const slower = both.filter(({ figure, earlier }) => figure.low > earlier.high);
  return { slower, compared: both.length };
}
