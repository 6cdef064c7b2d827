import { OpenclawError, withFields, withRequestId } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { AnswerRenderer } from "../terminal/markdown-renderer.ts";
import type { TextRenderer } from "../terminal/word-wrap.ts";
import { type ChatEvent, usageOf } from "../converse/chat-event.ts";
import { type CitedSource, SourceList } from "../converse/cited-source.ts";
import { joinTexts } from "../converse/conversation.ts";
import { KeptLength } from "../converse/kept-length.ts";
import { allowMore } from "../converse/length-bound.ts";
import { isCutShort, judgeStop } from "../converse/outcome.ts";
import type { Ask } from "../converse/plan-request.ts";
import {
  addUsage,
  type CallCost,
  describeUsage,
  priceCall,
  type Price,
  type TokenUsage,
  WEB_SEARCH,
} from "../models/usage.ts";
import { type AnsweredCall, contentAsJson, type TurnEvent } from "./tools/tool.ts";

export interface WriterOptions {
  /** The price of a model id, once it is known which one answers. */
  priceOf: (modelId: string) => Price | undefined;
  showsReasoning: boolean;
  /** False with `--no-stream`: the text is written when it is whole. */
  isStreamed: boolean;
  /** Whether the first code block of the answer is all that is written of it. */
  extractsCode?: boolean | undefined;
  /** Whether an answer that fails goes to another place than one that does not: then all that came of it is written. */
  isKeptApart?: boolean | undefined;
  showsUsage: boolean;
  /** Whether the model has tools: then each of its answers is told of as a step. */
  hasTools?: boolean | undefined;
  /** Whether the answer is held to a schema: what is said before a call is then none of it. */
  isStructured?: boolean | undefined;
  /** Whether the model may search the web, which costs extra. */
  searchesWeb?: Ask["searchesWeb"];
  showsSources?: boolean | undefined;
  /** Whether their numbers are in it, for readers: a program is given the answer as the model wrote it. */
  marksSources?: boolean | undefined;
  /** How the text is shown on a terminal; without one it is written as it came, with nothing in it that acts. */
  renderer?: AnswerRenderer | undefined;
  reasoningRenderer?: TextRenderer | undefined;
  /** The session that the turn is kept in, once it is kept. */
  sessionId?: (() => string | undefined) | undefined;
}

/** A source, and where in the text what is from it ends, in UTF-16 units. */
type Citation = CitedSource & { textEnd: number };

type Event<Type extends TurnEvent["type"]> = Extract<TurnEvent, { type: Type }>;

/** One answer of the model: all there is, or one of several where it calls tools. */
interface Round {
  start?: Event<"start">;
  stop?: Event<"stop">;
  usage?: Event<"usage">;
  /** Kept only where the output needs the whole text: `--json` and `--no-stream`. */
  text: string[];
  /** UTF-16 units of it. */
  textLength: number;
  reasoning: string[];
  /** For `--json`, each with the length of the text of the round before it. */
  citations: Citation[];
  hasCalls: boolean;
  calls: (Event<"tool-call"> & { result?: AnsweredCall })[];
}

const newRound = (): Round => ({
  text: [],
  textLength: 0,
  reasoning: [],
  citations: [],
  hasCalls: false,
  calls: [],
});

/** The end of an answer without what is for people. */
function inEvents({ bound: _bound, ...stop }: Event<"stop">): Event<"stop"> {
  return stop;
}

const NO_USAGE: TokenUsage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

/** Writes one turn to the terminal while it arrives: as text, as one JSON document, or as a JSON line per event. */
export class AnswerWriter {
  readonly #runtime: Runtime;
  readonly #options: WriterOptions;
  readonly #startedAt: number;
  #firstTokenMs: number | undefined;
  /** The one that comes. */
  #round = newRound();
  readonly #rounds: Round[] = [this.#round];
  readonly #sources = new SourceList();
  #length = new KeptLength();
  /** Line ends not written yet: the answer ends with exactly one, whatever the model sends. */
  #heldLineEnds = "";
  #hasText = false;
  /** Whether a blank line has to come before the next text: what was written is of another round. */
  #needsGap = false;
  /** Whether the last thing on the screen is of calls, which a blank line keeps apart from what is said next. */
  #followsCalls = false;
  /** Whether something of the answer is on the screen that goes on: text or reasoning of this round. */
  hasShown = false;
  #hasAside = false;
  /** The reasoning as it will be shown, for whoever lays it out. */
  readonly #foreignAside: (part: string) => string;

