import { ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { collect, emulate, runtimeClient, textOf, user } from "./clients.ts";

describe.each(["HTTP/2", "HTTP/1.1"] as const)("ConverseStream over %s", (protocol) => {
  it("streams a simulated answer that names the model and repeats the question", async () => {
    const emulator = await emulate();
    const answer = await runtimeClient(emulator, protocol).send(
      new ConverseStreamCommand({
        modelId: "us.anthropic.claude-opus-4-6-v1",
        messages: user("Grüße, 世界 👩‍👩‍👧! What is 2+2?"),
      }),
    );
    const events = await collect(answer.stream);
    expect(textOf(events)).toBe(
      "This is a simulated answer from the openclaw emulator (model Claude Opus 4.6). " +
        "You asked: Grüße, 世界 👩‍👩‍👧! What is 2+2?",
    );
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      "messageStart",
      ...events.slice(1, -3).map(() => "contentBlockDelta"),
      "contentBlockStop",
      "messageStop",
      "metadata",
    ]);
    expect(events.length).toBeGreaterThan(15);
    expect(events.at(-2)).toEqual({ messageStop: { stopReason: "end_turn" } });
    expect(events.at(-1)?.metadata?.usage).toEqual({ inputTokens: 8, outputTokens: 30, totalTokens: 38 });
    expect(answer.$metadata.requestId).toBe(emulator.calls[0]?.requestId);
    expect(emulator.calls).toMatchObject([
      {
        route: "ConverseStream",
        nth: 1,
        method: "POST",
        httpVersion: protocol === "HTTP/2" ? "2.0" : "1.1",
        accessKeyId: emulator.accessKeyId,
        region: "us-east-1",
        service: "bedrock",
        path: "/model/us.anthropic.claude-opus-4-6-v1/converse-stream",
        parameters: { modelId: "us.anthropic.claude-opus-4-6-v1" },
        status: 200,
      },
    ]);
  });

  it("takes model ids and ARNs whose characters are escaped in the path", async () => {
    const emulator = await emulate();
    const client = runtimeClient(emulator, protocol);
    const ids = [
      "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
      "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/k9m2x7q4w1ab",
    ];
    for (const modelId of ids) {
      const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages: user("Hi") }));
      expect(textOf(await collect(stream))).toContain("You asked: Hi");
    }
    expect(emulator.calls.map((call) => call.parameters["modelId"])).toEqual(ids);
  });

  it("puts reasoning and its signature before the text when asked to reason", async () => {
    const emulator = await emulate();
    const { stream } = await runtimeClient(emulator, protocol).send(
      new ConverseStreamCommand({
        modelId: "us.anthropic.claude-opus-4-6-v1",
        messages: user("Why?"),
        additionalModelRequestFields: { thinking: { type: "adaptive" } },
      }),
    );
    const deltas = (await collect(stream)).flatMap((event) => event.contentBlockDelta ?? []);
    const reasoning = deltas.filter((delta) => delta.contentBlockIndex === 0);
    expect(reasoning.map((delta) => delta.delta?.reasoningContent?.text ?? "").join("")).toContain(
      "simulated reasoning",
    );
    expect(reasoning.at(-1)?.delta?.reasoningContent?.signature).toMatch(/^[\w+/]+=*$/);
    const text = deltas.filter((delta) => delta.contentBlockIndex === 1);
    expect(text.map((delta) => delta.delta?.text ?? "").join("")).toContain("You asked: Why?");
  });

  it("refuses a model that does not stream", async () => {
    const emulator = await emulate();
    const call = runtimeClient(emulator, protocol).send(
      new ConverseStreamCommand({ modelId: "writer.palmyra-vision-7b", messages: user("Hi") }),
    );
    await expect(call).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("This action doesn't support the model"),
    });
  });
});
