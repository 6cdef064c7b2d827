import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventReader, type ServerEvent } from "../../src/wires/event-reader.ts";

function readAll(pieces: Iterable<Uint8Array>): ServerEvent[] {
  const reader = new EventReader();
  const events: ServerEvent[] = [];
  for (const piece of pieces) events.push(...reader.push(piece));
  return [...events, ...reader.end()];
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");

describe("reads", () => {
  it.each<[string, string, ServerEvent[]]>([
    ["events with line feeds", "data: a\n\ndata: b\n\n", [{ data: "a" }, { data: "b" }]],
    ["carriage returns", "data: a\r\n\r\ndata: b\r\n\r\n", [{ data: "a" }, { data: "b" }]],
    ["carriage returns alone", "data: a\r\rdata: b\r\r", [{ data: "a" }, { data: "b" }]],
    ["data without a space", "data:a\n\n", [{ data: "a" }]],
    ["data of several lines", "data: a\ndata: b\n\n", [{ data: "a\nb" }]],
    ["around comments", ": ping\n\ndata: a\n: OPENROUTER PROCESSING\n\n", [{ data: "a" }]],
    ["past ids, retries and unknown fields", "id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", [{ data: "a" }]],
    ["named events", "event: message\ndata: a\n\n", [{ data: "a" }]],
    ["errors by the event's name", 'event: error\ndata: {"message":"x"}\n\n', [{ error: '{"message":"x"}' }]],
    ["errors in a field of their own", 'error: {"code":500}\n\n', [{ error: '{"code":500}' }]],
    ["a last event without its blank line", "data: a\n\ndata: [DONE]", [{ data: "a" }, { data: "[DONE]" }]],
    ["nothing", "", []],
  ])("%s", (_, text, expected) => {
    expect(readAll([bytes(text)])).toEqual(expected);
  });
});

it("reads the same wherever the bytes are cut", () => {
  const text =
    'data: {"t":"Grüße 🦞"}\r\n\r\n: note\n\ndata:x\ndata: y\n\nevent: error\ndata: z\n\ndata: [DONE]\n\n';
  const whole = bytes(text);
  const expected = readAll([whole]);
  expect(expected).toHaveLength(4);
  for (let cut = 0; cut <= whole.length; cut += 1) {
    expect(readAll([whole.subarray(0, cut), whole.subarray(cut)])).toEqual(expected);
  }
  expect(readAll(Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(expected);
});

it("reads what was written, cut anywhere", () => {
  const data = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, ""));
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(
      fc.array(data, { maxLength: 8 }),
      lineEnd,
      fc.array(fc.nat(400), { maxLength: 6 }),
      (texts, end, cuts) => {
        const whole = bytes(texts.map((text) => `data: ${text}${end}${end}`).join(""));
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b),
          whole.length,
        ];
        const pieces = places.slice(1).map((place, index) => whole.subarray(places[index], place));
        expect(readAll(pieces)).toEqual(texts.map((text) => ({ data: text })));
      },
    ),
    { numRuns: 300 },
  );
});

it("refuses an event that has no end", () => {
  const reader = new EventReader();
  const piece = Buffer.alloc(1024 * 1024, "a");
  expect(() => {
    for (let index = 0; index < 20; index += 1) reader.push(piece);
  }).toThrow(
    expect.objectContaining({
      code: "bad-response",
      message: "The answer holds an event of more than 16 MB.",
    }),
  );
});
