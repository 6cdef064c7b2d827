import { array, assert, integer, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../src/converse/chat-event.ts";
import { WholeCharacters } from "../../src/converse/whole-characters.ts";

const text = (said: string): ChatEvent => ({ type: "text", text: said });
const reasoning = (said: string): ChatEvent => ({ type: "reasoning", text: said });
const input = (index: number, said: string): ChatEvent => ({ type: "tool-input", index, text: said });
const stop: ChatEvent = { type: "stop", stopReason: "end_turn" };

function passedOn(...events: ChatEvent[]): ChatEvent[] {
  const characters = new WholeCharacters();
  return events.flatMap((event) => characters.take(event));
}

describe("characters that are cut in two", () => {
  it.each([
    ["join their other half", [text("a\ud83d"), text("\udc69b")], [text("a"), text("👩b")]],
    ["join it over an empty piece", [text("\ud83d"), text(""), text("\udc69")], [text("👩")]],
    ["of reasoning, too", [reasoning("\ud83d"), reasoning("\udc69")], [reasoning("👩")]],
    ["of a tool's input, too", [input(1, "\ud83d"), input(1, "\udc69")], [input(1, "👩")]],
    ["become U+FFFD when nothing follows", [text("a\ud83d"), stop], [text("a"), text("\ufffd"), stop]],
    ["become U+FFFD before other characters", [text("\ud83d"), text("b")], [text("\ufffdb")]],
    ["become U+FFFD without a first half", [text("a\udc69")], [text("a\ufffd")]],
    [
      "do not join those of another block",
      [reasoning("\ud83d"), text("\udc69"), input(1, "\ud83d"), input(2, "\udc69")],
      [reasoning("\ufffd"), text("\ufffd"), input(1, "\ufffd"), input(2, "\ufffd")],
    ],
  ])("%s", (_, events, expected) => {
    expect(passedOn(...events)).toEqual(expected);
  });

  it("are not waited for when the stream is over", () => {
    const characters = new WholeCharacters();
    expect(characters.take(text("a\ud83d"))).toEqual([text("a")]);
    expect(characters.rest()).toEqual([text("\ufffd")]);
    expect(characters.rest()).toEqual([]);
  });

  it("lose nothing, wherever a text is cut", () => {
    assert(
      property(string({ unit: "binary" }), array(integer({ min: 0, max: 30 })), (whole, cuts) => {
        const places = [0, ...cuts.filter((cut) => cut < whole.length), whole.length].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, index) => text(whole.slice(places[index], end)));
        const said = passedOn(...pieces, stop).map((event) => (event.type === "text" ? event.text : ""));
        for (const piece of said) expect(piece.isWellFormed()).toBe(true);
        expect(said.join("")).toBe(whole.toWellFormed());
      }),
    );
  });
});
