/** Lines shown around a change. */
const CONTEXT = 3;

interface DiffLine {
  mark: " " | "-" | "+";
  text: string;
}

/**
 * The changes between two texts in unified format, without the two header lines; empty when they are the same.
 * `show` gives the text to print for a line of the old or new text, by its index: what is printed need not be what is compared.
 */
export function diffTexts(
  before: string,
  after: string,
  show: { before: string; after: string } = { before, after },
): string[] {
  const old = splitLines(before);
  const fresh = splitLines(after);
  const shown = { old: splitLines(show.before), fresh: splitLines(show.after) };
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let tail = 0;
  while (tail < Math.min(old.length, fresh.length) - start && old.at(-1 - tail) === fresh.at(-1 - tail))
    tail += 1;
  if (start === old.length && start === fresh.length) return [];
  const lines: DiffLine[] = [
    ...shown.old.slice(0, start).map((text): DiffLine => ({ mark: " ", text })),
    ...diffMiddle(
      { compared: old.slice(start, old.length - tail), shown: shown.old.slice(start, old.length - tail) },
      {
        compared: fresh.slice(start, fresh.length - tail),
        shown: shown.fresh.slice(start, fresh.length - tail),
      },
    ),
    ...shown.old.slice(old.length - tail).map((text): DiffLine => ({ mark: " ", text })),
  ];
  return drawHunks(lines);
}

interface Side {
  compared: readonly string[];
  shown: readonly string[];
}

/** Longest common subsequence, by the table: configuration files are small. */
function diffMiddle(old: Side, fresh: Side): DiffLine[] {
  const width = fresh.compared.length + 1;
  const common = new Uint32Array((old.compared.length + 1) * width);
  for (let i = old.compared.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.compared.length - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        old.compared[i] === fresh.compared[j]
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.compared.length || j < fresh.compared.length) {
    const isSame =
      i < old.compared.length && j < fresh.compared.length && old.compared[i] === fresh.compared[j];
    const isRemoved =
      i < old.compared.length &&
      (j >= fresh.compared.length || (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0));
    if (isSame) lines.push({ mark: " ", text: fresh.shown[j] ?? "" });
    else if (isRemoved) lines.push({ mark: "-", text: old.shown[i] ?? "" });
    else lines.push({ mark: "+", text: fresh.shown[j] ?? "" });
    if (isSame || isRemoved) i += 1;
    if (isSame || !isRemoved) j += 1;
  }
  return lines;
}

function drawHunks(lines: readonly DiffLine[]): string[] {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ mark }) => mark !== " "),
  );
  const drawn: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  for (const [index, { mark, text }] of lines.entries()) {
    if (isNear[index]) {
      if (!isNear[index - 1]) {
        const end = isNear.indexOf(false, index);
        const hunk = lines.slice(index, end === -1 ? undefined : end);
        const count = (without: DiffLine["mark"]): number =>
          hunk.filter((line) => line.mark !== without).length;
        drawn.push(`@@ -${range(oldLine, count("+"))} +${range(newLine, count("-"))} @@`);
      }
      drawn.push(mark + text);
    }
    if (mark !== "+") oldLine += 1;
    if (mark !== "-") newLine += 1;
  }
  return drawn;
}

function range(line: number, count: number): string {
  return `${count === 0 ? line - 1 : line},${count}`;
}

/** A text that ends with a line end has no empty line after it. */
function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r]/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
