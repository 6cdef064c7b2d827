import type { Ask } from "../../converse/plan-request.ts";
import type { Setup } from "../../session/session.ts";
import type { ServerApi } from "../server-wire.ts";
import { planMessages } from "./messages-plan.ts";
import { countMessageTokens, type MessagesBody, streamMessages } from "./stream-messages.ts";

/** How a question is asked by Anthropic's Messages API. */
export function messagesApi(setup: Setup, ask: Ask): ServerApi {
  return {
    plan: (_line, lessons, called) => planMessages(ask, setup.config.value, lessons, called),
    send: (line, { body }, signal) => streamMessages(line, body as MessagesBody, signal),
    countTokens: (line, { body }, signal) => countMessageTokens(line, body as MessagesBody, signal),
  };
}
