import { describe, expect, it } from "vitest";
import { Pace } from "../../src/chat/pace.ts";
import type { PaceLimits } from "../../src/chat/pacer.ts";
import type { ChatEvent, ChatEvents } from "../../src/converse/chat-event.ts";
import type { RequestPlan } from "../../src/converse/wire.ts";
import { OpenclawError } from "../../src/errors.ts";

const OPUS = "us.anthropic.claude-opus-4-8";
const NOVA = "amazon.nova-lite-v1:0";

/** A pace whose clock a test moves; what waits is done when it is due. */
function paced(limits: PaceLimits) {
  let now = 0;
  const due: { at: number; work: () => void }[] = [];
  const clock = {
    now: () => now,
    after: (ms: number, work: () => void) => {
      const item = { at: now + ms, work };
      due.push(item);
      return () => void due.splice(due.indexOf(item) >>> 0, 1);
    },
  };
  return {
    pace: new Pace(clock, async () => limits),
    pass: (ms: number) => {
      now += ms;
      for (const { work } of due.filter(({ at }) => at <= now)) work();
    },
  };
}

function planOf(modelId: string, maxTokens: number | undefined, text = "x".repeat(300)): RequestPlan {
  return {
    input: {
      modelId,
      messages: [{ role: "user", content: [{ text }] }],
      ...(maxTokens !== undefined && { inferenceConfig: { maxTokens } }),
    },
    body: undefined,
    form: undefined,
    isReasoning: false,
    notices: [],
    toolNames: new Map(),
  };
}

const wireIn = (region: string | null, baseId: string) => ({ region, baseIdOf: () => baseId });

/** An answer of so many tokens. */
async function* answer(inputTokens: number, outputTokens: number): ChatEvents {
  yield { type: "start", model: "m", region: "us-east-1", attempts: 1 };
  yield { type: "text", text: "hi" };
  yield { type: "usage", inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** The events of a call, or its error. */
async function outcome(
  { pace }: ReturnType<typeof paced>,
  plan: RequestPlan,
  ask: () => ChatEvents,
  { mostMs = 0, region = "us-east-1" as string | null, baseId = NOVA } = {},
): Promise<ChatEvent[] | OpenclawError> {
  const events: ChatEvent[] = [];
  const { signal } = new AbortController();
  try {
    for await (const event of pace.ask(wireIn(region, baseId), plan, { mostMs }, { signal, ask }))
      events.push(event);
    return events;
  } catch (error) {
    if (error instanceof OpenclawError) return error;
    throw error;
  }
}

describe("calls below a quota", () => {
  it("reserve their input and all of their answer, and keep what they used", async () => {
    const all = paced({ tokens: 1000 });
    expect(await outcome(all, planOf(NOVA, 800), () => answer(100, 50))).toHaveLength(3);
    // 150 are used, so that 850 are left for 100 of input, as the first call's told, and the answer.
    expect(await outcome(all, planOf(NOVA, 760), () => answer(100, 50))).toMatchObject({
      code: "throttled",
      details: { isPaced: true, retryAfter: 62 },
    });
    expect(await outcome(all, planOf(NOVA, 700), () => answer(100, 50))).toHaveLength(3);
  });

  it("reserve the most that the model puts out where the request says nothing", async () => {
    const all = paced({ tokens: 5000 });
    expect(await outcome(all, planOf(NOVA, undefined), () => answer(1, 1))).toMatchObject({
      code: "quota-exceeded",
    });
  });

  it("count output by the model's burndown, and hold as much for those that are running", async () => {
    const all = paced({ tokens: 10_000 });
    const ask = () => outcome(all, planOf(OPUS, 300), () => answer(100, 200), { baseId: OPUS.slice(3) });
    // Each takes 3,100.
    expect(await ask()).toHaveLength(3);
    expect(await ask()).toHaveLength(3);
    expect(await ask()).toHaveLength(3);
    expect(await ask()).toMatchObject({ code: "throttled" });
  });

  it("are of one model in one region, and not those of other servers", async () => {
    const all = paced({ requests: 1 });
    const ask = (plan: RequestPlan, region: string | null) =>
      outcome(all, plan, () => answer(1, 1), { region });
    expect(await ask(planOf(NOVA, 10), "us-east-1")).toHaveLength(3);
    expect(await ask(planOf(NOVA, 10), "us-east-1")).toMatchObject({ code: "throttled" });
    expect(await ask(planOf(NOVA, 10), "us-west-2")).toHaveLength(3);
    expect(await ask(planOf(`us.${NOVA}`, 10), "us-east-1")).toHaveLength(3);
    for (const _ of [1, 2, 3]) expect(await ask(planOf(NOVA, 10), null)).toHaveLength(3);
  });

  it("are made again where they were throttled all the same, and not once something was said", async () => {
    const all = paced({});
    const throttled = (): OpenclawError =>
      new OpenclawError("throttled", {
        message: "no",
        details: { awsMessage: "Too many tokens, please wait before trying again." },
      });
    let asked = 0;
    const ask = async function* (): ChatEvents {
      asked += 1;
      if (asked === 1) throw throttled();
      yield* answer(1, 1);
    };
    const answered = outcome(all, planOf(NOVA, 10), ask, { mostMs: 2000 });
    await new Promise(setImmediate);
    expect(asked).toBe(1);
    all.pass(1000);
    expect(await answered).toHaveLength(3);
    expect(asked).toBe(2);
    const late = async function* (): ChatEvents {
      asked += 1;
      yield { type: "start", model: "m", region: "us-east-1", attempts: 1 };
      yield { type: "text", text: "half" };
      throw throttled();
    };
    expect(await outcome(all, planOf(NOVA, 10), late, { mostMs: 1000 })).toMatchObject({
      code: "throttled",
    });
    expect(asked).toBe(3);
  });

  it("give back what was refused for what is in it, and not what nobody knows of", async () => {
    const all = paced({ tokens: 1000 });
    const failing = (code: "invalid-request" | "network") =>
      outcome(all, planOf(NOVA, 800), async function* () {
        yield* [];
        throw new OpenclawError(code, { message: "no" });
      });
    expect(await failing("invalid-request")).toMatchObject({ code: "invalid-request" });
    expect(await failing("network")).toMatchObject({ code: "network" });
    expect(await failing("network")).toMatchObject({ code: "throttled" });
    all.pass(62_000);
    expect(await failing("network")).toMatchObject({ code: "network" });
  });
});
