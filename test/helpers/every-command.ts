import { type Action, type Group, isGroup } from "../../src/command-line/declaration.ts";
import { PROGRAM } from "../../src/program.ts";

/** Every command that does something, those that help leaves out, too, with its words. */
export function everyCommand(
  { members = {} }: Group | Action = PROGRAM,
  path: readonly string[] = [],
): { path: string[]; action: Action }[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const below = everyCommand(member, [...path, name]);
    return isGroup(member) ? below : [{ path: [...path, name], action: member }].concat(below);
  });
}
