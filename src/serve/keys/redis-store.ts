import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { expandEnv } from "../../config/expand-env.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { ledgerFolder, periodsAt } from "../../ledger/ledger-files.ts";
import { type CaBundle, decideCaBundle, readCertificates } from "../../network/certificates.ts";
import { codeOf, findNetworkRow } from "../../network/network-errors.ts";
import { percentDecoded } from "../../network/user-info.ts";
import type { Environment, Runtime } from "../../runtime.ts";
import { settlesWithin } from "../../settles-within.ts";
import {
  type Granted,
  type Left,
  type LimitStore,
  longestOut,
  MINUTE_MS,
  msUntilRoom,
  type Need,
  type RateState,
  type Refused,
  RUNNING_RETRY_MS,
  roomIn,
  spentIn,
  type StoreState,
  type Use,
} from "./limit-store.ts";
import type { MemoryStore } from "./memory-store.ts";
import { RAISE, SETTLE, TAKE } from "./redis-scripts.ts";

/** How long a request waits for Redis, in ms; then Redis is away, and nobody waits for it any more. */
const WAIT_MS = 1000;
/** How long a connection may take to be there, in ms. */
const CONNECT_MS = 3000;
const NO_CONNECTION = `no answer within ${CONNECT_MS} ms`;
/** Between two tries to reach it, in ms. */
const RETRY_MS = 500;
/** What a call has set aside of a budget is free again after so long, should its server have died, in ms. */
const LONGEST_CALL_MS = 3_600_000;
/** Settlements that wait for Redis to be back. */
const MOST_WAITING = 10_000;
/** Before every key. By the braces a cluster keeps all of them in one place, so that one try tells of all. */
const PREFIX = "openclaw:limits:{keys}";
/** Stands for a key of the file in what is tried, and can be the name of none. */
const TRIAL = "a try";

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with user, password and database where they are needed, of which `${NAME}` is the environment's. */
  url: string;
  /** What becomes of calls while Redis is away: each process counts alone, or they are refused. */
  onLoss: "allow" | "deny";
  /** Counts along, and alone while Redis is away. */
  memory: MemoryStore;
  /** What this machine's ledger has: nano-USD of keys by day. */
  readSpent: () => Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>;
  /** Whether that has all that this process has spent. */
  isKept: () => boolean;
  tell: (text: string) => void;
}

type Client = Awaited<ReturnType<typeof createRedis>>;

/** A client that tries nothing by itself: the store has to see first what another Redis knows. */
async function createRedis(url: string, ca: Buffer | undefined) {
  const { createClient } = await import("@redis/client");
  const socket = { connectTimeout: CONNECT_MS, reconnectStrategy: false } as const;
  return createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    socket: ca ? { ...socket, tls: true, ca } : socket,
  });
}

/** What the settings are to blame for: waiting mends none of it. The failure, what it says of the Redis, and the hint. */
const OF_SETTINGS: readonly [
  (failure: Error) => boolean,
  string,
  string | ((bundle: CaBundle | undefined) => string),
][] = [
  [
    ({ message }) =>
      /^(WRONGPASS|NOAUTH|ERR (AUTH|invalid password|DB index|Client sent AUTH))/i.test(message),
    "does not let this server in",
    "Check user, password and database: --shared rediss://USER:PASSWORD@HOST:6379/0",
  ],
  [
    ({ message }) => message.startsWith("NOPERM"),
    "does not let this server count",
    "Let its user: ACL SETUSER USER ~openclaw:* +select +info +time +eval +@sortedset +@hash +expire +pexpire",
  ],
  [
    ({ message }) => message.startsWith("MOVED"),
    "is a node of a cluster that keeps the counts in another",
    "Name that node, or better a Redis that is no cluster: --shared rediss://HOST:6379",
  ],
  [
    (failure) => codeOf(failure) === "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "asks for a certificate of its client, and --shared has none",
    "Let it take clients without one: CONFIG SET tls-auth-clients no",
  ],
  [
    isOf("ERR_TLS_CERT_ALTNAME_INVALID"),
    "shows a certificate for another host",
    "Name it by a host that the certificate has.",
  ],
  [
    isOf("CERT_HAS_EXPIRED"),
    "shows a certificate that is not valid at this time",
    "Have it renewed, or check this machine's clock.",
  ],
  [isOf("EPROTO"), "does not speak TLS", "Name it without: --shared redis://HOST:6379"],
  [
    (failure) => findNetworkRow(failure)?.fault === "the certificate",
    "is not one this machine trusts",
    // The certificates of AWS_CA_BUNDLE are the only ones that are trusted, for AWS, too.
    (bundle) =>
      bundle
        ? `Add the certificate of who signed its own to '${bundle.file}'.`
        : "Name the certificate of who signed its own: export NODE_EXTRA_CA_CERTS=FILE",
  ],
];

