import { discoverySettings } from "../config/resolve.ts";
import { isSameLesson, type Lessons } from "../converse/apply-lessons.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { isRecord } from "../json.ts";
import type { Setup } from "../session/session.ts";
import type { Lesson } from "../session/refusal-table.ts";
import { entryFile, readEntry } from "./cache-entry.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = "lessons-1";
/** Services change what their models take: so long after the first of them lessons are forgotten without a new list, too. In ms. */
const FORGET_AFTER_MS = 24 * 3600 * 1000;
/** The most that is kept of a model. */
const MOST_LESSONS = 50;

/** What is kept of a model. */
interface Entry {
  /** When the first of it was learnt, in ms since 1970. */
  since: number;
  lessons: Lessons;
}

/**
 * What refusals have taught about the model at a place (where it is called, and its id), until its list is loaded anew.
 * Nothing where nothing is cached.
 */
export async function recallLessons(setup: Setup, place: readonly string[]): Promise<Lessons> {
  const file = fileOf(setup, place);
  const entry = file === undefined ? undefined : await read(file, setup.runtime.now());
  return entry?.lessons ?? [];
}

/** Keeps what was learnt of a model for the next calls, of other processes, too; costs nothing but that where it cannot be written. */
export async function keepLessons(setup: Setup, place: readonly string[], lessons: Lessons): Promise<void> {
  const file = fileOf(setup, place);
  if (file === undefined || setup.keepsNothing) return;
  const { runtime } = setup;
  const { tryToKeep, withCacheLock, writeLessons } = await import("./cache-write.ts");
  await tryToKeep(runtime, () =>
    withCacheLock(file, runtime, async () => {
      const now = runtime.now();
      const { since, lessons: known } = (await read(file, now)) ?? { since: now, lessons: [] };
      const isNew = (lesson: Lesson): boolean => !known.some((other) => isSameLesson(lesson, other));
      const all = [...known, ...lessons.filter(isNew)].slice(-MOST_LESSONS);
      await writeLessons(file, { form: FORM, since, lessons: all }, now);
    }),
  );
}

/** The file for a place; undefined where nothing is cached. */
function fileOf({ runtime, config }: Setup, place: readonly string[]): string | undefined {
  const isCached = discoverySettings(config.value).refreshInterval > 0 && !runtime.isEmulated;
  return isCached ? entryFile(stateFolder(runtime), [FORM, ...place], "lessons") : undefined;
}

async function read(file: string, now: number): Promise<Entry | undefined> {
  const { since, lessons } = (await readEntry(file, FORM)) ?? {};
  if (typeof since !== "number" || !Array.isArray(lessons)) return undefined;
  const age = now - since;
  return age >= 0 && age < FORGET_AFTER_MS ? { since, lessons: lessons.filter(isLesson) } : undefined;
}

/** Whether a value reads as a lesson. A name that means nothing changes nothing. */
function isLesson(value: unknown): value is Lesson {
  if (!isRecord(value) || typeof value["name"] !== "string") return false;
  const { value: of } = value;
  if (Array.isArray(of)) return of.every((item) => typeof item === "string");
  return of === undefined || typeof of === "string" || (typeof of === "number" && of > 0);
}
