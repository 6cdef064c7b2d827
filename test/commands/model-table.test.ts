import { expect, it } from "vitest";
import { explainMarks, modelTable, type TabledModel } from "../../src/commands/models/model-table.ts";
import catalog from "../../src/models/catalog.json" with { type: "json" };
import { lookUpCatalog } from "../../src/models/catalog.ts";
import { plainStyle } from "../../src/terminal/color.ts";

const MODEL: TabledModel = {
  key: "amazon-bedrock/vendor.one-v1:0",
  id: "vendor.one-v1:0",
  name: "One",
  provider: "Vendor",
  kind: "foundation-model",
  api: "converse",
  input: "text+image",
  contextWindow: 200_000,
  maxTokens: 64_000,
  limitsSource: "catalog",
  reasoning: true,
  cost: { input: 3, output: 15 },
  regions: ["us-east-1"],
  available: true,
  missing: false,
  tags: ["default", "alias:one"],
  access: { status: "available", callable: true, gate: null, reason: null, hint: null },
};

it("has a column for everything that is known of a model", () => {
  expect(modelTable([MODEL], 200, plainStyle)).toEqual([
    "  Model            Access  Name  Input       Context  Max out  $ in  $ out  Reasoning  Tags",
    "── Vendor ──────────────────────────────────────────────────────────────────────────────────────",
    "* vendor.one-v1:0  yes     One   text+image     200K      64K  3.00  15.00  yes        alias:one",
  ]);
});

it("marks the default in front, however narrow the terminal, and none where none is listed", () => {
  const other = { ...MODEL, key: "amazon-bedrock/vendor.two-v1:0", tags: [] };
  for (const columns of [1, 20, 40, 80, 200]) {
    const lines = modelTable([other, MODEL], columns, plainStyle);
    expect(lines.filter((line) => line.startsWith("* "))).toEqual([
      expect.stringContaining("* vendor.one-v1:0"),
    ]);
    expect(modelTable([other], columns, plainStyle).join("\n")).toMatch(/^vendor/m);
  }
});

it("has no column that no model fills", () => {
  const { access: _, ...model } = { ...MODEL, cost: null, reasoning: false, tags: [] };
  expect(modelTable([model], 200, plainStyle)[0]).toMatch(/^Model +Name +Input +Context +Max out$/);
});

it("gives columns up by what they are worth where the terminal is narrow, prices late and the model never", () => {
  const titles = new Set<string>();
  for (let columns = 200; columns > 0; columns--) {
    const first = modelTable([MODEL], columns, plainStyle).find((line) => !line.startsWith("──"));
    titles.add((first ?? "").trim().replaceAll(/ {2,}/g, "|"));
  }
  expect([...titles]).toEqual([
    "Model|Access|Name|Input|Context|Max out|$ in|$ out|Reasoning|Tags",
    "Model|Access|Name|Input|Context|Max out|$ in|$ out|Reasoning",
    "Model|Access|Name|Context|$ in|$ out",
    "Model|Access|Context|$ in|$ out",
    "Model|Access|Context|$ out",
    "Model|Access|Context",
    "Model|Access",
    "* vendor.one-v1:0",
  ]);
});

it("leaves out of a name what the id and the title above say, and cuts it only where there is no room", () => {
  const model = {
    ...MODEL,
    id: "us.meta.llama4-maverick-17b-instruct-v1:0",
    key: "amazon-bedrock/us.meta.llama4-maverick-17b-instruct-v1:0",
    name: "US Meta Llama 4 Maverick 17B Instruct",
    provider: "Meta",
    tags: [],
  };
  expect(modelTable([model], 100, plainStyle)[2]).toContain("  Llama 4 Maverick…  ");
  expect(modelTable([model], 200, plainStyle)[2]).toContain("  Llama 4 Maverick 17B Instruct  ");
  expect(modelTable([model], 200, plainStyle, false)[1]).toContain("  Meta Llama 4 Maverick 17B Instruct  ");
});

