import { readdir } from "node:fs/promises";
import { discoverySettings } from "../config/resolve.ts";
import { isSameLesson, type Lessons } from "../converse/apply-lessons.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { isRecord } from "../json.ts";
import { nextTurn } from "../next-turn.ts";
import type { Setup } from "../session/session.ts";
import type { Lesson } from "../session/refusal-table.ts";
import { cacheFolder, entryFile, readEntry } from "./cache-entry.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = "lessons-1";
/** Services change what their models take: so long after the first of them lessons are forgotten without a new list, too. In ms. */
const FORGET_AFTER_MS = 24 * 3600 * 1000;
/** The most that is kept of a model. */
const MOST_LESSONS = 50;

/** A process that runs for long looks again after so long, in ms: another may have learnt something, or loaded a new list. */
const LOOK_AGAIN_MS = 1000;
/** What was read so long ago is used once more, and read anew behind the call that asks, in ms: no call waits for the disk. */
const STILL_GOOD_MS = 60_000;
/** Clients of a server may name any ARN: of so many places what was read is remembered. */
const MOST_REMEMBERED = 1000;

/** How long another process is waited for once the program was stopped, in ms. */
const STOPPED_MS = 200;

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
  const { elapsed, now } = setup.runtime;
  const remembered = memoryOf(setup);
  const key = JSON.stringify(place);
  const known = remembered.get(key);
  const age = known ? elapsed() - known.at : Number.POSITIVE_INFINITY;
  if (known && age < LOOK_AGAIN_MS) return (await known.entry)?.lessons ?? [];
  const file = known?.file ?? fileOf(setup, place);
  if (file === undefined) return [];
  const isStillGood = known !== undefined && age < STILL_GOOD_MS;
  const entry = isStillGood ? nextTurn().then(() => read(file, now())) : read(file, now());
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(key, { at: elapsed(), file, entry });
  return (await (isStillGood ? known.entry : entry))?.lessons ?? [];
}

/** What was read of a place, from where, and when on the clock of the process, in ms. */
type Memory = Map<string, { at: number; file: string; entry: Promise<Entry | undefined> }>;

/** By the configuration that a command has loaded: `serve` has one for all its requests. */
const memories = new WeakMap<Setup["config"], Memory>();

function memoryOf({ config }: Setup): Memory {
  const memory = memories.get(config) ?? new Map();
  memories.set(config, memory);
  return memory;
}

/** Whether refusals may have taught anything of any model. What cannot be read has not, as with an entry. */
export async function hasLessons({ runtime }: Setup): Promise<boolean> {
  const names = await readdir(cacheFolder(stateFolder(runtime))).catch((): string[] => []);
  return names.some((name) => name.startsWith("lessons-"));
}

/** Keeps what was learnt of a model for the next calls, of other processes, too; costs nothing but that where it cannot be written. */
export async function keepLessons(setup: Setup, place: readonly string[], lessons: Lessons): Promise<void> {
  const file = fileOf(setup, place);
  if (file === undefined || setup.keepsNothing) return;
  const { signal } = setup.runtime;
  // Who has stopped the program waits for no other process.
  const runtime = { ...setup.runtime, signal: signal.aborted ? AbortSignal.timeout(STOPPED_MS) : signal };
  const { tryToKeep, withCacheLock, writeLessons } = await import("./cache-write.ts");
  await tryToKeep(runtime, () =>
    withCacheLock(file, runtime, async () => {
      const now = runtime.now();
      const { since, lessons: known } = (await read(file, now)) ?? { since: now, lessons: [] };
      const isNew = (lesson: Lesson): boolean => !known.some((other) => isSameLesson(lesson, other));
      const news = lessons.filter(isNew);
      const all = [...known, ...news].slice(-MOST_LESSONS);
      // By which API a model is called is in the list.
      const changesList = news.some(({ name }) => name === "other-wire");
      await writeLessons(file, { form: FORM, since, lessons: all }, { now, changesList });
    }),
  );
  memoryOf(setup).delete(JSON.stringify(place));
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
