import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import type { Ask } from "../../converse/plan-request.ts";
import { familyServed, SERVED } from "../../models/families.ts";
import type { Lesson } from "../../session/refusal-table.ts";
import type { Setup } from "../../session/session.ts";
import { PART_KINDS } from "../content-parts.ts";
import { type ApiForm, planForServer } from "../plan-for-server.ts";
import type { BedrockModel, ServerApi } from "../server-wire.ts";
import { inWordsOfServer, toCompletionRequest } from "./completion-request.ts";
import { streamCompletion } from "./stream-completion.ts";

/** Keys of the models of which it is told already that they seem to reason. */
const told = new Set<string>();

/** The host whose models want `max_completion_tokens`; every other server is told only when it refuses the older name. */
const OPENAI_HOST = /(^|\.)(openai\.com|openai\.azure\.com)$/;
const OPENAI_LENGTH: Lesson = { name: "length-field", value: "max_completion_tokens" };

/** How a question is asked by OpenAI's chat completions. */
export function completionsApi(setup: Setup, ask: Ask): ServerApi {
  const { key, id, configured } = ask.model;
  const tell = (): void => {
    // Where the settings say that it does not reason, it is so.
    if (configured?.reasoning !== undefined || told.has(key)) return;
    told.add(key);
    setup.runtime.terminal.note(
      `openclaw: '${key}' seems to reason in its answer; to have that told apart, add "reasoning": true to '${id}' in the models of its provider`,
    );
  };
  return {
    plan: ({ server }, lessons, called) =>
      planForServer(ask, setup.config.value, formFor(server.url.hostname, called), lessons, called),
    send: (line, { body, isReasoning }, signal) =>
      streamCompletion(
        line,
        body as ChatCompletionCreateParamsStreaming,
        signal,
        isReasoning,
        line.isAws ? undefined : tell,
      ),
  };
}

/** How a chat completion is asked at a host, or of a model of Amazon Bedrock. */
function formFor(host: string, called: BedrockModel | undefined): ApiForm {
  return {
    kinds: PART_KINDS,
    family: called?.baseId === undefined ? SERVED : familyServed(called.baseId),
    // https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
    takes: called ? ["serviceTier"] : [],
    toBody: (input, { lessons }) => {
      const { body } = toCompletionRequest(input, input.modelId ?? "");
      const worded = inWordsOfServer(body, OPENAI_HOST.test(host) ? [OPENAI_LENGTH, ...lessons] : lessons);
      const tier = input.serviceTier?.type;
      return { body: tier === undefined ? worded : { ...worded, service_tier: tier } };
    },
  };
}
