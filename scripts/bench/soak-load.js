// One side of the soak, in a process of its own: soak-load.js honest|hostile SERVE BEDROCK DELTAS [BODIES], the last a module
// with the hostile bodies. Prints what it has seen so far as a line of JSON every minute. Runs until its stdin ends, lets what
// it has begun end, and prints the same once more.
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { CONVERSE, DIALECTS, EMBEDDINGS, MODEL } from "./dialects.js";

/** @typedef {import("./dialects.js").Dialect} Dialect */

const [role, serveUrl = "", bedrockUrl = "", deltas = "0", bodiesFile = ""] = process.argv.slice(2);
const DELTAS = Number(deltas);
const ORIGIN = serveUrl.replace(/\/v1$/, "");

/** Streams at once, of each kind: together a thousand through serve. */
const HONEST = 800;
const DIRECT = 20;
const ABORTING = 100;
const SLOW = 100;
/** Askers for embeddings, which are there at once, and how long each waits before it asks again, in ms. */
const EMBEDDING = 8;
const EMBEDDING_MS = 1000;
/** Connections at once that never send a whole request, and those that send bad ones one after the other. */
const UNFINISHED = 50;
const BAD = 4;
/** The same for bodies as long as may be. More of them at once would leave no room for others below --max-in-flight. */
const LONG = 2;
/** Streams begin one after the other, so many ms apart, as those of strangers do. */
const APART_MS = 10;
/** Between two bad requests of one connection, in ms. */
const BAD_MS = 50;
const LONG_MS = 1000;
const REPORT_MS = 60_000;
/** Failures that are told; there may be very many of one kind. */
const MOST_TOLD = 100;

const over = new AbortController();
process.stdin.resume().on("end", () => over.abort());

const now = () => performance.timeOrigin + performance.now();

/** Times by the tenth of a ms, up to ten seconds. */
class Histogram {
  #counts = new Uint32Array(100_000);
  #count = 0;

  /** @param {number} ms */
  add(ms) {
    const place = Math.min(Math.max(Math.round(ms * 10), 0), this.#counts.length - 1);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#count += 1;
  }

  /** @param {number} share */
  #at(share) {
    let left = this.#count * share;
    return this.#counts.findIndex((count) => (left -= count) <= 0) / 10;
  }

  toJSON() {
    return { p50: this.#at(0.5), p99: this.#at(0.99), count: this.#count };
  }
}

/** What failed, by its words. */
class Failures {
  count = 0;
  /** @type {Set<string>} */
  #told = new Set();

  /** @param {string} what */
  add(what) {
    this.count += 1;
    if (this.#told.size < MOST_TOLD) this.#told.add(what);
  }

  toJSON() {
    return { count: this.count, told: [...this.#told] };
  }
}

/** @type {WeakSet<import("node:net").Socket>} */
const sockets = new WeakSet();

/**
 * Sends one request, and resolves to its answer.
 * @param {string} url
 * @param {string | Uint8Array} body
 * @param {Agent} agent
 * @param {Record<string, string>} headers
 * @returns {Promise<import("node:http").IncomingMessage>}
 */
function post(url, body, agent, headers = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      agent,
      headers: { "content-type": "application/json", ...headers },
    });
    // What fails behind the answer is of no interest.
    sent.on("response", resolve).on("error", reject);
    sent.on("close", () => reject(new Error("closed without an answer")));
    // A connection whose answer came before all was sent has no listener of Node's left.
    sent.on("socket", (socket) => {
      if (!sockets.has(socket)) socket.on("error", () => undefined);
      sockets.add(socket);
    });
    sent.end(body);
  });
}

/**
 * Does something over and over, so many at once, until the end. The work is told which of them does it.
 * @param {number} atOnce
 * @param {(index: number) => Promise<unknown>} work
 */
async function keepDoing(atOnce, work) {
  await Promise.all(
    Array.from({ length: atOnce }, async (_, index) => {
      await sleep(index * APART_MS);
      while (!over.signal.aborted) await work(index);
    }),
  );
}

/**
 * One of some rows, each after the other.
 * @template T
 * @param {readonly T[]} rows
 * @param {number} index
 */
function pick(rows, index) {
  const row = rows[index % rows.length];
  if (row === undefined) throw new Error("There is nothing to choose from.");
  return row;
}

