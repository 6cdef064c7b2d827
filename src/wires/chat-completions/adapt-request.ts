import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";

type Body = ChatCompletionCreateParamsStreaming;

/**
 * Servers disagree about two fields. The limit on tokens is `max_tokens` to Ollama, vLLM, llama.cpp and LiteLLM; OpenAI's
 * reasoning models take `max_completion_tokens` only (https://platform.openai.com/docs/api-reference/chat/create). And
 * `stream_options`, without which most servers count nothing, is unknown to older ones.
 */
const ADAPTATIONS: readonly { refusal: RegExp; adapt: (body: Body) => Body | undefined }[] = [
  {
    refusal: /max_completion_tokens/,
    adapt: ({ max_tokens: most, ...body }) =>
      most === undefined || most === null ? undefined : { ...body, max_completion_tokens: most },
  },
  {
    refusal: /stream_options/,
    adapt: ({ stream_options: options, ...body }) => (options === undefined ? undefined : body),
  },
];

/** The same request in the words that a server's refusal (its message) asks for; undefined where it asks for none. */
export function adaptRequest(body: Body, refusal: string): Body | undefined {
  for (const { refusal: pattern, adapt } of ADAPTATIONS) {
    const adapted = pattern.test(refusal) ? adapt(body) : undefined;
    if (adapted) return adapted;
  }
  return undefined;
}
