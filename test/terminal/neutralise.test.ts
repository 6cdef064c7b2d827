import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wellFormed } from "../../src/json.ts";
import { styleFor } from "../../src/terminal/color.ts";
import {
  actOwn,
  escapeInJson,
  isShownWhole,
  neutralise,
  Neutraliser,
  neutraliseStyled,
  onOneLine,
  ownLink,
  ownSequence,
} from "../../src/terminal/neutralise.ts";
import { jsonLine, Terminal } from "../../src/terminal/terminal.ts";

/** What a terminal obeys, what reorders what is read, and what is there without being seen. */
const ACTIVE =
  /[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029\u00AD\u115F\u180E\u200B\u2060-\u206F\u3164\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]|\u034F|\p{M}{13}/u;

const ATTACKS: [string, string, string][] = [
  ["a colour", "\u001B[31mred", "␛[31mred"],
  ["a cursor that moves up", "\u001B[2A\u001B[2K", "␛[2A␛[2K"],
  ["the clipboard (OSC 52)", "\u001B]52;c;cm0gLXJmIC8=\u0007", "␛]52;c;cm0gLXJmIC8=␇"],
  ["the window's title", "\u001B]0;sudo password:\u001B\\", "␛]0;sudo password:␛\\"],
  ["a hyperlink", "\u001B]8;;http://evil\u001B\\here", "␛]8;;http://evil␛\\here"],
  ["a device control string", "\u001BP$q\u001B\\", "␛P$q␛\\"],
  ["CSI as a C1 control", "\u009B31m", "\uFFFD31m"],
  ["OSC as a C1 control", "\u009D52;c;x\u009C", "\uFFFD52;c;x\uFFFD"],
  ["next line", "a\u0085b", "a\uFFFDb"],
  ["backspaces", "safe\b\b\b\bevil", "safe␈␈␈␈evil"],
  ["a carriage return that writes over", "rm -rf /\rls", "rm -rf /ls"],
  ["line ends of Windows", "a\r\nb", "a\nb"],
  ["a bell and a zero", "\u0007\u0000", "␇␀"],
  ["delete", "a\u007Fb", "a␡b"],
  ["separators of lines", "a\u2028b\u2029c", "a\uFFFDb\uFFFDc"],
  ["what has no width", "no\u200Bva\u2060\uFEFF\u00AD \u034F\u180Ex\u3164", "nova x"],
  ["text in tags", "hi\u{E0001}\u{E0072}\u{E006D}\u{E007F}", "hi"],
  ["annotations", "\uFFF9base\uFFFAnote\uFFFB", "basenote"],
  ["a joiner in a plain word", "pay\u200Dpal\u200C", "paypal"],
  ["bytes in selectors", "a\uFE00\uFE01\u{E0100}\u{E01EF}\uFE0F☺\uFE0F\uFE0E\u{E0100}", "a☺\uFE0F"],
  [
    "a byte behind each letter",
    "h\u{E0158}i\uFE09 \u{E0110}\u043D\uFE03\u0435\u{E01EF}t\u180B",
    "hi \u043D\u0435t",
  ],
  ["a tower of marks", `a${"\u0301".repeat(1000)}b`, `a${"\u0301".repeat(12)}b`],
  ["writing direction", "user\u202E\u2066// admin\u2069 \u200F\u061C", "user// admin "],
];

describe("neutralise", () => {
  it.each(ATTACKS)("disarms %s", (_, text, shown) => {
    expect(neutralise(text)).toBe(shown);
  });

  it("leaves words alone, in whatever script, with tabs, line ends and emoji", () => {
    const text =
      "naïve\t日本語\nשלום 👩‍👩‍👧 e\u0301 \u{1F1E9}\u{1F1EA} ﷽ “—” \u00A0 ❤️‍🔥 1️⃣ می‌خواهم क्‍ष ཧྐྵྨླྺྼྻྂ שָׁלוֹם 葛\u{E0100} ≨\uFE00 ᠠ\u180B ⚠\uFE0E " +
      "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}";
    expect(neutralise(text)).toBe(text);
  });

  it("leaves what belongs together, wherever the text is cut", () => {
    for (const text of ["👩‍👩‍👧", "❤️‍🔥", "क्‍ष", "e\u0301", "می‌خواهم"]) {
      const neutraliser = new Neutraliser();
      expect([...text].map((part) => neutraliser.pushForeign(part)).join("")).toBe(text);
      expect(neutraliser.pushForeign(`\u001B[31m\r${styleFor(1).red("x")}`)).toMatch(/^␛\[31m␛\[31;\d/);
    }
  });

  it("lets nothing through that a terminal obeys, wherever the text is cut", () => {
    const pieces = fc.array(
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...ATTACKS.map(([, text]) => text))),
    );
    fc.assert(
      fc.property(pieces, (texts) => {
        const neutraliser = new Neutraliser();
        const shown = texts.map((text) => neutraliser.push(text)).join("");
        expect(shown).not.toMatch(ACTIVE);
        const foreign = new Neutraliser();
        expect(texts.map((text) => foreign.pushForeign(text)).join("")).toBe(shown);
        // A character that was cut in two is none.
        if (texts.every((text) => !/^\p{Surrogate}|\p{Surrogate}$/u.test(text)))
          expect(shown).toBe(neutralise(texts.join("")));
      }),
    );
  });
});

const style = styleFor(3);

const styled = (text: string): string => new Neutraliser().push(text);

