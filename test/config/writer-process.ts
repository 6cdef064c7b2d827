import { updateConfig } from "../../src/config/update.ts";
import { createRuntime } from "../../src/runtime.ts";

/*
 * A process that writes the configuration again and again, for tests that start many and kill some.
 * writer-process ID COUNT [FILLING]: sets `models.providers.ID-N.headers.X` to N for N from 0 up to COUNT, a line on
 * stdout after each; FILLING makes every write that many characters long and sets two settings that must stay equal.
 */
const [id = "", count = "1", filling = "0"] = process.argv.slice(2);
const runtime = createRuntime(() => new AbortController().signal);

for (let index = 0; index < Number(count); index += 1) {
  const filler = `${index} ${"x".repeat(Number(filling))}`;
  await updateConfig({}, runtime, [
    {
      op: "set",
      path: ["models", "providers", filling === "0" ? `${id}-${index}` : "p", "headers"],
      value: { X: String(index) },
    },
    ...(filling === "0"
      ? []
      : [
          { op: "set" as const, path: ["agents", "defaults", "models", "first"], value: { alias: filler } },
          { op: "set" as const, path: ["agents", "defaults", "models", "second"], value: { alias: filler } },
        ]),
  ]);
  process.stdout.write(`${index}\n`);
}
