import { expect, it } from "vitest";
import { firstCodeBlock } from "../../src/chat/first-code-block.ts";

it.each([
  ["```\na\n```", "a"],
  ["Here:\n\n```python\nprint(1)\n\nprint(2)\n```\n\nAnd:\n```\nb\n```", "print(1)\n\nprint(2)"],
  ["~~~sh\nls\n~~~", "ls"],
  ["````md\n```js\nx\n```\n````", "```js\nx\n```"],
  ["```\na\n~~~\nb\n```", "a\n~~~\nb"],
  ["```\na\n`````\nb", "a"],
  ["1. Do:\n   ```sh\n   if true; then\n     ls\n   fi\n   ```", "if true; then\n  ls\nfi"],
  ["- ```sh\n  ls\n  ```", "ls"],
  ["```js\r\na\r\nb\r\n```\r\n", "a\nb"],
  ["```\nnever closed\n", "never closed"],
  ["``` not ` a fence\n```\na\n```", "a"],
  ["```\n```", ""],
  ["no code, only `this`", undefined],
  ["", undefined],
])("finds in %j the block %j", (text, code) => {
  expect(firstCodeBlock(text)).toBe(code);
});

it("takes no longer for a text that is made to be slow", () => {
  const begun = performance.now();
  for (const text of [
    " ".repeat(200_000),
    `${"- ".repeat(100_000)}`,
    "`".repeat(200_000),
    "1".repeat(200_000),
  ])
    firstCodeBlock(text);
  expect(performance.now() - begun).toBeLessThan(500);
});
