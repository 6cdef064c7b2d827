import { expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";

/** The longest argument that Linux takes is a little longer. */
const NAME = "A".repeat(120_000);
const PART = "a".repeat(60_000);

it.each([
  [["models", "show", NAME], 6],
  [["models", "set", NAME], 6],
  [["models", "set", "--force", NAME], 6],
  [["chat", "-m", NAME, "hi"], 6],
  [["chat", "-m", `us.${NAME}`, "hi"], 6],
  [["models", "list", "--provider", NAME], 0],
  [["config", "set", NAME, "1"], 3],
  [["config", "set", `models.providers.${PART}.${PART}`, "1"], 3],
  [["config", "get", `models.providers.${PART}.${PART}`], 3],
  [["config", "unset", NAME], 3],
  [["config", "set", "models.bedrockDiscovery.region", NAME], 3],
  [["--profile", NAME, "models", "list"], 4],
  [["models", "list", `--${NAME}`], 2],
  [[NAME], 2],
  [["models", NAME], 2],
  [["chat", "--session", NAME, "hi"], 2],
  [["chat", "--reasoning", NAME, "hi"], 2],
  [["serve", "--map", NAME], 2],
  [["serve", "--api-key-file", NAME], 2],
  [["emulator", "--fault", NAME], 2],
])("a name of any length is looked for quickly and told in short: %.60s", async (args, code) => {
  const { run } = await emulate();
  const started = performance.now();
  const result = await run(args, { env: { AWS_REGION: "us-east-1" } });
  expect(result.code).toBe(code);
  expect(result.stdout.length).toBeLessThan(5000);
  expect(result.stderr.length).toBeLessThan(10_000);
  expect(performance.now() - started).toBeLessThan(5000);
});
