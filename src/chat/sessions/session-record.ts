import { isRecord, wellFormed, withBase64As } from "../../json.ts";
import { ifJson } from "../../json-bounds.ts";
import { parseExactly, toJson } from "../../json-numbers.ts";
import type { Message } from "@aws-sdk/client-bedrock-runtime";
import type { TokenUsage } from "../../models/usage.ts";
import { questionOf, type Turn } from "../../converse/conversation.ts";
import { turnOver } from "../../next-turn.ts";

/**
 * Raised when the form of the lines changes. In form 1 a turn had a `user` and an `assistant` message in place of
 * `messages`, in form 2 no line but its own.
 */
const FORM = 3;
const READABLE: ReadonlySet<unknown> = new Set([1, 2, FORM]);

/** The first line of a session file. */
export interface SessionHeader {
  id: string;
  /** Absolute path of the folder that the session was begun in. */
  folder: string;
  /** When it was begun, as ISO 8601. */
  created: string;
  /** Set where the emulator answers: nothing in it was said by a model. */
  emulated?: true;
}

/**
 * One question and its answer. In a session file the question is a line by itself, written before it is asked: a turn
 * without an answer yet. What comes of it is the next line.
 */
export interface KeptTurn extends Turn {
  /** When the answer ended, as ISO 8601. */
  at: string;
  /** The key of the model that was asked for; `model` is the id that answered. */
  key: string;
  /** As AWS put it; `interrupted` for an answer that did not come to its end, or not at all. */
  stopReason: string;
  usage?: TokenUsage | undefined;
}

export interface Course {
  /** The turns that count, those that were asked again only once. */
  readonly turns: KeptTurn[];
  /** What summaries took the place of, the newest last, to be put back. */
  readonly compactions: Compaction[];
}

interface Compaction {
  before: readonly KeptTurn[];
  /** How many turns there were with it. */
  length: number;
}

export interface SessionContent extends Pick<Course, "turns">, Partial<Pick<Course, "compactions">> {
  header: SessionHeader;
  /** What it was called by somebody; undefined where its first question has to do. */
  title?: string | undefined;
  /** How many lines could not be read. A last line that is cut off is not one of them: it was never written whole. */
  damagedLines: number;
}

/** The line of a header, with its line end. */
export function headerLine(header: SessionHeader): string {
  return `${JSON.stringify({ type: "session", form: FORM, ...header })}\n`;
}

/**
 * How a turn comes to those before it: behind them, in place of the last one because it was asked again, as the answer
 * to the last one, whose question is there already, or as a summary of all but the last one, in their place.
 */
export type Place = "new" | "retry" | "answer" | "summary";

/** Adds a turn at its place. */
export function placeTurn({ turns, compactions }: Course, turn: KeptTurn, place: Place): void {
  if (place === "summary") {
    const before = [...turns];
    turns.splice(0, Math.max(0, turns.length - 1), turn);
    compactions.push({ before, length: turns.length });
    return;
  }
  if (place !== "new") turns.pop();
  turns.push(turn);
}

/** Takes the last thing back: the newest turn, or the summary that nothing has followed. */
export function undoLast({ turns, compactions }: Course): void {
  const last = compactions.at(-1);
  if (last?.length === turns.length) {
    compactions.pop();
    turns.splice(0, turns.length, ...last.before);
  } else turns.pop();
}

/** The line that takes back what was last, which stays in the file. `at` is ISO 8601. */
export function undoLine(at: string): string {
  return `${JSON.stringify({ type: "undo", at })}\n`;
}

/** The line that gives a session a title, or takes it away. */
export function titleLine(title: string | undefined): string {
  return `${JSON.stringify({ type: "title", title: wellFormed(title ?? "") })}\n`;
}

const TYPES = { new: "turn", retry: "turn", answer: "answer", summary: "summary" } as const;

