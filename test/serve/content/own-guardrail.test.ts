import { describe, expect, it } from "vitest";
import type { Configuration } from "../../../src/config/settings.ts";
import { underGuardrail } from "../../../src/serve/content/own-guardrail.ts";

const guardrail = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
const SERVERS: Configuration = { plugins: { entries: { "amazon-bedrock": { config: { guardrail } } } } };

const asked = {
  model: "m",
  isStreamed: false,
  notices: [],
  unknown: [],
  ask: {
    parameters: {},
    system: [{ text: "Be brief." }, { guardContent: { text: { text: "b" } } }],
    messages: [
      {
        role: "user" as const,
        content: [
          { text: "harm" },
          { guardContent: { text: { text: "harmless", qualifiers: ["query" as const] } } },
          { guardContent: { image: { format: "png" as const, source: { bytes: Buffer.from("x") } } } },
        ],
      },
    ],
  },
};

describe("the guardrail of a request", () => {
  it("is the client's where the server has none, with what it marks and with its trace", () => {
    const given = { ...guardrail, trace: "enabled" as const };
    expect(underGuardrail(asked, given, {})).toEqual({
      asked: { ...asked, ask: { ...asked.ask, guardrail: given } },
      showsGuardrail: true,
      isGuarded: true,
    });
    expect(underGuardrail(asked, undefined, {})).toMatchObject({ showsGuardrail: false, isGuarded: false });
  });

  // https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html
  it.each([
    undefined,
    { ...guardrail, trace: "enabled_full" as const, streamProcessingMode: "async" as const },
  ])("is the server's where that has one, which looks at all that is said, given %j", (given) => {
    expect(underGuardrail(asked, given, SERVERS)).toEqual({
      asked: {
        ...asked,
        ask: {
          ...asked.ask,
          guardrail: given && guardrail,
          system: [{ text: "Be brief." }, { text: "b" }],
          messages: [
            {
              role: "user",
              content: [
                { text: "harm" },
                { text: "harmless" },
                { image: { format: "png", source: { bytes: Buffer.from("x") } } },
              ],
            },
          ],
        },
      },
      showsGuardrail: false,
      isGuarded: true,
    });
  });

  it.each([
    ["another", { guardrailIdentifier: "zzzz", guardrailVersion: "1" }, "access-denied"],
    ["another version", { ...guardrail, guardrailVersion: "DRAFT" }, "access-denied"],
    ["half of one", { guardrailIdentifier: "abcd1234efgh" }, "invalid-request"],
  ])("is refused where it is %s", (_, given, code) => {
    expect(() => underGuardrail(asked, given, SERVERS)).toThrow(expect.objectContaining({ code }) as Error);
  });
});
