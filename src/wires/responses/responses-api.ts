import { flagName } from "../../config/parameters.ts";
import { isLearnt } from "../../converse/apply-lessons.ts";
import type { Ask } from "../../converse/plan-request.ts";
import { beginsInReasoning, familyServed, RESPONDING } from "../../models/families.ts";
import { MANTLE } from "../../models/provider-api.ts";
import type { Setup } from "../../session/session.ts";
import { PART_KINDS } from "../content-parts.ts";
import { type ApiForm, planForServer } from "../plan-for-server.ts";
import { readAnswer } from "../read-answer.ts";
import type { BedrockModel, ServerApi } from "../server-wire.ts";
import { ResponseReader } from "./response-reader.ts";
import { LEAST_TOKENS, type ResponseBody, toResponseRequest } from "./response-request.ts";

/** How a question is asked by OpenAI's Responses. */
export function responsesApi(setup: Setup, ask: Ask): ServerApi {
  return {
    plan: (_line, lessons, called) =>
      planForServer(ask, setup.config.value, formFor(ask, called), lessons, called),
    send: async (line, { body }, signal) => {
      const { model } = body as ResponseBody & { model: string };
      const answer = await line.send({ path: "/responses", body: body as ResponseBody, model }, signal);
      const mayBeginInside = !line.isAws && beginsInReasoning(model);
      return readAnswer(answer, line, model, new ResponseReader(mayBeginInside));
    },
  };
}

const WEB_SEARCH = {
  tool: "web_search",
  source: "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html",
};

/** How Responses are asked of the model of a question, or of the model of Amazon Bedrock that it is. */
function formFor(
  { model, showsReasoning, nameOf = flagName }: Ask,
  called: BedrockModel | undefined,
): ApiForm {
  const canReason = model.configured?.reasoning !== false;
  return {
    kinds: PART_KINDS.filter((kind) => kind !== "audio"),
    family: called?.baseId === undefined ? RESPONDING : familyServed(called.baseId, RESPONDING),
    reasons: true,
    takes: ["serviceTier"],
    // Bedrock's runtime endpoint has no tools of its own there, its other endpoint has, and so has OpenAI.
    ...(called === undefined || model.providerId === MANTLE ? { webSearch: WEB_SEARCH } : {}),
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
      const body = toResponseRequest(input, input.modelId ?? model.id, {
        isKept: canReason && !isLearnt(lessons, "no-encrypted-reasoning"),
        isShown: canReason && showsReasoning === true && !isLearnt(lessons, "no-reasoning-summary"),
      });
      return { body, notices };
    },
  };
}
