import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it, vi } from "vitest";
import { TURN_BYTES } from "../../src/next-turn.ts";
import { withDocumentTexts } from "../../src/wires/document-texts.ts";

const document = (bytes: Uint8Array, format: "md" | "pdf" = "md"): ContentBlock & object => ({
  document: { format, name: "n", source: { bytes } },
});
const told = async (...content: ContentBlock[]): Promise<ContentBlock[] | undefined> => {
  const { messages } = await withDocumentTexts({ modelId: "m", messages: [{ role: "user", content }] });
  return messages?.[0]?.content;
};

describe("documents for servers", () => {
  it("are texts where they are text, in results of tools, too, and else as they were", async () => {
    const [text, wide] = [Buffer.from("# Hi"), Buffer.from("\uFEFF日本", "utf16le")];
    const pdf = document(Buffer.from("%PDF"), "pdf");
    const asText = (said: string): object => ({
      document: { format: "md", name: "n", source: { text: said } },
    });
    expect(await told(document(text), document(wide), pdf, { text: "sum up" })).toEqual([
      asText("# Hi"),
      asText("日本"),
      pdf,
      { text: "sum up" },
    ]);
    const result = { toolUseId: "a", content: [document(text) as { document: object }] };
    expect(await told({ toolResult: result as never })).toEqual([
      { toolResult: { toolUseId: "a", content: [asText("# Hi")] } },
    ]);
  });

  it("are refused where their bytes are none", async () => {
    await expect(told(document(Buffer.of(0xe9, 0x2c)))).rejects.toMatchObject({ code: "bad-attachment" });
  });

  it("are decoded in pieces, none of which takes long", async () => {
    const lengths: number[] = [];
    const { decode } = TextDecoder.prototype;
    const spied = vi.spyOn(TextDecoder.prototype, "decode");
    spied.mockImplementation(function (this: InstanceType<typeof TextDecoder>, bytes, more) {
      lengths.push(bytes?.byteLength ?? 0);
      return decode.call(this, bytes, more);
    });
    const long = "a日👩".repeat(TURN_BYTES / 2);
    const [block] = (await told(document(Buffer.from(long)))) ?? [];
    spied.mockRestore();
    expect(block?.document?.source?.text === long).toBe(true);
    expect(Math.max(...lengths)).toBe(TURN_BYTES);
    expect(lengths).toHaveLength(4);
  });
});
