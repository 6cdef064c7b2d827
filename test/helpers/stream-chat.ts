import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { streamAnswer } from "../../src/chat/ask-model.ts";
import type { ChatEvent } from "../../src/converse/chat-event.ts";
import { converseStream } from "../../src/converse/converse-stream.ts";
import type { WantedBounds } from "../../src/converse/deadlines.ts";
import type { TurnRecorder } from "../../src/converse/message-assembler.ts";
import type { AwsSession } from "../../src/session/session.ts";

/** Calls ConverseStream with one request, and yields what arrives. */
export function streamChat(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  bounds: WantedBounds,
  recorder?: TurnRecorder,
): AsyncGenerator<ChatEvent, void, undefined> {
  const wire = { region: session.region.value, ...converseStream(session) };
  const plan = { input, body: input, form: undefined, isReasoning: false, notices: [], toolNames: new Map() };
  return streamAnswer(wire, plan, { bounds, recorder, runtime: session.setup.runtime });
}
