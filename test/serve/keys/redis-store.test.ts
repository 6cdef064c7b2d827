import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import path from "node:path";
import { createClient } from "@redis/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Granted, type Need, NANO_USD, type Refused } from "../../../src/serve/keys/limit-store.ts";
import { MemoryStore } from "../../../src/serve/keys/memory-store.ts";
import { RedisStore } from "../../../src/serve/keys/redis-store.ts";
import { freePort } from "../../helpers/free-port.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { type RealRedis, startRedis } from "../../helpers/redis-server.ts";
import { issueCertificate } from "../../helpers/tls-front.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

const NONE = { rpm: undefined, tpm: undefined, budgets: [], tokens: 0, cost: 0 };
const need = (limits: Partial<Need>): Need => ({ key: "a", ...NONE, ...limits });

interface Opened {
  store: RedisStore;
  told: string[];
  ask: (limits: Partial<Need>) => Promise<Granted | Refused>;
}

/** A store as one server has it; each has a home and a ledger of its own, unless they share one. */
async function open(
  url: string,
  onLoss: "allow" | "deny" = "deny",
  spent: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map(),
  env: Record<string, string> = {},
  { now = Date.now, home = createHome(), isKept = true } = {},
): Promise<Opened> {
  const runtime = testRuntime({ home, env, now });
  const told: string[] = [];
  const memory = new MemoryStore(runtime, async () => spent);
  const store = new RedisStore(
    {
      url,
      onLoss,
      memory,
      readSpent: async () => spent,
      isKept: () => isKept,
      tell: (text) => told.push(text),
    },
    runtime,
  );
  await store.open();
  onTestFinished(() => store.close());
  return { store, told, ask: (limits) => store.take(need(limits)) };
}

async function granted(asked: Promise<Granted | Refused>): Promise<Granted> {
  const answer = await asked;
  if (!answer.isGranted) throw new Error(`refused by ${answer.by}`);
  return answer;
}

const CLUSTERED = ["--cluster-enabled", "yes"];

/** A client of the test's own. */
async function adminOf({ url }: Pick<RealRedis, "url">) {
  const client = createClient({ url });
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

const today = (): string => new Date().toISOString().slice(0, "2026-11-26".length);

/** A way to Redis that can be held up. */
async function holdable(redis: RealRedis): Promise<{ url: string; hold: () => void; go: () => void }> {
  let isHeld = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(redis.port, "127.0.0.1");
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("data", (chunk: Buffer) => {
        if (!isHeld) other.write(chunk);
      });
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `redis://127.0.0.1:${port}`, hold: () => (isHeld = true), go: () => (isHeld = false) };
}

const BACK_ANEW =
  /^The Redis of --shared is back\. It was started anew .*, so for (60|5\d) s more it counts as away\.$/;

