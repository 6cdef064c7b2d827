import { expect, it } from "vitest";
import { Call } from "../../../src/serve/call.ts";
import { digestOf } from "../../../src/serve/keys/key-file.ts";
import { KeyLimiter } from "../../../src/serve/keys/key-limiter.ts";
import { MemoryStore } from "../../../src/serve/keys/memory-store.ts";
import { ServeLog } from "../../../src/serve/serve-log.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

it("a request that asks a model several times is one request, with all that it used", async () => {
  const runtime = testRuntime({ home: "/nowhere" });
  const limiter = new KeyLimiter(new MemoryStore(runtime, async () => new Map()), runtime.now);
  const key = { name: "a", digest: digestOf("a"), rpm: 2, tpm: 10_000 };
  const begin = (): Call => {
    const entry = { method: "POST", path: "/v1/embeddings", requestId: "1" };
    const call = new Call(entry, runtime, new ServeLog(runtime), () => undefined);
    call.key = key;
    return call;
  };
  const asked = { name: "some", isOwnName: false, models: async () => [], config: {} };
  const question = { messages: [], parameters: { maxTokens: 1 } };
  const call = begin();
  call.bodyBytes = 3000;
  const usage = { inputTokens: 100, outputTokens: 0, totalTokens: 100 };
  for (let times = 0; times < 5; times += 1) {
    await limiter.admit(call, asked, question);
    limiter.count(call, usage, null);
  }
  expect(call.rate).toMatchObject({ requests: { remaining: 1 }, tokens: { remaining: 10_000 - 1001 } });
  call.end(200);
  const next = begin();
  await limiter.admit(next, asked, question);
  expect(next.rate).toMatchObject({ requests: { remaining: 0 }, tokens: { remaining: 10_000 - 500 - 2 } });
  await expect(limiter.admit(begin(), asked, question)).rejects.toMatchObject({ code: "throttled" });
});
