// Puts the chunks that a command loads together into one file: each file of a program costs its start 0.1 ms and more.
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/** The name of a joined file, and the sources whose chunks, with all that these import, go into it. */
const JOINED = {
  // What a shell script calls most.
  "main.js": [
    "src/main.ts",
    "src/commands/config/file.ts",
    "src/commands/config/get.ts",
    "src/commands/models/list.ts",
  ],
  // What asks AWS.
  "ask.js": [
    "src/commands/chat.ts",
    "src/converse/stream.ts",
    "src/discovery/discover.ts",
    "src/discovery/cache-write.ts",
    "src/discovery/shared-failure.ts",
    "src/aws/open-rest-client.ts",
    "src/credentials/provider.ts",
  ],
};

const CHUNK = /\brequire\("\.\/([\w-]+\.js)"\)/g;

/**
 * Joins the chunks in a folder, as esbuild's account (`outputs` of its metafile) names them. A chunk still runs when it is
 * first asked for, and only once.
 */
export async function joinChunks(folder, outputs) {
  const chunks = new Map(
    Object.entries(outputs).map(([file, { entryPoint, imports }]) => [
      path.basename(file),
      {
        entryPoint,
        imports: imports
          .filter(({ kind, external }) => kind === "import-statement" && !external)
          .map((imported) => path.basename(imported.path)),
      },
    ]),
  );
  /** The joined file of each chunk that is in one. */
  const places = new Map();
  for (const [joined, sources] of Object.entries(JOINED)) {
    for (const source of sources) {
      const entry = [...chunks].find(([, { entryPoint }]) => entryPoint === source);
      if (!entry) throw new Error(`${source} has no chunk of its own.`);
      for (const name of withImports(entry[0], chunks)) if (!places.has(name)) places.set(name, joined);
    }
  }
  const texts = new Map();
  for (const name of chunks.keys()) texts.set(name, await readFile(path.join(folder, name), "utf8"));
  for (const [name, text] of texts) {
    const place = places.get(name);
    texts.set(
      name,
      text.replaceAll(CHUNK, (call, wanted) => {
        const home = places.get(wanted);
        if (home === undefined) return call;
        return home === place ? `load("${wanted}")` : `require("./${home}").load("${wanted}")`;
      }),
    );
  }
  for (const [name, text] of texts) {
    if (places.has(name)) await rm(path.join(folder, name));
    else await writeFile(path.join(folder, name), text);
  }
  for (const joined of Object.keys(JOINED)) {
    const parts = [...texts].filter(([name]) => places.get(name) === joined);
    await writeFile(path.join(folder, joined), join(parts, joined === "main.js"));
  }
}

/** A chunk and everything that it loads when it is loaded. */
function withImports(name, chunks, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const imported of chunks.get(name).imports) withImports(imported, chunks, found);
  return found;
}

function join(parts, isProgram) {
  const functions = parts.map(
    ([name, text]) => `"${name}":function(module,exports,load){${text.trimEnd()}\n}`,
  );
  return `var parts={${functions.join(",\n")}},loaded={};
function load(name){var part=loaded[name];if(!part){part=loaded[name]={exports:{}};parts[name](part,part.exports,load)}return part.exports}
exports.load=load;${isProgram ? 'load("main.js");' : ""}
`;
}
