import { closingOf } from "../../src/command-line/examples.ts";
import { leavesOf } from "../../src/command-line/help-text.ts";
import { TOPIC_ROWS } from "../../src/command-line/topics.ts";
import { PROGRAM } from "../../src/program.ts";
import { commandManual } from "./command-page.ts";
import { code, fence, table } from "./markdown.ts";
import { manPage } from "./roff.ts";

/** Those that have a page of docs/ to themselves. */
const TOPICS = TOPIC_ROWS.filter(([, { section }]) => section === undefined);

/**
 * The man pages by their file names: `openclaw.1`, one for each command in section 1, for each topic in section 7. `read`
 * reads a page of docs/ by its path there, `version` is the program's.
 */
export function manPages(read: (name: string) => string, version: string): Map<string, string> {
  const pageOf = (name: string, section: number, says: string, text: string) =>
    [`${name}.${section}`, manPage({ name, section, says: lowerFirst(says), version, text })] as const;
  return new Map([
    pageOf("openclaw", 1, PROGRAM.description, mainPage(read)),
    ...leavesOf(PROGRAM).map((leaf) =>
      pageOf(`openclaw-${leaf.path.replaceAll(" ", "-")}`, 1, leaf.action.description, commandManual(leaf)),
    ),
    ...TOPICS.map(([name, { page, says }]) =>
      pageOf(`openclaw-${name}`, 7, says, `## Description\n\n${withoutTitle(read(`${page}.md`))}`),
    ),
  ]);
}

/** What `man openclaw` shows, as Markdown. */
function mainPage(read: (name: string) => string): string {
  const section = (page: string, heading: string): string =>
    new RegExp(`^## ${heading}\n[^]*?(?=\n## |\n<!--|$(?![^]))`, "m").exec(read(page))?.[0] ?? "";
  const examples = ["doctor", "models list", "models set", "chat"].flatMap((name) =>
    closingOf(name).examples.slice(0, 1),
  );
  return [
    "## Synopsis",
    "`openclaw` [options] `command` [options] [arguments]",
    "## Description",
    PROGRAM.description,
    "## Commands",
    table(
      ["command", "what it does"],
      leavesOf(PROGRAM).map(({ path, action }) => [code(`openclaw ${path}`), action.description]),
    ),
    section("commands/README.md", "Global options"),
    "## Examples",
    fence("sh", examples.map(({ line }) => line).join("\n")),
    section("scripting.md", "Exit codes"),
    section("scripting.md", "Environment"),
    "## Files",
    table(
      ["file", "what it holds"],
      [
        [code("~/.openclaw/openclaw.json"), "The configuration: `openclaw help config`."],
        [code("~/.openclaw/sessions"), "Conversations: `openclaw help sessions`."],
        [code("~/.openclaw/cache"), "Lists that can be asked for again."],
        [code("~/.aws"), "The AWS CLI's configuration and credentials."],
      ],
    ),
    "## To read",
    table(
      ["page", "about"],
      TOPICS.map(([name, { says }]) => [`**openclaw-${name}**(7)`, says]),
    ),
  ].join("\n\n");
}

function withoutTitle(text: string): string {
  return text.replace(/^# .*\n/, "");
}

function lowerFirst(text: string): string {
  const bare = text.replace(/\.$/, "");
  return /^[A-Z][a-z]/.test(bare) && !/^(?:Amazon|Bedrock|Ollama|Tab)/.test(bare)
    ? bare.charAt(0).toLowerCase() + bare.slice(1)
    : bare;
}
