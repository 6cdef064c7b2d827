import { flagName } from "../../config/parameters.ts";
import { isLearnt } from "../../converse/apply-lessons.ts";
import type { Ask } from "../../converse/plan-request.ts";
import type { Wire } from "../../converse/wire.ts";
import { RESPONDING } from "../../models/families.ts";
import type { Setup } from "../../session/session.ts";
import { callServer } from "../call-server.ts";
import { type ApiForm, planForServer } from "../plan-for-server.ts";
import { readAnswer } from "../read-answer.ts";
import { openServerWire } from "../server-wire.ts";
import { ResponseReader } from "./response-reader.ts";
import { LEAST_TOKENS, type ResponseBody, toResponseRequest } from "./response-request.ts";

/** Opens the way to a model behind OpenAI's Responses. Throws `config-invalid`. */
export function openResponses(setup: Setup, ask: Ask): Promise<Wire> {
  return openServerWire(setup, ask, {
    plan: (_line, lessons) => planForServer(ask, setup.config.value, formFor(ask), lessons),
    send: async (line, { body }, signal) => {
      const { model } = body as ResponseBody & { model: string };
      const answer = await callServer(line, "/responses", { body: body as ResponseBody, signal, model });
      return readAnswer(answer, line, model, new ResponseReader());
    },
  });
}

/** How Responses are asked of the model of a question. */
function formFor({ model, showsReasoning, nameOf = flagName }: Ask): ApiForm {
  const canReason = model.configured?.reasoning !== false;
  return {
    family: RESPONDING,
    takes: ["serviceTier"],
    takesMetadata: true,
    toBody: (input, { lessons }) => {
      const notices: string[] = [];
      const { maxTokens, stopSequences } = input.inferenceConfig ?? {};
      if (maxTokens !== undefined && maxTokens < LEAST_TOKENS)
        notices.push(
          `OpenAI's Responses limit no answer to less than ${LEAST_TOKENS} tokens, so ${nameOf("maxTokens")} ${maxTokens} becomes that`,
        );
      if (stopSequences)
        notices.push(
          `OpenAI's Responses have no place for ${nameOf("stopSequences")}, so ${stopSequences.map((text) => JSON.stringify(text)).join(", ")} is left out`,
        );
      const body = toResponseRequest(input, model.id, {
        isKept: canReason && !isLearnt(lessons, "no-encrypted-reasoning"),
        isShown: canReason && showsReasoning === true && !isLearnt(lessons, "no-reasoning-summary"),
      });
      return { body, notices };
    },
  };
}
