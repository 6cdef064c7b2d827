import type { Query, TurnOptions } from "../../chat/run-turn.ts";
import { askAtTerminal } from "../../chat/tools/ask-for-leave.ts";
import { Permits } from "../../chat/tools/permits.ts";
import { runTurnWithTools, type TurnArrivals, USUAL_STEPS } from "../../chat/tools/run-rounds.ts";
import { type ToolCall, toToolConfig } from "../../chat/tools/tool.ts";
import { sourcesOf } from "../../chat/tools/tool-sources.ts";
import { openToolbox, type WantedTools } from "../../chat/tools/toolbox.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Setup } from "../../session/session.ts";
import { canAsk } from "../../terminal/ask-yes.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import type { ToolOptions } from "./tool-options.ts";

export interface TurnTools {
  /** As they go into a request. */
  config(): Promise<Query["tools"]>;
  /** The turn as it comes. */
  arrivals(models: readonly ResolvedModel[], query: Query, options: TurnOptions): TurnArrivals;
  /** Prints the calls that were left to whoever reads this, where no document has them. */
  printLeft(): Promise<void>;
}

/** Opens tools for the time of `work`. Throws what `openToolbox` throws. */
export async function withTools(
  wanted: WantedTools,
  options: ToolOptions & GlobalOptions,
  setup: Setup,
  work: (tools: TurnTools) => Promise<void>,
): Promise<void> {
  const { runtime, config } = setup;
  const { terminal, stdin } = runtime;
  const toolbox = await withSpinner(runtime, "Opening tools", () =>
    openToolbox(wanted, sourcesOf(config.value, runtime, options), (why) =>
      terminal.warn(why.message, why.hint),
    ),
  );
  try {
    const permits = new Permits({
      allowed: options.allow,
      ask: canAsk(runtime) && stdin.readable ? askAtTerminal(runtime) : undefined,
      terminal,
    });
    // Before the model is told of them: what is allowed is these.
    permits.see(await toolbox.tools());
    const left: ToolCall[] = [];
    await work({
      config: async () => toToolConfig(await toolbox.tools()),
      arrivals: async function* (models, query, { keeper, ledger, mostUsd }) {
        const { maxSteps = USUAL_STEPS, run } = options;
        const { permit } = permits;
        const rounds = { toolbox, permit, maxSteps, leavesCalls: !run, keeper, ledger, mostUsd };
        for await (const arrival of runTurnWithTools(setup, models, query, rounds)) {
          const { event } = arrival;
          if (event.type === "tool-call" && !run)
            left.push({ toolUseId: event.toolUseId, name: event.name, input: event.input });
          yield arrival;
        }
      },
      printLeft: async () => {
        if (terminal.format !== "text") return;
        for (const call of left) await terminal.printDocument(call, { isIndented: false });
      },
    });
  } finally {
    await toolbox.close();
  }
}
