import { readAttachments } from "../../converse/attachments.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import type { Style } from "../../terminal/color.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { VERSION } from "../../version.ts";
import { unwrapBlock } from "./block.ts";
import { reflowsCursorLine } from "./cursor.ts";
import { describeAttachment } from "./describe-attachment.ts";
import { findDropped, findMentions, mention } from "./file-mentions.ts";
import { forgetfulHistory, type History, openHistory } from "./history.ts";
import { Keyboard } from "./keyboard.ts";
import { LineEditor } from "./line-editor.ts";
import { showLast } from "./show-last.ts";
import { completeEntry, findSlashCommand } from "./slash-commands.ts";
import type { Tool } from "../tools/tool.ts";
import { type InteractiveOptions, Talk } from "./talk.ts";
import { onOneLine } from "../../terminal/neutralise.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { widthOf } from "../../terminal/word-wrap.ts";

/**
 * Talks with a person at the terminal until they leave: by /exit, Ctrl-D, or Ctrl-C twice at the prompt. What goes wrong with one
 * question ends nothing. Rejects only with the reason of the runtime's signal, and with a bug.
 */
export async function runInteractive(options: InteractiveOptions): Promise<void> {
  const { runtime, screen } = options;
  const { terminal } = runtime;
  const style = await terminal.stderrStyle();
  const history = options.keepsHistory ? await openHistory(runtime) : forgetfulHistory();
  const keyboard = new Keyboard(runtime, screen);
  const talk = new Talk(options, keyboard);
  const editor = new LineEditor({
    keyboard,
    screen,
    style,
    history: () => history.entries,
    complete: (typed) => completeEntry(talk, typed),
    edit: (text) => tellingFailures(talk, () => talk.edit(text)),
    readPaste: (pasted) => offerDropped(pasted, runtime),
    reflows: reflowsCursorLine(runtime.env),
  });
  try {
    const { wanted } = options.tools;
    if (wanted.tools.length + wanted.servers.length > 0) await talk.addTools(wanted);
    terminal.note(style.dim(greeting(talk, await talk.tools?.tools())));
    if (talk.conversation.turns.length > 0) {
      await showLast(talk);
      terminal.note("");
    }
    await keyboard.start();
    await converse(talk, editor, history, style);
  } finally {
    keyboard.stop();
    await talk.close();
  }
  const { keptId: id, turns } = talk.conversation;
  if (id !== undefined && turns.length > 0) {
    const { tools = [], servers = [] } = talk.tools?.wanted ?? {};
    const command = [
      "openclaw chat",
      ...tools.map((name) => `--tool ${quoteForShell(name)}`),
      ...servers.map((name) => `--mcp ${quoteForShell(name)}`),
      `--session ${quoteForShell(id)}`,
    ];
    // In one piece, however long: what is too long for a line the terminal breaks where it likes, and it can be copied.
    const [title, line] = ["To go on:", onOneLine(terminal.completeCommands(command.join(" ")))];
    const gap = widthOf(`${title} ${line}`) > screen.columns ? "\n" : " ";
    terminal.writeAside(`${style.dim(`${title}${gap}${line}`)}\n`);
  }
}

async function converse(talk: Talk, editor: LineEditor, history: History, style: Style): Promise<void> {
  const { terminal } = talk.options.runtime;
  /** Whether the last thing that happened was Ctrl-C. */
  let isInterrupted = false;
  while (!talk.isOver) {
    const { draft, edited } = talk;
    talk.draft = "";
    const entry = await editor.read(draft);
    if (entry.kind === "end" || (entry.kind === "interrupt" && entry.text === "" && isInterrupted)) return;
    // The one that stopped an answer is not counted: who presses twice to be sure does not mean to leave.
    isInterrupted = entry.kind === "interrupt";
    if (entry.kind === "interrupt") {
      if (entry.text === "") terminal.note(style.dim("Ctrl-C again leaves, as do Ctrl-D and /exit."));
    } else if (entry.text.trim() !== "") {
      await Promise.all([history.add(entry.text), take(talk, entry.text)]);
      if (!talk.isOver) terminal.note("");
    }
    // What was edited was taken back, or could not be asked.
    if (edited === talk.edited) talk.leaveEdit();
  }
}

