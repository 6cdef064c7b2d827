import { describe, expect, it } from "vitest";
import { characterOf } from "../../src/terminal/character-references.ts";
import { styleFor } from "../../src/terminal/color.ts";
import { MarkdownStream } from "../../src/terminal/markdown-stream.ts";
import { actOwn, Neutraliser } from "../../src/terminal/neutralise.ts";
import { linkTo, showsLinks } from "../../src/terminal/terminal-links.ts";

describe("a terminal", () => {
  it.each<[boolean, Record<string, string>]>([
    [true, { TERM_PROGRAM: "iTerm.app", TERM_PROGRAM_VERSION: "3.5.0beta3" }],
    [true, { TERM_PROGRAM: "iTerm.app", TERM_PROGRAM_VERSION: "4.0" }],
    [false, { TERM_PROGRAM: "iTerm.app", TERM_PROGRAM_VERSION: "3.0.15" }],
    [false, { TERM_PROGRAM: "iTerm.app" }],
    [true, { TERM_PROGRAM: "vscode", TERM_PROGRAM_VERSION: "1.105.1" }],
    [false, { TERM_PROGRAM: "vscode", TERM_PROGRAM_VERSION: "1.71.2" }],
    [true, { TERM_PROGRAM: "WezTerm", TERM_PROGRAM_VERSION: "20240203-110809-5046fc22" }],
    [true, { TERM_PROGRAM: "mintty", TERM_PROGRAM_VERSION: "3.7.4" }],
    [true, { TERM_PROGRAM: "ghostty", TERM_PROGRAM_VERSION: "1.2.3" }],
    [true, { TERM_PROGRAM: "Hyper" }],
    [true, { TERM_PROGRAM: "WarpTerminal" }],
    [true, { TERM_PROGRAM: "zed" }],
    [false, { TERM_PROGRAM: "Apple_Terminal", TERM_PROGRAM_VERSION: "455" }],
    [false, { TERM_PROGRAM: "constructor" }],
    [true, { VTE_VERSION: "7600" }],
    [true, { VTE_VERSION: "5001" }],
    [false, { VTE_VERSION: "5000" }],
    [false, { VTE_VERSION: "4205" }],
    [false, { VTE_VERSION: "new" }],
    [true, { WT_SESSION: "f6a3e9e5-1c7a-4f3c-8a55-000000000000" }],
    [true, { KITTY_WINDOW_ID: "1" }],
    [true, { DOMTERM: "version=3.2" }],
    [true, { TERM: "xterm-kitty" }],
    [true, { TERM: "xterm-ghostty" }],
    [true, { TERM: "alacritty" }],
    [true, { TERM: "alacritty-direct" }],
    [true, { TERM: "foot-extra" }],
    [false, { TERM: "xterm-256color" }],
    [false, { TERM: "linux" }],
    [false, { KONSOLE_VERSION: "230804" }],
    [false, {}],
    // Within another program, what stands around it is not what is written to.
    [false, { TMUX: "/tmp/tmux-1000/default,1,0", TERM: "tmux-256color", VTE_VERSION: "7600" }],
    [false, { STY: "1.pts-0", TERM: "screen", WT_SESSION: "x" }],
    [false, { TERM: "screen-256color", VTE_VERSION: "7600" }],
    [false, { TERM: "dumb", VTE_VERSION: "7600" }],
    [false, { CI: "true", TERM_PROGRAM: "ghostty" }],
    [true, { FORCE_HYPERLINK: "1", TMUX: "x" }],
    [true, { FORCE_HYPERLINK: "true" }],
    [false, { FORCE_HYPERLINK: "0", VTE_VERSION: "7600" }],
    [false, { FORCE_HYPERLINK: "false", VTE_VERSION: "7600" }],
    [true, { FORCE_HYPERLINK: "", VTE_VERSION: "7600" }],
  ])("shows links (%s) with %j", (shows, env) => {
    expect(showsLinks({ TERM: "xterm-256color", ...env })).toBe(shows);
  });
});

