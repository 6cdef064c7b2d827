import { describe, expect, it } from "vitest";
import { PIXEL } from "../helpers/pixel.ts";
import { serve } from "../helpers/served.ts";

/** Known to the catalog to take text alone. */
const BLIND = "openai.gpt-oss-120b-1:0";

const data = Buffer.from(PIXEL).toString("base64");
const url = `data:image/png;base64,${data}`;

/** A conversation in each dialect: an image in what is asked, or in a question before. */
const DIALECTS: Readonly<Record<string, (image: "now" | "before") => [path: string, body: object]>> = {
  "chat completions": (image) => [
    "/v1/chat/completions",
    {
      model: BLIND,
      messages: around(image, { type: "image_url", image_url: { url } }, { type: "text", text: "What?" }),
    },
  ],
  responses: (image) => [
    "/v1/responses",
    {
      model: BLIND,
      input: around(image, { type: "input_image", image_url: url }, { type: "input_text", text: "What?" }),
    },
  ],
  messages: (image) => [
    "/v1/messages",
    {
      model: BLIND,
      max_tokens: 100,
      messages: around(
        image,
        { type: "image", source: { type: "base64", media_type: "image/png", data } },
        { type: "text", text: "What?" },
      ),
    },
  ],
  bedrock: (image) => [
    `/model/${encodeURIComponent(BLIND)}/converse`,
    {
      messages: around(image, { image: { format: "png", source: { bytes: data } } }, { text: "What?" }).map(
        ({ role, content }) => ({
          role,
          content: typeof content === "string" ? [{ text: content }] : content,
        }),
      ),
    },
  ],
};

function around(
  image: "now" | "before",
  file: object,
  text: object,
): { role: string; content: string | object[] }[] {
  const shown = { role: "user", content: [file, text] };
  return image === "now"
    ? [shown]
    : [shown, { role: "assistant", content: "A dot." }, { role: "user", content: "And now?" }];
}

describe.each(Object.entries(DIALECTS))(
  "files that a model is known not to take, in %s",
  (_, conversation) => {
    async function ask(image: "now" | "before") {
      const { origin, emulator } = await serve();
      const [path, body] = conversation(image);
      const response = await fetch(origin + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const calls = emulator.calls.filter(({ route }) => route === "ConverseStream");
      return { status: response.status, text: await response.text(), calls };
    }

    it("are refused before AWS is asked, where they are asked about", async () => {
      const { status, text, calls } = await ask("now");
      expect(status).toBe(400);
      expect(text).toContain(`'${BLIND}' takes no images, only text.`);
      expect(text).not.toContain("Choose");
      expect(calls).toEqual([]);
    });

    it("are left out of what was answered before", async () => {
      const { status, calls } = await ask("before");
      expect(status).toBe(200);
      expect(JSON.stringify(calls[0]?.body)).toContain("(A file stood here, which this model cannot read");
    });
  },
);
