// What the bundler does beyond bundling: for a shorter start, and for a bug's stack that names the sources.
import * as childProcess from "node:child_process";
import * as files from "node:fs/promises";
import path from "node:path";
import * as readline from "node:readline";
import * as zlib from "node:zlib";
import { decode, encode } from "@jridgewell/sourcemap-codec";
import { build, RolldownMagicString } from "rolldown";
import { parseSync, Visitor } from "rolldown/utils";
import { root } from "./set-up.js";

const SOURCES = /^(?!.*[\\/]node_modules[\\/]).*[\\/]src[\\/]/;
const COMMANDER = /[\\/]node_modules[\\/]commander[\\/]/;

/**
 * Parts of Node that many files import and most starts never use, as modules of functions that load them when one is
 * called: node:fs/promises takes 4 ms on Node 24, node:zlib 5, node:child_process 5, which commander loads for subcommands
 * that are programs of their own.
 * @type {Readonly<Record<string, { part: object, users: RegExp }>>}
 */
const LAZY_PARTS = {
  "node:child_process": { part: childProcess, users: COMMANDER },
  "node:fs/promises": { part: files, users: SOURCES },
  "node:readline": { part: readline, users: SOURCES },
  "node:zlib": { part: zlib, users: SOURCES },
};

const PART = "\0part:";

/** @type {import("rolldown").Plugin} */
export const lazyParts = {
  name: "lazy-parts",
  resolveId: (id, importer = "") => {
    const name = id.startsWith("node:") ? id : `node:${id}`;
    return LAZY_PARTS[name]?.users.test(importer) ? PART + name : undefined;
  },
  load: (id) => {
    if (!id.startsWith(PART)) return undefined;
    const name = id.slice(PART.length);
    const functions = Object.entries(LAZY_PARTS[name]?.part ?? {}).filter(
      ([key, value]) => typeof value === "function" && /^[a-z]/.test(key),
    );
    return [
      `let whole;`,
      // Kept here: to be asked for it again costs Node 20 µs.
      `const load = () => (whole ??= require(${JSON.stringify(name)}));`,
      ...functions.map(([key]) => `export const ${key} = (...args) => load().${key}(...args);`),
    ].join("\n");
  },
};

/**
 * Packages of which most starts need nothing: string-width's segmenter and sets of emoji (18 ms) are for text beyond ASCII
 * and the few marks that this program itself prints, all one column wide,
 * JSON5's tables of letters for a configuration that is not plain JSON. Each is a file of its own, behind a small module
 * that loads it when it is called.
 * @type {Readonly<Record<string, string>>}
 */
const LAZY_PACKAGES = {
  "string-width": `let whole;
export default function stringWidth(text, options) {
  if (/^[\\x20-\\x7E·–—‘’“”•…→─│⠀-⣿]*$/.test(text)) return text.length;
  whole ??= require("./string-width.js").default;
  return whole(text, options);
}`,
  json5: `let whole;
const load = () => (whole ??= require("./json5.js").default);
export default { parse: (...args) => load().parse(...args), stringify: (...args) => load().stringify(...args) };`,
};

const WHOLE = "?whole";
const STUB = "\0lazy:";

/** The packages that are files of their own, as the bundler's input. */
export const lazyInput = Object.fromEntries(Object.keys(LAZY_PACKAGES).map((name) => [name, name + WHOLE]));

/** @type {import("rolldown").Plugin} */
export const lazyPackages = {
  name: "lazy-packages",
  async resolveId(id, importer) {
    if (Object.hasOwn(LAZY_PACKAGES, id)) return STUB + id;
    if (id.endsWith(WHOLE)) return this.resolve(id.slice(0, -WHOLE.length), importer, { skipSelf: true });
    // A stub finds the file of its package beside its own.
    return importer?.startsWith(STUB) ? { id, external: true } : undefined;
  },
  load: (id) => (id.startsWith(STUB) ? LAZY_PACKAGES[id.slice(STUB.length)] : undefined),
};

/**
 * The SDK of MCP brings ajv along to judge results by the schemas that servers give for them: 130 kB and 15 ms, for what
 * is never asked for (src/chat/tools/mcp/open-server.ts), since a schema of a stranger could keep the program busy.
 * @type {import("rolldown").Plugin}
 */
export const noOutputSchemas = {
  name: "no-output-schemas",
  load: {
    filter: { id: /[\\/]@modelcontextprotocol[\\/]sdk[\\/].*[\\/]ajv-provider\.js$/ },
    handler: () =>
      'export class AjvJsonSchemaValidator { getValidator() { throw new Error("No schema is judged here."); } }',
  },
};

/**
 * V8 reads JSON four times as fast as the same in JavaScript.
 * @type {import("rolldown").Plugin}
 */
