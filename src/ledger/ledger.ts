import type { Configuration } from "../config/settings.ts";
import type { ChatEvent } from "../converse/chat-event.ts";
import type { CredentialDecision } from "../credentials/order.ts";
import { appendLines, appendLinesAtOnce } from "../disk/append-lines.ts";
import { errorCode, OpenclawError } from "../errors.ts";
import { estimateCost, type TokenUsage } from "../models/usage.ts";
import { priceOf } from "../models/price.ts";
import { isServed } from "../models/provider-api.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Runtime } from "../runtime.ts";
import type { Budget } from "./budget.ts";
import { type Counts, entryLine, type LedgerEntry } from "./entry.ts";
import { LARGEST_FILE, ledgerFolder, monthFile, monthOf } from "./ledger-files.ts";

/** What a system says of a state folder that is not there to be written to. */
const WITHOUT_PLACE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "EROFS"]);

export interface LedgerOptions {
  /**
   * How long lines may wait for others, in ms, so that a server writes those of many calls at once: to open a file, look at
   * its end and close it takes as long as much else of a short answer. Not at all unless it says so.
   */
  gathersMs?: number | undefined;
  command: string;
  /** Whether a budget that is spent is no reason not to call. */
  ignoresBudget?: boolean | undefined;
  /** Whether there are budgets beside those of the configuration, which the next start knows from what is written. */
  hasOtherBudgets?: (() => boolean) | undefined;
}

/** Takes down one call while its answer comes. */
export interface CallMeter {
  take(event: ChatEvent): void;
  /** The answer has ended: by itself, by a failure, or because nobody wants more of it. */
  end(failure?: unknown): void;
}

/**
 * Writes down what the calls of this process used and cost, a line each, for `openclaw usage` and for the budget. It holds
 * up nobody: lines are written beside the answer, and where they cannot be, a notice says so and the answer stands.
 */
export class Ledger {
  readonly #runtime: Runtime;
  readonly #config: Configuration;
  readonly #options: LedgerOptions;
  /** Lines that are not written yet, with their month. */
  #lines: { month: string; line: string }[] = [];
  #writing: Promise<void> | undefined;
  /** Has what waits for more lines written now. */
  #gathered = (): void => undefined;
  #isSettling = false;
  #budget: Promise<Budget> | undefined;
  #hasTold = false;
  #isKept = true;
  /** Calls that have not ended. */
  readonly #running = new Set<CallMeter>();
  #isWatching = false;

  constructor(runtime: Runtime, config: Configuration, options: LedgerOptions) {
    this.#runtime = runtime;
    this.#config = config;
    this.#options = options;
  }

