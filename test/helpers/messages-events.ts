import type { OpenaiReply } from "./openai-server.ts";

/** Events of Anthropic's Messages API as they stand on the wire, each under the name of its type. */
export function messageEvents(...events: readonly { type: string }[]): string[] {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** The event that begins a message. */
export function started(usage: object = { input_tokens: 9, output_tokens: 1 }) {
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude", content: [], usage };
  return { type: "message_start", message };
}

/** The events of one content block: its beginning, its deltas, its end. */
export function blockOf(index: number, block: object, ...deltas: readonly object[]) {
  return [
    { type: "content_block_start", index, content_block: block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

/** The events of a block of text. */
export function textOf(index: number, ...texts: readonly string[]) {
  const deltas = texts.map((text) => ({ type: "text_delta", text }));
  return blockOf(index, { type: "text", text: "" }, ...deltas);
}

/** The events that end a message. */
export function ended(reason: string, usage: object = { output_tokens: 2 }) {
  return [
    { type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage },
    { type: "message_stop" },
  ];
}

/** A streamed answer of these texts. */
export function messageOf(...texts: readonly string[]): OpenaiReply {
  return { pieces: messageEvents(started(), ...textOf(0, ...texts), ...ended("end_turn")) };
}

/** An error as Anthropic writes it. */
export function messagesRefusal(
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): OpenaiReply {
  return { status, headers, body: { type: "error", error: { type, message }, request_id: "req_1" } };
}
