import type { JsonObject } from "../../../json.ts";
import type { Runtime } from "../../../runtime.ts";
import { textResult, type ToolResult } from "../tool.ts";
import { boundText } from "../tool-result.ts";
import type { Folder } from "./folder.ts";
import { MOST_DEPTH } from "./list-files.ts";
import { nameMatcher } from "./matches-name.ts";
import { isPrivateKey, readText } from "./read-file.ts";
import { CallFault, isSet, requiredText, textIn } from "./tool-input.ts";
import { describeLeftOut, type Entry, entryOf, nothingLeftOut, walk } from "./walk.ts";
import { count } from "../../../terminal/numbers.ts";

const MOST_FOUND = 200;
/** Shown of a line around what was found, in UTF-16 units. */
const MOST_LINE = 300;
const BEFORE = 100;
/** Searched in all, in bytes. */
const MOST_BYTES = 512 * 1024 * 1024;
/** Programs and the like have a zero byte near their start, as Git tells them, too. */
const START_BYTES = 8000;

export const SEARCH_FILES = {
  description: `Searches texts for a text, literally, not as a regular expression. Returns "path:line: text" for each line that has it, at most ${MOST_FOUND}. Hidden entries, .git, node_modules, binary files, files over 16 MB and those that may hold credentials are not searched; the last lines say what was left out.`,
  inputSchema: {
    type: "object",
    properties: {
      text: { type: "string", description: "What to look for, within one line." },
      path: { type: "string", description: "The folder or file to search; by default the whole folder." },
      pattern: { type: "string", description: "Only files whose names fit: *.ts, src/**/*.{js,ts}" },
      ignoreCase: { type: "boolean" },
      hidden: { type: "boolean", description: "Also entries that begin with a dot." },
    },
    required: ["text"],
  },
} as const;

/** Searches the texts of the folder. Throws a `CallFault`. */
export async function searchFiles(
  input: JsonObject,
  folder: Folder,
  signal: AbortSignal,
  { elapsed }: Pick<Runtime, "elapsed">,
): Promise<ToolResult> {
  const text = requiredText(input, "text");
  if (/[\r\n]/.test(text)) throw new CallFault("'text' has to be within one line.");
  const ignoresCase = isSet(input, "ignoreCase");
  const fits = nameMatcher(textIn(input, "pattern"));
  const start = await folder.locate(textIn(input, "path") ?? ".");
  const leftOut = nothingLeftOut();
  const options = { depth: MOST_DEPTH, hidden: isSet(input, "hidden"), signal, elapsed };
  const found: string[] = [];
  const seen = { files: 0, bytes: 0, binary: 0 };
  const find = lineFinder(text, ignoresCase);
  for await (const { name, told, file, kind } of filesFrom(folder, start, options, leftOut)) {
    signal.throwIfAborted();
    if (kind !== "file" || !fits(name)) continue;
    if (folder.credentialsAt(file) !== undefined) {
      leftOut.credentials++;
      continue;
    }
    const bytes = await folder.read(file).catch((error: unknown) => {
      if (!(error instanceof CallFault) || file === start) throw error;
      leftOut.unreadable++;
      return Buffer.alloc(0);
    });
    seen.files++;
    seen.bytes += bytes.length;
    const content = readSearched(bytes);
    if (content === undefined) seen.binary++;
    else if (isPrivateKey(content)) leftOut.credentials++;
    else
      for (const line of find(content)) {
        found.push(`${told}:${line}`);
        if (found.length > MOST_FOUND) break;
      }
    if (found.length > MOST_FOUND) leftOut.cut = `more than ${MOST_FOUND} lines were found`;
    else if (seen.bytes > MOST_BYTES) leftOut.cut = `the files have more than ${MOST_BYTES / 1024 / 1024} MB`;
    else continue;
    break;
  }
  const lines = found.slice(0, MOST_FOUND);
  const notes = [
    ...(lines.length === 0 ? [`nothing found in ${count(seen.files, "file", "files")}`] : []),
    ...(seen.binary > 0 ? [`${count(seen.binary, "binary file", "binary files")} not searched`] : []),
    ...describeLeftOut(leftOut),
  ];
  return textResult(boundText([...lines, ...notes.map((note) => `(${note})`)].join("\n")));
}

/** What a walk finds, or the one file that was named. */
async function* filesFrom(
  folder: Folder,
  start: string,
  ...how: [Parameters<typeof walk>[2], Parameters<typeof walk>[3]]
): AsyncGenerator<Entry> {
  if (await folder.isFolder(start)) yield* walk(folder, start, ...how);
  else yield entryOf(folder, start, "file");
}

function readSearched(bytes: Buffer): string | undefined {
  const start = readText(bytes.subarray(0, START_BYTES));
  return start === undefined ? undefined : readText(bytes);
}

/** Finds the lines of a text that have another in them, each with its number, cut around what was found. */
function lineFinder(text: string, ignoresCase: boolean): (content: string) => Generator<string> {
  const sought = ignoresCase ? text.toLowerCase() : text;
  return function* (content) {
    const searched = ignoresCase ? content.toLowerCase() : content;
    // In lower case a text may be longer: places are told by their lines.
    const lines = searched.length === content.length ? undefined : content.split("\n");
    let number = 1;
    let counted = 0;
    for (let at = searched.indexOf(sought); at >= 0;) {
      number += occurrences(searched, "\n", counted, at);
      const begin = searched.lastIndexOf("\n", at - 1) + 1;
      const next = searched.indexOf("\n", at);
      const end = next < 0 ? searched.length : next;
      counted = end;
      const line = lines ? (lines[number - 1] ?? "") : content.slice(begin, end);
      yield `${number}: ${cutAround(line.replace(/\r$/, ""), at - begin)}`;
      at = next < 0 ? -1 : searched.indexOf(sought, next);
    }
  };
}

function occurrences(text: string, sought: string, from: number, to: number): number {
  let number = 0;
  for (let at = text.indexOf(sought, from); at >= 0 && at < to; at = text.indexOf(sought, at + 1)) number++;
  return number;
}

function cutAround(line: string, at: number): string {
  if (line.length <= MOST_LINE) return line;
  const from = Math.max(Math.min(at - BEFORE, line.length - MOST_LINE), 0);
  const cut = line.slice(from, from + MOST_LINE).toWellFormed();
  return `${from > 0 ? "…" : ""}${cut}${from + MOST_LINE < line.length ? "…" : ""}`;
}