/** Does what a command says, or asks. */
async function take(talk: Talk, entry: string): Promise<void> {
  await tellingFailures(talk, async () => {
    const slash = findSlashCommand(entry);
    const [, command] = /^!(.*)$/.exec(entry.trimEnd()) ?? [];
    if (slash || command !== undefined) talk.leaveEdit();
    if (slash) return slash.command.run(talk, slash.argument);
    if (command === "") throw usageError("There is no command behind the !.", "!ls -l");
    if (command !== undefined) return talk.runShell(command.trim());
    const question = unwrapBlock(entry);
    if (question.trim() === "") return;
    await attachMentioned(talk, question);
    await talk.ask(question);
  });
}

/** Runs `work`; what goes wrong with it is told, and ends nothing. Resolves to undefined then. */
async function tellingFailures<T>(talk: Talk, work: () => Promise<T>): Promise<T | undefined> {
  const { terminal, signal } = talk.options.runtime;
  try {
    return await work();
  } catch (failure) {
    if (signal.aborted) throw signal.reason;
    await tellFailure(failure, terminal);
    return undefined;
  }
}

/** Attaches the files that a question names with `@`, and says what they are. Throws `bad-attachment`. */
async function attachMentioned(talk: Talk, question: string): Promise<void> {
  const { runtime } = talk.options;
  const { files, missing, folders } = await findMentions(question, runtime);
  const attached = await readAttachments(files, runtime, { isInteractive: true });
  if (talk.tools) {
    const { readMentioned } = await import("./server-offers.ts");
    attached.push(...(await talk.waitForServers(() => readMentioned(question, talk.tools))));
  }
  talk.files = [...talk.files, ...attached];
  const say = (text: string): void => runtime.terminal.note(`openclaw: ${text}`);
  if (attached.length > 0) say(`with the question: ${attached.map(describeAttachment).join(", ")}`);
  for (const name of folders) say(`'${name}' is a folder, and only files can be attached`);
  for (const name of missing) say(`there is no file '${name}', so @${name} is sent as words`);
}

/** Offers the files that were dropped on the terminal as attachments; undefined for a text that is none. */
async function offerDropped(
  pasted: string,
  runtime: Runtime,
): Promise<{ text: string; says: string[] } | undefined> {
  const paths = await findDropped(pasted, runtime);
  if (!paths) return undefined;
  try {
    const attachments = await readAttachments(paths, runtime, { isInteractive: true });
    return {
      text: `${paths.map((name) => mention(name, runtime)).join(" ")} `,
      says: [
        ...attachments.map((attachment) => `attaches ${describeAttachment(attachment)}`),
        "Without its @ a path is sent as words.",
      ],
    };
  } catch (error) {
    if (!(error instanceof OpenclawError)) throw error;
    // A file of a kind that cannot be attached is a path that somebody wrote.
    return undefined;
  }
}

/** Tells a failure as the end of the program would, for a session that goes on. Throws what is a bug of ours. */
async function tellFailure(failure: unknown, terminal: Terminal): Promise<void> {
  if (!(failure instanceof OpenclawError)) throw failure;
  await terminal.fail(failure.message, hintOf(failure));
}

/** What a command line would be told to run, and what is there for it here. */
const HERE: readonly (readonly [RegExp, string])[] = [
  [/^(Run the command|Try) again/, "/retry asks again."],
  [/^List the models you can call: openclaw models list$/, "Tab behind /model shows those you can call."],
  [/^openclaw sessions list$/, "/sessions shows them."],
];

function hintOf({ hint }: OpenclawError): string | undefined {
  return HERE.find(([told]) => hint !== undefined && told.test(hint))?.[1] ?? hint;
}

function greeting({ models, conversation, files }: Talk, tools: readonly Tool[] = []): string {
  const { id, turns } = conversation;
  const attached = files.map(({ label }) => ` · ${label}`).join("");
  const session = turns.length === 0 ? "" : ` · session ${id ?? "not kept"}, ${turns.length} so far`;
  const [one, ...others] = tools;
  const given = one ? ` · ${others.length === 0 ? one.name : `${tools.length} tools`}` : "";
  return `openclaw ${VERSION} · ${models[0]?.key ?? ""}${session}${attached}${given} · /help`;
}
