import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { builtInTool } from "../../../../src/chat/tools/built-in/built-in-tools.ts";
import { swapFolders } from "../../../helpers/swap-folders.ts";
import { testRuntime } from "../../../helpers/test-runtime.ts";

// A system that does not say what a descriptor leads to, as macOS.
vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  const readlink = (link: string): Promise<string> =>
    original.readlink(link.replace("/proc/self/fd/", "/nothing/"));
  return { ...original, default: { ...original, readlink }, readlink };
});

test("a folder is not left where the system does not say what was opened", async () => {
  const home = await fs.realpath(await fs.mkdtemp(path.join(tmpdir(), "elsewhere-")));
  onTestFinished(() => fs.rm(home, { recursive: true, maxRetries: 5 }));
  const folder = path.join(home, "work");
  for (const [name, content] of [
    ["work/moving/file.txt", "inside"],
    ["beside/file.txt", "beyond"],
    ["beside/beyond.txt", ""],
  ] as const) {
    await fs.mkdir(path.dirname(path.join(home, name)), { recursive: true });
    await fs.writeFile(path.join(home, name), content);
  }
  swapFolders(folder, "moving", "../beside");
  const signal = new AbortController().signal;
  const said = new Set<string>();
  const until = performance.now() + 3000;
  while (performance.now() < until || said.size < 2) {
    for (const [name, input] of [
      ["read-file", { path: "moving/file.txt" }],
      ["list-files", { path: "moving" }],
    ] as const) {
      const tool = await builtInTool(name, folder, testRuntime({ home }));
      const { content } = await tool.run(input, signal);
      said.add(content[0]?.text ?? "");
    }
  }
  expect(said).toContain("1\tinside");
  expect([...said].filter((text) => text.includes("beyond"))).toEqual([]);
});
