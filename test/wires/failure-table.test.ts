import { describe, expect, it } from "vitest";
import { FAILURE_TABLE } from "../../src/wires/failure-table.ts";
import { openServer } from "../../src/wires/server.ts";
import { toServerFailure, toStreamFailure } from "../../src/wires/server-failure.ts";

const server = openServer("lab", "http://127.0.0.1:9/v1", {
  key: undefined,
  keyPlace: "models.providers.lab.apiKey",
  urlPlace: "models.providers.lab.baseUrl",
});
const setup = { server, model: "m", hide: (text: string) => text.replaceAll("sk-secret", "…") };

function failure(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return toServerFailure({ status, headers, body: text }, setup);
}

const openai = (message: string, code: string | null, type = "invalid_request_error") => ({
  error: { message, type, param: null, code },
});

const anthropic = (type: string, message: string) => ({
  type: "error",
  error: { type, message },
  request_id: "req_1",
});

/** Wordings as the servers' sources and documentation have them. */
const CASES: readonly [string, number, unknown, string][] = [
  [
    "OpenAI: a wrong key",
    401,
    openai("Incorrect API key provided: sk-…abcd.", "invalid_api_key"),
    "credentials-rejected",
  ],
  ["a server without a body that wants a key", 401, "", "credentials-rejected"],
  ["vLLM: a wrong key", 401, { error: "Unauthorized" }, "credentials-rejected"],
  ["OpenAI: a project without the model's permission", 403, openai("Not allowed", null), "access-denied"],
  [
    "OpenAI: no such model",
    404,
    openai("The model `x` does not exist or you do not have access to it.", "model_not_found"),
    "model-not-found",
  ],
  [
    "Ollama: no such model",
    404,
    openai('model "x" not found, try pulling it first', null, "not_found_error"),
    "model-not-found",
  ],
  [
    "vLLM: no such model",
    404,
    { object: "error", message: "The model `x` does not exist.", type: "NotFoundError", code: 404 },
    "model-not-found",
  ],
  [
    "LiteLLM: no such model",
    400,
    {
      error: {
        message: "/chat/completions: Invalid model name passed in model=x.",
        type: "None",
        code: "400",
      },
    },
    "model-not-found",
  ],
  ["LM Studio: nothing loaded", 400, { error: "No models loaded. Please load a model." }, "model-not-found"],
  ["another path", 404, "<html>nginx</html>", "bad-response"],
  ["FastAPI: another path", 404, { detail: "Not Found" }, "bad-response"],
  [
    "OpenAI: too long",
    400,
    openai("This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
    "input-too-long",
  ],
  [
    "llama.cpp: too long",
    400,
    {
      error: {
        code: 400,
        message: "the request exceeds the available context size, try increasing it",
        type: "exceed_context_size_error",
      },
    },
    "input-too-long",
  ],
  [
    "vLLM: too long",
    400,
    {
      object: "error",
      message: "This model's maximum context length is 4096 tokens.",
      type: "BadRequestError",
    },
    "input-too-long",
  ],
  ["a body that is too large", 413, "<html>413</html>", "input-too-long"],
  ["OpenAI: throttled", 429, openai("Rate limit reached for m", "rate_limit_exceeded"), "throttled"],
  [
    "OpenAI: no quota",
    429,
    openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
    "quota-exceeded",
  ],
  ["DeepSeek: no balance", 402, openai("Insufficient Balance", null), "quota-exceeded"],
  [
    "OpenAI: a wrong parameter",
    400,
    openai("Unsupported value: 'temperature'", "unsupported_value"),
    "invalid-request",
  ],
  [
    "FastAPI: a wrong parameter",
    422,
    { detail: [{ loc: ["body", "temperature"], msg: "Input should be a number" }] },
    "invalid-request",
  ],
  ["Azure: filtered", 400, openai("The response was filtered", "content_filter"), "blocked"],
  [
    "llama.cpp: still loading",
    503,
    { error: { code: 503, message: "Loading model", type: "unavailable_error" } },
    "service-unavailable",
  ],
  ["OpenAI: a fault", 500, openai("The server had an error", null, "server_error"), "service-unavailable"],
  [
    "Anthropic: a wrong key",
    401,
    anthropic("authentication_error", "invalid x-api-key"),
    "credentials-rejected",
  ],
  ["Anthropic: no such model", 404, anthropic("not_found_error", "model: claude-x"), "model-not-found"],
  [
    "Anthropic: no balance",
    400,
    anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    "quota-exceeded",
  ],
  ["Anthropic: a bill", 402, anthropic("billing_error", "Payment required"), "quota-exceeded"],
  [
    "Anthropic: too long",
    400,
    anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    "input-too-long",
  ],
  [
    "Anthropic: too long for its answer",
    400,
    anthropic(
      "invalid_request_error",
      "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000",
    ),
    "input-too-long",
  ],
  ["Anthropic: too many", 429, anthropic("rate_limit_error", "Slow down"), "throttled"],
  [
    "Anthropic: too many for anybody",
    529,
    anthropic("overloaded_error", "Overloaded"),
    "service-unavailable",
  ],
  ["a proxy whose server is gone", 502, "<html>Bad Gateway</html>", "service-unavailable"],
  ["a time-out", 408, openai("Request timeout", null), "service-unavailable"],
  ["a redirect", 302, "", "bad-response"],
  ["a proxy that wants a login", 407, "", "network"],
  ["a page in place of an answer", 200, "<html>hi</html>", "bad-response"],
  ["a page in place of a refusal", 400, "<html>no</html>", "bad-response"],
];

describe("turns into an error", () => {
  it.each(CASES)("%s", (_, status, body, code) => {
    const error = failure(status, body);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/lab|http:\/\/127\.0\.0\.1:9|The proxy/);
    expect(error.hint).not.toBe("");
    expect(error.details?.["status"]).toBe(status);
  });

  it("each row of the table, so that none is dead", () => {
    const codes = new Set(CASES.map(([, , , code]) => code));
    expect(FAILURE_TABLE.filter(({ code }) => !codes.has(code))).toEqual([]);
  });
});

