import { commandAt, type Program, visibleMembers } from "../command-line/declaration.ts";
import { TOPIC_ROWS } from "../command-line/topics.ts";
import type { Candidate } from "./value-kinds.ts";

/** What `help` may go on with behind these words: the commands there, and at the beginning the topics. */
export function topicCandidates(program: Program, words: readonly string[]): Candidate[] {
  const command = commandAt(program, words);
  const members = command === undefined ? [] : visibleMembers(command);
  const commands = members.map(([value, { description }]) => ({ value, description }));
  const topics =
    words.length === 0 ? TOPIC_ROWS.map(([value, { says }]) => ({ value, description: says })) : [];
  return [...commands, ...topics.filter(({ value }) => !commands.some((other) => other.value === value))];
}
