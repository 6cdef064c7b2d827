import { describe, expect, it } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import { gate, MODEL, serve, type Served } from "../helpers/served.ts";

const limited = (tokens: number, more: EmulatorOptions = {}): EmulatorOptions => ({
  limits: { tokens: [{ value: tokens }] },
  delayMs: 5,
  ...more,
});

interface Answered {
  status: number;
  queuedMs: number | undefined;
  retryAfter: number | undefined;
  region: string | null;
  text: string;
}

async function ask(
  { origin }: Served,
  {
    maxTokens = 1000,
    prompt = "hi",
    signal,
  }: { maxTokens?: number; prompt?: string; signal?: AbortSignal } = {},
): Promise<Answered> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: MODEL,
      max_tokens: maxTokens,
      messages: [{ role: "user", content: prompt }],
    }),
    ...(signal && { signal }),
  });
  const number = (name: string): number | undefined => {
    const value = answer.headers.get(name);
    return value === null ? undefined : Number(value);
  };
  return {
    status: answer.status,
    queuedMs: number("x-openclaw-queued-ms"),
    retryAfter: number("retry-after"),
    region: answer.headers.get("x-openclaw-region"),
    text: await answer.text(),
  };
}

const many = (served: Served, count: number, options = {}): Promise<Answered[]> =>
  Promise.all(Array.from({ length: count }, () => ask(served, options)));

