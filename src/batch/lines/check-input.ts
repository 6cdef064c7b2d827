import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { notText } from "../../disk/decode-text.ts";
import type { RawLine } from "../../disk/line-cutter.ts";
import { asSentence, capitalize, OpenclawError, shorten, usageError, withFields } from "../../errors.ts";
import { parseIfJson } from "../../json-bounds.ts";
import { turnOver } from "../../next-turn.ts";
import { count } from "../../terminal/numbers.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { BatchLine, LineKind } from "./batch-line.ts";
import { LineIds } from "./line-ids.ts";
import type { BatchInput } from "./open-input.ts";
import { type OutputFormat, refusedInForm, USUAL_FORMAT } from "./output-forms.ts";
import { readLine } from "./read-line.ts";

/** Of the problems of a file so many are kept, and so many of those are shown to a person. */
export const MOST_PROBLEMS = 1000;
const MOST_SHOWN = 20;
/** Of fields that nobody knows, and of notices. */
const MOST_NAMED = 200;

export interface LineProblem {
  /** From 1. */
  line: number;
  message: string;
}

export interface BatchCheck {
  kind: LineKind;
  /** Those that ask something. */
  lines: number;
  /** Of the file. */
  bytes: number;
  /** Of all its bytes, as hex: it is the same file, wherever it lies. */
  sha256: string;
  /** The first of them; `problemCount` says how many there are. */
  problems: readonly LineProblem[];
  problemCount: number;
  /** How many lines have no id of their own: their number stands for it. */
  numbered: number;
  /** How many name no model. */
  unnamed: number;
  /** How many say nothing of how long their answer may be. */
  unbounded: number;
  /** The places of fields that nobody knows, each once. */
  unknown: readonly string[];
  /** What is left out of requests and why, each once. */
  notices: readonly string[];
}

export interface CheckOptions {
  /** Whether each line is a text, whatever it looks like. */
  isText?: boolean | undefined;
  /** In which answers are wanted; as the lines are, unless it says otherwise. */
  format?: OutputFormat | undefined;
  signal: AbortSignal;
  /** Judges a line that can be read; what it says is one more problem of it. What it throws ends the check. */
  judge?: ((line: BatchLine, raw: RawLine) => string | undefined | Promise<string | undefined>) | undefined;
}

/**
 * Reads a file of lines once to its end, in memory that does not grow with its lines but by 32 bytes for each one's id, and
 * says all that is wrong with it. Throws `usage` for what is no file of lines at all, with what would make one of it.
 */
export async function checkBatchInput(
  input: BatchInput,
  { isText = false, format, signal, judge }: CheckOptions,
): Promise<BatchCheck> {
  const hash = createHash("sha256");
  const ids = new LineIds();
  const problems: LineProblem[] = [];
  const unknown = new Set<string>();
  const notices = new Set<string>();
  const counts = { lines: 0, problemCount: 0, numbered: 0, unnamed: 0, unbounded: 0 };
  let kind: LineKind | undefined = isText ? "text" : undefined;
  let first: RawLine | undefined;
  const report = (line: number, message: string): void => {
    counts.problemCount += 1;
    if (problems.length < MOST_PROBLEMS) problems.push({ line, message: shorten(message, 1000) });
  };
  for await (const raw of input.lines(signal, (chunk) => hash.update(chunk))) {
    const over = turnOver();
    if (over) {
      await over;
      signal.throwIfAborted();
    }
    if (!first) {
      first = raw;
      refuseShape(raw, input, isText);
    }
    counts.lines += 1;
    const line: BatchLine | undefined = await readLine(raw, { kind, signal }).catch((error: unknown) => {
      if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
      report(raw.number, error.message);
      return undefined;
    });
    if (!line) continue;
    ({ kind } = line);
    counts.numbered += Number(!line.hasId);
    counts.unnamed += Number(line.model === undefined);
    counts.unbounded += Number(line.asked.ask.parameters.maxTokens === undefined);
    // The numbers of lines are all there are of texts.
    const before = isText ? undefined : ids.add(line.recordId, raw.number);
    if (before !== undefined)
      report(raw.number, `Its id '${shorten(line.recordId)}' is that of line ${before}, too.`);
    for (const place of line.asked.unknown) addTo(unknown, place.replace(/\[\d+\]/g, "[]"));
    for (const notice of line.asked.notices) addTo(notices, notice);
    const judged = refusedInForm(line, format ?? USUAL_FORMAT[line.kind]) ?? (await judge?.(line, raw));
    if (judged !== undefined) report(raw.number, judged);
  }
  if (counts.lines === 0) throw usageError(`${input.label} has no lines.`, "Give it one request a line.");
  return {
    kind: kind ?? "plain",
    ...counts,
    bytes: input.size,
    sha256: hash.digest("hex"),
    problems,
    unknown: [...unknown],
    notices: [...notices],
  };
}

function addTo(names: Set<string>, name: string): void {
  if (names.size < MOST_NAMED) names.add(name);
}

