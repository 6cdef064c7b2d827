import { Readable } from "node:stream";
import type { HttpResponse, MiddlewareStack } from "@smithy/types";

/**
 * Keeps the body of a good answer from the SDK, which then has nothing to read: it refuses a whole list for one date of
 * a form that it does not know. Gives the text of the last answer once the command is sent.
 */
export function keepBody<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
): () => string {
  let text = "";
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as HttpResponse;
      if (response.statusCode < 300) {
        text = await readText(response.body as AsyncIterable<Uint8Array>);
        response.body = Readable.from([]);
      }
      return result;
    },
    { step: "deserialize", priority: "low", name: "openclawKeepBody" },
  );
  return () => text;
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
