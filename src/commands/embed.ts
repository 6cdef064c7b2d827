import { type Embedded, type Embedder, openEmbedder } from "../chat/embed-texts.ts";
import type { PaceTerms, PaceWait } from "../chat/pace.ts";
import type { QuotaSource } from "../chat/read-quotas.ts";
import { loadConfig } from "../config/resolve.ts";
import { decodeText, hasUtf16Mark, isText, notText } from "../disk/decode-text.ts";
import { LineCutter } from "../disk/line-cutter.ts";
import { ReadFailure } from "../disk/read-file.ts";
import { readInput } from "../disk/read-input.ts";
import { OpenclawError, usageError } from "../errors.ts";
import { Ledger } from "../ledger/ledger.ts";
import { EMULATED_EMBEDDING_MODEL } from "../models/default-models.ts";
import type { InputType } from "../models/embedding-forms.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { type AwsSession, openSession, readSetup, type Setup } from "../session/session.ts";
import { anySignal, untilAborted } from "../until-aborted.ts";

export interface EmbedOptions extends GlobalOptions {
  text?: string[];
  model?: string;
  lines?: boolean;
  dimensions?: number;
  inputType?: InputType | "search_document" | "search_query";
  /** Seconds. */
  timeout?: number;
  /** In USD. */
  maxCost?: number;
  ignoreBudget?: boolean;
  /** Requests and tokens a minute. */
  rpm?: number;
  tpm?: number;
}

/**
 * Turns texts into vectors: one for each argument, for stdin as a whole, or for each of its lines, in their order. Throws
 * `usage` where there is no text, `no-default-model`, and what `openEmbedder` and its calls throw.
 */
export async function run(options: EmbedOptions, runtime: Runtime): Promise<void> {
  const { text: args = [], lines = false } = options;
  const readsStdin = args.length === 0 || (args.length === 1 && args[0] === "-");
  if (lines && !readsStdin)
    throw usageError("--lines reads stdin, and a text is an argument.", "Leave one of them out.");
  if (args.length === 0 && runtime.stdin.isTTY === true)
    throw usageError(
      "There is no text: no argument was given and stdin is a terminal.",
      'openclaw embed "a text"',
    );
  if (lines) runtime.terminal.setMode({ notesOnce: true });
  const config = await loadConfig(options, runtime);
  const name =
    options.model ??
    config.value.agents?.defaults?.embeddingModel ??
    (runtime.isEmulated ? EMULATED_EMBEDDING_MODEL : undefined);
  if (name === undefined)
    throw new OpenclawError("no-default-model", {
      message: "No model is named, and the configuration has none for embeddings.",
      hint: "Name one of `openclaw models list --embeddings` with --model, or keep it: openclaw config set agents.defaults.embeddingModel MODEL",
    });
  const ledger = new Ledger(runtime, config.value, { command: "embed", ignoresBudget: options.ignoreBudget });
  const inputType = options.inputType?.replace(/^search_/, "") as InputType | undefined;
  const { dimensions, maxCost } = options;
  const { signal, end } = deadlineOf(options, runtime);
  try {
    const setup = await readSetup(options, { ...runtime, signal }, config);
    const pacing = await pacingOf(options, setup);
    const asked = { dimensions, inputType, maxCost, ledger, signal, pacing: pacing?.terms };
    const embedder = await openEmbedder(name, setup, asked);
    try {
      const texts = readsStdin ? readTexts(lines, runtime, signal) : given(args);
      await printVectors(embedder, texts, lines, runtime);
    } finally {
      embedder.close();
      pacing?.close();
      await ledger.settle();
    }
  } finally {
    end();
  }
}

/** Before so many calls nobody asks what the quotas are: they are done before it is told. */
const FEW_CALLS = 32;

/**
 * How the calls for many texts are kept below the quotas: below those of the flags, else those of Service Quotas, which are
 * asked for while the first calls are made, or what throttling teaches.
 */
async function pacingOf(
  { lines, rpm: requests, tpm: tokens }: EmbedOptions,
  setup: Setup,
): Promise<{ terms: PaceTerms; close: () => void } | undefined> {
  const isNamed = requests !== undefined || tokens !== undefined;
  if (!lines && !isNamed) return undefined;
  const [{ Pace, paceClock }, { quotaReader }] = await Promise.all([
    import("../chat/pace.ts"),
    import("../chat/read-quotas.ts"),
  ]);
  const { terminal, elapsed } = setup.runtime;
  let newest: AwsSession | undefined;
  const open = async (): Promise<QuotaSource> => {
    const session = await openSession(setup, { kind: "discovery" });
    // The one before has told its quotas; a reading that still waits for it ends without.
    newest?.close();
    newest = session;
    return { session, discovered: undefined };
  };
  const note = (text: string): void => terminal.verbose(() => text);
  const read = quotaReader({ requests, tokens }, open, setup.runtime, { note, patienceMs: 0 });
  let calls = 0;
  const limitsOf: typeof read = async (model) => {
    calls += 1;
    return isNamed || calls > FEW_CALLS ? read(model) : {};
  };
  const pace = new Pace(paceClock(elapsed), limitsOf);
  let isTold = false;
  const onWaiting = ({ refusal }: PaceWait): void => {
    if (refusal && !isTold) terminal.note(`openclaw: ${refusal.message} Going on more slowly.`);
    isTold ||= refusal !== undefined;
  };
  return {
    terms: { pace, mostMs: Number.POSITIVE_INFINITY, isNamed, onWaiting },
    close: () => newest?.close(),
  };
}

