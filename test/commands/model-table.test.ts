import { expect, it } from "vitest";
import { modelTable, type TabledModel } from "../../src/commands/models/model-table.ts";
import { plainStyle } from "../../src/terminal/color.ts";

const MODEL: TabledModel = {
  key: "amazon-bedrock/vendor.one-v1:0",
  id: "vendor.one-v1:0",
  name: "One",
  provider: "Vendor",
  kind: "foundation-model",
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
  access: { status: "available", callable: true, reason: null, hint: null },
};

it("has a column for everything that is known of a model", () => {
  expect(modelTable([MODEL], 200, plainStyle)).toEqual([
    "  Key                             Access  Name  Input       Context  Max out  $ in  $ out  Reasoning  Tags",
    "* amazon-bedrock/vendor.one-v1:0  yes     One   text+image     200K      64K     3     15  yes        default,alias:one",
  ]);
});

it("marks the default in front, however narrow the terminal, and none where none is listed", () => {
  const other = { ...MODEL, key: "amazon-bedrock/vendor.two-v1:0", tags: [] };
  for (const columns of [1, 20, 40, 80, 200]) {
    const lines = modelTable([other, MODEL], columns, plainStyle);
    expect(lines.filter((line) => line.startsWith("* "))).toEqual([
      expect.stringContaining("* amazon-bedrock/vendor.one-v1:0"),
    ]);
    expect(modelTable([other], columns, plainStyle).join("\n")).toMatch(/^(Key|amazon)/);
  }
});

it("has no column that no model fills", () => {
  const { access: _, ...model } = { ...MODEL, cost: null, reasoning: false, tags: [] };
  expect(modelTable([model], 200, plainStyle)[0]).toMatch(/^Key +Name +Input +Context +Max out$/);
});

it("gives columns up by what they are worth where the terminal is narrow, prices late and the key never", () => {
  const titles = new Set<string>();
  for (let columns = 200; columns > 0; columns--)
    titles.add((modelTable([MODEL], columns, plainStyle)[0] ?? "").trim().replaceAll(/ {2,}/g, "|"));
  expect([...titles]).toEqual([
    "Key|Access|Name|Input|Context|Max out|$ in|$ out|Reasoning|Tags",
    "Key|Access|Input|Context|Max out|$ in|$ out|Reasoning|Tags",
    "Key|Access|Name|Input|Context|Max out|$ in|$ out|Tags",
    "Key|Access|Input|Context|Max out|$ in|$ out|Tags",
    "Key|Access|Name|Input|Context|$ in|$ out|Tags",
    "Key|Access|Input|Context|$ in|$ out|Tags",
    "Key|Access|Context|Max out|$ in|$ out|Tags",
    "Key|Access|Name|Context|$ in|$ out|Tags",
    "Key|Access|Context|$ in|$ out|Tags",
    "Key|Access|Name|Input|Context|$ in|$ out",
    "Key|Access|Input|Context|$ in|$ out",
    "Key|Access|Context|Max out|$ in|$ out",
    "Key|Access|Name|Context|$ in|$ out",
    "Key|Access|Context|$ in|$ out",
    "Key|Access|Context|$ out",
    "Key|Access|Context|$ in",
    "Key|Access|Context",
    "Key|Access|$ out",
    "Key|Access|$ in",
    "Key|Access",
    "* amazon-bedrock/vendor.one-v1:0",
  ]);
});
