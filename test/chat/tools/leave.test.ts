import { describe, expect, test } from "vitest";
import { fingerprintOf, judgeLeave, type LeaveRules, matchesPattern } from "../../../src/chat/tools/leave.ts";
import { textResult, type Tool } from "../../../src/chat/tools/tool.ts";

const disk: Tool = {
  name: "disk-usage",
  source: { kind: "command", command: ["df", "-h"] },
  description: "Shows how full the disks are.",
  inputSchema: { type: "object" },
  run: async () => textResult("90 %"),
};
const tools = {
  disk,
  always: { ...disk, allow: "always" },
  never: { ...disk, allow: "never" },
  shell: {
    ...disk,
    name: "shell",
    allow: "always",
    demandOf: () => ({ name: "shell", isExact: true, isAsked: true }),
  },
  "aws that writes": {
    ...disk,
    name: "aws",
    demandOf: () => ({ name: "aws:write", isExact: true, isAsked: false, because: "writes a file" }),
  },
} satisfies Record<string, Tool>;

const nobody: LeaveRules = { allowed: [], canAsk: false, always: new Map(), seen: new Map() };
const changed = { seen: new Map([["disk-usage", "another"]]) };

interface Row {
  tool: keyof typeof tools;
  rules: Partial<LeaveRules>;
  comes: object;
}

const ROWS: readonly Row[] = [
  { tool: "disk", rules: {}, comes: { kind: "refuse", allow: "disk-usage" } },
  { tool: "disk", rules: { canAsk: true }, comes: { kind: "ask", offersAlways: true, hasChanged: false } },
  { tool: "disk", rules: { allowed: ["disk-usage"] }, comes: { kind: "run" } },
  { tool: "disk", rules: { allowed: ["disk-*"] }, comes: { kind: "run" } },
  { tool: "disk", rules: { allowed: ["disk"] }, comes: { kind: "refuse" } },
  { tool: "disk", rules: { allowed: ["other", "*"] }, comes: { kind: "run" } },
  { tool: "disk", rules: { always: new Map([["disk-usage", fingerprintOf(disk)]]) }, comes: { kind: "run" } },
  {
    tool: "disk",
    rules: { always: new Map([["disk-usage", "another"]]), canAsk: true, ...changed },
    comes: { kind: "ask", hasChanged: true },
  },
  { tool: "disk", rules: { allowed: ["*"], ...changed }, comes: { kind: "refuse", why: /changed/ } },
  {
    tool: "disk",
    rules: { allowed: ["*"], canAsk: true, ...changed },
    comes: { kind: "ask", hasChanged: true },
  },
  { tool: "always", rules: {}, comes: { kind: "run" } },
  { tool: "always", rules: changed, comes: { kind: "refuse", why: /changed/ } },
  {
    tool: "always",
    rules: { ...changed, always: new Map([["disk-usage", fingerprintOf(disk)]]) },
    comes: { kind: "run" },
  },
  {
    tool: "never",
    rules: { allowed: ["*", "disk-usage"], canAsk: true },
    comes: { kind: "refuse", why: /settings/ },
  },
  { tool: "shell", rules: { allowed: ["*"] }, comes: { kind: "refuse", allow: "shell" } },
  { tool: "shell", rules: { allowed: ["s*"], canAsk: true }, comes: { kind: "ask", offersAlways: false } },
  {
    tool: "shell",
    rules: { canAsk: true, always: new Map([["shell", fingerprintOf(tools.shell)]]) },
    comes: { kind: "ask", offersAlways: false },
  },
  { tool: "shell", rules: { allowed: ["shell"] }, comes: { kind: "run" } },
  {
    tool: "aws that writes",
    rules: { canAsk: true, allowed: ["aws"] },
    comes: {
      kind: "refuse",
      allow: "aws:write",
      why: /^it writes a file, and only --allow aws:write permits it$/,
    },
  },
  { tool: "aws that writes", rules: { canAsk: true, allowed: ["*"] }, comes: { kind: "refuse" } },
  { tool: "aws that writes", rules: { allowed: ["aws:write"] }, comes: { kind: "run" } },
];

describe("the leave to run", () => {
  test.each(ROWS)("$tool with $rules comes to $comes.kind", ({ tool, rules, comes }) => {
    const leave = judgeLeave(tools[tool], {}, { ...nobody, ...rules });
    const { why, ...others } = comes as { why?: RegExp };
    expect(leave).toMatchObject(others);
    if (why) expect((leave as { why?: string }).why).toMatch(why);
  });

  test("goes by everything that a tool is", () => {
    const others: Tool[] = [
      { ...disk, name: "disks" },
      { ...disk, description: "Formats the disks." },
      { ...disk, inputSchema: { type: "object", properties: {} } },
      { ...disk, source: { kind: "command", command: ["df"] } },
      { ...disk, source: { kind: "server", server: "df", tool: "disk-usage" } },
    ];
    const prints = [disk, ...others].map(fingerprintOf);
    expect(new Set(prints).size).toBe(prints.length);
  });
});

describe("a pattern of names", () => {
  test.each([
    ["read-file", "read-file", true],
    ["read-file", "read-*", true],
    ["read-file", "*", true],
    ["read-file", "*file", true],
    ["read-file", "r*-*e", true],
    ["read-file", "**", true],
    ["read-file", "read-file*", true],
    ["read-file", "read", false],
    ["read-file", "*read", false],
    ["read-file", "read-file?", false],
    ["aba", "ab*ba", false],
    ["a", "a*a", false],
    ["files__read", "files__*", true],
    ["files2__read", "files__*", false],
  ])("'%s' by '%s': %s", (name, pattern, fits) => {
    expect(matchesPattern(name, pattern)).toBe(fits);
  });
});
