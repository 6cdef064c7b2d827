import { OpenclawError, withFields, withRequestId } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { AnswerRenderer } from "../terminal/markdown-renderer.ts";
import type { TextRenderer } from "../terminal/word-wrap.ts";
import { type ChatEvent, usageOf } from "../converse/chat-event.ts";
import { type CitedSource, SourceList } from "../converse/cited-source.ts";
import { KeptLength } from "../converse/kept-length.ts";
import { judgeStop } from "../converse/outcome.ts";
import { describeUsage, priceCall, type Price, WEB_SEARCH } from "../models/usage.ts";

export interface WriterOptions {
  /** The price of a model id, once it is known which one answers. */
  priceOf: (modelId: string) => Price | undefined;
  showsReasoning: boolean;
  /** False with `--no-stream`: the text is written when it is whole. */
  isStreamed: boolean;
  /** Whether the first code block of the answer is all that is written of it. */
  extractsCode?: boolean | undefined;
  showsUsage: boolean;
  /** Whether the model may search the web, which costs extra. */
  searchesWeb?: boolean | undefined;
  /** Whether the sources of the answer are told below it. */
  showsSources?: boolean | undefined;
  /** Whether their numbers are in it, for readers: a program is given the answer as the model wrote it. */
  marksSources?: boolean | undefined;
  /** How the text is shown on a terminal; without one it is written as it came, with nothing in it that acts. */
  renderer?: AnswerRenderer | undefined;
  /** How the reasoning is. */
  reasoningRenderer?: TextRenderer | undefined;
  /** The session that the turn is kept in, once it is kept. */
  sessionId?: (() => string | undefined) | undefined;
}

/** A source, and where in the text what is from it ends, in UTF-16 units. */
type Citation = CitedSource & { textEnd: number };

type Counted = Extract<ChatEvent, { type: "usage" }>;

/** Writes one answer to the terminal while it arrives: as text, as one JSON document, or as a JSON line per event. */
export class AnswerWriter {
  readonly #runtime: Runtime;
  readonly #options: WriterOptions;
  readonly #startedAt: number;
  #start: Extract<ChatEvent, { type: "start" }> | undefined;
  #firstTokenMs: number | undefined;
  #stop: Extract<ChatEvent, { type: "stop" }> | undefined;
  #usage: Counted = { type: "usage", inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  /** Kept only where the output needs the whole text: `--json` and `--no-stream`. */
  #text: string[] = [];
  #reasoning: string[] = [];
  readonly #sources = new SourceList();
  /** For `--json`, each with the length of the text before it. */
  readonly #citations: Citation[] = [];
  #length = new KeptLength();
  /** Line ends not written yet: the answer ends with exactly one, whatever the model sends. */
  #heldLineEnds = "";
  #hasText = false;
  /** Whether something of the answer is on the screen. */
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
  async take(event: ChatEvent): Promise<void> {
    const { terminal } = this.#runtime;
    switch (event.type) {
      case "start":
        this.#start = event;
        break;
      case "text":
      case "reasoning":
        this.#firstTokenMs ??= this.#sinceStart();
        break;
      case "stop":
        this.#stop = event;
        break;
      case "usage":
        this.#usage = event;
        // The last line, written when everything is known.
        return;
    }
    if (terminal.format === "ndjson") return terminal.printJson(event);
    if (event.type === "text") return this.#takeText(event.text);
    if (event.type === "reasoning") return this.#takeReasoning(event.text);
    if (event.type === "citation") return this.#takeCitation(event);
  }

