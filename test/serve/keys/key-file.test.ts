import { expect, it } from "vitest";
import { parseKeys, parsingKeys } from "../../../src/serve/keys/key-file.ts";

it("reads a line of a file of keys a step", () => {
  const lines = Array.from({ length: 300 }, (_, index) => `team-${index}:key-of-team-${index}-0123456789`);
  const text = `# Of 2026.\n${lines.join("\n")}\n`;
  expect(Array.from(parsingKeys(text, "keys"))).toHaveLength(302);
  const keys = parseKeys(text, "keys");
  expect(keys.map(({ name, line }) => [name, line])).toEqual(
    lines.map((_, index) => [`team-${index}`, index + 1]),
  );
});
