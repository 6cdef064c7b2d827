/** A tool that is offered. */
export interface OfferedTool {
  name: string;
  description: string;
  schema: Record<string, unknown>;
}

/** A call of the answer before, and what it came to. */
export interface Round {
  told: Told;
  result: string;
}

/** What a client asks, in no dialect yet. */
export interface Question {
  text: string;
  system?: string;
  /** A picture in png. */
  image?: Uint8Array;
  document?: { name: string; text: string };
  tools?: readonly OfferedTool[];
  reasoning?: "low";
  /** The schema that the answer is held to. */
  schema?: Record<string, unknown>;
  stop?: string;
  maxTokens?: number;
  /** The rounds before: the question first, then each answer with what its call came to. */
  rounds?: readonly Round[];
}

export interface ToldCall {
  id: string;
  name: string;
  input: unknown;
}

/** What a client has read of an answer. */
export interface Told {
  text: string;
  reasoning: string;
  /** What proves the reasoning, in the dialect's own form; undefined where it carries none. */
  signed?: unknown;
  calls: ToldCall[];
  stop: "end" | "tool" | "length" | "stop-sequence" | "withheld";
  /** Tokens, those of the cache among the input. */
  usage: { input: number; output: number };
  /** What the stream ended with in place of its end. */
  error?: string;
}

/** A request as it is sent. */
export interface Sent {
  path: string;
  headers?: Record<string, string>;
  body: object;
}

/** What speaks one dialect: a new dialect is one more of these. */
export interface DialectClient {
  name: string;
  /** That it can say which end an answer came to: by a stop sequence, or by itself. */
  tellsStops: boolean;
  /** That signed reasoning goes through it. */
  carriesSignatures: boolean;
  /** That it has a form for answers held to a schema. */
  takesSchemas: boolean;
  ask(question: Question, model: string, isStreamed: boolean): Sent;
  /** Reads a whole answer. */
  whole(body: unknown): Told;
  /** Reads a stream to its end. */
  streamed(bytes: Uint8Array): Told;
  /** The words of an answered error. */
  errorOf(body: unknown): string;
}

/** The data of each server-sent event. */
export function eventData(bytes: Uint8Array): string[] {
  return Buffer.from(bytes)
    .toString("utf8")
    .split("\n\n")
    .flatMap((event) => {
      const lines = event.split("\n").filter((line) => line.startsWith("data: "));
      return lines.length === 0 ? [] : lines.map((line) => line.slice("data: ".length)).join("\n");
    });
}
