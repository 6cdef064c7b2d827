import { expect, it } from "vitest";
import { eachOnce } from "../src/each-once.ts";
import { testRuntime } from "./helpers/test-runtime.ts";
import { createHome } from "./helpers/openclaw.ts";

it.each([
  [["a", "b"], ["a", "b"], ""],
  [["a", "b", "a", "a"], ["a", "b"], "openclaw: --list names 'a' more than once, and it counts once.\n"],
])("has each value of %j once, and says which stood there twice", (values, once, said) => {
  const runtime = testRuntime({ home: createHome() });
  expect(eachOnce(values, "--list", runtime)).toEqual(once);
  expect(runtime.stderr()).toBe(said);
});
