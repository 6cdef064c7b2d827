import { configDefaults, defineConfig } from "vitest/config";

/** Rooms of pure functions: their tests touch no file, no socket and no environment, and share one place to run in. */
const PURE = [
  "aws",
  "command-line",
  "completion",
  "iam",
  "models",
  "serve/dialects",
  "terminal",
  "wires",
].map((room) => `test/${room}/**/*.test.ts`);

export default defineConfig({
  test: {
    globalSetup: "scripts/set-up-tests.js",
    testTimeout: 30_000,
    // Tests load the SDK, too; bin/openclaw.js does the same for the program.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    // Two cores: more workers than that only make the timed tests noisy.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "pure", include: PURE, pool: "threads", isolate: false } },
      {
        extends: true,
        test: { name: "own", include: ["test/**/*.test.ts"], exclude: [...configDefaults.exclude, ...PURE] },
      },
    ],
  },
});
