import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import type { Ask } from "../../converse/plan-request.ts";
import type { Wire } from "../../converse/wire.ts";
import type { Setup } from "../../session/session.ts";
import { openServerWire } from "../server-wire.ts";
import { planCompletion } from "./completion-plan.ts";
import { streamCompletion } from "./stream-completion.ts";

/** Keys of the models of which it is told already that they seem to reason. */
const told = new Set<string>();

/** Opens the way to a model behind OpenAI's chat completions. Throws `config-invalid`. */
export function openCompletions(setup: Setup, ask: Ask): Promise<Wire> {
  const { key, id, configured } = ask.model;
  const tell = (): void => {
    // Where the settings say that it does not reason, it is so.
    if (configured?.reasoning !== undefined || told.has(key)) return;
    told.add(key);
    setup.runtime.terminal.note(
      `openclaw: '${key}' seems to reason in its answer; to have that told apart, add "reasoning": true to '${id}' in the models of its provider`,
    );
  };
  return openServerWire(setup, ask, {
    plan: ({ server }, lessons) => planCompletion(ask, setup.config.value, server.url.hostname, lessons),
    send: (line, { body, isReasoning }, signal) =>
      streamCompletion(line, body as ChatCompletionCreateParamsStreaming, signal, isReasoning, tell),
  });
}
