import { isLearnt } from "../converse/apply-lessons.ts";
import type { Ask } from "../converse/plan-request.ts";
import type { Wire } from "../converse/wire.ts";
import { recallLessons } from "../discovery/lesson-cache.ts";
import type { Api } from "../models/families.ts";
import { isServed, type Way, waysTo } from "../models/provider-api.ts";
import { targetOf } from "../models/resolve-model.ts";
import { once } from "../once.ts";
import { openSession, type Setup } from "../session/session.ts";
import type { ServerApi } from "../wires/server-wire.ts";
import type { WireOptions } from "./bedrock-wire.ts";

/** The APIs of servers, and how a question is asked by each: what is loaded when it is used. */
const APIS: Readonly<
  Record<Exclude<Api, "bedrock-converse-stream">, () => Promise<(setup: Setup, ask: Ask) => ServerApi>>
> = {
  "openai-completions": async () =>
    (await import("../wires/chat-completions/completions-api.ts")).completionsApi,
  "openai-responses": async () => (await import("../wires/responses/responses-api.ts")).responsesApi,
  "anthropic-messages": async () => (await import("../wires/messages/messages-api.ts")).messagesApi,
};

/** The wires to one model, of which the next is for when the one before was refused as such. */
export interface Wires {
  /**
   * Opens the likeliest wire that was not tried, those that are known to refuse the model last; undefined where there is none. Throws
   * `usage` for a region or endpoint that cannot be, `config-invalid` for a provider that cannot be called as it is set, and
   * first of all what is wrong with the question's schema.
   */
  next(): Promise<{ wire: Wire; way: Way } | undefined>;
  close(): void;
}

/** Prepares the wires to the model of a question. They share one session. */
export function openWires(setup: Setup, ask: Ask, options: WireOptions): Wires {
  const { model } = ask;
  const open = once(() => (options.open ?? openSession)(setup, targetOf(model)));
  let close = (): void => undefined;
  const shared: WireOptions = {
    ...options,
    open: async () => {
      const session = await open();
      close = () => session.close();
      return { ...session, close: () => undefined };
    },
  };
  // What is said in the words of a vendor has one way to go.
  const ways = [...waysTo(model)].slice(0, ask.invocation ? 1 : undefined);
  const refusing: Way[] = [];
  let wire: Wire | undefined;
  const openBy = async (way: Way): Promise<{ wire: Wire; way: Way }> => {
    wire?.close();
    wire = await openWay(setup, ask, shared, way);
    return { wire, way };
  };
  return {
    next: async () => {
      const isOnly = ways.length === 1;
      for (let way = ways.shift(); way; way = ways.shift()) {
        const opened = await openBy(way);
        const refuses = !isOnly && isLearnt(await recallLessons(setup, opened.wire.place), "other-wire");
        if (!refuses) return opened;
        refusing.push(way);
      }
      // Where nothing else is left they may say so anew, or have changed.
      const again = refusing.shift();
      return again && openBy(again);
    },
    close: () => {
      wire?.close();
      close();
    },
  };
}

/** Opens the likeliest wire to the model of a question. Throws as `next` of its wires does. */
export async function openWire(setup: Setup, ask: Ask, options: WireOptions): Promise<Wire> {
  const wires = openWires(setup, ask, options);
  const opened = await wires.next();
  if (!opened) throw new Error(`No API calls '${ask.model.key}'.`);
  return { ...opened.wire, close: () => wires.close() };
}

async function openWay(setup: Setup, ask: Ask, options: WireOptions, way: Way): Promise<Wire> {
  const [wire, schema] = await Promise.allSettled([openBy(setup, ask, options, way), ask.schema?.checked]);
  if (schema.status === "rejected") {
    if (wire.status === "fulfilled") wire.value.close();
    throw schema.reason;
  }
  if (wire.status === "rejected") throw wire.reason;
  return wire.value;
}

async function openBy(setup: Setup, ask: Ask, options: WireOptions, way: Way): Promise<Wire> {
  const { api, path } = way;
  if (ask.invocation)
    return (await import("./bedrock-wire.ts")).openInvoke(setup, ask, ask.invocation, options);
  const loaded = api === "bedrock-converse-stream" ? undefined : APIS[api]();
  if (isServed(ask.model) && loaded) {
    const [apiFor, { openServerWire }] = await Promise.all([loaded, import("../wires/server-wire.ts")]);
    return openServerWire(setup, ask, apiFor(setup, ask));
  }
  const { openConverse, openOverAws } = await import("./bedrock-wire.ts");
  if (!loaded || !path) return openConverse(setup, ask, options);
  return openOverAws(setup, ask, options, { way, path, api: (await loaded)(setup, ask) });
}
