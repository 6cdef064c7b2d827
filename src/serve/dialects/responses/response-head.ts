import type { ResponseCreateParamsBase } from "openai/resources/responses/responses";
import type { JsonObject } from "../../../json.ts";
import type { ResponseHead } from "./to-response-events.ts";

/** The most that is repeated of one field, in characters. */
const LONGEST_ECHO = 200_000;

/** What is repeated to a client is written in one go, up to three times, so that of what is long there is nothing. */
function echo<T>(value: T | null | undefined, otherwise: T): T {
  return value === undefined || value === null || isLong(value) ? otherwise : value;
}

function isLong(value: unknown): boolean {
  let length = 0;
  const rest: unknown[] = [value];
  for (let next = rest.pop(); next !== undefined && length <= LONGEST_ECHO; next = rest.pop()) {
    length += typeof next === "string" ? next.length : 1;
    if (typeof next !== "object" || next === null) continue;
    for (const [name, item] of Object.entries(next)) {
      length += name.length;
      if (item !== undefined) rest.push(item);
    }
  }
  return length > LONGEST_ECHO;
}

/** What a response repeats of its request, with what OpenAI takes for what was not said. `createdAt` is in seconds since 1970. */
export function headOf(body: JsonObject, id: string, createdAt: number): ResponseHead {
  const sent = body as Partial<ResponseCreateParamsBase>;
  return {
    id,
    object: "response",
    created_at: createdAt,
    background: false,
    instructions: echo(sent.instructions, null),
    max_output_tokens: sent.max_output_tokens ?? null,
    metadata: echo(sent.metadata, {}),
    parallel_tool_calls: sent.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...echo(sent.reasoning, {}) },
    service_tier: "default",
    temperature: sent.temperature ?? null,
    text: { format: { type: "text" }, ...echo(sent.text, {}) },
    tool_choice: echo(sent.tool_choice, "auto"),
    tools: echo(sent.tools, []),
    top_p: sent.top_p ?? null,
    truncation: echo(sent.truncation, "disabled"),
    ...(typeof sent.user === "string" && !isLong(sent.user) ? { user: sent.user } : {}),
  };
}
