import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import JSON5 from "json5";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  buildCatalog,
  formatCatalog,
  type CatalogDocument,
  type Overrides,
} from "../../scripts/catalog/transform.js";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const committed = JSON.parse(read("src/models/catalog.json")) as CatalogDocument;
const committedOverrides = JSON5.parse<Overrides>(read("scripts/catalog/overrides.json5"));

const why = { source: "https://example.com/card", why: "the card says so" };
const noOverrides: Overrides = {
  licence: "MIT",
  providers: { acme: "Acme" },
  corrections: [],
  additions: [],
  profiles: [],
  premiums: [],
};

/** A model as models.dev writes it. */
function exportedModel(more: object = {}) {
  return {
    name: "Model One",
    attachment: true,
    reasoning: true,
    reasoning_options: [
      { type: "toggle" },
      { type: "effort", values: ["low", "high"] },
      { type: "budget_tokens", min: 1024 },
    ],
    modalities: { input: ["pdf", "text", "video", "image"], output: ["text"] },
    cost: { input: 0.049999999999999996, output: 0.1, cache_read: 0.005, cache_write: 0.0625 },
    limit: { context: 200_000, output: 8_192 },
    last_updated: "2026-06-30",
    ...more,
  };
}

function build(models: Record<string, object>, overrides: Partial<Overrides> = {}) {
  return buildCatalog({ source: "a test", models }, { ...noOverrides, ...overrides });
}

