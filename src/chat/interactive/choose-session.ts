import { usageError } from "../../errors.ts";
import { findSession } from "../sessions/find-session.ts";
import { summarize } from "../sessions/session-documents.ts";
import { readSessions } from "../sessions/session-files.ts";
import { showLast } from "./show-last.ts";
import type { Talk } from "./talk.ts";

/**
 * Goes on with the session of an id, or with one that the person picks from those there are, and shows what was said last
 * in it. Throws `usage` for one that is not there or is open elsewhere.
 */
export async function chooseSession(talk: Talk, typed: string): Promise<void> {
  const { runtime } = talk.options;
  const id = typed === "" ? await pickSession(talk) : (await findSession(runtime, typed)).header.id;
  if (id === undefined) return runtime.terminal.note("the conversation is the same");
  if (id === talk.conversation.id) throw usageError("That is this conversation.", "/sessions");
  await talk.resume(id);
  const { turns } = talk.conversation;
  runtime.terminal.note(`session ${id}, ${turns.length} so far · ${talk.models[0]?.key ?? ""}`);
  await showLast(talk);
}

async function pickSession(talk: Talk): Promise<string | undefined> {
  const { runtime } = talk.options;
  const { sessions } = await readSessions(runtime);
  const others = sessions
    .map(summarize)
    .filter(
      ({ id, emulated, turns }) =>
        id !== talk.conversation.id && turns > 0 && (emulated === true) === runtime.isEmulated,
    );
  if (others.length === 0)
    throw usageError("There is no other conversation.", "/new begins one; this one stays where it is kept.");
  return talk.pick({
    question: "Session",
    columns: [
      { title: "id", least: 7 },
      { title: "last", dropOrder: 2 },
      { title: "turns", align: "right", dropOrder: 3 },
      { title: "about", dropOrder: 1, least: 8 },
    ],
    choices: others.map(({ id, updated, title, turns }) => ({
      value: id,
      words: `${id} ${localTime(updated)} ${title}`,
      cells: [id, localTime(updated), String(turns), title],
      details: [id, localTime(updated), title],
    })),
  });
}

/** A moment as the clock on the wall has it, to the minute. */
function localTime(iso: string): string {
  const date = new Date(iso);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
