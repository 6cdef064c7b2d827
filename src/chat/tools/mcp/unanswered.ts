import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

/** The code of an answer that this program gives itself in place of a server (JSON-RPC 2.0, 5.1: -32000 to -32099). */
const OWN_ERROR = -32_000;
/** What is said of a server whose answer fits no form of a message. */
export const NOT_JSON_RPC = "sent an answer that is none of JSON-RPC";

/** The most that a server says besides while an answer is awaited, in messages: what reports each percent says less. */
const MOST_BESIDES = 100_000;
/** What is said of a server that says more. */
export const ENDLESS = `sent more than ${MOST_BESIDES} messages, and no answer`;

/** The requests to a server that wait for an answer, so that what can never be answered fails at once, and not by time. */
export class Unanswered {
  readonly #ids = new Set<string | number>();
  #besides = 0;

  sends(message: JSONRPCMessage): void {
    if ("method" in message && "id" in message) this.#ids.add(message.id);
  }

  /** Returns whether more has come than a server says that will still answer. */
  comes(message: JSONRPCMessage): boolean {
    const isAnswer = !("method" in message) && message.id !== undefined && this.#ids.delete(message.id);
    this.#besides = isAnswer || this.#ids.size === 0 ? 0 : this.#besides + 1;
    return this.#besides > MOST_BESIDES;
  }

  has(id: unknown): boolean {
    return (typeof id === "string" || typeof id === "number") && this.#ids.has(id);
  }

  /** The answers that say why there is none: to one request, or to all of them. */
  fail(why: string, ids: Iterable<string | number> = this.#ids): JSONRPCMessage[] {
    return [...ids].flatMap((id) => {
      if (!this.#ids.delete(id)) return [];
      return [{ jsonrpc: "2.0" as const, id, error: { code: OWN_ERROR, message: why } }];
    });
  }
}