export const jsonAsText = {
  name: "json-as-text",
  load: {
    filter: { id: /[\\/]src[\\/].*\.json$/ },
    handler: async (file) => {
      const text = JSON.stringify(JSON.parse(await files.readFile(file, "utf8")));
      return { code: `export default JSON.parse(${JSON.stringify(text)});`, moduleType: "js" };
    },
  },
};

/**
 * What is imported dynamically would be taken into a bundle of one file, and all that it imports would be wrapped for it.
 * @type {import("rolldown").Plugin}
 */
const dynamicImportsOutside = {
  name: "dynamic-imports-outside",
  async resolveId(id, importer, { kind }) {
    if (kind !== "dynamic-import") return undefined;
    const resolved = await this.resolve(id, importer, { kind, skipSelf: true });
    return resolved && { ...resolved, external: resolved.external || "absolute" };
  },
};

/**
 * The bundler puts what two parts of the program use of a package into one file, and the SDK's packages are reached through
 * files that name everything in them. So the parts for the calls that people wait for are bundled by themselves first:
 * half the code, and no node:http2, at the price of standing in the program twice. Tells `onModules` what is in them.
 * @param {import("rolldown").InputOptions} options
 * @param {(modules: import("rolldown").OutputChunk["modules"]) => void} onModules
 * @returns {import("rolldown").Plugin}
 */
export function ownSdkParts(options, onModules) {
  let isFound = false;
  return {
    name: "own-sdk-parts",
    load: {
      filter: { id: /[\\/]network[\\/]sdk-parts\.ts$/ },
      handler: async (file) => {
        isFound = true;
        const { output } = await build({
          ...options,
          input: file,
          write: false,
          plugins: [dynamicImportsOutside],
          output: {
            format: "esm",
            comments: false,
            codeSplitting: false,
            sourcemap: "hidden",
            // The map of the whole is put together from here on by file names alone.
            sourcemapPathTransform: (source, map) => path.resolve(path.dirname(map), source),
          },
        });
        onModules(output[0].modules);
        return { code: output[0].code, map: output[0].map, moduleType: "js" };
      },
    },
    buildEnd(error) {
      if (!error && !isFound) throw new Error("sdk-parts.ts is not where it was.");
    },
  };
}

/**
 * A worker's program is one file that needs no other: `main.js`, in which the parts of the program look for what they
 * share, would run all of it again. Tells `onModules` what is in it.
 * @param {import("rolldown").InputOptions} options
 * @param {import("rolldown").OutputOptions} output
 * @param {string} input
 * @param {(modules: import("rolldown").OutputChunk["modules"]) => void} onModules
 * @returns {import("rolldown").Plugin}
 */
export function workerProgram(options, output, input, onModules) {
  return {
    name: "worker-program",
    async generateBundle() {
      const { output: files } = await build({ ...options, input, write: false, output });
      for (const file of files) {
        if (file.type === "chunk") onModules(file.modules);
        const source = file.type === "chunk" ? file.code : file.source;
        this.emitFile({ type: "asset", fileName: file.fileName, source });
      }
    },
  };
}

/**
 * The bundler's own few lines would be a file that every start loads: they go into `main.js`, on a line of their own, and
 * others find them there. Nothing else moves on its line, so that the maps stay right.
 * @type {import("rolldown").Plugin}
 */
export const runtimeInMain = {
  name: "runtime-in-main",
  generateBundle(_, bundle) {
    const name = "rolldown-runtime.js";
    const { [name]: runtime, "main.js": main, "main.js.map": map } = bundle;
    const call = `require("./${name}")`;
    if (runtime?.type !== "chunk")
      throw new Error("The bundler has no runtime any more: take this plugin away.");
    if (main?.type !== "chunk" || map?.type !== "asset") throw new Error("main.js or its map is not there.");
    if (!main.code.includes(call)) throw new Error("main.js does not load the bundler's runtime.");
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      const found = chunk === main ? "exports.runtime" : 'require("./main.js").runtime';
      chunk.code = chunk.code.replace(call, found.padEnd(call.length));
    }
    const line = `exports.runtime=(exports=>{${runtime.code.trim()};return exports})({});`;
    if (line.includes("\n")) throw new Error("The bundler's runtime is not one line.");
    main.code = `${line}\n${main.code}`;
    const { mappings, ...rest } = JSON.parse(String(map.source));
    map.source = JSON.stringify({ ...rest, mappings: `;${mappings}` });
    delete bundle[name];
    delete bundle[`${name}.map`];
  },
};

/**
 * Has functions compiled when their file is loaded instead of when they are first called. Node's compile cache keeps only
 * what was compiled until then, and V8 compiles ahead what stands in parentheses: a start then reads those functions where
 * it would compile them. Methods cannot stand in parentheses. `names` are those of started-functions.json; a function
 * without a name goes by the one that it stands in.
 * @param {readonly string[]} names
 * @returns {import("rolldown").Plugin}
 */
