import type { GlobalOptions } from "../options.ts";
import { maskUrl } from "../network/user-info.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type Action, type Group, memberOf, type Program } from "./declaration.ts";

/** Commands that look at nothing that a flag of every command decides. */
const ALONE = new Set(["completion", "emulator", "help", "sessions"]);
/** Commands that ask no model and no AWS: of those flags only the file of the configuration is theirs. */
const OF_FILES = new Set(["config", "mcp", "templates", "tools", "usage"]);

/**
 * A text whose commands to paste say what the command line said of configuration, profile, region and endpoint: without that
 * they would look elsewhere than it did. What a command names itself stays as it is.
 */
export function completeCommands(text: string, program: Program, options: GlobalOptions): string {
  const flags = flagsOf(options);
  if (flags.length === 0) return text;
  return text
    .split(/(?<![\w/.-])(?=(?:openclaw|aws) [a-z])/)
    .map((part) => completeForAws(completeCommand(part, program, flags), flags))
    .join("");
}

/** Commands of the AWS CLI that answer the same in every region. */
const OF_NO_REGION = new Set(["configure", "iam", "login", "sso", "sts"]);

/** The same for a command of the AWS CLI, which has a profile and a region, too. */
function completeForAws(text: string, flags: readonly string[][]): string {
  const [command, service = ""] = /^aws ([a-z\d-]+)(?: [a-z\d]+(?:-[a-z\d]+)*)?(?![\w/.:-])/.exec(text) ?? [];
  if (command === undefined) return text;
  const isWanted = ([flag = ""]: readonly string[]): boolean =>
    (flag === "--profile" || (flag === "--region" && !OF_NO_REGION.has(service))) &&
    !text.includes(`${flag} `);
  return [command, ...flags.filter(isWanted).flat()].join(" ") + text.slice(command.length);
}

/** Those flags of a command line, as a shell takes them. A secret in a URL is for who pastes it to put in. */
function flagsOf({
  config,
  profile,
  region,
  endpointUrl,
  emulator,
  emulatorScript,
}: GlobalOptions): string[][] {
  const flags = Object.entries({
    "--config": config,
    "--profile": profile,
    "--region": region,
    "--endpoint-url": endpointUrl,
    "--emulator-script": emulatorScript,
  }).flatMap(([flag, value]) => (value === undefined ? [] : [[flag, quoteForShell(maskUrl(value))]]));
  return emulator ? [["--emulator"], ...flags] : flags;
}

function completeCommand(text: string, program: Program, flags: readonly string[][]): string {
  const [name = "", ...words] = text.split(/(?= )/);
  if (name !== program.name) return text;
  const path = pathOf(words, program);
  const [first] = path;
  if (first === undefined || ALONE.has(first)) return text;
  const names = (flag: string): boolean => new RegExp(`\\s${flag}(?![\\w-])`).test(text);
  const isElsewhere = names("--profile") || names("--endpoint-url");
  const isEmulated = names("--emulator") || names("--emulator-script");
  const isWanted = ([flag = ""]: readonly string[]): boolean => {
    if (names(flag)) return false;
    if (flag === "--config") return true;
    if (OF_FILES.has(first)) return false;
    return flag.startsWith("--emulator") ? !isElsewhere : flag === "--region" || !isEmulated;
  };
  const command = [name, ...path].join(" ");
  return [command, ...flags.filter(isWanted).flat()].join(" ") + text.slice(command.length);
}

/** The words of a text that name a command, up to its arguments. */
function pathOf(words: readonly string[], program: Program): string[] {
  const path: string[] = [];
  let command: Group | Action | undefined = program;
  for (const word of words) {
    // Punctuation ends a command in a sentence.
    const name = /^ ([a-z]+)/.exec(word)?.[1];
    command = name === undefined ? undefined : memberOf(command, name);
    if (name === undefined || command === undefined) break;
    path.push(name);
    if (word.length > name.length + 1) break;
  }
  return path;
}
