import type { Call } from "./call.ts";
import type { ErrorAnswer } from "./error-answer.ts";
import type { UnknownFields } from "./field-rules.ts";
import type { KeyLimiter } from "./keys/key-limiter.ts";
import type { RateState } from "./keys/limit-store.ts";
import type { Upstream } from "./upstream.ts";

export interface AnswerService {
  upstream: Upstream;
  unknownFields: UnknownFields;
  limiter: KeyLimiter;
  allowsRemoteImages: boolean;
  logsContent: boolean;
  heartbeatMs: number;
  idleMs: number;
}

export interface RouteRequest {
  call: Call;
  /** What stands in the path where the route has `:id`; empty for one without. */
  id: string;
  /** What stands behind the path. */
  query: URLSearchParams;
  headers: Headers;
  /** The parsed body of a POST. */
  body: unknown;
  /** Milliseconds since 1970. */
  now: number;
  hangUp: () => void;
}

export interface Route {
  /** A POST asks a model: it counts among the answers that run at once, and has a body of JSON. */
  method: "GET" | "POST" | "DELETE";
  /** True for a POST that asks no model, whose body nobody reads. */
  isBodiless?: boolean;
  path: string;
  /** Which requests it is for, where other dialects have the same path; all, unless it says otherwise. */
  isFor?: (headers: Headers) => boolean;
  /** What it throws becomes an HTTP error. */
  answer: (service: AnswerService, request: RouteRequest) => Promise<Response>;
}

/** What one kind of clients speaks. */
export interface Dialect {
  name: "chat-completions" | "responses" | "messages" | "embeddings" | "bedrock";
  routes: readonly Route[];
  /** The beginnings of paths that are its own, whether or not there is a route: `/v1/messages` is that of `/v1/messages/nosuch`. */
  roots?: readonly string[];
  toError: (error: ErrorAnswer, requestId: string) => ToldError;
  /** Where its clients look for the id of a request, beside `x-request-id`. */
  requestIdHeader?: string;
  /** Whether its clients alone send such a request, wherever it goes: what is wrong with it is told in their form. */
  isSpokenBy?: (headers: Headers) => boolean;
  /** The types of bodies that its clients call JSON, beside `application/json`; empty for a body without one. */
  bodyTypes?: (headers: Headers) => readonly string[];
  /** Headers that tell what is left of a key's limits at a moment, in ms since 1970; OpenAI's unless it says otherwise. */
  toRateHeaders?: (rate: RateState, now: number) => Readonly<Record<string, string>>;
}

export interface ToldError {
  /** Where it is another than the error's own. */
  status?: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}
