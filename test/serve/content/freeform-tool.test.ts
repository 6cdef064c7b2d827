import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  describeFreeform,
  freeformText,
  readGrammar,
  toFreeformInput,
} from "../../../src/serve/content/freeform-tool.ts";
import { RequestField } from "../../../src/serve/request-field.ts";

describe("a tool that takes a text", () => {
  it("is called with an object that holds it, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        expect(await freeformText(JSON.stringify(toFreeformInput(text)))).toBe(text);
      }),
    );
  });

  it.each([
    ["the text under another name", `{"patch":"*** Begin"}`, "*** Begin"],
    ["the text and nothing else", `"ls"`, "ls"],
    ["nothing", `{}`, ""],
    ["several fields", `{"a":"1","b":"2"}`, `{"a":"1","b":"2"}`],
    ["a field that is no text", `{"a":1}`, `{"a":1}`],
    ["its own field among others", `{"input":"x","why":"y"}`, "x"],
    ["half a character", `{"input":"a\\ud83d"}`, "a\ufffd"],
    ["JSON that was cut", `{"input":"*** Beg`, `{"input":"*** Beg`],
  ])("is called by a model that says %s", async (_, json, text) => {
    expect(await freeformText(json)).toBe(text);
  });

  it("tells the model of its grammar", () => {
    const grammar = { syntax: "lark", definition: "\nstart: /x+/\n" };
    expect(describeFreeform("Runs x.", grammar)).toBe(
      "Runs x.\n\nThe input must match this lark grammar:\n\nstart: /x+/",
    );
    expect(describeFreeform(undefined, grammar)).toBe(
      "The input must match this lark grammar:\n\nstart: /x+/",
    );
    expect(describeFreeform("Runs x.", undefined)).toBe("Runs x.");
  });

  it("has a grammar of 200,000 characters at most", () => {
    const given = (length: number): RequestField =>
      new RequestField({ syntax: "lark", definition: "x".repeat(length) }, "grammar");
    expect(readGrammar(given(200_000)).definition).toHaveLength(200_000);
    expect(() => readGrammar(given(200_001))).toThrow(
      "'grammar.definition' has 200001 characters, and a grammar may have 200000.",
    );
  });
});