export function compiledAhead(names) {
  const known = new Set(names);
  // The bundler numbers those of the same name.
  const isKnown = (/** @type {string} */ name) => known.has(name.replace(/\$\d+$/, ""));
  return {
    name: "compiled-ahead",
    renderChunk(code) {
      const text = new RolldownMagicString(code);
      const { program } = parseSync("chunk.js", code, { sourceType: "script" });
      /** @type {(node: { start: number, end: number }, before: string, after: string) => void} */
      const enclose = ({ start, end }, before, after) => {
        text.prependRight(start, before);
        text.appendLeft(end, after);
      };
      /** @type {Map<object, string>} */
      const variables = new Map();
      /** @type {Map<object, string>} */
      const methods = new Map();
      /** @type {(method: object, key: { type: string, name?: unknown }) => void} */
      const addMethod = (method, { type, name }) =>
        void methods.set(method, type === "Identifier" ? String(name) : "");
      /** Whether each of the functions that stand in each other is compiled ahead. */
      const ahead = [false];
      /** @param {{ id?: { name: string } | null }} node */
      const enter = (node) => {
        const name = node.id?.name ?? variables.get(node) ?? methods.get(node);
        ahead.push(name === undefined ? ahead.at(-1) === true : isKnown(name));
      };
      /** @param {{ start: number, end: number }} node */
      const leave = (node) => {
        if (ahead.pop() && !methods.has(node)) enclose(node, "(", ")");
      };
      new Visitor({
        VariableDeclarator({ id, init }) {
          if (init && id.type === "Identifier") variables.set(init, id.name);
        },
        MethodDefinition: ({ key, value }) => addMethod(value, key),
        Property({ key, value, method, kind }) {
          if (method || kind !== "init") addMethod(value, key);
        },
        FunctionDeclaration: enter,
        FunctionExpression: enter,
        ArrowFunctionExpression: enter,
        "FunctionDeclaration:exit": () => void ahead.pop(),
        "FunctionExpression:exit": leave,
        "ArrowFunctionExpression:exit": leave,
      }).visit(program);
      for (const node of program.body) {
        if (node.type !== "FunctionDeclaration" || !node.id || !isKnown(node.id.name)) continue;
        // At the top it is there as early as the declaration was.
        enclose(node, `var ${node.id.name} = (`, ");\n");
        text.remove(node.id.start, node.id.end);
        text.move(node.start, node.end, 0);
      }
      return { code: text.toString(), map: text.generateMap({ hires: "boundary" }).toString() };
    },
  };
}

/**
 * What a stack needs of a line's map: where each line of a source starts, without columns and names.
 * @param {import("@jridgewell/sourcemap-codec").SourceMapSegment[]} segments
 * @returns {import("@jridgewell/sourcemap-codec").SourceMapLine}
 */
function startsOfLines(segments) {
  /** @type {string | undefined} */
  let last;
  return segments
    .filter(([, source, line]) => {
      const place = `${source}:${line}`;
      const isNew = place !== last;
      last = place;
      return isNew;
    })
    .map(([column, source, line, place]) =>
      source === undefined || line === undefined || place === undefined
        ? [column]
        : [column, source, line, place],
    );
}

/**
 * Where a module is: from the root on, or from node_modules on, wherever that lies.
 * @param {string} file
 */
export function placeOf(file) {
  const place = path.relative(root, file).replaceAll(path.sep, "/");
  return place.slice(Math.max(place.indexOf("node_modules/"), 0));
}

/**
 * Puts the maps of all files into one, `sources.json.gz`, which `src/source-stack.ts` reads when there is a bug to tell of:
 * lines only, which is a quarter of the whole. With `keepsMaps` the whole maps stay beside their files.
 * @param {{ keepsMaps: boolean }} options
 * @returns {import("rolldown").Plugin}
 */
export function sourcesInOneFile({ keepsMaps }) {
  return {
    name: "sources-in-one-file",
    generateBundle({ dir }, bundle) {
      /** @type {Record<string, unknown>} */
      const all = {};
      for (const [name, map] of Object.entries(bundle)) {
        if (map.type !== "asset" || !name.endsWith(".map")) continue;
        const { version, sources, mappings } = JSON.parse(String(map.source));
        all[name.slice(0, -".map".length)] = {
          version,
          sources: sources.map((/** @type {string} */ source) => placeOf(path.resolve(dir ?? "", source))),
          names: [],
          mappings: encode(decode(mappings).map(startsOfLines)),
        };
        if (!keepsMaps) delete bundle[name];
      }
      this.emitFile({
        type: "asset",
        fileName: "sources.json.gz",
        source: zlib.gzipSync(JSON.stringify(all)),
      });
    },
  };
}
