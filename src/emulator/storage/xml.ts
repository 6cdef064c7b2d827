import { escapeXml } from "../aws-error.ts";
import { StorageError } from "./storage-error.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** What stands in an element: text, or elements by their names, those of an array one after the other. */
export type XmlContent = string | number | boolean | { readonly [name: string]: XmlField };

type XmlField = XmlContent | readonly XmlContent[] | undefined;

/** A document of S3's. What is undefined is left out. */
export function toXml(root: string, fields: Readonly<Record<string, XmlField>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${fieldsToXml(fields)}</${root}>`;
}

function fieldsToXml(fields: Readonly<Record<string, XmlField>>): string {
  return Object.entries(fields)
    .flatMap(([name, field]) =>
      [field ?? []].flat().map((content) => elementToXml(name, content as XmlContent)),
    )
    .join("");
}

function elementToXml(name: string, content: XmlContent): string {
  const inside = typeof content === "object" ? fieldsToXml(content) : escapeXml(String(content));
  return `<${name}>${inside}</${name}>`;
}

/** What stands in each element of a name, outside of others of that name. Throws `StorageError` for one that does not end. */
export function insideOf(xml: string, name: string): string[] {
  const found: string[] = [];
  const [open, close] = [new RegExp(`<${name}(?:\\s[^<>]*)?>`, "y"), `</${name}>`];
  for (let at = xml.indexOf(`<${name}`); at !== -1; at = xml.indexOf(`<${name}`, at)) {
    open.lastIndex = at;
    const start = open.exec(xml);
    if (start === null) {
      at += 1;
      continue;
    }
    const from = at + start[0].length;
    const end = xml.indexOf(close, from);
    if (end === -1) throw new StorageError("MalformedXML");
    found.push(xml.slice(from, end));
    at = end + close.length;
  }
  return found;
}

/** The text of the first element of a name; undefined where there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const [text] = insideOf(xml, name);
  return text?.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi, unescape).trim();
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescape(all: string, hex?: string, decimal?: string, name = ""): string {
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return Number.isNaN(code)
    ? (NAMED[name.toLowerCase()] ?? all)
    : String.fromCodePoint(Math.min(code, 0x10ffff));
}
