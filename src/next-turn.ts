/**
 * So much is worked on at once, in bytes or characters: a few ms of it. What is longer is cut, and others have their turn
 * between the pieces.
 */
export const TURN_BYTES = 1024 * 1024;

/** Resolves when everything else that is due has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** So long the parts of answers are worked on before everything else that is due has its turn, in ms. */
const TURN_MS = 10;

/** When this turn of the event loop has had enough, in ms of performance.now(); undefined before anybody asked. */
let endsAt: number | undefined;
/** Who waits for another turn, longest first. */
const waiting: (() => void)[] = [];

/**
 * To be awaited between the parts of what others send as fast as they like. Promises alone never let go of the event loop:
 * where data is always there, no timer, signal or request of anybody else's would be heard any more. undefined where this
 * turn has time left, which all who ask share; else a promise of a later one, which those who wait share in their order.
 */
export function turnOver(): Promise<void> | undefined {
  if (hasTime()) return undefined;
  return new Promise((resolve) => {
    waiting.push(resolve);
    setImmediate(wake);
  });
}

/** Is asked once for each who waits: Node lets promises run between two of these, so that each finds what time is left. */
function wake(): void {
  if (hasTime()) waiting.shift()?.();
  else setImmediate(wake);
}

function hasTime(): boolean {
  if (endsAt === undefined) {
    endsAt = performance.now() + TURN_MS;
    // Before those who wait for the next turn: they ask later than whoever begins this one.
    setImmediate(() => {
      endsAt = undefined;
    });
  }
  return performance.now() < endsAt;
}

/**
 * Does work as soon as a turn has time left for it. Of thousands of timers that are due together Node calls one right after
 * the other.
 */
export function whenTime(work: () => void): void {
  const over = turnOver();
  if (over) void over.then(work);
  else work();
}

/** What each of some items comes to, in their order, one after the other; others have their turn in between. */
export async function mapInTurns<Item, Made>(
  items: Iterable<Item>,
  make: (item: Item) => Made | Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for (const item of items) {
    const over = turnOver();
    if (over) await over;
    made.push(await make(item));
  }
  return made;
}

/** Work that stops after each part of it that takes a moment. */
export type Steps<Made> = Generator<undefined, Made, undefined>;

/** What such work comes to; others have their turn where it stops. */
export async function inSteps<Made>(work: Steps<Made>): Promise<Made> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    const over = turnOver();
    if (over) await over;
  }
}

/** The same in one go, for who can wait for it. */
export function atOnce<Made>(work: Steps<Made>): Made {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** A text in pieces that are worked on at once, of which none ends within a character. */
export function* piecesOf(text: string, size = TURN_BYTES): Generator<string, void, undefined> {
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + size;
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd8_00 && last <= 0xdb_ff) end += 1;
    yield text.slice(start, end);
  }
}

/** A text in UTF-8: the bytes of 10 million characters of three bytes each take 50 ms to make in one go. */
export async function bytesInTurns(text: string): Promise<Buffer> {
  return Buffer.concat(await mapInTurns(piecesOf(text), (piece) => Buffer.from(piece)));
}

/** Hands on what arrives, and lets others have their turn in between. */
export async function* inTurns<T>(arrivals: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  for await (const arrival of arrivals) {
    const over = turnOver();
    if (over) await over;
    yield arrival;
  }
}
