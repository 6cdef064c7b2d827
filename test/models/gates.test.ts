import { describe, expect, it } from "vitest";
import {
  accessCommand,
  effectiveMode,
  leastRetention,
  openingOf,
  permits,
  RETENTION_MODES,
  retentionNeeded,
} from "../../src/models/gates.ts";

const FABLE = "us.anthropic.claude-fable-5";

describe("the mode of data retention that a refusal asks for", () => {
  it.each([
    // The family knows.
    ["data retention mode 'default' is not available for this model", FABLE, "aws_review"],
    ["data retention mode 'none' is not available for this model", FABLE, "aws_review"],
    ["This model is not available under data retention mode 'default'.", FABLE, "aws_review"],
    // The next one that permits more.
    ["data retention mode 'none' is not available for this model", "openai.gpt-5.6-luna", "default"],
    ["This model is not available under data retention mode 'none'.", "openai.gpt-5.6-luna", "default"],
    ["data retention mode 'default' is not available for this model", undefined, "aws_review"],
    ["data retention mode 'inherit' is not available for this model", undefined, "aws_review"],
    ["data retention mode 'aws_review' is not available for this model", undefined, "provider_data_share"],
    ["data retention refuses this", undefined, "aws_review"],
    // The message says.
    [
      "data retention mode `none` is not available for this model. Use `provider_data_share`.",
      "m",
      "provider_data_share",
    ],
    ["This model requires data retention mode aws_review or provider_data_share.", "m", "aws_review"],
  ])("%s", (message, modelId, mode) => {
    expect(retentionNeeded(message, modelId)).toBe(mode);
  });

  it("is known of a family through every way to the model", () => {
    const arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-fable-5-1";
    for (const id of [FABLE, "anthropic.claude-fable-5", "global.anthropic.claude-fable-5-1", arn])
      expect(leastRetention(id)).toBe("aws_review");
    for (const id of ["anthropic.claude-fable-5-2", "anthropic.claude-opus-4-8", undefined])
      expect(leastRetention(id)).toBeUndefined();
  });
});

it("permits with each mode what those before it do", () => {
  const modes = Object.keys(RETENTION_MODES) as (keyof typeof RETENTION_MODES)[];
  modes.forEach((mode, place) =>
    modes.forEach((wanted, other) => expect(permits(mode, wanted)).toBe(place >= other)),
  );
  expect(effectiveMode("inherit")).toBe("default");
  expect(effectiveMode("none")).toBe("none");
  expect(effectiveMode("everything")).toBeUndefined();
});

it("quotes what it puts into a command", () => {
  const barred = { modelId: "a model's", region: "eu-west-1" };
  expect(accessCommand(barred, "--accept-agreement")).toBe(
    "openclaw models access 'a model'\\''s' --accept-agreement --region eu-west-1",
  );
  expect(accessCommand({})).toBe("openclaw models access MODEL");
});

it("has one thing to do about each gate", () => {
  const barred = { modelId: "m", region: "us-east-1", retention: "aws_review" } as const;
  expect(openingOf("form", barred)).toMatch(
    /: openclaw models access m --submit-form FILE --region us-east-1$/,
  );
  expect(openingOf("agreement", barred)).toMatch(
    /: openclaw models access m --accept-agreement --region us-east-1$/,
  );
  expect(openingOf("retention", barred)).toMatch(
    /: openclaw models access m --retention aws_review --region us-east-1$/,
  );
  expect(openingOf("region", barred)).toMatch(/: openclaw models access m --region us-west-2$/);
  for (const gate of ["authorization", "quota"] as const)
    expect(openingOf(gate, barred)).toMatch(/https:\/\//);
});