function honest() {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const kinds = [...DIALECTS, EMBEDDINGS].map((dialect) => ({
    dialect,
    body: JSON.stringify(dialect.body),
    answers: 0,
    served: new Histogram(),
  }));
  const direct = new Histogram();
  const all = new Histogram();
  const lost = new Failures();
  /**
   * @param {string} url
   * @param {string} body
   * @param {Dialect} dialect
   * @param {Histogram[]} times
   */
  const ask = async (url, body, { name, read, isWhole }, times) => {
    const response = await post(url, body, agent);
    let text = "";
    let seen = 0;
    for await (const chunk of response.setEncoding("latin1")) {
      const at = now();
      text += chunk;
      const stamps = read(text);
      for (const sentAt of stamps.slice(seen)) for (const histogram of times) histogram.add(at - sentAt);
      seen = stamps.length;
    }
    const expected = name === EMBEDDINGS.name ? 0 : DELTAS;
    if (response.statusCode !== 200 || seen !== expected || !isWhole(text))
      throw new Error(
        `${name}: status ${response.statusCode}, ${seen} of ${expected} deltas: ${text.slice(-100)}`,
      );
  };
  /** @param {typeof kinds[number]} kind */
  const askServe = async (kind) => {
    const { dialect, body, served } = kind;
    try {
      await ask(`${ORIGIN}${dialect.path}`, body, dialect, [served, all]);
      kind.answers += 1;
    } catch (error) {
      lost.add(String(error));
      await sleep(BAD_MS);
    }
  };
  const streams = kinds.filter(({ dialect }) => dialect.name !== EMBEDDINGS.name);
  const embeddings = kinds.filter(({ dialect }) => dialect.name === EMBEDDINGS.name);
  const done = Promise.all([
    keepDoing(HONEST, (index) => askServe(pick(streams, index))),
    keepDoing(EMBEDDING, async (index) => {
      await askServe(pick(embeddings, index));
      await sleep(EMBEDDING_MS);
    }),
    keepDoing(DIRECT, () => ask(`${bedrockUrl}${CONVERSE.path}`, "{}", CONVERSE, [direct])),
  ]);
  const seen = () => ({
    kinds: kinds.map(({ dialect, answers, served }) => ({ name: dialect.name, answers, served })),
    lost,
    served: all,
    direct,
  });
  return { done, seen };
}

const ASK = JSON.stringify({ model: MODEL, stream: true, messages: [{ role: "user", content: "Hello" }] });

/**
 * What nobody takes, wherever it is sent.
 * @type {[body: string | Uint8Array, headers: Record<string, string>, statuses: number[]][]}
 */
const BAD_REQUESTS = [
  ["", {}, [400]],
  ["{", {}, [400]],
  ["[]", {}, [400]],
  ["null", {}, [400]],
  [`{"model":"${MODEL}","messages":[${"{},".repeat(1_000_000)}{}]}`, {}, [400]],
  [`{"model":"${MODEL}","messages":[${"{},".repeat(240_000)}{}]}`, {}, [400]],
  ["[".repeat(1_000_000), {}, [400]],
  [`{"a":${"1".repeat(1_000_000)}}`, {}, [400]],
  [JSON.stringify({ model: "A".repeat(1_000_000), messages: 1, input: 1 }), {}, [400]],
  [`{"model":"${MODEL}","messages":[],"${"a".repeat(500_000)}":1}`, {}, [400]],
  [gzipSync(ASK), { "content-encoding": "gzip" }, [415]],
  [ASK, { "content-type": "text/plain" }, [415]],
  [ASK, { host: "evil.example" }, [403]],
  [ASK, { "x-long": "a".repeat(100_000) }, [431]],
  [Buffer.from(ASK.replace("Hello", "caf\u00e9"), "latin1"), {}, [400]],
  [Buffer.from(ASK, "utf16le"), {}, [400]],
  [Buffer.alloc(40_000_000, " "), {}, [413]],
];
/** Where a body goes. */
const PATHS = [
  ...DIALECTS.map(({ path }) => path),
  EMBEDDINGS.path,
  "/v1/messages/count_tokens",
  CONVERSE.path.replace(/-stream$/, ""),
  CONVERSE.path.replace(/converse-stream$/, "invoke"),
  CONVERSE.path.replace(/converse-stream$/, "count-tokens"),
];

/** @typedef {import("../../test/helpers/hostile-bodies.ts").HostileBody} HostileBody */

