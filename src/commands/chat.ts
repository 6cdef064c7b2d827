import { loadConfig } from "../config/resolve.ts";
import { OpenclawError } from "../errors.ts";
import { defaultModels } from "../models/default-models.ts";
import { speaksOpenai } from "../models/provider-api.ts";
import { namedModel, targetOf } from "../models/resolve-model.ts";
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
  const screen = screenFor(options, runtime);
  const connected = screen || options.dryRun ? setup : ahead(options, setup);
  const { runChat } = await import("./chat/run-chat.ts");
  await runChat(options, connected, screen);
}

/** The screen to talk at: there is one when a person sits at both ends and nothing was asked on the command line. */
function screenFor(options: ChatOptions, { stdin, terminal }: Runtime): Screen | undefined {
  if (options.prompt.length > 0 || options.dryRun || terminal.format !== "text" || stdin.isTTY !== true)
    return undefined;
  return terminal.screen;
}

/** Begins to connect to where the question will go, as far as command line and configuration say it. */
function ahead({ model }: ChatOptions, setup: Setup): Setup {
  const { config, runtime } = setup;
  try {
    const name = model?.split(",")[0]?.trim() ?? defaultModels(config.value, runtime)[0];
    const named = name ? namedModel(name, config.value) : undefined;
    return named && !speaksOpenai(named) ? connectAhead(setup, "bedrock-runtime", targetOf(named)) : setup;
  } catch (error) {
    // What is wrong with them is told in its turn.
    if (error instanceof OpenclawError) return setup;
    throw error;
  }
}
