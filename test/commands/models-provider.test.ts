import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { listOf, openaiServer, type OpenaiReply, refusal } from "../helpers/openai-server.ts";
import { createHome, openclaw, type RunOptions } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

/** A server whose list may change, a home folder whose configuration has it as `lab`, and the program. */
async function lab(provider: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  let list: OpenaiReply = listOf("llama3", "qwen2.5:7b");
  const server = await openaiServer({ models: () => list });
  const home = createHome();
  mkdirSync(path.join(home, ".openclaw"), { mode: 0o700 });
  const providers = { lab: { baseUrl: server.baseUrl, ...provider } };
  const config = JSON.stringify({ models: { providers }, ...more });
  writeFileSync(path.join(home, ".openclaw", "openclaw.json"), config, { mode: 0o600 });
  return {
    server,
    home,
    answer: (reply: OpenaiReply) => (list = reply),
    run: (args: readonly string[], options: RunOptions = {}) => openclaw(args, home, options),
    keys: async (...args: string[]) => {
      const { stdout } = await openclaw(["models", "list", "--plain", ...args], home);
      return stdout.split("\n").filter((line) => line !== "");
    },
  };
}

const BOTH = ["lab/llama3", "lab/qwen2.5:7b"];

describe("models list", () => {
  it("shows what the server lists, and asks it once while the list is fresh", async () => {
    const { keys, server, run, home } = await lab();
    expect(await keys()).toEqual(BOTH);
    expect(await keys("--provider", "lab", "--search", "qwen")).toEqual(["lab/qwen2.5:7b"]);
    const document = JSON.parse((await run(["models", "list", "--json"])).stdout);
    expectSchema("models-list", document);
    expect(document.models[0]).toMatchObject({ provider: "lab", available: true, missing: false, tags: [] });
    expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /v1/models"]);
    const folder = path.join(home, ".openclaw", "cache");
    for (const name of readdirSync(folder))
      expect(statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
  });

  it("asks again with --refresh, and never with --offline", async () => {
    const { keys, server, answer } = await lab();
    expect(await keys("--offline")).toEqual([]);
    expect(server.calls).toHaveLength(0);
    await keys();
    answer(listOf("newer"));
    expect(await keys("--offline")).toEqual(BOTH);
    expect(await keys("--refresh")).toEqual(["lab/newer"]);
    expect(server.calls).toHaveLength(2);
  });

  it("shows the older list, with a warning, when the server is not available", async () => {
    const { keys, answer, run } = await lab();
    await keys();
    answer(refusal(503, { message: "loading" }));
    const result = await run(["models", "list", "--plain", "--refresh"]);
    expect(result).toMatchObject({ code: 0, stdout: `${BOTH.join("\n")}\n` });
    expect(result.stderr).toContain("The list of lab could not be refreshed");
  });

  it("shows the models of Bedrock when the server cannot be had", async () => {
    const emulated = await emulate();
    emulated.configure(
      JSON.stringify({ models: { providers: { lab: { baseUrl: "http://127.0.0.1:1/v1" } } } }),
    );
    const result = await emulated.run(["models", "list", "--plain"]);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain("amazon-bedrock/");
    expect(result.stderr).toContain("The models of lab could not be listed");
  });

  it("warns of a server that is not there, of configured models only where it was to be asked", async () => {
    const emulated = await emulate();
    const lab = { baseUrl: "http://127.0.0.1:1/v1", models: [{ id: "mine" }] };
    emulated.configure(JSON.stringify({ models: { providers: { lab } } }));
    const [usual, asked] = [
      await emulated.run(["models", "list", "--plain"]),
      await emulated.run(["models", "list", "--plain", "--refresh"]),
    ];
    expect(usual).toMatchObject({ code: 0, stderr: "" });
    expect(asked).toMatchObject({ code: 0, stdout: usual.stdout });
    expect(usual.stdout).toContain("lab/mine");
    expect(asked.stderr).toMatch(
      /^warning: The models of lab are those of the configuration, and their server does not answer: /,
    );
  });

  it("keeps the lists of two keys apart", async () => {
    const { run, server } = await lab({ apiKey: "${LAB_KEY}" });
    for (const LAB_KEY of ["sk-first-key", "sk-other-key", "sk-first-key"])
      await run(["models", "list"], { env: { LAB_KEY } });
    expect(server.calls.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer sk-first-key",
      "Bearer sk-other-key",
    ]);
  });

  it("asks nobody where the configuration names the models", async () => {
    const { keys, server } = await lab({ models: [{ id: "mine" }] });
    expect(await keys()).toEqual(["lab/mine"]);
    expect(server.calls).toHaveLength(0);
  });

  it("says what is no list", async () => {
    const { answer, run } = await lab();
    answer({ body: { hello: 1 } });
    const { stdout, stderr } = await run(["models", "list", "--json"]);
    expect(`${stdout}${stderr}`).toContain("is not a list of models");
  });

  it.each([
    [
      "more models than are read",
      { data: Array.from({ length: 10_001 }, (_, nth) => ({ id: `m${nth}` })) },
      "more than 10000 models",
    ],
    ["more bytes than are read", { data: ["x".repeat(9_000_000)] }, "more than 8388608 bytes"],
  ])("says of a list with %s that it is too long, and what to do", async (_, body, message) => {
    const { answer, run } = await lab();
    answer({ body });
    const { stderr } = await run(["models", "list"]);
    expect(stderr).toContain(`/models is too long a list to be read: it has ${message}.`);
    expect(stderr).toContain(`openclaw config set models.providers.lab.models '[{id: "MODEL"}]'`);
  });
});

