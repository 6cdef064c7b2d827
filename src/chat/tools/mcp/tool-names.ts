import { sha256Hex } from "../../../aws/digest.ts";

/** The longest name that Converse takes for a tool, in characters (ToolSpecification of Bedrock Runtime's service model). */
const MOST_CHARACTERS = 64;
/** What a server's name may take of it. */
const MOST_OF_SERVER = 30;
/** Between a server's name and that of its tool. */
const SEPARATOR = "__";

/**
 * What the names of a server's tools begin with. A legal name stays; any other gets a mark, made from all of it. No
 * prefix is the beginning of another, so tools of two servers never share a name.
 */
export function prefixOf(server: string): string {
  const legal = legalName(server).replaceAll(/_{2,}/g, "_").replaceAll(/^_|_$/g, "");
  const isOwn = legal === server && legal.length <= MOST_OF_SERVER;
  return (isOwn ? legal : marked(legal || "server", server, MOST_OF_SERVER)) + SEPARATOR;
}

/**
 * What a model calls the tools of a server, in their order: 1 to 64 of `a-z A-Z 0-9 _ -`. What is too long, or would be
 * the same as another, gets a mark made from the name that the server has for it, so that it has the same one tomorrow.
 */
export function nameTools(server: string, tools: readonly string[]): string[] {
  const prefix = prefixOf(server);
  const room = MOST_CHARACTERS - prefix.length;
  const legal = tools.map(legalName);
  const counts = new Map<string, number>();
  for (const name of legal) counts.set(name, (counts.get(name) ?? 0) + 1);
  return tools.map((tool, index) => {
    const name = legal[index] ?? "";
    const isTaken = name !== tool && (counts.get(name) ?? 0) > 1;
    // Of a name in another script nothing is left.
    const isTelling = /[a-zA-Z0-9]/.test(name);
    const isOwn = isTelling && name.length <= room && !isTaken;
    return prefix + (isOwn ? name : marked(isTelling ? name : "tool", tool, room));
  });
}

function legalName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
}

/** A legal name of at most so many characters that ends in a mark of the whole. */
function marked(legal: string, whole: string, most: number): string {
  const mark = sha256Hex(whole).slice(0, 8);
  return `${legal.slice(0, most - mark.length - 1)}-${mark}`;
}
