import { stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { namesS3 } from "../../converse/s3-location.ts";
import { errorCode, ifSystemLets } from "../../errors.ts";
import { type Folders, readPath, writePath } from "./file-path.ts";

/** `@` before a path in quotes, or in one word with backslashes before what is not of a word. */
const MENTION = /(?<=^|[\s(["'])@("[^"\n]+"|'[^'\n]+'|(?:\\[\s\S]|[^\s\\"'])+)/g;
/** What may stand behind a word and is not of it. */
const CLOSING = /[.,;:!?)\]}]+$/;
/** What nobody means as a word: a path from a known place, or a file of a kind that can be attached. */
const LOOKS_LIKE_FILE =
  /^(?:\.{0,2}|~)\/\S|^[\w./-]+\.(?:png|jpe?g|gif|webp|pdf|csv|docx?|xlsx?|html?|txt|md|mp[34]|m4[av]|mov|mkv|webm|wav|flac|ogg)$/i;

/** The files that a text names with `@`, those that look like one and are not there, and folders. */
export interface Mentions {
  files: string[];
  missing: string[];
  folders: string[];
}

/** Finds what a text names with `@`: files, and what lies in Amazon S3 by its address. Words that are no file, such as names of people and packages, are none. */
export async function findMentions(text: string, folders: Folders): Promise<Mentions> {
  const found: Mentions = { files: [], missing: [], folders: [] };
  for (const [, word = ""] of text.matchAll(MENTION)) {
    const read = readPath(word, folders);
    const short = readPath(word.replace(CLOSING, ""), folders);
    if (namesS3(short)) {
      if (!found.files.includes(short)) found.files.push(short);
      continue;
    }
    const whole = await kindOf(read, folders);
    const kind = whole ?? (await kindOf(short, folders));
    const name = whole ? read : short;
    if (kind === undefined) {
      if (LOOKS_LIKE_FILE.test(short)) found.missing.push(short);
    } else if (!found[kind].includes(name)) found[kind].push(name);
  }
  return found;
}

/**
 * The files that a terminal pasted the paths of, as it does when they are dropped on it: with quotes, with backslashes, as
 * `file://` addresses, plain, several one behind the other. Undefined where anything else is in the text.
 */
export async function findDropped(pasted: string, folders: Folders): Promise<string[] | undefined> {
  const text = pasted.trim();
  if (text === "" || text.length > MOST_PASTED) return undefined;
  const read = (word: string): string => fromAddress(word) ?? readPath(word, folders);
  // What is plain has no escapes, and addresses have quotes in them that are none.
  const readings = [[text], [read(text)], text.split(/\s+/).map(read), splitWords(text).map(read)];
  for (const paths of readings) {
    const areRooted = paths.every((name) => path.isAbsolute(name));
    if (!areRooted || paths.length === 0) continue;
    const kinds = await Promise.all(paths.map((name) => kindOf(name, folders)));
    if (kinds.every((kind) => kind === "files")) return paths;
  }
  return undefined;
}

/** Longer than any paths that are dropped at once, in characters. */
const MOST_PASTED = 16_384;

/** A file as it is named with `@`, from the current folder where it is in there. */
export function mention(file: string, { currentFolder }: Folders): string {
  const relative = path.relative(currentFolder, file);
  const name = relative === "" || relative.startsWith("..") || path.isAbsolute(relative) ? file : relative;
  return `@${writePath(name)}`;
}

/** Words as a shell tells them apart. */
function splitWords(text: string): string[] {
  return text.match(/(?:'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|[^\s'"\\])+/g) ?? [];
}

function fromAddress(word: string): string | undefined {
  if (!/^file:\/\//i.test(word)) return undefined;
  try {
    const address = new URL(word);
    // Some name the machine itself.
    address.hostname = "";
    return fileURLToPath(address);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    // Not an address of a file.
    return undefined;
  }
}

async function kindOf(name: string, { currentFolder }: Folders): Promise<"files" | "folders" | undefined> {
  const stats = await ifSystemLets(stat(path.resolve(currentFolder, name)));
  return stats?.isFile() ? "files" : stats?.isDirectory() ? "folders" : undefined;
}
