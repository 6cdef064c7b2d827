import type { HttpResponse, MiddlewareStack } from "@smithy/types";
import { OpenclawError } from "../errors.ts";

/**
 * The largest event-stream frame that is read, in bytes. AWS's are a few hundred; the SDK would set aside whatever
 * length a broken or hostile frame claims before it looks at a checksum.
 */
export const MAX_FRAME_BYTES = 24 * 1024 * 1024;
/** Prelude (8), its checksum (4) and the message's checksum (4). */
const MIN_FRAME_BYTES = 16;

/** Makes a client refuse frames of impossible length, before their bytes are buffered. */
export function guardFrames<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as HttpResponse | undefined;
      const body: unknown = response?.body;
      if (response && isEventStream(response) && isChunks(body)) response.body = checkFrames(body);
      return result;
    },
    { step: "deserialize", priority: "low", name: "openclawGuardFrames" },
  );
}

/** Passes chunks on as they are and follows the frames in them. Throws `bad-response` at a length no frame has. */
export async function* checkFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let remaining = 0;
  let length = 0;
  let lengthBytes = 0;
  for await (const chunk of chunks) {
    let offset = 0;
    while (offset < chunk.length) {
      if (remaining > 0) {
        const step = Math.min(remaining, chunk.length - offset);
        remaining -= step;
        offset += step;
        continue;
      }
      length = length * 256 + (chunk[offset] ?? 0);
      offset += 1;
      lengthBytes += 1;
      if (lengthBytes < 4) continue;
      if (length < MIN_FRAME_BYTES || length > MAX_FRAME_BYTES) {
        // What came before is good, and whoever reads it may still be waiting for it.
        if (offset > lengthBytes) yield chunk.subarray(0, offset - lengthBytes);
        throw impossibleFrame(length);
      }
      remaining = length - 4;
      length = 0;
      lengthBytes = 0;
    }
    yield chunk;
  }
}

function impossibleFrame(length: number): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer holds an event of ${length} bytes; events have ${MIN_FRAME_BYTES} bytes to 24 MB.`,
    hint: "Run the command again; if it stays, a proxy or another server is in between: openclaw doctor",
    details: { frameBytes: length, limitBytes: MAX_FRAME_BYTES },
  });
}

function isEventStream({ headers }: HttpResponse): boolean {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1];
  return type?.includes("application/vnd.amazon.eventstream") === true;
}

function isChunks(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
