import { type OpenclawError, usageError } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type Action, type Group, isGroup, type Program, readArgument, readFlag } from "./declaration.ts";

/** A word that stands for several, and what is meant by each. */
type Words = Readonly<Record<string, string>>;

/**
 * What people type who know other programs, by the group of commands in which they type it, and the words that do it here.
 * What stands behind it stays. No word here is a command: test/command-line/other-words.test.ts.
 */
export const OTHER_WORDS: Readonly<Record<string, Words>> = {
  "": {
    "ask query prompt q run say talk generate gen message send converse invoke stream repl start": "chat",
    "version ver": "--version",
    "ls list search": "models list",
    "use select default switch": "models set",
    "show describe info": "models show",
    status: "models status",
    "quit exit bye stop": "chat",
    "init setup configure onboard check test diagnose health whoami": "doctor",
    set: "config set",
    get: "config get",
    unset: "config unset",
    "settings preferences": "config get",
    "history log logs threads conversations": "sessions list",
    last: "sessions show",
    "resume continue": "chat --continue",
    "server proxy api listen web daemon gateway": "serve",
    "mock simulate simulator fake local demo": "emulator",
    "policy permissions role": "iam policy",
    "completions autocomplete": "completion",
    "man docs doc manual guide readme topics tutorial": "help",
  },
  config: {
    "ls list show view cat dump print": "get",
    "path where location which": "file",
    "check verify lint test": "validate",
    "add update write put": "set",
    "delete remove rm del reset clear": "unset",
    "merge import apply": "patch",
  },
  models: {
    "ls all available": "list",
    "search find": "list --search",
    "info describe get view inspect": "show",
    "use default select switch choose": "set",
    "refresh update sync pull": "list --refresh",
    access: "list --access",
    current: "status",
  },
  sessions: {
    "ls history": "list",
    "view cat print open get": "show",
    "delete remove del clear prune": "rm",
    "save dump": "export",
  },
  iam: { "show generate print create role": "policy" },
};

/** What is done with another program, and what there is to know here. */
const ELSEWHERE: Words = {
  "login signin auth authenticate":
    "Did you mean aws sso login? Which credentials are used says: openclaw doctor",
  "logout signout": "Did you mean aws sso logout? Which credentials are used says: openclaw doctor",
  "update upgrade self-update install": "Did you mean npm install -g openclaw@latest?",
  uninstall: "Did you mean npm uninstall -g openclaw?",
};

/** What a question or a request to a model begins with. */
const OPENINGS =
  "what why how who when where which is are can could do does did will would should may explain write tell summarize summarise translate hello hi hey please give make create compare let i";

/** The longest line that is shown as what was meant, in characters. */
const LONGEST = 200;

/**
 * What was meant by a word that is no command of the group that `path` names, as a hint: the whole line with the right
 * words in its place, or with `chat` before it where it is a question. `near` are commands that are written alike.
 */
export function hintForWord(
  program: Program,
  path: readonly string[],
  word: string,
  near: string | undefined,
  args: readonly string[],
): string | undefined {
  if (word === "help") return didYouMean([...path, "--help"]);
  const isFirst = path.length === 0;
  const elsewhere = isFirst ? find(ELSEWHERE, word) : undefined;
  if (elsewhere !== undefined) return elsewhere;
  const other = find(OTHER_WORDS[path.join(" ")] ?? {}, word)?.split(" ");
  const behind = args.slice(args.indexOf(word) + 1).filter((arg) => !arg.startsWith("-")).length;
  const isQuestion =
    other === undefined ? isOpening(word, near, behind) : behind > mostWords(program, [...path, ...other]);
  if (isFirst && isQuestion) return didYouMean(["chat", ...args]);
  const right = other ?? (near === undefined || near.includes(",") ? undefined : [near]);
  if (right === undefined) return undefined;
  const at = args.indexOf(word);
  return didYouMean([...args.slice(0, at), ...right, ...args.slice(at + 1)]);
}

/** What was meant by a flag that no command was named for: the same line for `chat`, where it has the flag. */
export function hintForFlag(program: Program, flag: string, args: readonly string[]): string | undefined {
  if (args[0] === "-version") return didYouMean(["--version"]);
  const { chat } = program.members;
  if (!chat || isGroup(chat) || args.some((arg) => Object.hasOwn(program.members, arg))) return undefined;
  const isOfChat = (chat.flags ?? [])
    .map(readFlag)
    .some(({ long, short }) => flag === long || flag === short);
  return isOfChat ? didYouMean(["chat", ...args]) : undefined;
}

/** Whether a word begins a question: it is a sentence, begins as one does, or is near no command and is followed by others. */
function isOpening(word: string, near: string | undefined, behind: number): boolean {
  return (
    /[\s?]/.test(word) ||
    OPENINGS.split(" ").includes(word.toLowerCase()) ||
    (behind > 0 && near === undefined)
  );
}

/** How many words the command takes that these name; none where they are a flag of the program. */
function mostWords(program: Program, names: readonly string[]): number {
  let command: Group | Action | undefined = program;
  for (const name of names.filter((word) => !word.startsWith("-")))
    command = command && isGroup(command) ? command.members[name] : undefined;
  if (!command || isGroup(command)) return 0;
  const taken = (command.arguments ?? []).map(readArgument);
  return taken.some(({ isVariadic }) => isVariadic) ? Number.POSITIVE_INFINITY : taken.length;
}

function find(words: Words, word: string): string | undefined {
  const lower = word.toLowerCase();
  return Object.entries(words).find(([known]) => known.split(" ").includes(lower))?.[1];
}

function didYouMean(args: readonly string[]): string | undefined {
  const line = lineOf(args);
  return line.length > LONGEST ? undefined : `Did you mean ${line}?`;
}

function lineOf(args: readonly string[]): string {
  return ["openclaw", ...args.map(quoteForShell)].join(" ");
}

/** The error of a call whose only word is `help`, typed at a terminal. */
export function helpInPlaceOf(args: readonly string[]): OpenclawError {
  const command = args.slice(0, -1);
  const [name = ""] = command;
  const asked = name === "chat" ? " To ask a model: openclaw chat -- help" : "";
  return usageError(
    `'help' is not a command of ${["openclaw", ...command].join(" ")}.`,
    `Did you mean ${lineOf([...command, "--help"])}?${asked}`,
  );
}
