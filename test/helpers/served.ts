import { once } from "node:events";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import type { RequestEntry } from "../../src/serve/serve-log.ts";
import { emulate, type Emulated } from "./emulated.ts";
import { type Started, startShared } from "./openclaw.ts";

/** A line of the server's log. */
export type LogLine = RequestEntry & { time: string; kind: string; message?: string };

export interface ServeTestOptions {
  args?: readonly string[];
  env?: Record<string, string | undefined>;
  emulator?: EmulatorOptions;
  /** The configuration file. */
  config?: string;
  /** A process of its own in any case: its memory, its signals or its bugs are looked at. */
  isAlone?: boolean;
}

export interface Served extends Emulated {
  /** Without `/v1`. */
  origin: string;
  /** What it printed when it was ready. */
  announced: { url: string; metricsUrl: string };
  /** OpenAI's own client, which tries nothing twice. */
  client: OpenAI;
  child: Started;
  /** Every line of the log so far; each is JSON. */
  log: LogLine[];
  /** Resolves with the first line of the log for which this holds. */
  logged(holds: (line: LogLine) => boolean): Promise<LogLine>;
  /** Ends the server with a signal. Resolves with its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The model that tests ask. */
export const MODEL = "amazon.nova-lite-v1:0";

/** A tool of a client's. */
export const WEATHER = {
  type: "function" as const,
  function: {
    name: "weather",
    description: "Tells the weather.",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};

/** The real program serving an emulator of the test's own, on a free port, and a client pointed at it. */
export async function serve(options: ServeTestOptions = {}): Promise<Served> {
  const emulated = await emulate(options.emulator);
  if (options.config !== undefined) emulated.configure(options.config);
  return serveEmulated(emulated, options);
}

/** One more server in front of an emulator. */
export async function serveEmulated(emulated: Emulated, options: ServeTestOptions = {}): Promise<Served> {
  const child = startShared(["serve", "--port", "0", "--json", ...(options.args ?? [])], emulated.home, {
    env: { ...emulated.env, AWS_REGION: "us-east-1", AWS_MAX_ATTEMPTS: "1", ...options.env },
    isAlone: options.isAlone ?? false,
  });
  // As a shell tells it: the program ends by the signal itself where its threads are still at work on files.
  const closed = new Promise<number | null>((resolve) =>
    child.once("close", (code: number | null, signal?: NodeJS.Signals | null) =>
      resolve(signal ? 128 + constants.signals[signal] : code),
    ),
  );
  onTestFinished(async () => {
    // The first signal lets running answers end, the second ends the program at once; either way it says what it ran
    // to whoever measures that.
    child.kill("SIGTERM");
    child.kill("SIGHUP");
    await closed;
  });
  const log: LogLine[] = [];
  const watchers = new Set<() => void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.push(JSON.parse(line) as LogLine);
    for (const look of watchers) look();
  });
  const [first] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    closed.then((code) => Promise.reject(new Error(`The server ended with exit code ${code}.`))),
  ]);
  const announced = JSON.parse(first as string) as Served["announced"];
  const { url } = announced;
  return {
    ...emulated,
    announced,
    origin: url.replace(/\/v1$/, ""),
    client: new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 }),
    child,
    log,
    logged: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = log.find(holds);
          if (!found) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
      }),
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      return closed;
    },
  };
}

/** Resolves with a promise and what settles it: an event that a test lets happen. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