describe("buildCatalog", () => {
  test("keeps limits, prices, reasoning and input kinds, in a fixed order", () => {
    const { models } = build({ "acme.one-v1:0": exportedModel() });
    expect(JSON.stringify(models["acme.one-v1:0"])).toBe(
      '{"name":"Model One","contextWindow":200000,"maxTokens":8192,' +
        '"cost":{"input":0.05,"output":0.1,"cacheRead":0.005,"cacheWrite":0.0625},' +
        '"reasoning":true,"reasoningOptions":["toggle","low","high","budget"],"input":["text","image","document"]}',
    );
  });

  test("leaves out what nobody filled in: limits and prices of zero, empty reasoning options", () => {
    const model = exportedModel({
      cost: { input: 0, output: 0 },
      limit: { context: 0, output: 0 },
      reasoning_options: [],
    });
    expect(build({ "acme.one": model }).models["acme.one"]).toEqual({
      name: "Model One",
      reasoning: true,
      input: ["text", "image", "document"],
    });
  });

  test("does not take models.dev's attachment flag for document input", () => {
    const model = exportedModel({
      attachment: true,
      modalities: { input: ["text", "image"], output: ["text"] },
    });
    expect(build({ "acme.one": model }).models["acme.one"]?.input).toEqual(["text", "image"]);
  });

  test("writes of a profile only what differs from its model, and never its name", () => {
    const { models } = build({
      "us.acme.one": exportedModel({ name: "Model One (US)" }),
      "eu.acme.one": exportedModel({ cost: { input: 0.055, output: 0.11 } }),
      "acme.one": exportedModel(),
    });
    expect(Object.keys(models)).toEqual(["acme.one", "eu.acme.one", "us.acme.one"]);
    expect(models["us.acme.one"]).toEqual({});
    expect(models["eu.acme.one"]).toEqual({ cost: { input: 0.055, output: 0.11 } });
  });

  test("takes models.dev's api.json as it is, and says how new it is", () => {
    const exported = {
      "amazon-bedrock": { models: { "acme.one": exportedModel() } },
      openai: { models: {} },
    };
    const document = buildCatalog(exported, noOverrides);
    expect(Object.keys(document.models)).toEqual(["acme.one"]);
    expect(document.source).toContain("2026-06-30");
  });

  test("refuses a file that is no export", () => {
    expect(() => buildCatalog({ providers: {} }, noOverrides)).toThrow("is it a models.dev export?");
  });

  test("corrects a field whose wrong value it expects", () => {
    const corrections = [
      { ids: ["acme.one"], was: { maxTokens: 8_192 }, set: { maxTokens: 64_000 }, ...why },
    ];
    expect(build({ "acme.one": exportedModel() }, { corrections }).models["acme.one"]?.maxTokens).toBe(
      64_000,
    );
  });

  test("adds a model, a profile that is like it, and profiles equal to it", () => {
    const { models } = build(
      { "acme.one": exportedModel() },
      {
        additions: [
          { id: "acme.two", like: "acme.one", name: "Model Two", ...why },
          { id: "global.acme.two", like: "acme.two", cost: { input: 0.04, output: 0.09 }, ...why },
        ],
        profiles: [{ prefixes: ["us", "eu"], models: ["acme.two"], ...why }],
      },
    );
    expect(models["acme.two"]).toMatchObject({ name: "Model Two", maxTokens: 8_192 });
    expect(models["global.acme.two"]).toEqual({ cost: { input: 0.04, output: 0.09 } });
    expect(models["us.acme.two"]).toEqual({});
  });

  test("adds the premium to a model and its profiles, not to the profile it is measured by", () => {
    const { models } = build(
      { "acme.one": exportedModel(), "us.acme.one": exportedModel(), "global.acme.one": exportedModel() },
      { premiums: [{ models: ["acme.one"], than: "global", times: 1.1, ...why }] },
    );
    expect(models["acme.one"]?.cost).toEqual({
      input: 0.055,
      output: 0.11,
      cacheRead: 0.0055,
      cacheWrite: 0.06875,
    });
    expect(models["us.acme.one"]).toEqual({});
    expect(models["global.acme.one"]?.cost?.input).toBe(0.05);
  });

  const one = { "acme.one": exportedModel() };
  const isDear = exportedModel({
    cost: { input: 0.055, output: 0.11, cache_read: 0.0055, cache_write: 0.06875 },
  });
  test.for<[string, Record<string, object>, Partial<Overrides>, string]>([
    [
      "whose mistake the export has mended",
      one,
      { corrections: [{ ids: ["acme.one"], was: { maxTokens: 4_096 }, set: { maxTokens: 64_000 }, ...why }] },
      "acme.one.maxTokens is 8192 in the export, not 4096",
    ],
    [
      "of a model that is gone",
      one,
      { corrections: [{ ids: ["acme.two"], was: {}, set: { maxTokens: 1 }, ...why }] },
      "acme.two is not in the export",
    ],
    [
      "without a source",
      one,
      {
        corrections: [
          {
            ids: ["acme.one"],
            was: { maxTokens: 8_192 },
            set: { maxTokens: 64_000 },
            source: "",
            why: "because",
          },
        ],
      },
      "has no source",
    ],
    [
      "that adds what the export has by now",
      one,
      { additions: [{ id: "acme.one", ...why }] },
      "the export has it now",
    ],
    [
      "that adds a copy of an unknown model",
      one,
      { additions: [{ id: "acme.two", like: "acme.three", ...why }] },
      "acme.three is not known",
    ],
    [
      "that adds a profile the export has by now",
      { ...one, "us.acme.one": exportedModel() },
      { profiles: [{ prefixes: ["us"], models: ["acme.one"], ...why }] },
      "the export has it now",
    ],
    [
      "that adds a profile of an unknown model",
      one,
      { profiles: [{ prefixes: ["us"], models: ["acme.two"], ...why }] },
      "its model is not known",
    ],
    [
      "with a premium that the export has by now",
      { "acme.one": isDear, "global.acme.one": exportedModel() },
      { premiums: [{ models: ["acme.one"], than: "global", times: 1.1, ...why }] },
      "has it already",
    ],
    [
      "with a premium over a price that is not known",
      one,
      { premiums: [{ models: ["acme.one"], than: "global", times: 1.1, ...why }] },
      "is not known or has no price",
    ],
  ])("refuses an override %s", ([, models, overrides, message]) => {
    expect(() => build(models, overrides)).toThrow(message);
  });

  test.for<[string, object, string]>([
    [
      "puts out more than it holds",
      { limit: { context: 4_096, output: 8_192 } },
      "puts out 8192 of 4096 tokens",
    ],
    ["holds less than a page", { limit: { context: 128, output: 64 } }, "a context window of 128 tokens"],
    ["is priced per thousand", { cost: { input: 300, output: 1_500 } }, "input costs 300 USD"],
    ["answers for less than it reads", { cost: { input: 2, output: 1 } }, "output is cheaper than input"],
    [
      "reads its cache for more than input",
      { cost: { input: 1, output: 2, cache_read: 3 } },
      "reading the cache costs more",
    ],
  ])("refuses a model that %s", ([, more, message]) => {
    expect(() => build({ "acme.one": exportedModel(more) })).toThrow(message);
  });

  test("names every problem at once", () => {
    const models = {
      "acme.one": exportedModel({ cost: { input: 2, output: 1 } }),
      "acme.two": exportedModel({ limit: { context: 8, output: 4 } }),
    };
    expect(() => build(models)).toThrow(/acme\.one: output is cheaper[^]*acme\.two: a context window of 8/);
  });
});