it("tells where a redirect leads, and not the rest of its address", () => {
  const { message } = failure(307, "", { location: "https://login.example/?session=1" });
  expect(message).toContain("login.example");
  expect(message).not.toContain("session");
});

it("names the request and keeps what the server asks to wait", () => {
  const error = failure(429, openai("slow down", null), { "x-request-id": "req_1", "retry-after": "3" });
  expect(error.requestId).toBe("req_1");
  expect(failure(429, "", { "request-id": "req_2" }).requestId).toBe("req_2");
  expect(error.details?.["retryAfter"]).toBe(3);
});

it("takes secrets out of what a server repeats", () => {
  expect(failure(400, openai("bad key sk-secret", null)).message).not.toContain("sk-secret");
});

describe("turns what stands in a stream into an error", () => {
  it.each<[unknown, string]>([
    [openai("Rate limit reached", "rate_limit_exceeded", "requests"), "throttled"],
    [{ error: { message: "engine died", code: 500 } }, "service-unavailable"],
    [{ error: { message: "Overloaded", type: "overloaded_error" } }, "service-unavailable"],
    [{ error: { message: "too long", code: "context_length_exceeded" } }, "input-too-long"],
    [anthropic("api_error", "Internal server error"), "service-unavailable"],
    [anthropic("timeout_error", "Timed out"), "service-unavailable"],
    [{ error: "it fell over" }, "stream-broken"],
    ["it fell over", "stream-broken"],
    [{ error: {} }, "stream-broken"],
  ])("%j", (data, code) => {
    expect(toStreamFailure(data, setup).code).toBe(code);
  });
});

it.each([
  ["openai-completions", "http://127.0.0.1:11434/v1"],
  ["openai-responses", "http://127.0.0.1:11434/v1"],
  ["anthropic-messages", "https://api.anthropic.com"],
] as const)("shows an address as clients of %s have it, where nothing answers", (api, example) => {
  const { name, keyPlace, urlPlace } = server;
  const other = openServer(name, "http://127.0.0.1:9", { key: undefined, keyPlace, urlPlace, api });
  const { hint } = toServerFailure({ status: 404, headers: {}, body: "no" }, { ...setup, server: other });
  expect(hint).toBe(`Check baseUrl, which is like ${example}, and api.`);
  expect(() => openServer(name, "lab", { key: undefined, keyPlace, urlPlace, api })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining(example) }),
  );
});
