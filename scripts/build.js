// Bundles src/ into dist/: few CommonJS files, loaded when a command needs them, no runtime dependencies.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import {
  compiledAhead,
  jsonAsText,
  lazyInput,
  lazyPackages,
  lazyParts,
  noOutputSchemas,
  ownSdkParts,
  placeOf,
  runtimeInMain,
  sourcesInOneFile,
  workerProgram,
} from "./build-plugins.js";
import { billOfMaterials } from "./bundled-packages.js";
import { root } from "./set-up.js";

/**
 * The bundler's options for everything that is bundled here: for Node 20.19 and newer, with what package.json says built in.
 * @param {{ version: string, bugs: { url: string } }} manifest
 * @returns {import("rolldown").InputOptions}
 */
export function nodeOptions({ version, bugs }) {
  return {
    cwd: root,
    platform: "node",
    resolve: { mainFields: ["module", "main"] },
    // Where the time of a build goes is of interest to nobody who only wants the program.
    checks: { bundlerTimings: false },
    transform: {
      target: "node20.19",
      define: { OPENCLAW_VERSION: JSON.stringify(version), OPENCLAW_BUGS_URL: JSON.stringify(bugs.url) },
    },
  };
}

/**
 * Sources that go into one file with all that they import: each file costs a start its time. Everything in a file runs when
 * it is loaded. What stands first takes what several of them import.
 */
const FILES = {
  // What every start needs, and a list that was printed before.
  main: ["src/main.ts", "src/commands/config/file.ts", "src/commands/models/list.ts"],
  config: ["src/commands/config/get.ts", "src/config/resolve.ts"],
  // What knows who signs, where, and which models there are, without asking anybody.
  setup: [
    "src/commands/chat.ts",
    "src/commands/doctor.ts",
    "src/session/session.ts",
    "src/commands/models/list-models.ts",
  ],
  // What a connection is opened with before the rest is there.
  secure: ["src/network/secure.ts", "src/network/certificates.ts"],
  // What asks AWS.
  aws: [
    "src/session/open-rest-client.ts",
    "src/session/bedrock-operations.ts",
    "src/credentials/provider.ts",
    "src/session/aws-errors.ts",
  ],
  chat: ["src/commands/chat/run-chat.ts", "src/chat/bedrock-wire.ts", "src/converse/converse-stream.ts"],
  help: ["src/command-line/help-text.ts"],
  refresh: ["src/discovery/discover.ts", "src/discovery/cache-write.ts"],
  doctor: ["src/commands/doctor/run-doctor.ts", "src/doctor/reach.ts", "src/discovery/ask-gates.ts"],
};

const groups = Object.entries(FILES).map(([name, sources], index, all) => {
  const files = new Set(sources.map((source) => path.join(root, source)));
  for (const file of files)
    if (!existsSync(file)) throw new Error(`${file} is not there to be put into a file.`);
  return {
    name,
    test: (/** @type {string} */ id) => files.has(path.normalize(id)),
    priority: all.length - index,
  };
});

/** What a stack names. */
const NAMED = { function: true, class: true };

/** The names of functions that most starts run: scripts/started-functions.js. */
const startedFunctions = path.join(root, "scripts", "started-functions.json");

/**
 * Libraries say on the console what is meant for those who build with them, past `--quiet` and whatever keeps foreign text from
 * acting on a terminal: JSON5 does of U+2028 in a text, the SDK of an endpoint that it cannot read.
 */
const SILENT = Object.fromEntries(
  ["debug", "error", "info", "log", "trace", "warn"].map((name) => [`console.${name}`, "(() => {})"]),
);

/** Folders that say nothing about what is in them. */
const UNSAID = new Set(["src", "node_modules", "dist-es", "dist-src", "dist", "submodules"]);

/**
 * The name of a file: its own in FILES, or the path of the module that it was made for.
 * @param {import("rolldown").PreRenderedChunk} chunk
 */
