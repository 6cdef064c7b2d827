import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { root } from "../helpers/documents.ts";

// npm leaves it out of packages for other platforms when it adds to a lock what is installed already. To mend it: take these
// entries out, and `npm install --package-lock-only` in a folder without node_modules.
it.each([".", "test/real-servers"])("the lock of %s has a checksum of every package", (folder) => {
  const { packages } = JSON.parse(readFileSync(path.join(root, folder, "package-lock.json"), "utf8")) as {
    packages: Record<string, { integrity?: string }>;
  };
  const without = Object.entries(packages).filter(
    ([name, { integrity }]) => name !== "" && integrity === undefined,
  );
  expect(without.map(([name]) => name)).toEqual([]);
});
