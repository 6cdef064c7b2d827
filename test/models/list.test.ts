import { describe, expect, it } from "vitest";
import type { Configuration } from "../../src/config/settings.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "../../src/models/discovered.ts";
import { reachesEveryRegion, regionsOf } from "../../src/models/callable.ts";
import { type ListInput, listModels, siftingModels } from "../../src/models/list.ts";
import { listedBase, listedId } from "../../src/models/listed-id.ts";

const REGION = "us-gov-west-1";
const NOVA = "amazon.nova-pro-v1:0";
const EMBED = "cohere.embed-v4:0";

const arnOf = (id: string, region = REGION): string =>
  `arn:aws-us-gov:bedrock:${region}::foundation-model/${id}`;

function model(id: string, more: Partial<FoundationModel> = {}): FoundationModel {
  return {
    id,
    arn: arnOf(id),
    name: "Nova Pro",
    provider: "Amazon",
    input: ["TEXT", "IMAGE"],
    output: ["TEXT"],
    streams: true,
    inferenceTypes: ["ON_DEMAND"],
    lifecycle: "ACTIVE",
    ...more,
  };
}

const system: InferenceProfile = {
  id: `us-gov.${NOVA}`,
  arn: `arn:aws-us-gov:bedrock:${REGION}:123456789012:inference-profile/us-gov.${NOVA}`,
  name: "US-GOV Nova Pro",
  isActive: true,
  isApplication: false,
  modelArns: [arnOf(NOVA, "us-gov-east-1"), arnOf(NOVA)],
};
const application: InferenceProfile = {
  id: "k9m2x7q4w1ab",
  arn: `arn:aws-us-gov:bedrock:${REGION}:123456789012:application-inference-profile/k9m2x7q4w1ab`,
  name: "team-search",
  isActive: true,
  isApplication: true,
  modelArns: [arnOf(NOVA)],
};
const discovered: Discovered = {
  region: REGION,
  fetchedAt: 0,
  models: [
    model(NOVA),
    model(EMBED, { name: "Embed v4", provider: "Cohere", output: ["EMBEDDING"], streams: undefined }),
  ],
  profiles: [system, application],
  warnings: [],
};

function list(config: Configuration, more: Partial<ListInput> = {}) {
  return listModels({
    config,
    discovered,
    settings: { providerFilter: [], defaultContextWindow: 32_000, defaultMaxTokens: 4096 },
    defaults: { primary: undefined, fallbacks: [] },
    hasCredentials: true,
    all: false,
    providers: [],
    search: undefined,
    ...more,
  });
}

const configuring = (id: string, provider: object = {}): Configuration => ({
  models: { providers: { "amazon-bedrock": { models: [{ id }], ...provider } } },
});

