import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate, type Emulated } from "../../helpers/emulated.ts";
import { freePort } from "../../helpers/free-port.ts";
import { keyLine } from "../../helpers/key-line.ts";
import { startRedis } from "../../helpers/redis-server.ts";
import { issueCertificate } from "../../helpers/tls-front.ts";
import { isThorough } from "../../helpers/thorough.ts";
import { MODEL, type Served, serveEmulated } from "../../helpers/served.ts";

const KEY = "oc-key-of-a-0123456789";
const BODY = JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }], max_tokens: 10 });

/** Several servers with one key, which count in one Redis. */
async function servers(
  count: number,
  url: string,
  limits: object,
  onLoss: "allow" | "deny",
): Promise<{ served: Served[]; emulated: Emulated }> {
  const emulated = await emulate();
  const file = path.join(emulated.home, "keys");
  writeFileSync(file, keyLine("a", KEY, limits), { mode: 0o600 });
  const args = ["--api-key-file", file, "--shared", url, "--on-store-loss", onLoss];
  const served = await Promise.all(
    Array.from({ length: count }, () => serveEmulated(emulated, { args, isAlone: true })),
  );
  return { served, emulated };
}

/** Sends so many requests to a server, a few at once; tells the status of each, and the longest time that one took, in ms. */
async function load(
  { origin }: Served,
  count: number,
  onAnswer: () => void = () => undefined,
): Promise<{ statuses: number[]; longest: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const statuses: number[] = [];
  let [longest, left] = [0, count];
  const ask = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { "x-api-key": KEY, "content-type": "application/json" };
      request(`${origin}/v1/chat/completions`, { method: "POST", headers, agent }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      })
        .on("error", reject)
        .end(BODY);
    });
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while ((left -= 1) >= 0) {
        const started = performance.now();
        statuses.push(await ask());
        longest = Math.max(longest, performance.now() - started);
        onAnswer();
      }
    }),
  );
  agent.destroy();
  return { statuses, longest };
}

const countOf = (loads: readonly { statuses: number[] }[], status: number): number =>
  loads.flatMap(({ statuses }) => statuses).filter((each) => each === status).length;

async function readyOf({ origin }: Served): Promise<[number, string | undefined]> {
  const response = await fetch(`${origin}/ready`);
  return [response.status, ((await response.json()) as { shared?: string }).shared];
}

describe("servers that count in one Redis", () => {
  it("let pass what one would, of many requests to each of four", { timeout: 120_000 }, async () => {
    const count = isThorough ? 1000 : 100;
    const redis = await startRedis();
    const { served } = await servers(4, redis.url, { rpm: 150 }, "deny");
    const started = performance.now();
    const loads = await Promise.all(served.map((each) => load(each, count)));
    const minutes = Math.ceil((performance.now() - started) / 60_000);
    expect(countOf(loads, 200)).toBeLessThanOrEqual(150 * minutes);
    expect(countOf(loads, 200)).toBeGreaterThanOrEqual(150);
    expect(countOf(loads, 200) + countOf(loads, 429)).toBe(4 * count);
    expect(await readyOf(served[0] as Served)).toEqual([200, "ok"]);
  });

  it("let pass no more where it is killed on the way, and comes back", { timeout: 120_000 }, async () => {
    // None of the servers has been asked all when the 60th answer comes.
    const count = isThorough ? 200 : 80;
    const redis = await startRedis();
    const { served } = await servers(4, redis.url, { rpm: 120 }, "deny");
    let answers = 0;
    let killed: Promise<void> | undefined;
    const onAnswer = (): void => {
      answers += 1;
      if (answers === 60) killed = redis.kill();
    };
    const started = performance.now();
    const before = await Promise.all(served.map((each) => load(each, count, onAnswer)));
    await killed;
    expect(await readyOf(served[0] as Served)).toEqual([503, "refusing"]);
    await redis.restart();
    await Promise.all(
      served.map(({ logged }) =>
        logged(({ message = "" }) => message.startsWith("The Redis of --shared is back.")),
      ),
    );
    const after = await Promise.all(served.map((each) => load(each, count)));
    const loads = [...before, ...after];
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(countOf(loads, 200)).toBeGreaterThanOrEqual(30);
    expect(countOf(loads, 200)).toBeLessThanOrEqual(120);
    expect(countOf(loads, 503)).toBeGreaterThan(0);
    expect(countOf(loads, 200) + countOf(loads, 429) + countOf(loads, 503)).toBe(8 * count);
    for (const { longest } of loads) expect(longest).toBeLessThan(4000);
  });

  it("answer each by its own count meanwhile, where that is allowed", { timeout: 120_000 }, async () => {
    const redis = await startRedis();
    const { served } = await servers(2, redis.url, { rpm: 40 }, "allow");
    await load(served[0] as Served, 5);
    await redis.kill();
    const loads = await Promise.all(served.map((each) => load(each, 100)));
    expect(loads.map((each) => countOf([each], 200))).toEqual([35, 40]);
    expect(countOf(loads, 503)).toBe(0);
    expect(await readyOf(served[0] as Served)).toEqual([200, "away"]);
    const loss = await (served[0] as Served).logged(({ message }) => message?.includes("is away") === true);
    expect(loss.message).toContain("Each server counts what its keys ask by itself");
  });

  it("count by TLS, with a password that the environment has", async () => {
    const { authority, certificate, key } = await issueCertificate();
    const emulated = await emulate();
    const file = (name: string, text: string): string => {
      const named = path.join(emulated.home, name);
      writeFileSync(named, text, { mode: 0o600 });
      return named;
    };
    const [bundle, port] = [file("authority.pem", authority), await freePort()];
    const pair = `--tls-cert-file ${file("own.pem", certificate)} --tls-key-file ${file("own.key", key)}`;
    const args = `--tls-port ${port} ${pair} --tls-ca-cert-file ${bundle} --tls-auth-clients no`;
    await startRedis([...args.split(" "), "--requirepass", "s3cret/pw"]);
    const served = await serveEmulated(emulated, {
      args: [
        "--api-key-file",
        file("keys", keyLine("a", KEY, { rpm: 2 })),
        "--shared",
        `rediss://:\${REDIS_PASSWORD}@127.0.0.1:${port}`,
        "--on-store-loss",
        "deny",
      ],
      env: { REDIS_PASSWORD: "s3cret/pw", NODE_EXTRA_CA_CERTS: bundle },
      isAlone: true,
    });
    const { statuses } = await load(served, 3);
    expect(statuses.toSorted()).toEqual([200, 200, 429]);
    expect(await readyOf(served)).toEqual([200, "ok"]);
    expect(JSON.stringify(served.log)).not.toContain("s3cret");
  });

  it("start without it, and say so", async () => {
    const { served, emulated } = await servers(1, "redis://127.0.0.1:9", { rpm: 5 }, "deny");
    const [only] = served as [Served];
    expect((await load(only, 3)).statuses).toEqual([503, 503, 503]);
    await only.logged(({ message }) => message?.includes("ECONNREFUSED") === true);
    const wrong = await emulated.run([
      "serve",
      "--api-key-file",
      path.join(emulated.home, "keys"),
      "--shared",
      "http://:s3cret@host",
    ]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--shared is not the address")]);
    expect(wrong.stderr).not.toContain("s3cret");
    expect(await only.end()).toBe(143);
  });
});
