// One side of the soak, in a process of its own: soak-load.js honest|hostile SERVE EMULATOR DELTAS. Runs until its stdin
// ends, lets what it has begun end, and prints what it saw as JSON.
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const [role, serveUrl = "", emulatorUrl = "", deltas = "0"] = process.argv.slice(2);
const DELTAS = Number(deltas);
const MODEL = "amazon.nova-lite-v1:0";
const CHAT = `${serveUrl}/chat/completions`;

/** Streams at once, of each kind: together a thousand through serve. */
const HONEST = 800;
const DIRECT = 20;
const ABORTING = 100;
const SLOW = 100;
/** Connections at once that never send a whole request, and those that send bad ones one after the other. */
const UNFINISHED = 50;
const BAD = 4;
/** Streams begin one after the other, so many ms apart, as those of strangers do. */
const APART_MS = 10;
/** Between two bad requests of one connection, in ms. */
const BAD_MS = 50;

const over = new AbortController();
process.stdin.resume().on("end", () => over.abort());

const now = () => performance.timeOrigin + performance.now();
const ASK = JSON.stringify({ model: MODEL, stream: true, messages: [{ role: "user", content: "Hello" }] });

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
 * Does something over and over, so many at once, until the end.
 * @param {number} atOnce
 * @param {() => Promise<unknown>} work
 */
async function keepDoing(atOnce, work) {
  await Promise.all(
    Array.from({ length: atOnce }, async (_, index) => {
      await sleep(index * APART_MS);
      while (!over.signal.aborted) await work();
    }),
  );
}

async function honest() {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const [served, direct] = [new Histogram(), new Histogram()];
  /** @type {string[]} */
  const lost = [];
  let answers = 0;
  /**
   * @param {string} url
   * @param {string} body
   * @param {RegExp} stamp
   * @param {Histogram} times
   * @param {string} last
   */
  const ask = async (url, body, stamp, times, last) => {
    const response = await post(url, body, agent);
    let text = "";
    let seen = 0;
    for await (const chunk of response.setEncoding("latin1")) {
      const at = now();
      text += chunk;
      const stamps = [...text.matchAll(stamp)].flatMap(([, all = ""]) => all.trim().split(" ").map(Number));
      for (const sentAt of stamps.slice(seen)) times.add(at - sentAt);
      seen = stamps.length;
    }
    if (response.statusCode !== 200 || seen !== DELTAS || !text.includes(last))
      throw new Error(`status ${response.statusCode}, ${seen} of ${DELTAS} deltas: ${text.slice(-100)}`);
  };
  const askServe = async () => {
    try {
      await ask(CHAT, ASK, /"content":"((?: [\d.]+)+)"/g, served, "[DONE]");
      answers += 1;
    } catch (error) {
      lost.push(String(error));
    }
  };
  const bedrock = `${emulatorUrl}/model/${encodeURIComponent(MODEL)}/converse-stream`;
  const askDirectly = () => ask(bedrock, "{}", /"text":"( [\d.]+)"/g, direct, "messageStop");
  await Promise.all([keepDoing(HONEST, askServe), keepDoing(DIRECT, askDirectly)]);
  return { answers, lost, served, direct };
}

/** @type {[body: string | Uint8Array, headers: Record<string, string>, statuses: number[]][]} */
const BAD_REQUESTS = [
  ["", {}, [400]],
  ["{", {}, [400]],
  [`{"model":"${MODEL}","messages":[${"{},".repeat(1_000_000)}{}]}`, {}, [400]],
  [`{"model":"${MODEL}","messages":[${"{},".repeat(240_000)}{}]}`, {}, [400]],
  ["[".repeat(1_000_000), {}, [400]],
  [`{"a":${"1".repeat(1_000_000)}}`, {}, [400]],
  [JSON.stringify({ model: "A".repeat(1_000_000), messages: [{ role: "user", content: "x" }] }), {}, [400]],
  [JSON.stringify({ model: "no-such-model", messages: [{ role: "user", content: "x" }] }), {}, [404]],
  [`{"model":"${MODEL}","messages":[],"${"a".repeat(500_000)}":1}`, {}, [400]],
  [gzipSync(ASK), { "content-encoding": "gzip" }, [415]],
  [ASK, { "content-type": "text/plain" }, [415]],
  [ASK, { host: "evil.example" }, [403]],
  [Buffer.from(ASK.replace("Hello", "caf\u00e9"), "latin1"), {}, [400]],
  [Buffer.from(ASK, "utf16le"), {}, [400]],
  [Buffer.alloc(40_000_000, " "), {}, [413]],
];

async function hostile() {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  // Whose body was not read to its end loses the connection.
  const strangers = new Agent({ keepAlive: false });
  /** @type {Record<string, number>} */
  const statuses = {};
  /** @type {string[]} */
  const wrong = [];
  const done = { aborted: 0, slow: 0, unfinished: 0 };
  let nth = 0;

  const askBadly = async () => {
    const [body, headers, expected] = BAD_REQUESTS[nth++ % BAD_REQUESTS.length] ?? ["", {}, []];
    try {
      const response = await post(CHAT, body, strangers, headers);
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (chunk) => (text += chunk))
        .on("error", () => undefined);
      // A server that does not read on may close the connection, and so end the answer.
      await new Promise((resolve) => response.once("close", resolve));
      const status = response.statusCode ?? 0;
      statuses[status] = (statuses[status] ?? 0) + 1;
      // Where no room is left for a body it is not looked at.
      if (![...expected, 503].includes(status))
        wrong.push(`${status} for ${String(body).slice(0, 60)}: ${text.slice(0, 100)}`);
    } catch (error) {
      // A server that has answered need not read the rest.
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      statuses[code] = (statuses[code] ?? 0) + 1;
    }
    await sleep(BAD_MS);
  };

  const leave = async () => {
    const response = await post(CHAT, ASK, agent);
    response.on("error", () => undefined);
    await sleep(Math.random() * 3000);
    response.destroy();
    done.aborted += 1;
  };

  const readSlowly = async () => {
    const response = await post(CHAT, ASK, agent);
    response.on("error", () => undefined).pause();
    await sleep(8000);
    response.destroy();
    done.slow += 1;
  };

  const { hostname, port } = new URL(serveUrl);
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const BEGINNINGS = [
    head,
    "",
    `${head}content-length: 1000000\r\n\r\n{`,
    `${head}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`,
    `${head}content-length: 1000000\r\n\r\n${" ".repeat(500_000)}`,
    `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    "\u0000\u0001\u0002",
    "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(20),
  ];
  const beginOnly = async () => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined).resume();
    socket.write(BEGINNINGS[nth++ % BEGINNINGS.length] ?? "");
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

  /** @param {() => Promise<void>} work */
  const trying = (work) => () =>
    work().catch((/** @type {unknown} */ error) => {
      wrong.push(String(error));
    });
  await Promise.all([
    keepDoing(BAD, askBadly),
    keepDoing(ABORTING, trying(leave)),
    keepDoing(SLOW, trying(readSlowly)),
    keepDoing(UNFINISHED, trying(beginOnly)),
  ]);
  return { statuses, wrong, ...done };
}

const seen = await (role === "honest" ? honest() : hostile());
process.stdout.write(JSON.stringify(seen), () => process.exit(0));
