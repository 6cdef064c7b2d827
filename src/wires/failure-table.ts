import type { ErrorCode } from "../errors.ts";
import { servedApi } from "../models/provider-api.ts";
import type { CalledServer } from "./server.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** What a row may put into its words. Everything here is safe to print. */
export interface FailureContext extends Pick<CalledServer, "name" | "shownUrl" | "keyPlace" | "api"> {
  /** What the server says; empty where what it sent is not readable. */
  message: string;
  status: number;
  model: string | undefined;
  /** The host that a redirect leads to. */
  location: string | undefined;
}

interface FailureSign {
  status: number;
  /** The error's code, type and message. */
  words: string;
  /** Whether the answer is readable, as a server of this API sends them. */
  isReadable: boolean;
}

/** One kind of failed answer, and what this program makes of it. */
export interface FailureRow {
  when: (sign: FailureSign) => boolean;
  code: ErrorCode;
  message: (context: FailureContext) => string;
  hint: (context: FailureContext) => string;
}

/** What to look at where an answer is none of this API. */
export const CHECK_BASE_URL = "Check baseUrl; another server or a proxy may be in between.";

const said = ({ message }: FailureContext): string => (message === "" ? "." : `: ${message}`);
const model = (c: FailureContext): string => (c.model === undefined ? "the model" : `the model '${c.model}'`);
const isRefusal = (status: number): boolean => status >= 400 && status <= 499;
const isFault = (status: number): boolean => status >= 500 && status <= 599;

/**
 * Every answer of a server that is an error, first match wins. Codes and statuses are OpenAI's
 * (https://platform.openai.com/docs/guides/error-codes) and Anthropic's (https://platform.claude.com/docs/en/api/errors);
 * the patterns fit their wordings and those of Ollama, vLLM, llama.cpp and LiteLLM, which test/wires/failure-table.test.ts has.
 */
export const FAILURE_TABLE: readonly FailureRow[] = [
  {
    when: ({ status }) => status >= 300 && status <= 399,
    code: "bad-response",
    message: (c) =>
      `${c.shownUrl} answers with a redirect (${c.status}${c.location ? ` to ${c.location}` : ""}), and redirects are not followed.`,
    hint: () => "Set baseUrl to the address that answers.",
  },
  {
    when: ({ status }) => status === 407,
    code: "network",
    message: () => "The proxy demands a login.",
    hint: () => "Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
  },
  {
    when: ({ words }) =>
      /insufficient_quota|billing_(hard_limit|not_active|error)|credit balance is too low|exceeded your current quota|insufficient balance/i.test(
        words,
      ),
    code: "quota-exceeded",
    message: (c) => `The quota at ${c.name} is used up${said(c)}`,
    hint: (c) => `Check plan and balance at ${c.name}.`,
  },
  {
    when: ({ status }) => status === 402,
    code: "quota-exceeded",
    message: (c) => `${c.name} wants payment${said(c)}`,
    hint: (c) => `Check plan and balance at ${c.name}.`,
  },
  {
    when: ({ status }) => status === 401,
    code: "credentials-rejected",
    message: (c) => `${c.name} rejects the key, or wants one${said(c)}`,
    hint: (c) => `Set a valid key: openclaw config set ${quoteForShell(c.keyPlace)} '\${MY_API_KEY}'`,
  },
  {
    when: ({ status, words }) =>
      isRefusal(status) &&
      /content_filter|content_policy_violation|\bbio_policy\b|ResponsibleAIPolicyViolation/.test(words),
    code: "blocked",
    message: (c) => `The content filter of ${c.name} withheld the answer${said(c)}`,
    hint: () => "Rephrase the prompt.",
  },
  {
    when: ({ status, words }) =>
      (isRefusal(status) || isFault(status)) &&
      /context_length_exceeded|exceed_context_size|maximum context length|context (length|window|size|limit)|(prompt|input) is too long|too many (input )?tokens/i.test(
        words,
      ),
    code: "input-too-long",
    message: (c) => `The input is too long for ${model(c)} of ${c.name}${said(c)}`,
    hint: () => "Shorten the prompt, or serve the model with a larger context.",
  },
  {
    when: ({ status }) => status === 413,
    code: "input-too-long",
    message: (c) => `The request is too large for ${c.name}${said(c)}`,
    hint: () => "Attach fewer or smaller files.",
  },
  {
    when: ({ status, words, isReadable }) =>
      isReadable &&
      status >= 400 &&
      status <= 404 &&
      /model_not_found|model_not_supported|not_found_error model:|\bmodel\b.*(not found|does not exist|not supported|not loaded|is not available)|invalid model( name)?|no models? loaded|unknown model/i.test(
        words,
      ),
    code: "model-not-found",
    message: (c) => `${c.name} does not have ${model(c)}${said(c)}`,
    hint: ({ name }) => `List its models: openclaw models list --provider ${quoteForShell(name)}`,
  },
  {
    when: ({ status }) => status === 403,
    code: "access-denied",
    message: (c) => `${c.name} does not allow this${said(c)}`,
    hint: (c) => `Check what the key may do at ${c.name}.`,
  },
  {
    when: ({ status }) => status === 404 || status === 405,
    code: "bad-response",
    message: (c) =>
      `${c.shownUrl} ${c.model === undefined ? "has no list of models" : "does not speak this API"} (${c.status})${said(c)}`,
    hint: ({ api }) => `Check baseUrl, which is like ${servedApi(api).exampleUrl}, and api.`,
  },
  {
    when: ({ status, words }) =>
      status === 429 || (isFault(status) && /rate_?limit|too_many_requests|throttl/i.test(words)),
    code: "throttled",
    message: (c) => `${c.name} throttles the calls${said(c)}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    // llama.cpp up to May 2025, with status 500: https://github.com/containers/ramalama/issues/1431
    when: ({ words }) => /cannot use tools with stream/i.test(words),
    code: "invalid-request",
    message: (c) => `${c.name} takes no tools where it streams${said(c)}`,
    hint: () => "Update the server.",
  },
  {
    when: ({ status }) => isFault(status),
    code: "service-unavailable",
    message: (c) => `${c.name} is not available (${c.status})${said(c)}`,
    hint: (c) => `Try again in a minute; if it stays, look at the server's log: ${c.shownUrl}`,
  },
  {
    when: ({ status }) => status === 408,
    code: "service-unavailable",
    message: (c) => `${c.name} did not answer in time${said(c)}`,
    hint: () => "Try again in a minute.",
  },
  {
    when: ({ status, isReadable }) => isReadable && isRefusal(status),
    code: "invalid-request",
    message: (c) => `${c.name} refuses the request${said(c)}`,
    hint: () => "Change the request; --verbose shows what was sent where.",
  },
  {
    when: () => true,
    code: "bad-response",
    message: (c) =>
      `${c.shownUrl} answers ${c.status} with something that is not ${servedApi(c.api).maker}'s API.`,
    hint: () => CHECK_BASE_URL,
  },
];
