import { describe, expect, it } from "vitest";
import { type Fact, printFacts } from "../../src/terminal/fact-lines.ts";
import { type Sink, Terminal } from "../../src/terminal/terminal.ts";

async function shown(facts: readonly Fact[], columns: number | undefined, env = {}): Promise<string[]> {
  const sink = {
    isTTY: columns !== undefined,
    columns,
    written: "",
    write(text: string | Uint8Array) {
      this.written += text.toString();
      return true;
    },
    once: () => undefined,
  } satisfies Sink & { written: string };
  await printFacts(facts, new Terminal(sink, sink, env));
  return sink.written
    .replaceAll(/\u001B\[\d+m/g, "")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.trimEnd());
}

const FACTS = [
  ["profile", "us.a-vendor.model-v1:0 → us-east-1, us-west-2"],
  ["profile", "global.a-vendor.model-v1:0 → any region"],
] as const;

describe("a title that comes again is left out on a terminal", () => {
  it.each([{}, { FORCE_COLOR: "1" }])("beside its value, in the same columns (%j)", async (env) => {
    const [first, second] = await shown(FACTS, 80, env);
    expect(first).toBe(`profile  ${FACTS[0][1]}`);
    expect(second).toBe(`         ${FACTS[1][1]}`);
  });

  it.each([{}, { FORCE_COLOR: "1" }])("above its value, where values stand below (%j)", async (env) => {
    expect(await shown(FACTS, 20, env)).toEqual([
      "profile",
      "  us.a-vendor.model-v1:0",
      "  → us-east-1,",
      "  us-west-2",
      "  global.a-vendor.model-v1:0",
      "  → any region",
    ]);
  });

  it("and stands in every line of a pipe", async () => {
    expect(await shown(FACTS, undefined)).toEqual(FACTS.map(([title, value]) => `${title}  ${value}`));
  });
});
