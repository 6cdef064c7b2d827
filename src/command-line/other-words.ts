import { type OpenclawError, usageError } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { commandAt, type Group, isGroup, type Program, readArgument, readFlag } from "./declaration.ts";

/** A word that stands for several, and what is meant by each. */
type Words = Readonly<Record<string, string>>;

/**
 * What people type who know other programs, by the group of commands in which they type it, and the words that do it here.
 * What stands behind it stays. No word here is a command: test/command-line/other-words.test.ts.
 */
export const OTHER_WORDS: Readonly<Record<string, Words>> = {
  "": {
    "ask query prompt q run say talk generate gen message send converse invoke stream repl start new code":
      "chat",
    "file files attach image images pdf": "chat --file",
    "version ver": "--version",
    "ls list search price prices pricing": "models list",
    "use select default switch": "models set",
    alias: "models alias",
    "cost costs spend spending bill billing budget stats tokens": "usage",
    "template prompts": "templates list",
    "show describe info": "models show",
    status: "models status",
    "pull download subscribe enable unlock": "models access",
    "init setup configure onboard check test diagnose health whoami aws account identity profile profiles region regions":
      "doctor",
    set: "config set",
    get: "config get",
    unset: "config unset",
    "settings preferences": "config list",
    edit: "config edit",
    "rename mv title": "sessions rename",
    "history log logs threads conversations chats": "sessions list",
    "find grep": "sessions search",
    "rm delete remove del forget": "sessions rm",
    "export save": "sessions export",
    last: "sessions show",
    "resume continue": "chat --continue",
    "server proxy api listen web daemon gateway": "serve",
    "mock simulate simulator fake local demo": "emulator",
    "policy permissions role": "iam policy",
    "limit limits rate throttling tpm rpm": "quota",
    "embedding embeddings vector vectors": "embed",
    "job jobs bulk": "batch list",
    "plugin plugins extensions functions": "tools list",
    "completions autocomplete": "completion",
    "man docs doc manual guide readme topics tutorial ? h": "help",
  },
  config: {
    "ls all": "list",
    "show view cat dump print": "get",
    "open vi vim nano editor": "edit",
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
    current: "status",
    "aliases name nickname": "alias",
    "gates enable unlock subscribe agreement agreements": "access",
  },
  sessions: {
    "ls history": "list",
    "view cat print open get": "show",
    "delete remove del clear prune": "rm",
    "find grep": "search",
    "mv move name title": "rename",
    "save dump": "export",
  },
  templates: {
    "ls all": "list",
    "view cat print get": "show",
    "new add create make set": "edit",
  },
  batch: {
    "ls all jobs history": "list",
    "show get info describe watch": "status",
    "start new create make send upload": "submit",
    "cancel delete rm abort kill": "stop",
    "cost costs price prices": "estimate",
    "output download result": "results",
    "resume continue": "run --resume",
  },
  tools: { "ls all": "list", "call use exec invoke test": "run" },
  mcp: { "ls all servers": "list", "run use exec invoke": "call", "start server": "serve" },
  "serve keys": { "ls all show": "list", "new create make": "add", "rm delete remove del": "revoke" },
  iam: { "show generate print create role": "policy" },
};

/** Flags that ask a model in other programs. */
const OTHER_FLAGS = new Set(["-p", "--prompt", "--print", "--ask", "-i", "--interactive"]);

/** What is a command in a conversation alone. */
const IN_CONVERSATION = "undo retry edit-last copy compact clear system allow web citations reasoning";

