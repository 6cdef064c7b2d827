// Bundles src/ into dist/: few chunks, loaded when a command needs them, no runtime dependencies.
// esbuild splits only ES modules; Node starts CommonJS faster. So: split first, then turn each chunk into CommonJS.
import { build, transform } from "esbuild";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { joinChunks } from "./join-chunks.js";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = "node20.19";

/**
 * commander loads node:child_process for subcommands that are programs of their own, which openclaw has none of. It
 * costs 5 ms of every start, so commander gets it when it asks for it.
 */
const lazyChildProcess = {
  name: "lazy-child-process",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /node_modules[\\/]commander[\\/]/.test(importer)
        ? { path: "child_process", namespace: "lazy" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "lazy" }, () => ({
      contents: 'module.exports = { spawn: (...args) => require("node:child_process").spawn(...args) };',
    }));
  },
};

/**
 * Packages of which most starts need nothing: string-width's segmenter and sets of emoji (18 ms) are for text beyond ASCII,
 * JSON5's tables of letters for a configuration that is not plain JSON. Each stands behind a small module that loads it
 * when it is called.
 */
const LAZY_PACKAGES = [
  {
    filter: /node_modules[\\/]string-width[\\/]index\.js$/,
    contents: `let whole;
export default function stringWidth(text, options) {
  if (/^[\\x20-\\x7E]*$/.test(text)) return text.length;
  whole ??= require("./index.js?whole").default;
  return whole(text, options);
}`,
  },
  {
    filter: /node_modules[\\/]json5[\\/]dist[\\/]index\.mjs$/,
    contents: `let whole;
const load = () => (whole ??= require("./index.mjs?whole").default);
export default { parse: (...args) => load().parse(...args), stringify: (...args) => load().stringify(...args) };`,
  },
];

const lazyPackages = {
  name: "lazy-packages",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?whole$/ }, ({ path: name, resolveDir }) => ({
      path: path.join(resolveDir, name.replace("?whole", "")),
      suffix: "?whole",
    }));
    for (const { filter, contents } of LAZY_PACKAGES) {
      onLoad({ filter }, ({ path: file, suffix }) =>
        suffix === "?whole" ? undefined : { contents, resolveDir: path.dirname(file) },
      );
    }
  },
};

/** V8 reads JSON four times as fast as the same in JavaScript. */
const jsonAsText = {
  name: "json-as-text",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.json$/ }, async ({ path: file }) => {
      const text = JSON.stringify(JSON.parse(await readFile(file, "utf8")));
      return { contents: `export default JSON.parse(${JSON.stringify(text)});` };
    });
  },
};

/**
 * The bundler puts what two parts of the program use of a package into one chunk, and the SDK's packages are reached through
 * files that name everything in them. So the parts for the calls that people wait for are bundled by themselves first:
 * half the code, and no node:http2, at the price of standing in the program twice.
 */
const ownSdkParts = {
  name: "own-sdk-parts",
  setup({ onLoad, initialOptions }) {
    const { target, platform, mainFields } = initialOptions;
    onLoad({ filter: /[\\/]aws[\\/]sdk-parts\.ts$/ }, async ({ path: file }) => {
      const { outputFiles } = await build({
        entryPoints: [file],
        bundle: true,
        write: false,
        format: "esm",
        minifySyntax: true,
        target,
        platform,
        mainFields,
      });
      return { contents: outputFiles[0].text };
    });
  },
};

/**
 * Builds the program into a folder, which is replaced when the build is whole. Returns esbuild's account of the inputs.
 * With `isTraceable` each file has a source map beside it and its code stays readable, so that coverage finds its way back.
 */
export async function buildProgram(folder = path.join(root, "dist"), { isTraceable = false } = {}) {
  const fresh = `${folder}-${process.pid}`;
  const old = `${fresh}-old`;
  try {
    const account = await bundleInto(fresh, isTraceable);
    // Whoever runs the program meanwhile finds the old one or the new one, never half of one.
    if (existsSync(folder)) await rename(folder, old);
    await rename(fresh, folder);
    return account;
  } finally {
    for (const name of [fresh, old]) await rm(name, { recursive: true, force: true });
  }
}

async function bundleInto(folder, isTraceable) {
  const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  await mkdir(folder, { recursive: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["src/main.ts"],
    outdir: folder,
    bundle: true,
    splitting: true,
    metafile: true,
    format: "esm",
    platform: "node",
    target,
    minify: !isTraceable,
    sourcemap: isTraceable ? "inline" : false,
    keepNames: false,
    mainFields: ["module", "main"],
    legalComments: "none",
    define: { OPENCLAW_VERSION: JSON.stringify(version) },
    // A bundle in the bundle has no map of its own.
    plugins: [lazyChildProcess, lazyPackages, jsonAsText, ...(isTraceable ? [] : [ownSdkParts])],
    logLevel: "warning",
  });
  const files = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  await Promise.all(
    files.map(async (name) => {
      const file = path.join(folder, name);
      const chunk = await transform(await readFile(file, "utf8"), {
        format: "cjs",
        platform: "node",
        target,
        minify: !isTraceable,
        sourcemap: isTraceable ? "external" : false,
        supported: { "dynamic-import": false },
      });
      await writeFile(file, chunk.code);
      if (isTraceable) await writeFile(`${file}.map`, chunk.map);
    }),
  );
  if (!isTraceable) await joinChunks(folder, result.metafile.outputs);
  await writeFile(path.join(folder, "package.json"), '{ "type": "commonjs" }\n');
  return result.metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildProgram();
