import { configDefaults, defineConfig } from "vitest/config";
import OrderTests from "./scripts/order-tests.js";

const filesOf = (names: readonly string[]): string[] => names.map((name) => `test/${name}.test.ts`);

/** Files that need a process of their own: they stand in for modules of Node, move its clock, or measure it. */
const ALONE = filesOf([
  "batch/lines/check-input",
  "chat/tools/built-in/folder-elsewhere",
  "chat/tools/run-command",
  "disk/atomic-write",
  "disk/long-lock",
  "faults/time-bounds",
  "volume/volume",
]);

export default defineConfig({
  test: {
    globalSetup: "scripts/set-up-tests.js",
    sequence: { sequencer: OrderTests },
    testTimeout: 30_000,
    // Tests load the SDK, too; bin/openclaw.js does the same for the program.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    // Two cores: one file more than that, as some wait. More only make the timed tests noisy.
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: "alone", include: ALONE } },
      {
        extends: true,
        test: {
          // Every process runs many files: what they load stays loaded, and is quick by then.
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...ALONE],
          isolate: false,
          // Most of what tests make is garbage at once, and programs run again and again: with more room for the one (MiB), and
          // what is compiled of the others kept, tests take a seventh less of a core.
          execArgv: ["--max-semi-space-size=64", "--no-flush-bytecode"],
        },
      },
    ],
  },
});
