import { describe, expect, it } from "vitest";
import { cachePointFor, withCachePoints } from "../../src/models/cache-points.ts";
import { familyOf } from "../../src/models/families.ts";
import { userMessage } from "../../src/converse/request.ts";

describe("the cache point of a model", () => {
  it.each<[string | undefined, "5m" | "1h", object | undefined, RegExp | undefined]>([
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", "5m", { type: "default" }, undefined],
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", "1h", { type: "default", ttl: "1h" }, undefined],
    ["anthropic.claude-opus-5-5", "1h", { type: "default", ttl: "1h" }, undefined],
    ["anthropic.claude-fable-5", "1h", { type: "default", ttl: "1h" }, undefined],
    ["anthropic.claude-opus-4-1-20250805-v1:0", "1h", { type: "default" }, /5m only/],
    ["anthropic.claude-3-7-sonnet-20250219-v1:0", "5m", { type: "default" }, undefined],
    ["amazon.nova-lite-v1:0", "5m", { type: "default" }, undefined],
    ["amazon.nova-2-lite-v1:0", "1h", { type: "default" }, /5m only/],
    ["moonshotai.kimi-k3", "5m", undefined, /caches by itself/],
    ["anthropic.claude-3-haiku-20240307-v1:0", "5m", undefined, /not known/],
    ["meta.llama3-3-70b-instruct-v1:0", "5m", undefined, /not known/],
    [undefined, "5m", undefined, /not known/],
  ])("%s, %s", (baseId, setting, point, notice) => {
    const planned = cachePointFor(setting, { modelId: baseId ?? "router", family: familyOf(baseId) });
    expect(planned.point).toEqual(point);
    expect(planned.notices).toEqual(notice ? [expect.stringMatching(notice)] : []);
  });

  it.each([undefined, "off" as const])("is none for %s", (setting) => {
    expect(cachePointFor(setting, { modelId: "m", family: familyOf("amazon.nova-lite-v1:0") })).toEqual({
      notices: [],
    });
  });
});

describe("cache points", () => {
  const point = { type: "default" } as const;

  it("stand after the system prompt and where the last two questions end, and leave the conversation as it was", () => {
    const messages = [
      userMessage("one"),
      { role: "assistant" as const, content: [{ text: "1" }] },
      userMessage("two"),
    ];
    const copy = structuredClone(messages);
    const cached = withCachePoints(point, { system: [{ text: "S" }], messages });
    expect(cached).toEqual({
      system: [{ text: "S" }, { cachePoint: point }],
      messages: [
        { role: "user", content: [{ text: "one" }, { cachePoint: point }] },
        copy[1],
        { role: "user", content: [{ text: "two" }, { cachePoint: point }] },
      ],
    });
    expect(messages).toEqual(copy);
    expect(withCachePoints(undefined, { system: [], messages })).toEqual({ system: [], messages: copy });
  });

  it("read what the question before has written: its request begins every later one up to a point of both", () => {
    const turns = ["one", "two", "three", "four"].flatMap((text) => [
      userMessage(text),
      { role: "assistant" as const, content: [{ text }] },
    ]);
    const asked = [1, 3, 5, 7].map((length) => {
      const { system, messages } = withCachePoints(point, {
        system: [{ text: "S" }],
        messages: turns.slice(0, length),
      });
      return [system, messages.flatMap(({ content }) => content ?? [])].flat();
    });
    const upToPoints = asked.map((blocks) =>
      blocks.flatMap((block, index) => {
        const upTo = blocks.slice(0, index).filter((other) => !("cachePoint" in other));
        return "cachePoint" in block ? [JSON.stringify(upTo)] : [];
      }),
    );
    for (const [index, written] of upToPoints.entries())
      expect(upToPoints[index + 1] ?? written).toContain(written.at(-1));
    expect(Math.max(...upToPoints.map(({ length }) => length))).toBe(3);
  });

  it("make no system block where there is no system prompt", () => {
    expect(withCachePoints(point, { system: [], messages: [userMessage("one")] }).system).toEqual([]);
  });

  const result = { toolResult: { toolUseId: "t", content: [{ text: "12:00" }] } };
  const rounds = [
    userMessage("one"),
    { role: "assistant" as const, content: [{ text: "1" }] },
    userMessage("two"),
    { role: "assistant" as const, content: [{ toolUse: { toolUseId: "t", name: "clock", input: {} } }] },
    { role: "user" as const, content: [result] },
  ];
  const tools = { tools: [{ toolSpec: { name: "clock", inputSchema: { json: {} } } }] };
  /** The blocks that have a point behind them. */
  const ends = (content: readonly object[] = []) =>
    content.flatMap((_, index) => ("cachePoint" in (content[index + 1] ?? {}) ? [content[index]] : []));

  it("stand behind tools, and what those came to, where the model takes them", () => {
    const cached = withCachePoints(point, { system: [], messages: rounds, tools }, { inTools: true });
    expect(cached.tools).toEqual({ tools: [...tools.tools, { cachePoint: point }] });
    expect(cached.messages.map(({ content }) => ends(content))).toEqual([
      [],
      [],
      [{ text: "two" }],
      [],
      [result],
    ]);
    const none = withCachePoints(point, { system: [], messages: rounds }, { inTools: true });
    expect(none.tools).toBeUndefined();
  });

  it("stand behind text alone where nothing else is taken", () => {
    const cached = withCachePoints(
      point,
      { system: [], messages: rounds, tools },
      { inTools: false, onlyBehindText: true },
    );
    expect(cached.tools).toBe(tools);
    expect(cached.messages.map(({ content }) => ends(content))).toEqual([
      [{ text: "one" }],
      [],
      [{ text: "two" }],
      [],
      [],
    ]);
  });
});
