import type { Attachment } from "../../converse/attachments.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import { didYouMean } from "../../models/nearest.ts";
import { settlesWithin } from "../../settles-within.ts";
import { findMentions } from "./file-mentions.ts";
import { attachmentOf } from "./files-to-send-again.ts";
import type { McpPrompt, McpServer, PromptMessage } from "../tools/mcp/open-server.ts";
import type { SessionTools } from "./session-tools.ts";
import type { Talk } from "./talk.ts";

/** Whoever presses Tab waits no longer for a server than this, in ms; what comes later is there the next time. */
const COMPLETION_MS = 500;
/** How long what a server has is kept for completion, in ms. */
const KEPT_MS = 60_000;
/** `@` before a word. */
const MENTION = /(?<=^|[\s(["'])@(\S+)/g;
/** What may stand behind an address and is not of it. */
const CLOSING = /[.,;:!?)\]}"']+$/;

function serversOf(tools: SessionTools | undefined): McpServer[] {
  return (tools?.origins ?? []).flatMap(({ failure, toolbox }) => (failure ? [] : toolbox.servers));
}

/**
 * `/prompt`: shows the prompts of the servers, or has one filled in, to be edited and sent as the next question.
 * Throws `usage`, and what goes wrong with the server.
 */
export async function runPrompt(talk: Talk, argument: string): Promise<void> {
  const servers = serversOf(talk.tools);
  const { terminal } = talk.options.runtime;
  if (servers.length === 0)
    throw usageError("No MCP server is connected, and prompts are of those.", "/tools add SERVER");
  if (argument === "") {
    const lines = await talk.waitForServers(() => linesOf(servers));
    for (const [usage, says] of lines) terminal.note(says, `${usage}  `);
    if (lines.length === 0) terminal.note("no server here has prompts");
    return;
  }
  const [, name = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(argument) ?? [];
  const messages = await talk.waitForServers(() => fillPrompt(servers, name, rest));
  const text = textOf(messages);
  const words = await withoutMentions(text, talk);
  talk.draft = asQuestion(words);
  const files = messages.flatMap(({ content }) => content.flatMap(attachmentOf));
  talk.files = [...talk.files, ...files];
  for (const { label } of files) terminal.note(`openclaw: with the question: ${label}`);
  if (words !== text)
    terminal.note("openclaw: what the prompt names with @ is sent as words; without its \\ it is attached");
}

/**
 * A server's text, in which nothing is a mention any more where something would be attached: who sends a long text has hardly
 * looked for the files that another program names in it.
 */
async function withoutMentions(text: string, talk: Talk): Promise<string> {
  const servers = serversOf(talk.tools);
  const { files } = await findMentions(text, talk.options.runtime);
  const isAttached = ([, word = ""]: RegExpExecArray): boolean =>
    servers.some(({ name }) => word.startsWith(`${name}:`));
  if (files.length === 0 && ![...text.matchAll(MENTION)].some(isAttached)) return text;
  return text.replaceAll(MENTION, "\\@$1");
}

/** A server's text as something to send: a space before it makes a question of what else would be a command. */
function asQuestion(text: string): string {
  return /^[/!]|^\S+\s*$/.test(text) ? ` ${text}` : text;
}

/** The messages of a prompt. Throws `usage` for one that is not there, and for what it is not given. */
async function fillPrompt(
  servers: readonly McpServer[],
  name: string,
  given: string,
): Promise<readonly PromptMessage[]> {
  const server = servers.find((one) => name.startsWith(`${one.name}:`));
  const prompt = (await server?.prompts())?.find((one) => name === `${server?.name}:${one.name}`);
  if (server && prompt) return server.getPrompt(prompt.name, readArguments(given, server, prompt));
  const known = (await Promise.all(servers.map(namesOfPrompts))).flat();
  throw usageError(
    `There is no prompt '${shorten(name)}'.`,
    didYouMean(name, known, "/prompt shows those there are."),
  );
}

/** What each prompt is called, with its parameters, and what it does. */
async function linesOf(servers: readonly McpServer[]): Promise<[usage: string, says: string][]> {
  const lines = servers.map(async (server) => {
    const prompts = await server.prompts();
    return prompts.map((prompt): [string, string] => [
      usageOf(server.name, prompt),
      prompt.description ?? "",
    ]);
  });
  return (await Promise.all(lines)).flat();
}

function usageOf(server: string, { name, arguments: parameters }: McpPrompt): string {
  const words = parameters.map((one) => (one.isRequired ? `${one.name}=…` : `[${one.name}=…]`));
  return [`${server}:${name}`, ...words].join(" ");
}

async function namesOfPrompts(server: McpServer): Promise<string[]> {
  return (await server.prompts()).map(({ name }) => `${server.name}:${name}`);
}

/** `NAME=VALUE` words, a value with spaces in quotes. Throws `usage`. */
function readArguments(text: string, { name }: McpServer, prompt: McpPrompt): Record<string, string> {
  const { arguments: parameters } = prompt;
  const values: Record<string, string> = {};
  const form = `/prompt ${usageOf(name, prompt)}`;
  for (const [word, key, quoted, single, plain = ""] of text.matchAll(
    /([^\s=]+)=(?:"([^"]*)"|'([^']*)'|(\S*))|\S+/g,
  )) {
    if (key === undefined || !parameters.some((one) => one.name === key))
      throw usageError(`'${shorten(key ?? word)}' is no argument of this prompt.`, form);
    values[key] = quoted ?? single ?? plain;
  }
  const missing = parameters.filter((one) => one.isRequired && values[one.name] === undefined);
  if (missing.length > 0)
    throw usageError(`The prompt needs ${missing.map((one) => one.name).join(" and ")}.`, form);
  return values;
}

/** The words of messages as one text to edit; where the model's are among them each says whose they are. */
function textOf(messages: readonly PromptMessage[]): string {
  const isDialogue = messages.some(({ role }) => role === "assistant");
  return messages
    .flatMap(({ role, content }) => {
      const words = content.flatMap((block) => ("text" in block ? block.text : [])).join("\n\n");
      return words === "" ? [] : [isDialogue ? `${role === "user" ? "Me" : "You"}: ${words}` : words];
    })
    .join("\n\n");
}

/**
 * The contents of what a question names as `@server:uri`, as attachments. Throws what goes wrong with the server; a word
 * that no server's name begins is none of them.
 */
export async function readMentioned(
  question: string,
  tools: SessionTools | undefined,
): Promise<Attachment[]> {
  const servers = serversOf(tools);
  const found = new Map<string, () => Promise<Attachment[]>>();
  for (const [, word = ""] of question.matchAll(MENTION)) {
    const server = servers.find(({ name }) => word.startsWith(`${name}:`));
    const uri = word.slice((server?.name.length ?? 0) + 1).replace(CLOSING, "");
    if (server && uri !== "") found.set(`${server.name}:${uri}`, () => readResource(server, uri));
  }
  const read = [];
  for (const work of found.values()) read.push(...(await work()));
  return read;
}

async function readResource(server: McpServer, uri: string): Promise<Attachment[]> {
  const blocks = await server.readResource(uri);
  const label = `${server.name}:${uri}`;
  const files = blocks.flatMap((block): Attachment[] => {
    if (!("text" in block)) return attachmentOf(block);
    const fileName = `${uri.split("/").at(-1) || "resource"}.txt`;
    const bytes = Buffer.from(block.text);
    return [{ label, fileName, file: { kind: "document", format: "txt" }, bytes }];
  });
  for (const file of files) file.label = label;
  if (files.length === 0)
    throw new OpenclawError("bad-attachment", {
      message: `There is nothing in '${shorten(label)}' that could be attached.`,
      hint: "Name another resource.",
    });
  return files;
}

/** What a server has, as it was asked before, by what it is asked. */
const kept = new WeakMap<McpServer, Map<string, { at: number; names: Promise<string[]> }>>();

/** What could stand for the beginning of a mention, behind its `@`: servers, and what one has to be read. */
export async function completeMention(talk: Talk, begun: string): Promise<string[]> {
  const servers = serversOf(talk.tools);
  const server = servers.find(({ name }) => begun.startsWith(`${name}:`));
  const names = server
    ? await soon(talk, server, "resources", async () =>
        (await server.resources()).map(({ uri, uriTemplate = "" }) => `${server.name}:${uri ?? uriTemplate}`),
      )
    : servers.map(({ name }) => `${name}:`);
  return names.filter((name) => name.startsWith(begun));
}

/** The prompts that `/prompt` can be given. */
export async function completePrompt(talk: Talk): Promise<string[]> {
  const servers = serversOf(talk.tools);
  const names = await Promise.all(
    servers.map((server) => soon(talk, server, "prompts", () => namesOfPrompts(server))),
  );
  return names.flat();
}

/** What a server answers, or has answered not long ago. For Tab there is nothing where it fails, or takes long. */
async function soon(
  { options: { runtime } }: Talk,
  server: McpServer,
  what: string,
  ask: () => Promise<string[]>,
): Promise<string[]> {
  const lists = kept.get(server) ?? new Map<string, { at: number; names: Promise<string[]> }>();
  kept.set(server, lists);
  const before = lists.get(what);
  if (before && runtime.elapsed() - before.at < KEPT_MS) return inTime(before.names);
  const names = ask().catch(nothingIfKnown);
  lists.set(what, { at: runtime.elapsed(), names });
  return inTime(names);
}

/** What comes within the time that whoever presses Tab waits; nothing where it comes later. */
export async function inTime(names: Promise<string[]>): Promise<string[]> {
  return (await settlesWithin(COMPLETION_MS, names)) ? names : [];
}

/** What went wrong with a server is told where it is asked in earnest. */
function nothingIfKnown(error: unknown): string[] {
  if (error instanceof OpenclawError) return [];
  throw error;
}
