import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import type { Ask } from "../../converse/plan-request.ts";
import type { Wire } from "../../converse/wire.ts";
import { SERVED } from "../../models/families.ts";
import type { Lesson } from "../../session/refusal-table.ts";
import type { Setup } from "../../session/session.ts";
import { type ApiForm, planForServer } from "../plan-for-server.ts";
import { openServerWire } from "../server-wire.ts";
import { inWordsOfServer, toCompletionRequest } from "./completion-request.ts";
import { streamCompletion } from "./stream-completion.ts";

/** Keys of the models of which it is told already that they seem to reason. */
const told = new Set<string>();

/** The host whose models want `max_completion_tokens`; every other server is told only when it refuses the older name. */
const OPENAI_HOST = /(^|\.)(openai\.com|openai\.azure\.com)$/;
const OPENAI_LENGTH: Lesson = { name: "length-field", value: "max_completion_tokens" };

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
    plan: ({ server }, lessons) =>
      planForServer(ask, setup.config.value, formFor(id, server.url.hostname), lessons),
    send: (line, { body, isReasoning }, signal) =>
      streamCompletion(line, body as ChatCompletionCreateParamsStreaming, signal, isReasoning, tell),
  });
}

/** How a chat completion is asked of a model at a host. */
function formFor(modelId: string, host: string): ApiForm {
  return {
    family: SERVED,
    toBody: (input, { lessons }) => {
      const { body } = toCompletionRequest(input, modelId);
      return { body: inWordsOfServer(body, OPENAI_HOST.test(host) ? [OPENAI_LENGTH, ...lessons] : lessons) };
    },
  };
}
