import { commandToolsOf, mcpServersOf } from "../../config/configured-tools.ts";
import { BUILT_IN_TOOLS } from "../../config/settings.ts";
import { shorten, usageError } from "../../errors.ts";
import { didYouMean } from "../../models/nearest.ts";
import { widest } from "../../terminal/table.ts";
import { neutralise } from "../../terminal/neutralise.ts";
import { describeSource } from "../tools/ask-for-leave.ts";
import { type Leave, matchesPattern } from "../tools/leave.ts";
import { inTime } from "./server-offers.ts";
import type { ListedTool, SessionTools, ToolOrigin } from "./session-tools.ts";
import type { Talk } from "./talk.ts";

/** Of a server with more tools so many are shown. */
const MOST_SHOWN = 40;

/**
 * `/tools`: shows the tools there are, adds some, switches some, or connects a server again. Throws `usage`, and what is
 * wrong with one that is added.
 */
export async function runTools(talk: Talk, argument: string): Promise<void> {
  const names = argument.split(/\s+/).filter((name) => name !== "");
  const [first, ...added] = names;
  if (first === "add") {
    if (added.length === 0) throw usageError("Nothing is named that is to be added.", "/tools add read-file");
    const configured = mcpServersOf(talk.setup.config.value);
    const servers = added.filter((name) => configured.has(name));
    await talk.addTools({ tools: added.filter((name) => !configured.has(name)), servers });
  } else await switchTools(talk, names);
  await showTools(talk);
}

/** What could stand behind `/tools`: names of tools and servers there are, and behind `add` of those there may be. */
export async function completeTools(talk: Talk, typed: string): Promise<string[]> {
  const [, before] = /^(add\s+(?:\S+\s+)*)\S*$/.exec(typed) ?? [];
  if (before === undefined) return ["add", ...(await toolNames(talk))];
  const { value } = talk.setup.config;
  const names = [...mcpServersOf(value).keys(), ...commandToolsOf(value).keys(), ...BUILT_IN_TOOLS];
  return names.map((name) => before + name);
}

/** The names of tools that there are, and of the servers. */
export async function toolNames({ tools }: Talk): Promise<string[]> {
  const listed = tools ? await inTime(tools.list().then((all) => all.map(({ tool }) => tool.name))) : [];
  const servers = (tools?.origins ?? []).flatMap(({ server }) => server ?? []);
  return [...servers, ...listed];
}

/** `/allow`: shows what may run without a question, allows what fits a pattern, or nothing any more. */
export async function runAllow(talk: Talk, argument: string): Promise<void> {
  const tools = await talk.openTools();
  const { permits } = tools;
  const { terminal } = talk.options.runtime;
  const listed = await list(talk);
  if (argument === "none") permits.forget();
  else if (argument !== "")
    permits.allow(
      argument,
      listed.map(({ tool }) => tool),
    );
  const said = [...new Set([...permits.allowed, ...permits.always])];
  const bySettings = listed
    .filter(({ tool }) => !said.some((one) => matchesPattern(tool.name, one)))
    .filter(({ tool }) => permits.judge(tool, {}).kind === "run")
    .map(({ tool }) => `${tool.name} (by the settings)`);
  const allowed = [...said, ...bySettings];
  terminal.note(`allowed without a question: ${allowed.length === 0 ? "nothing" : allowed.join(", ")}`);
  const isNew = argument !== "" && argument !== "none";
  // A tool may know several leaves, each with its own name behind it: `aws:write`.
  const isOfThese = ({ tool: { name } }: ListedTool): boolean =>
    matchesPattern(name, argument) || argument.startsWith(`${name}:`);
  if (isNew && !listed.some(isOfThese)) terminal.note("so far no tool here has such a name");
}

/** Switches what names or patterns stand for; a server that is gone is connected again. */
async function switchTools(talk: Talk, names: readonly string[]): Promise<void> {
  const { tools } = talk;
  for (const name of names) {
    const origin = tools?.origins.find(({ server }) => server === name);
    if (tools && origin?.failure) {
      await talk.waitForServers((signal) => tools.reconnect(origin, signal));
      continue;
    }
    const listed = await list(talk);
    const isMeant = (one: ListedTool): boolean =>
      one.origin === origin || matchesPattern(one.tool.name, name);
    const meant = listed.filter(isMeant).map(({ tool }) => tool.name);
    if (meant.length === 0) throw noTool(name, listed);
    tools?.switch(meant);
  }
}

function noTool(name: string, listed: readonly ListedTool[]): Error {
  const names = listed.map(({ tool }) => tool.name);
  return usageError(
    `There is no tool '${shorten(name)}' here.`,
    didYouMean(name, names, `/tools add ${name}`),
  );
}

/** All tools there are; servers are waited for until Ctrl-C. */
async function list(talk: Talk): Promise<ListedTool[]> {
  const { tools } = talk;
  return tools ? talk.waitForServers(() => tools.list()) : [];
}

async function showTools(talk: Talk): Promise<void> {
  const { tools } = talk;
  const { terminal } = talk.options.runtime;
  const listed = await list(talk);
  const origins = tools?.origins ?? [];
  if (origins.length === 0) return terminal.note("no tools; /tools add NAME gives the model some");
  const shown = origins.flatMap((origin) => {
    const own = listed.filter((one) => one.origin === origin);
    return lines(origin, own, tools);
  });
  const width = widest(shown.map(([name]) => name)) + 2;
  for (const [name, says] of shown) terminal.note(says, `${name}${" ".repeat(width - widest([name]))}`);
}

type Line = [name: string, says: string];

function lines(origin: ToolOrigin, listed: readonly ListedTool[], tools: SessionTools | undefined): Line[] {
  const name = neutralise(origin.server ?? "");
  if (origin.failure) return [[name, `is gone: ${origin.failure.message} /tools ${name} connects it again`]];
  if (listed.length === 0) return [[name, "has no tools"]];
  const shown = listed.slice(0, MOST_SHOWN).map(({ tool, isOff }): Line => {
    const leave = isOff ? "off" : describeLeave(tools?.permits.judge(tool, {}));
    return [neutralise(tool.name), `${leave} · ${describeSource(tool.source)}`];
  });
  const left = listed.length - shown.length;
  return left === 0 ? shown : [...shown, ["…", `${left} more of ${name}; Tab completes their names`]];
}

function describeLeave(leave: Leave | undefined): string {
  if (leave?.kind === "run") return "allowed";
  return leave?.kind === "ask" ? "asks" : "never";
}
