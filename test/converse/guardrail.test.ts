import { describe, expect, it } from "vitest";
import { chooseGuardrail, firedPolicies, parseGuardrail } from "../../src/converse/guardrail.ts";

const ARN = "arn:aws:bedrock:eu-west-1:123456789012:guardrail/abcd1234efgh";

describe("--guardrail", () => {
  it.each([
    ["abcd1234efgh:1", "abcd1234efgh", "1"],
    ["abcd1234efgh:DRAFT", "abcd1234efgh", "DRAFT"],
    [`${ARN}:12`, ARN, "12"],
  ])("%s", (text, guardrailIdentifier, guardrailVersion) => {
    expect(parseGuardrail(text)).toEqual({ guardrailIdentifier, guardrailVersion });
  });

  it.each(["", "abcd", "abcd:", ":1", "abcd:0", "abcd:draft", "ABCD:1", ARN, "a b:1"])(
    "refuses %j by name",
    (text) => {
      expect(() => parseGuardrail(text)).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringContaining(`'${text}'`) }),
      );
    },
  );
});

describe("the guardrail of a call", () => {
  const configured = (more: object) => ({
    plugins: {
      entries: {
        "amazon-bedrock": {
          config: { guardrail: { guardrailIdentifier: "config", guardrailVersion: "1", ...more } },
        },
      },
    },
  });
  const flag = { guardrailIdentifier: "flag", guardrailVersion: "2" };

  it("is the config's without a flag, and none without both", () => {
    expect(chooseGuardrail(undefined, false, configured({}))).toEqual({
      guardrailIdentifier: "config",
      guardrailVersion: "1",
    });
    expect(chooseGuardrail(undefined, true, {})).toBeUndefined();
  });

  it("is the flag's with the config's way to stream and trace", () => {
    const config = configured({ streamProcessingMode: "async" as const, trace: "enabled_full" as const });
    expect(chooseGuardrail(flag, true, config)).toEqual({
      ...flag,
      streamProcessingMode: "async",
      trace: "enabled_full",
    });
  });

  it("is traced when asked for", () => {
    expect(chooseGuardrail(flag, true, {})).toEqual({ ...flag, trace: "enabled" });
    expect(chooseGuardrail(flag, true, configured({ trace: "disabled" as const }))).toMatchObject({
      trace: "enabled",
    });
  });
});

it("names what acted, on the prompt or the answer, and never what matched", () => {
  const policies = firedPolicies({
    inputAssessment: {
      g: {
        topicPolicy: { topics: [{ name: "Investment advice", type: "DENY", action: "BLOCKED" }] },
        contentPolicy: {
          filters: [
            { type: "VIOLENCE", confidence: "HIGH", action: "BLOCKED" },
            { type: "HATE", confidence: "LOW", action: "NONE" },
          ],
        },
        wordPolicy: {
          customWords: [{ match: "SECRETWORD", action: "BLOCKED" }],
          managedWordLists: [{ match: "SECRETWORD", type: "PROFANITY", action: "BLOCKED" }],
        },
      },
    },
    outputAssessments: {
      g: [
        {
          sensitiveInformationPolicy: {
            piiEntities: [{ match: "SECRETMAIL", type: "EMAIL", action: "ANONYMIZED" }],
            regexes: [{ name: "order number", match: "SECRETORDER", action: "BLOCKED" }],
          },
          contextualGroundingPolicy: {
            filters: [{ type: "GROUNDING", threshold: 0.75, score: 0.3, action: "BLOCKED" }],
          },
        },
        { contentPolicy: { filters: [{ type: "INSULTS", confidence: "MEDIUM", action: "BLOCKED" }] } },
      ],
    },
  });
  expect(policies).toEqual([
    "topic 'Investment advice' in the prompt",
    "content filter VIOLENCE (confidence HIGH) in the prompt",
    "custom word in the prompt",
    "word list PROFANITY in the prompt",
    "sensitive information EMAIL in the answer",
    "pattern 'order number' in the answer",
    "contextual grounding GROUNDING (0.3 below 0.75) in the answer",
    "content filter INSULTS (confidence MEDIUM) in the answer",
  ]);
  expect(policies.join()).not.toContain("SECRET");
});
