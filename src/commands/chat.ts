import { loadConfig } from "../config/resolve.ts";
import { defaultModels } from "../models/default-models.ts";
import { speaksOpenai } from "../models/provider-api.ts";
import { namedModel, type Target, targetOf } from "../models/resolve-model.ts";
import type { Runtime } from "../runtime.ts";
import { connectAhead } from "../session/connect-ahead.ts";
import { readSetup, type Setup } from "../session/session.ts";
import type { Screen } from "../terminal/terminal.ts";
import type { ChatOptions } from "./chat/run-chat.ts";

/**
 * Asks a model and writes its answer as it arrives; without a prompt on a terminal, talks until the person leaves. Every
 * failure is thrown, also one after the first token.
 */
export async function run(options: ChatOptions, runtime: Runtime): Promise<void> {
  const config = await loadConfig(options, runtime);
  const setup = await readSetup(options, runtime, config);
  const isAsked = options.prompt.length > 0 && !options.dryRun;
  const likely = (): Target | undefined => (isAsked ? likelyTarget(options, setup) : undefined);
  const connected = await connectAhead(setup, "bedrock-runtime", likely);
  const { runChat } = await import("./chat/run-chat.ts");
  // stdin takes Node some ms to open, and is looked at last.
  await runChat(options, connected, screenFor(options, runtime));
}

/** The screen to talk at: there is one when a person sits at both ends and nothing was asked on the command line. */
function screenFor(options: ChatOptions, { stdin, terminal }: Runtime): Screen | undefined {
  if (options.prompt.length > 0 || options.dryRun || terminal.format !== "text" || stdin.isTTY !== true)
    return undefined;
  return terminal.screen;
}

/** Where the question will go, as far as command line and configuration say it. Throws what is wrong with them. */
function likelyTarget({ model }: ChatOptions, { config, runtime }: Setup): Target | undefined {
  const name = model?.split(",")[0]?.trim() ?? defaultModels(config.value, runtime)[0];
  const named = name ? namedModel(name, config.value) : undefined;
  return named && !speaksOpenai(named) ? targetOf(named) : undefined;
}
