import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recogniseBytes } from "../../src/disk/recognise-bytes.ts";
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
    latin1("A \x93caf\xe9\x94 costs \x80 5.\n"),
    "Windows-1252 text",
    2,
    "A \u201Ccafé\u201D costs € 5.\n",
  ],
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

/** Texts as they are written, and the encodings that people have them in, by iconv's names. */
const WRITTEN: readonly [language: string, text: string, encodings: string, unnamed?: string][] = [
  [
    "German",
    "Sehr geehrte Damen und Herren, über die Größe der Räume müssen wir noch sprechen.\n",
    "ISO-8859-1 CP1252 ISO-8859-15",
    "IBM850 MACINTOSH",
  ],
  [
    "German with prices",
    "Die Übernachtung kostet 50 € für zwei Gäste, Frühstück eingeschlossen, schöne Grüße aus Köln und Düsseldorf.\n",
    "CP1252",
  ],
  [
    "French",
    "L'été dernier, nous avons mangé une crème brûlée à l'hôtel où ça coûte très cher.\n",
    "ISO-8859-1 CP1252 ISO-8859-15",
    "IBM850 MACINTOSH",
  ],
  [
    "Spanish",
    "¿Dónde está la mañana? El niño comió en el jardín después de la canción.\n",
    "ISO-8859-1 CP1252",
    "IBM850 MACINTOSH",
  ],
  ["Portuguese", "Não há razão para a ação; amanhã você será avô também.\n", "ISO-8859-1", "IBM850"],
  ["Swedish", "På lördag åker vi till Göteborg för att hälsa på mormor.\n", "ISO-8859-1"],
  ["English", "“It’s a trap,” he said – and she didn’t believe him… “Really?”\n", "CP1252", "MACINTOSH"],
  ["a table", "name;straße;ort\nMüller;Hauptstr. 5;Köln\n", "ISO-8859-1 CP1252", "IBM850"],
  ["source code", "// Zählt die Wörter\nint main() { return 0; }\n", "ISO-8859-1"],
  [
    "Japanese",
    "日本語の文章です。今日は天気がいいので、散歩に行きましょう。\n",
    "ISO-2022-JP",
    "SHIFT_JIS EUC-JP",
  ],
  ["Polish", "Zażółć gęślą jaźń. Proszę, żebyś przyszedł później, bo będę się uczył.\n", "", "CP1250"],
  ["Turkish", "Pijamalı hasta yağız şoföre çabucak güvendi.\n", "", "CP1254"],
  ["Lithuanian", "Ąžuolas augo šalia kelio, o žmonės ėjo į mišką ieškoti grybų ir uogų.\n", "", "CP1257"],
  ["Russian", "Привет, мир! Это обычный русский текст.\n", "", "CP1251 KOI8-R CP866 ISO-8859-5"],
  ["Greek", "Καλημέρα κόσμε. Αυτό είναι ένα συνηθισμένο ελληνικό κείμενο.\n", "", "CP1253 ISO-8859-7"],
  ["Chinese", "你好，世界。这是一个普通的中文文本，里面有几个句子。\n", "", "GBK"],
  ["Korean", "안녕하세요, 세계. 이것은 평범한 한국어 텍스트입니다.\n", "", "EUC-KR"],
];

const inEncoding = (text: string, encoding: string): Buffer =>
  execFileSync("sh", ["-c", `iconv -f UTF-8 -t ${encoding}`], { input: text });

describe("a text in an old encoding", () => {
  const named = WRITTEN.flatMap(([language, text, encodings]) =>
    encodings
      .split(" ")
      .flatMap((encoding) => (encoding === "" ? [] : [[language, encoding, text] as const])),
  );
  it.each(named)("is what the line of the hint makes of it: %s in %s", (_, encoding, text) => {
    const home = createHome();
    const bytes = inEncoding(text, encoding);
    writeFileSync(path.join(home, "notes.txt"), bytes);
    const { hint = "" } = refusal(bytes);
    expect(hint).toMatch(/^iconv -f \S+ -t UTF-8 notes\.txt > notes\.utf8\.txt$/);
    execFileSync("sh", ["-c", hint], { cwd: home });
    expect(readFileSync(path.join(home, "notes.utf8.txt"), "utf8")).toBe(text);
  });

  const unnamed = WRITTEN.flatMap(([language, text, , encodings]) =>
    (encodings?.split(" ") ?? []).map((encoding) => [language, encoding, text] as const),
  );
  it.each(unnamed)("is given no name where that would be a guess: %s in %s", (_, encoding, text) => {
    const home = createHome();
    const bytes = inEncoding(text, encoding);
    writeFileSync(path.join(home, "notes.txt"), bytes);
    const { message, hint = "" } = refusal(bytes);
    expect(message).toContain("looks like text in an old encoding");
    const [, line = ""] = /^If you know its encoding: (.*)$/.exec(hint) ?? [];
    execFileSync("sh", ["-c", line.replace("ENCODING", encoding)], { cwd: home });
    expect(readFileSync(path.join(home, "notes.utf8.txt"), "utf8").normalize()).toBe(text.normalize());
  });

  // Longer than what is looked at, and cut anywhere.
  const LATIN = latin1("Größe für alle\n");
  it.each<[looksLike: string, offset: number, bytes: Buffer]>([
    ["Latin-1 (ISO-8859-1) text", 2, Buffer.alloc(9_000_000, LATIN)],
    [
      "Latin-1 (ISO-8859-1) text",
      3_000_002,
      Buffer.concat([Buffer.alloc(3_000_000, "plain\n"), Buffer.alloc(900_000, LATIN)]),
    ],
    ["UTF-16LE text without a byte order mark", 1, Buffer.from("words ".repeat(200_000), "utf16le")],
    [
      "ISO-2022-JP text",
      60_000,
      Buffer.from(`${"plain\n".repeat(10_000)}${"\u001B$BF|K\\\u001B(B\n".repeat(90_000)}`),
    ],
    ["UTF-8 text that is cut off in its last character", 6_000_000, Buffer.alloc(6_000_001, "日本")],
    [
      "UTF-8 text with broken characters",
      3_000_000,
      Buffer.concat([Buffer.alloc(3_000_000, "日本"), Buffer.of(0xff), Buffer.alloc(3_000_000, "日本")]),
    ],
    [
      "binary data: it has zero bytes",
      700_000,
      Buffer.concat([Buffer.alloc(700_000, "name\n"), Buffer.of(0), Buffer.alloc(700_000, "name\n")]),
    ],
  ])("is recognised by a part of it where it is long: %s at %i", (looksLike, offset, bytes) => {
    expect(recogniseBytes(bytes)).toMatchObject({ looksLike, offset });
  });
});
