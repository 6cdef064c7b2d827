import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  headerLine,
  type KeptTurn,
  parseSession,
  turnLine,
  titleLine,
  undoLine,
} from "../../../src/chat/sessions/session-record.ts";

const header = { id: "abc234", folder: "/home/ada", created: "2026-11-22T10:00:00.000Z" };

function turn(question: string, answer: string, more: Partial<KeptTurn> = {}): KeptTurn {
  return {
    at: "2026-11-22T10:01:00.000Z",
    key: "amazon-bedrock/amazon.nova-lite-v1:0",
    model: "amazon.nova-lite-v1:0",
    stopReason: "end_turn",
    messages: [
      { role: "user", content: [{ text: question }] },
      { role: "assistant", content: [{ text: answer }] },
    ],
    ...more,
  };
}

const one = turn("one", "1", {
  system: "Be brief.",
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
});
const two = turn("zwei: ü日🦞\u2028", "2\n\u0000");

describe("a session file", () => {
  it("holds what was put into it, bytes and all", async () => {
    const bytes = new Uint8Array([0, 10, 13, 255, 34, 92]);
    const full = turn("look", "seen", {
      messages: [
        {
          role: "user",
          content: [
            { image: { format: "png", source: { bytes } } },
            { document: { format: "pdf", name: "report", source: { bytes } } },
            { text: "look" },
          ],
        },
        {
          role: "assistant",
          content: [
            { reasoningContent: { redactedContent: bytes } },
            { reasoningContent: { reasoningText: { text: "Hm.\n", signature: "Ab+/==" } } },
            { toolUse: { toolUseId: "t", name: "n", input: { deep: [1, { x: null }] } } },
            { text: "seen" },
          ],
        },
      ],
    });
    const text = headerLine(header) + turnLine(one, "new") + turnLine(full, "new") + turnLine(two, "new");
    expect(text.split("\n")).toHaveLength(5);
    expect(await parseSession(text)).toEqual({ header, turns: [one, full, two], damagedLines: 0 });
  });

  it("of the form before is read: a turn had a message of the person and one of the model", async () => {
    const { messages, ...rest } = one;
    const [user, assistant] = messages;
    const lines = [
      { type: "session", form: 1, ...header },
      { type: "turn", ...rest, user, assistant },
    ];
    const text = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n${turnLine(two, "new")}`;
    expect(await parseSession(text)).toEqual({ header, turns: [one, two], damagedLines: 0 });
  });

  it("counts a question that was asked again once", async () => {
    const text = headerLine(header) + turnLine(one, "new") + turnLine(two, "new") + turnLine(one, "retry");
    expect((await parseSession(text))?.turns).toEqual([one, one]);
  });

  it("that was cut off anywhere holds every turn that was written whole", async () => {
    const lines = [headerLine(header), turnLine(one, "new"), turnLine(two, "new"), turnLine(one, "retry")];
    const whole = Buffer.from(lines.join(""));
    const ends = lines.map((_, index) => Buffer.byteLength(lines.slice(0, index + 1).join("")));
    const expected = [[], [one], [one, two], [one, one]];
    for (let length = 0; length <= whole.length; length++) {
      const content = await parseSession(whole.subarray(0, length).toString("utf8"));
      const last = ends.findLastIndex((end) => end <= length);
      if (last < 0) expect(content).toBeUndefined();
      else expect(content).toEqual({ header, turns: expected[last], damagedLines: 0 });
    }
  });

  it("knows what was taken back, though nothing of it is gone", async () => {
    const lines = headerLine(header) + turnLine(one, "new") + turnLine(two, "new");
    const undone = `${lines}${undoLine("2026-11-22T10:03:00.000Z")}`;
    expect(await parseSession(undone)).toEqual({ header, turns: [one], damagedLines: 0 });
    expect((await parseSession(undone + turnLine(two, "new")))?.turns).toEqual([one, two]);
    const nothing = undone + undoLine("x") + undoLine("x");
    expect((await parseSession(nothing))?.turns).toEqual([]);
    // What cannot be read is what was taken back, not the turn before it.
    const damaged = `${headerLine(header)}${turnLine(one, "new")}{"type":\n${undoLine("x")}`;
    expect(await parseSession(damaged)).toEqual({ header, turns: [one], damagedLines: 1 });
  });

  it("has a summary in the place of all turns but the last, until it is taken back", async () => {
    const summary = { ...one, model: "summing-up" };
    const lines = headerLine(header) + turnLine(one, "new") + turnLine(two, "new");
    const compacted = lines + turnLine(summary, "summary");
    expect((await parseSession(compacted))?.turns).toEqual([summary, two]);
    const further = compacted + turnLine(one, "new");
    expect((await parseSession(further))?.turns).toEqual([summary, two, one]);
    expect((await parseSession(further + undoLine("x")))?.turns).toEqual([summary, two]);
    expect((await parseSession(further + undoLine("x") + undoLine("x")))?.turns).toEqual([one, two]);
    // Once taken back it can be taken for nothing else.
    expect((await parseSession(further + undoLine("x").repeat(3)))?.turns).toEqual([one]);
  });

  it("has the title that was given last", async () => {
    const lines = headerLine(header) + titleLine("A") + turnLine(one, "new") + titleLine("B");
    expect(await parseSession(lines)).toEqual({ header, title: "B", turns: [one], damagedLines: 0 });
    expect(await parseSession(lines + titleLine(undefined))).toEqual({
      header,
      turns: [one],
      damagedLines: 0,
    });
  });

  it("with damaged lines holds the others, and says how many", async () => {
    const text = `${headerLine(header)}${turnLine(one, "new")}{"type":"turn","at":1}\nrubbish\n${turnLine(two, "retry")}`;
    expect(await parseSession(text)).toEqual({ header, turns: [one, two], damagedLines: 2 });
  });

  it.each([
    "",
    "\n",
    "{}\n",
    "rubbish\n",
    '{"type":"session","form":4,"id":"a","folder":"/","created":""}\n',
  ])("is none: %j", async (text) => {
    expect(await parseSession(text)).toBeUndefined();
  });

  it("holds any words", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }))),
        async (pairs) => {
          const turns = pairs.map(([question, answer]) => turn(question, answer));
          const text = headerLine(header) + turns.map((each) => turnLine(each, "new")).join("");
          expect((await parseSession(text))?.turns).toEqual(turns);
        },
      ),
    );
  });

  it("is read in turns, so that a signal is heard while one with hundreds of pictures is", async () => {
    const long = turn("q", "x".repeat(100_000));
    // Ten times as long as others may wait, however fast the machine is.
    const text = headerLine(header) + turnLine(long, "new").repeat(1000);
    let others = 0;
    let isOver = false;
    const count = (): void => {
      others += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    expect((await parseSession(text))?.turns).toHaveLength(1000);
    isOver = true;
    expect(others).toBeGreaterThan(1);
  });
});
