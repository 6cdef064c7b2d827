import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { openPty } from "../../helpers/pty.ts";
import { expectSchema } from "../../helpers/schema.ts";

const SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const PROFILE = `us.${SONNET}`;
const NOVA_PRO = "amazon.nova-pro-v1:0";

interface Document {
  models: Record<string, unknown>[];
  roads: { road: string; usd: number | null; mostUsd: number | null; seconds: number | null }[];
  refusals: { message: string; lines: number | null; firstLine: number | null }[];
}

function write(machine: Emulated, lines: readonly object[]): void {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(path.join(machine.home, "lines.jsonl"), text);
}

async function estimate(machine: Emulated, args: readonly string[] = []): Promise<Document> {
  const { stdout, stderr, code } = await machine.run([
    "batch",
    "estimate",
    "lines.jsonl",
    "--json",
    "-q",
    ...args,
  ]);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  const document = JSON.parse(stdout) as Document;
  expectSchema("batch-estimate", document);
  return document;
}

const TEXT = "four".repeat(1000);
const many = (lines: number, more: object = {}): object[] =>
  Array.from({ length: lines }, () => ({ prompt: TEXT, maxTokens: 500, ...more }));

describe("batch estimate", () => {
  it("prices every road of a model and says how long its quota takes", async () => {
    const machine = await emulate();
    write(machine, many(200));
    const { models, roads, refusals } = await estimate(machine, ["-m", NOVA_PRO, "--output-tokens", "100"]);
    expect(models).toEqual([
      {
        model: NOVA_PRO,
        lines: 200,
        inputTokens: 200_000,
        outputTokens: 20_000,
        mostOutputTokens: 100_000,
        outputTokensPerLine: 100,
        outputTokensSource: "flag",
        requestsPerMinute: 200,
        tokensPerMinute: 200_000,
        missing: null,
      },
    ]);
    // $0.80 and $3.20 a million tokens.
    expect(roads).toEqual([
      { road: "run", usd: 0.224, mostUsd: 0.48, seconds: 66 },
      { road: "run-flex", usd: 0.112, mostUsd: 0.24, seconds: 66 },
      { road: "submit", usd: 0.112, mostUsd: 0.24, seconds: 86_400 },
    ]);
    expect(refusals).toEqual([]);
    const given = await estimate(machine, ["-m", NOVA_PRO, "--rpm", "20"]);
    expect(given.roads[0]?.seconds).toBe(600);
  });

  it("takes the profile that a model needs, and names what a job would refuse", async () => {
    const machine = await emulate();
    const tool = { type: "function", function: { name: "t", parameters: { type: "object" } } };
    const body = { model: SONNET, messages: [{ role: "user", content: "hi" }] };
    write(machine, [
      { custom_id: "a", body },
      { custom_id: "b", body: { ...body, tools: [tool] } },
      { custom_id: "c", body: { ...body, tools: [tool] } },
    ]);
    const { models, refusals } = await estimate(machine);
    expect(models).toMatchObject([{ model: PROFILE, lines: 3, outputTokensSource: "usual" }]);
    const piped = await machine.run(["batch", "estimate", "lines.jsonl"]);
    expect(piped.stdout).toMatch(
      /\nrefused\tA batch job takes at least 100 lines, and there are 3\.\nrefused\tline 2 and 1 more: .*has tools.*\n$/,
    );
    expect(refusals).toEqual([
      {
        message: "A batch job takes at least 100 lines, and there are 3.",
        lines: null,
        firstLine: null,
      },
      { message: expect.stringContaining("has tools") as string, lines: 2, firstLine: 2 },
    ]);
  });

  it("adds the models of the lines up, and learns from the ledger how long answers are", async () => {
    const machine = await emulate();
    for (let call = 0; call < 10; call += 1)
      expect((await machine.run(["chat", "-m", NOVA_PRO, "hi"])).code).toBe(0);
    write(machine, [...many(2, { model: NOVA_PRO }), ...many(1, { model: "amazon.nova-lite-v1:0" })]);
    const { models, roads, refusals } = await estimate(machine);
    expect(models).toMatchObject([
      { model: NOVA_PRO, lines: 2, outputTokensSource: "ledger" },
      { model: "amazon.nova-lite-v1:0", lines: 1, outputTokensSource: "usual" },
    ]);
    expect(roads.map(({ road }) => road)).toEqual(["run"]);
    expect(refusals.map(({ message }) => message)).toContain(
      "A batch job has one model, and the lines name 2.",
    );
  });

  it("says all that is wrong with the lines, and prices none of them", async () => {
    const machine = await emulate();
    writeFileSync(path.join(machine.home, "lines.jsonl"), '{"prompt":"hi"}\n{"prompt":1}\n{"prompt"\n');
    const { stdout, stderr, code } = await machine.run(["batch", "estimate", "lines.jsonl", "-m", NOVA_PRO]);
    expect([stdout, code]).toEqual(["", 2]);
    expect(stderr).toContain("line 2: 'prompt' is 1, and must be a string.\nline 3: It is not JSON: ");
    expect(stderr).toContain("There are 2 problems in the 3 lines of 'lines.jsonl', so nothing was sent.");
    const inJson = await machine.run(["batch", "estimate", "lines.jsonl", "-m", NOVA_PRO, "--json"]);
    expect(JSON.parse(inJson.stdout)).toMatchObject({
      error: { code: "usage", details: { lines: 3, problemCount: 2, problems: [{ line: 2 }, { line: 3 }] } },
    });
  });

  it("is about prices alone where Service Quotas may not be asked", async () => {
    const machine = await emulate();
    write(machine, many(1));
    await machine.run(["models", "list"]);
    const args = ["batch", "estimate", "-", "-m", NOVA_PRO];
    const options = {
      env: { AWS_ENDPOINT_URL_SERVICE_QUOTAS: "http://127.0.0.1:1" },
      input: '{"prompt":"hi"}',
    };
    const { stdout, stderr, code } = await machine.run([...args, "--json"], options);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      models: [{ requestsPerMinute: null, missing: { code: "network" } }],
      roads: [{ road: "run", seconds: null }, {}, {}],
    });
    expect(stderr).toContain(`The quotas of '${NOVA_PRO}' are not known`);
    const screen = openPty(["batch", "estimate", "lines.jsonl", "-m", NOVA_PRO], machine.home, {
      env: { ...machine.env, ...options.env },
    });
    expect(await screen.exit).toBe(0);
    expect(screen.lines().join("\n")).toMatch(/^batch run .* not known: no quota is$/m);
  });

  it("needs a model", async () => {
    const machine = await emulate();
    write(machine, [{ prompt: "hi" }]);
    const { stderr, code } = await machine.run(["batch", "estimate", "lines.jsonl"]);
    expect(code).toBe(3);
    expect(stderr).toContain("No model is named, neither by the lines nor by the configuration.");
  });
});
