import type { Call } from "../call.ts";
import type { AnswerService } from "../dialect.ts";
import { fetchRemoteImages } from "../remote-image.ts";

/** Fetches what a request names by URLs, where the server may; undefined where it may not. Throws as `fetchRemoteImages`. */
export async function fetchAllowed(
  { upstream, allowsRemoteImages }: Pick<AnswerService, "upstream" | "allowsRemoteImages">,
  { signal }: Pick<Call, "signal">,
  urls: () => readonly string[],
): Promise<Map<string, Uint8Array> | undefined> {
  if (!allowsRemoteImages) return undefined;
  return fetchRemoteImages(urls(), signal, undefined, await upstream.network());
}