/** Whether a failure falls under the row of network failures that has this code. */
function isOf(code: string): (failure: Error) => boolean {
  return (failure) => findNetworkRow(failure)?.codes.includes(code) === true;
}

/** What TAKE answers. */
type Taken = [string, number, number, number, number, number, number, number, number, number];

/** Something that Redis is to be told when it is back. */
interface Settlement {
  id: string;
  keys: string[];
  use: Use;
}

/** Counts in Redis, for all processes that name the same one. */
export class RedisStore implements LimitStore {
  readonly #options: RedisStoreOptions;
  readonly #runtime: Runtime;
  /** Whose spending it is: of one ledger, which the processes of a machine share. */
  readonly #source: string;
  #client: Client | undefined;
  /** The run of the Redis that was last seen: another one may have forgotten what was counted. */
  #run: string | undefined;
  /** Until when a Redis that may have forgotten the last minute is not believed, by `elapsed`. */
  #doubtedUntil = Number.NEGATIVE_INFINITY;
  /** Redis's clock less this machine's, in ms: days and months are those of Redis. */
  #clockOffset = 0;
  #waiting: Settlement[] = [];
  /** The certificates that are trusted in place of Node's own. */
  #ca: Buffer | undefined;
  #isClosed = false;
  #hasToldLoss = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: RedisStoreOptions, runtime: Runtime) {
    this.#options = { ...options, url: checkUrl(withVariables(options.url, runtime.env)) };
    this.#runtime = runtime;
    const ledger = `${hostname()} ${ledgerFolder(runtime)}`;
    this.#source = createHash("sha256").update(ledger).digest("hex").slice(0, 16);
  }

  /**
   * Connects, and goes on trying to in the background; resolves when it has, or the first try has failed. Throws `usage` for
   * a Redis that is there, and does not take the user, the password or the database, does not let the user count, or is not
   * who it should be, and the errors of readCertificates.
   */
  async open(): Promise<void> {
    const bundle = decideCaBundle(this.#runtime.env, undefined);
    if (bundle && new URL(this.#options.url).protocol === "rediss:")
      this.#ca = await readCertificates(bundle);
    const failure = await this.#connect();
    if (!failure) return;
    const found = OF_SETTINGS.find(([matches]) => matches(failure));
    if (!found) return this.#missed(failure);
    await this.close();
    const [, fault, hint] = found;
    throw usageError(
      `The Redis of --shared ${fault}: ${this.#reason(failure)}.`,
      typeof hint === "string" ? hint : hint(bundle),
    );
  }

  get state(): StoreState {
    if (this.#isCounting) return "ok";
    return this.#options.onLoss === "allow" ? "away" : "refusing";
  }

  /** The time by which days and months are told, in ms since 1970. */
  readonly now = (): number => this.#runtime.now() + this.#clockOffset;

  /** Takes down what Redis's clock says; this machine's may have been set since it last did. */
  #setClock(redisTime: number): void {
    this.#clockOffset = Math.round(redisTime - this.#runtime.now());
  }

  async take(need: Need): Promise<Granted | Refused> {
    const id = randomUUID();
    const asked = this.#isCounting ? this.#client : undefined;
    if (asked) {
      const taken = await this.#ask<Taken>(asked, TAKE, this.#keysOf(need), this.#argsOf(id, need, false));
      if (taken) return this.#toVerdict(id, need, taken);
    }
    // What Redis was asked for it may take when nobody waits for it any more.
    const giveBack = (): void => {
      if (asked) this.#settle(id, need, { tokens: 0, cost: 0 });
    };
    if (this.#options.onLoss === "deny") {
      giveBack();
      throw away(this.#retryAfter());
    }
    const alone = await this.#options.memory.take(need);
    if (!alone.isGranted) {
      giveBack();
      return alone;
    }
    const client = this.#client;
    // Whatever it has forgotten, it knows of what is begun from now on.
    if (client) void this.#ask(client, TAKE, this.#keysOf(need), this.#argsOf(id, need, true));
    const isTold = asked !== undefined || client !== undefined;
    return this.#withSettlement(id, need, alone, alone.settle, isTold);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#client?.destroy();
    this.#client = undefined;
    await this.#options.memory.close();
  }

  get #isCounting(): boolean {
    return this.#client !== undefined && this.#runtime.elapsed() >= this.#doubtedUntil;
  }

  #retryAfter(): number {
    const doubted = (this.#doubtedUntil - this.#runtime.elapsed()) / 1000;
    return this.#client === undefined ? 1 : Math.max(1, Math.ceil(doubted));
  }

  #toVerdict(id: string, need: Need, taken: Taken): Granted | Refused {
    const [word, retry, requests, requestsReset, tokens, tokensReset, running, today, inMonth, now] = taken;
    this.#setClock(now);
    const left = (limit: number | undefined, used: number, resetMs: number): Left | undefined =>
      limit === undefined ? undefined : { limit, remaining: Math.max(0, limit - used), resetMs };
    const rate: RateState = {
      requests: left(need.rpm, requests, requestsReset),
      tokens: left(need.tpm, tokens, tokensReset),
    };
    const budgets = need.budgets.map((budget) => ({
      ...budget,
      spent: budget.name === "daily" ? today : inMonth,
      running,
    }));
    if (word === "ok") {
      const room = roomIn(budgets);
      const settle = this.#options.memory.add(need.key, need.tokens);
      const granted: Granted = {
        isGranted: true,
        rate,
        most: room < need.cost ? room : undefined,
        budgets,
        settle: async (use) => settle(use),
      };
      return this.#withSettlement(id, need, granted, granted.settle);
    }
    const budget = word === "budget" ? longestOut(budgets, this.now()) : undefined;
    if (budget === undefined)
      return {
        isGranted: false,
        rate,
        by: word === "requests" || word === "tokens" ? word : "size",
        retryMs: retry < 0 ? undefined : retry,
      };
    return { isGranted: false, rate, by: "budget", retryMs: msUntilRoom(budget, 0, this.now()), budget };
  }

  /** Settles in Redis, too; what that was never told of only where it is there: else the ledger has it when it is back. */
  #withSettlement(
    id: string,
    need: Need,
    granted: Granted,
    settle: Granted["settle"],
    isTold = true,
  ): Granted {
    return {
      ...granted,
      settle: async (use) => {
        await settle(use);
        if (isTold || this.#client) this.#settle(id, need, use);
      },
    };
  }

  #settle(id: string, need: Need, use: Use): undefined {
    const settlement = { id, keys: this.#keysOf(need), use };
    const client = this.#client;
    if (client === undefined) {
      this.#keep(settlement);
      return undefined;
    }
    void this.#settleWith(client, settlement);
    return undefined;
  }

  async #settleWith(client: Client, settlement: Settlement): Promise<void> {
    const { id, keys, use } = settlement;
    const answer = await this.#ask(client, SETTLE, keys, this.#settled(id, use));
    if (answer === undefined) this.#keep(settlement);
  }

  #keep(settlement: Settlement): void {
    if (!this.#isClosed && this.#waiting.length < MOST_WAITING) this.#waiting.push(settlement);
  }

  /**
   * Runs a script. Undefined where Redis does not answer in time, or is away: then it is taken to be, and tried anew in the
   * background.
   */
  async #ask<T>(client: Client, script: string, keys: string[], args: string[]): Promise<T | undefined> {
    const answered = client.eval(script, { keys, arguments: args }).then(
      (answer) => answer as T,
      (error: unknown) => {
        this.#lose(client, error instanceof Error ? error.message : String(error));
        return undefined;
      },
    );
    if (await settlesWithin(WAIT_MS, answered)) return answered;
    this.#lose(client, `no answer within ${WAIT_MS} ms`);
    return undefined;
  }

  #lose(client: Client, why: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    // What is on its way is still taken down by Redis, if it lives.
    setTimeout(() => client.destroy(), WAIT_MS).unref();
    this.#tellLoss(why);
    this.#tryAgain();
  }

  #tellLoss(why: string, hint = ""): void {
    if (this.#hasToldLoss || this.#isClosed) return;
    this.#hasToldLoss = true;
    const then =
      this.#options.onLoss === "allow"
        ? "Each server counts what its keys ask by itself until it is back."
        : "Requests under keys with limits are refused until it is back.";
    this.#options.tell(`The Redis of --shared is away: ${this.#reason({ message: why })}.${hint} ${then}`);
  }

  #tellReturn(): void {
    const doubt = this.#isCounting
      ? ""
      : ` It was started anew and may have forgotten what was asked before, so for ${this.#retryAfter()} s more it counts as away.`;
    this.#options.tell(`The Redis of --shared is back.${doubt}`);
  }

  /** Without the password, without what Redis's own sentences end with, and of OpenSSL's what it means. */
  #reason({ message, reason = message }: { message: string; reason?: string }): string {
    const { password } = new URL(this.#options.url);
    const told = reason.replace(/[.?!]+$/, "");
    return password === ""
      ? told
      : told.replaceAll(password, "…").replaceAll(decodeURIComponent(password), "…");
  }

  #tryAgain(): void {
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => void this.#connectAgain(), RETRY_MS);
    this.#retry.unref();
  }

  async #connectAgain(): Promise<void> {
    const failure = await this.#connect();
    if (failure) this.#missed(failure);
  }

  #missed({ message }: Error): void {
    this.#tellLoss(message, this.#run === undefined ? this.#guess(message) : "");
    this.#tryAgain();
  }

  /**
   * What may be wrong with the address of a Redis that never answered. One without TLS waits for the end of a line that never
   * comes, and one with it hangs up.
   */
  #guess(message: string): string {
    const isTls = new URL(this.#options.url).protocol === "rediss:";
    if (isTls && message === NO_CONNECTION) return " Where it has no TLS, its address begins with redis://.";
    const isHungUp = /ECONNRESET|Socket closed/.test(message);
    return !isTls && isHungUp ? " Where it wants TLS, its address begins with rediss://." : "";
  }

  /** Returns why it could not. */
  async #connect(): Promise<Error | undefined> {
    const client = await createRedis(this.#options.url, this.#ca);
    client.on("error", (error: Error) => this.#lose(client, error.message));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(NO_CONNECTION)), CONNECT_MS);
    });
    try {
      await Promise.race([client.connect().then(() => this.#prepare(client)), late]);
      if (this.#isClosed) {
        client.destroy();
        return undefined;
      }
      this.#client = client;
      if (this.#hasToldLoss) this.#tellReturn();
      this.#hasToldLoss = false;
      return undefined;
    } catch (error) {
      client.destroy();
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Brings Redis up to what this process and its ledger know. */
  async #prepare(client: Client): Promise<void> {
    const info = await client.info("server");
    const run = /^run_id:(\w+)/m.exec(info)?.[1] ?? "";
    // What this process has let pass within the last minute is gone there, and what others have, too.
    if (this.#run !== undefined && this.#run !== run)
      this.#doubtedUntil = this.#runtime.elapsed() + MINUTE_MS;
    this.#run = run;
    const [seconds = "0", micros = "0"] = (await client.sendCommand(["TIME"])) as unknown as string[];
    this.#setClock(Number(seconds) * 1000 + Number(micros) / 1000);
    await this.#tryToCount(client);
    const before = new Set(this.#waiting);
    const spent = await this.#options.readSpent();
    const isKept = this.#options.isKept();
    // What fails may have been counted; the others wait on.
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      // What the ledger has of it another process may have told already.
      const use = isKept && before.has(next) ? { ...next.use, cost: 0 } : next.use;
      await client.eval(SETTLE, { keys: next.keys, arguments: this.#settled(next.id, use) });
    }
    const { day, month } = periodsAt(this.now());
    for (const [key, days] of spent) {
      for (const [period, lifetime] of [
        [day, 172_800],
        [month, 3_456_000],
      ] as const) {
        const cost = spentIn(period, days);
        if (cost > 0)
          await client.eval(RAISE, {
            keys: [spentKey(key, period)],
            arguments: [this.#source, whole(cost), String(lifetime)],
          });
      }
    }
  }

  /** Fails where Redis lets this server in and does not count: a replica, a node of a cluster, a user without leave. */
  async #tryToCount(client: Client): Promise<void> {
    const id = randomUUID();
    const { day: period } = periodsAt(this.now());
    const need: Need = {
      key: TRIAL,
      rpm: 0,
      tpm: 0,
      budgets: [{ name: "daily", period, limit: 0 }],
      tokens: 0,
      cost: 0,
    };
    const keys = this.#keysOf(need);
    await client.eval(TAKE, { keys, arguments: this.#argsOf(id, need, true) });
    await client.eval(SETTLE, { keys, arguments: this.#settled(id, { tokens: 0, cost: 0 }) });
  }

  #settled(id: string, { tokens, cost }: Use): string[] {
    return [id, whole(tokens), whole(cost), this.#source];
  }

  #keysOf({ key }: Need): string[] {
    const { day, month } = periodsAt(this.now());
    const own = ["requests", "tokens", "amounts", "running", "costs"].map(
      (name) => `${PREFIX}:${key}:${name}`,
    );
    return [...own, spentKey(key, day), spentKey(key, month)];
  }

  #argsOf(id: string, { rpm = -1, tpm = -1, tokens, cost, budgets }: Need, isForced: boolean): string[] {
    const limitOf = (name: string): number => budgets.find((budget) => budget.name === name)?.limit ?? -1;
    const numbers = [rpm, tpm, tokens, cost, limitOf("daily"), limitOf("monthly")].map(whole);
    return [id, ...numbers, isForced ? "1" : "0", whole(LONGEST_CALL_MS), whole(RUNNING_RETRY_MS)];
  }
}

function spentKey(key: string, period: string): string {
  return `${PREFIX}:${key}:spent:${period}`;
}

/** As Lua and Redis take it. */
function whole(number: number): string {
  return String(Math.min(Math.ceil(number), Number.MAX_SAFE_INTEGER));
}

function away(retryAfter: number): OpenclawError {
  return new OpenclawError("service-unavailable", {
    message: "This server cannot count what its keys ask at the moment.",
    details: { retryAfter },
  });
}

/**
 * Puts variables of the environment in the place of `${NAME}`. A user and a password are there as they are, and are
 * percent-encoded as an address has them. Throws `config-invalid` for one that is not set.
 */
function withVariables(address: string, env: Environment): string {
  const end = address.lastIndexOf("@");
  const encoded = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value && encodeURIComponent(value)]),
  );
  return (
    expandEnv(address.slice(0, end + 1), encoded, "--shared") +
    expandEnv(address.slice(end + 1), env, "--shared")
  );
}

/** Throws `usage` for what is no address of a Redis, without its password. */
function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url &&
    (url.protocol === "redis:" || url.protocol === "rediss:") &&
    url.hostname !== "" &&
    url.search === "" &&
    url.hash === "" &&
    /^\/?\d*$/.test(url.pathname) &&
    [url.username, url.password].every((part) => percentDecoded(part) !== undefined)
  )
    return text;
  throw usageError(
    "--shared is not the address of a Redis.",
    "For example: --shared redis://127.0.0.1:6379/0, or rediss://USER:PASSWORD@HOST:6379",
  );
}
