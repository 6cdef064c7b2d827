import type { Ask } from "../../converse/plan-request.ts";
import { isRequestMetadata } from "../../converse/request-metadata.ts";
import { MOST_ITEMS, type RequestField } from "../request-field.ts";

/** Marks for the invocation logs, as far as Converse takes them: they never change the answer. Throws `invalid-request`. */
export function readMetadata(field: RequestField | undefined): Pick<Ask, "metadata"> & { notices: string[] } {
  if (!field) return { metadata: undefined, notices: [] };
  const names = Object.keys(field.object());
  if (names.length > MOST_ITEMS)
    throw field.refused(`'${field.param}' has ${names.length} names, and may have ${MOST_ITEMS}.`);
  // Some clients keep what their own servers want there: lists, objects.
  const pairs = names.map((key) => [key, field.at(key).value] as const);
  const kept = pairs
    .filter(
      (pair): pair is [string, string] => typeof pair[1] === "string" && isRequestMetadata(pair[0], pair[1]),
    )
    .slice(0, MOST_METADATA);
  const left = pairs.filter(([, value]) => (value ?? null) !== null).length - kept.length;
  return {
    metadata: kept.length === 0 ? undefined : Object.fromEntries(kept),
    notices: left === 0 ? [] : [`${left} of metadata are left out: Converse does not take them`],
  };
}

/** OpenAI's bound is Converse's own. */
const MOST_METADATA = 16;
