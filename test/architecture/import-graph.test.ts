import { build, type Metafile } from "esbuild";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

let inputs: Metafile["inputs"];

beforeAll(async () => {
  // Types are gone in this graph: it holds what is really loaded.
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/main.ts"],
    outdir: "unused",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    metafile: true,
    write: false,
  });
  inputs = metafile.inputs;
});

/** Everything that is loaded together with a file: what it imports statically, and what that imports. */
function loadedWith(file: string, found = new Set<string>()): Set<string> {
  for (const { path, kind } of inputs[file]?.imports ?? []) {
    if (kind !== "import-statement" || found.has(path)) continue;
    found.add(path);
    loadedWith(path, found);
  }
  return found;
}

const isAws = (name: string): boolean => /^@(aws-sdk|smithy)\//.test(name);
const isNode = (name: string): boolean => name.startsWith("node:");
const filter = (names: Iterable<string>, is: (name: string) => boolean): string[] => [...names].filter(is);

describe("the import graph", () => {
  test("starts the program with nothing but the table of commands and who reads plain calls", () => {
    const loaded = loadedWith("src/main.ts");
    expect(filter(loaded, (name) => !name.startsWith("src/") && !isNode(name))).toEqual([]);
    const rooms = /^src\/(aws|commands|config|converse|credentials|discovery|doctor|emulator|openai)\//;
    expect(filter(loaded, (name) => rooms.test(name))).toEqual([]);
  });

  test("reaches the SDK only by dynamic import from every command but the emulator", () => {
    const commands = Object.keys(inputs).filter((name) => /^src\/commands\/(?!emulator)/.test(name));
    expect(commands.length).toBeGreaterThan(10);
    const reaching = commands.map((name) => [name, filter(loadedWith(name), isAws)] as const);
    expect(reaching.filter(([, packages]) => packages.length > 0)).toEqual([]);
  });

  test.each([
    "src/completion/situation.ts",
    "src/completion/split-line.ts",
    "src/config/path.ts",
    "src/config/settings.ts",
    "src/converse/outcome.ts",
    "src/converse/request.ts",
    "src/converse/usage.ts",
    "src/credentials/order.ts",
    "src/discovery/judge-access.ts",
    "src/discovery/list.ts",
    "src/discovery/listed-id.ts",
    "src/discovery/model-facts.ts",
    "src/discovery/nearest.ts",
    "src/discovery/provider-filter.ts",
    "src/discovery/sort-models.ts",
    "src/iam/model-resources.ts",
    "src/iam/policy.ts",
  ])("keeps %s pure, with all it loads", (file) => {
    expect(inputs).toHaveProperty([file]);
    expect(filter(loadedWith(file), (name) => isAws(name) || isNode(name))).toEqual([]);
  });

  test("completes flags with nothing but the command tree", () => {
    const loaded = loadedWith("src/commands/complete.ts");
    expect(filter(loaded, (name) => !/^src\/(completion\/|errors\.ts)/.test(name))).toEqual([]);
  });

  test("lets nothing go back up", () => {
    const rising = Object.entries(inputs)
      .filter(([name]) => !/^src\/(commands\/|program|main)/.test(name))
      .flatMap(([name, { imports }]) => imports.map(({ path }) => `${name} -> ${path}`))
      .filter((arrow) => / -> src\/(commands\/|program|main)/.test(arrow));
    expect(rising).toEqual([]);
  });
});
