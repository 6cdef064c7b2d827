import { type Action, commandAt, type Group, isGroup, type Program } from "../command-line/declaration.ts";
import { helpCommand, leavesOf, overview } from "../command-line/help-text.ts";
import { meantBy } from "../command-line/other-words.ts";
import { type Topic, TOPIC_ROWS, type TopicName } from "../command-line/topics.ts";
import { editDistance } from "../edit-distance.ts";
import { errorCode, OpenclawError, usageError } from "../errors.ts";
import { nearestIds } from "../models/nearest.ts";
import type { GlobalOptions } from "../options.ts";
import { readPackageText } from "../package-file.ts";
import type { Runtime } from "../runtime.ts";
import { plainStyle } from "../terminal/color.ts";
import { markdownRenderer } from "../terminal/markdown-renderer.ts";
import { showInPager } from "../command-line/pager.ts";

export interface HelpOptions extends GlobalOptions {
  /** The words of a command or a topic; none for what there is. */
  topic: string[];
  program: Program;
}

/**
 * Shows what the package says about a command or a topic: on a terminal laid out and in a pager, in a pipe as the Markdown
 * that it is. Throws `usage` where nothing has that name.
 */
export async function run({ topic, program }: HelpOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const style = await terminal.stdoutStyle();
  const words = topic
    .join(" ")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const name = (words[0] === program.name ? words.slice(1) : words).join(" ");
  const found = name === "" ? undefined : findPages(name, program);
  const isDocument = terminal.format === "json";
  const layout = isDocument ? { columns: Infinity, style: plainStyle } : { columns: terminal.columns, style };
  const text = found ? readPages(found) : overview(program, layout);
  if (isDocument) return terminal.printJson({ name, text });
  if (!terminal.isStdoutTTY || !found) return terminal.write(text);
  // Not every pager knows links.
  const markdown = markdownRenderer(style, terminal.columns, {});
  const shown = `${await markdown.push(forReading(text))}${markdown.end()}\n`;
  if (!(await showInPager(terminal.forOthers(shown), runtime))) await terminal.write(shown);
}

/** What has a name: a command with its path, a topic, or both. */
interface Found {
  command: { path: string; member: Group | Action } | undefined;
  topic: Topic | undefined;
}

function findPages(name: string, program: Program): Found {
  // A manual page has its words joined: openclaw-models-list.
  const named = name.replaceAll(" ", "-").replace(new RegExp(`^${program.name}-`), "");
  const topic = TOPIC_ROWS.find(([known, { also = [] }]) => known === named || also.includes(named))?.[1];
  const path = named.replaceAll("-", " ");
  const command = commandAt(program, path.split(" "));
  const member = command && (isGroup(command) || !command.isHidden) ? command : undefined;
  if (topic || member) return { topic, command: member && { path, member } };
  throw usageError(`Nothing is known about '${name}'.`, hintFor(name, program));
}

/** What is meant by a name that nothing has: one that begins or is written like it, or what it is called here. */
function hintFor(name: string, program: Program): string {
  const known: string[] = [...TOPIC_ROWS.map(([own]) => own), ...commandNames(program)];
  const meant = name.length > 1 ? known.find((one) => one.startsWith(name)) : undefined;
  const other = meant === undefined ? meantBy(name) : undefined;
  if (other && "hint" in other) return other.hint;
  const near =
    meant ??
    other?.command ??
    nearestIds(name, known, 1).find((id) => editDistance(name, id) < name.length * 0.6);
  return near === undefined ? helpCommand() : `Did you mean ${helpCommand(near)}?`;
}

/** Groups and commands by their words. */
function commandNames(program: Program): string[] {
  const paths = leavesOf(program).map(({ path }) => path);
  return [
    ...new Set(
      paths.flatMap((path) => path.split(" ").map((_, index, all) => all.slice(0, index + 1).join(" "))),
    ),
  ];
}

/** The text: a command's page, then the topic that has its name; of a group its commands. */
function readPages({ command, topic }: Found): string {
  const pages: string[] = [];
  if (command && !isGroup(command.member))
    pages.push(readPage(`commands/${command.path.replaceAll(" ", "-")}`));
  if (topic) pages.push(sectionOf(readPage(topic.page), topic.section));
  if (command && isGroup(command.member))
    pages.push(groupPage(command.path, command.member, topic === undefined));
  return pages.join("\n");
}

function readPage(name: string): string {
  try {
    const text = readPackageText(`docs/${name}.md`);
    // A note for who would edit the page.
    return text.replace(/\n*<!-- [^]*? -->\n/, "\n");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new OpenclawError("internal", {
      message: `The page docs/${name}.md is missing in this installation.`,
      hint: "Install the package again: npm install -g openclaw",
      cause: error,
    });
  }
}

/** The section of a page under a heading, as a page of its own. */
function sectionOf(text: string, heading: string | undefined): string {
  if (heading === undefined) return text;
  const start = text.indexOf(`\n## ${heading}\n`);
  const end = text.indexOf("\n## ", start + 1);
  return `#${text.slice(start + "\n##".length, end < 0 ? undefined : end).trimEnd()}\n`;
}

function groupPage(path: string, group: Group, isAlone: boolean): string {
  const rows = leavesOf(group, path.split(" ")).map(
    (leaf) => `| \`openclaw ${leaf.path}\` | ${leaf.action.description} |`,
  );
  const opening = isAlone ? `# openclaw ${path}\n\n${group.description}` : "## Commands";
  return [opening, "", "| command | what it does |", "| --- | --- |", ...rows, ""].join("\n");
}

const FENCE = /^(```[^]*?^```)$/gm;
const LINK = /!?\[((?:[^[\]`]|`[^`]*`)*)\]\(([^()\s]+)\)/g;

/** A page without what leads nowhere on a terminal: a link to another page names the command that shows it, once. */
function forReading(page: string): string {
  const named = new Set<string>();
  const withoutLinks = (text: string): string =>
    text.replaceAll(LINK, (whole: string, words: string, target: string) => {
      if (/^https?:/.test(target)) return whole;
      const topic = topicAt(target);
      if (topic === undefined || named.has(topic)) return words;
      named.add(topic);
      return `${words} (\`${helpCommand(topic)}\`)`;
    });
  return page
    .split(FENCE)
    .map((text) => (text.startsWith("```") ? text : withoutLinks(text)))
    .join("");
}

/** The topic that a link between pages leads to. */
function topicAt(target: string): TopicName | undefined {
  const [file = "", anchor = ""] = target.split("#");
  const page = /^(?:\.\.\/)?([\w-]+)\.md$/.exec(file)?.[1];
  const all = TOPIC_ROWS.filter(([, topic]) => topic.page === page);
  const own = all.find(([, { section }]) => section?.toLowerCase().replaceAll(" ", "-") === anchor);
  return (own ?? all.find(([, { section }]) => section === undefined))?.[0];
}
