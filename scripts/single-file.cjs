"use strict";
// What a single file starts with: loads the files of the package out of itself, by the paths that they have in it.
// Node's require knows only its own modules here: https://nodejs.org/api/single-executable-applications.html
const path = require("node:path");
const { getAsset } = require("node:sea");
const vm = require("node:vm");

/** Where the files would lie, for stacks and for who looks beside them. */
const folder = path.dirname(process.execPath);

/** @type {Map<string, { exports: unknown }>} */
const loaded = new Map();

/**
 * @param {string} place
 * @returns {unknown}
 */
function load(place) {
  const known = loaded.get(place);
  if (known) return known.exports;
  const module = { exports: {} };
  loaded.set(place, module);
  const file = path.join(folder, place);
  const code = getAsset(place, "utf8").replace(/^#!/, "//");
  const run = vm.compileFunction(code, ["exports", "require", "module", "__filename", "__dirname"], {
    filename: file,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const requireHere = (/** @type {string} */ id) => {
    if (id.startsWith(".")) return load(path.posix.join(path.posix.dirname(place), id));
    // Node's cache of compiled code is for files.
    return id === "node:module" && place === "bin/openclaw.js" ? {} : require(id);
  };
  run.call(module.exports, module.exports, requireHere, module, file, path.dirname(file));
  return module.exports;
}

const worker = "dist/schema-worker.js";
const isWorker = process.send !== undefined && process.argv[2] === path.join(folder, worker);
load(isWorker ? worker : "bin/openclaw.js");
