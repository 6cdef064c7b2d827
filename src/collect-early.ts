import { setFlagsFromString } from "node:v8";

/**
 * Has the heap collected when it has grown by half, for whatever runs long with much at once. V8 itself waits until it is up
 * to four times what lives, and what a stream holds lives long enough to be collected only then: a thousand at once took up
 * to 457 MiB, and more in each round. V8 reads this flag at each collection (MemoryController::GrowingFactor).
 */
export function collectEarly(): void {
  setFlagsFromString("--heap-growing-percent=50");
}
