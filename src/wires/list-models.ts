import { OpenclawError } from "../errors.ts";
import { JsonBoundsError } from "../json-bounds.ts";
import { servedApi } from "../models/provider-api.ts";
import { parseInTurns } from "../parse-in-turns.ts";
import { readBytes } from "../read-bytes.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { ServerLine } from "./call-server.ts";

/** The largest list that is read, in bytes. */
const LARGEST_LIST = 8 * 1024 * 1024;
/** Some of the servers that sell other people's models have a thousand. */
const MOST_MODELS = 10_000;

/**
 * Asks a server for the ids of its models (GET /models), in its own order. Throws the errors of the line, and
 * `bad-response` for what is no list, or one that is too long.
 */
export async function askForModels(line: ServerLine, signal: AbortSignal): Promise<string[]> {
  const { server } = line;
  const { body } = await line.send({ path: servedApi(server.api).list }, signal);
  const tooLong = (): Error => new JsonBoundsError(`it has more than ${LARGEST_LIST} bytes`);
  try {
    const bytes = await readBytes(body, { most: LARGEST_LIST, tooLong });
    return idsIn(await parseInTurns(bytes));
  } catch (cause) {
    if (signal.aborted && signal.reason instanceof OpenclawError) throw signal.reason;
    if (cause instanceof JsonBoundsError)
      throw new OpenclawError("bad-response", {
        message: `${server.shownUrl}/models is too long a list to be read: ${cause.message}.`,
        hint: `Name those to be called: openclaw config set ${quoteForShell(`models.providers.${server.name}.models`)} '[{id: "MODEL"}]'`,
        cause,
      });
    throw new OpenclawError("bad-response", {
      message: `${server.shownUrl}/models is not a list of models.`,
      hint: `Check baseUrl; it is like ${servedApi(server.api).exampleUrl}`,
      cause,
    });
  }
}

/** The ids in `{data: [{id}]}`. Throws for anything else. */
function idsIn(list: unknown): string[] {
  const { data } = list as { data?: unknown };
  if (!Array.isArray(data)) throw new Error("There is no list under data.");
  if (data.length > MOST_MODELS) throw new JsonBoundsError(`it has more than ${MOST_MODELS} models`);
  const ids = data.map((model: { id?: unknown } | null) => model?.id);
  return [...new Set(ids.filter((id): id is string => typeof id === "string" && id !== ""))];
}
