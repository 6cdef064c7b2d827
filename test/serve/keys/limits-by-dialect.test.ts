import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../../src/serve/keys/key-file.ts";
import { emulate } from "../../helpers/emulated.ts";
import { MODEL, type Served, serveEmulated } from "../../helpers/served.ts";

const KEYS = {
  rate: { rpm: 1 },
  size: { tpm: 100 },
  budget: { dailyBudgetUsd: 0 },
  models: { models: ["gpt-*"] },
  over: { expires: "2026-01-31" },
} as const;
type KeyName = keyof typeof KEYS;

const keyOf = (name: string): string => `oc-key-${name}-0123456789`;

async function server(): Promise<Served> {
  const emulated = await emulate();
  const file = path.join(emulated.home, "keys");
  const lines = Object.entries(KEYS).map(([name, limits]) =>
    JSON.stringify({ name, hash: `sha256:${digestOf(keyOf(name)).toString("hex")}`, ...limits }),
  );
  writeFileSync(file, lines.join("\n"), { mode: 0o600 });
  return serveEmulated(emulated, { args: ["--api-key-file", file] });
}

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
    size: [429, "rate_limit_exceeded"],
    budget: [429, "insufficient_quota"],
    models: [403, "model_not_found"],
    over: [401, "invalid_api_key"],
  },
} as const;

const DIALECTS: Readonly<Record<string, Spoken>> = {
  "chat-completions": {
    ...OPENAI,
    path: "/v1/chat/completions",
    body: { model: MODEL, messages: [{ role: "user", content: "hi" }], max_tokens: 200 },
  },
  responses: {
    ...OPENAI,
    path: "/v1/responses",
    body: { model: MODEL, input: "hi", max_output_tokens: 200 },
  },
  messages: {
    path: "/v1/messages",
    headers: (key) => ({ "x-api-key": key, "anthropic-version": "2023-06-01" }),
    body: { model: MODEL, messages: [{ role: "user", content: "hi" }], max_tokens: 200 },
    wordOf: (_, body) => (body as { error: { type: string } }).error.type,
    limitHeader: "anthropic-ratelimit-requests-limit",
    told: {
      rate: [429, "rate_limit_error"],
      size: [429, "rate_limit_error"],
      budget: [429, "rate_limit_error"],
      models: [403, "permission_error"],
      over: [401, "authentication_error"],
    },
  },
  bedrock: {
    path: `/model/${encodeURIComponent(MODEL)}/converse`,
    headers: bearer,
    body: { messages: [{ role: "user", content: [{ text: "hi" }] }], inferenceConfig: { maxTokens: 200 } },
    wordOf: (answer) => answer.headers.get("x-amzn-errortype"),
    limitHeader: "x-ratelimit-limit-requests",
    told: {
      rate: [429, "ThrottlingException"],
      size: [400, "ServiceQuotaExceededException"],
      budget: [400, "ServiceQuotaExceededException"],
      models: [403, "AccessDeniedException"],
      over: [403, "AccessDeniedException"],
    },
  },
};

describe.each(Object.entries(DIALECTS))("limits in the words of %s", (_, spoken) => {
  it("have its status, its word and its headers", async () => {
    const { origin, log } = await server();
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
    for (const name of Object.keys(KEYS) as KeyName[]) {
      const [answer, body] = await ask(name);
      expect([name, answer.status, spoken.wordOf(answer, body)]).toEqual([name, ...spoken.told[name]]);
      const text = JSON.stringify(body);
      expect(text).toContain(name === "models" || name === "over" ? `'${name}'` : name);
      expect(text).not.toMatch(/--[a-z]|openclaw [a-z]/);
      const [retryAfter, again] = [answer.headers.get("retry-after"), answer.headers.get("x-should-retry")];
      if (name === "rate") expect(Number(retryAfter)).toBeGreaterThan(50);
      if (name === "budget") expect(Number(retryAfter)).toBeGreaterThan(0);
      if (name === "size") expect(retryAfter).toBeNull();
      expect(again).toBe(name === "budget" || name === "size" ? "false" : null);
    }
    expect(JSON.stringify(log)).not.toContain("0123456789");
  });
});