describe("a text with styles", () => {
  it("has every style of ours, and counts marks behind it", () => {
    for (const look of Object.values(style)) {
      expect(styled(look("é"))).toMatch(/^\u001B\[\d+mé\u001B\[\d+m$/);
      expect(actOwn(look("é"))).toBe(styled(look("é")));
    }
    const tower = "\u0301".repeat(10);
    expect(styled(`a${style.red(tower)}${style.dim(tower)}b`)).not.toMatch(/(?:\u0301[^\u0301b]*){13}/);
    expect(styled(ownSequence("?2004", "h") + ownSequence("", "J"))).toBe("\u001B[?2004h\u001B[J");
  });

  it("is the same when it is made harmless first, to be measured", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(style.red("ä"), style.bold("b")))),
        (texts) => {
          const text = texts.join("");
          expect(styled(neutraliseStyled(text))).toBe(styled(text));
        },
      ),
    );
  });

  it("has every link of ours, and none from outside", () => {
    const linked = `${ownLink("https://a.b/c?d")}x${ownLink("")}`;
    expect(styled(linked)).toBe("\u001B]8;;https://a.b/c?d\u001B\\x\u001B]8;;\u001B\\");
    expect(actOwn(linked)).toBe(styled(linked));
    expect(styled(neutraliseStyled(linked))).toBe(styled(linked));
    expect(styled(styled(linked))).not.toContain("\u001B");
    expect(styled(linked.replaceAll(/\d{4}/g, "1234"))).not.toContain("\u001B");
    for (const address of ["https://a.b/\u0007", "https://a.b/\u001B[2J", "https://a.b/ü", "https://a.b/ c"])
      expect(styled(ownLink(address))).not.toContain("\u001B]8;;https");
  });

  it("has no style from outside, not one that looks like ours", () => {
    for (const look of Object.values(style)) {
      expect(styled(styled(look("x")))).not.toContain("\u001B");
      expect(styled(look("x").replaceAll(/\d{4}/g, "1234"))).not.toContain("\u001B");
    }
  });

  it.each(ATTACKS.slice(1))("disarms %s", (_, text) => {
    expect(styled(text)).not.toMatch(ACTIVE);
  });

  it.each(["\u001B[8mhidden", "\u001B[38;2;0;0;0mblack", "\u001B[0;31m", "\u001B[41m"])(
    "disarms styles that are not ours: %j",
    (text) => {
      expect(styled(text)).not.toContain("\u001B");
    },
  );
});

describe("the terminal", () => {
  function terminal(isTTY: boolean) {
    let written = "";
    const sink = {
      isTTY,
      write: (text: string | Uint8Array) => ((written += String(text)), true),
      once: () => undefined,
    };
    return { terminal: new Terminal(sink, sink, { TERM: "xterm" }), written: () => written };
  }
  const attack = "\u001B]52;c;x\u0007\u202E";

  it("disarms what is written on a TTY, by whatever way", async () => {
    const { terminal: screen, written } = terminal(true);
    await screen.write(attack);
    await screen.print(attack);
    screen.note(attack);
    screen.writeAside(attack);
    await screen.warn(attack, attack);
    expect(written().replaceAll(/\u001B\[\d+m/g, "")).not.toMatch(ACTIVE);
    expect(screen.foreign("\u001B[31m")).toBe("␛[31m");
  });

  it("leaves the answer in a pipe as it came, and disarms what stands beside it", async () => {
    const { terminal: pipe, written } = terminal(false);
    await pipe.write(pipe.foreign(attack));
    expect(written()).toBe(attack);
    pipe.note(attack);
    expect(written()).toBe(`${attack}${neutralise(attack)}\n`);
  });

  it("writes JSON without halves of characters, which strict readers do not take", async () => {
    const { terminal: pipe, written } = terminal(false);
    pipe.writeAside(jsonLine({ "a\ud83d": ["\udc00b", { c: "\ud83d\ude00" }] }));
    await pipe.printJson({ "a\ud83d": "\\ud83d" });
    expect(written()).toBe('{"a\ufffd":["\ufffdb",{"c":"\ud83d\ude00"}]}\n{"a\ufffd":"\\\\ud83d"}\n');
  });

  it("keeps a line on stderr one line", async () => {
    const { terminal: pipe, written } = terminal(false);
    pipe.note("a\r\n\u0085 hint: b\u2028c");
    await pipe.warn("a\nerror: b", "c\n  d");
    expect(written()).toBe("a hint: b c\nwarning: a error: b\nhint: c d\n");
    expect(onOneLine("a\tb")).toBe("a\tb");
  });

  it("lets on the screen act what this program made alone", () => {
    const { terminal: screen, written } = terminal(true);
    screen.screen?.write(`${ownSequence("2", "A")}\u001B[2A\r\u009Bx\n`);
    expect(written()).toBe("\u001B[2A␛[2A\uFFFDx\r\n");
  });

  it.each([true, false])(
    "prints the same document in escapes but for halves of characters, on a TTY: %s",
    async (isTTY) => {
      const { terminal: screen, written } = terminal(isTTY);
      const document = { text: `${attack}\u009B\u007F\r\n ü \u2028 \uD800 ${ATTACKS.join(" ")}` };
      await screen.printJson(document);
      expect(written()).not.toMatch(ACTIVE);
      expect(JSON.parse(written())).toEqual(wellFormed(document));
      screen.writeAside(jsonLine(document));
      expect(JSON.parse(written().split("\n").at(-2) ?? "")).toEqual(wellFormed(document));
      expect(escapeInJson('"ü"')).toBe('"ü"');
    },
  );
});

it.each([
  ["claude-opus", true],
  ["日本語 é 👩‍👧", true],
  ["", true],
  ["a\tb", false],
  ["a\nb", false],
  ["a\u001B[31m", false],
  ["a\u200Bb", false],
  ["a\u202Eb", false],
  ["a\uD800", false],
])("knows whether %j is shown whole", (text, isWhole) => {
  expect(isShownWhole(text)).toBe(isWhole);
});
