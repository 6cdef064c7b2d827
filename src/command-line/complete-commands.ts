import type { GlobalOptions } from "../options.ts";
import { repeatFlags } from "../config/repeat-flags.ts";
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
  if (repeatFlags(options).length === 0) return text;
  return text
    .split(/(?<![\w/.-])(?=openclaw [a-z])/)
    .map((part) => completeCommand(part, program, options))
    .join("");
}

function completeCommand(text: string, program: Program, options: GlobalOptions): string {
  const [name = "", ...words] = text.split(/(?= )/);
  if (name !== program.name) return text;
  const path = pathOf(words, program);
  const [first] = path;
  if (first === undefined || ALONE.has(first)) return text;
  const names = (flag: string): boolean => new RegExp(`\\s${flag}(?![\\w-])`).test(text);
  const isElsewhere = names("--profile") || names("--endpoint-url");
  const isEmulated = names("--emulator") || names("--emulator-script");
  const ofFiles = OF_FILES.has(first);
  const keep = <T>(flag: string, value: T, isIdle = false): T | undefined =>
    names(flag) || isIdle ? undefined : value;
  const flags = repeatFlags({
    ...options,
    config: keep("--config", options.config),
    region: keep("--region", options.region, ofFiles),
    profile: keep("--profile", options.profile, ofFiles || isEmulated),
    endpointUrl: keep("--endpoint-url", options.endpointUrl, ofFiles || isEmulated),
    emulator: keep("--emulator", options.emulator === true, ofFiles || isElsewhere) ?? false,
    emulatorScript: keep("--emulator-script", options.emulatorScript, ofFiles || isElsewhere),
  });
  const command = [name, ...path].join(" ");
  return [command, ...flags].join(" ") + text.slice(command.length);
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
