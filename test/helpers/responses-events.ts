import { events, type OpenaiReply } from "./openai-server.ts";

type Item = Record<string, unknown>;

/** A message of these texts. */
export function message(...texts: string[]): Item {
  const content = texts.map((text) => ({ type: "output_text", text, annotations: [] }));
  return { type: "message", id: "msg_1", role: "assistant", status: "completed", content };
}

/** A call of a tool. */
export function callOf(name: string, input: object, id = "call_1"): Item {
  return { type: "function_call", id: `fc_${id}`, call_id: id, name, arguments: JSON.stringify(input) };
}

/** Reasoning with its summary and its encrypted content. */
export function thought(summary: string, encrypted?: string): Item {
  return {
    type: "reasoning",
    id: "rs_1",
    summary: summary === "" ? [] : [{ type: "summary_text", text: summary }],
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  };
}

export const USAGE = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 3,
  output_tokens_details: { reasoning_tokens: 1 },
  total_tokens: 12,
};

/** A whole response of these items. */
export function response(output: readonly Item[], more: Item = {}): Item {
  return {
    id: "resp_1",
    object: "response",
    status: "completed",
    error: null,
    incomplete_details: null,
    model: "gpt-5",
    output,
    usage: USAGE,
    ...more,
  };
}

/** The events of a response that streams these items, as OpenAI sends them: each text in pieces of `size` characters. */
export function streamed(output: readonly Item[], more: Item = {}, size = 4): Item[] {
  const whole = response(output, more);
  const begun = { ...whole, status: "in_progress", output: [], usage: null };
  const all: Item[] = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
  ];
  const pieces = (type: string, at: Item, text = ""): void => {
    for (const delta of text.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? [])
      all.push({ type, ...at, delta });
  };
  for (const [index, item] of output.entries()) {
    const at = { output_index: index, item_id: item["id"] };
    const started = { ...item, content: [], summary: [], arguments: "", status: "in_progress" };
    all.push({ type: "response.output_item.added", ...at, item: started });
    for (const [place, part] of partsOf(item["content"]).entries()) {
      const here = { ...at, content_index: place };
      all.push({ type: "response.content_part.added", ...here, part: { ...part, text: "" } });
      pieces(`response.${part.type}.delta`, here, part.text ?? part.refusal);
      all.push({ type: `response.${part.type}.done`, ...here, text: part.text });
      all.push({ type: "response.content_part.done", ...here, part });
    }
    for (const [place, part] of partsOf(item["summary"]).entries()) {
      const here = { ...at, summary_index: place };
      all.push({ type: "response.reasoning_summary_part.added", ...here, part: { ...part, text: "" } });
      pieces("response.reasoning_summary_text.delta", here, part.text);
      all.push({ type: "response.reasoning_summary_text.done", ...here, text: part.text });
      all.push({ type: "response.reasoning_summary_part.done", ...here, part });
    }
    if (typeof item["arguments"] === "string")
      pieces("response.function_call_arguments.delta", at, item["arguments"]);
    all.push({ type: "response.output_item.done", ...at, item });
  }
  all.push({ type: `response.${String(whole["status"])}`, response: whole });
  for (const [sequence, event] of all.entries()) event["sequence_number"] = sequence;
  return all;
}

function partsOf(list: unknown): { type: string; text?: string; refusal?: string }[] {
  return (list ?? []) as { type: string; text?: string; refusal?: string }[];
}

/** A streamed answer of these items, each event with its name. */
export function streams(output: readonly Item[], more: Item = {}): OpenaiReply {
  return { pieces: named(streamed(output, more)) };
}

/** Events as they stand on the wire, with their names. */
export function named(all: readonly Item[]): string[] {
  return all.map((event) => `event: ${String(event["type"])}\n${events(event)[0] ?? ""}`);
}