/** Every model that the catalog has, as a list of them would show it. */
const CATALOG = Object.keys(catalog.models).flatMap((id, index): TabledModel[] => {
  // Those with the longest ids, and some of the others.
  if (id.length < 46 && index % 8 > 0) return [];
  const known = lookUpCatalog(id);
  if (!known) return [];
  const { access: _, ...model } = MODEL;
  const { contextWindow = 32_000, maxTokens = 4096, cost = null, reasoning = false, input } = known;
  const provider = id.split(".").at(-2) ?? "";
  const name = id.replaceAll(/[.:-]/g, " ");
  const own = { id, key: `amazon-bedrock/${id}`, name, provider, tags: [] };
  return [{ ...model, ...own, contextWindow, maxTokens, cost, reasoning, input: input?.join("+") ?? "text" }];
});
const TITLES = ["Model", "Name", "Input", "Context", "Max out", "$ in", "$ out", "Reasoning"];

it.each([
  ["the catalog", CATALOG],
  ["the catalog with a default and aliases", withTags(CATALOG)],
  [
    "names without an end",
    withTags(CATALOG).map((model) => Object.assign(model, { name: "name ".repeat(60) })),
  ],
  [
    "ids and names of any script",
    CATALOG.map((model, index) =>
      Object.assign({}, model, { name: "日本語".repeat(index % 9), key: `x/${"k".repeat(index)}` }),
    ),
  ],
  [
    "kinds and tags of any length",
    CATALOG.map((model) => Object.assign({}, model, { tags: [`alias:${"a".repeat(300)}`] })),
  ],
])("shows no column and no name shorter on a wider terminal: %s", (_, models) => {
  let titles: string[] = [];
  let names: number[] = [];
  for (let columns = 80; columns <= 240; columns += columns < 130 ? 1 : 7) {
    const lines = modelTable(models, columns, plainStyle, false);
    const line = lines[0] ?? "";
    const shown = line.trim().split(/ {2,}/);
    expect(shown, `${columns}`).toEqual(expect.arrayContaining(titles));
    titles = shown;
    if (columns >= 100) expect(shown, `${columns}`).toContain("Name");
    if (columns >= 120) expect(shown, `${columns}`).toEqual(expect.arrayContaining(TITLES));
    const lengths = lines.flatMap(
      (row) => /(?<= )(?:name |[日本語])[name 日本語]*/.exec(row)?.[0].trimEnd().length ?? [],
    );
    for (const [index, length] of names.entries())
      expect(lengths[index], `${columns}: ${index}`).toBeGreaterThanOrEqual(length);
    names = lengths;
  }
});

function withTags(models: readonly TabledModel[]): TabledModel[] {
  return models.map((model, index) =>
    Object.assign({}, model, {
      tags: index === 0 ? ["default"] : index % 9 === 1 ? ["alias:fast", "needs-profile"] : [],
    }),
  );
}

it("says what the letters of kinds of input are where there is no room for words", () => {
  const lines = modelTable(
    [{ ...MODEL, name: "A name that takes a lot of room beside the rest of it" }],
    120,
    plainStyle,
  );
  expect(lines[2]).toContain("  TI  ");
  expect(lines.at(-1)).toBe("Input: T text, I image; R reasons");
  expect(modelTable([MODEL], 120, plainStyle)[2]).toContain("text+image");
});

it("shows names that can be told apart from 100 columns on, and everything from 120 on, access too", () => {
  const models = [
    ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", "Global Anthropic Claude Sonnet 4.5"],
    ["global.anthropic.claude-sonnet-4-6", "Global Anthropic Claude Sonnet 4.6"],
  ].map(([id = "", name = ""]) =>
    Object.assign({}, MODEL, {
      id,
      key: `amazon-bedrock/${id}`,
      name,
      provider: "Anthropic",
      cost: { input: 0.035, output: 16.5 },
    }),
  );
  for (const columns of [100, 120, 200]) {
    const text = modelTable(models, columns, plainStyle).join("\n");
    for (const name of ["Claude Sonnet 4.5", "Claude Sonnet 4.6"])
      expect(text, `${columns}`).toContain(`  ${name}  `);
  }
  const lines = modelTable(models, 120, plainStyle);
  expect(lines[0]).toMatch(/^ {2}Model +Access +Name +Input +Context +Max out +\$ in +\$ out +R$/);
  expect(lines[2]).toMatch(/ {2}R$/);
  expect(lines.at(-1)).toBe("Input: T text, I image; R reasons");
});

it("has tags below a model where they have no column", () => {
  expect(modelTable([MODEL], 80, plainStyle).slice(-2)).toEqual([
    "* vendor.one-v1:0  yes        200K  3.00  15.00",
    "    alias:one",
  ]);
});

