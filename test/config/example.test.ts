import { expect, it } from "vitest";
import { exampleFor } from "../../src/config/example.ts";
import { findSetting, isPlaceholder, listSettings } from "../../src/config/find-setting.ts";
import { parseValue } from "../../src/config/parse-input.ts";
import { validate } from "../../src/config/validate.ts";

/** Every place of the table, with a key or index of the user's choice where one stands. */
const PATHS = listSettings().map(({ segments }) =>
  segments.map((segment) => (segment === "[]" ? 0 : isPlaceholder(segment) ? "mine" : segment)),
);

/** A document that holds this value at this place. */
function documentWith(path: readonly (string | number)[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const inner = documentWith(rest, value);
  return typeof first === "number" ? [inner] : { [first]: inner };
}

it("the example of every setting is a value that the setting takes, as it is typed", () => {
  expect(PATHS.length).toBeGreaterThan(60);
  for (const path of PATHS) {
    const found = findSetting(path);
    if (!found) throw new Error(`${path.join(".")} is not found`);
    const value = parseValue(exampleFor(found), path);
    // What else its object needs is not this setting's to say.
    const problems = validate(documentWith(path, value)).filter((problem) =>
      path.every((segment, index) => problem.path[index] === segment),
    );
    expect({ path, problems }).toEqual({ path, problems: [] });
  }
});
