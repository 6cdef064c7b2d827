import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeText, type TextSource } from "../../src/disk/decode-text.ts";
import { OpenclawError } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";

const FILE: TextSource = { label: "'notes.txt'", file: "notes.txt", code: "usage" };

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const utf16le = (text: string): Buffer => Buffer.from(text, "utf16le");
const utf16be = (text: string): Buffer => utf16le(text).swap16();
const utf32le = (text: string): Buffer =>
  Buffer.concat(
    Array.from(text, (character) => {
      const unit = Buffer.alloc(4);
      unit.writeUInt32LE(character.codePointAt(0) ?? 0);
      return unit;
    }),
  );

function refusal(bytes: Buffer, source = FILE): OpenclawError {
  try {
    decodeText(bytes, source);
  } catch (error) {
    if (error instanceof OpenclawError) return error;
    throw error;
  }
  throw new Error("It was taken for text.");
}

const GERMAN = "Größe: fünf Meter\nÜbergröße\n";
const JAPANESE = "日本語の文章です。\nとても短い。\n";

describe("a text", () => {
  it("is read whatever is in it, in UTF-8 and in UTF-16 with a mark", () => {
    const texts = fc
      .string({ unit: "grapheme" })
      .filter((text) => !text.includes("\0") && !text.startsWith("\uFEFF"));
    fc.assert(
      fc.property(texts, (text) => {
        for (const mark of ["", "\uFEFF"]) expect(decodeText(Buffer.from(mark + text), FILE)).toBe(text);
        for (const encode of [utf16le, utf16be]) expect(decodeText(encode(`\uFEFF${text}`), FILE)).toBe(text);
      }),
    );
  });

  it("is never made of other bytes: they are refused with their place", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        const isText = buffer.equals(Buffer.from(buffer.toString("utf8"))) && !buffer.includes(0);
        const isMarked = /^(fffe|feff)/.test(buffer.toString("hex"));
        if (isText || isMarked) return;
        const { details, message } = refusal(buffer);
        const offset = Number(details?.["offset"]);
        expect(message).toContain(`(byte ${offset} is 0x${buffer.toString("hex", offset, offset + 1)})`);
        // Up to there it is UTF-8.
        const before = buffer.subarray(0, offset);
        expect(Buffer.from(before.toString("utf8")).equals(before)).toBe(true);
      }),
    );
  });
});

/** What a text looks like that is not UTF-8, and what following the hint makes of it. */
const OTHERS: readonly [what: string, bytes: Buffer, looksLike: string, offset: number, text: string][] = [
  ["UTF-16LE without a mark", utf16le(GERMAN), "UTF-16LE text without a byte order mark", 1, GERMAN],
  ["UTF-16BE without a mark", utf16be(GERMAN), "UTF-16BE text without a byte order mark", 0, GERMAN],
  ["Japanese UTF-16LE without a mark", utf16le(JAPANESE), "UTF-16LE text without", 0, JAPANESE],
  ["Japanese UTF-16BE without a mark", utf16be(JAPANESE), "UTF-16BE text without", 1, JAPANESE],
  ["UTF-32 with a mark", utf32le(`\uFEFF${GERMAN}`), "UTF-32 text", 0, GERMAN],
  ["UTF-32LE without a mark", utf32le(GERMAN), "UTF-32LE text without a byte order mark", 1, GERMAN],
  ["UTF-32BE without a mark", utf32le(GERMAN).swap32(), "UTF-32BE text without a byte order mark", 0, GERMAN],
  ["Latin-1", latin1(GERMAN), "Latin-1 (ISO-8859-1) text", 2, GERMAN],
  ["Latin-1 that begins like a bitmap", latin1("BM25 für alle\n"), "Latin-1", 6, "BM25 für alle\n"],
  [
    "Windows-1252",
    Buffer.from([0x93, 0x61, 0x94, 0x20, 0x80, 0xe9]),
    "Windows-1252 text",
    0,
    "\u201Ca\u201D €é",
  ],
  ["EUC-JP", Buffer.from("c6fccbdcb8ec8fb0a10a", "hex"), "EUC-JP text", 0, "日本語丂\n"],
  [
    "broken UTF-8",
    Buffer.concat([Buffer.from("Größe für"), Buffer.from([0xff]), Buffer.from("é")]),
    "UTF-8 text with broken characters",
    12,
    "Größe füré",
  ],
  [
    "UTF-8 that is cut off",
    Buffer.from("Größe: 5 €").subarray(0, -1),
    "UTF-8 text that is cut off in its last character",
    11,
    "Größe: 5 ",
  ],
  [
    "UTF-16 with half a character",
    Buffer.concat([utf16le("\uFEFFab"), Buffer.from([0x00, 0xd8]), utf16le("cd")]),
    "UTF-16 text with broken characters",
    0,
    "abcd",
  ],
];

describe("what is no UTF-8", () => {
  it.each(OTHERS)("is recognised: %s", (_, bytes, looksLike, offset) => {
    const error = refusal(bytes);
    expect(error.code).toBe("usage");
    expect(error.message).toContain(`'notes.txt' is not UTF-8 text: it looks like ${looksLike}`);
    expect(error.details).toMatchObject({ file: "notes.txt", offset });
    expect(error.hint?.startsWith(looksLike.includes("cut off") ? "head -c 11" : "iconv")).toBe(true);
  });

  it.each(OTHERS)("becomes it by the line of the hint: %s", (_, bytes, _looks, _offset, text) => {
    const home = createHome();
    // A name that a shell would take apart.
    const file = "it's my notes.txt";
    writeFileSync(path.join(home, file), bytes);
    const { hint = "" } = refusal(bytes, { ...FILE, file });
    execFileSync("sh", ["-c", hint], { cwd: home });
    const made = readFileSync(path.join(home, "it's my notes.utf8.txt"));
    expect(decodeText(made, FILE)).toBe(text);

    // In a pipe the same conversion stands before the program.
    const piped = refusal(bytes, { ...FILE, file: undefined }).hint ?? "";
    const [, convert = ""] = /^… \| (.*) \| openclaw …$/.exec(piped) ?? [];
    expect(decodeText(execFileSync("sh", ["-c", convert], { input: bytes }), FILE)).toBe(text);
  });

  it.each<[string, Buffer, string, RegExp]>([
    ["gzip", Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), "a gzip archive", /^Give it as UTF-8 text/],
    ["a PDF", latin1("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "a PDF document", /^openclaw chat --file notes\.txt/],
    ["a PNG", latin1("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a PNG image", /^openclaw chat --file/],
    ["names between zero bytes", Buffer.from("one\0three\0five\0"), "binary data: it has zero bytes", /^tr /],
    ["bytes at random", Buffer.from("8f0103029d05e60781", "hex"), "binary data", /^Give it/],
  ])("is named: %s", (_, bytes, looksLike, hint) => {
    const error = refusal(bytes);
    expect(error.message).toContain(`looks like ${looksLike}`);
    expect(error.hint).toMatch(hint);
  });
});