  constructor(runtime: Runtime, options: WriterOptions) {
    this.#runtime = runtime;
    this.#foreignAside = runtime.terminal.foreignParts("stderr");
    this.#options = options;
    this.#startedAt = runtime.elapsed();
  }

  /** Takes one event. Resolves when the reader can take more. Throws `bad-response` for an answer without end that is kept. */
  async take(event: TurnEvent): Promise<void> {
    const { terminal } = this.#runtime;
    switch (event.type) {
      case "start":
        if (this.#round.stop) await this.#beginRound();
        this.#round.start = event;
        break;
      case "text":
      case "reasoning":
        this.#firstTokenMs ??= this.#sinceStart();
        break;
      case "stop":
        this.#round.stop = event;
        break;
      case "tool-start":
        this.#round.hasCalls = true;
        return;
      case "tool-input":
        return;
      case "tool-call":
        this.#round.calls.push({ ...event });
        break;
      case "tool-result": {
        const call = this.#round.calls.find(
          ({ toolUseId, result }) => toolUseId === event.toolUseId && !result,
        );
        if (call) call.result = event;
        break;
      }
      case "usage":
        this.#round.usage = event;
        // The last line, written when everything is known.
        return;
    }
    if (event.type === "tool-call" || event.type === "tool-result") return this.#takeCall(event);
    if (terminal.format === "ndjson")
      return terminal.printJson(event.type === "stop" ? inEvents(event) : event);
    if (event.type === "text") return this.#takeText(event.text);
    if (event.type === "reasoning") return this.#takeReasoning(event.text);
    if (event.type === "citation") return this.#takeCitation(event);
  }