describe("limits in Redis", () => {
  it("are those of all servers together", async () => {
    const redis = await startRedis();
    const [one, other] = [await open(redis.url), await open(redis.url)];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? one : other).ask({ rpm: 50 })),
    );
    expect(answers.filter(({ isGranted }) => isGranted)).toHaveLength(50);
    const refused = await one.ask({ rpm: 50 });
    expect(refused).toMatchObject({ isGranted: false, by: "requests", rate: { requests: { remaining: 0 } } });
    if (!refused.isGranted) expect(refused.retryMs).toBeGreaterThan(50_000);
    expect((await one.ask({ key: "b", rpm: 1 })).isGranted).toBe(true);
  });

  it("keep to Redis's days when the clock of a server is set while it runs", async () => {
    let ahead = 0;
    const redis = await startRedis();
    const { store, ask } = await open(redis.url, "deny", new Map(), {}, { now: () => Date.now() + ahead });
    ahead = 86_400_000;
    await granted(ask({ rpm: 50 }));
    expect(Math.abs(store.now() - Date.now())).toBeLessThan(10_000);
  });

  it("take tokens at the beginning, and settle what was used", async () => {
    const redis = await startRedis();
    const [one, other] = [await open(redis.url), await open(redis.url)];
    const first = await granted(one.ask({ tpm: 100, tokens: 80 }));
    expect(first.rate.tokens).toMatchObject({ limit: 100, remaining: 20 });
    expect(await other.ask({ tpm: 100, tokens: 30 })).toMatchObject({ by: "tokens", retryMs: 1000 });
    await first.settle({ tokens: 10, cost: 0 });
    await expect
      .poll(async () => ({ retryMs: 0, ...(await other.ask({ tpm: 100, tokens: 91 })) }).retryMs)
      .toBeGreaterThan(50_000);
    expect((await other.ask({ tpm: 100, tokens: 90 })).isGranted).toBe(true);
    expect(await one.ask({ tpm: 100, tokens: 101 })).toMatchObject({
      isGranted: false,
      by: "size",
      retryMs: undefined,
    });
    const over = await granted(one.ask({ key: "b", tpm: 100, tokens: 10 }));
    await over.settle({ tokens: 95, cost: 0 });
    await expect.poll(async () => (await one.ask({ key: "b", tpm: 100, tokens: 10 })).isGranted).toBe(false);
  });

  it("set aside what running calls may cost, and know of every ledger", async () => {
    const redis = await startRedis();
    const daily = { name: "daily" as const, period: today(), limit: 10 * NANO_USD };
    const one = await open(redis.url, "deny", new Map([["a", new Map([[today(), 4 * NANO_USD]])]]));
    const other = await open(redis.url);
    const first = await granted(other.ask({ budgets: [daily], cost: 5 * NANO_USD }));
    expect(first.most).toBeUndefined();
    const second = await granted(one.ask({ budgets: [daily], cost: 5 * NANO_USD }));
    expect(second.most).toBe(NANO_USD);
    expect(await one.ask({ budgets: [daily], cost: 1 })).toMatchObject({ by: "budget", retryMs: 1000 });
    await first.settle({ tokens: 0, cost: 5 * NANO_USD });
    await second.settle({ tokens: 0, cost: NANO_USD });
    await expect
      .poll(async () => await other.ask({ budgets: [daily], cost: 1 }))
      .toMatchObject({ isGranted: false, by: "budget", budget: { spent: 10 * NANO_USD } });
    const refused = await other.ask({ budgets: [daily], cost: 1 });
    if (!refused.isGranted) expect(refused.retryMs).toBeGreaterThan(1000);
    // Large amounts stay whole numbers in Lua.
    const large = { name: "monthly" as const, period: today().slice(0, 7), limit: 9_000_000 * NANO_USD };
    const dear = await granted(one.ask({ key: "b", budgets: [large], cost: Number.POSITIVE_INFINITY }));
    expect(dear.most).toBe(large.limit);
  });

  it("are refused at once while Redis is away, and for a minute after it has forgotten", async () => {
    const redis = await startRedis();
    const { store, told, ask } = await open(redis.url);
    expect((await ask({ rpm: 2 })).isGranted).toBe(true);
    await redis.kill();
    const started = performance.now();
    await expect(ask({ rpm: 2 })).rejects.toMatchObject({ code: "service-unavailable" });
    for (let times = 0; times < 50; times += 1)
      await expect(ask({ rpm: 2 })).rejects.toMatchObject({ code: "service-unavailable" });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(store.state).toBe("refusing");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^The Redis of --shared is away: .*Requests under keys with limits are refused/);
    await redis.restart();
    await expect.poll(() => told.at(-1), { timeout: 10_000 }).toMatch(BACK_ANEW);
    const refusal = await ask({ rpm: 2 }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "service-unavailable" });
    const { retryAfter } = (refusal as { details: { retryAfter: number } }).details;
    expect(retryAfter).toBeGreaterThan(50);
  });

  it("are counted by each server alone while Redis is away, where that is allowed", async () => {
    const redis = await startRedis();
    const { store, told, ask } = await open(redis.url, "allow");
    for (let times = 0; times < 2; times += 1) expect((await ask({ rpm: 3 })).isGranted).toBe(true);
    await redis.kill();
    const answers: boolean[] = [];
    for (let times = 0; times < 5; times += 1) answers.push((await ask({ rpm: 3 })).isGranted);
    // What Redis let pass counts here, too.
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(store.state).toBe("away");
    await redis.restart();
    await expect.poll(() => told.at(-1), { timeout: 10_000 }).toMatch(BACK_ANEW);
    expect(store.state).toBe("away");
    expect((await ask({ rpm: 3 })).isGranted).toBe(false);
  });

  it("never wait long for a Redis that is slow, and believe it again when it answers", async () => {
    const redis = await startRedis();
    const way = await holdable(redis);
    const { store, told, ask } = await open(way.url, "allow");
    expect((await ask({ rpm: 10 })).isGranted).toBe(true);
    way.hold();
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ rpm: 10 })));
    expect(answers.filter(({ isGranted }) => isGranted)).toHaveLength(9);
    expect(performance.now() - started).toBeLessThan(2500);
    const second = performance.now();
    await ask({ rpm: 10 });
    expect(performance.now() - second).toBeLessThan(500);
    expect(told[0]).toContain("no answer within 1000 ms");
    way.go();
    await expect.poll(() => store.state, { timeout: 15_000 }).toBe("ok");
  });

  it.each([
    ["which no ledger has", false],
    ["once, which the ledger has, and another server of its machine told", true],
  ])("settle what ended while Redis was away, %s", async (_, isKept) => {
    const redis = await startRedis();
    const way = await holdable(redis);
    const home = createHome();
    const daily = { name: "daily" as const, period: today(), limit: NANO_USD };
    const spent = new Map<string, Map<string, number>>();
    const { store, ask } = await open(way.url, "allow", spent, {}, { home, isKept });
    const running = await granted(ask({ tpm: 100, tokens: 90, budgets: [daily], cost: NANO_USD / 2 }));
    way.hold();
    await ask({ rpm: 10 });
    await running.settle({ tokens: 5, cost: NANO_USD / 4 });
    if (isKept) spent.set("a", new Map([[today(), NANO_USD / 4]]));
    const other = await open(redis.url, "deny", spent, {}, { home });
    way.go();
    await expect.poll(() => store.state, { timeout: 15_000 }).toBe("ok");
    const rest = await granted(other.ask({ tpm: 100, tokens: 90, budgets: [daily], cost: NANO_USD }));
    expect(rest.most).toBe((NANO_USD * 3) / 4);
  });

  it.each(["allow", "deny"] as const)(
    "leave nothing taken for who was not waited for, at a Redis that stood still for a while, with %s",
    async (onLoss) => {
      const redis = await startRedis();
      const admin = await adminOf(redis);
      // Its first connection is given up after two seconds: what was sent by it is done with an answer, or without.
      for (const stillMs of [1500, 3000]) {
        const { store, told, ask } = await open(redis.url, onLoss);
        const daily = { name: "daily" as const, period: today(), limit: NANO_USD };
        redis.pause();
        const asked = Array.from({ length: 5 }, () =>
          ask({ rpm: 100, tpm: 1000, budgets: [daily], tokens: 100, cost: NANO_USD / 10 }),
        );
        setTimeout(redis.resume, stillMs);
        const settled = (await Promise.allSettled(asked)).map(async (each) => {
          if (each.status === "fulfilled" && each.value.isGranted)
            await each.value.settle({ tokens: 0, cost: 0 });
          return each.status;
        });
        expect(new Set(await Promise.all(settled))).toEqual(
          new Set([onLoss === "allow" ? "fulfilled" : "rejected"]),
        );
        await expect.poll(() => [store.state, told.length], { timeout: 10_000 }).toEqual(["ok", 2]);
        const left = async (hash: string): Promise<Record<string, string>> => {
          const all = await admin.hGetAll(`openclaw:limits:{keys}:a:${hash}`);
          return Object.fromEntries(Object.entries(all).filter(([, amount]) => amount !== "0"));
        };
        await expect.poll(async () => [await left("costs"), await left("amounts")]).toEqual([{}, {}]);
        expect(await admin.zCard("openclaw:limits:{keys}:a:running")).toBe(0);
      }
    },
    30_000,
  );

  it("count a call that used nothing, and forget it a minute later", async () => {
    const redis = await startRedis();
    const { store, told, ask } = await open(redis.url);
    const daily = { name: "daily" as const, period: today(), limit: NANO_USD };
    const free = { tpm: 100, tokens: 40, budgets: [daily], cost: 0 };
    await (await granted(ask(free))).settle({ tokens: 0, cost: 0 });
    // One whose server dies.
    await granted(ask({ ...free, tokens: 0 }));
    const client = await adminOf(redis);
    // Both and the sums of all and of those that run are 0, and the second runs.
    await expect
      .poll(async () => (await client.hVals("openclaw:limits:{keys}:a:amounts")).toSorted())
      .toEqual(["0", "0", "0", "0", "1"]);
    // As if all of it had been long ago.
    for (const name of ["tokens", "running"]) {
      const ids = await client.zRange(`openclaw:limits:{keys}:a:${name}`, 0, -1);
      expect(ids).not.toEqual([]);
      for (const value of ids) await client.zAdd(`openclaw:limits:{keys}:a:${name}`, { score: 1, value });
    }
    const later = await granted(ask({ ...free, tokens: 100 }));
    expect(later.rate.tokens?.remaining).toBe(0);
    expect(await client.hGet("openclaw:limits:{keys}:a:amounts", "running")).toBe("100");
    expect(await client.zCard("openclaw:limits:{keys}:a:running")).toBe(1);
    await later.settle({ tokens: 0, cost: 0 });
    await expect.poll(() => client.zCard("openclaw:limits:{keys}:a:running")).toBe(0);
    expect(await client.hGet("openclaw:limits:{keys}:a:amounts", "running")).toBe("0");
    expect([store.state, ...told]).toEqual(["ok"]);
  });

  it("need a password and a database where there is one, and name what is no address without its password", async () => {
    const redis = await startRedis(["--requirepass", "s3cret/pw"]);
    const url = redis.url.replace("redis://", "redis://:s3cret%2Fpw@");
    const [open1, open2] = [await open(`${url}/1`), await open(`${url}/2`)];
    expect([open1.store.state, open2.store.state]).toEqual(["ok", "ok"]);
    expect((await open1.ask({ rpm: 1 })).isGranted).toBe(true);
    expect((await open2.ask({ rpm: 1 })).isGranted).toBe(true);
    for (const [address, words] of [
      [redis.url.replace("redis://", "redis://:wrong-pw@"), "WRONGPASS"],
      [redis.url, "NOAUTH"],
      [`${url}/99`, "DB index"],
    ] as const) {
      const refused = await open(address).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "usage", message: expect.stringContaining(words) as string });
      expect(String(refused)).not.toMatch(/wrong-pw|s3cret/);
    }
    for (const address of [
      "127.0.0.1:6379",
      "http://:s3cret@127.0.0.1",
      "redis://",
      "redis://host/db",
      "redis://:s3cret%pw@127.0.0.1",
      "redis://127.0.0.1?db=3&password=s3cret",
      "redis://s3cret?pw@127.0.0.1",
      "redis://127.0.0.1/3#s3cret",
      "",
    ])
      await expect(open(address)).rejects.toMatchObject({
        code: "usage",
        message: "--shared is not the address of a Redis.",
      });
  });

  it("are not taken for counted by a Redis that lets a server in and does not count", async () => {
    const needed = "+select +info +time +eval +@sortedset +@hash +expire +pexpire".split(" ");
    const redis = await startRedis();
    const admin = await adminOf(redis);
    const asUser = async (...rules: string[]): Promise<string> => {
      await admin.sendCommand(["ACL", "SETUSER", "gateway", "reset", "on", ">s3cret", ...rules]);
      return redis.url.replace("redis://", "redis://gateway:s3cret@");
    };
    const { ask } = await open(`${await asUser("~openclaw:*", ...needed)}/1`);
    const daily = { name: "daily" as const, period: today(), limit: NANO_USD };
    const counted = await granted(ask({ rpm: 1, tpm: 9, budgets: [daily], tokens: 1, cost: 1 }));
    await counted.settle({ tokens: 9, cost: NANO_USD });
    await expect.poll(async () => await ask({ budgets: [daily], cost: 1 })).toMatchObject({ by: "budget" });
    for (const rules of [
      ["~openclaw:*", "+@all", "-@scripting"],
      ["~openclaw:*", "+@all", "-@dangerous"],
      ["~other:*", "+@all"],
    ]) {
      const refused = await open(await asUser(...rules), "allow").catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: "usage",
        message: expect.stringMatching(
          /^The Redis of --shared does not let this server count: NOPERM /,
        ) as string,
        hint: expect.stringContaining(needed.join(" ")) as string,
      });
    }
    // What another Redis may become while nobody changes a setting is waited for, and told once.
    const replica = await startRedis(["--replicaof", "127.0.0.1", String(redis.port)]);
    const { store, told } = await open(replica.url);
    expect(store.state).toBe("refusing");
    expect(told).toEqual([expect.stringContaining("is away: READONLY")]);
    await (await adminOf(replica)).sendCommand(["REPLICAOF", "NO", "ONE"]);
    await expect.poll(() => store.state, { timeout: 10_000 }).toBe("ok");
    expect(told.slice(1)).toEqual(["The Redis of --shared is back."]);
  });

  it("are all in one shard of a cluster, and not in another", { timeout: 60_000 }, async () => {
    const [one, other] = [await startRedis(CLUSTERED), await startRedis(CLUSTERED)];
    const said = await Promise.all(
      [one, other].map(async ({ url }, index) => {
        const admin = await adminOf({ url });
        const slots = index === 0 ? ["0", "8191"] : ["8192", "16383"];
        await admin.sendCommand(["CLUSTER", "ADDSLOTSRANGE", ...slots]);
        await admin.sendCommand(["CLUSTER", "MEET", "127.0.0.1", String(one.port)]);
        const info = async (): Promise<string> => String(await admin.sendCommand(["CLUSTER", "INFO"]));
        await expect.poll(info, { timeout: 30_000 }).toMatch(/^cluster_state:ok[^]*cluster_size:2/);
        return open(url).catch((error: unknown) => error);
      }),
    );
    const opened = said.filter((each) => !(each instanceof Error)) as Opened[];
    expect(opened).toHaveLength(1);
    for (const { ask, told } of opened) {
      for (const key of "abcdefgh") expect((await ask({ key, rpm: 1 })).isGranted).toBe(true);
      expect(told).toEqual([]);
    }
    expect(said.find((each) => each instanceof Error)).toMatchObject({
      code: "usage",
      message: expect.stringMatching(
        /^The Redis of --shared is a node of a cluster that keeps the counts in another: MOVED \d+ 127\.0\.0\.1:\d+\.$/,
      ) as string,
    });
  });

  it("are asked over TLS as a user, of a Redis that the environment's certificates vouch for", async () => {
    const { authority, certificate, key } = await issueCertificate();
    const folder = createHome();
    const file = (name: string, text: string): string => {
      const named = path.join(folder, name);
      writeFileSync(named, text);
      return named;
    };
    const port = await freePort();
    const bundle = file("authority.pem", authority);
    const args = `--tls-port ${port} --tls-cert-file ${file("own.pem", certificate)} --tls-key-file ${file("own.key", key)}`;
    const users = file("users", "user default off\nuser team on >s3cret%pw ~* &* +@all\n");
    await startRedis(
      `${args} --tls-ca-cert-file ${bundle} --tls-auth-clients no --aclfile ${users}`.split(" "),
    );
    const url = `rediss://team:s3cret%25pw@127.0.0.1:${port}/3`;
    const { store, ask } = await open(url, "deny", new Map(), { AWS_CA_BUNDLE: bundle });
    expect(store.state).toBe("ok");
    expect((await ask({ rpm: 1 })).isGranted).toBe(true);
    expect((await ask({ rpm: 1 })).isGranted).toBe(false);
    for (const [address, env, words] of [
      [url, {}, "is not one this machine trusts"],
      [
        url.replace("s3cret%25", "wrong-"),
        { AWS_CA_BUNDLE: bundle },
        "does not let this server in: WRONGPASS",
      ],
      [url.replace("team", "nobody"), { AWS_CA_BUNDLE: bundle }, "does not let this server in: WRONGPASS"],
    ] as const) {
      const refused = await open(address, "allow", new Map(), env).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "usage", message: expect.stringContaining(words) as string });
      expect(String(refused)).not.toMatch(/wrong-pw|s3cret/);
    }
  });

  it("say what is wrong with TLS, and what mends it", async () => {
    const { authority, certificate, key } = await issueCertificate();
    const folder = createHome();
    const file = (name: string, text: string): string => {
      const named = path.join(folder, name);
      writeFileSync(named, text);
      return named;
    };
    const bundle = file("authority.pem", authority);
    const other = file("other.pem", (await issueCertificate()).authority);
    const [port, strict] = [await freePort(), await freePort()];
    const pair = `--tls-cert-file ${file("own.pem", certificate)} --tls-key-file ${file("own.key", key)}`;
    const args = (ofTls: number): string[] =>
      `--tls-port ${ofTls} ${pair} --tls-ca-cert-file ${bundle}`.split(" ");
    const plain = await startRedis([...args(port), "--tls-auth-clients", "no"]);
    await startRedis(args(strict));
    const web = createHttpServer().listen(0, "127.0.0.1");
    await once(web, "listening");
    onTestFinished(() => void web.close());
    const trusted = { AWS_CA_BUNDLE: bundle };
    for (const [url, env, message, hint] of [
      [`rediss://127.0.0.1:${port}`, {}, "is not one this machine trusts", "export NODE_EXTRA_CA_CERTS=FILE"],
      [
        `rediss://127.0.0.1:${port}`,
        { AWS_CA_BUNDLE: other },
        "is not one this machine trusts",
        `Add the certificate of who signed its own to '${other}'.`,
      ],
      [`rediss://localhost:${port}`, trusted, "shows a certificate for another host", "a host that the cert"],
      [
        `rediss://127.0.0.1:${strict}`,
        trusted,
        "asks for a certificate of its client",
        "tls-auth-clients no",
      ],
      [
        `rediss://127.0.0.1:${(web.address() as AddressInfo).port}`,
        trusted,
        "does not speak TLS: wrong version number.",
        "--shared redis://",
      ],
    ] as const)
      expect(await open(url, "allow", new Map(), env).catch((error: unknown) => error)).toMatchObject({
        code: "usage",
        message: expect.stringContaining(message) as string,
        hint: expect.stringContaining(hint) as string,
      });
    for (const [url, guess] of [
      [plain.url.replace("redis:", "rediss:"), "Where it has no TLS, its address begins with redis://."],
      [`redis://127.0.0.1:${port}`, "Where it wants TLS, its address begins with rediss://."],
    ] as const) {
      const { store, told } = await open(url, "allow", new Map(), trusted);
      expect(store.state).toBe("away");
      expect(told[0]).toContain(guess);
    }
  });

  it("are asked with a password that only the environment has", async () => {
    const redis = await startRedis(["--requirepass", "p@ss/w#rd%41"]);
    const env = { PW: "p@ss/w#rd%41", HOST: `127.0.0.1:${redis.port}` };
    for (const [url, more] of [
      ["redis://:${PW}@${HOST}/1", {}],
      ["${REDIS_URL}", { REDIS_URL: `redis://:${encodeURIComponent(env.PW)}@${env.HOST}` }],
    ] as const)
      expect((await open(url, "deny", new Map(), { ...env, ...more })).store.state).toBe("ok");
    await expect(open("redis://:${NONE}@127.0.0.1")).rejects.toMatchObject({
      code: "config-invalid",
      message: "The environment variable NONE is not set; --shared takes its value.",
    });
  });
});
