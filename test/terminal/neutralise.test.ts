import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadStyle } from "../../src/terminal/color.ts";
import { escapeInJson, neutralise, neutraliseStyled } from "../../src/terminal/neutralise.ts";
import { Terminal } from "../../src/terminal/terminal.ts";

/** What a terminal obeys, and what reorders what is read. */
const ACTIVE = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u;

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
  ["writing direction", "user\u202E\u2066// admin\u2069 \u200F\u061C", "user// admin "],
];

describe("neutralise", () => {
  it.each(ATTACKS)("disarms %s", (_, text, shown) => {
    expect(neutralise(text)).toBe(shown);
  });

  it("leaves words alone, in whatever script, with tabs, line ends and emoji", () => {
    const text = "naïve\t日本語\nשלום 👩‍👩‍👧 é \u{1F1E9}\u{1F1EA} ﷽ “—” \u00A0";
    expect(neutralise(text)).toBe(text);
  });

  it("lets nothing through that a terminal obeys, wherever the text is cut", () => {
    const pieces = fc.array(
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...ATTACKS.map(([, text]) => text))),
    );
    fc.assert(
      fc.property(pieces, (texts) => {
        const shown = texts.map(neutralise).join("");
        expect(shown).not.toMatch(ACTIVE);
        expect(shown).toBe(neutralise(texts.join("")));
      }),
    );
  });
});

const style = await loadStyle(3);

describe("neutraliseStyled", () => {
  it("keeps every style of ours", () => {
    for (const look of Object.values(style)) expect(neutraliseStyled(look("x"))).toBe(look("x"));
  });

  it.each(ATTACKS.slice(1))("disarms %s", (_, text) => {
    expect(neutraliseStyled(text)).not.toMatch(ACTIVE);
  });

  it.each(["\u001B[8mhidden", "\u001B[38;2;0;0;0mblack", "\u001B[0;31m", "\u001B[41m"])(
    "disarms styles that are not ours: %j",
    (text) => {
      expect(neutraliseStyled(text)).not.toContain("\u001B");
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

  it("leaves a pipe what came", async () => {
    const { terminal: pipe, written } = terminal(false);
    await pipe.write(pipe.foreign(attack));
    pipe.note(pipe.foreignAside(attack));
    expect(written()).toBe(`${attack}${attack}\n`);
  });

  it("prints the same document on a TTY, in escapes", async () => {
    const { terminal: screen, written } = terminal(true);
    const document = { text: `${attack}\u009B\u007F\r\n ü` };
    await screen.printJson(document);
    expect(written()).not.toMatch(ACTIVE);
    expect(JSON.parse(written())).toEqual(document);
    expect(escapeInJson('"ü"')).toBe('"ü"');
  });
});
