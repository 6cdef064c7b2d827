import { numberOf } from "../../json.ts";
import type { RequestField } from "../request-field.ts";

/** How many of the likeliest tokens to choose from; undefined for all: 0 to Anthropic's API, -1 to vLLM's. Throws `invalid-request`. */
export function readTopK(field: RequestField): number | undefined {
  const asked = numberOf(field.value);
  return asked === 0 || asked === -1 ? undefined : field.given?.count();
}
