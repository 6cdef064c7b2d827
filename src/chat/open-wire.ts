import type { Ask } from "../converse/plan-request.ts";
import type { Wire } from "../converse/wire.ts";
import { apiOf } from "../models/provider-api.ts";
import type { Setup } from "../session/session.ts";
import type { WireOptions } from "./converse-wire.ts";

type OpenWire = (setup: Setup, ask: Ask, options: WireOptions) => Promise<Wire>;

/** The APIs that a model may be called through, and how. Each is loaded when it is used. */
const WIRES: Readonly<Record<ReturnType<typeof apiOf>, () => Promise<OpenWire>>> = {
  "bedrock-converse-stream": async () => (await import("./converse-wire.ts")).openConverse,
  "openai-completions": async () =>
    (await import("../wires/chat-completions/open-completions.ts")).openCompletions,
  "openai-responses": async () => (await import("../wires/responses/open-responses.ts")).openResponses,
};

/**
 * Opens the way to the model of a question. Throws `usage` for a region or endpoint that cannot be, `config-invalid` for a
 * provider that cannot be called as it is set, and first of all what is wrong with the question's schema.
 */
export async function openWire(setup: Setup, ask: Ask, options: WireOptions): Promise<Wire> {
  const open = await WIRES[apiOf(ask.model.providerId, ask.model.provider)]();
  const [wire, schema] = await Promise.allSettled([open(setup, ask, options), ask.schema?.checked]);
  if (schema.status === "rejected") {
    if (wire.status === "fulfilled") wire.value.close();
    throw schema.reason;
  }
  if (wire.status === "rejected") throw wire.reason;
  return wire.value;
}
