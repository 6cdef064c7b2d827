import { isRecord, type JsonObject } from "../../json.ts";
import type { Call } from "../call.ts";
import type { AnswerService } from "../dialect.ts";
import { fetchRemoteImages } from "../remote-image.ts";

/** The URL of a part of what is said, where it has one that is to be fetched. */
type UrlOf = (part: JsonObject) => unknown;

/** Fetches what is said by URLs, where the server may; undefined where it may not. Throws as `fetchRemoteImages`. */
export async function fetchAllowed(
  { upstream, allowsRemoteImages }: Pick<AnswerService, "upstream" | "allowsRemoteImages">,
  { signal }: Pick<Call, "signal">,
  said: unknown,
  urlOf: UrlOf,
): Promise<Map<string, Uint8Array> | undefined> {
  if (!allowsRemoteImages) return undefined;
  return fetchRemoteImages(urlsIn(said, urlOf), signal, undefined, await upstream.network());
}

/** Where parts stand within what is said: in messages, results of tools and documents. */
const HOLDERS = ["content", "output", "source"] as const;

/** The URLs in what is said, each once. Reads no more of it than that: what is wrong is found later. */
export function urlsIn(said: unknown, urlOf: UrlOf): string[] {
  const urls = new Set<string>();
  const look = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) look(item);
    if (!isRecord(value)) return;
    const url = urlOf(value);
    if (typeof url === "string") urls.add(url);
    for (const name of HOLDERS) look(value[name]);
  };
  look(said);
  return [...urls];
}