/** What is no command of this program at all, and what there is to know about it. */
const ELSEWHERE: Words = {
  "quit exit bye stop end close leave kill logoff":
    "There is nothing to leave; /quit or Ctrl-D ends a conversation, Ctrl-C a command that runs.",
  "key keys creds": "Did you mean openclaw serve keys? Which credentials are used says: openclaw doctor",
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
  const at = args.indexOf(word);
  const instead = (...words: readonly string[]): string | undefined =>
    didYouMean([...args.slice(0, at), ...words, ...args.slice(at + 1)]);
  // As it is typed in a conversation: /models, :q.
  const bare = word.replace(/^[/:]+(?=.)/, "").toLowerCase();
  if (Object.hasOwn(membersAt(program, path), bare)) return instead(bare);
  const behind = args.slice(at + 1).filter((arg) => !arg.startsWith("-")).length;
  if (path.length === 0) {
    const elsewhere = behind < 2 ? withoutCommand(bare) : undefined;
    if (elsewhere !== undefined) return elsewhere;
    const turned = turnedRound(program, bare, args[at + 1]);
    if (turned) return didYouMean([...args.slice(0, at), ...turned, ...args.slice(at + 2)]);
  }
  const other = find(OTHER_WORDS[path.join(" ")] ?? {}, bare)?.split(" ");
  const isQuestion =
    other === undefined ? isOpening(word, near, behind) : behind > mostWords(program, [...path, ...other]);
  if (path.length === 0 && isQuestion) return didYouMean(["chat", ...args]);
  if (path.join(" ") === "config" && word.includes(".")) return instead(behind > 0 ? "set" : "get", word);
  const right = other ?? (near === undefined || near.includes(",") ? undefined : [near]);
  return right && instead(...right);
}

/** What was meant by a flag that no command was named for: the same line for `chat`, where it has the flag. */
export function hintForFlag(program: Program, flag: string, args: readonly string[]): string | undefined {
  if (args[0] === "-version") return didYouMean(["--version"]);
  const { chat } = program.members;
  if (!chat || isGroup(chat) || args.some((arg) => Object.hasOwn(program.members, arg))) return undefined;
  const [name = ""] = flag.split("=");
  const isOfChat = (chat.flags ?? [])
    .map(readFlag)
    .some(({ long, short }) => name === long || (short !== undefined && flag.startsWith(short)));
  const rest = args.filter((arg) => arg !== flag);
  if (OTHER_FLAGS.has(flag)) return didYouMean(["chat", ...rest]);
  return isOfChat ? didYouMean(["chat", ...args]) : undefined;
}

/** What there is to know about a word that no command does. */
function withoutCommand(word: string): string | undefined {
  return IN_CONVERSATION.split(" ").includes(word)
    ? `That is /${word} in a conversation, which begins with: openclaw chat`
    : find(ELSEWHERE, word);
}

/** The command that a word means which is none, by its words; a hint where no command does it. For `help`. */
export function meantBy(word: string): { command: string } | { hint: string } | undefined {
  const hint = withoutCommand(word);
  if (hint !== undefined) return { hint };
  const [command = ""] = /^[a-z ]*[a-z]/.exec(find(OTHER_WORDS[""] ?? {}, word) ?? "") ?? [];
  return command === "" ? undefined : { command };
}

/** `list models` as `models list`, and `delete session` as `sessions rm`. */
function turnedRound(program: Program, verb: string, noun: string | undefined): string[] | undefined {
  const group = [noun, `${noun}s`].find((name) => name !== undefined && Object.hasOwn(OTHER_WORDS, name));
  if (group === undefined) return undefined;
  if (Object.hasOwn(membersAt(program, [group]), verb)) return [group, verb];
  const other = find(OTHER_WORDS[group] ?? {}, verb);
  return other === undefined ? undefined : [group, ...other.split(" ")];
}

function membersAt(program: Program, path: readonly string[]): Group["members"] {
  return commandAt(program, path)?.members ?? {};
}

/** Whether a word begins a question: it is a sentence, begins as one does, or is near no command and is followed by others. */
function isOpening(word: string, near: string | undefined, behind: number): boolean {
  return (
    /[^\w./:-]/.test(word) ||
    OPENINGS.split(" ").includes(word.toLowerCase()) ||
    (behind > 0 && near === undefined)
  );
}

/** How many words the command takes that these name; none where they are a flag of the program. */
function mostWords(program: Program, names: readonly string[]): number {
  const command = commandAt(
    program,
    names.filter((word) => !word.startsWith("-")),
  );
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
