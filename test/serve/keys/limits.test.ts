import { writeFileSync } from "node:fs";
import path from "node:path";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { StreamStep } from "../../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../../helpers/answer-steps.ts";
import { emulate, type Emulated } from "../../helpers/emulated.ts";
import { heldAnswer } from "../../helpers/held-answer.ts";
import { keyLine } from "../../helpers/key-line.ts";
import { gate, MODEL, type Served, serveEmulated, type ServeTestOptions } from "../../helpers/served.ts";

const OTHER = "amazon.nova-pro-v1:0";

/** The key of a name: that, made long enough. */
const keyOf = (name: string): string => `oc-${name}-0123456789`;

interface Answer {
  status: number;
  headers: Headers;
  error: { message: string; code: string; type: string; param: string | null } | undefined;
}

type Ask = (name: string, body?: object) => Promise<Answer>;

async function limited(
  keys: Readonly<Record<string, object>>,
  options: ServeTestOptions = {},
  emulated?: Emulated,
): Promise<Served & { ask: Ask; file: string; emulated: Emulated }> {
  const user = emulated ?? (await emulate(options.emulator));
  if (options.config !== undefined) user.configure(options.config);
  const file = path.join(user.home, "keys");
  const lines = Object.entries(keys).map(([name, limits]) => keyLine(name, keyOf(name), limits));
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  const served = await serveEmulated(user, {
    ...options,
    args: ["--api-key-file", file, ...(options.args ?? [])],
  });
  const ask: Ask = async (name, body = {}) => {
    const response = await fetch(`${served.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${keyOf(name)}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: MODEL,
        messages: [{ role: "user", content: "hi" }],
        max_tokens: 50,
        ...body,
      }),
    });
    const { error } = (await response.json()) as { error?: Answer["error"] };
    return { status: response.status, headers: response.headers, error };
  };
  return { ...served, ask, file, emulated: user };
}

describe("the requests and tokens that a key may have in a minute", () => {
  it("are told in headers, and refused above with when to ask again", async () => {
    const { ask, logged } = await limited({ a: { rpm: 2 }, b: {} });
    const first = await ask("a");
    expect(first.status).toBe(200);
    expect(first.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("1");
    expect(first.headers.get("x-ratelimit-reset-requests")).toMatch(/^(60|59\.\d+)s$/);
    expect(first.headers.has("x-ratelimit-limit-tokens")).toBe(false);
    expect((await ask("a")).headers.get("x-ratelimit-remaining-requests")).toBe("0");
    const third = await ask("a");
    expect(third).toMatchObject({
      status: 429,
      error: { code: "rate_limit_exceeded", type: "rate_limit_error" },
    });
    expect(third.error?.message).toMatch(
      /^The API key 'a' may send 2 requests a minute\. Try again in \d+ s\.$/,
    );
    const retryAfter = Number(third.headers.get("retry-after"));
    expect(retryAfter).toBeGreaterThan(50);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect(third.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    await logged(({ key, status, error }) => key === "a" && status === 429 && error?.code === "throttled");
    const others = await ask("b");
    expect([others.status, others.headers.has("x-ratelimit-limit-requests")]).toEqual([200, false]);
  });

  it("hold for requests that come at once", async () => {
    const { ask } = await limited({ a: { rpm: 7 } });
    const statuses = await Promise.all(Array.from({ length: 40 }, async () => (await ask("a")).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
    expect(statuses.filter((status) => status === 429)).toHaveLength(33);
  });

  it("take what an answer may need at its beginning, and give back what it did not", async () => {
    const { opened, open } = gate();
    const { opened: asked, open: begin } = gate();
    let calls = 0;
    async function* held(): AsyncGenerator<StreamStep> {
      begin();
      yield { wait: opened };
      yield* textAnswerSteps(["late"]);
    }
    const { ask } = await limited(
      { a: { tpm: 1000 } },
      {
        emulator: {
          script: ({ route }) =>
            route === "ConverseStream" && (calls += 1) === 1 ? { stream: held() } : undefined,
        },
      },
    );
    const running = ask("a", { max_tokens: 900 });
    await asked;
    const second = await ask("a", { max_tokens: 900 });
    expect(second).toMatchObject({ status: 429, error: { code: "rate_limit_exceeded" } });
    expect(second.error?.message).toContain("may use 1000 tokens a minute");
    open();
    expect((await running).status).toBe(200);
    const third = await ask("a", { max_tokens: 900 });
    expect(third.status).toBe(200);
    expect(Number(third.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(100);
    const never = await ask("a", { max_tokens: 2000 });
    expect(never).toMatchObject({ status: 400, error: { code: "rate_limit_exceeded" } });
    expect(never.error?.message).toContain("may use 1000 a minute. Ask for less");
    expect([never.headers.get("retry-after"), never.headers.get("x-should-retry")]).toEqual([null, "false"]);
  });
});

/** A thousandth of a dollar for each token. */
const DEAR = `models: { providers: { "amazon-bedrock": { models: [
  { id: "${MODEL}", cost: { input: 1000, output: 1000, cacheRead: 0, cacheWrite: 0 } }] } } }`;

describe("the budget of a key", () => {
  it("is held over a restart, by day and month, and refused with when it begins anew", async () => {
    const config = `{ ${DEAR} }`;
    const keys = { day: { dailyBudgetUsd: 0.02 }, month: { monthlyBudgetUsd: 0.02 }, none: {} };
    const first = await limited(keys, { config });
    for (const name of ["day", "month"]) {
      let answer = await first.ask(name, { max_tokens: 10 });
      expect(answer.status).toBe(200);
      for (let times = 0; answer.status === 200 && times < 20; times += 1)
        answer = await first.ask(name, { max_tokens: 10 });
      expect(answer).toMatchObject({
        status: 429,
        error: { code: "insufficient_quota", type: "insufficient_quota" },
      });
      expect(answer.error?.message).not.toContain("--");
    }
    expect(await first.end()).toBe(143);
    const again = await limited(keys, { config }, first.emulated);
    const day = await again.ask("day", { max_tokens: 10 });
    expect([day.status, day.headers.get("x-should-retry")]).toEqual([429, "false"]);
    expect((await again.ask("month", { max_tokens: 10 })).status).toBe(429);
    expect((await again.ask("none", { max_tokens: 10 })).status).toBe(200);
  });

  it("is not passed by calls that run at once, nor by one that is dearer than what is left", async () => {
    const { ask, emulated, end } = await limited({ a: { dailyBudgetUsd: 0.5 } }, { config: `{ ${DEAR} }` });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("a", { max_tokens: 200 })));
    const passed = answers.filter(({ status }) => status === 200);
    expect(passed.length).toBeGreaterThan(0);
    for (const { status, error } of answers)
      if (status !== 200) expect(error?.code).toMatch(/^(insufficient_quota|rate_limit_exceeded)$/);
    await end();
    const { stdout } = await emulated.run(["usage", "--by", "key", "--since", "today", "--json"]);
    const { groups } = JSON.parse(stdout) as { groups: { key: string; usd: number }[] };
    const spent = groups.find(({ key }) => key === "a")?.usd ?? 0;
    expect(spent).toBeGreaterThan(0);
    expect(spent).toBeLessThanOrEqual(0.5);
  });

  it("cannot be kept without a ledger, nor for a model whose price nobody knows", async () => {
    const user = await emulate();
    user.configure(`{ usage: { ledger: false } }`);
    const file = path.join(user.home, "keys");
    writeFileSync(file, keyLine("a", keyOf("a"), { dailyBudgetUsd: 1 }), { mode: 0o600 });
    const { code, stderr } = await user.run(["serve", "--port", "0", "--api-key-file", file]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("usage.ledger is false")]);
    const { ask } = await limited(
      { a: { dailyBudgetUsd: 1 } },
      {
        config: `{ models: { providers: { "amazon-bedrock": { models: [{ id: "acme.unknown-v1:0" }] } } } }`,
      },
    );
    const unknown = await ask("a", { model: "acme.unknown-v1:0" });
    expect(unknown).toMatchObject({ status: 403, error: { code: "access_denied", param: "model" } });
    expect(unknown.error?.message).toContain("what 'acme.unknown-v1:0' costs is not known");
  });
});

describe("the models of a key", () => {
  const config = `{ agents: { defaults: { models: {
    "amazon-bedrock/${OTHER}": { alias: "dear" }, "amazon-bedrock/${MODEL}": { alias: "cheap" } } } } }`;
  const args = [
    "--map",
    `gpt-4o=${OTHER}`,
    "--map",
    `gpt-4o-mini=${MODEL}`,
    "--map",
    `both=${MODEL},${OTHER}`,
  ];

  it.each([
    [
      "amazon.nova-lite*",
      [MODEL, `amazon-bedrock/${MODEL}`, `us.${MODEL}`, "cheap", "gpt-4o-mini", "nova lite"],
      [OTHER, `us.${OTHER}`, "dear", "gpt-4o", "both", "nova pro"],
    ],
    ["gpt-*", ["gpt-4o", "gpt-4o-mini"], [MODEL, OTHER, "dear", "cheap", "both"]],
    ["dear", ["dear"], [OTHER, "gpt-4o", "both"]],
    ["amazon-bedrock/*", [MODEL, OTHER, "dear", "both"], []],
  ])("are those that %s fits, whatever they are called by", async (pattern, may, mayNot) => {
    const { ask, origin } = await limited({ a: { models: [pattern] } }, { config, args });
    for (const model of may) expect([model, (await ask("a", { model })).status]).toEqual([model, 200]);
    for (const model of mayNot) {
      const { status, error } = await ask("a", { model });
      expect([model, status, error?.code, error?.param]).toEqual([model, 403, "model_not_found", "model"]);
      const shown = await fetch(`${origin}/v1/models/${encodeURIComponent(model)}`, {
        headers: { "x-api-key": keyOf("a") },
      });
      expect([model, shown.status]).toEqual([model, 403]);
    }
    const list = await fetch(`${origin}/v1/models`, { headers: { "x-api-key": keyOf("a") } });
    const { data } = (await list.json()) as { data: { id: string }[] };
    const ids = data.map(({ id }) => id);
    for (const model of mayNot) expect(ids).not.toContain(model);
    for (const model of may.filter((name) => /^(amazon\.|gpt-|dear|cheap|both)/.test(name)))
      expect(ids).toContain(model);
  });
});

it("an answer that is running ends whole though its key is over, revoked or has spent its budget", async () => {
  const held = heldAnswer(({ body }) => JSON.stringify(body).includes("hold"));
  const config = `{ ${DEAR} }`;
  const expires = new Date(Date.now() + 3000).toISOString();
  const keys = { over: { expires }, revoked: {}, spent: { dailyBudgetUsd: 0.2 } };
  const served = await limited(keys, { config, emulator: held.emulator });
  const running = Object.keys(keys).map(async (name) => {
    const messages = [{ role: "user" as const, content: "hold" }];
    const stream = await new OpenAI({
      baseURL: `${served.origin}/v1`,
      apiKey: keyOf(name),
      maxRetries: 0,
    }).chat.completions.create({ model: MODEL, messages, max_tokens: 20, stream: true });
    let text = "";
    let reason: string | null = null;
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? "";
      reason = choices[0]?.finish_reason ?? reason;
    }
    return [text, reason];
  });
  await held.asked;
  await expect
    .poll(async () => (await served.ask("spent", { max_tokens: 10 })).status, { timeout: 20_000 })
    .toBe(429);
  writeFileSync(
    served.file,
    keyLine("over", keyOf("over"), keys.over) + keyLine("spent", keyOf("spent"), keys.spent),
  );
  served.child.kill("SIGHUP");
  await expect.poll(async () => (await served.ask("revoked")).status).toBe(401);
  await expect.poll(async () => (await served.ask("over")).status, { timeout: 10_000 }).toBe(401);
  held.finish();
  expect(await Promise.all(running)).toEqual(Object.keys(keys).map(() => ["first last", "stop"]));
});

it("a key that is over opens nothing, from the moment that it says", async () => {
  const soon = new Date(Date.now() + 4000).toISOString();
  const { ask } = await limited({ old: { expires: "2026-01-31" }, soon: { expires: soon } });
  const old = await ask("old");
  expect(old).toMatchObject({
    status: 401,
    error: { code: "invalid_api_key", type: "authentication_error" },
  });
  expect(old.error?.message).toContain("has expired (2026-01-31)");
  expect((await ask("soon")).status).toBe(200);
  let last = 200;
  while (last === 200) ({ status: last } = await ask("soon"));
  expect(last).toBe(401);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(soon));
});
