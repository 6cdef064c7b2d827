import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

type Graph = ReadonlyMap<string, { imported: string[]; later: string[] }>;

/** What each file of src/ imports, and what it loads later by `import()`. Packages and parts of Node go by their names. */
const inputs = new Map<string, { imported: string[]; later: string[] }>();

/** A graph in which a command loads a chain of files. */
const CHAIN: Graph = new Map([
  ["src/commands/a.ts", { imported: ["src/chat/b.ts"], later: ["src/session/late.ts"] }],
  ["src/chat/b.ts", { imported: ["src/models/c.ts"], later: [] }],
  ["src/models/c.ts", { imported: ["node:fs", "@smithy/core", "src/commands/a.ts"], later: ["src/main.ts"] }],
]);

beforeAll(async () => {
  const nameOf = (id: string): string => (path.isAbsolute(id) ? path.relative(root, id) : id);
  // Types are gone in this graph: it holds what is really loaded.
  await build({
    cwd: root,
    input: "src/main.ts",
    platform: "node",
    external: /^[^./]/,
    write: false,
    plugins: [
      {
        name: "import-graph",
        buildEnd() {
          for (const id of this.getModuleIds()) {
            const info = this.getModuleInfo(id);
            if (!info || !path.isAbsolute(id)) continue;
            inputs.set(nameOf(id), {
              imported: info.importedIds.map(nameOf),
              later: info.dynamicallyImportedIds.map(nameOf),
            });
          }
        },
      },
    ],
  });
});

/** Everything that is loaded together with a file: what it imports statically, and what that imports. */
function loadedWith(file: string, graph: Graph = inputs, found = new Set<string>()): Set<string> {
  for (const name of graph.get(file)?.imported ?? []) {
    if (found.has(name)) continue;
    found.add(name);
    loadedWith(name, graph, found);
  }
  return found;
}

/** What a file loads of rooms that no start needs. */
function roomsLoadedWith(file: string, graph: Graph = inputs): string[] {
  const rooms = /^src\/(?!command-line\/|terminal\/)[\w-]+\//;
  return filter(loadedWith(file, graph), (name) => rooms.test(name)).toSorted();
}

/** The arrows from rooms to what stands above all of them. */
function rising(graph: Graph): string[] {
  return [...graph]
    .filter(([name]) => !/^src\/(commands\/|program|main)/.test(name))
    .flatMap(([name, { imported, later }]) => [...imported, ...later].map((other) => `${name} -> ${other}`))
    .filter((arrow) => / -> src\/(commands\/|program|main)/.test(arrow));
}

const isAws = (name: string): boolean => /^@(aws-sdk|smithy)\//.test(name);
const isNode = (name: string): boolean => name.startsWith("node:");
const filter = (names: Iterable<string>, is: (name: string) => boolean): string[] => [...names].filter(is);

describe("the import graph", () => {
  test("starts the program with nothing but the tables of commands and parameters, and who reads plain calls", () => {
    const loaded = loadedWith("src/main.ts");
    // The bundle has four lines in its place, which load it for the first text that is not plain.
    expect(filter(loaded, (name) => !name.startsWith("src/") && !isNode(name))).toEqual(["string-width"]);
    expect(roomsLoadedWith("src/main.ts")).toEqual([
      "src/config/parameters.ts",
      "src/config/setting-kinds.ts",
      "src/network/user-info.ts",
    ]);
  });

  test("reaches the SDK only by dynamic import from every command but the emulator", () => {
    const commands = [...inputs.keys()].filter((name) => /^src\/commands\/(?!emulator)/.test(name));
    expect(commands.length).toBeGreaterThan(10);
    const reaching = commands.map((name) => [name, filter(loadedWith(name), isAws)] as const);
    expect(reaching.filter(([, packages]) => packages.length > 0)).toEqual([]);
  });

  test("has nothing of the SDK's Bedrock clients but their version: one client makes every call", () => {
    const imports = [...inputs.values()].flatMap(({ imported, later }) => imported.concat(later));
    expect(new Set(filter(imports, (name) => name.startsWith("@aws-sdk/client-bedrock")))).toEqual(
      new Set(["@aws-sdk/client-bedrock-runtime/package.json"]),
    );
  });

  test.each([
    "src/completion/situation.ts",
    "src/completion/split-line.ts",
    "src/config/parameters.ts",
    "src/config/path.ts",
    "src/config/settings.ts",
    "src/converse/outcome.ts",
    "src/converse/request.ts",
    "src/models/usage.ts",
    "src/credentials/order.ts",
    "src/discovery/judge-access.ts",
    "src/models/families.ts",
    "src/models/list.ts",
    "src/models/listed-id.ts",
    "src/models/model-facts.ts",
    "src/models/nearest.ts",
    "src/models/provider-filter.ts",
    "src/models/sort-models.ts",
    "src/iam/model-resources.ts",
    "src/iam/policy.ts",
  ])("keeps %s pure, with all it loads", (file) => {
    expect([...inputs.keys()]).toContain(file);
    expect(filter(loadedWith(file), (name) => isAws(name) || isNode(name))).toEqual([]);
  });

  test("completes flags with nothing but the command tree", () => {
    const loaded = loadedWith("src/commands/complete.ts");
    expect(
      filter(
        loaded,
        (name) =>
          !/^src\/(completion\/|terminal\/neutralise|command-line\/declaration\.ts|errors\.ts|once\.ts)/.test(
            name,
          ),
      ),
    ).toEqual([]);
  });

  test("lets nothing go back up", () => {
    expect(rising(inputs)).toEqual([]);
  });

  test("is followed through every file, and not into what is loaded later", () => {
    const loaded = loadedWith("src/commands/a.ts", CHAIN);
    expect(filter(loaded, (name) => isAws(name) || isNode(name))).toEqual(["node:fs", "@smithy/core"]);
    expect(roomsLoadedWith("src/chat/b.ts", CHAIN)).toEqual(
      ["src/commands/a.ts", "src/chat/b.ts", "src/models/c.ts"].toSorted(),
    );
    expect(rising(CHAIN)).toEqual(["src/models/c.ts -> src/commands/a.ts", "src/models/c.ts -> src/main.ts"]);
  });
});
