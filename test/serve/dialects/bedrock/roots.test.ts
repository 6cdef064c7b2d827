import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { ROOTS } from "../../../../src/serve/dialects/bedrock/roots.ts";

it("are those of every operation that the SDK's clients know", () => {
  const { resolve } = createRequire(import.meta.url);
  const sources = ["@aws-sdk/client-bedrock", "@aws-sdk/client-bedrock-runtime"].map((name) =>
    readFileSync(resolve(name), "utf8"),
  );
  const roots = sources.flatMap((source) =>
    [...source.matchAll(/\["(?:GET|POST|PUT|DELETE|PATCH)", "(\/[^"/?]+)/g)].map(([, root = ""]) => root),
  );
  expect(ROOTS).toEqual([...new Set(roots)].sort((one, other) => (one < other ? -1 : 1)));
});