/** The line of a turn, with its line end; bytes become base64. */
export function turnLine(turn: KeptTurn, place: Place): string {
  const { messages } = turn;
  const [head, said] =
    place === "answer"
      ? [{ type: "answer" }, messages.slice(1)]
      : [{ type: TYPES[place], ...(place === "retry" ? { replaces: true } : {}) }, messages];
  const line = { ...head, ...(packBytes(wellFormed({ ...turn, messages: said })) as object) };
  return `${toJson(line)}\n`;
}

/**
 * Reads the text of a session file up to its last line end, with turns for others in between: one with pictures has hundreds
 * of megabytes. Undefined when it does not begin as a session does.
 */
export async function parseSession(text: string): Promise<SessionContent | undefined> {
  const [first = "", ...lines] = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  const header = readHeader(parseLine(first));
  if (!header) return undefined;
  const course: Course = { turns: [], compactions: [] };
  let title: string | undefined;
  let damagedLines = 0;
  let isLastDamaged = false;
  for (const line of lines) {
    if (line === "") continue;
    const over = turnOver();
    if (over) await over;
    const record = parseLine(line);
    const type = isRecord(record) ? record["type"] : undefined;
    if (type === "title" && isRecord(record) && typeof record["title"] === "string") {
      title = record["title"] === "" ? undefined : record["title"];
      continue;
    }
    if (type === "undo") {
      // What cannot be read is taken back with its line.
      if (!isLastDamaged) undoLast(course);
      isLastDamaged = false;
      continue;
    }
    const turn = readTurn(record, isLastDamaged ? undefined : course.turns.at(-1));
    if (!turn) damagedLines += 1;
    else placeTurn(course, turn, placeOf(record, isLastDamaged));
    isLastDamaged = !turn;
  }
  const { turns, compactions } = course;
  return {
    header,
    turns,
    ...(compactions.length > 0 ? { compactions } : {}),
    ...(title === undefined ? {} : { title }),
    damagedLines,
  };
}

function placeOf(record: unknown, isLastDamaged: boolean): Place {
  if (!isRecord(record)) return "new";
  if (record["type"] === "summary") return "summary";
  if (isLastDamaged) return "new";
  return record["type"] === "answer" ? "answer" : record["replaces"] === true ? "retry" : "new";
}

function parseLine(line: string): unknown {
  return ifJson(() => wellFormed(parseExactly(line, unpackBytes)));
}

function readHeader(value: unknown): SessionHeader | undefined {
  if (!isRecord(value) || value["type"] !== "session" || !READABLE.has(value["form"])) return undefined;
  const { id, folder, created, emulated } = value;
  return typeof id === "string" && typeof folder === "string" && typeof created === "string"
    ? { id, folder, created, ...(emulated === true ? { emulated } : {}) }
    : undefined;
}

/** A turn, or the answer to the question of the turn `before`. */
function readTurn(value: unknown, before: KeptTurn | undefined): KeptTurn | undefined {
  if (!isRecord(value)) return undefined;
  const { type, replaces: _, user, assistant, messages: said = [user, assistant], ...turn } = value;
  if (type !== "turn" && type !== "summary" && (type !== "answer" || !before)) return undefined;
  const messages = type === "answer" && before && Array.isArray(said) ? [questionOf(before), ...said] : said;
  const isTurn =
    ["at", "key", "model", "stopReason"].every((name) => typeof turn[name] === "string") &&
    Array.isArray(messages) &&
    messages.length >= 2 &&
    messages.every(isMessage);
  return isTurn ? ({ ...turn, messages } as unknown as KeptTurn) : undefined;
}

function isMessage(value: unknown): value is Message {
  return (
    isRecord(value) &&
    (value["role"] === "user" || value["role"] === "assistant") &&
    Array.isArray(value["content"]) &&
    value["content"].every(isRecord)
  );
}

/** The name under which bytes stand in a line. */
const BYTES = "$bytes";

/** Puts base64 in place of bytes: JSON has none. */
export function packBytes(value: unknown): unknown {
  return withBase64As((base64) => ({ [BYTES]: base64 }), value);
}

function unpackBytes(_: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const base64 = value[BYTES];
  return typeof base64 === "string" && Object.keys(value).length === 1
    ? new Uint8Array(Buffer.from(base64, "base64"))
    : value;
}
