import { writeFileSync } from "node:fs";
import path from "node:path";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { keyLine } from "../helpers/key-line.ts";
import { serve, serveEmulated } from "../helpers/served.ts";

const TITAN = "amazon.titan-embed-text-v2:0";
const COHERE = "cohere.embed-multilingual-v3";

/** A vector of what OpenAI's clients are given when they ask for base64. */
function fromBase64(text: unknown): number[] {
  const bytes = Buffer.from(String(text), "base64");
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

function post(origin: string, body: object): Promise<Response> {
  return fetch(`${origin}/v1/embeddings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

describe("POST /v1/embeddings", () => {
  it.each([
    [TITAN, 1024],
    [COHERE, 1024],
    ["cohere.embed-v4:0", 1536],
    ["amazon.nova-2-multimodal-embeddings-v1:0", 3072],
  ])("gives OpenAI's client the vectors that `embed` has: %s", async (model, length) => {
    const { client, run } = await serve();
    const { data, usage, object, model: named } = await client.embeddings.create({ model, input: "a text" });
    const own = JSON.parse((await run(["embed", "--json", "-m", model, "a text"])).stdout) as {
      embeddings: number[][];
      usage: { inputTokens: number };
    };
    expect([object, named, data.length, data[0]?.embedding.length]).toEqual(["list", model, 1, length]);
    // OpenAI's client asks for base64, whose numbers are shorter.
    expect(data[0]?.embedding.map((number) => number.toFixed(5))).toEqual(
      own.embeddings[0]?.map((number) => Math.fround(number).toFixed(5)),
    );
    expect(usage).toEqual({ prompt_tokens: own.usage.inputTokens, total_tokens: own.usage.inputTokens });
  });

  it.each([
    ["amazon.titan-embed-text-v3:0", TITAN],
    ["cohere.embed-multilingul-v3", COHERE],
    ["amazon.nova-lite-v2:0", undefined],
  ])("names no model that chats in place of one that there is not: %s", async (model, meant) => {
    const { origin, run } = await serve();
    const response = await post(origin, { model, input: "a text" });
    const { error } = (await response.json()) as { error: { message: string; code: string } };
    const { code, stderr } = await run(["embed", "-m", model, "a text"]);
    expect([response.status, error.code, code]).toEqual([404, "model_not_found", 6]);
    for (const told of [error.message, stderr]) {
      if (meant === undefined) expect(told).not.toContain("Did you mean");
      else expect(told).toContain(`Did you mean ${meant}?`);
    }
  });

  it.each([TITAN, COHERE])("keeps the order of many texts, in several calls: %s", async (model) => {
    const { client, emulator, logged } = await serve();
    const input = Array.from({ length: 120 }, (_, index) => `text ${index}`);
    const { data } = await client.embeddings.create({ model, input, encoding_format: "float" });
    expect(data.map(({ index }) => index)).toEqual(input.map((_, index) => index));
    const alone = await client.embeddings.create({ model, input: "text 97", encoding_format: "float" });
    expect(data[97]?.embedding).toEqual(alone.data[0]?.embedding);
    expect(data[96]?.embedding).not.toEqual(alone.data[0]?.embedding);
    const calls = emulator.calls.filter(({ route }) => route === "InvokeModel");
    expect(calls).toHaveLength(model === TITAN ? 121 : 3);
    const line = await logged(({ path }) => path === "/v1/embeddings");
    expect(line).toMatchObject({ model, resolvedModel: model, dialect: "embeddings", status: 200 });
    expect(line.costUsd).toBeGreaterThan(0);
  });

  it("has numbers, or little-endian floats in base64, and vectors of the length that is asked for", async () => {
    const { origin } = await serve();
    const ask = async (more: object) => {
      const response = await post(origin, { model: TITAN, input: ["a"], dimensions: 256, ...more });
      return ((await response.json()) as { data: { embedding: unknown }[] }).data[0]?.embedding;
    };
    const numbers = (await ask({})) as number[];
    const base64 = await ask({ encoding_format: "base64" });
    expect(numbers).toHaveLength(256);
    expect(base64).toBeTypeOf("string");
    expect(fromBase64(base64)).toEqual(numbers.map(Math.fround));
  });

  it("tells models of Cohere what a text is for", async () => {
    const { origin, emulator } = await serve();
    for (const more of [{}, { input_type: "search_query" }, { input_type: "clustering", user: "u" }])
      expect((await post(origin, { model: COHERE, input: "a", ...more })).status).toBe(200);
    const bodies = emulator.calls.flatMap(({ route, body }) => (route === "InvokeModel" ? [body] : []));
    expect(bodies).toMatchObject([
      { input_type: "search_document" },
      { input_type: "search_query" },
      { input_type: "clustering" },
    ]);
  });

  it("takes aliases, names of the map without falling back, and OpenAI's for the configured model", async () => {
    const { client } = await serve({
      args: ["--map", `mapped=${COHERE},${TITAN}`],
      config: `{ agents: { defaults: { embeddingModel: "${TITAN}", models: { "amazon-bedrock/${COHERE}": { alias: "words" } } } } }`,
      emulator: {
        script: ({ route, parameters, nth }) =>
          route === "InvokeModel" && parameters["modelId"] === COHERE && nth > 3
            ? { error: { name: "ThrottlingException", message: "Too many." } }
            : undefined,
      },
    });
    for (const model of ["words", "mapped", "text-embedding-3-small"])
      expect((await client.embeddings.create({ model, input: "a" })).data).toHaveLength(1);
    await expect(client.embeddings.create({ model: "mapped", input: "a" })).rejects.toMatchObject({
      status: 429,
    });
  });

  it.each([
    [{ model: TITAN }, "input", /'input' is missing/],
    [{ model: TITAN, input: [] }, "input", /is an empty list/],
    [{ model: TITAN, input: "" }, "input", /has no text/],
    [{ model: TITAN, input: ["a", "  "] }, "input[1]", /has no text/],
    [{ model: TITAN, input: [1, 2] }, "input[0]", /has tokens/],
    [{ model: TITAN, input: [[1, 2]] }, "input[0]", /has tokens/],
    [
      { model: TITAN, input: Array.from({ length: 2049 }, () => "a") },
      "input",
      /has 2049 texts, and may have 2048/,
    ],
    [{ model: TITAN, input: "a", encoding_format: "int8" }, "encoding_format", /one of float, base64/],
    [
      { model: TITAN, input: "a", dimensions: 7 },
      "dimensions",
      /no vectors of 7 dimensions\. It has them of 1024/,
    ],
    [{ model: TITAN, input: "a", input_type: "x" }, "input_type", /must be one of/],
    [{ model: TITAN, input: "a".repeat(60_000) }, "input", /takes 50000/],
    [{ model: "amazon.nova-lite-v1:0", input: "a" }, "model", /not known to embed/],
    [{ input: "a" }, "model", /'model' is missing/],
    [{ model: "A".repeat(2049), input: "a" }, "model", /has 2049 characters, .* at most 2048/],
  ])("refuses %j", async (body, param, message) => {
    const { origin } = await serve();
    const response = await post(origin, body);
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { param: string; message: string } };
    expect(error.param).toBe(param);
    expect(error.message).toMatch(message);
  });

  it("says so where there is no such model, and where AWS throttles", async () => {
    const { client } = await serve({
      emulator: {
        script: ({ route }) =>
          route === "InvokeModel"
            ? { error: { name: "ThrottlingException", message: "Too many." } }
            : undefined,
      },
    });
    await expect(
      client.embeddings.create({ model: "text-embedding-3-small", input: "a" }),
    ).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
    await expect(client.embeddings.create({ model: TITAN, input: "a" })).rejects.toMatchObject({
      status: 429,
    });
  });

  it("is counted in the ledger, by the key that asked", async () => {
    const { client, end, run } = await serve();
    await client.embeddings.create({ model: COHERE, input: ["a", "b"] });
    await end();
    const { stdout } = await run(["usage", "--json", "--by", "model"]);
    expect(stdout).toContain(COHERE);
  });
});

it("counts as one request of its key, however many calls it takes, and only for the key's models", async () => {
  const emulated = await emulate();
  const file = path.join(emulated.home, "keys");
  const limits = { rpm: 2, tpm: 1000, models: ["amazon.titan-*"] };
  writeFileSync(file, keyLine("a", "key-of-a-test", limits), { mode: 0o600 });
  const { origin } = await serveEmulated(emulated, { args: ["--api-key-file", file] });
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: "key-of-a-test", maxRetries: 0 });
  await expect(client.embeddings.create({ model: COHERE, input: "a" })).rejects.toMatchObject({
    status: 403,
  });
  const input = Array.from({ length: 20 }, () => "a text");
  expect((await client.embeddings.create({ model: TITAN, input })).data).toHaveLength(20);
  expect((await client.embeddings.create({ model: TITAN, input })).data).toHaveLength(20);
  await expect(client.embeddings.create({ model: TITAN, input })).rejects.toMatchObject({ status: 429 });
  await expect(
    new OpenAI({ baseURL: `${origin}/v1`, apiKey: "none", maxRetries: 0 }).embeddings.create({
      model: TITAN,
      input,
    }),
  ).rejects.toMatchObject({ status: 401 });
});
