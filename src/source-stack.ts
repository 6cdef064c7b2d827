import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { readPackageFile } from "./package-file.ts";

/** The places of a stack in the bundle as places in the sources: `src/main.ts:52` for `…/dist/main.js:6:65012`. */
export function withSources(stack: string): string {
  const folder = import.meta.dirname;
  const prefix = folder + path.sep;
  const [start = "", ...rest] = stack.split(prefix);
  if (rest.length === 0) return stack;
  const payloads = readMaps();
  const maps = new Map<string, SourceMap>();
  const named = rest.map((text) => {
    const [place = "", file = "", line, column] = /^([\w-]+\.js):(\d+):(\d+)/.exec(text) ?? [];
    const payload = payloads[file];
    if (!payload) return prefix + text;
    const map = maps.get(file) ?? new SourceMap(payload);
    maps.set(file, map);
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in entry) || !entry.originalSource) return prefix + text;
    return `${entry.originalSource}:${entry.originalLine + 1}${text.slice(place.length)}`;
  });
  return start + named.join("");
}

/** The maps that the build has written, by file. */
function readMaps(): Partial<Record<string, SourceMapPayload>> {
  try {
    const text = gunzipSync(readPackageFile("dist/sources.json.gz")).toString();
    return JSON.parse(text) as Record<string, SourceMapPayload>;
  } catch {
    // The sources run unbuilt, or part of the program is gone: the bug is told with the places there are.
    return {};
  }
}
