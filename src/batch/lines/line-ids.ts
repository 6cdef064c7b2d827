import { hash as hashOnce } from "node:crypto";

/** Words of four bytes a slot: three of a hash, and the number of the line. */
const WORDS = 4;

/**
 * The ids of a file's lines, each by 96 bits of its hash: 16 bytes a line and as much again for room, whatever the ids are.
 * Two that are not the same are taken for the same once in 10^17 files of a million lines.
 */
export class LineIds {
  #slots = new Uint32Array(1024 * WORDS);
  #count = 0;

  /** Takes the id of a line. Returns the number of the line that had it before; undefined where none had. */
  add(id: string, line: number): number | undefined {
    if (this.#count * WORDS * 2 > this.#slots.length) this.#grow();
    const words = hashOf(id);
    const place = placeOf(this.#slots, words);
    const before = this.#slots[place + 3] ?? 0;
    if (before !== 0) return before;
    this.#slots.set([...words, line], place);
    this.#count += 1;
    return undefined;
  }

  /** The line that has an id; undefined where none has. */
  find(id: string): number | undefined {
    const line = this.#slots[placeOf(this.#slots, hashOf(id)) + 3] ?? 0;
    return line === 0 ? undefined : line;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 3] === 0) continue;
      const words = [old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0] as const;
      this.#slots.set(old.subarray(at, at + WORDS), placeOf(this.#slots, words));
    }
  }
}

function hashOf(id: string): readonly [number, number, number] {
  const hash = hashOnce("sha256", id, "buffer");
  return [hash.readUInt32LE(0), hash.readUInt32LE(4), hash.readUInt32LE(8)];
}

/** Where a hash is, or would be: lines have numbers from 1, so that a slot without one is free. */
function placeOf(slots: Uint32Array, [first, second, third]: readonly [number, number, number]): number {
  const mask = slots.length / WORDS - 1;
  for (let slot = first & mask; ; slot = (slot + 1) & mask) {
    const at = slot * WORDS;
    const isFree = slots[at + 3] === 0;
    if (isFree || (slots[at] === first && slots[at + 1] === second && slots[at + 2] === third)) return at;
  }
}
