import type { JsonObject } from "../../json.ts";
import type { RequestField } from "../request-field.ts";

/** The most values that the schema of one tool may hold: it is looked through in one go, and one for a model has hundreds. */
export const MOST_SCHEMA_VALUES = 10_000;

/** The schema of a tool's input; an empty one where none is given. Throws `invalid-request`. */
export function readToolSchema(field: RequestField): JsonObject {
  const schema = field.given?.object() ?? {};
  if (!holdsMore(schema, MOST_SCHEMA_VALUES)) return schema;
  throw field.refused(
    `'${field.param}' holds more values than the ${MOST_SCHEMA_VALUES} that the schema of a tool may have.`,
  );
}

/** Whether an object holds more than so many values, those within others among them. */
function holdsMore(object: JsonObject, most: number): boolean {
  const containers: object[] = [object];
  let values = 0;
  for (let container = containers.pop(); container; container = containers.pop()) {
    for (const value of Object.values(container) as unknown[]) {
      if (++values > most) return true;
      if (typeof value === "object" && value !== null) containers.push(value);
    }
  }
  return false;
}
