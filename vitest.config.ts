import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "scripts/set-up-tests.js",
    testTimeout: 30_000,
    // Tests load the SDK, too; bin/openclaw.js does the same for the program.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    // Two cores: more workers than that only make the timed tests noisy.
    maxWorkers: 2,
  },
});