it("is never wider than the terminal from 80 columns on, with names, tags and ids of any length that AWS has", () => {
  const models = ["legacy,needs-profile", "alias:a-rather-long-alias", ""].map((tags, index) =>
    Object.assign({}, MODEL, {
      id: `global.anthropic.claude-sonnet-4-5-2025092${index}-v1:0`,
      key: `amazon-bedrock/global.anthropic.claude-sonnet-4-5-2025092${index}-v1:0`,
      name: "Global Anthropic Claude Sonnet 4.5 of the newest kind",
      tags: tags.split(","),
    }),
  );
  for (let columns = 80; columns <= 220; columns++)
    for (const line of modelTable(models, columns, plainStyle))
      expect(line.length, `${columns}: ${line}`).toBeLessThanOrEqual(columns);
});

it("groups the models of a provider, however it is written, that of the first one first", () => {
  const of = (id: string, provider: string): TabledModel => ({
    ...MODEL,
    key: `amazon-bedrock/${id}`,
    id,
    provider,
    tags: [],
  });
  const models = [of("z.one", "zeta"), of("a.one", "Alpha"), of("z.two", "Zeta"), of("a.two", "Alpha")];
  const firstWords = (lines: string[]): string[] =>
    lines.map((line) => line.split(/ +/).slice(0, 2).join(" "));
  expect(firstWords(modelTable(models, 30, plainStyle))).toEqual([
    "Model Access",
    "── Zeta",
    "z.one yes",
    "z.two yes",
    "── Alpha",
    "a.one yes",
    "a.two yes",
  ]);
  expect(firstWords(modelTable(models, 30, plainStyle, false))).toEqual([
    "Model Access",
    "z.one yes",
    "a.one yes",
    "z.two yes",
    "a.two yes",
  ]);
});

it("shows what has an ARN by its name or kind with the ARN below, and another provider's model by its key", () => {
  const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/k9m2x7q4w1ab";
  const own = { ...MODEL, key: `amazon-bedrock/${arn}`, id: arn, name: "team search", tags: ["fallback#1"] };
  const nameless = { ...own, name: arn, tags: [] };
  const other = {
    ...MODEL,
    key: "ollama/qwen3:8b",
    id: "qwen3:8b",
    provider: "ollama",
    tags: ["fallback#2"],
  };
  for (const columns of [1, 40, 80, 200]) {
    const lines = modelTable([own, nameless, other], columns, plainStyle);
    expect(lines.filter((line) => line.includes("arn:"))).toEqual([`    ${arn}`, `    ${arn}`]);
    expect(lines.find((line) => line.startsWith("1 team search"))).toBeDefined();
    expect(lines.find((line) => line.startsWith("  application-inference-profile/k9m2"))).toBeDefined();
    expect(lines.find((line) => line.startsWith("2 ollama/qwen3:8b"))).toBeDefined();
  }
  expect(explainMarks([own, nameless, other])).toBe(
    "1 and 2 are fallbacks of the default model, in their order",
  );
  expect(explainMarks([MODEL, own])).toBe("* is the default model, 1 its fallback");
  expect(explainMarks([own])).toBe("1 is a fallback of the default model");
  expect(explainMarks([nameless])).toBe("");
});

it("has one precision in a column, the one that its finest number needs", () => {
  const of = (contextWindow: number, input: number, output: number): TabledModel => ({
    ...MODEL,
    contextWindow,
    cost: { input, output },
  });
  const column = (models: TabledModel[], title: string): string[] => {
    const [titles = "", ...lines] = modelTable(models, 200, plainStyle, false);
    const end = titles.indexOf(title) + title.length;
    return lines.map((line) => line.slice(0, end).split(" ").at(-1) ?? "");
  };
  const models = [
    of(200_000, 0.035, 0.14),
    of(3_500_000, 3, 15),
    of(1_000_000, 16.5, 75),
    of(131_072, 0.3, 2.5),
  ];
  expect(column(models, "$ in")).toEqual(["0.035", "3.000", "16.500", "0.300"]);
  expect(column(models, "$ out")).toEqual(["0.14", "15.00", "75.00", "2.50"]);
  expect(column(models, "Context")).toEqual(["200K", "3.5M", "1M", "131K"]);
  expect(column(models.slice(2), "Context")).toEqual(["1M", "131K"]);
  expect(column([of(262_143, 3, 3)], "Context")).toEqual(["262K"]);
});
