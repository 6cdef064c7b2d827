import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { entryLine } from "../../../src/ledger/entry.ts";
import { ledgerFolder, monthFile, monthOf } from "../../../src/ledger/ledger-files.ts";
import { emulate } from "../../helpers/emulated.ts";
import { keyLine } from "../../helpers/key-line.ts";
import { startRedis } from "../../helpers/redis-server.ts";
import { MODEL, type Served, serveEmulated } from "../../helpers/served.ts";

/** Each call of the tests takes some thousand tokens, which cost more than a dollar. */
const KEYS = {
  rate: { rpm: 1 },
  tokens: { tpm: 2000 },
  size: { tpm: 100 },
  daily: { dailyBudgetUsd: 5 },
  monthly: { dailyBudgetUsd: 5, monthlyBudgetUsd: 5 },
  rest: { dailyBudgetUsd: 10 },
  "month-rest": { dailyBudgetUsd: 100, monthlyBudgetUsd: 10 },
  whole: { dailyBudgetUsd: 0.5, monthlyBudgetUsd: 50 },
  models: { models: ["gpt-*"] },
  over: { expires: "2026-01-31" },
} as const;
/** What was spent today, in USD. */
const SPENT: Readonly<Record<string, number>> = { daily: 5, monthly: 5, rest: 9.9, "month-rest": 9.9 };
type KeyName = keyof typeof KEYS;

const keyOf = (name: string): string => `oc-key-${name}-0123456789`;

const EMBEDS = "amazon.titan-embed-text-v2:0";
const cost = { input: 1000, output: 1000, cacheRead: 0, cacheWrite: 0 };
const config = JSON.stringify({
  models: { providers: { "amazon-bedrock": { models: [MODEL, EMBEDS].map((id) => ({ id, cost })) } } },
});

async function server(args: readonly string[]): Promise<Served> {
  const emulated = await emulate();
  emulated.configure(config);
  const file = path.join(emulated.home, "keys");
  const lines = Object.entries(KEYS).map(([name, limits]) => keyLine(name, keyOf(name), limits));
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  const at = new Date().toISOString();
  const none = { cacheReadInputTokens: 0, cacheWriteInputTokens: 0, inputTokens: 0, outputTokens: 0 };
  const ledger = ledgerFolder({ ...NOWHERE, homeFolder: emulated.home });
  mkdirSync(ledger, { recursive: true });
  writeFileSync(
    monthFile(ledger, monthOf(at)),
    Object.entries(SPENT)
      .map(([key, usd]) =>
        entryLine({ at, command: "serve", model: MODEL, key, calls: 1, unpriced: 0, usd, ...none }),
      )
      .join(""),
  );
  return serveEmulated(emulated, { args: ["--api-key-file", file, ...args] });
}

const NOWHERE = { env: {}, currentFolder: "/", isEmulated: false };

