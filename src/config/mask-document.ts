import JSON5 from "json5";
import { MASK } from "../network/user-info.ts";
import { valueAt } from "./edit-value.ts";
import { parseJson5 } from "./parse-json5.ts";
import { maskSecrets } from "./secrets.ts";
import { listNodes, scanDocument } from "./spans.ts";

/** A copy of a valid JSON5 text with every secret replaced by `****`. It has the same structure and number of lines. */
export function maskDocument(text: string): string {
  const { root } = scanDocument(text);
  if (root === undefined) return text;
  const document = parseJson5(text);
  const whole = maskSecrets(document);
  let masked = "";
  let at = 0;
  for (const { node, path } of listNodes(root)) {
    if (node.kind !== "scalar") continue;
    const source = text.slice(node.start, node.end);
    const value: unknown = JSON5.parse(source);
    // Of a key that stands there twice the document has the last.
    const isHeld = valueAt(document, path) === value;
    const shown = isHeld ? valueAt(whole, path) : maskSecrets(value, path);
    if (shown === value) continue;
    const quote = source.startsWith("'") ? "'" : '"';
    const continuations = source.match(/\r\n|[\n\r\u2028\u2029]/g) ?? [];
    const lines = continuations.map((lineEnd) => `\\${lineEnd}`).join("");
    masked += text.slice(at, node.start) + quote + String(shown) + lines + quote;
    at = node.end;
  }
  return masked + text.slice(at);
}

/** A copy of a text that cannot be parsed, of the same length, with everything hidden that might be a secret. */
export function maskBrokenText(text: string): string {
  const hide = (_: string, before: string, secret: string): string =>
    before + secret.replaceAll(/[^\n\r\u2028\u2029]/g, MASK.charAt(0));
  return text
    .replaceAll(
      /((?:key|secret|token|password|passwd|passphrase|credentials?|authorization)["']?[ \t]*:[ \t]*)([^\n\r]*)/gi,
      hide,
    )
    .replaceAll(/(:\s*["'])([^\n\r]*)/g, hide);
}
