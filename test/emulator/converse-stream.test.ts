import { ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { collect, emulate, runtimeClient, textOf } from "./clients.ts";

const user = (text: string) => [{ role: "user" as const, content: [{ text }] }];

describe.each(["HTTP/2", "HTTP/1.1"] as const)("ConverseStream over %s", (protocol) => {
  it("streams a simulated answer that repeats the question", async () => {
    const emulator = await emulate();
    const client = runtimeClient(emulator, protocol);
    const answer = await client.send(
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
    expect(emulator.calls).toMatchObject([
      {
        route: "ConverseStream",
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
});
