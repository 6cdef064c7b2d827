import { isRecord, recordsAt, textAt } from "../../../json.ts";
import { isRemote } from "../../content/read-files.ts";

/**
 * The remote images of a request, each once: in what is said, and in what tools gave. Reads no more of it than that: what is
 * wrong is found later.
 */
export function remoteImageUrls(body: unknown): string[] {
  if (!isRecord(body)) return [];
  const parts = recordsAt(body, "input").flatMap((item) =>
    recordsAt(item, "content").concat(recordsAt(item, "output")),
  );
  const urls = parts.flatMap((part) => {
    const url = textAt(part, "type") === "input_image" ? textAt(part, "image_url") : undefined;
    return url !== undefined && isRemote(url) ? [url] : [];
  });
  return [...new Set(urls)];
}
