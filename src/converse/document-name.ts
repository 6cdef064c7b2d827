/** The most characters of a document's name (the service model of Bedrock Runtime, DocumentBlock). */
const MOST_CHARACTERS = 200;
/** Of a file's name. */
const MOST_LOOKED_AT = 1000;

/** The names that Converse takes: letters and digits of ASCII, single spaces, hyphens, parentheses, square brackets. */
const LEGAL = /^[A-Za-z0-9()[\]-]+(?: [A-Za-z0-9()[\]-]+)*$/;

/**
 * Makes a name that Converse takes for a document, and by which a model can tell it from others: `report (pdf)` for
 * `report.pdf`. Letters and pictures that ASCII has nothing for are told by their code points, `U65E5` for 日. A legal name
 * stays, the same file gets the same name in every turn, and no two documents of a request share one, in whatever case:
 * `taken` holds those of the request and grows.
 */
export function documentName(name: string | undefined, taken: Set<string>): string {
  const isLegal = name !== undefined && name.length <= MOST_CHARACTERS && LEGAL.test(name);
  const base = isLegal ? name : legalName(name ?? "");
  let chosen = base;
  for (let count = 2; taken.has(chosen.toLowerCase()); count++) chosen = cut(base, ` (${count})`);
  taken.add(chosen.toLowerCase());
  return chosen;
}

function legalName(name: string): string {
  const extension = /\.([a-z0-9]{1,10})$/i.exec(name.slice(-11))?.[1];
  const stem = extension === undefined ? name : name.slice(0, -extension.length - 1);
  // Looked at no further: what follows takes its time with what it removes, and a name is cut far before.
  const legal = stem
    .slice(0, MOST_LOOKED_AT)
    .normalize("NFKD")
    .replace(/(?<=[A-Za-z])\p{M}+/gu, "")
    .normalize("NFC")
    .replace(/[^\p{ASCII}\p{P}\p{Z}\p{C}]+/gu, (others) => `-${codePoints(others)}-`)
    .replace(/[^A-Za-z0-9\s()[\]-]+/g, "-")
    .replace(/\s+/g, " ")
    .replace(/-{2,}/g, "-")
    .replace(/^[\s-]+|[\s-]+$/g, "");
  const base = /[A-Za-z0-9]/.test(legal) ? legal : "Document";
  return cut(base, extension === undefined ? "" : ` (${extension})`);
}

function codePoints(text: string): string {
  return Array.from(text, (character) => `U${character.codePointAt(0)?.toString(16).toUpperCase()}`).join(
    "-",
  );
}

function cut(base: string, suffix: string): string {
  return `${base.slice(0, MOST_CHARACTERS - suffix.length).trimEnd()}${suffix}`;
}
