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