describe("a configured id or ARN", () => {
  it.each<[string, string, Partial<ReturnType<typeof list>[number]>]>([
    ["a model's id", NOVA, { kind: "foundation-model", name: "Nova Pro", missing: false, available: true }],
    [
      "a model's ARN",
      arnOf(NOVA),
      { kind: "foundation-model", name: "Nova Pro", missing: false, contextWindow: 300_000 },
    ],
    [
      "a profile's id",
      system.id,
      { kind: "inference-profile", missing: false, regions: ["us-gov-east-1", REGION] },
    ],
    ["a profile's ARN", system.arn, { kind: "inference-profile", missing: false, contextWindow: 300_000 }],
    [
      "a profile's ARN without the account",
      system.arn.replace("123456789012", ""),
      { kind: "inference-profile", missing: false },
    ],
    [
      "an application profile's ARN",
      application.arn,
      { kind: "application-profile", missing: false, contextWindow: 300_000 },
    ],
    [
      "a model that AWS does not list",
      "amazon.nova-nonsense-v1:0",
      { kind: "configured", missing: true, available: false },
    ],
    ["the ARN of one", arnOf("amazon.nova-nonsense-v1:0"), { missing: true, available: false }],
    [
      "a model of another region's ARN, which this list cannot judge",
      arnOf(NOVA, "us-gov-east-1"),
      { kind: "configured", missing: false, regions: ["us-gov-east-1"], contextWindow: 300_000 },
    ],
    [
      "provisioned throughput, which is in no list",
      `arn:aws-us-gov:bedrock:${REGION}:123456789012:provisioned-model/ab12cd34ef56`,
      { kind: "configured", missing: false, provider: "custom", regions: [REGION], limitsSource: "default" },
    ],
    [
      "a model that does not stream text",
      EMBED,
      {
        missing: false,
        available: false,
        tags: ["configured", "no-chat"],
        provider: "Cohere",
        name: "Embed v4",
      },
    ],
  ])("%s is described as what it is", (_, id, expected) => {
    expect(list(configuring(id))[0]).toMatchObject({ id, ...expected });
  });

  it("is not called missing when the profiles could not be listed", () => {
    const partial = {
      ...discovered,
      profiles: [],
      warnings: [{ code: "access-denied", message: "m", hint: "h" }],
    };
    expect(list(configuring(system.id), { discovered: partial })[0]).toMatchObject({ missing: false });
    expect(list(configuring(arnOf("amazon.x")), { discovered: partial })[0]).toMatchObject({ missing: true });
  });

  it("belongs to the region of its provider's baseUrl, unless --region says otherwise", () => {
    const baseUrl = "https://bedrock-runtime.us-gov-east-1.amazonaws.com";
    const elsewhere = configuring("amazon.nova-nonsense-v1:0", { baseUrl });
    expect(list(elsewhere)[0]).toMatchObject({ missing: false, regions: ["us-gov-east-1"] });
    expect(list(elsewhere, { regionFlag: REGION })[0]).toMatchObject({ missing: true });
  });

  it("of another provider that speaks Converse is looked up like one of Bedrock", () => {
    const of = (api: "bedrock-converse-stream" | "openai-completions") =>
      list({ models: { providers: { other: { api, models: [{ id: NOVA }] } } } })[0];
    expect(of("bedrock-converse-stream")).toMatchObject({
      key: `other/${NOVA}`,
      kind: "foundation-model",
      contextWindow: 300_000,
    });
    expect(of("openai-completions")).toMatchObject({
      kind: "configured",
      provider: "other",
      limitsSource: "default",
    });
  });
});

describe("the id under which a list holds an ARN", () => {
  it.each([
    [NOVA, NOVA],
    [arnOf(NOVA), NOVA],
    [arnOf(NOVA, "us-gov-east-1"), undefined],
    [system.id, system.id],
    [system.arn, system.id],
    [application.arn, application.arn],
    // Calls take an application profile by its ARN only.
    [application.id, undefined],
    ["arn:aws-us-gov:iam::123456789012:role/x", undefined],
  ])("of %s is %s", (id, expected) => expect(listedId(id, discovered)).toBe(expected));

  it("leads to the foundation model", () => {
    for (const id of [NOVA, system.arn, application.arn]) expect(listedBase(id, discovered)?.id).toBe(NOVA);
    expect(listedBase("nothing", discovered)).toBeUndefined();
  });
});

describe("the destinations of a profile", () => {
  it("are each named once, and every region is one of them where a model's ARN has none", () => {
    expect(regionsOf(system)).toEqual(["us-gov-east-1", REGION]);
    expect(reachesEveryRegion(system)).toBe(false);
    const global = { ...system, modelArns: [arnOf(NOVA), arnOf(NOVA), arnOf(NOVA, "")] };
    expect(regionsOf(global)).toEqual([REGION]);
    expect(reachesEveryRegion(global)).toBe(true);
  });
});

it("stops after each model, so that a list of very many holds nobody up", () => {
  const ids = Array.from({ length: 1000 }, (_, index) => `model-${index}`);
  const input: ListInput = {
    config: { models: { providers: { own: { baseUrl: "http://localhost/v1", api: "openai-completions" } } } },
    discovered: undefined,
    served: new Map([["own", ids]]),
    settings: { providerFilter: [], defaultContextWindow: 1, defaultMaxTokens: 1 },
    defaults: { primary: undefined, fallbacks: [] },
    hasCredentials: true,
    all: false,
    providers: [],
    search: undefined,
  };
  expect(Array.from(siftingModels(input)).length).toBeGreaterThanOrEqual(ids.length);
  expect(listModels(input).map(({ id }) => id)).toEqual(ids);
});
