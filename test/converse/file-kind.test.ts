import { describe, expect, it } from "vitest";
import { detectKind } from "../../src/converse/file-kind.ts";

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
  );
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

  it("does not depend on where the bytes lie in their memory", () => {
    const memory = bytes("xx", "%PDF-1.7\n", "xx");
    expect(detectKind(memory.subarray(2, 11), undefined)).toMatchObject({ format: "pdf" });
    expect(detectKind(memory.subarray(0, 2), undefined)).toMatchObject({ format: "txt" });
  });
});
