import { AsyncLocalStorage } from "node:async_hooks";

/** Headers of W3C Trace Context, by which who is called knows whose trace a call belongs to. */
export interface TraceHeaders {
  traceparent: string;
  tracestate?: string;
}

/** What calls of models are made for. */
export interface TracedWork {
  headers?: TraceHeaders | undefined;
  /** Told the host and the port of each model that is called. */
  onCall: (host: string, port: number) => void;
  /** Told the region of each model that is asked, before it waits for its turn, null for none of Amazon Bedrock's, and its provider. */
  onAsk: (region: string | null, providerId: string) => void;
}

/** Where a model is called; the port may be left to the protocol. */
export interface CalledHost {
  protocol: string;
  hostname: string;
  port?: number | string | undefined;
}

const current = new AsyncLocalStorage<TracedWork>();

/** Does work whose calls of models belong to it. */
export function traced<T>(work: TracedWork, run: () => T): T {
  return current.run(work, run);
}

/** The work that the code which asks runs for, through whatever it waited for; undefined for no such work. */
export function tracedWork(): TracedWork | undefined {
  return current.getStore();
}

/**
 * Tells that a model is called at a host, and returns what is sent along, beside what is signed: who passes calls on may
 * change it (https://www.w3.org/TR/trace-context/#mutating-the-traceparent-field). Empty outside a trace.
 */
export function traceHeaders({ protocol, hostname, port }: CalledHost): Readonly<Record<string, string>> {
  const work = current.getStore();
  work?.onCall(hostname, Number(port) || (protocol === "http:" ? 80 : 443));
  return { ...work?.headers };
}
