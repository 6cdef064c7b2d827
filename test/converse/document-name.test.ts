import { array, assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { documentName } from "../../src/converse/document-name.ts";

describe("a document's name", () => {
  it.each([
    ["report.pdf", "report"],
    ["John's report.docx", "John-s report"],
    ["invoice #123.pdf", "invoice -123"],
    ["a&b,c.txt", "a-b-c"],
    ["résumé.pdf", "resume"],
    ["분기보고서.pdf", "Document"],
    ["Report -  Final.xls", "Report - Final"],
    ["a\tb.csv", "a b"],
    ["notes (2024) [v2].md", "notes (2024) [v2]"],
    ["archive.tar.gz", "archive-tar"],
    [".env", "Document"],
    [undefined, "Document"],
  ])("of %j is %j", (fileName, name) => {
    expect(documentName(fileName, new Set())).toBe(name);
  });

  it("is legal, distinct and the same each time, whatever the files are called", () => {
    assert(
      property(array(string({ unit: "grapheme", maxLength: 300 }), { maxLength: 5 }), (files) => {
        const taken = new Set<string>();
        const names = files.map((file) => documentName(file, taken));
        expect(new Set(names).size).toBe(names.length);
        for (const name of names) {
          expect(name).toMatch(/^[A-Za-z0-9()[\]-]+( [A-Za-z0-9()[\]-]+)*$/);
          expect(name.length).toBeLessThanOrEqual(200);
        }
        const again = new Set<string>();
        expect(files.map((file) => documentName(file, again))).toEqual(names);
      }),
    );
  });
});