async function hostile() {
  /** @type {{ HOSTILE_BODIES: readonly HostileBody[] }} */
  const { HOSTILE_BODIES } = await import(pathToFileURL(bodiesFile).href);
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  // Whose body was not read to its end loses the connection.
  const strangers = new Agent({ keepAlive: false });
  /** @type {Record<string, number>} */
  const statuses = {};
  const wrong = new Failures();
  const done = { aborted: 0, slow: 0, unfinished: 0 };
  let nth = 0;

  /**
   * @param {string} what
   * @param {string} path
   * @param {string | Uint8Array} body
   * @param {Record<string, string>} headers
   * @param {(status: number) => boolean} isRight
   */
  const send = async (what, path, body, headers, isRight) => {
    try {
      const response = await post(`${ORIGIN}${path}`, body, strangers, headers);
      let text = "";
      response
        .setEncoding("latin1")
        .on("data", (chunk) => (text = text.length < 200 ? text + chunk : text))
        .on("error", () => undefined);
      // A server that does not read on may close the connection, and so end the answer.
      await new Promise((resolve) => response.once("close", resolve));
      const status = response.statusCode ?? 0;
      statuses[status] = (statuses[status] ?? 0) + 1;
      // A body for which no room is left is not looked at, nor one that takes too long to come from a client as busy as this.
      if (!isRight(status) && status !== 503 && status !== 408)
        wrong.add(`${status} for ${what} at ${path}: ${text.slice(0, 100)}`);
    } catch (error) {
      // A server that has answered need not read the rest.
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      statuses[code] = (statuses[code] ?? 0) + 1;
    }
  };

  const askBadly = async () => {
    const row = nth % BAD_REQUESTS.length;
    const path = pick(PATHS, Math.floor(nth / BAD_REQUESTS.length));
    nth += 1;
    const [body, headers, expected] = pick(BAD_REQUESTS, row);
    const what = `${String(body.slice(0, 60))} ${Object.keys(headers).join(" ")}`;
    await send(what, path, body, headers, (status) => expected.includes(status));
    await sleep(BAD_MS);
  };

  let nthLong = 0;
  const askAtLength = async () => {
    const { path, what, make } = pick(HOSTILE_BODIES, nthLong++);
    // The model of the soak answers a schema, too, with plain text, which is told to who asked.
    const isRight = (/** @type {number} */ status) =>
      status < 500 || (status === 502 && what.startsWith("a schema"));
    await send(what, path, Buffer.from(make()), {}, isRight);
    await sleep(LONG_MS);
  };

  /** @param {number} index */
  const begin = (index) => {
    const { path, body } = pick(DIALECTS, index);
    return post(`${ORIGIN}${path}`, JSON.stringify(body), agent);
  };

  /** @param {number} index */
  const leave = async (index) => {
    const response = await begin(index);
    response.on("error", () => undefined);
    await sleep(Math.random() * 3000);
    response.destroy();
    done.aborted += 1;
  };

  /** @param {number} index */
  const readSlowly = async (index) => {
    const response = await begin(index);
    response.on("error", () => undefined).pause();
    await sleep(8000);
    response.destroy();
    done.slow += 1;
  };

  const { hostname, port } = new URL(serveUrl);
  const head = (/** @type {string} */ path) =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  /** @type {((path: string) => string)[]} */
  const BEGINNINGS = [
    head,
    () => "",
    (path) => `${head(path)}content-length: 1000000\r\n\r\n{`,
    (path) => `${head(path)}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`,
    (path) => `${head(path)}content-length: 1000000\r\n\r\n${" ".repeat(500_000)}`,
    (path) => `${head(path)}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    (path) => `${head(path)}x-long: ${"a".repeat(10_000)}`,
    (path) => `${head(path)}${"x-many: a\r\n".repeat(5000)}`,
    () => "\u0000\u0001\u0002",
    () => "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(20),
  ];
  /** @param {number} index */
  const beginOnly = async (index) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined).resume();
    socket.write(pick(BEGINNINGS, nth++)(pick(PATHS, index)));
    const drip = setInterval(() => socket.write(" "), 500);
    await Promise.race([
      new Promise((resolve) => socket.once("close", resolve)),
      sleep(Math.random() * 20_000),
    ]);
    clearInterval(drip);
    socket.destroy();
    done.unfinished += 1;
    await sleep(100);
  };

  /** @param {(index: number) => Promise<void>} work */
  const trying = (work) => (/** @type {number} */ index) =>
    work(index).catch((/** @type {unknown} */ error) => {
      wrong.add(String(error));
      return sleep(BAD_MS);
    });
  const all = Promise.all([
    keepDoing(BAD, askBadly),
    keepDoing(LONG, trying(askAtLength)),
    keepDoing(ABORTING, trying(leave)),
    keepDoing(SLOW, trying(readSlowly)),
    keepDoing(UNFINISHED, trying(beginOnly)),
  ]);
  return { done: all, seen: () => ({ statuses, wrong, long: nthLong, ...done }) };
}

const { done, seen } = await (role === "honest" ? honest() : hostile());
const tell = () => `${JSON.stringify(seen())}\n`;
const telling = setInterval(() => process.stdout.write(tell()), REPORT_MS);
await done;
clearInterval(telling);
process.stdout.write(tell(), () => process.exit(0));
