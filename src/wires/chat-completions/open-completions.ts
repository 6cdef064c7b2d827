import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import type { Ask } from "../../converse/plan-request.ts";
import type { Wire } from "../../converse/wire.ts";
import type { Setup } from "../../session/session.ts";
import { openServerWire } from "../server-wire.ts";
import { planCompletion } from "./completion-plan.ts";
import { streamCompletion } from "./stream-completion.ts";

/** Opens the way to a model behind OpenAI's chat completions. Throws `config-invalid`. */
export function openCompletions(setup: Setup, ask: Ask): Promise<Wire> {
  return openServerWire(setup, ask, {
    plan: ({ server }, lessons) => planCompletion(ask, setup.config.value, server.url.hostname, lessons),
    send: (line, { body, isReasoning }, signal) =>
      streamCompletion(line, body as ChatCompletionCreateParamsStreaming, signal, isReasoning),
  });
}
