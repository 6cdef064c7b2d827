import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { openclaw, type Result } from "../helpers/openclaw.ts";
import { isThorough } from "../helpers/thorough.ts";
import type { FaultRow } from "./fault-table.ts";

/** What a command made of a fault, and how often it called each route. */
export interface Trial extends Result {
  calls: (route: string) => number;
}

export interface Trials {
  text: Trial;
  /** In the small form one fault of a kind has them. */
  json?: Trial | undefined;
  ndjson?: Trial | undefined;
  list: Trial;
  doctor: Trial;
}

const MODEL = "amazon.nova-lite-v1:0";
const CONFIG = JSON.stringify({
  models: { providers: { "amazon-bedrock": { models: [{ id: MODEL, name: "Configured" }] } } },
  agents: { defaults: { model: MODEL } },
});

/** Runs every command against a fault, each with an emulator and a home folder of its own. */
export async function tryFault(
  row: FaultRow,
  run: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Trials> {
  const chat = ["chat", ...(row.options ?? [])];
  // A billed call with a time of its own, which nothing shortens.
  const doctor = ["doctor", "--json", ...(row.isSlow ? [] : ["--probe"])];
  const once = (args: readonly string[]): Promise<Trial> => run(() => tryOnce(row, args));
  const isTold = isThorough || isNewShape(row);
  const listOnce = (): Promise<Trial> => once(["models", "list", "--json"]);
  const [text, json, ndjson, list, examined] = await Promise.all([
    once([...chat, "hi"]),
    isTold ? once([...chat, "--json", "hi"]) : undefined,
    isTold ? once([...chat, "--ndjson", "hi"]) : undefined,
    row.sparesLists ? (sparedList ??= listOnce()) : listOnce(),
    once(doctor),
  ]);
  return { text, json, ndjson, list, doctor: examined };
}

/** What the documents of `chat` tell apart, each with the first fault that has it. */
const shapes = new Map<string, FaultRow>();

/** Whether a fault is the first of its code, its place in the answer and its number of calls. */
function isNewShape(row: FaultRow): boolean {
  const { group, chat } = row;
  const shape = [group, chat.code, chat.text !== "", chat.calls, row.options].join();
  const first = shapes.get(shape) ?? row;
  shapes.set(shape, first);
  return first === row;
}

/** The list of every fault that does not reach the lists: one run is as good as the next. */
let sparedList: Promise<Trial> | undefined;

async function tryOnce(row: FaultRow, args: readonly string[]): Promise<Trial> {
  const home = mkdtempSync(path.join(tmpdir(), "openclaw-fault-"));
  const emulator = await startEmulator({ script: row.script });
  const other = await standIn(row);
  try {
    mkdirSync(path.join(home, ".openclaw"), { mode: 0o700 });
    writeFileSync(path.join(home, ".openclaw", "openclaw.json"), CONFIG, { mode: 0o600 });
    const result = await openclaw(args, home, { env: environment(row, emulator, other?.url) });
    return { ...result, calls: (route) => emulator.calls.filter((call) => call.route === route).length };
  } finally {
    other?.close();
    await emulator.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

function environment(row: FaultRow, emulator: Emulator, other: string | undefined): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: emulator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    AWS_ENDPOINT_URL: other ?? emulator.url,
    AWS_MAX_ATTEMPTS: "2",
    ...row.env,
  };
}

/** Whoever is there in place of the emulator. */
async function standIn({ instead }: FaultRow): Promise<{ url: string; close: () => void } | undefined> {
  if (instead === undefined) return undefined;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    if (instead === "a mail server") socket.end("220 mail.example ESMTP ready\r\n");
  });
  const port = await listen(server);
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  if (instead !== "nobody") {
    const protocol = instead === "a mail server" ? "http" : "https";
    return { url: `${protocol}://127.0.0.1:${port}`, close };
  }
  close();
  await once(server, "close");
  return { url: `http://127.0.0.1:${port}`, close: () => undefined };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/** Lets so many works run at once; the others wait for their turn. */
export function createQueue(size: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= size) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
