import { describe, expect, it } from "vitest";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { isThorough } from "../helpers/thorough.ts";
import { MODEL, serve, type Served } from "../helpers/served.ts";

/** Hostile callers at once: more than there are workers. */
const CROWD = isThorough ? 12 : 5;
const PARAM = "response_format.json_schema.schema";

const asking = (schema: object, strict = true) => ({
  model: MODEL,
  messages: [{ role: "user" as const, content: "?" }],
  response_format: {
    type: "json_schema" as const,
    json_schema: { name: "a", strict, schema: schema as Record<string, unknown> },
  },
});

/** A server whose model answers with one text: a process of its own, whose workers and waiting callers are looked at. */
const answering = (text: string): Promise<Served> =>
  serve({
    isAlone: true,
    emulator: {
      script: ({ route }) => (route === "ConverseStream" ? { stream: textAnswerSteps([text]) } : undefined),
    },
  });

/** Asks for `/health` until told to stop. Resolves with the longest that an answer took, in ms. */
function watchHealth(origin: string): { stop: () => Promise<number> } {
  const state = { isOver: false };
  const watch = async (): Promise<number> => {
    let longest = 0;
    while (!state.isOver) {
      const since = performance.now();
      await (await fetch(`${origin}/health`)).text();
      longest = Math.max(longest, performance.now() - since);
    }
    return longest;
  };
  const watched = watch();
  return {
    stop: () => {
      state.isOver = true;
      return watched;
    },
  };
}

describe("a caller's schema", () => {
  it.each<[what: string, schema: object, words: string]>([
    ["$async", { $async: true, type: "object" }, "/$async is not supported"],
    ["$async inside", { properties: { a: { $async: 1 } } }, "/properties/a/$async is not supported"],
    ["a circle", { $ref: "#" }, "/ refers to itself without an end"],
    ["a reference elsewhere", { $ref: "http://127.0.0.1:1/" }, "/$ref refers to 'http://127.0.0.1:1/'"],
    ["a pattern that is none", { pattern: "(" }, "/pattern is not a regular expression"],
    ["another draft", { $schema: "http://json-schema.org/draft-04/schema#" }, "/$schema names none"],
    [
      "what takes for ever to compile",
      { anyOf: Array.from({ length: 12_000 }, () => ({ type: "null" })) },
      "takes longer than 1 s to compile",
    ],
  ])("that cannot be used is a 400 with its field: %s", async (_, schema, words) => {
    const { client, origin, log } = await serve();
    await expect(client.chat.completions.create(asking(schema))).rejects.toMatchObject({
      status: 400,
      param: PARAM,
      message: expect.stringContaining(`'${PARAM}'`),
      error: { message: expect.stringContaining(words) },
    });
    expect((await fetch(`${origin}/health`)).status).toBe(200);
    // The schema's compiler says nothing on its own.
    expect(log.every(({ kind }) => kind === "request")).toBe(true);
  });

  it("that takes for ever to check an answer is a 400, streamed or not, and nobody else waits", async () => {
    const { client, origin } = await answering(JSON.stringify(`${"a".repeat(60)}!`));
    const hostile = asking({ pattern: "^(a+)+$" });
    const health = watchHealth(origin);
    const [whole, streamed, loose, honest] = await Promise.all([
      client.chat.completions.create(hostile).catch((error: unknown) => error),
      client.chat.completions.create({ ...hostile, stream: true }).catch((error: unknown) => error),
      client.chat.completions.create(asking({ pattern: "^(a+)+$" }, false)),
      client.chat.completions.create(asking({ type: "string" })),
    ]);
    const longest = await health.stop();
    console.log(`the longest wait for /health: ${Math.round(longest)} ms`);
    const error = {
      status: 400,
      code: "invalid_request",
      param: PARAM,
      message: expect.stringContaining(`'${PARAM}' takes longer than 1 s for it`),
    };
    expect(whole).toMatchObject(error);
    expect(streamed).toMatchObject(error);
    expect(loose.choices[0]?.message.content).toContain("aaa");
    expect(honest.choices[0]?.message.content).toContain("aaa");
    // A server that checked the answer itself would not answer at all.
    expect(longest).toBeLessThan(2000);
  });

  it.each<[what: string, hostile: (index: number) => object, honest: object]>([
    ["the same", () => ({ pattern: "^(a+)+$" }), { type: "string" }],
    ["each another", (index) => ({ title: `${index}`, pattern: "^(a+)+$" }), { type: "string" }],
    [
      "each another, and the honest one as hard to tell",
      (index) => ({ title: `of ${index}`, pattern: "^(a+)+$" }),
      { $defs: { text: { type: "string", pattern: "^a" } }, $ref: "#/$defs/text" },
    ],
    [
      "slow to compile",
      (index) => ({ title: `${index}`, anyOf: Array.from({ length: 12_000 }, () => ({ type: "null" })) }),
      { type: "string" },
    ],
  ])("does not wait for many hostile ones: %s", async (_, hostile, honest) => {
    const { client } = await answering(JSON.stringify(`${"a".repeat(60)}!`));
    const ask = (schema: object) =>
      client.chat.completions.create(asking(schema)).then(
        () => 200,
        (error: { status: number }) => error.status,
      );
    await ask({ type: ["string"] });
    const before = performance.now();
    await ask({ type: ["string", "null"] });
    // What a busy machine takes for a call that nobody is in the way of.
    const alone = performance.now() - before;
    const given = Array.from({ length: CROWD }, (_, index) => ask(hostile(index)));
    const waits: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const since = performance.now();
      expect(await ask(honest)).toBe(200);
      waits.push(performance.now() - since);
    }
    console.log(
      `an honest call beside hostile ones: ${waits.map(Math.round).join(", ")} ms, alone: ${Math.round(alone)}`,
    );
    // Under one on a machine that has time; six or more when all workers were anybody's.
    expect(Math.max(...waits)).toBeLessThan(5000 + 3 * alone);
    expect(await Promise.all(given)).toEqual(Array.from({ length: CROWD }, () => 400));
    const since = performance.now();
    expect(await ask(hostile(0))).toBe(400);
    expect(performance.now() - since).toBeLessThan(800 + 3 * alone);
  });

  it.each([
    ["as it is", { type: "object" }, false],
    ["in the object around it", { type: "array" }, false],
    ["strictly", { type: "object", properties: { a: { $ref: "#" } } }, true],
  ])("does not end the server for an answer that is nested without an end, %s", async (_, schema, strict) => {
    const { client, origin } = await answering(`${'{"value":'.repeat(200_000)}1${"}".repeat(200_000)}`);
    const answer = await client.chat.completions
      .create(asking(schema, strict))
      .catch((error: unknown) => error);
    if (strict)
      expect(answer).toMatchObject({
        status: 502,
        message: expect.stringContaining("nested more than 256 levels deep"),
      });
    else
      expect(answer).toMatchObject({ choices: [{ message: { content: expect.stringContaining("value") } }] });
    expect((await fetch(`${origin}/health`)).status).toBe(200);
  });

  it("may name its properties as it likes", async () => {
    const names = ["$async", "__proto__", "constructor", "toString", "hasOwnProperty"];
    const text = `{${names.map((name) => `"${name}":"x"`).join(",")}}`;
    const { client } = await answering(text);
    const properties = names.map((name) => `"${name}":{"type":"string"}`).join(",");
    const schema = `{"type":"object","properties":{${properties}},"required":${JSON.stringify(names)},"additionalProperties":false}`;
    const answer = await client.chat.completions.create(asking(JSON.parse(schema) as object));
    expect(answer.choices[0]?.message.content).toBe(text);
  });
});
