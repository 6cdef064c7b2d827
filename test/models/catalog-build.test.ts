import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import JSON5 from "json5";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  buildCatalog,
  differences,
  formatCatalog,
  readModelsDev,
  readPiAi,
  type CatalogDocument,
  type Overrides,
  type Source,
} from "../../scripts/catalog/transform.js";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const committed = JSON.parse(read("src/models/catalog.json")) as CatalogDocument;
const committedOverrides = JSON5.parse<Overrides>(read("scripts/catalog/overrides.json5"));
const committedSources = {
  modelsDev: JSON.parse(read("scripts/catalog/models-dev.json")) as Source,
  piAi: JSON.parse(read("scripts/catalog/pi-ai.json")) as Source,
};

const why = { source: "https://example.com/card", why: "the card says so" };
const noOverrides: Overrides = {
  licence: "MIT",
  providers: { acme: "Acme" },
  corrections: [],
  additions: [],
  confirmed: [],
  flatPrices: [],
  premiums: [],
};

/** A model as models.dev writes it. */
function exportedModel(more: object = {}) {
  return {
    name: "Model One",
    attachment: true,
    reasoning: true,
    reasoning_options: [{ type: "toggle" }],
    modalities: { input: ["pdf", "text", "video", "image"], output: ["text"] },
    cost: { input: 0.049999999999999996, output: 0.1, cache_read: 0.005, cache_write: 0.0625 },
    limit: { context: 200_000, output: 8_192 },
    last_updated: "2026-06-30",
    ...more,
  };
}

/** A model as pi-ai writes it. */
function packagedModel(more: object = {}) {
  return {
    id: "acme.one",
    name: "Model One (US)",
    api: "bedrock-converse-stream",
    reasoning: true,
    input: ["text", "image"],
    cost: { input: 0.05, output: 0.1, cacheRead: 0.005, cacheWrite: 0.0625 },
    contextWindow: 200_000,
    maxTokens: 8_192,
    ...more,
  };
}

const exportOf = (models: Record<string, object>) =>
  readModelsDev({ source: "a test of 2026-06-30", models });
const packageOf = (...models: object[]) =>
  readPiAi({ "bedrock-converse-stream": Object.fromEntries(models.entries()) }, "a test of 2026-11-10");

function build(models: Record<string, object>, overrides: Partial<Overrides> = {}, ...packaged: object[]) {
  const sources = { modelsDev: exportOf(models), piAi: packageOf(...packaged) };
  return buildCatalog(sources, { ...noOverrides, ...overrides });
}

