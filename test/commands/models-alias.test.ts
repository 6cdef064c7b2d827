import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { expectSchema } from "../helpers/schema.ts";

const NOVA = "amazon.nova-lite-v1:0";
const configOf = ({ home }: Emulated): unknown =>
  JSON.parse(readFileSync(path.join(home, ".openclaw", "openclaw.json"), "utf8"));

it("gives a model a name, which every command takes", async () => {
  const emulated = await emulate();
  const made = await emulated.run(["models", "alias", "fast", NOVA]);
  expect(made).toMatchObject({ code: 0, stdout: `fast is amazon-bedrock/${NOVA}.\n`, stderr: "" });
  expect((await emulated.run(["chat", "-m", "FAST", "hi"])).stdout).toContain("Nova Lite");
  expect((await emulated.run(["models", "alias"])).stdout).toBe(`fast\tamazon-bedrock/${NOVA}\n`);
  const list = JSON.parse((await emulated.run(["models", "alias", "--json"])).stdout) as object;
  expectSchema("models-alias", list);
  expect(list).toMatchObject({ count: 1, aliases: [{ alias: "fast", model: `amazon-bedrock/${NOVA}` }] });
});

it("stores the profile of a model that needs one, by any name it goes by", async () => {
  const emulated = await emulate();
  const made = await emulated.run(["models", "alias", "clever", "Claude Sonnet 4.6"]);
  expect(made.stdout).toBe("clever is amazon-bedrock/us.anthropic.claude-sonnet-4-6.\n");
});

it("moves a name, replaces one, and says so", async () => {
  const emulated = await emulate();
  await emulated.run(["models", "alias", "fast", NOVA]);
  const moved = await emulated.run(["models", "alias", "fast", "amazon.nova-pro-v1:0"]);
  expect(moved.stderr).toContain(`openclaw: fast was amazon-bedrock/${NOVA}`);
  const replaced = await emulated.run(["models", "alias", "faster", "amazon.nova-pro-v1:0", "--json"]);
  expect(replaced.stderr).toContain("is faster now, and no longer fast");
  expectSchema("models-alias", JSON.parse(replaced.stdout));
  expect((await emulated.run(["models", "alias"])).stdout).toBe(
    "faster\tamazon-bedrock/amazon.nova-pro-v1:0\n",
  );
});

it("gives a name to one model where two programs give it at once", async () => {
  const emulated = await emulate();
  const models = [NOVA, "amazon.nova-pro-v1:0", "amazon.nova-micro-v1:0"];
  const results = await Promise.all(
    models.map((model) => emulated.run(["models", "alias", "fast", model], { isAlone: true })),
  );
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect((await emulated.run(["models", "alias"])).stdout).toMatch(/^fast\t\S+\n$/);
});

it("takes a name away, and keeps what else is set for its model", async () => {
  const emulated = await emulate();
  const models = { [`amazon-bedrock/${NOVA}`]: { alias: "fast", params: { maxTokens: 5 } } };
  emulated.configure(JSON.stringify({ agents: { defaults: { models } } }));
  const removed = await emulated.run(["models", "alias", "--rm", "Fast"]);
  expect(removed).toMatchObject({ code: 0, stdout: `fast is no longer amazon-bedrock/${NOVA}.\n` });
  expect(configOf(emulated)).toEqual({
    agents: { defaults: { models: { [`amazon-bedrock/${NOVA}`]: { params: { maxTokens: 5 } } } } },
  });
  await emulated.run(["models", "alias", "other", "amazon.nova-pro-v1:0"]);
  await emulated.run(["models", "alias", "--rm", "other"]);
  expect(JSON.stringify(configOf(emulated))).not.toContain("nova-pro");
});

it.each([
  [["fast"], "models alias takes a model for 'fast'."],
  [["a,b", NOVA], "cannot be the name of a model"],
  [[" ", NOVA], "cannot be the name of a model"],
  [["fast", " "], "No model is named."],
  [["--rm"], "--rm takes the name to remove."],
  [["--rm", "fast", NOVA], "--rm takes a name and no model."],
  [["--rm", "fats"], "No model has the name 'fats'."],
])("refuses %j", async (args, message) => {
  const emulated = await emulate();
  const result = await emulated.run(["models", "alias", ...args]);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain(message);
});

it("refuses a name that is the id of another model, unless told otherwise", async () => {
  const emulated = await emulate();
  const args = ["models", "alias", "amazon.nova-lite-v1:0", "amazon.nova-micro-v1:0"];
  const { code, stderr } = await emulated.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(
    "'amazon.nova-lite-v1:0' is the id of a model, which could no longer be called by it.",
  );
  expect(stderr).toContain("hint: openclaw models alias NAME amazon.nova-micro-v1:0");
  expect((await emulated.run([...args, "--force"])).code).toBe(0);
});

it("refuses a model that nobody knows, unless told otherwise", async () => {
  const emulated = await emulate();
  const unknown = await emulated.run(["models", "alias", "x", "amazon.nova-ultra-v9:0"]);
  expect(unknown).toMatchObject({ code: 6, stdout: "" });
  expect((await emulated.run(["models", "alias", "x", "amazon.nova-ultra-v9:0", "--force"])).code).toBe(0);
});

it.each([
  ["models", "set"],
  ["models", "alias", "'my fast one'"],
])("names itself where a model cannot be looked up or is near its end: %s %s", async (...words) => {
  const args = words.map((word) => word.replaceAll("'", ""));
  const emulated = await emulate();
  const unsure = await emulated.run([...args, NOVA], {
    env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
  });
  expect(unsure.stderr).toContain(`hint: If you are sure: openclaw ${words.join(" ")} ${NOVA} --force\n`);
  const ending = await emulated.run([...args, "us.anthropic.claude-3-7-sonnet-20250219-v1:0"]);
  expect(ending.stderr).toContain(`hint: Its successor: openclaw ${words.join(" ")} `);
});
