import { isRecord, type JsonObject, recordsAt, textAt } from "../json.ts";
import { type Framing, serverSentEvent } from "./framing.ts";
import { type AnswerName, callIdOf, errorInStream } from "./openai-request.ts";
import { encrypt, type ResponsesRequest } from "./responses-request.ts";
import type { StreamStep } from "./script.ts";
import { estimateTokens, paced, splitIntoDeltas, type SimulatedAnswer } from "./simulated-answer.ts";

/** How the events of a response are written: https://platform.openai.com/docs/api-reference/responses-streaming */
export const RESPONSES_FRAMING: Framing = {
  contentType: "text/event-stream; charset=utf-8",
  deltas: ["response.output_text.delta"],
  ends: ["response.completed"],
  event: serverSentEvent,
  exception: (name, payload) =>
    serverSentEvent("error", { type: "error", ...errorInStream(name, payload), param: null }),
};

/** What a response is told apart by, and what of the request it repeats. */
interface ResponseName extends AnswerName {
  modelId: string;
}

type Item = Record<string, unknown>;

/** Why a response is not complete. */
const INCOMPLETE: Partial<Record<SimulatedAnswer["stopReason"], string>> = {
  max_tokens: "max_output_tokens",
  model_context_window_exceeded: "max_output_tokens",
  content_filtered: "content_filter",
  guardrail_intervened: "content_filter",
};

/** The response of a made-up answer, for who does not stream. */
export function responseOf(
  answer: SimulatedAnswer,
  request: ResponsesRequest,
  name: ResponseName,
): JsonObject {
  const reason = INCOMPLETE[answer.stopReason];
  return {
    ...beginningOf(name),
    status: reason ? "incomplete" : "completed",
    incomplete_details: reason ? { reason } : null,
    output: itemsOf(answer, request, name),
    usage: usageOf(answer),
  };
}

/** The stream of a made-up answer. */
export function* responseSteps(
  answer: SimulatedAnswer,
  request: ResponsesRequest,
  { delayMs, ...name }: ResponseName & { delayMs: number },
): Generator<StreamStep> {
  const whole = responseOf(answer, request, name);
  const begun = { ...whole, status: "in_progress", incomplete_details: null, output: [], usage: null };
  let sequence = 0;
  const step = (type: string, fields: Item): StreamStep => ({
    event: type,
    payload: { type, sequence_number: sequence++, ...fields },
  });
  const pieces = (type: string, at: Item, text: string): Generator<StreamStep> =>
    paced(splitIntoDeltas(text), delayMs, (delta) => step(type, { ...at, delta }));
  yield step("response.created", { response: begun });
  yield step("response.in_progress", { response: begun });
  for (const [index, item] of itemsOf(answer, request, name).entries()) {
    const at = { output_index: index, item_id: item["id"] };
    const isMessage = item["type"] === "message";
    const empty = isMessage
      ? { content: [] }
      : item["type"] === "reasoning"
        ? { summary: [] }
        : { arguments: "" };
    yield step("response.output_item.added", {
      output_index: index,
      item: { ...item, ...empty, encrypted_content: undefined, status: "in_progress" },
    });
    for (const [place, part] of recordsAt(item, "content").entries()) {
      const here = { ...at, content_index: place };
      const text = textAt(part, "text") ?? "";
      yield step("response.content_part.added", { ...here, part: { ...part, text: "", annotations: [] } });
      yield* pieces("response.output_text.delta", { ...here, logprobs: [] }, text);
      for (const [nth, annotation] of recordsAt(part, "annotations").entries())
        yield step("response.output_text.annotation.added", { ...here, annotation_index: nth, annotation });
      yield step("response.output_text.done", { ...here, text, logprobs: [] });
      yield step("response.content_part.done", { ...here, part });
    }
    for (const [place, part] of recordsAt(item, "summary").entries()) {
      const here = { ...at, summary_index: place };
      const text = textAt(part, "text") ?? "";
      yield step("response.reasoning_summary_part.added", { ...here, part: { ...part, text: "" } });
      yield* pieces("response.reasoning_summary_text.delta", here, text);
      yield step("response.reasoning_summary_text.done", { ...here, text });
      yield step("response.reasoning_summary_part.done", { ...here, part });
    }
    const input = textAt(item, "arguments");
    if (input !== undefined) {
      yield* pieces("response.function_call_arguments.delta", at, input);
      yield step("response.function_call_arguments.done", { ...at, name: item["name"], arguments: input });
    }
    yield step("response.output_item.done", { output_index: index, item });
  }
  yield step(`response.${String(whole["status"])}`, { response: whole });
}

function itemsOf(
  { reasoning, text, toolUses, stopReason }: SimulatedAnswer,
  { isEncrypted, isSummarised, maySearch }: ResponsesRequest,
  { callId, modelId }: ResponseName,
): Item[] {
  const id = hexOf(callId);
  const status = INCOMPLETE[stopReason] ? "incomplete" : "completed";
  const items: Item[] = [];
  if (reasoning) {
    items.push({
      id: `rs_${id}`,
      type: "reasoning",
      summary: isSummarised ? [{ type: "summary_text", text: reasoning.text }] : [],
      ...(isEncrypted ? { encrypted_content: encrypt(reasoning.text, modelId) } : {}),
    });
  }
  if (maySearch && toolUses.length === 0) {
    items.push({
      id: `ws_${id}`,
      type: "web_search_call",
      status: "completed",
      action: { type: "search", query: "simulated", queries: ["simulated"] },
    });
  }
  if (text !== "") {
    const annotations = maySearch
      ? [
          {
            type: "url_citation",
            url: "https://example.com/simulated",
            title: "Simulated by the openclaw emulator",
            start_index: 0,
            end_index: text.length,
          },
        ]
      : [];
    const content = [{ type: "output_text", text, annotations, logprobs: [] }];
    items.push({ id: `msg_${id}`, type: "message", role: "assistant", status, content });
  }
  for (const [nth, { toolUseId, name, input }] of toolUses.entries()) {
    items.push({
      id: `fc_${id}${nth}`,
      type: "function_call",
      status: "completed",
      call_id: callIdOf(toolUseId),
      name,
      arguments: JSON.stringify(input),
    });
  }
  return items;
}

function beginningOf({ callId, body, createdAt }: ResponseName): Item {
  return {
    id: `resp_${hexOf(callId)}`,
    object: "response",
    created_at: createdAt,
    background: false,
    error: null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    metadata: body["metadata"] ?? {},
    model: body["model"],
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    previous_response_id: null,
    reasoning: isRecord(body["reasoning"]) ? body["reasoning"] : { effort: null, summary: null },
    service_tier: "default",
    // As the page says: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
    store: body["store"] !== false,
    temperature: body["temperature"] ?? 1,
    text: isRecord(body["text"]) ? body["text"] : { format: { type: "text" } },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    top_p: body["top_p"] ?? 1,
    truncation: body["truncation"] ?? "disabled",
  };
}

function usageOf({ inputTokens, outputTokens, reasoning }: SimulatedAnswer): object {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoning ? estimateTokens(reasoning.text) : 0 },
    total_tokens: inputTokens + outputTokens,
  };
}

function hexOf(callId: string): string {
  return callId.replaceAll("-", "");
}
