import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

/** The code of an answer that this program gives itself in place of a server (JSON-RPC 2.0, 5.1: -32000 to -32099). */
const OWN_ERROR = -32_000;
/** What is said of a server whose answer fits no form of a message. */
export const NOT_JSON_RPC = "sent an answer that is none of JSON-RPC";

/** The requests to a server that wait for an answer, so that what can never be answered fails at once, and not by time. */
export class Unanswered {
  readonly #ids = new Set<string | number>();

  sends(message: JSONRPCMessage): void {
    if ("method" in message && "id" in message) this.#ids.add(message.id);
  }

  comes(message: JSONRPCMessage): void {
    if (!("method" in message) && message.id !== undefined) this.#ids.delete(message.id);
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
