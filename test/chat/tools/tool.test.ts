import { expect, test } from "vitest";
import { contentAsJson } from "../../../src/chat/tools/tool.ts";

test("content stands in JSON with its bytes in base64", () => {
  const bytes = new Uint8Array([1, 2, 255]);
  const content = [
    { text: "a" },
    { json: { list: [1, null] } },
    { image: { format: "png", source: { bytes } } },
  ];
  expect(JSON.stringify(contentAsJson(content as never))).toBe(
    '[{"text":"a"},{"json":{"list":[1,null]}},{"image":{"format":"png","source":{"bytes":"AQL/"}}}]',
  );
});
