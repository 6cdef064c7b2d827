/** The most characters of a document's name (the service model of Bedrock Runtime, DocumentBlock). */
const MOST_CHARACTERS = 200;
/** Of a file's name. */
const MOST_LOOKED_AT = 1000;

/**
 * Makes a name that Converse takes for a document out of a file's: letters and digits of ASCII, single spaces, hyphens,
 * parentheses and square brackets, without the extension. The same file gets the same name in every turn, and no two
 * documents of a request share one: `taken` holds those of the request and grows.
 */
export function documentName(fileName: string | undefined, taken: Set<string>): string {
  // Looked at no further: what follows takes its time with what it removes, and a name is cut far before.
  const legal = (fileName ?? "")
    .slice(0, MOST_LOOKED_AT)
    .replace(/\.[a-z0-9]+$/i, "")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9\s()[\]-]+/g, "-")
    .replace(/\s+/g, " ")
    .replace(/-{2,}/g, "-")
    .replace(/^[\s-]+|[\s-]+$/g, "");
  // A name in another script leaves nothing behind.
  const base = /[A-Za-z0-9]/.test(legal) ? legal : "Document";
  let name = base.slice(0, MOST_CHARACTERS).trimEnd();
  for (let count = 2; taken.has(name); count++) {
    const suffix = ` (${count})`;
    name = `${base.slice(0, MOST_CHARACTERS - suffix.length).trimEnd()}${suffix}`;
  }
  taken.add(name);
  return name;
}
