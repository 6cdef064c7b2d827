import { mostTokensIn } from "../../chat/pace.ts";
import type { PaceLimits } from "../../chat/pacer.ts";
import { capitalize, OpenclawError, usageError, withFields } from "../../errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { BatchLine, LineKind } from "../lines/batch-line.ts";
import { type LineProblem, linesInWords, MOST_PROBLEMS, tellProblems } from "../lines/check-input.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { readLine } from "../lines/read-line.ts";
import type { ResultOutput } from "./ordered-output.ts";
import type { RunModel } from "./run-lines.ts";
import { tokensToPace } from "./run-models.ts";

/** No line is larger: they are read again, to find those that take more than a quota, only where there may be any. */
export class LargestLine {
  #inputTokens = 0;
  #maxTokens = 0;

  take(line: BatchLine): void {
    const { parameters, invocation } = line.asked.ask;
    const maxTokens = parameters.maxTokens ?? mostTokensIn(invocation?.body) ?? 0;
    this.#inputTokens = Math.max(this.#inputTokens, tokensToPace(line));
    this.#maxTokens = Math.max(this.#maxTokens, maxTokens);
  }

  /** No line takes more, where those that say nothing may have answers of so many tokens. */
  most(usual: number): number {
    return this.#inputTokens + Math.max(this.#maxTokens, usual);
  }
}

interface Quotas {
  largest: LargestLine;
  /** What may be asked of each model in a minute. */
  limits: ReadonlyMap<RunModel, PaceLimits>;
  modelFor: (line: BatchLine) => RunModel;
  /** As `--tpm` says it. */
  tpm: number | undefined;
}

/**
 * Refuses lines that are not done and take more than the whole quota of a minute: they would never be asked. The lines are
 * read again where any may be so large. Throws `usage` where a flag says what the quota is, and `invalid-request` where AWS
 * does, with all of them.
 */
export async function refuseTooLarge(
  input: BatchInput,
  { kind, signal, terminal }: { kind: LineKind; signal: AbortSignal; terminal: Terminal },
  output: Pick<ResultOutput, "has" | "before">,
  { largest, limits, modelFor, tpm }: Quotas,
): Promise<void> {
  const roomOf = (model: RunModel): number => limits.get(model)?.tokens ?? Number.POSITIVE_INFINITY;
  if ([...limits.keys()].every((model) => largest.most(model.usualLength) <= roomOf(model))) return;
  const problems: LineProblem[] = [];
  let problemCount = 0;
  let most = 0;
  let room = Number.POSITIVE_INFINITY;
  let isBounded = false;
  let number = 0;
  let whose = "";
  for await (const raw of input.lines(signal)) {
    number += 1;
    if (output.has(number)) continue;
    const line = await readLine(raw, { kind, signal });
    const model = modelFor(line);
    const tokens = roomOf(model);
    const { inputTokens, maxTokens } = model.reserved(line);
    const reserved = inputTokens + maxTokens;
    if (reserved <= tokens) continue;
    problemCount += 1;
    whose ||=
      tpm === undefined ? `the ${tokens} that '${model.name}' has in a minute` : `--tpm ${tpm} allows`;
    most = Math.max(most, reserved);
    room = Math.min(room, tokens - inputTokens);
    isBounded ||=
      line.asked.ask.parameters.maxTokens !== undefined || line.asked.ask.invocation !== undefined;
    const message = `It takes ${reserved} tokens of the quota: ${inputTokens} of its own, and the ${maxTokens} that its answer may have.`;
    if (problems.length < MOST_PROBLEMS) problems.push({ line: raw.number, message });
  }
  const [first] = problems;
  if (!first) return;
  tellProblems({ problems, problemCount }, terminal);
  const named = capitalize(linesInWords({ count: problemCount, first: first.line }));
  const message = `${named} of ${input.label} ${problemCount === 1 ? "takes" : "take"} more tokens than ${whose}, so nothing was sent.`;
  const details = { problemCount, problems };
  // A run goes on only with answers as long as they were.
  const shorter =
    !isBounded && room >= 1 && output.before === 0
      ? `Ask for shorter answers: --max-tokens ${room}`
      : undefined;
  if (tpm !== undefined)
    throw withFields(usageError(message, shorter ?? `Allow more in a minute: --tpm ${most}`), { details });
  throw new OpenclawError("invalid-request", {
    message,
    hint: shorter ?? "Ask for a higher quota: openclaw quota",
    details,
  });
}
