import { assert, constantFrom, oneof, property, string, uniqueArray } from "fast-check";
import { describe, expect, test } from "vitest";
import { nameTools, prefixOf } from "../../../../src/chat/tools/mcp/tool-names.ts";

describe("the names of a server's tools", () => {
  test.each([
    ["files", ["read", "write_file", "a-b"], ["files__read", "files__write_file", "files__a-b"]],
    ["my files", ["read"], ["my_files-4f5ad5ee__read"]],
    ["a__b", ["c"], ["a_b-8c77ac9d__c"]],
    ["日本", ["読む"], ["server-7e1e65ea__tool-f3eb6cbb"]],
    ["a", ["files.read", "b__c", "_x"], ["a__files_read", "a__b__c", "a___x"]],
    ["a", ["f.r", "f_r"], ["a__f_r-d9cb0b0b", "a__f_r"]],
    ["a", ["x".repeat(61), "x".repeat(62)], [`a__${"x".repeat(61)}`, `a__${"x".repeat(52)}-00000000`]],
  ])("of '%s' for %j are %j", (server, tools, names) => {
    const withoutMarks = (name: string): string => name.replaceAll(/-[0-9a-f]{8}(?=__|$)/g, "-MARK");
    expect(nameTools(server, tools).map(withoutMarks)).toEqual(names.map(withoutMarks));
  });

  const name = oneof(
    string({ unit: "grapheme", maxLength: 90 }),
    string({ unit: constantFrom("a", "_", "-", "."), maxLength: 70 }),
  );

  test("are legal, each its own, and the same in any order, for any names of servers and tools", () => {
    assert(
      property(
        uniqueArray(name, { maxLength: 5 }),
        uniqueArray(name, { maxLength: 12 }),
        (servers, tools) => {
          const all = servers.flatMap((server) => nameTools(server, tools));
          for (const made of all) expect(made).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
          expect(new Set(all).size).toBe(servers.length * tools.length);
          for (const server of servers) {
            const turned = nameTools(server, tools.toReversed()).toReversed();
            expect(turned).toEqual(nameTools(server, tools));
            for (const made of turned)
              expect(servers.filter((other) => made.startsWith(prefixOf(other)))).toEqual([server]);
          }
        },
      ),
    );
  });
});
