import type { ResponseMetadata } from "@smithy/types";
import { type Service, SERVICE_NAMES } from "../aws/endpoint.ts";
import { OpenclawError } from "../errors.ts";
import { IN_BETWEEN } from "../network/network-errors.ts";
import type { AwsSession } from "./session.ts";

/** Who answered, and with what besides its body. */
export interface Answered {
  session: AwsSession;
  service: Service;
  metadata?: ResponseMetadata;
}

/** The error of an answer that AWS never gives. `what` goes on after who has answered, without a full stop. */
export function strangeAnswer(
  { session, service, metadata }: Answered,
  what: string,
  cause?: unknown,
): OpenclawError {
  const who = session.endpoint(service)?.url ?? SERVICE_NAMES[service] ?? "Bedrock";
  return new OpenclawError("bad-response", {
    message: `${who} ${what}.`,
    hint: IN_BETWEEN,
    requestId: metadata?.requestId,
    cause,
  });
}

/** The list of an answer, which AWS sends where it is empty, too. `what` says what it is of. Throws `bad-response`. */
export function listIn<Value>(value: Value, what: string, answered: Answered): Value & readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw strangeAnswer(answered, `answered without a list of ${what}, which AWS never does`);
}

/** The names of the pages of a list, as each is told by the one before. */
export class PageTokens {
  readonly #seen = new Set<unknown>();

  /** The name of the next page; undefined after the last one. Throws `bad-response` for one that was there before. */
  next<Token>(token: Token | undefined, what: string, answered: Answered): Token | undefined {
    if (token === undefined || token === null || token === "") return undefined;
    if (this.#seen.has(token))
      throw strangeAnswer(answered, `leads in a circle from page to page of ${what}`);
    this.#seen.add(token);
    return token;
  }
}
