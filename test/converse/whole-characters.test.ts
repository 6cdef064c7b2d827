import { array, assert, integer, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { WholeCharacters } from "../../src/converse/whole-characters.ts";

describe("characters that are cut in two", () => {
  it("are held back until their other half comes", () => {
    const whole = new WholeCharacters();
    expect(whole.take("a\ud83d")).toBe("a");
    expect(whole.take("")).toBe("");
    expect(whole.take("\udc69b")).toBe("👩b");
    expect(whole.rest()).toBe("");
  });

  it("come as they are when nothing follows", () => {
    const whole = new WholeCharacters();
    expect(whole.take("\ud83d")).toBe("");
    expect(whole.rest()).toBe("\ud83d");
    expect(whole.rest()).toBe("");
  });

  it("lose nothing, wherever a text is cut", () => {
    assert(
      property(string({ unit: "binary" }), array(integer({ min: 0, max: 30 })), (text, cuts) => {
        const whole = new WholeCharacters();
        const places = [0, ...cuts.filter((cut) => cut < text.length), text.length].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, index) => whole.take(text.slice(places[index], end)));
        for (const piece of pieces) expect(piece).not.toMatch(/[\uD800-\uDBFF]$/);
        expect(pieces.join("") + whole.rest()).toBe(text);
      }),
    );
  });
});