/** Ends everything when --timeout is over. */
function deadlineOf(
  { timeout }: EmbedOptions,
  { signal }: Runtime,
): { signal: AbortSignal; end: () => void } {
  if (timeout === undefined) return { signal, end: () => undefined };
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    const message = `Not every text was embedded within ${timeout} s (--timeout).`;
    deadline.abort(new OpenclawError("timeout", { message, hint: "Allow more time with --timeout." }));
  }, timeout * 1000);
  return { signal: anySignal(signal, deadline.signal), end: () => clearTimeout(timer) };
}

async function* given(texts: string[]): AsyncGenerator<string[]> {
  for (const text of texts) if (text.trim() === "") throw emptyText();
  yield texts;
}

function emptyText(): OpenclawError {
  return usageError("There is no text: it is empty.", 'openclaw embed "a text"');
}

/** Stdin as one text without its last line end, or its lines as they come. */
async function* readTexts(lines: boolean, runtime: Runtime, signal: AbortSignal): AsyncGenerator<string[]> {
  if (lines) return yield* readLines(runtime, signal);
  const { bytes } = await readInput("-", { ...runtime, stdin: runtime.stdin, signal }).catch(
    (cause: unknown) => {
      if (cause instanceof ReadFailure)
        throw usageError(`stdin cannot be read: ${cause.message}.`, "openclaw embed < FILE");
      throw cause;
    },
  );
  const text = decodeText(bytes, { label: "What is piped in", file: undefined, code: "bad-attachment" });
  if (text.trim() === "") throw emptyText();
  yield [text.replace(/\r?\n$/, "")];
}

/** A line longer than this is no text for any model, in bytes. */
const LONGEST_LINE = 8_000_000;

/**
 * The lines of stdin as they come, those together that came together. Throws `usage` for one that is too long, and
 * `bad-attachment` for the first one that is no text, when those before it are out.
 */
async function* readLines(runtime: Runtime, signal: AbortSignal): AsyncGenerator<string[]> {
  const { stdin, untilForeground } = runtime;
  if (stdin.isTTY) await untilForeground();
  const chunks = (stdin as AsyncIterable<string | Uint8Array>)[Symbol.asyncIterator]();
  const cutter = new LineCutter(LONGEST_LINE);
  for (let read = 0; ;) {
    const { value: chunk, done } = await untilAborted(chunks.next(), signal);
    const isEnd = done === true;
    const last = isEnd ? cutter.rest() : undefined;
    const lines = isEnd ? (last ? [last] : []) : [...cutter.cut(Buffer.from(chunk as Uint8Array))];
    const unfit = lines.findIndex(
      ({ bytes, isTooLong }) => isTooLong || hasUtf16Mark(bytes) || !isText(bytes),
    );
    const texts = (unfit < 0 ? lines : lines.slice(0, unfit)).map(({ bytes }) => bytes.toString("utf8"));
    if (texts.length > 0) yield texts;
    read += texts.length;
    const line = lines[unfit];
    if (line?.isTooLong ?? cutter.isTooLong)
      throw usageError(
        `Line ${read + 1} of stdin has more than ${LONGEST_LINE / 1_000_000} MB.`,
        "Embed a file as a whole without --lines.",
      );
    if (line) {
      const label = `Line ${read + 1} of what is piped in`;
      throw notText(line.bytes, { label, file: undefined, code: "bad-attachment" });
    }
    if (isEnd) return;
  }
}

/** A line of JSON for each text as it comes; with --json one document when all are there, and on a terminal its beginning. */
async function printVectors(
  embedder: Embedder,
  texts: AsyncIterable<string[]>,
  lines: boolean,
  { terminal }: Runtime,
): Promise<void> {
  const all: (number[] | null)[] = [];
  let empty = 0;
  for await (const embedded of embedder.embed(texts)) {
    if (embedded === null) empty += 1;
    if (terminal.format === "json") all.push(embedded?.vector ?? null);
    else
      await terminal.print(
        terminal.isStdoutTTY && !lines ? summaryOf(embedded) : JSON.stringify(embedded?.vector ?? null),
      );
  }
  if (terminal.format === "json") {
    const { id, dimensions = 0, inputTokens, usd, unpriced } = embedder;
    await terminal.printJson({
      model: id,
      dimensions,
      embeddings: all,
      usage: { inputTokens, totalTokens: inputTokens },
      cost: unpriced > 0 ? null : { usd },
    });
  }
  if (empty > 0)
    await terminal.warn(
      `${empty === 1 ? "A line has" : `${empty} lines have`} no text, and null in place of a vector.`,
      "Leave empty lines out: grep .",
    );
}

/** So many numbers tell a person that it is a vector. */
const SHOWN = 4;

function summaryOf(embedded: Embedded | null): string {
  if (!embedded) return "null";
  const { vector } = embedded;
  const begin = vector.slice(0, SHOWN).map((number) => number.toFixed(4));
  return `[${begin.join(", ")}${vector.length > SHOWN ? ", …" : ""}]  ${vector.length.toLocaleString("en-US")} dimensions`;
}
