import type { JsonObject } from "../../json.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { fingerprintOf, judgeLeave, type Leave } from "./leave.ts";
import { textResult, type Tool, type ToolCall, type ToolResult } from "./tool.ts";

export interface LeaveRequest {
  tool: Tool;
  call: ToolCall;
  /** Whether the answer may be for the whole conversation. */
  offersAlways: boolean;
  /** Whether the tool is another now than when it was first seen. */
  hasChanged: boolean;
}

/** `always` is for as long as the conversation lasts. */
export type LeaveAnswer = "once" | "always" | "no";

/** Asks a person. Rejects with the signal's reason when it is aborted. */
export type AskForLeave = (request: LeaveRequest, signal: AbortSignal) => Promise<LeaveAnswer>;

export interface PermitOptions {
  /** The patterns of `--allow`. */
  allowed?: readonly string[] | undefined;
  /** Undefined where nobody can be asked. */
  ask?: AskForLeave | undefined;
  terminal: Pick<Terminal, "warn">;
  /** What a person does to allow something by its name, as a hint; by default the flag. */
  wayToAllow?: ((name: string) => string) | undefined;
}

/**
 * What the calls of one conversation may do, and what has been said about it so far. A call that is not allowed comes to a
 * result that says so to the model; what nobody was asked about is told the person, once for each tool.
 */
export class Permits {
  readonly #options: PermitOptions;
  readonly #allowed: string[];
  readonly #always = new Map<string, string>();
  readonly #seen = new Map<string, string>();
  readonly #told = new Set<string>();
  /** The question that stands: there is one person. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(options: PermitOptions) {
    this.#options = options;
    this.#allowed = [...(options.allowed ?? [])];
  }

  get allowed(): readonly string[] {
    return this.#allowed;
  }

  /** The tools that the person has allowed for as long as the conversation lasts. */
  get always(): readonly string[] {
    return [...this.#always.keys()];
  }

  /** Allows what fits a pattern from now on, as it is now. */
  allow(pattern: string, tools: readonly Tool[] = []): void {
    if (!this.#allowed.includes(pattern)) this.#allowed.push(pattern);
    for (const tool of tools) this.#seen.set(tool.name, fingerprintOf(tool));
  }

  /** Takes note of what tools are when they are first seen: what is allowed is those. */
  see(tools: readonly Tool[]): void {
    for (const tool of tools) if (!this.#seen.has(tool.name)) this.#seen.set(tool.name, fingerprintOf(tool));
  }

  /** Takes back all that was allowed while the conversation lasts, by its beginning as well; what the settings allow stays. */
  forget(): void {
    this.#allowed.length = 0;
    this.#always.clear();
  }

  /** What would become of a call. */
  judge(tool: Tool, input: JsonObject): Leave {
    return judgeLeave(tool, input, {
      allowed: this.#allowed,
      canAsk: this.#options.ask !== undefined,
      always: this.#always,
      seen: this.#seen,
    });
  }

  /** Whether a call may run: undefined, or else the result that refuses it. Rejects with the signal's reason. */
  readonly permit = (tool: Tool, call: ToolCall, signal: AbortSignal): Promise<ToolResult | undefined> => {
    // What is said about the call before counts for this one, too.
    const permitted = this.#asking.then(() => this.#permit(tool, call, signal));
    this.#asking = permitted.catch(() => undefined);
    return permitted;
  };

  async #permit(tool: Tool, call: ToolCall, signal: AbortSignal): Promise<ToolResult | undefined> {
    signal.throwIfAborted();
    this.see([tool]);
    const { ask } = this.#options;
    const leave = this.judge(tool, call.input);
    if (leave.kind === "run") return undefined;
    if (leave.kind === "refuse") {
      await this.#tell(tool, leave.why, leave.allow);
      return textResult(`The call was not run: ${leave.why}.`, true);
    }
    const { offersAlways, hasChanged } = leave;
    const answer = (await ask?.({ tool, call, offersAlways, hasChanged }, signal)) ?? "no";
    if (answer === "no") return textResult("The call was not run: the person said no.", true);
    if (answer === "always" && offersAlways) this.#always.set(tool.name, fingerprintOf(tool));
    return undefined;
  }

  async #tell(tool: Tool, why: string, allow: string | undefined): Promise<void> {
    const key = allow ?? tool.name;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const { terminal, wayToAllow = (name: string) => `Add: --allow ${quoteForShell(name)}` } = this.#options;
    const hint = allow === undefined ? wayToAsk(tool) : wayToAllow(allow);
    await terminal.warn(`A call of '${tool.name}' was not run: ${why}.`, hint);
  }
}

/** What a person does who wants to be asked about a tool that the settings never allow. */
function wayToAsk({ name, source, allow }: Tool): string | undefined {
  if (source.kind !== "command" || allow !== "never") return undefined;
  return `openclaw config set ${quoteForShell(`tools.${name}.allow`)} ask`;
}
