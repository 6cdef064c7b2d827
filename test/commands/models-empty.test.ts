import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";

const filtered = (...providerFilter: string[]): string =>
  JSON.stringify({ models: { bedrockDiscovery: { providerFilter } } });

describe("a list with nothing in it says why, in a pipe, too", () => {
  it.each<[string, string, string[], string, string]>([
    [
      "a filter of the settings",
      filtered("Antropic"),
      [],
      "providerFilter has 'Antropic'",
      "Did you mean 'Anthropic'?",
    ],
    [
      "a filter like none",
      filtered("zzzzzz"),
      [],
      "'zzzzzz'",
      "The providers are: AI21 Labs, Amazon, Anthropic",
    ],
    [
      "a filter of what gives no text",
      filtered("Stability AI"),
      [],
      "leaves no model in us-east-1",
      "config unset",
    ],
    [
      "--provider",
      "{}",
      ["--provider", "nosuch"],
      "--provider 'nosuch' matches no model",
      "The providers are:",
    ],
    [
      "--provider, two at once",
      "{}",
      ["--provider", "anthropic, cohere"],
      "--provider 'anthropic, cohere' matches no model: it takes one name.",
      "openclaw models list --provider anthropic --provider cohere",
    ],
    [
      "--provider, nearly",
      "{}",
      ["--provider", "mistrl"],
      "--provider 'mistrl'",
      "Did you mean 'Mistral AI'?",
    ],
    [
      "a filter against a filter",
      filtered("amazon"),
      ["--provider", "meta"],
      "leaves the models of 'meta' out",
      "config get",
    ],
    ["--search", "{}", ["--search", "no such"], "--search 'no such'", "See all: openclaw models list"],
    [
      "--search of a legacy one",
      "{}",
      ["--search", "3.7 sonnet"],
      "--search '3.7 sonnet'",
      "--all --search '3.7 sonnet'",
    ],
    [
      "discovery that is off",
      "{ models: { bedrockDiscovery: { enabled: false } } }",
      [],
      "Discovery is off",
      "config set",
    ],
  ])("%s", async (_, config, args, message, hint) => {
    const emulated = await emulate();
    emulated.configure(config);
    const { code, stdout, stderr } = await emulated.run(["models", "list", ...args]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr.split("hint: ")[1]).toContain(hint);
    expect(stderr.match(/^warning: /gm)).toHaveLength(1);
    const json = JSON.parse((await emulated.run(["models", "list", ...args, "--json"])).stdout);
    expect(json).toMatchObject({
      count: 0,
      warnings: [{ code: "no-match", message: expect.stringContaining(message) }],
    });
  });

  it.each([
    ["us-east-1", "us-east-2"],
    ["us-gov-west-1", "us-gov-east-1"],
    ["eu-west-1", "eu-west-2"],
    ["cn-north-1", "NAME"],
  ])("a region without models, %s: another one of its partition", async (region, other) => {
    const emulated = await emulate({ models: [], profiles: [] });
    const { code, stdout, stderr } = await emulated.run(["models", "list"], { env: { AWS_REGION: region } });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain(`AWS lists no model in ${region} that answers in text.`);
    expect(stderr).toMatch(new RegExp(`openclaw models list --region ${other}\n$`));
  });
});

it("one filter of several that matches nothing is told beside the list, and what matches is told nothing", async () => {
  const emulated = await emulate();
  const some = await emulated.run(["models", "list", "--provider", "amazon", "--provider", "antropic"]);
  expect(some.stdout).toContain("amazon.nova-lite-v1:0");
  expect(some.stderr).toContain("--provider 'antropic' matches no model.\nhint: Did you mean 'Anthropic'?");
  emulated.configure(filtered("amazon", "Antropic"));
  const configured = await emulated.run(["models", "list"]);
  expect(configured.stdout).toContain("amazon.nova-lite-v1:0");
  expect(configured.stderr).toContain("Did you mean 'Anthropic'?");
  emulated.configure(filtered("amazon", "anthropic"));
  for (const args of [[], ["--provider", "amazon"], ["--search", "nova"]])
    expect((await emulated.run(["models", "list", ...args])).stderr).toBe("");
});
