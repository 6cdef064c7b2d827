import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";
import { paginateListServiceQuotas, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { collect, emulate, runtimeClient, user } from "./clients.ts";

const NOVA = "amazon.nova-lite-v1:0";
const OPUS = "us.anthropic.claude-opus-4-8";
const TOO_MANY_TOKENS = "Too many tokens, please wait before trying again.";
const TOO_MANY_REQUESTS = "Too many requests, please wait before trying again.";

/** An emulator with quotas and a clock that a test moves. */
async function limited(
  options: EmulatorOptions,
): Promise<{ emulator: Emulator; pass: (seconds: number) => void }> {
  let now = Date.now();
  const emulator = await emulate({ now: () => now, ...options });
  return { emulator, pass: (seconds) => (now += seconds * 1000) };
}

/** Asks by Converse. Resolves with the counts, or with the words of the refusal. */
async function ask(
  emulator: Emulator,
  { modelId = NOVA, maxTokens = 100, region = "us-east-1" } = {},
): Promise<{ input: number; output: number } | string> {
  const client = runtimeClient(emulator, "HTTP/1.1", emulator, region);
  const command = new ConverseCommand({ modelId, messages: user("hi"), inferenceConfig: { maxTokens } });
  try {
    const { usage } = await client.send(command);
    return { input: usage?.inputTokens ?? 0, output: usage?.outputTokens ?? 0 };
  } catch (error) {
    expect(error).toMatchObject({ name: "ThrottlingException", $metadata: { httpStatusCode: 429 } });
    return (error as Error).message;
  }
}

describe("quotas that are enforced", () => {
  it("reserves input and all of the answer at the start, and gives back what was not used", async () => {
    const { emulator } = await limited({ limits: { tokens: [{ value: 1000 }] } });
    expect(await ask(emulator, { maxTokens: 1000 })).toBe(TOO_MANY_TOKENS);
    // The input is one token.
    expect(await ask(emulator, { maxTokens: 999 })).toMatchObject({ input: 1 });
    const used = await ask(emulator, { maxTokens: 900 });
    expect(used).toMatchObject({ input: 1 });
    const taken = typeof used === "string" ? 0 : 2 * (used.input + used.output);
    expect(await ask(emulator, { maxTokens: 1000 - taken })).toBe(TOO_MANY_TOKENS);
    expect(await ask(emulator, { maxTokens: 999 - taken })).toMatchObject({ input: 1 });
  });

  it("holds what a running answer has reserved until it ends", async () => {
    const { emulator } = await limited({ limits: { tokens: [{ value: 1000 }] }, delayMs: 5 });
    const client = runtimeClient(emulator, "HTTP/2");
    const command = { modelId: NOVA, messages: user("hi"), inferenceConfig: { maxTokens: 900 } };
    const { stream } = await client.send(new ConverseStreamCommand(command));
    expect(await ask(emulator, { maxTokens: 200 })).toBe(TOO_MANY_TOKENS);
    await collect(stream);
    expect(await ask(emulator, { maxTokens: 200 })).toMatchObject({ input: 1 });
  });

  it("counts output by the model's burndown, beyond what was reserved, too", async () => {
    const { emulator, pass } = await limited({ limits: { tokens: [{ value: 1000 }] } });
    const used = await ask(emulator, { modelId: OPUS, maxTokens: 50 });
    if (typeof used === "string") throw new Error(used);
    const settled = used.input + used.output * 15;
    expect(settled).toBeGreaterThan(51);
    expect(await ask(emulator, { modelId: OPUS, maxTokens: 1000 - settled })).toBe(TOO_MANY_TOKENS);
    expect(await ask(emulator, { modelId: OPUS, maxTokens: 999 - settled })).not.toBe(TOO_MANY_TOKENS);
    pass(60);
    expect(await ask(emulator, { modelId: OPUS, maxTokens: 999 })).not.toBe(TOO_MANY_TOKENS);
  });

  it("counts requests in any 60 seconds, the refused ones not", async () => {
    const { emulator, pass } = await limited({ limits: { requests: [{ value: 2 }] } });
    expect(await ask(emulator)).toMatchObject({ input: 1 });
    pass(30);
    expect(await ask(emulator)).toMatchObject({ input: 1 });
    expect(await ask(emulator)).toBe(TOO_MANY_REQUESTS);
    pass(29);
    expect(await ask(emulator)).toBe(TOO_MANY_REQUESTS);
    pass(1);
    expect(await ask(emulator)).toMatchObject({ input: 1 });
    expect(await ask(emulator)).toBe(TOO_MANY_REQUESTS);
  });

  it("has a quota for each region, model and way, and takes the nearest limit", async () => {
    const { emulator } = await limited({
      limits: { requests: [{ value: 1 }, { of: "us-west-2", value: 0 }, { of: OPUS, value: 2 }] },
    });
    expect(await ask(emulator)).toMatchObject({ input: 1 });
    expect(await ask(emulator)).toBe(TOO_MANY_REQUESTS);
    expect(await ask(emulator, { modelId: `us.${NOVA}` })).toMatchObject({ input: 1 });
    expect(await ask(emulator, { region: "us-west-2" })).toBe(TOO_MANY_REQUESTS);
    for (const id of [OPUS, OPUS, "global.anthropic.claude-opus-4-8"])
      expect(await ask(emulator, { modelId: id, region: "us-west-2" })).toMatchObject({ input: 1 });
    expect(await ask(emulator, { modelId: OPUS, region: "us-west-2" })).toBe(TOO_MANY_REQUESTS);
  });

  it.each([
    ["/anthropic/v1/messages", OPUS, { max_tokens: 100, messages: [{ role: "user", content: "hi" }] }],
    [
      "/openai/v1/chat/completions",
      "us.openai.gpt-5.6-luna",
      { messages: [{ role: "user", content: "hi" }] },
    ],
    ["/openai/v1/responses", "us.openai.gpt-5.6-luna", { input: "hi" }],
  ])("is enforced on %s", async (path, model, body) => {
    const { emulator } = await limited({ limits: { requests: [{ value: 1 }] } });
    const send = async () =>
      fetch(`${emulator.url}${path}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${emulator.bearerToken}`,
          "content-type": "application/json",
          "anthropic-version": "2023-06-01",
        },
        body: JSON.stringify({ model, ...body }),
      });
    expect((await send()).status).toBe(200);
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(JSON.stringify(await refused.json())).toContain(TOO_MANY_REQUESTS);
  });

  it("is enforced on embeddings", async () => {
    const { emulator } = await limited({ limits: { tokens: [{ value: 10 }] } });
    const client = runtimeClient(emulator, "HTTP/1.1");
    const embed = async (inputText: string) =>
      client.send(
        new InvokeModelCommand({
          modelId: "amazon.titan-embed-text-v2:0",
          contentType: "application/json",
          body: JSON.stringify({ inputText }),
        }),
      );
    await embed("eight characters");
    await expect(embed("a text of some forty characters, all told")).rejects.toThrow(TOO_MANY_TOKENS);
  });

  it("is what Service Quotas lists and CloudWatch counts", async () => {
    const { emulator } = await limited({
      limits: { tokens: [{ value: 1000 }, { of: "us-west-2", value: 7 }], requests: [{ value: 3 }] },
    });
    const listed = async (region: string): Promise<Map<string, number>> => {
      const client = new ServiceQuotasClient({ endpoint: emulator.url, region, credentials: emulator });
      onTestFinished(() => client.destroy());
      const values = new Map<string, number>();
      for await (const { Quotas = [] } of paginateListServiceQuotas({ client }, { ServiceCode: "bedrock" }))
        for (const { QuotaName = "", Value = -1 } of Quotas) values.set(QuotaName, Value);
      return values;
    };
    const tokens = "On-demand model inference tokens per minute for Amazon Nova Lite";
    expect((await listed("us-east-1")).get(tokens)).toBe(1000);
    expect((await listed("us-west-2")).get(tokens)).toBe(7);
    expect(
      (await listed("us-east-1")).get(
        "Cross-region model inference requests per minute for Anthropic Claude Opus 4.8",
      ),
    ).toBe(3);
    const used = await ask(emulator, { modelId: OPUS, maxTokens: 20 });
    if (typeof used === "string") throw new Error(used);
    expect(await ask(emulator, { modelId: OPUS, maxTokens: 1000 })).toBe(TOO_MANY_TOKENS);
    const client = new CloudWatchClient({
      endpoint: emulator.url,
      region: "us-east-1",
      credentials: emulator,
    });
    onTestFinished(() => client.destroy());
    const query = (MetricName: string) => ({
      Id: MetricName.toLowerCase(),
      MetricStat: {
        Metric: { Namespace: "AWS/Bedrock", MetricName, Dimensions: [{ Name: "ModelId", Value: OPUS }] },
        Period: 60,
        Stat: "Sum",
      },
    });
    const { MetricDataResults = [] } = await client.send(
      new GetMetricDataCommand({
        MetricDataQueries: [query("EstimatedTPMQuotaUsage"), query("InvocationThrottles")],
        StartTime: new Date(Date.now() - 600_000),
        EndTime: new Date(Date.now() + 60_000),
      }),
    );
    expect(MetricDataResults.map(({ Values }) => Values)).toEqual([[used.input + used.output * 15], [1]]);
  });
});
