import { array, assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { documentName } from "../../src/converse/document-name.ts";

describe("a document's name", () => {
  it.each([
    ["report.pdf", "report (pdf)"],
    ["report", "report"],
    ["John's report.docx", "John-s report (docx)"],
    ["invoice #123.pdf", "invoice -123 (pdf)"],
    ["a&b,c.txt", "a-b-c (txt)"],
    ["résumé.pdf", "resume (pdf)"],
    ["日本語.pdf", "U65E5-U672C-U8A9E (pdf)"],
    ["분.pdf", "UBD84 (pdf)"],
    ["ガ.pdf", "U30AC (pdf)"],
    ["Straße 🦞.pdf", "Stra-UDF-e -U1F99E (pdf)"],
    ["Report -  Final.xls", "Report - Final (xls)"],
    ["a\tb.csv", "a b (csv)"],
    ["a\u3000b.csv", "a b (csv)"],
    ["notes (2024) [v2].md", "notes (2024) [v2] (md)"],
    ["archive.tar.gz", "archive-tar (gz)"],
    [".env", "Document (env)"],
    ["cut \ud83d.txt", "cut (txt)"],
    ["", "Document"],
    [undefined, "Document"],
  ])("of %j is %j", (fileName, name) => {
    expect(documentName(fileName, new Set())).toBe(name);
  });

  it("differs in more than its case from every other", () => {
    const taken = new Set<string>();
    const names = ["report.pdf", "report.txt", "Report.pdf", "report.pdf"];
    expect(names.map((name) => documentName(name, taken))).toEqual([
      "report (pdf)",
      "report (txt)",
      "Report (pdf) (2)",
      "report (pdf) (3)",
    ]);
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
        expect(names.map((name) => documentName(name, new Set()))).toEqual(names);
        const again = new Set<string>();
        expect(files.map((file) => documentName(file, again))).toEqual(names);
      }),
    );
  });
});