function nameFile({ name, facadeModuleId, moduleIds }) {
  const group = groups.find(({ test }) => moduleIds.some(test));
  const module = facadeModuleId ?? moduleIds.at(-1);
  // Only the bundler's own lines are of no module.
  if (group || module === undefined) return `${group?.name ?? name}.js`;
  const { dir, name: base } = path.posix.parse(placeOf(module));
  const folders = dir.split("/").filter((folder) => !UNSAID.has(folder));
  return `${[...folders, base].join("-").replaceAll(/[^\w-]/g, "")}.js`;
}

/**
 * Builds the program into a folder, which is replaced when the build is whole. With `isTraceable` each file has its whole
 * source map beside it and its code stays readable, so that coverage finds its way back.
 */
export async function buildProgram(folder = path.join(root, "dist"), { isTraceable = false } = {}) {
  const fresh = `${folder}-${process.pid}`;
  const old = `${fresh}-old`;
  try {
    await bundleInto(fresh, isTraceable);
    // Whoever runs the program meanwhile finds the old one or the new one, never half of one.
    if (existsSync(folder)) await rename(folder, old);
    await rename(fresh, folder);
  } finally {
    for (const name of [fresh, old]) await rm(name, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @param {boolean} isTraceable
 */
async function bundleInto(folder, isTraceable) {
  const manifest = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  await mkdir(folder, { recursive: true });
  /** @type {Set<string>} */
  const used = new Set();
  /** @param {import("rolldown").OutputChunk["modules"]} modules */
  const addUsed = (modules) => {
    for (const [file, { renderedLength }] of Object.entries(modules))
      if (renderedLength > 0) used.add(path.relative(root, file));
  };
  const { transform, ...own } = nodeOptions(manifest);
  /** @type {import("rolldown").InputOptions} */
  const options = {
    ...own,
    transform: { ...transform, define: { ...transform?.define, ...SILENT } },
    // What Node brings along has no effect by being named.
    treeshake: { moduleSideEffects: [{ external: true, sideEffects: false }] },
    // FILES puts what is loaded together into one file, whichever way it is imported.
    checks: { bundlerTimings: false, ineffectiveDynamicImport: false },
  };
  /** @type {import("rolldown").OutputOptions} */
  const format = {
    dir: folder,
    format: "cjs",
    exports: "named",
    // An import() of a part of Node goes through its loader of ES modules, which looks at everything that the part has.
    dynamicImportInCjs: false,
    entryFileNames: "[name].js",
    minify: !isTraceable && {
      compress: { keepNames: NAMED },
      mangle: { keepNames: NAMED },
      // Node reads a file that is all ASCII sooner, and keeps it in half the memory.
      codegen: { asciiOnly: true, removeWhitespace: true },
    },
    // A server that runs on while the package is replaced never gets one thing for another from a new file.
    minifyInternalExports: false,
    sourcemap: "hidden",
    sourcemapExcludeSources: !isTraceable,
    comments: false,
  };
  const startSooner = isTraceable
    ? []
    : [
        ownSdkParts(options, addUsed),
        runtimeInMain,
        compiledAhead(JSON.parse(await readFile(startedFunctions, "utf8"))),
      ];
  const { output } = await build({
    ...options,
    input: { main: path.join(root, "src", "main.ts"), ...lazyInput },
    plugins: [
      lazyParts,
      lazyPackages,
      jsonAsText,
      noOutputSchemas,
      ...startSooner,
      workerProgram(options, format, path.join(root, "src", "converse", "schema-worker.ts"), addUsed),
      sourcesInOneFile({ keepsMaps: isTraceable }),
    ],
    output: { ...format, chunkFileNames: nameFile, codeSplitting: { groups } },
  });
  for (const part of output) if (part.type === "chunk") addUsed(part.modules);
  const bill = JSON.stringify(await billOfMaterials([...used]), undefined, 1);
  await writeFile(path.join(folder, "sbom.cdx.json"), `${bill}\n`);
  await writeFile(path.join(folder, "package.json"), '{ "type": "commonjs" }\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildProgram();
