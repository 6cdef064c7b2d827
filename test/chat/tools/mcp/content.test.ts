import { describe, expect, test } from "vitest";
import { resourceBlocks, toBlocks, toToolResult } from "../../../../src/chat/tools/mcp/content.ts";
import { PIXEL } from "../../../helpers/pixel.ts";

const PDF = Buffer.from("%PDF-1.7\n");
const deep = JSON.parse("[".repeat(200) + "]".repeat(200)) as unknown[];

describe("a piece of a server's content", () => {
  test.each<[string, object, object[]]>([
    ["a text", { type: "text", text: "hi" }, [{ text: "hi" }]],
    ["an empty text", { type: "text", text: "" }, []],
    ["a text without one", { type: "text" }, []],
    [
      "an image, whatever it is called",
      { type: "image", data: PIXEL.toString("base64"), mimeType: "image/jpeg" },
      [{ image: { format: "png", source: { bytes: PIXEL } } }],
    ],
    [
      "an image that no model takes",
      { type: "image", data: Buffer.from("<svg>\0").toString("base64"), mimeType: "image/svg+xml" },
      [{ text: "[image/svg+xml of 6 bytes, which cannot be shown to the model]" }],
    ],
    [
      "an image that is too large",
      {
        type: "image",
        data: Buffer.concat([PIXEL, Buffer.alloc(4_000_000)]).toString("base64"),
        mimeType: "image/png",
      },
      [{ text: "[image/png of 4.0 MB, which cannot be shown to the model]" }],
    ],
    [
      "an image without data",
      { type: "image", mimeType: "image/png" },
      [{ text: "[image/png of nothing, which cannot be shown to the model]" }],
    ],
    [
      "a sound",
      { type: "audio", data: Buffer.from("RIFF\0\0\0\0WAVEfmt ").toString("base64"), mimeType: "audio/wav" },
      [{ text: "[audio/wav of 16 bytes, which cannot be shown to the model]" }],
    ],
    [
      "a link",
      {
        type: "resource_link",
        uri: "file:///a.txt",
        name: "a",
        title: "A",
        description: "The first.",
        mimeType: "text/plain",
      },
      [{ text: "a: file:///a.txt (A; The first.; text/plain)" }],
    ],
    [
      "a bare link",
      { type: "resource_link", uri: "file:///a.txt", name: "a" },
      [{ text: "a: file:///a.txt" }],
    ],
    [
      "a resource of text",
      { type: "resource", resource: { uri: "file:///a.txt", text: "hi" } },
      [{ text: '<document name="file:///a.txt">\nhi\n</document>' }],
    ],
    [
      "a resource of bytes that are text",
      {
        type: "resource",
        resource: { uri: "file:///a.txt?x=1", blob: Buffer.from("Grüße").toString("base64") },
      },
      [{ text: '<document name="file:///a.txt?x=1">\nGrüße\n</document>' }],
    ],
    [
      "a document",
      {
        type: "resource",
        resource: { uri: "file:///b/a.pdf#1", blob: PDF.toString("base64"), mimeType: "application/pdf" },
      },
      [{ document: { format: "pdf", name: "a.pdf", source: { bytes: PDF } } }],
    ],
    [
      "an archive",
      {
        type: "resource",
        resource: { uri: "file:///a.gz", blob: "H4sIAAAAAAAAAw==", mimeType: "application/gzip" },
      },
      [{ text: "[file:///a.gz, application/gzip of 10 bytes, which cannot be shown to the model]" }],
    ],
    [
      "something new",
      { type: "hologram" },
      [{ text: '[content of the type "hologram", which is not known here]' }],
    ],
    ["nothing at all", {}, [{ text: "[content of the type undefined, which is not known here]" }]],
  ])("%s", (_, item, blocks) => {
    expect(toBlocks(item as Record<string, unknown>)).toEqual(blocks);
  });

  test("a resource without an address has the one it was asked by", () => {
    expect(resourceBlocks({ text: "hi" }, "a://b")).toEqual([
      { text: '<document name="a://b">\nhi\n</document>' },
    ]);
  });
});

describe("what came of a call", () => {
  test.each([
    ["one long text", [{ type: "text", text: "x".repeat(1e6) }]],
    ["very many texts", Array.from({ length: 5000 }, () => ({ type: "text", text: "x".repeat(100) }))],
  ])("%s is bounded", (_, texts) => {
    const image = { type: "image", data: PIXEL.toString("base64"), mimeType: "image/png" };
    const { content } = toToolResult({ content: [...texts, image] });
    expect(content).toHaveLength(2);
    expect(content[0]!.text!.length).toBeLessThan(100_100);
    expect(content[0]!.text).toMatch(/^x+.*\[… .* bytes are left out here …\].*x+$/s);
    expect(content[1]).toMatchObject({ image: { format: "png" } });
  });

  test.each<[string, object, object]>([
    ["nothing", {}, { content: [{ text: "(nothing)" }], isError: false }],
    [
      "an error without words",
      { content: [], isError: true },
      { content: [{ text: "(nothing)" }], isError: true },
    ],
    ["content that is no list", { content: "hi" }, { content: [{ text: "(nothing)" }], isError: false }],
    [
      "structured content alone",
      { structuredContent: { a: 1 } },
      { content: [{ json: { a: 1 } }], isError: false },
    ],
    [
      "structured content that a text says, too",
      { content: [{ type: "text", text: '{ "a": 1 }' }], structuredContent: { a: 1 } },
      { content: [{ text: '{ "a": 1 }' }], isError: false },
    ],
    [
      "structured content in a text of several lines",
      {
        content: [{ type: "text", text: '{"b":"x\\ny","c":[true,null]}' }],
        structuredContent: { b: "x\ny", c: [true, null] },
      },
      { content: [{ text: '{"b":"x\\ny","c":[true,null]}' }], isError: false },
    ],
    [
      "structured content that is the text",
      { content: [{ type: "text", text: "a\nb" }], structuredContent: { content: "a\nb" } },
      { content: [{ text: "a\nb" }], isError: false },
    ],
    [
      "structured content of many values",
      {
        content: [{ type: "text", text: "A table." }],
        structuredContent: { rows: Array.from({ length: 2000 }, (_, n) => n) },
      },
      { content: [{ text: "A table." }], isError: false },
    ],
    [
      "structured content beside a text",
      { content: [{ type: "text", text: "Found it." }], structuredContent: { a: 1 } },
      { content: [{ text: "Found it." }, { json: { a: 1 } }], isError: false },
    ],
    [
      "structured content without end",
      { structuredContent: { deep } },
      { content: [{ text: "[structured content that is nested more than 64 levels deep]" }], isError: false },
    ],
    [
      "what the older protocol has",
      { toolResult: "hi" },
      { content: [{ text: "(nothing)" }], isError: false },
    ],
  ])("%s", (_, result, expected) => {
    expect(toToolResult(result as Record<string, unknown>)).toEqual(expected);
  });
});