/** What clients of a dialect send, and what they read of an error. */
interface Spoken {
  path: string;
  headers: (key: string) => Record<string, string>;
  body: object;
  wordOf: (answer: Response, body: unknown) => string | null | undefined;
  /** The header that has the limit of requests. */
  limitHeader: string;
  told: Readonly<Record<KeyName, readonly [status: number, word: string]>>;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const codeOf: Spoken["wordOf"] = (_, body) => (body as { error: { code: string } }).error.code;
const OPENAI = {
  headers: bearer,
  wordOf: codeOf,
  limitHeader: "x-ratelimit-limit-requests",
  told: {
    rate: [429, "rate_limit_exceeded"],
    tokens: [429, "rate_limit_exceeded"],
    size: [400, "rate_limit_exceeded"],
    daily: [429, "insufficient_quota"],
    monthly: [429, "insufficient_quota"],
    rest: [429, "insufficient_quota"],
    "month-rest": [429, "insufficient_quota"],
    whole: [400, "insufficient_quota"],
    models: [403, "model_not_found"],
    over: [401, "invalid_api_key"],
  },
} as const;

const AWSS = {
  headers: bearer,
  wordOf: (answer) => answer.headers.get("x-amzn-errortype"),
  limitHeader: "x-ratelimit-limit-requests",
  told: {
    rate: [429, "ThrottlingException"],
    tokens: [429, "ThrottlingException"],
    size: [400, "ServiceQuotaExceededException"],
    daily: [400, "ServiceQuotaExceededException"],
    monthly: [400, "ServiceQuotaExceededException"],
    rest: [400, "ServiceQuotaExceededException"],
    "month-rest": [400, "ServiceQuotaExceededException"],
    whole: [400, "ServiceQuotaExceededException"],
    models: [403, "AccessDeniedException"],
    over: [403, "AccessDeniedException"],
  },
} satisfies Partial<Spoken>;

/** A thousand tokens or so. */
const TEXT = "word ".repeat(800);

const DIALECTS: Readonly<Record<string, Spoken>> = {
  "chat-completions": {
    ...OPENAI,
    path: "/v1/chat/completions",
    body: { model: MODEL, messages: [{ role: "user", content: TEXT }], max_tokens: 200 },
  },
  responses: {
    ...OPENAI,
    path: "/v1/responses",
    body: { model: MODEL, input: TEXT, max_output_tokens: 200 },
  },
  messages: {
    path: "/v1/messages",
    headers: (key) => ({ "x-api-key": key, "anthropic-version": "2023-06-01" }),
    body: { model: MODEL, messages: [{ role: "user", content: TEXT }], max_tokens: 200 },
    wordOf: (_, body) => (body as { error: { type: string } }).error.type,
    limitHeader: "anthropic-ratelimit-requests-limit",
    told: {
      rate: [429, "rate_limit_error"],
      tokens: [429, "rate_limit_error"],
      size: [400, "invalid_request_error"],
      daily: [429, "rate_limit_error"],
      monthly: [429, "rate_limit_error"],
      rest: [429, "rate_limit_error"],
      "month-rest": [429, "rate_limit_error"],
      whole: [400, "invalid_request_error"],
      models: [403, "permission_error"],
      over: [401, "authentication_error"],
    },
  },
  bedrock: {
    ...AWSS,
    path: `/model/${encodeURIComponent(MODEL)}/converse`,
    body: { messages: [{ role: "user", content: [{ text: TEXT }] }], inferenceConfig: { maxTokens: 200 } },
  },
  "a body of its own": {
    ...AWSS,
    path: `/model/${EMBEDS}/invoke`,
    body: { inputText: TEXT },
  },
  embeddings: { ...OPENAI, path: "/v1/embeddings", body: { model: EMBEDS, input: TEXT } },
};

/** In how many seconds a day or month is over. */
function secondsLeft(of: "day" | "month"): number {
  const end = new Date();
  end.setUTCHours(24, 0, 0, 0);
  if (of === "month") end.setUTCMonth(new Date().getUTCMonth() + 1, 1);
  return (end.getTime() - Date.now()) / 1000;
}

/** When it says to ask again, in seconds; undefined where that helps nobody. */
const AGAIN: Readonly<Record<KeyName, (() => [from: number, to: number]) | undefined>> = {
  rate: () => [50, 60],
  tokens: () => [50, 60],
  size: undefined,
  daily: () => [secondsLeft("day") - 5, secondsLeft("day") + 5],
  monthly: () => [secondsLeft("month") - 5, secondsLeft("month") + 5],
  rest: () => [secondsLeft("day") - 5, secondsLeft("day") + 5],
  "month-rest": () => [secondsLeft("month") - 5, secondsLeft("month") + 5],
  whole: undefined,
  models: undefined,
  over: undefined,
};
/** What no later try mends within a minute or so: clients are told not to try by themselves. */
const FINAL: ReadonlySet<string> = new Set(["size", "daily", "monthly", "rest", "month-rest", "whole"]);

describe.each(Object.entries(DIALECTS))("limits in the words of %s", (_, spoken) => {
  it.each(["in memory", "in Redis"])("have its status, its word and its headers: %s", async (where) => {
    const shared = where === "in Redis" ? ["--shared", (await startRedis()).url] : [];
    const { origin, log } = await server(shared);
    const ask = async (name: KeyName): Promise<[Response, unknown]> => {
      const answer = await fetch(origin + spoken.path, {
        method: "POST",
        headers: { ...spoken.headers(keyOf(name)), "content-type": "application/json" },
        body: JSON.stringify(spoken.body),
      });
      return [answer, await answer.json()];
    };
    const [first] = await ask("rate");
    expect([first.status, first.headers.get(spoken.limitHeader)]).toEqual([200, "1"]);
    expect((await ask("tokens"))[0].status).toBe(200);
    for (const name of Object.keys(KEYS) as KeyName[]) {
      const [answer, body] = await ask(name);
      expect([name, answer.status, spoken.wordOf(answer, body)]).toEqual([name, ...spoken.told[name]]);
      const text = JSON.stringify(body);
      expect(text).toContain(`'${name}'`);
      expect(text).not.toMatch(/--[a-z]|openclaw [a-z]/);
      const [retryAfter, again] = [answer.headers.get("retry-after"), answer.headers.get("x-should-retry")];
      const expected = AGAIN[name]?.();
      if (expected === undefined) expect([name, retryAfter]).toEqual([name, null]);
      else {
        expect(Number(retryAfter)).toBeGreaterThan(expected[0]);
        expect(Number(retryAfter)).toBeLessThanOrEqual(expected[1]);
      }
      expect([name, again]).toEqual([name, FINAL.has(name) ? "false" : null]);
    }
    expect(JSON.stringify(log)).not.toContain("0123456789");
  });
});
