import { decodeHTMLStrict } from "entities";
import { neutralise } from "./neutralise.ts";

/**
 * The character that a reference of HTML stands for, such as `&eacute;` or `&#39;`, harmless and on one line; the reference
 * itself where there is none.
 */
export function characterOf(reference: string): string {
  return neutralise(decodeHTMLStrict(reference)).replaceAll(/[\t\n]/g, " ");
}