function statuses(answers: readonly Answered[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const throttles = ({ emulator }: Served): number =>
  emulator.calls.filter(({ route, status }) => route === "ConverseStream" && status === 429).length;

describe("serve --pace", () => {
  it("refuses at once who waits for a place when it ends", async () => {
    const served = await serve({ args: ["--rpm", "1"] });
    expect(await ask(served)).toMatchObject({ status: 200 });
    const waiting = ask(served);
    const gauge = async (): Promise<string> => (await fetch(`${served.origin}/metrics`)).text();
    await expect.poll(gauge, { timeout: 10_000 }).toMatch(/^openclaw_queue_length\S* 1$/m);
    const begun = performance.now();
    await served.end("SIGINT");
    expect(await waiting).toMatchObject({
      status: 503,
      text: expect.stringContaining("shutting down") as string,
    });
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it("refuses at once who is throttled, and would go back into the queue, when it is ending", async () => {
    const [asked, ending] = [gate(), gate()];
    const served = await serve({
      args: ["--rpm", "100"],
      emulator: {
        script: ({ route }) => {
          if (route !== "ConverseStream") return undefined;
          asked.open();
          return {
            after: ending.opened,
            error: { name: "ThrottlingException", message: "Too many requests" },
          };
        },
      },
    });
    const throttled = ask(served);
    await asked.opened;
    const ended = served.end("SIGINT");
    await served.logged(({ message }) => message?.startsWith("Ending") === true);
    const begun = performance.now();
    ending.open();
    expect(await throttled).toMatchObject({
      status: 503,
      text: expect.stringContaining("shutting down") as string,
    });
    await ended;
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it("lets nobody be throttled who waits, by the quota that Service Quotas tells", async () => {
    const emulator = limited(5000);
    const unpaced = await serve({ emulator });
    expect(statuses(await many(unpaced, 40))["429"]).toBeGreaterThan(0);
    const served = await serve({ emulator, args: ["--pace"] });
    const answers = await many(served, 40);
    expect(statuses(answers)).toEqual({ 200: 40 });
    expect(throttles(served)).toBe(0);
    expect(answers.some(({ queuedMs = 0 }) => queuedMs > 0)).toBe(true);
    const line = await served.logged(({ queuedMs = 0 }) => queuedMs > 0);
    expect(line.queuedMs).toBeLessThan(30_000);
  });

  it("refuses after the time to wait, names it, and says when to ask again", async () => {
    const served = await serve({ args: ["--rpm", "2", "--pace-wait", "0.3"] });
    expect(statuses(await many(served, 2))).toEqual({ 200: 2 });
    const refused = await ask(served);
    expect(refused.status).toBe(429);
    expect(refused.retryAfter).toBeGreaterThan(50);
    expect(refused.retryAfter).toBeLessThan(63);
    expect(refused.queuedMs).toBeGreaterThanOrEqual(290);
    expect(refused.text).toContain("rate_limit_exceeded");
    expect(refused.text).toContain("after 0.3 s of waiting");
    expect(served.routes().filter((route) => route === "ConverseStream")).toHaveLength(2);
    const { error, queuedMs } = await served.logged(({ status }) => status === 429);
    expect(error?.code).toBe("throttled");
    expect(queuedMs).toBeGreaterThanOrEqual(290);
  });

  it("counts each sending of a request, also one that is tried again", async () => {
    let failures = 1;
    const served = await serve({
      args: ["--rpm", "2", "--pace-wait", "0.2"],
      env: { AWS_MAX_ATTEMPTS: "3" },
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream" && failures-- > 0
            ? { error: { name: "ServiceUnavailableException", message: "no" } }
            : undefined,
      },
    });
    expect((await ask(served)).status).toBe(200);
    expect(served.routes().filter((route) => route === "ConverseStream")).toHaveLength(2);
    expect((await ask(served)).status).toBe(429);
    expect(served.routes().filter((route) => route === "ConverseStream")).toHaveLength(2);
  });

  it("holds the status of a stream back while it waits, so that it can be refused", async () => {
    const served = await serve({
      args: ["--rpm", "1", "--pace-wait", "2.5", "--heartbeat", "1"],
      emulator: { delayMs: 1 },
    });
    const stream = async (): Promise<Response> =>
      fetch(`${served.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: MODEL, stream: true, messages: [{ role: "user", content: "hi" }] }),
      });
    await (await stream()).text();
    const refused = await stream();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(await refused.text()).toContain("after 2.5 s of waiting");
  });

  it("frees the place of a client that leaves the queue", async () => {
    const served = await serve({ args: ["--rpm", "1"] });
    expect((await ask(served)).status).toBe(200);
    const client = new AbortController();
    const left = ask(served, { signal: client.signal });
    left.catch(() => undefined);
    await expect.poll(async () => (await fetch(`${served.origin}/health`)).status).toBe(200);
    setTimeout(() => client.abort(), 300);
    await expect(left).rejects.toThrow();
    expect((await served.logged(({ isAborted }) => isAborted === true)).status).toBe(499);
    expect(served.routes().filter((route) => route === "ConverseStream")).toHaveLength(1);
  });

  it("tells a request that never fits what it takes and what there is", async () => {
    const served = await serve({ args: ["--tpm", "300"] });
    const { status, text, retryAfter } = await ask(served, { maxTokens: 500 });
    expect(status).toBe(400);
    expect(retryAfter).toBeUndefined();
    expect(text).toContain("insufficient_quota");
    expect(text).toMatch(/takes 50\d tokens of the quota.* 300 a minute in us-east-1/);
    expect((await ask(served, { maxTokens: 100 })).status).toBe(200);
  });

  it("learns the quota where Service Quotas may not be asked, and asks again what was throttled", async () => {
    const served = await serve({
      emulator: limited(5000, {
        script: ({ route }) =>
          route === "ListServiceQuotas"
            ? { error: { name: "AccessDeniedException", message: "no" } }
            : undefined,
      }),
      args: ["--pace"],
    });
    expect(statuses(await many(served, 40))).toEqual({ 200: 40 });
    expect(throttles(served)).toBeGreaterThan(0);
    expect(served.log.some(({ message }) => message?.includes("learnt from being throttled"))).toBe(true);
  });

  it("asks another region that has room at once, and then waits", async () => {
    const served = await serve({
      args: ["--regions", "us-east-1,us-west-2", "--rpm", "2", "--pace-wait", "0.2"],
    });
    const answers = [];
    for (let nth = 0; nth < 5; nth += 1) answers.push(await ask(served));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
    const regions = answers.slice(0, 4).map(({ region }) => region);
    expect(regions[0]).toBe(regions[1]);
    expect(regions[2]).toBe(regions[3]);
    expect(new Set(regions)).toEqual(new Set(["us-east-1", "us-west-2"]));
    // Room that is missing is no failure: the region is asked again as soon as there is some.
    expect((await ask(served)).text).toContain("no room");
  });
});
