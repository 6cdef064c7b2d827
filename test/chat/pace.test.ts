import { describe, expect, it } from "vitest";
import { callToPace, Pace, type PaceTerms, type PaceWait } from "../../src/chat/pace.ts";
import type { PaceLimits } from "../../src/chat/pacer.ts";
import type { ChatEvent, ChatEvents } from "../../src/converse/chat-event.ts";
import type { RequestPlan } from "../../src/converse/wire.ts";
import { OpenclawError } from "../../src/errors.ts";
import type { InferenceProfile } from "../../src/models/discovered.ts";
import type { AttemptGate } from "../../src/session/rest-client.ts";

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

const wireIn = (region: string | null, baseId: string | undefined, profile?: InferenceProfile) => ({
  region,
  baseIdOf: () => baseId,
  profileOf: () => profile,
});

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
  ask: (gate: AttemptGate) => ChatEvents,
  {
    region = "us-east-1",
    baseId = region === null ? undefined : NOVA,
    profile,
    ...terms
  }: Partial<PaceTerms> & { region?: string | null; baseId?: string; profile?: InferenceProfile } = {},
): Promise<ChatEvent[] | OpenclawError> {
  const events: ChatEvent[] = [];
  const { signal } = new AbortController();
  try {
    const call = callToPace(wireIn(region, baseId, profile), plan);
    const sending = async function* (gate: AttemptGate): ChatEvents {
      await gate.enter();
      yield* ask(gate);
    };
    for await (const event of pace.ask(call, { mostMs: 0, ...terms }, { signal, ask: sending }))
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

  it("reserve the most that the settings of the model say, before what the catalog knows", () => {
    const mostOf = (maxTokens?: number) =>
      callToPace(wireIn("us-east-1", NOVA), planOf(NOVA, undefined), {
        configured: maxTokens === undefined ? undefined : { maxTokens },
      }).maxTokens;
    expect(mostOf(20)).toBe(20);
    expect(mostOf()).toBe(10_000);
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

  it("are of one model in one region or at one server", async () => {
    const all = paced({ requests: 1 });
    const ask = (plan: RequestPlan, region: string | null) =>
      outcome(all, plan, () => answer(1, 1), { region });
    expect(await ask(planOf(NOVA, 10), "us-east-1")).toHaveLength(3);
    expect(await ask(planOf(NOVA, 10), "us-east-1")).toMatchObject({ code: "throttled" });
    expect(await ask(planOf(NOVA, 10), "us-west-2")).toHaveLength(3);
    expect(await ask(planOf(`us.${NOVA}`, 10), "us-east-1")).toHaveLength(3);
    expect(await ask(planOf("qwen3", 10), null)).toHaveLength(3);
    expect(await ask(planOf("qwen3", 10), null)).toMatchObject({ code: "throttled" });
    expect(await ask(planOf("other", 10), null)).toHaveLength(3);
  });

  const at = (region: string, id: string): string =>
    `arn:aws:bedrock:${region}:123456789012:inference-profile/${id}`;
  const APPLICATION = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
  const modelIn = (region: string): string => `arn:aws:bedrock:${region}::foundation-model/${NOVA}`;
  const applicationIn = (...regions: string[]): InferenceProfile => ({
    id: "abc",
    arn: APPLICATION,
    name: "mine",
    isApplication: true,
    isActive: true,
    modelArns: regions.map(modelIn),
  });
  it.each([
    [`us.${NOVA}`, at("us-east-1", `us.${NOVA}`), undefined, true],
    [`us.${NOVA}`, APPLICATION, applicationIn("us-east-1", "us-west-2"), true],
    [NOVA, modelIn("us-east-1"), undefined, true],
    [NOVA, APPLICATION, applicationIn("us-east-1"), true],
    [NOVA, APPLICATION, applicationIn("us-east-1", "us-west-2"), false],
    [NOVA, `us.${NOVA}`, undefined, false],
    [`us.${NOVA}`, `global.${NOVA}`, undefined, false],
  ])("of %s count for the quota of %s where that is the same (%#)", async (one, other, profile, isSame) => {
    const all = paced({ requests: 1 });
    expect(await outcome(all, planOf(one, 10), () => answer(1, 1))).toHaveLength(3);
    const second = await outcome(all, planOf(other, 10), () => answer(1, 1), profile && { profile });
    if (isSame) expect(second).toMatchObject({ code: "throttled" });
    else expect(second).toHaveLength(3);
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

  it("take a place each time that they are sent", async () => {
    const all = paced({ requests: 3 });
    const twice = async function* (gate: AttemptGate): ChatEvents {
      await gate.enter();
      yield* answer(1, 1);
    };
    expect(await outcome(all, planOf(NOVA, 10), twice)).toHaveLength(3);
    // The third place is there, the fourth is not.
    expect(await outcome(all, planOf(NOVA, 10), twice)).toMatchObject({
      code: "throttled",
      details: { isPaced: true },
    });
    expect(await outcome(all, planOf(NOVA, 10), () => answer(1, 1))).toMatchObject({ code: "throttled" });
    all.pass(62_000);
    expect(await outcome(all, planOf(NOVA, 10), twice)).toHaveLength(3);
  });

  it("take none where they were never sent", async () => {
    const all = paced({ requests: 1 });
    const { signal } = new AbortController();
    const ask = async function* (): ChatEvents {
      yield* [];
      throw new OpenclawError("no-credentials", { message: "none" });
    };
    const call = callToPace(wireIn("us-east-1", NOVA), planOf(NOVA, 10));
    await expect(all.pace.ask(call, { mostMs: 0 }, { signal, ask }).next()).rejects.toThrow("none");
    expect(await outcome(all, planOf(NOVA, 10), () => answer(1, 1))).toHaveLength(3);
  });

  const failingOnce = (error: OpenclawError) => {
    let asked = 0;
    return async function* (): ChatEvents {
      asked += 1;
      if (asked === 1) throw error;
      yield* answer(1, 1);
    };
  };

  it("wait as long as the service asks for", async () => {
    const [retryAfter, ms] = [7, 7000];
    const all = paced({});
    const throttled = new OpenclawError("throttled", { message: "slow down", details: { retryAfter } });
    const waits: PaceWait[] = [];
    const onWaiting = (wait: PaceWait): void => void waits.push(wait);
    const answered = outcome(all, planOf(NOVA, 10), failingOnce(throttled), { mostMs: 60_000, onWaiting });
    await new Promise(setImmediate);
    expect(waits).toMatchObject([{ modelId: NOVA, region: "us-east-1", ms, refusal: throttled }]);
    let isDone = false;
    void answered.then(() => (isDone = true));
    all.pass(ms - 1);
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    all.pass(1);
    expect(await answered).toHaveLength(3);
  });

  it("go before those that wait where they were throttled", async () => {
    const all = paced({ requests: 1 });
    const asked: string[] = [];
    const askAs = (name: string, ask: () => ChatEvents) =>
      outcome(
        all,
        planOf(NOVA, 10),
        () => {
          asked.push(name);
          return ask();
        },
        { mostMs: 600_000 },
      );
    const throttled = new OpenclawError("throttled", { message: "slow down" });
    const answered = [askAs("first", failingOnce(throttled)), askAs("second", () => answer(1, 1))];
    for (let minute = 0; minute < 5; minute += 1) {
      await new Promise(setImmediate);
      all.pass(60_000);
    }
    expect(await Promise.all(answered)).toMatchObject([{ length: 3 }, { length: 3 }]);
    expect(asked).toEqual(["first", "first", "second"]);
  });

  it("wait for the quota of a day only where they are told to", async () => {
    const daily = new OpenclawError("quota-exceeded", { message: "The daily quota is used up." });
    expect(await outcome(paced({}), planOf(NOVA, 10), failingOnce(daily), { mostMs: 1e9 })).toBe(daily);
    const all = paced({});
    const answered = outcome(all, planOf(NOVA, 10), failingOnce(daily), { mostMs: 1e9, isPatient: true });
    await new Promise(setImmediate);
    all.pass(60_000);
    expect(await answered).toHaveLength(3);
  });

  it("end as throttled where nobody is let through for five minutes, however long they may wait", async () => {
    const all = paced({});
    const throttled = new OpenclawError("throttled", { message: "no" });
    let asked = 0;
    const never = async function* (): ChatEvents {
      asked += 1;
      yield* [];
      throw throttled;
    };
    let ended: unknown;
    void outcome(all, planOf(NOVA, 10), never, { mostMs: Number.POSITIVE_INFINITY }).then(
      (error) => (ended = error),
    );
    for (let second = 0; second < 330; second += 1) {
      await new Promise(setImmediate);
      if (second < 299) expect(ended).toBeUndefined();
      all.pass(1000);
    }
    expect(ended).toBe(throttled);
    // 1, 2, 4, 8, and then 16 seconds apart.
    expect(asked).toBeLessThan(30);
  });

  it.each([
    [{ max_tokens: 700, messages: [{ role: "user", content: "x".repeat(400) }] }, 700],
    [{ inferenceConfig: { maxTokens: 700 }, messages: [{ content: [{ text: "x".repeat(400) }] }] }, 700],
    [{ textGenerationConfig: { maxTokenCount: 700 }, inputText: "x".repeat(400) }, 700],
    [{ prompt: "x".repeat(400), max_gen_len: 700 }, 700],
    [{ prompt: "x".repeat(400) }, 10_000],
  ])("know a body in the words of a model's vendor: %j", (body, maxTokens) => {
    const plan = { ...planOf(NOVA, undefined), input: { modelId: NOVA }, body: { body, headers: {} } };
    const call = callToPace(wireIn("us-east-1", NOVA), plan);
    expect(call.maxTokens).toBe(maxTokens);
    expect(call.inputTokens).toBeGreaterThanOrEqual(100);
    expect(call.inputTokens).toBeLessThan(110);
  });
});
