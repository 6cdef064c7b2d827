import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { readSetup } from "../../../src/session/session.ts";
import { loadConfig } from "../../../src/config/resolve.ts";
import { modelNames } from "../../../src/chat/interactive/model-names.ts";
import { servedFile, writeServed } from "../../../src/discovery/load-served.ts";
import { serverOf } from "../../../src/wires/server.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

it("offers aliases, configured and served models, and the catalog where AWS was never asked", async () => {
  const home = createHome();
  const file = path.join(home, "openclaw.json");
  writeFileSync(
    file,
    JSON.stringify({
      agents: { defaults: { models: { "amazon-bedrock/amazon.nova-pro-v1:0": { alias: "pro" } } } },
      models: {
        providers: {
          "amazon-bedrock": { models: [{ id: "my.own-model" }] },
          local: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "llama3" }] },
          listing: { baseUrl: "http://127.0.0.1:9/v1" },
        },
      },
    }),
  );
  const runtime = testRuntime({ home, env: { AWS_REGION: "us-east-1" } });
  const options = { config: file, color: false };
  const config = await loadConfig(options, runtime);
  const server = serverOf("listing", config.value.models?.providers?.["listing"], runtime.env);
  const kept = servedFile(path.join(home, ".openclaw"), server);
  await writeServed(kept, { fetchedAt: Date.now(), ids: ["qwen3"] });
  const names = await modelNames(await readSetup(options, runtime, config));
  expect(names).toEqual(
    expect.arrayContaining([
      "pro",
      "my.own-model",
      "local/llama3",
      "listing/qwen3",
      "amazon.nova-pro-v1:0",
      "us.anthropic.claude-opus-4-6-v1",
      "global.anthropic.claude-opus-4-6-v1",
    ]),
  );
  // What is called from other regions, or only through a profile, is not offered.
  expect(
    names.filter((name) => /^(?:eu|apac|jp|au|in|us-gov)\.|^anthropic\.claude-opus-4-6-v1$/.test(name)),
  ).toEqual([]);
  expect(names).toEqual([...new Set(names)].sort());
});