/** What is written for a line of Markdown on a terminal that shows links, without looks. */
function written(markdown: string, columns = 80): string {
  const stream = new MarkdownStream(styleFor(1), columns, { hasLinks: true, characterOf });
  const shown = stream.push(markdown) + stream.end();
  return new Neutraliser().push(shown).replaceAll(/\u001B\[\d+m/g, "");
}

function link(address: string, words: string): string {
  return `\u001B]8;;${address}\u001B\\${words}\u001B]8;;\u001B\\`;
}

describe("a link on a terminal that shows links", () => {
  it.each([
    ["words", "[the docs](https://a.b/c)", link("https://a.b/c", "the docs")],
    ["words with marks", "[the **docs**](https://a.b/c 't')", link("https://a.b/c", "the docs")],
    ["an address", "https://a.b/c.", `${link("https://a.b/c", "https://a.b/c")}.`],
    ["an address in brackets", "<me@a.org>", link("mailto:me@a.org", "me@a.org")],
    ["an address without a scheme", "www.a.org", link("http://www.a.org", "www.a.org")],
    ["its own address", "[a.org](https://a.org/)", link("https://a.org/", "a.org")],
    ["an image", "![a chart](https://a.b/c.png)", link("https://a.b/c.png", "a chart")],
    [
      "an image that leads somewhere",
      "[![a](https://i.j)](https://k.l)",
      `${link("https://k.l", "a (https://i.j)")} (https://k.l)`,
    ],
    ["other letters", "[ä](https://a.b/ü?q=日本)", link("https://a.b/%C3%BC?q=%E6%97%A5%E6%9C%AC", "ä")],
  ])("is %s", (_, markdown, shown) => {
    expect(written(markdown)).toBe(shown);
  });

  it.each([
    [
      "words that look like another address",
      "[https://bank.com](https://evil.com)",
      "https://evil.com",
      "https://bank.com (https://evil.com)",
    ],
    [
      "words that name another host",
      "[bank.com](https://evil.com)",
      "https://evil.com",
      "bank.com (https://evil.com)",
    ],
  ])("has its address behind it: %s", (_, markdown, address, read) => {
    expect(written(markdown)).toBe(link(address, read.split(" ")[0] ?? "") + read.slice(read.indexOf(" ")));
  });

  it.each([
    ["a place in a text", "[a](#b)", "a (#b)"],
    ["a file", "[a](file:///etc/passwd)", "a (file:///etc/passwd)"],
    ["a script", "[a](javascript:alert)", "a (javascript:alert)"],
    ["one that is too long", `[a](https://a.b/${"x".repeat(900)}${"é".repeat(200)})`, undefined],
    ["one with an escape", "[a](https://a.b/\u001B\\)", undefined],
    ["one with a named escape", "[a](https://a.b/&#27;&#7;x)", undefined],
  ])("is none for %s", (_, markdown, shown) => {
    const text = written(markdown);
    if (shown !== undefined) expect(text).toBe(shown);
    // Whatever else: nothing but one whole link acts.
    expect(text.replace(/\u001B\]8;;[!-~]+\u001B\\(.*)\u001B\]8;;\u001B\\/, "$1")).not.toContain("\u001B");
  });

  it("ends at the end of a row, and goes on in the next one", () => {
    expect(written("> - [some words that lead there](https://a.b)", 20)).toBe(
      `│ • ${link("https://a.b", "some words that")}\n│   ${link("https://a.b", "lead there")}`,
    );
  });

  it("takes no columns", () => {
    expect(written("| [a](https://a.b/c) | b |\n|---|---|\n| x | y |")).toBe(
      `${link("https://a.b/c", "a")}  b\n─  ─\nx  y`,
    );
  });
});

it("is made of printable ASCII, and of addresses of the web and of mail", () => {
  expect(actOwn(linkTo("HTTPS://a.b", "x") ?? "")).toBe(link("HTTPS://a.b", "x"));
  for (const address of ["", "a.b", "file:///x", "https://", "data:x", "vscode://x"])
    expect(linkTo(address, "x")).toBeUndefined();
  expect(actOwn(linkTo("https://a.b/\uD800 \u0007", "x") ?? "")).toBe(
    link("https://a.b/%EF%BF%BD%20%07", "x"),
  );
});