describe("the script", () => {
  const run = promisify(execFile);

  test("says which corrections do not fit another export, and writes nothing", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "openclaw-catalog-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [input, output] = [path.join(folder, "export.json"), path.join(folder, "catalog.json")];
    writeFileSync(input, JSON.stringify({ models: { "acme.one": exportedModel() } }));
    const failed = run(process.execPath, [path.join(root, "scripts/build-catalog.js"), input, output]);
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("amazon.nova-2-lite-v1:0 is not in the export"),
    });
    expect(() => readFileSync(output)).toThrow("ENOENT");
  });

  test("asks for the export when none is named", async () => {
    const failed = run(process.execPath, [path.join(root, "scripts/build-catalog.js")]);
    await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("Usage:") });
  });
});

describe("the committed catalog", () => {
  test("is written as the script writes it, one model per line", () => {
    expect(formatCatalog(committed)).toBe(read("src/models/catalog.json"));
    expect(read("src/models/catalog.json")).toContain('\n    "amazon.nova-lite-v1:0": {');
  });

  test("names its source and keeps the licence's notice", () => {
    expect(committed.source).toMatch(/models\.dev .*commit [0-9a-f]+ of \d{4}-\d{2}-\d{2}/);
    expect(committed.licence).toContain("catalog-notice.txt");
    expect(read("src/discovery/catalog-notice.txt")).toMatch(
      /MIT License[^]*Copyright \(c\)[^]*WITHOUT WARRANTY/,
    );
  });

  test("stays small: a warm models list loads it", () => {
    expect(read("src/models/catalog.json").length).toBeLessThan(30_000);
  });

  /** A row as the committed file means it: what a profile leaves out is its model's. */
  const rowOf = (id: string) => ({
    ...committed.models[id.slice(id.indexOf(".") + 1)],
    ...committed.models[id],
  });

  test.for(
    committedOverrides.corrections.flatMap(({ ids, was, set }) => ids.map((id) => ({ id, was, set }))),
  )("has the correction of $id", ({ id, was, set }) => {
    for (const [field, value] of Object.entries(set)) {
      expect(value).not.toEqual(was[field as keyof typeof was]);
      if (
        committedOverrides.corrections.filter(({ ids, set: other }) => ids.includes(id) && field in other)
          .length === 1
      ) {
        expect(rowOf(id)).toMatchObject({ [field]: value });
      }
    }
  });

  test.for(committedOverrides.additions)("has the addition of $id", ({ id, cost }) => {
    const takesPremium = committedOverrides.premiums.some(({ models }) => models.includes(id));
    expect(committed.models[id]).toBeDefined();
    if (cost && !takesPremium) expect(rowOf(id).cost).toEqual(cost);
  });

  test.for(
    committedOverrides.premiums.flatMap(({ models, than, times }) =>
      models.map((model) => ({ model, than, times })),
    ),
  )("has the premium of $model over its $than profile", ({ model, than, times }) => {
    expect(rowOf(model).cost?.input).toBeCloseTo((rowOf(`${than}.${model}`).cost?.input ?? 0) * times, 6);
  });

  test("has a source on the web for each override", () => {
    const { corrections, additions, profiles, premiums } = committedOverrides;
    for (const { source, why } of [...corrections, ...additions, ...profiles, ...premiums]) {
      expect(new URL(source).protocol).toBe("https:");
      expect(why).not.toBe("");
    }
  });

  test("spells the vendor of every model", () => {
    const vendors = Object.keys(committed.models)
      .filter((id) => committed.models[id]?.name)
      .map((id) => id.slice(0, id.indexOf(".")));
    expect(vendors.filter((vendor) => !(vendor in committed.providers))).toEqual([]);
  });
});
