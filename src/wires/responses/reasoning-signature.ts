/*
 * A conversation keeps the reasoning of an answer as Converse has it: text, and a signature that proves it. What proves a
 * reasoning item of Responses is its encrypted content, which holds for its id.
 */

/** A reasoning item that its model can read again. */
export interface SignedItem {
  /** Empty where the server gave none. */
  id: string;
  encrypted: string;
}

/** The signature that a reasoning item is kept under. */
export function toSignature({ id, encrypted }: SignedItem): string {
  return `${id}:${encrypted}`;
}

/** The item that a signature stands for; undefined for one of another API, none of which has a colon. */
export function readSignature(signature: string | undefined): SignedItem | undefined {
  const [, id, encrypted] = /^([\w-]*):(.+)$/s.exec(signature ?? "") ?? [];
  return id === undefined || encrypted === undefined ? undefined : { id, encrypted };
}