describe("models show and set", () => {
  it("know what the server lists", async () => {
    const { run } = await lab();
    const shown = JSON.parse((await run(["models", "show", "lab/llama3", "--json"])).stdout);
    expectSchema("models-show", shown);
    expect(shown).toMatchObject({ key: "lab/llama3", provider: "lab" });
    expect((await run(["models", "set", "lab/llama3"])).stdout).toBe("Default model: lab/llama3\n");
  });

  it("refuse what it does not, with the nearest", async () => {
    const { run } = await lab();
    for (const command of ["show", "set"]) {
      const result = await run(["models", command, "lab/lama3"]);
      expect(result.code).toBe(6);
      expect(result.stderr).toContain("Did you mean llama3?");
    }
  });

  it("say that it is not known while the server cannot be asked", async () => {
    const { run, answer } = await lab();
    answer(refusal(500, { message: "down" }));
    const result = await run(["models", "set", "lab/llama3"]);
    expect(result.code).toBe(6);
    expect(result.stderr).toContain("--force");
  });
});

it("completes the names from the kept list alone", async () => {
  const { run, keys, server } = await lab();
  await keys();
  const { stdout } = await run(["complete", "bash", "--", " \t\n", "openclaw chat -m lab/l"]);
  expect(stdout).toContain("lab/llama3");
  expect(server.calls).toHaveLength(1);
});

describe("doctor", () => {
  const checkOf = (stdout: string) =>
    (JSON.parse(stdout) as { checks: { id: string; status: string; detail: string }[] }).checks.find(
      ({ id }) => id === "providers",
    );

  it("asks the server, and says how many models it lists", async () => {
    const { run } = await lab();
    const { stdout } = await run(["doctor", "--json"], { env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" } });
    expectSchema("doctor", JSON.parse(stdout));
    expect(checkOf(stdout)).toMatchObject({ status: "ok" });
    expect(checkOf(stdout)?.detail).toContain("lists 2 models");
  });

  it("warns of a default model that it does not list, and fails where it needs the server in vain", async () => {
    const env = { AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    const { run, answer } = await lab({}, { agents: { defaults: { model: "lab/other" } } });
    expect(checkOf((await run(["doctor", "--json"], { env })).stdout)?.status).toBe("warn");
    answer(refusal(401, { message: "no" }));
    expect(checkOf((await run(["doctor", "--json"], { env })).stdout)?.status).toBe("fail");
  });
});