  /**
   * Lets a call pass as long as the budget does, and warns when little of it is left. Throws `budget-exceeded`, and
   * `config-invalid` for a budget without a ledger.
   */
  async admit(): Promise<void> {
    const limits = this.#config.usage?.budget;
    if (limits === undefined || this.#options.ignoresBudget) return;
    this.#budget ??= import("./budget.ts").then(
      ({ Budget }) => new Budget(this.#runtime, limits, this.#isOn),
    );
    await (await this.#budget).check();
  }

  /** Begins to take down a call of a model. `key` is the name of the key of `serve` that asks for it. */
  meter(model: ResolvedModel, decision: CredentialDecision, key?: string): CallMeter {
    let called = "";
    let region: string | undefined;
    const enter = (usage: (TokenUsage & { invokedModel?: string | undefined }) | undefined): void => {
      this.#running.delete(meter);
      const answered = usage?.invokedModel ?? (called || model.id);
      const cost = usage && estimateCost(usage, priceOf(model, answered));
      const isServers = isServed(model);
      this.#enter({
        at: new Date(this.#runtime.now()).toISOString(),
        command: this.#options.command,
        model: isServers ? `${model.providerId}/${answered}` : answered,
        profile: isServers ? undefined : profileOf(decision),
        region,
        key,
        calls: usage?.askings ?? 1,
        unpriced: cost ? 0 : (usage?.askings ?? 1),
        inputTokens: usage?.inputTokens ?? 0,
        outputTokens: usage?.outputTokens ?? 0,
        cacheReadInputTokens: usage?.cacheReadInputTokens ?? 0,
        cacheWriteInputTokens: usage?.cacheWriteInputTokens ?? 0,
        usd: cost?.usd ?? 0,
      });
    };
    const meter: CallMeter = {
      take: (event) => {
        if (event.type === "start") {
          called = event.model;
          region = event.region ?? undefined;
        }
        if (event.type === "usage" && this.#running.has(meter)) enter(event);
      },
      end: (failure) => {
        if (!this.#running.delete(meter)) return;
        const counted = failure instanceof OpenclawError ? failure.details?.["usage"] : undefined;
        // What was refused is not billed. What began and has no counts is, and nobody knows with how much.
        if (counted !== undefined || called !== "") enter(counted as TokenUsage | undefined);
      },
    };
    this.#running.add(meter);
    this.#watchExit();
    return meter;
  }

  /** Writes down what was used at once, for many calls that were counted elsewhere. */
  enterSum(sum: Counts & Pick<LedgerEntry, "model" | "region">, decision: CredentialDecision): void {
    const { model, region, ...counts } = sum;
    this.#enter({
      at: new Date(this.#runtime.now()).toISOString(),
      command: this.#options.command,
      model,
      profile: profileOf(decision),
      region,
      ...counts,
    });
  }

  /** Has what is not written yet written when the process ends: a reader may go away in the middle of an answer. */
  #watchExit(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#runtime.onExit(() => {
      // Nothing that is begun now would be done.
      this.#writing = Promise.resolve();
      for (const meter of this.#running) meter.end();
      try {
        for (const { month, line } of this.#lines.splice(0))
          appendLinesAtOnce(monthFile(ledgerFolder(this.#runtime), month), line);
      } catch (error) {
        this.#tellUnwritten(error);
      }
    });
  }

  /** Whether what was entered last is written down. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Resolves when everything is written, or cannot be. */
  async settle(): Promise<void> {
    this.#isSettling = true;
    this.#gathered();
    await this.#writing;
  }

  get #isOn(): boolean {
    return this.#config.usage?.ledger !== false;
  }

  #enter(entry: LedgerEntry): void {
    if (!this.#isOn) return;
    this.#lines.push({ month: monthOf(entry.at), line: entryLine(entry) });
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when lines have waited for others as long as they may. */
  async #gather(): Promise<void> {
    const { gathersMs } = this.#options;
    // A budget counts what is written.
    if (gathersMs === undefined || this.#isSettling || this.#config.usage?.budget) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, gathersMs);
      this.#gathered = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #write(): Promise<void> {
    while (this.#lines.length > 0) {
      await this.#gather();
      const month = this.#lines[0]?.month ?? "";
      const next = this.#lines.findIndex((line) => line.month !== month);
      const lines = this.#lines.splice(0, next < 0 ? this.#lines.length : next);
      try {
        await this.#append(month, lines.map(({ line }) => line).join(""));
        this.#hasTold = false;
        this.#isKept = true;
      } catch (error) {
        this.#isKept = false;
        this.#tellUnwritten(error);
      }
    }
  }

  async #append(month: string, lines: string): Promise<void> {
    const runtime = this.#runtime;
    const folder = ledgerFolder(runtime);
    const { size, isFirst } = await appendLines(monthFile(folder, month), lines);
    if (size > LARGEST_FILE) await (await import("./sum-up.ts")).sumUp(folder, month, runtime);
    if (size === 0 && !isFirst) await (await import("./sum-up.ts")).forgetOld(folder, month);
  }

  /** Told once, until it can be written again. */
  #tellUnwritten(error: unknown): void {
    const { terminal } = this.#runtime;
    const code = errorCode(error);
    if (!(error instanceof OpenclawError) && code === undefined) throw error;
    const why = code === "ENOSPC" ? "the disk is full" : error instanceof Error ? error.message : "";
    const text = `what was used is not written down for \`openclaw usage\`: ${why}`;
    const isNeeded = this.#config.usage?.budget !== undefined || this.#options.hasOtherBudgets?.() === true;
    // Where nothing at all can be kept, nobody expects it, unless a budget is to be.
    if (WITHOUT_PLACE.has(code ?? "") && !isNeeded) return terminal.verbose(() => text);
    if (!this.#hasTold) terminal.note(`openclaw: ${text}`);
    this.#hasTold = true;
  }
}

/** The profile whose credentials sign, or what signs in its place. */
function profileOf({ chosen }: CredentialDecision): string {
  if ("profile" in chosen && chosen.profile !== undefined) return chosen.profile;
  return chosen.source === "default-chain" ? chosen.step : chosen.source;
}