describe("buildCatalog", () => {
  test("keeps limits, prices, reasoning and input kinds, in a fixed order", () => {
    const { models } = build({ "acme.one-v1:0": exportedModel() });
    expect(JSON.stringify(models["acme.one-v1:0"])).toBe(
      '{"name":"Model One","contextWindow":200000,"maxTokens":8192,' +
        '"cost":{"input":0.05,"output":0.1,"cacheRead":0.005,"cacheWrite":0.0625},' +
        '"reasoning":true,"input":["text","image","document"]}',
    );
  });

  test("leaves out what nobody filled in: limits and prices of zero", () => {
    const model = exportedModel({ cost: { input: 0, output: 0 }, limit: { context: 0, output: 0 } });
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
    const source = readModelsDev(exported);
    expect(Object.keys(source.models)).toEqual(["acme.one"]);
    expect(source.date).toBe("2026-06-30");
    expect(build({ "acme.one": exportedModel() })).toMatchObject({
      date: "2026-11-10",
      sources: ["a test of 2026-06-30", "a test of 2026-11-10"],
    });
  });

  test("refuses what is no source", () => {
    expect(() => readModelsDev({ providers: {} })).toThrow("is it a models.dev export?");
    expect(() => readPiAi({ some: { model: {} } }, "of 2026-11-10")).toThrow("is it pi-ai's data");
    expect(() => readPiAi({}, "pi-ai 1.5.2")).toThrow("No date is in the source: pi-ai 1.5.2");
  });

  test("takes of pi-ai's data what somebody knew, without the geography in the name", () => {
    const tiers = [
      { inputTokensAbove: 100_000, input: 0.25, output: 0.5, cacheRead: 0.025, cacheWrite: 0.3125 },
    ];
    const { models } = packageOf(
      packagedModel({
        id: "us.acme.one",
        cost: { input: 0.05, output: 0.1, cacheRead: 0, cacheWrite: 0.05 },
      }),
      packagedModel({
        maxTokens: 200_000,
        cost: { input: 0.05, output: 0.1, cacheRead: 0.005, cacheWrite: 0.0625, tiers },
      }),
    );
    expect(models["us.acme.one"]).toMatchObject({ name: "Model One", cost: { input: 0.05, output: 0.1 } });
    expect(Object.keys(models["us.acme.one"]?.cost ?? {})).toEqual(["input", "output"]);
    expect(models["acme.one"]).not.toHaveProperty("maxTokens");
    expect(models["acme.one"]?.cost?.tiers).toEqual(tiers);
  });

  test("takes what both say from the newer one, but the name and documents from models.dev", () => {
    const { models } = build(
      { "acme.one": exportedModel({ modalities: { input: ["text", "pdf"] } }), "acme.old": exportedModel() },
      {},
      packagedModel({
        name: "one",
        contextWindow: 262_144,
        maxTokens: 16_384,
        reasoning: false,
        cost: { input: 1, output: 2 },
      }),
    );
    expect(models["acme.one"]).toEqual({
      name: "Model One",
      contextWindow: 262_144,
      maxTokens: 16_384,
      cost: { input: 1, output: 2 },
      reasoning: false,
      input: ["text", "image", "document"],
    });
    expect(models["acme.old"]?.maxTokens).toBe(8_192);
  });

  test("makes a model of which only profiles are known like its American one", () => {
    const global = packagedModel({ id: "global.acme.two", cost: { input: 1, output: 2 } });
    const { models } = build({}, {}, global, packagedModel({ id: "us.acme.two" }));
    expect(models["acme.two"]).toMatchObject({ name: "Model One", cost: { input: 0.05 } });
    expect(models["us.acme.two"]).toEqual({});
    expect(models["global.acme.two"]).toEqual({ cost: { input: 1, output: 2 } });
  });

  test("lists what the sources say differently and nobody has looked up", () => {
    const sources = {
      modelsDev: exportOf({
        "acme.one": exportedModel({ cost: { input: 1, output: 2 } }),
        "acme.old": exportedModel(),
      }),
      piAi: packageOf(
        packagedModel({ maxTokens: 4096, reasoning: false, input: ["text"] }),
        packagedModel({ id: "acme.new" }),
      ),
    };
    const told = (overrides: Partial<Overrides>) => differences(sources, { ...noOverrides, ...overrides });
    expect(told({})).toEqual({
      undecided: [
        "acme.one: maxTokens is 8192 in models.dev, 4096 in pi-ai",
        "acme.one: reasoning is true in models.dev, false in pi-ai",
        "acme.one: input is with images in models.dev, without images in pi-ai",
        "acme.one: cost.input is 1 in models.dev, 0.05 in pi-ai",
        "acme.one: cost.output is 2 in models.dev, 0.1 in pi-ai",
      ],
      onlyModelsDev: ["acme.old"],
      onlyPiAi: ["acme.new"],
    });
    const corrections = [{ ids: ["acme.one"], was: { maxTokens: 4096 }, set: { maxTokens: 1024 }, ...why }];
    const confirmed = [{ ids: ["acme.one"], fields: ["reasoning", "input"], ...why }];
    const premiums = [{ models: ["acme.one"], than: "global", times: 1.1, ...why }];
    expect(told({ corrections, confirmed, premiums }).undecided).toEqual([]);
  });

  test("corrects the prices that are named and leaves the others", () => {
    const corrections = [
      { ids: ["acme.one"], was: { cost: { cacheWrite: 0.0625 } }, set: { cost: { cacheWrite: 0 } }, ...why },
    ];
    expect(build({ "acme.one": exportedModel() }, { corrections }).models["acme.one"]?.cost).toEqual({
      input: 0.05,
      output: 0.1,
      cacheRead: 0.005,
      cacheWrite: 0,
    });
  });

  test("says of a model and its profiles that long prompts cost no more", () => {
    const flatPrices = [{ models: ["acme.one"], ...why }];
    const profile = exportedModel({ cost: { input: 1, output: 2 } });
    const { models } = build({ "acme.one": exportedModel(), "eu.acme.one": profile }, { flatPrices });
    expect(models["acme.one"]?.cost?.tiers).toEqual([]);
    expect(models["eu.acme.one"]?.cost).toEqual({ input: 1, output: 2, tiers: [] });
  });

  test("corrects a field whose wrong value it expects", () => {
    const corrections = [
      { ids: ["acme.one"], was: { maxTokens: 8_192 }, set: { maxTokens: 64_000 }, ...why },
    ];
    expect(build({ "acme.one": exportedModel() }, { corrections }).models["acme.one"]?.maxTokens).toBe(
      64_000,
    );
  });

  test("adds a model and a profile that is like it", () => {
    const { models } = build(
      { "acme.one": exportedModel() },
      {
        additions: [
          { id: "acme.two", like: "acme.one", name: "Model Two", ...why },
          { id: "global.acme.two", like: "acme.two", cost: { input: 0.04, output: 0.09 }, ...why },
        ],
      },
    );
    expect(models["acme.two"]).toMatchObject({ name: "Model Two", maxTokens: 8_192 });
    expect(models["global.acme.two"]).toEqual({ cost: { input: 0.04, output: 0.09 } });
  });

  test("adds the premium to the prices of long prompts, too", () => {
    const tiers = [{ inputTokensAbove: 1000, input: 0.25, output: 0.5, cacheRead: 0, cacheWrite: 0 }];
    const global = packagedModel({ id: "global.acme.one", cost: { ...packagedModel().cost, tiers } });
    const premiums = [{ models: ["acme.one"], than: "global", times: 1.1, ...why }];
    expect(build({}, { premiums }, global).models["acme.one"]?.cost?.tiers).toEqual([
      { inputTokensAbove: 1000, input: 0.275, output: 0.55 },
    ]);
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
      "whose mistake the sources have mended",
      one,
      { corrections: [{ ids: ["acme.one"], was: { maxTokens: 4_096 }, set: { maxTokens: 64_000 }, ...why }] },
      "acme.one.maxTokens is 8192 in the sources, not 4096",
    ],
    [
      "of a model that is gone",
      one,
      { corrections: [{ ids: ["acme.two"], was: {}, set: { maxTokens: 1 }, ...why }] },
      "acme.two is in no source",
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
      "that adds what a source has by now",
      one,
      { additions: [{ id: "acme.one", ...why }] },
      "a source has it now",
    ],
    [
      "that adds a copy of an unknown model",
      one,
      { additions: [{ id: "acme.two", like: "acme.three", ...why }] },
      "acme.three is not known",
    ],
    [
      "of a price that the sources have mended",
      one,
      {
        corrections: [
          { ids: ["acme.one"], was: { cost: { input: 1 } }, set: { cost: { input: 2 } }, ...why },
        ],
      },
      "acme.one.cost.input is 0.05 in the sources, not 1",
    ],
    [
      "that says of no known model that its prices are flat",
      one,
      { flatPrices: [{ models: ["acme.two"], ...why }] },
      "flat prices: acme.two is not known or has no price",
    ],
    [
      "with a premium that the sources have by now",
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

describe("prices of long prompts", () => {
  const tier = { inputTokensAbove: 1000, input: 1, output: 2, cacheRead: 0.1, cacheWrite: 0 };
  test.for<[string, object[], string]>([
    ["do not rise", [tier, tier], "has tiers that do not rise"],
    [
      "begin above the context window",
      [{ ...tier, inputTokensAbove: 200_000 }],
      "has tiers that do not rise",
    ],
    ["are per thousand", [{ ...tier, input: 300, output: 1500 }], "input costs 300 USD"],
  ])("are refused that %s", ([, tiers, message]) => {
    const model = packagedModel({ cost: { ...packagedModel().cost, tiers } });
    expect(() => build({}, {}, model)).toThrow(message);
  });

  test("are no flat prices", () => {
    const model = packagedModel({ cost: { ...packagedModel().cost, tiers: [tier] } });
    const flatPrices = [{ models: ["acme.one"], ...why }];
    expect(() => build({}, { flatPrices }, model)).toThrow("flat prices: acme.one has tiers");
  });
});

describe("the script", () => {
  const run = promisify(execFile);
  const script = path.join(root, "scripts/build-catalog.js");

  /** A folder with all that the catalog is made from. */
  function copySources(): string {
    const folder = mkdtempSync(path.join(tmpdir(), "openclaw-catalog-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["models-dev.json", "pi-ai.json", "overrides.json5"])
      copyFileSync(path.join(root, "scripts/catalog", name), path.join(folder, name));
    return folder;
  }

  test("makes the committed catalog of what is kept, and lists what nobody has looked up", async () => {
    const folder = copySources();
    const { stdout } = await run(process.execPath, [script, "--in", folder]);
    expect(readFileSync(path.join(folder, "catalog.json"), "utf8")).toBe(read("src/models/catalog.json"));
    expect(stdout).toContain("Only in models.dev: deepseek.r1-v1:0, ");
    expect(stdout).toContain("\nOnly in pi-ai: ");
    expect(stdout).toContain(`\n${Object.keys(committed.models).length} rows written to `);
  });

  test("says which corrections do not fit another export, and makes no catalog", async () => {
    const folder = copySources();
    const input = path.join(folder, "export.json");
    writeFileSync(input, JSON.stringify({ models: { "acme.one": exportedModel() } }));
    const failed = run(process.execPath, [script, "--in", folder, "models-dev", input]);
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("deepseek.r1-v1:0 is in no source"),
    });
    expect(existsSync(path.join(folder, "catalog.json"))).toBe(false);
  });

  test("fetches a version of pi-ai from npm, with its date", async () => {
    const folder = copySources();
    const data = path.join(folder, "package/dist/providers/data");
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(data, "amazon-bedrock.json"), JSON.stringify({ api: { one: packagedModel() } }));
    const npm = [
      "#!/bin/sh",
      `if [ "$1" = view ]; then echo '{"9.9.9":"2026-12-01T12:00:00.000Z"}'; exit; fi`,
      `tar -czf packed.tgz -C '${folder}' package && echo packed.tgz`,
    ];
    writeFileSync(path.join(folder, "npm"), npm.join("\n"), { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}` };
    const failed = run(process.execPath, [script, "--in", folder, "pi-ai", "9.9.9"], { env });
    await expect(failed).rejects.toMatchObject({
      stderr: expect.stringContaining("The catalog was not built"),
    });
    expect(JSON.parse(readFileSync(path.join(folder, "pi-ai.json"), "utf8"))).toMatchObject({
      source: "@earendil-works/pi-ai 9.9.9 (MIT), npm, of 2026-12-01",
      date: "2026-12-01",
      models: { "acme.one": { name: "Model One", contextWindow: 200_000 } },
    });
  });

  test.for([["models-dev"], ["pi-ai"], ["litellm", "x.json"], ["pi-ai", "1.5.2", "1.5.3"]])(
    "says how it is used when asked for %j",
    async (args) => {
      const failed = run(process.execPath, [script, ...args]);
      await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("Usage:") });
    },
  );
});

describe("the committed catalog", () => {
  test("is written as the script writes it, one model per line", () => {
    expect(formatCatalog(committed)).toBe(read("src/models/catalog.json"));
    expect(read("src/models/catalog.json")).toContain('\n    "amazon.nova-lite-v1:0": {');
    expect(formatCatalog(committedSources.modelsDev)).toBe(read("scripts/catalog/models-dev.json"));
    expect(formatCatalog(committedSources.piAi)).toBe(read("scripts/catalog/pi-ai.json"));
  });

  test("names its sources and keeps their notices", () => {
    expect(committed.sources[0]).toMatch(/models\.dev .*commit [0-9a-f]+ of \d{4}-\d{2}-\d{2}/);
    expect(committed.sources[1]).toMatch(
      /^@earendil-works\/pi-ai \d+\.\d+\.\d+ \(MIT\), npm, of \d{4}-\d{2}-\d{2}$/,
    );
    expect(committed.date).toBe(committedSources.piAi.date);
    expect(committed.licence).toContain("src/models/catalog-notice.txt");
    const notice = read("src/models/catalog-notice.txt");
    expect(notice).toMatch(/^models\.dev .* and @earendil-works\/pi-ai\n[^]*MIT License[^]*WITHOUT WARRANTY/);
    expect(notice.match(/^Copyright \(c\) .*$/gm)).toHaveLength(2);
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
    expect(set).not.toEqual(was);
    expect(rowOf(id)).toMatchObject(set);
  });

  const unconfirmed = differences(committedSources, { ...committedOverrides, confirmed: [] }).undecided;
  test.for(
    committedOverrides.confirmed.flatMap(({ ids, fields }) =>
      ids.flatMap((id) => fields.map((field) => ({ id, field }))),
    ),
  )("has a page that says the $field of $id, as the sources do not agree on it", ({ id, field }) => {
    expect(unconfirmed.filter((line) => line.startsWith(`${id}: ${field}`))).not.toEqual([]);
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
    const { corrections, additions, confirmed, flatPrices, premiums } = committedOverrides;
    for (const { source, why } of [...corrections, ...additions, ...confirmed, ...flatPrices, ...premiums]) {
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
