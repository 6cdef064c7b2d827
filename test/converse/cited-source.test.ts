import type { CitationsDelta } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceList, toCitedSource } from "../../src/converse/cited-source.ts";

describe("a source that a model names", () => {
  it.each<[string, CitationsDelta, object, string]>([
    [
      "a page of a document",
      { title: "report (pdf)", location: { documentPage: { documentIndex: 0, start: 3, end: 4 } } },
      { title: "report (pdf)", document: 0, pages: { start: 3, end: 4 } },
      "report (pdf), page 3",
    ],
    [
      "several pages of one without a name",
      { location: { documentPage: { documentIndex: 1, start: 3, end: 6 } } },
      { document: 1, pages: { start: 3, end: 6 } },
      "document 2, pages 3–5",
    ],
    [
      "characters, with the words there",
      {
        title: "notes",
        sourceContent: [{ text: "The sky " }, { text: "is blue." }],
        location: { documentChar: { documentIndex: 0, start: 0, end: 16 } },
      },
      {
        title: "notes",
        document: 0,
        characters: { start: 0, end: 16 },
        quote: "The sky is blue.",
      },
      "notes, characters 0–15",
    ],
    [
      "a part",
      { title: "notes", location: { documentChunk: { documentIndex: 0, start: 2, end: 3 } } },
      { title: "notes", document: 0, parts: { start: 2, end: 3 } },
      "notes, part 2",
    ],
    [
      "a page of the web",
      { location: { web: { url: "https://a.example/b", domain: "a.example" } } },
      { url: "https://a.example/b" },
      "https://a.example/b",
    ],
    [
      "a search result",
      {
        title: "Policy",
        source: "https://wiki.example/policy",
        location: { searchResultLocation: { searchResultIndex: 2, start: 0, end: 1 } },
      },
      { title: "Policy", url: "https://wiki.example/policy", document: 2, parts: { start: 0, end: 1 } },
      "Policy, https://wiki.example/policy, part 0",
    ],
    ["halves of characters", { title: "a\ud83d" }, { title: "a\ufffd" }, "a\ufffd"],
    ["a place that nobody knows", { title: "a", location: { $unknown: ["video", {}] } }, { title: "a" }, "a"],
    ["nothing at all", {}, {}, "a source without a name"],
  ])("is read, and told in words: %s", (_, citation, source, words) => {
    expect(JSON.parse(JSON.stringify(toCitedSource(citation)))).toEqual(source);
    const list = new SourceList();
    list.numberOf(toCitedSource(citation));
    expect(list.lines()).toEqual([words]);
  });

  it("has one number, whatever is quoted of it", () => {
    const list = new SourceList();
    const page = (start: number, quote: string) => ({ title: "a", pages: { start, end: start + 1 }, quote });
    expect([page(1, "x"), page(2, "y"), page(1, "z")].map((source) => list.numberOf(source))).toEqual([
      1, 2, 1,
    ]);
    expect(list.lines()).toEqual(["a, page 1", "a, page 2"]);
  });
});

it("is read of any citation, whatever its members are", () => {
  const kinds = fc.constantFrom<unknown>(null, 1, -1, "x", true, [], [null], {}, { toString: "x" }, [
    { text: 1 },
  ]);
  const place = fc.oneof(
    kinds,
    fc.record({ documentIndex: kinds, searchResultIndex: kinds, start: kinds, end: kinds, url: kinds }),
  );
  const places = ["documentChar", "documentPage", "documentChunk", "searchResultLocation", "web"];
  const location = fc.oneof(kinds, fc.dictionary(fc.constantFrom(...places), place));
  const citation = fc.record({ title: kinds, source: kinds, sourceContent: kinds, location });
  fc.assert(
    fc.property(citation, (any) => {
      const source = toCitedSource(any as CitationsDelta);
      expect(typeof new SourceList().numberOf(source)).toBe("number");
      for (const text of [source.title, source.url, source.quote])
        expect(["string", "undefined"]).toContain(typeof text);
    }),
  );
});
