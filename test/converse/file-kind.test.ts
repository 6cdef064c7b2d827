import { describe, expect, it } from "vitest";
import { describeKind, detectKind, kindByName } from "../../src/converse/file-kind.ts";

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
  );
const EBML = [0x1a, 0x45, 0xdf, 0xa3];
const ASF = [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11];
/** The handler of a track, up to what it says. */
const HANDLER = "hdlr\0\0\0\0\0\0\0\0";
const TRANSPORT_STREAM = Buffer.concat(Array.from({ length: 3 }, () => Buffer.alloc(188, "G\0")));
const OLE = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const utf16 = (text: string): number[] => [...Buffer.from(text, "utf16le")];

describe("a file's kind", () => {
  it.each<[string, Buffer, string | undefined, string]>([
    ["a PNG by its signature", bytes("\x89PNG\r\n\x1a\n", "…"), "a.png", "png"],
    ["a PNG that is named .jpg", bytes("\x89PNG\r\n\x1a\n", "…"), "a.jpg", "png"],
    ["a JPEG without a name", bytes([0xff, 0xd8, 0xff, 0xe0]), undefined, "jpeg"],
    ["a GIF", bytes("GIF89a…"), "a.gif", "gif"],
    ["an older GIF", bytes("GIF87a…"), undefined, "gif"],
    ["a WebP", bytes("RIFF", [1, 2, 3, 4], "WEBPVP8 "), "a", "webp"],
    ["a PDF", bytes("%PDF-1.7\n"), "a.txt", "pdf"],
    ["a PDF behind other bytes", bytes("\x01".repeat(1000), "%PDF-1.7\n"), undefined, "pdf"],
    ["a Word file", bytes("PK\x03\x04…", "[Content_Types].xml", "word/document.xml"), "a.zip", "docx"],
    ["an Excel file", bytes("PK\x03\x04…", "xl/workbook.xml"), undefined, "xlsx"],
    ["an old Word file", bytes(OLE, utf16("Root Entry"), utf16("WordDocument")), "a.bin", "doc"],
    ["an old Excel file", bytes(OLE, utf16("Workbook")), undefined, "xls"],
    ["an old Office file by its extension", bytes(OLE, "…"), "a.XLS", "xls"],
    ["Markdown by its extension", bytes("# Title"), "README.md", "md"],
    ["Markdown by its long extension", bytes("# Title"), "a.markdown", "md"],
    ["CSV by its extension", bytes("a,b\n1,2\n"), "a.CSV", "csv"],
    ["CSV in an older encoding", bytes([0xe9, 0x2c, 0x31]), "a.csv", "csv"],
    ["HTML by its extension", bytes("<p>"), "a.htm", "html"],
    ["HTML without a name", bytes("  <!DOCTYPE html><p>"), undefined, "html"],
    ["plain text", bytes("hello"), "a.txt", "txt"],
    ["source code", bytes("fn main() {}"), "main.rs", "txt"],
    ["text whose extension is a word of JavaScript", bytes("x"), "a.constructor", "txt"],
    ["UTF-8 without a name", Buffer.from("naïve 日本語"), undefined, "txt"],
    ["text that begins like a bitmap", bytes("BM25 ranks"), "a.md", "md"],
  ])("is that of %s", (_, content, name, format) => {
    expect(detectKind(content, name)).toMatchObject({ format });
  });

  it.each<[string, Buffer, string | undefined, string, string]>([
    ["an MP4", bytes([0, 0, 0, 24], "ftypisom"), "a.bin", "video", "mp4"],
    ["an MP4 that is named .mp3", bytes([0, 0, 0, 24], "ftypmp42"), "a.mp3", "video", "mp4"],
    ["Apple's MP4", bytes([0, 0, 0, 24], "ftypM4V "), "a.m4v", "video", "mp4"],
    ["QuickTime", bytes([0, 0, 0, 20], "ftypqt  "), undefined, "video", "mov"],
    ["QuickTime without a brand", bytes([0, 0, 0, 8], "wide", [0, 0, 1, 0], "mdat"), "a", "video", "mov"],
    ["3GP", bytes([0, 0, 0, 20], "ftyp3gp4"), "a.3gp", "video", "three_gp"],
    ["Matroska", bytes(EBML, "\x42\x82\x88matroska"), "a.mkv", "video", "mkv"],
    ["WebM", bytes(EBML, "\x42\x82\x84webm", "\x86\x85V_VP9", "\x86\x86A_OPUS"), "a", "video", "webm"],
    ["Flash video", bytes("FLV\x01\x05"), "a.flv", "video", "flv"],
    ["Windows Media", bytes(ASF), "a.wmv", "video", "wmv"],
    ["an MPEG programme", bytes([0, 0, 1, 0xba, 0x44]), "a.mpeg", "video", "mpeg"],
    ["an MPEG programme by its short name", bytes([0, 0, 1, 0xba, 0x44]), "a.mpg", "video", "mpg"],
    ["an MPEG stream", bytes([0, 0, 1, 0xb3, 0x14]), undefined, "video", "mpeg"],
    ["MP3 with a tag", bytes("ID3\x04\0\0\0\0\0\0"), "a.bin", "audio", "mp3"],
    ["MP3 without a tag", bytes([0xff, 0xfb, 0x90, 0x44]), undefined, "audio", "mp3"],
    ["MP3 of a low rate", bytes([0xff, 0xf3, 0x40, 0xc4]), "a.wav", "audio", "mp3"],
    ["MP2", bytes([0xff, 0xfd, 0x80, 0x04]), "a.mp2", "audio", "mpga"],
    ["AAC", bytes([0xff, 0xf1, 0x50, 0x80]), "a.aac", "audio", "aac"],
    ["AAC with a tag", bytes("ID3\x03\0\0\0\0\0\x02xx", [0xff, 0xf9, 0x50]), "a", "audio", "aac"],
    ["WAV", bytes("RIFF", [1, 2, 3, 4], "WAVEfmt "), "a.mp3", "audio", "wav"],
    ["WAV of more than 4 GB", bytes("RF64\xff\xff\xff\xffWAVEds64"), undefined, "audio", "wav"],
    ["FLAC", bytes("fLaC", [0, 0, 0, 34]), "a.flac", "audio", "flac"],
    ["FLAC with a tag", bytes("ID3\x03\0\0\0\0\0\0fLaC", [0x80]), "a.flac", "audio", "flac"],
    ["Ogg", bytes("OggS\0\x02", "\x01vorbis"), "a.ogg", "audio", "ogg"],
    ["Opus", bytes("OggS\0\x02", "OpusHead"), "a.opus", "audio", "opus"],
    ["Opus that is named .ogg", bytes("OggS\0\x02", "OpusHead"), "a.ogg", "audio", "ogg"],
    ["Apple's sound", bytes([0, 0, 0, 24], "ftypM4A "), "a.bin", "audio", "m4a"],
    ["an MP4 of sound alone", bytes([0, 0, 0, 24], "ftypisom", HANDLER, "soun"), "a.mp4", "audio", "m4a"],
    [
      "an MP4 of both",
      bytes([0, 0, 0, 24], "ftypisom", HANDLER, "soun", HANDLER, "vide"),
      "a.m4a",
      "video",
      "mp4",
    ],
    ["an MP4 whose name says sound", bytes([0, 0, 0, 24], "ftypmp42"), "a.m4a", "audio", "m4a"],
    [
      "an MP4 whose tracks are told at its end",
      bytes([0, 0, 0, 24], "ftypisom", "\0".repeat(3_000_000), HANDLER, "soun"),
      "a.mp4",
      "audio",
      "m4a",
    ],
    ["Matroska of sound", bytes(EBML, "matroska", "\x86\x86A_FLAC"), "a.mkv", "audio", "mka"],
    ["WebM whose name says sound", bytes(EBML, "\x42\x82\x84webm"), "a.weba", "audio", "webm"],
    ["samples, by their name", bytes([0, 1, 0, 2]), "a.pcm", "audio", "pcm"],
  ])("is that of %s", (_, content, name, kind, format) => {
    expect(detectKind(content, name)).toEqual({ kind, format });
  });

  it.each<[string, Buffer, string | undefined, string]>([
    ["an AVI", bytes("RIFF", [1, 2, 3, 4], "AVI LIST"), "a.avi", "AVI video"],
    ["a WMA", bytes(ASF, "\x40\x9e\x69\xf8\x4d\x5b\xcf\x11"), "a.wma", "WMA recording"],
    ["Ogg with pictures", bytes("OggS\0\x02", "\x80theora"), "a.ogv", "Ogg video"],
    ["an MPEG transport stream", TRANSPORT_STREAM, "a.ts", "MPEG transport stream"],
    ["AIFF", bytes("FORM", [0, 0, 1, 0], "AIFFCOMM"), "a.aiff", "AIFF recording"],
    ["an AVIF image", bytes([0, 0, 0, 24], "ftypavif"), "a.avif", "AVIF image"],
    ["text that is named .mp4", bytes("version https://git-lfs"), "a.mp4", "named .mp4"],
    ["zeros that are named .mp3", Buffer.alloc(5000), "a.mp3", "named .mp3"],
    ["a JPEG cut off in its signature", bytes([0xff, 0xd8]), "a.jpg", "named .jpg"],
    ["an MP4 cut off in its signature", bytes([0, 0, 0, 24], "fty"), "a.mp4", "named .mp4"],
    ["a WAV cut off in its signature", bytes("RIFF", [1, 0]), "a.wav", "RIFF"],
    ["a FLAC of a text", bytes("fLaC is a format"), "a.flac", "named .flac"],
  ])("is none for %s, and says why", (_, content, name, reason) => {
    expect(detectKind(content, name)).toMatchObject({
      kind: "unsupported",
      reason: expect.stringContaining(reason),
    });
  });

  it.each([
    "ID3 tags are at the beginning",
    "fLaC? No.",
    "RIFFs of a guitar",
    "OggS is a pattern",
    "GGG",
    "ID3",
  ])("is text for %j, which only begins like a recording", (words) => {
    expect(detectKind(bytes(words), "a.txt")).toEqual({ kind: "document", format: "txt" });
  });

  it("is found by its name where nobody can look into the file", () => {
    const names = [
      "a.JPG",
      "a.pdf",
      "a.md",
      "b.c.mp4",
      "a.3gp",
      "a.mpg",
      "a.mp3",
      "a.oga",
      "a",
      "a.py",
      "a.constructor",
    ];
    expect(names.map((name) => kindByName(name)?.format)).toEqual([
      "jpeg",
      "pdf",
      "md",
      "mp4",
      "three_gp",
      "mpg",
      "mp3",
      "ogg",
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("is said as a person would say it", () => {
    const said = ["a.png", "a.pdf", "a.html", "a.mp4", "a.mov", "a.3gp", "a.flv", "a.mp3", "a.wav", "a.ogg"];
    expect(said.map((name) => describeKind(kindByName(name) ?? { kind: "image", format: "png" }))).toEqual([
      "an image",
      "a pdf document",
      "an html document",
      "an mp4 video",
      "a mov video",
      "a 3gp video",
      "an flv video",
      "an mp3 recording",
      "a wav recording",
      "an ogg recording",
    ]);
  });

  it.each<[string, Buffer, string | undefined, string]>([
    ["an empty file", bytes(), "a.txt", "empty"],
    ["a TIFF", bytes("II*\0…"), "a.tiff", "TIFF"],
    ["a HEIC", bytes([0, 0, 0, 24], "ftypheic"), "a.heic", "HEIC"],
    ["rich text", bytes("{\\rtf1\\ansi hello}"), "a.rtf", "RTF"],
    ["slides", bytes("PK\x03\x04", "ppt/presentation.xml"), "a.pptx", "PowerPoint"],
    ["another archive", bytes("PK\x03\x04", "a.txt"), "a.zip", "ZIP"],
    ["an Office file of another program", bytes(OLE, "…"), "a.msg", "another program"],
    ["text that is named .png, such as a Git LFS pointer", bytes("version https://git-lfs"), "a.png", ".png"],
    ["bytes of no known kind", bytes([0, 1, 2, 3]), "a.bin", "not of a known kind"],
    ["bytes with a text extension", bytes([0x61, 0, 0x62]), "a.txt", "not of a known kind"],
  ])("is none for %s, and says why", (_, content, name, reason) => {
    expect(detectKind(content, name)).toMatchObject({
      kind: "unsupported",
      reason: expect.stringContaining(reason),
    });
  });

  it("is looked for where files have what names them, and not in all that they hold", () => {
    const MB = 1024 * 1024;
    const holding = (start: Buffer, name: Buffer, at: number): Buffer => {
      const file = Buffer.alloc(6 * MB, "a");
      file.set(start);
      file.set(name, at);
      return file;
    };
    const formatOf = (file: Buffer): string | undefined => {
      const kind = detectKind(file, undefined);
      return kind.kind === "unsupported" ? undefined : kind.format;
    };
    const zip = bytes("PK\x03\x04");
    expect(formatOf(holding(zip, bytes("xl/workbook"), 6 * MB - 100))).toBe("xlsx");
    expect(formatOf(holding(zip, bytes("xl/workbook"), 3 * MB))).toBeUndefined();
    // The header of a compound file says how long sectors are, and in which the directory begins.
    for (const [shift, sector] of [
      [9, 512],
      [12, 4096],
    ] as const) {
      const header = Buffer.alloc(512);
      header.set(OLE);
      header.writeUInt16LE(shift, 30);
      header.writeUInt32LE((3 * MB) / sector - 1, 48);
      expect(formatOf(holding(header, Buffer.from(utf16("Workbook")), 3 * MB + 256))).toBe("xls");
      expect(formatOf(holding(header, Buffer.from(utf16("Workbook")), 4 * MB))).toBeUndefined();
    }
  });

  it("does not depend on where the bytes lie in their memory", () => {
    const memory = bytes("xx", "%PDF-1.7\n", "xx");
    expect(detectKind(memory.subarray(2, 11), undefined)).toMatchObject({ format: "pdf" });
    expect(detectKind(memory.subarray(0, 2), undefined)).toMatchObject({ format: "txt" });
  });
});
