import { lstat, readlink } from "node:fs/promises";
import { ifSystemLets } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import type { Runtime } from "../../../runtime.ts";
import { onOneLine } from "../../../terminal/neutralise.ts";
import { textResult, type ToolResult } from "../tool.ts";
import { boundText } from "../tool-result.ts";
import type { Folder } from "./folder.ts";
import { nameMatcher } from "./matches-name.ts";
import { isSet, numberIn, textIn } from "./tool-input.ts";
import { describeLeftOut, type Entry, nothingLeftOut, walk } from "./walk.ts";
import { count } from "../../../terminal/numbers.ts";

const MOST_LISTED = 1000;
const USUAL_DEPTH = 2;
/** Where names are looked for. */
export const MOST_DEPTH = 20;

export const LIST_FILES = {
  description: `Lists files and folders, a line each: path, then size in bytes. Folders end in "/", links show where they lead. At most ${MOST_LISTED} entries. Hidden entries, and what is in .git and node_modules, are left out unless asked for; the last lines say what was left out.`,
  inputSchema: {
    type: "object",
    properties: {
      path: { type: "string", description: "The folder to list; by default the whole folder." },
      depth: {
        type: "integer",
        minimum: 1,
        maximum: MOST_DEPTH,
        description: `How many levels; ${USUAL_DEPTH} by default, ${MOST_DEPTH} with pattern.`,
      },
      pattern: { type: "string", description: "Only names that fit: *.ts, src/**/*.{js,ts}" },
      hidden: { type: "boolean", description: "Also entries that begin with a dot." },
    },
  },
} as const;

/** Lists what is in the folder. Throws a `CallFault`. */
export async function listFiles(
  input: JsonObject,
  folder: Folder,
  signal: AbortSignal,
  { elapsed }: Pick<Runtime, "elapsed">,
): Promise<ToolResult> {
  const pattern = textIn(input, "pattern");
  const fits = nameMatcher(pattern);
  const depth = numberIn(input, "depth", 1, MOST_DEPTH) ?? (pattern === undefined ? USUAL_DEPTH : MOST_DEPTH);
  const start = await folder.locate(textIn(input, "path") ?? ".");
  const leftOut = nothingLeftOut();
  const options = { depth, hidden: isSet(input, "hidden"), signal, elapsed };
  const found: Entry[] = [];
  let more = 0;
  for await (const entry of walk(folder, start, options, leftOut)) {
    if (!fits(entry.name)) continue;
    if (found.length < MOST_LISTED) found.push(entry);
    else more++;
  }
  found.sort((one, other) => (one.name < other.name ? -1 : 1));
  const lines = await Promise.all(found.map(describe));
  const notes = [
    ...(more > 0 ? [`${more} more are not listed: name a folder in here, or a pattern`] : []),
    ...describeLeftOut(leftOut),
  ];
  const told = lines.length === 0 ? ["(nothing)"] : lines;
  return textResult(boundText([...told, ...notes.map((note) => `(${note})`)].join("\n")));
}

async function describe({ told: name, file, kind }: Entry): Promise<string> {
  if (kind === "folder") return `${name}/`;
  if (kind === "other") return `${name} (not a file)`;
  const told = await ifSystemLets(
    kind === "link"
      ? readlink(file).then((target) => ` -> ${onOneLine(target)}`)
      : lstat(file).then(({ size }) => `  ${count(size, "byte", "bytes")}`),
  );
  return `${name}${told ?? " (gone)"}`;
}