/** Refuses what is no file of lines, by how it begins. Throws `usage`. */
function refuseShape({ bytes, isTooLong }: RawLine, { label, file }: BatchInput, isText: boolean): void {
  if (!isUtf8(isTooLong ? bytes.subarray(0, -4) : bytes) || bytes.includes(0))
    throw notText(bytes, { label, file, code: "usage" });
  if (isText) return;
  const start = bytes.toString("utf8").trim();
  const from = file === undefined ? "" : ` < ${quoteForShell(file)} > lines.jsonl`;
  if (start.startsWith("["))
    throw usageError(`${label} is an array, and must have one request a line.`, `jq -c '.[]'${from}`);
  if (!start.startsWith("{"))
    throw usageError(
      `${label} has no JSON in its first line: it begins with ${JSON.stringify(shorten(start, 60))}.`,
      "For a file of texts, one prompt a line: --lines",
    );
  // One that goes on in the next line as people lay out JSON; a line that is cut off is a problem of its own.
  if (start === "{" || (/[,:[{]$/.test(start) && parseIfJson(start) === undefined))
    throw usageError(
      `${label} is JSON over several lines, and must have one request a line.`,
      `jq -c .${from}`,
    );
}

/** Tells a person what of the lines is not as they may think: each thing once. */
export function tellCheck(
  { kind, numbered, unknown, notices }: BatchCheck,
  { label }: BatchInput,
  terminal: Terminal,
): void {
  const tell = (text: string): void => terminal.note(`openclaw: ${text}`);
  // Nobody expects ids of texts.
  if (numbered > 0 && kind !== "text")
    tell(`${count(numbered, "line")} of ${label} without an id: the number of a line is its recordId.`);
  if (unknown.length > 0) {
    const names = unknown.map((name) => `'${shorten(name)}'`).join(", ");
    tell(`Fields that nobody knows are ignored in ${label}: ${names}.`);
  }
  for (const notice of notices) tell(asSentence(notice));
}

/** Some lines: how many they are, and the number of the first. */
export interface SomeLines {
  count: number;
  first: number;
}

/** Says which lines. */
export function linesInWords({ count: lines, first }: SomeLines): string {
  return `line ${first}${lines === 1 ? "" : ` and ${lines - 1} more`}`;
}

/**
 * The models that lines name and nobody has. Files that were made for another service name that one's models: what helps
 * there is one for all lines.
 */
export class UnknownModels {
  readonly #found = new Map<string, SomeLines & { error: OpenclawError }>();

  /** Takes down why a model that lines name cannot be asked. Throws what says anything else than that there is none. */
  add(name: string, error: unknown, { count: lines, first }: SomeLines): void {
    if (!(error instanceof OpenclawError) || error.code !== "model-not-found") throw error;
    const known = this.#found.get(name);
    if (known) known.count += lines;
    else this.#found.set(name, { error, count: lines, first });
  }

  /** Throws `model-not-found` where there are any, with all of them and their lines; several are written on stderr, too. */
  refuse(terminal: Terminal): void {
    const [only, ...others] = this.#found.values();
    if (!only) return;
    const help = "Ask another model for all of them: -m MODEL";
    const problems = [only, ...others]
      .slice(0, MOST_PROBLEMS)
      .map(({ first, error }) => ({ line: first, message: error.message }));
    if (others.length === 0) {
      const { hint = "" } = only.error;
      const near = hint.startsWith("Did you mean") ? `${asSentence(hint)} ` : "";
      throw withFields(only.error, {
        hint: `${capitalize(linesInWords(only))} ${only.count === 1 ? "names" : "name"} it. ${near}${help}`,
        details: { ...only.error.details, problems },
      });
    }
    for (const { error, ...lines } of [only, ...others].slice(0, MOST_SHOWN))
      terminal.note(`${linesInWords(lines)}: ${error.message}`);
    const names = [...this.#found.keys()].slice(0, 5).map((name) => `'${shorten(name)}'`);
    throw new OpenclawError("model-not-found", {
      message: `There are no models ${names.join(", ")}${others.length >= 5 ? ` and ${others.length - 4} more` : ""}, which lines name.`,
      hint: help,
      details: { problems },
    });
  }
}

/** Writes the first problems on stderr, each behind the number of its line, and how many more there are. */
export function tellProblems(
  { problems, problemCount }: Pick<BatchCheck, "problems" | "problemCount">,
  terminal: Terminal,
): void {
  const shown = problems.slice(0, MOST_SHOWN);
  for (const { line, message } of shown) terminal.note(`line ${line}: ${message}`);
  if (problemCount > shown.length)
    terminal.note(`… and ${count(problemCount - shown.length, "more problem")}`);
}

/**
 * Throws `usage` where lines have problems, with those in the details; the first of them are written on stderr, each behind
 * the number of its line.
 */
export function refuseProblems(
  { problems, problemCount, lines }: BatchCheck,
  { label }: BatchInput,
  terminal: Terminal,
): void {
  if (problemCount === 0) return;
  tellProblems({ problems, problemCount }, terminal);
  throw new OpenclawError("usage", {
    message: `There ${problemCount === 1 ? "is a problem" : `are ${problemCount} problems`} in the ${lines === 1 ? "only line" : `${lines} lines`} of ${label}, so nothing was sent.`,
    hint: "Correct them by the numbers of their lines, or leave those lines out.",
    details: { lines, problemCount, problems },
  });
}
