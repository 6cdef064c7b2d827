import { describe, expect, it } from "vitest";
import type { Discovered } from "../../src/models/discovered.ts";
import { type ModelResources, resourcesOf } from "../../src/iam/model-resources.ts";
import { buildPolicy, type PolicyNeeds } from "../../src/iam/policy.ts";

const ACCOUNT = { partition: "aws", id: "123456789012" };
const REGION = "us-east-1";
const NOVA = "amazon.nova-lite-v1:0";
const fm = (region: string, id = NOVA): string => `arn:aws:bedrock:${region}::foundation-model/${id}`;
const profile = (name: string): string => `arn:aws:bedrock:${REGION}:123456789012:inference-profile/${name}`;

const discovered: Discovered = {
  region: REGION,
  fetchedAt: 0,
  models: [
    {
      id: NOVA,
      arn: fm(REGION),
      name: "Nova Lite",
      provider: "Amazon",
      input: ["TEXT"],
      output: ["TEXT"],
      streams: true,
      inferenceTypes: ["ON_DEMAND"],
      lifecycle: "ACTIVE",
    },
  ],
  profiles: [
    {
      id: `us.${NOVA}`,
      arn: profile(`us.${NOVA}`),
      name: "US Nova Lite",
      isApplication: false,
      isActive: true,
      modelArns: [fm("us-east-1"), fm("us-west-2")],
    },
    {
      id: `global.${NOVA}`,
      arn: profile(`global.${NOVA}`),
      name: "Global Nova Lite",
      isApplication: false,
      isActive: true,
      modelArns: [fm("us-east-1"), fm("")],
    },
  ],
  warnings: [],
};

const NONE = {
  called: [],
  destinations: [],
  counted: [],
};

describe("the resources of a model", () => {
  it.each<[string, string, Partial<ModelResources>]>([
    ["a base model", NOVA, { called: [fm(REGION)], counted: [fm(REGION)] }],
    ["a base model's ARN", fm(REGION), { called: [fm(REGION)], counted: [fm(REGION)] }],
    [
      "a geographic profile",
      `us.${NOVA}`,
      {
        called: [profile(`us.${NOVA}`)],
        destinations: [fm("us-east-1"), fm("us-west-2")],
        counted: [fm(REGION)],
      },
    ],
    [
      "a global profile, with the ARN that has no region",
      `global.${NOVA}`,
      {
        called: [profile(`global.${NOVA}`)],
        destinations: [fm("us-east-1"), fm("")],
        counted: [fm(REGION)],
      },
    ],
    [
      "a profile's ARN without the account",
      `arn:aws:bedrock:${REGION}::inference-profile/us.${NOVA}`,
      {
        called: [profile(`us.${NOVA}`)],
        destinations: [fm("us-east-1"), fm("us-west-2")],
        counted: [fm(REGION)],
      },
    ],
    [
      "provisioned throughput",
      "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc",
      { called: ["arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"] },
    ],
    [
      "a prompt router",
      "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1",
      {
        called: ["arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1"],
      },
    ],
    ["a stored prompt", "arn:aws:bedrock:us-east-1:123456789012:prompt/ABC:1", { isCovered: false }],
    [
      "an endpoint of SageMaker",
      "arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine",
      { isCovered: false },
    ],
  ])("%s", (_, id, expected) => {
    expect(resourcesOf({ id, region: REGION, discovered }, ACCOUNT)).toEqual({
      ...NONE,
      isExact: true,
      isCovered: true,
      ...expected,
    });
  });

  it.each<[string, string, Partial<ModelResources>]>([
    [
      "a base model",
      NOVA,
      {
        called: [fm(REGION), profile(`*.${NOVA}`)],
        destinations: [fm("*")],
        counted: [fm(REGION)],
      },
    ],
    [
      "a profile",
      `us.${NOVA}`,
      {
        called: [profile(`us.${NOVA}`)],
        destinations: [fm("*")],
        counted: [fm(REGION)],
      },
    ],
    [
      "an application profile",
      "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
      {
        called: ["arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"],
        destinations: [fm("*", "*")],
      },
    ],
  ])("%s without AWS's lists is as narrow as it can be told", (_, id, expected) => {
    expect(resourcesOf({ id, region: REGION, discovered: undefined }, ACCOUNT)).toEqual({
      ...NONE,
      isExact: false,
      isCovered: true,
      ...expected,
    });
  });
});