  async #beginRound(): Promise<void> {
    await this.endLine();
    this.hasShown = false;
    this.#round = newRound();
    this.#rounds.push(this.#round);
  }

  /** Ends the last line of what was shown so far, for whoever tells something besides on the same screen or into the same file. */
  async endLine(): Promise<void> {
    if (this.#runtime.terminal.format === "text" && this.#isStreamed) await this.#endText();
  }

  /**
   * Ends a whole answer: last line, notices, usage, document. Throws `blocked` or `model-error` for how it stopped, and where
   * it has not the code that is wanted.
   */
  async finish(): Promise<void> {
    const { terminal } = this.#runtime;
    const { start, stop, usage: counted } = this.#round;
    const { error, notice } = judgeStop(stop?.stopReason ?? "", start?.model ?? "", { ...counted, ...stop });
    if (error) throw withRequestId(error, start?.requestId);
    await this.#extractCode();
    if (terminal.format === "text") {
      await this.#endText();
      await this.#tellSources();
    }
    if (terminal.format === "json") await terminal.printJson(this.#document());
    if (terminal.format === "ndjson") {
      const { usage, ...rest } = this.#account();
      await terminal.printJson({ type: "usage", ...usage, ...rest });
    }
    if (notice) await terminal.warn(notice);
    if (this.#options.showsUsage) {
      const { usage, timeToFirstTokenMs, latencyMs } = this.#account();
      const style = await terminal.stderrStyle();
      const beside = this.#options.searchesWeb ? WEB_SEARCH : undefined;
      const times = { firstTokenMs: timeToFirstTokenMs ?? undefined, totalMs: latencyMs };
      terminal.note(style.dim(describeUsage(usage, this.#priced(), times, beside)));
    }
  }

  /** Ends an answer that failed: what came is on stdout, or in the error's `partialText` and `steps`. Returns the error to throw. */
  async fail(failure: unknown): Promise<unknown> {
    const { terminal } = this.#runtime;
    if (this.#options.extractsCode && !this.#options.isKeptApart && terminal.format === "text") {
      // Half of a program, and words in place of one, are for nobody to run.
      const text = isWithheld(failure) ? "" : this.#wholeText().trim();
      for (const round of this.#rounds) round.text = [];
      if (text !== "") terminal.writeAside(`${text}\n`);
    }
    if (terminal.format === "text") await this.#endText();
    if (terminal.format !== "json" || !(failure instanceof OpenclawError)) return failure;
    const text = this.#wholeText();
    return withFields(failure, {
      ...(text === "" ? {} : { partialText: text }),
      ...(this.#round.start || this.#rounds.length > 1 ? { steps: this.#steps() } : {}),
    });
  }

  async #takeText(text: string): Promise<void> {
    const { terminal } = this.#runtime;
    const round = this.#round;
    round.textLength += text.length;
    if (terminal.format === "json" || !this.#isStreamed) {
      round.text.push(text);
      this.#length.add(text.length);
      return;
    }
    // It comes whole, and behind the calls.
    if (!this.#options.isStructured || !round.hasCalls) await this.#writeText(text);
  }

  /** The end of the last line goes out with it: what is told besides is not told in between. */
  async #writeText(text: string, isLast = false): Promise<void> {
    const { terminal } = this.#runtime;
    if (this.#needsGap) {
      const said = text.replace(/^\n+/, "");
      if (said === "") return;
      this.#needsGap = false;
      this.#followsCalls = false;
      // What stands between them on a terminal has brought one.
      if (!this.#hasAside || !terminal.isStdoutTTY) await terminal.write("\n");
      return this.#writeText(said, isLast);
    }
    if (this.#hasAside) await this.#endAside("\n\n");
    this.#endCalls(terminal.isStdoutTTY);
    // Not by an expression: a search for line ends at the end begins anew at each of those before.
    let end = text.length;
    while (text[end - 1] === "\n") end -= 1;
    const body = text.slice(0, end);
    const lineEnds = text.slice(end);
    if (body === "") {
      this.#heldLineEnds += lineEnds;
      this.#length.add(lineEnds.length);
      return;
    }
    this.#hasText = true;
    this.#length = new KeptLength();
    const held = this.#heldLineEnds;
    this.#heldLineEnds = lineEnds;
    const { renderer } = this.#options;
    const laidOut = renderer ? await renderer.push(held + body) : terminal.foreign(held + body);
    const shown = isLast ? laidOut + this.#endOfText() : laidOut;
    if (shown === "") return;
    this.hasShown = true;
    await terminal.write(shown);
  }

  async #takeCitation(event: Extract<ChatEvent, { type: "citation" }>): Promise<void> {
    const { terminal } = this.#runtime;
    const { type: _type, ...source } = event;
    this.#length.add(JSON.stringify(source).length);
    if (terminal.format === "json") {
      this.#round.citations.push({ ...source, textEnd: this.#round.textLength });
      return;
    }
    if (!this.#options.showsSources) return;
    const number = this.#sources.numberOf(source);
    if (!this.#options.marksSources || !this.#isStreamed || !this.#hasText) return;
    const held = this.#heldLineEnds;
    this.#heldLineEnds = "";
    await this.#writeText(`[${number}]`);
    this.#heldLineEnds = held;
  }

  async #tellSources(): Promise<void> {
    const { terminal } = this.#runtime;
    const { dim } = await terminal.stderrStyle();
    for (const [index, line] of this.#sources.lines().entries())
      terminal.note(dim(line), dim(`[${index + 1}] `));
  }

  async #takeCall(event: Event<"tool-call" | "tool-result">): Promise<void> {
    const { terminal } = this.#runtime;
    if (terminal.format === "ndjson") return terminal.printJson(inJson(event));
    if (terminal.format !== "text") return;
    await this.endLine();
    if (this.#hasAside) await this.#endAside("\n");
    this.hasShown = false;
    const { screen } = terminal;
    // In a pipe it is noise: what was not run is told all the same.
    if (!screen) return;
    this.#followsCalls = true;
    const { callLine, resultLine } = await import("./tools/describe-call.ts");
    const style = await terminal.stderrStyle();
    const look = { columns: screen.columns, style };
    if (event.type === "tool-call") terminal.note(callLine(event, event.source, look), "");
    else {
      const { calls } = this.#round;
      const of = calls.length > 1 ? calls.find(({ result }) => result === event) : undefined;
      const isError = event.status === "error";
      const result = { content: event.content, isError };
      const isRefused = event.refused === true;
      terminal.note(resultLine(result, event.durationMs, { ...look, isRefused, of }), "");
    }
  }

  async #takeReasoning(text: string): Promise<void> {
    const { terminal } = this.#runtime;
    if (terminal.format === "json") {
      this.#round.reasoning.push(text);
      this.#length.add(text.length);
    } else if (this.#options.showsReasoning) {
      const style = await terminal.stderrStyle();
      this.#endCalls(true);
      this.#hasAside = true;
      this.hasShown = true;
      const { reasoningRenderer: renderer } = this.#options;
      terminal.writeAside(style.dim(renderer ? renderer.push(this.#foreignAside(text)) : text));
    }
  }

  /** Leaves a line free below calls, on the screen alone, where what is said next is seen there. */
  #endCalls(isSeen: boolean): void {
    if (this.#followsCalls && isSeen) this.#runtime.terminal.writeAside("\n");
    this.#followsCalls = false;
  }

  async #endAside(lineEnds: string): Promise<void> {
    const { terminal } = this.#runtime;
    const style = await terminal.stderrStyle();
    this.#hasAside = false;
    terminal.writeAside(`${style.dim(this.#options.reasoningRenderer?.end() ?? "")}${lineEnds}`);
  }

  async #endText(): Promise<void> {
    const text = this.#isStreamed ? "" : this.#wholeText();
    if (text !== "") await this.#writeText(text, true);
    if (this.#hasAside) await this.#endAside("\n");
    if (this.#hasText) await this.#runtime.terminal.write(this.#endOfText());
  }

  #endOfText(): string {
    this.#hasText = false;
    this.#needsGap = true;
    this.#heldLineEnds = "";
    return `${this.#options.renderer?.end() ?? ""}\n`;
  }

  /** Leaves of a whole answer only its first code block, where that is wanted. Throws `model-error` where there is none. */
  async #extractCode(): Promise<void> {
    if (!this.#options.extractsCode) return;
    const { firstCodeBlock } = await import("./first-code-block.ts");
    const { start, stop } = this.#round;
    const isCut = isCutShort(stop?.stopReason);
    const code = firstCodeBlock(this.#round.text.join(""), { isCut });
    if (code === undefined) {
      throw new OpenclawError("model-error", {
        message: `The answer of '${start?.model ?? ""}' ${isCut ? "stops before a code block is whole" : "has no code block"}.`,
        hint: isCut ? allowMore(stop?.bound) : "Ask for one, or leave --extract out.",
        requestId: start?.requestId,
      });
    }
    // What was said before a call is not what was asked for.
    for (const round of this.#rounds) round.text = [];
    this.#round.text = [code];
  }

  /** The rounds whose text is the answer. */
  get #answering(): readonly Round[] {
    return this.#options.isStructured ? [this.#round] : this.#rounds;
  }

  #wholeText(): string {
    return joinTexts(this.#answering.map(({ text }) => text.join("")));
  }

  /** The citations, each with its place in the whole text. */
  #citations(): Citation[] {
    const texts = this.#answering.map(({ text }) => text.join(""));
    const whole = this.#wholeText().length;
    return this.#answering.flatMap(({ citations, textLength }, index) => {
      if (citations.length === 0) return [];
      const before = joinTexts(texts.slice(0, index + 1)).length - textLength;
      // White space at either end of a round may be gone.
      const placed = (end: number): number => Math.min(Math.max(before + end, 0), whole);
      return citations.map(({ textEnd, ...source }) => ({ ...source, textEnd: placed(textEnd) }));
    });
  }

  get #isStreamed(): boolean {
    return this.#options.isStreamed && !this.#options.extractsCode;
  }

  #document(): Record<string, unknown> {
    const { usage, ...rest } = this.#account();
    const reasoning = joinTexts(this.#rounds.map((round) => round.reasoning.join("")));
    const citations = this.#citations();
    const { start, stop } = this.#round;
    return {
      model: start?.model ?? null,
      region: start?.region ?? null,
      text: this.#wholeText(),
      reasoning: reasoning === "" ? undefined : reasoning,
      citations: citations.length === 0 ? undefined : citations,
      stopReason: stop?.stopReason ?? null,
      steps: this.#steps(),
      usage,
      ...rest,
    };
  }

  /** Each answer of the turn, where the model has tools. */
  #steps(): Record<string, unknown>[] | undefined {
    return this.#options.hasTools ? this.#rounds.map((round) => this.#step(round)) : undefined;
  }

  #step(round: Round): Record<string, unknown> {
    const { start, stop, usage = NO_USAGE } = round;
    const reasoning = round.reasoning.join("");
    const cost = this.#priceOf(round);
    return {
      text: round.text.join(""),
      reasoning: reasoning === "" ? undefined : reasoning,
      stopReason: stop?.stopReason ?? null,
      usage: countsOf(usage),
      cost: "unknown" in cost ? null : cost,
      requestId: start?.requestId ?? null,
      calls: round.calls.map(({ result, ...call }) => ({
        ...inJson(call),
        ...(result ? inJson({ type: "tool-result", ...result }) : {}),
        type: undefined,
      })),
    };
  }

  #account() {
    const cost = this.#priced();
    const { start, usage } = this.#round;
    return {
      invokedModel: usage?.invokedModel,
      usage: this.#counted(),
      cost: "unknown" in cost ? null : cost,
      timeToFirstTokenMs: this.#firstTokenMs ?? null,
      latencyMs: this.#sinceStart(),
      requestId: start?.requestId ?? null,
      attempts: this.#rounds.reduce((sum, round) => sum + (round.start?.attempts ?? 1), 0),
      session: this.#options.sessionId?.(),
    };
  }

  /** The tokens of all rounds. */
  #counted(): TokenUsage {
    const [first = NO_USAGE, ...others] = this.#rounds.flatMap(({ usage }) => (usage ? countsOf(usage) : []));
    return others.reduce(addUsage, first);
  }

  /** What all rounds cost; of which one of them nobody knows, nobody knows it of them together. */
  #priced(): ReturnType<typeof priceCall> {
    const costs = this.#rounds.map((round) => this.#priceOf(round));
    return costs.reduce((sum, cost): CallCost | { unknown: string } => {
      if ("unknown" in sum || "unknown" in cost) return "unknown" in sum ? sum : cost;
      return { usd: Number((sum.usd + cost.usd).toFixed(10)), source: cost.source };
    });
  }

  #priceOf({ start, usage }: Round): ReturnType<typeof priceCall> {
    const model = usage?.invokedModel ?? start?.model;
    return priceCall(usage ?? NO_USAGE, model === undefined ? undefined : this.#options.priceOf(model));
  }

  /** Whole ms since the question was put. */
  #sinceStart(): number {
    return Math.round(this.#runtime.elapsed() - this.#startedAt);
  }
}

function isWithheld(failure: unknown): boolean {
  return failure instanceof OpenclawError && failure.code === "blocked";
}

function countsOf(usage: TokenUsage | Event<"usage">): TokenUsage {
  return "type" in usage ? usageOf(usage) : usage;
}

/** An event of a call in the order in which a reader wants its fields, its bytes as base64. */
function inJson(event: Event<"tool-call" | "tool-result">): Record<string, unknown> {
  const { type, toolUseId, name } = event;
  if (event.type === "tool-call") return { type, toolUseId, name, source: event.source, input: event.input };
  const { status, refused, content, durationMs } = event;
  return { type, toolUseId, name, status, refused, content: contentAsJson(content), durationMs };
}
