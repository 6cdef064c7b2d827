import { describe, expect, test } from "vitest";
import { wantedTools } from "../../src/commands/chat/tool-options.ts";

describe("the tools that are named", () => {
  test.each<{
    name: string;
    tool?: string[];
    mcp?: string[];
    template?: [string[], string[]];
    wanted: unknown;
  }>([
    { name: "none", wanted: undefined },
    { name: "none by a template", template: [[], []], wanted: undefined },
    {
      name: "flags, each once",
      tool: ["a", "b", "a"],
      mcp: ["s", "s"],
      wanted: { tools: ["a", "b"], servers: ["s"] },
    },
    { name: "a template", template: [["a"], ["s"]], wanted: { tools: ["a"], servers: ["s"] } },
    {
      name: "both",
      tool: ["b", "a"],
      mcp: ["t"],
      template: [["a", "c"], ["s"]],
      wanted: { tools: ["c", "b", "a"], servers: ["s", "t"] },
    },
    {
      name: "a flag with another folder",
      tool: ["read-file:src"],
      template: [["read-file", "list-files"], []],
      wanted: { tools: ["list-files", "read-file:src"], servers: [] },
    },
  ])("are those of $name", ({ tool, mcp, template, wanted }) => {
    const options = { run: true, ...(tool && { tool }), ...(mcp && { mcp }) };
    const filled = template && { tools: template[0], mcpServers: template[1] };
    expect(wantedTools(options, filled)).toEqual(wanted);
  });
});
