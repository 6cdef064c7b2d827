import type { ErrorCode } from "../../errors.ts";

/** What a row may put into its words. Everything here is safe to print. */
export interface FailureContext {
  /** Who was asked: a provider's id. */
  name: string;
  /** The address that was asked, without user and password. */
  url: string;
  /** What the server says; empty where what it sent is not readable. */
  message: string;
  status: number;
  model: string | undefined;
  /** Where the key is set. */
  keyPlace: string;
  /** The host that a redirect leads to. */
  location: string | undefined;
}

/** One kind of failed answer, and what this program makes of it. */
export interface FailureRow {
  /** The first and the last HTTP status; undefined for any. */
  status?: readonly [number, number];
  /** What the error's code, type or message must match. */
  pattern?: RegExp;
  /** Whether it counts only for answers that are readable, as a server of this API sends them. */
  isReadable?: boolean;
  code: ErrorCode;
  message: (context: FailureContext) => string;
  hint: (context: FailureContext) => string;
}

const said = ({ message }: FailureContext): string => (message === "" ? "." : `: ${message}`);
const model = (c: FailureContext): string => (c.model === undefined ? "the model" : `the model '${c.model}'`);
const listOf = ({ name }: FailureContext): string =>
  `List its models: openclaw models list --provider ${name}`;

/**
 * Every answer of an OpenAI-compatible server that is an error, first match wins. Codes and statuses are OpenAI's
 * (https://platform.openai.com/docs/guides/error-codes); the patterns fit the wordings of OpenAI, Ollama, vLLM,
 * llama.cpp and LiteLLM, which test/wires/chat-completions/failure-table.test.ts has.
 */
export const FAILURE_TABLE: readonly FailureRow[] = [
  {
    status: [300, 399],
    code: "bad-response",
    message: (c) =>
      `${c.url} answers with a redirect (${c.status}${c.location ? ` to ${c.location}` : ""}), and redirects are not followed.`,
    hint: () => "Set baseUrl to the address that answers.",
  },
  {
    status: [407, 407],
    code: "network",
    message: () => "The proxy demands a login.",
    hint: () => "Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
  },
  {
    pattern:
      /insufficient_quota|billing_(hard_limit|not_active)|exceeded your current quota|insufficient balance/i,
    code: "quota-exceeded",
    message: (c) => `The quota at ${c.name} is used up${said(c)}`,
    hint: (c) => `Check plan and balance at ${c.name}.`,
  },
  {
    status: [402, 402],
    code: "quota-exceeded",
    message: (c) => `${c.name} wants payment${said(c)}`,
    hint: (c) => `Check plan and balance at ${c.name}.`,
  },
  {
    status: [401, 401],
    code: "credentials-rejected",
    message: (c) => `${c.name} rejects the key, or wants one${said(c)}`,
    hint: (c) => `Set a valid key: openclaw config set ${c.keyPlace} '\${MY_API_KEY}'`,
  },
  {
    pattern: /content_filter|content_policy_violation|ResponsibleAIPolicyViolation/,
    status: [400, 499],
    code: "blocked",
    message: (c) => `The content filter of ${c.name} withheld the answer${said(c)}`,
    hint: () => "Rephrase the prompt.",
  },
  {
    status: [400, 599],
    pattern:
      /context_length_exceeded|exceed_context_size|maximum context length|context (length|window|size)|(prompt|input) is too long|too many (input )?tokens/i,
    code: "input-too-long",
    message: (c) => `The input is too long for ${model(c)} of ${c.name}${said(c)}`,
    hint: () => "Shorten the prompt, or serve the model with a larger context.",
  },
  {
    status: [413, 413],
    code: "input-too-long",
    message: (c) => `The request is too large for ${c.name}${said(c)}`,
    hint: () => "Attach fewer or smaller files.",
  },
  {
    status: [400, 404],
    isReadable: true,
    pattern:
      /model_not_found|model_not_supported|\bmodel\b.*(not found|does not exist|not supported|not loaded|is not available)|invalid model( name)?|no models? loaded|unknown model/i,
    code: "model-not-found",
    message: (c) => `${c.name} does not have ${model(c)}${said(c)}`,
    hint: listOf,
  },
  {
    status: [403, 403],
    code: "access-denied",
    message: (c) => `${c.name} does not allow this${said(c)}`,
    hint: (c) => `Check what the key may do at ${c.name}.`,
  },
  {
    status: [404, 405],
    code: "bad-response",
    message: (c) => `${c.url} has no chat completions (${c.status})${said(c)}`,
    hint: () => "Check baseUrl; it usually ends in /v1.",
  },
  {
    status: [429, 429],
    code: "throttled",
    message: (c) => `${c.name} throttles the calls${said(c)}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    pattern: /rate_?limit|too_many_requests|throttl/i,
    status: [500, 599],
    code: "throttled",
    message: (c) => `${c.name} throttles the calls${said(c)}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    status: [500, 599],
    code: "service-unavailable",
    message: (c) => `${c.name} is not available (${c.status})${said(c)}`,
    hint: (c) => `Try again in a minute; if it stays, look at the server's log: ${c.url}`,
  },
  {
    status: [408, 408],
    code: "service-unavailable",
    message: (c) => `${c.name} did not answer in time${said(c)}`,
    hint: () => "Try again in a minute.",
  },
  {
    status: [400, 499],
    isReadable: true,
    code: "invalid-request",
    message: (c) => `${c.name} refuses the request${said(c)}`,
    hint: () => "Change the request; --verbose shows what was sent where.",
  },
  {
    code: "bad-response",
    message: (c) => `${c.url} answers ${c.status} with something that is not OpenAI's API.`,
    hint: () => "Check baseUrl; another server or a proxy may be in between.",
  },
];

/** The row that an answer falls under, by its status and its words. */
export function findFailureRow(status: number, words: string, isReadable: boolean): FailureRow {
  const found = FAILURE_TABLE.find(
    ({ status: bounds, pattern, isReadable: mustBeReadable }) =>
      (bounds === undefined || (status >= bounds[0] && status <= bounds[1])) &&
      (pattern === undefined || pattern.test(words)) &&
      (mustBeReadable !== true || isReadable),
  );
  // The last row has no condition.
  return found ?? (FAILURE_TABLE.at(-1) as FailureRow);
}