describe("the policy", () => {
  const needs = (more: Partial<PolicyNeeds>): PolicyNeeds => ({
    embedders: [],
    mantleRegion: undefined,
    purposes: ["chat"],
    account: ACCOUNT,
    isDiscoveryOn: true,
    looksUp: false,
    models: [],
    asked: [],
    guardrail: undefined,
    usesApiKey: false,
    ...more,
  });

  it("lets the models behind a prompt router be called through it only", () => {
    const id = "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1";
    const { Statement } = buildPolicy(needs({ models: [{ id, region: REGION, discovered }] }));
    expect(Statement.map(({ Sid, Resource, Condition }) => [Sid, Resource, Condition?.StringLike])).toEqual([
      ["CallModels", [id], undefined],
      [
        "CallModelsThroughRouters",
        ["arn:aws:bedrock:*:123456789012:inference-profile/*", fm("*", "*")],
        { "bedrock:PromptRouterArn": [id] },
      ],
    ]);
  });

  it("has the guardrail in the region of each call, in the account's partition", () => {
    const { Statement } = buildPolicy(
      needs({
        account: { partition: "aws-us-gov", id: "123456789012" },
        guardrail: "abcd",
        models: ["us-gov-west-1", "us-gov-east-1"].map((region) => ({
          id: NOVA,
          region,
          discovered: undefined,
        })),
      }),
    );
    expect(Statement.find(({ Sid }) => Sid === "ApplyGuardrail")?.Resource).toEqual([
      "arn:aws-us-gov:bedrock:us-gov-east-1:123456789012:guardrail/abcd",
      "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:guardrail/abcd",
    ]);
  });

  it("takes a guardrail's ARN as it is", () => {
    const guardrail = "arn:aws:bedrock:eu-west-1:123456789012:guardrail/abcd";
    const { Statement } = buildPolicy(
      needs({ guardrail, models: [{ id: NOVA, region: REGION, discovered }] }),
    );
    expect(Statement.find(({ Sid }) => Sid === "ApplyGuardrail")?.Resource).toEqual([guardrail]);
  });

  it.each([
    [["chat"], ["bedrock-mantle:CreateInference", "bedrock-mantle:CallWithBearerToken"]],
    [
      ["discovery", "serve"],
      [
        "bedrock:ListFoundationModels",
        "bedrock:ListInferenceProfiles",
        "bedrock:GetFoundationModelAvailability",
        "bedrock:GetUseCaseForModelAccess",
        "bedrock:GetAccountDataRetention",
        "bedrock-mantle:ListModels",
        "bedrock-mantle:CreateInference",
        "bedrock-mantle:CallWithBearerToken",
        "bedrock:CallWithBearerToken",
      ],
    ],
  ] as const)("allows on the project of Mantle for %j no more than %j", (purposes, actions) => {
    const account = { partition: "aws-us-gov", id: "123456789012" };
    const region = "us-gov-west-1";
    const policy = buildPolicy(needs({ purposes, account, mantleRegion: region, usesApiKey: true }));
    const named = policy.Statement.flatMap(({ Action }) => Action);
    expect([...named].sort()).toEqual([...actions].sort());
    const ofProject = policy.Statement.filter(({ Sid }) => /Mantle/.test(Sid));
    for (const { Resource } of ofProject)
      expect(Resource).toEqual([`arn:aws-us-gov:bedrock-mantle:${region}:123456789012:project/default`]);
  });

  it("has no statement where there is nothing to allow", () => {
    expect(buildPolicy(needs({ usesApiKey: true, guardrail: "abcd" })).Statement).toEqual([]);
    expect(buildPolicy(needs({ purposes: ["discovery"], isDiscoveryOn: false })).Statement).toEqual([]);
  });

  it("names each action and each resource once, and Sids of letters and digits only", () => {
    const { Statement } = buildPolicy(
      needs({
        purposes: ["discovery", "chat", "serve", "doctor"],
        usesApiKey: true,
        models: [NOVA, NOVA, `us.${NOVA}`, `global.${NOVA}`].map((id) => ({
          id,
          region: REGION,
          discovered,
        })),
      }),
    );
    for (const { Sid, Action, Resource } of Statement) {
      expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
      expect(new Set(Action).size).toBe(Action.length);
      expect(new Set(Resource).size).toBe(Resource === "*" ? 1 : Resource.length);
    }
    expect(new Set(Statement.map(({ Sid }) => Sid)).size).toBe(Statement.length);
  });
});