  /** Ends the last line of what was shown so far, for whoever tells something besides on the same screen or into the same file. */
  async endLine(): Promise<void> {
    if (this.#runtime.terminal.format === "text" && this.#isStreamed) await this.#endText();
  }

  /** Ends a whole answer: last line, notices, usage, document. Throws `blocked` or `model-error` for how it stopped. */
  async finish(): Promise<void> {
    const { terminal } = this.#runtime;
    const { error, notice } = judgeStop(this.#stop?.stopReason ?? "", this.#start?.model ?? "", {
      ...this.#usage,
      ...this.#stop,
    });
    if (error) throw withRequestId(error, this.#start?.requestId);
    const hasCode = await this.#extractCode();
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
    if (!hasCode) await terminal.warn("The answer has no code block, so it is written whole.");
    if (this.#options.showsUsage) {
      const { usage, timeToFirstTokenMs, latencyMs } = this.#account();
      const style = await terminal.stderrStyle();
      const beside = this.#options.searchesWeb ? WEB_SEARCH : undefined;
      const times = { firstTokenMs: timeToFirstTokenMs ?? undefined, totalMs: latencyMs };
      terminal.note(style.dim(describeUsage(usage, this.#priced(), times, beside)));
    }
  }

  /** Ends an answer that failed: what came is on stdout, or in the error's `partialText`. Returns the error to throw. */
  async fail(failure: unknown): Promise<unknown> {
    const { terminal } = this.#runtime;
    // Half of a program is for nobody to run.
    if (this.#options.extractsCode && terminal.format === "text") this.#text = [];
    if (terminal.format === "text") await this.#endText();
    if (terminal.format === "json" && failure instanceof OpenclawError && this.#text.length > 0) {
      return withFields(failure, { partialText: this.#text.join("") });
    }
    return failure;
  }

  async #takeText(text: string): Promise<void> {
    const { terminal } = this.#runtime;
    if (terminal.format === "json" || !this.#isStreamed) {
      this.#text.push(text);
      this.#length.add(text.length);
      return;
    }
    await this.#writeText(text);
  }

  async #writeText(text: string): Promise<void> {
    const { terminal } = this.#runtime;
    if (this.#hasAside) await this.#endAside("\n\n");
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
    const shown = renderer ? await renderer.push(held + body) : terminal.foreign(held + body);
    if (shown === "") return;
    this.hasShown = true;
    await terminal.write(shown);
  }

  async #takeCitation(event: Extract<ChatEvent, { type: "citation" }>): Promise<void> {
    const { terminal } = this.#runtime;
    const { type: _type, ...source } = event;
    this.#length.add(JSON.stringify(source).length);
    if (terminal.format === "json") {
      const textEnd = this.#text.reduce((length, text) => length + text.length, 0);
      this.#citations.push({ ...source, textEnd });
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

  /** Tells the sources of the answer, below it. */
  async #tellSources(): Promise<void> {
    const { terminal } = this.#runtime;
    const { dim } = await terminal.stderrStyle();
    for (const [index, line] of this.#sources.lines().entries())
      terminal.note(dim(line), dim(`[${index + 1}] `));
  }

  async #takeReasoning(text: string): Promise<void> {
    const { terminal } = this.#runtime;
    if (terminal.format === "json") {
      this.#reasoning.push(text);
      this.#length.add(text.length);
    } else if (this.#options.showsReasoning) {
      const style = await terminal.stderrStyle();
      this.#hasAside = true;
      this.hasShown = true;
      const { reasoningRenderer: renderer } = this.#options;
      terminal.writeAside(style.dim(renderer ? renderer.push(this.#foreignAside(text)) : text));
    }
  }

  async #endAside(lineEnds: string): Promise<void> {
    const { terminal } = this.#runtime;
    const style = await terminal.stderrStyle();
    this.#hasAside = false;
    terminal.writeAside(`${style.dim(this.#options.reasoningRenderer?.end() ?? "")}${lineEnds}`);
  }

  async #endText(): Promise<void> {
    if (!this.#isStreamed && this.#text.length > 0) await this.#writeText(this.#text.join(""));
    if (this.#hasAside) await this.#endAside("\n");
    if (!this.#hasText) return;
    this.#hasText = false;
    await this.#runtime.terminal.write(`${this.#options.renderer?.end() ?? ""}\n`);
  }

  /** Leaves of a whole answer only its first code block, where that is wanted. Returns whether what is wanted is there. */
  async #extractCode(): Promise<boolean> {
    if (!this.#options.extractsCode) return true;
    const { firstCodeBlock } = await import("./first-code-block.ts");
    const code = firstCodeBlock(this.#text.join(""));
    if (code !== undefined) this.#text = [code];
    return code !== undefined;
  }

  get #isStreamed(): boolean {
    return this.#options.isStreamed && !this.#options.extractsCode;
  }

  #document(): Record<string, unknown> {
    const { usage, ...rest } = this.#account();
    const reasoning = this.#reasoning.join("");
    return {
      model: this.#start?.model ?? null,
      region: this.#start?.region ?? null,
      text: this.#text.join(""),
      reasoning: reasoning === "" ? undefined : reasoning,
      citations: this.#citations.length === 0 ? undefined : this.#citations,
      stopReason: this.#stop?.stopReason ?? null,
      usage,
      ...rest,
    };
  }

  #account() {
    const cost = this.#priced();
    return {
      invokedModel: this.#usage.invokedModel,
      usage: usageOf(this.#usage),
      cost: "unknown" in cost ? null : cost,
      timeToFirstTokenMs: this.#firstTokenMs ?? null,
      latencyMs: this.#sinceStart(),
      requestId: this.#start?.requestId ?? null,
      attempts: this.#start?.attempts ?? 1,
      session: this.#options.sessionId?.(),
    };
  }

  #priced(): ReturnType<typeof priceCall> {
    const model = this.#usage.invokedModel ?? this.#start?.model;
    return priceCall(this.#usage, model === undefined ? undefined : this.#options.priceOf(model));
  }

  /** Whole ms since the question was put. */
  #sinceStart(): number {
    return Math.round(this.#runtime.elapsed() - this.#startedAt);
  }
}
