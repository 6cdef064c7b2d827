import {
  GetFoundationModelAvailabilityCommand,
  GetFoundationModelCommand,
  GetInferenceProfileCommand,
  ListFoundationModelsCommand,
  ListInferenceProfilesCommand,
  paginateListInferenceProfiles,
  type InferenceProfileSummary,
  type ListFoundationModelsCommandInput,
} from "@aws-sdk/client-bedrock";
import { describe, expect, it } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { controlClient, emulate } from "./clients.ts";

async function listIds(emulator: Emulator, filter: ListFoundationModelsCommandInput): Promise<string[]> {
  const { modelSummaries = [] } = await controlClient(emulator).send(new ListFoundationModelsCommand(filter));
  return modelSummaries.map((model) => model.modelId ?? "");
}

async function listProfiles(
  emulator: Emulator,
  region: string,
  pageSize?: number,
): Promise<InferenceProfileSummary[]> {
  const client = controlClient(emulator, emulator, region);
  const profiles: InferenceProfileSummary[] = [];
  for await (const page of paginateListInferenceProfiles({ client, ...(pageSize ? { pageSize } : {}) }, {})) {
    profiles.push(...(page.inferenceProfileSummaries ?? []));
  }
  return profiles;
}

describe("ListFoundationModels", () => {
  it("lists models of every kind with ARNs of the region that signed", async () => {
    const emulator = await emulate();
    const client = controlClient(emulator, emulator, "eu-west-3");
    const { modelSummaries = [] } = await client.send(new ListFoundationModelsCommand({}));
    const byId = new Map(modelSummaries.map((model) => [model.modelId, model]));
    expect(new Set(modelSummaries.map((model) => model.providerName)).size).toBeGreaterThanOrEqual(15);
    expect(byId.get("amazon.nova-lite-v1:0")).toEqual({
      modelArn: "arn:aws:bedrock:eu-west-3::foundation-model/amazon.nova-lite-v1:0",
      modelId: "amazon.nova-lite-v1:0",
      modelName: "Nova Lite",
      providerName: "Amazon",
      inputModalities: ["TEXT", "IMAGE", "VIDEO"],
      outputModalities: ["TEXT"],
      responseStreamingSupported: true,
      customizationsSupported: ["FINE_TUNING"],
      inferenceTypesSupported: ["ON_DEMAND", "INFERENCE_PROFILE"],
      modelLifecycle: { status: "ACTIVE", startOfLifeTime: new Date("2024-12-03") },
    });
    expect(byId.get("anthropic.claude-opus-4-6-v1")?.inferenceTypesSupported).toEqual(["INFERENCE_PROFILE"]);
    expect(byId.get("anthropic.claude-3-haiku-20240307-v1:0:48k")?.inferenceTypesSupported).toEqual([
      "PROVISIONED",
    ]);
    expect(byId.get("anthropic.claude-3-haiku-20240307-v1:0:200k")?.inferenceTypesSupported).toEqual([]);
    expect(byId.get("amazon.nova-sonic-v1:0")?.outputModalities).toContain("SPEECH");
    expect(byId.get("writer.palmyra-vision-7b")).not.toHaveProperty("responseStreamingSupported");
    expect(byId.get("anthropic.claude-3-7-sonnet-20250219-v1:0")?.modelLifecycle).toMatchObject({
      status: "LEGACY",
    });
    expect(emulator.calls).toMatchObject([
      { route: "ListFoundationModels", region: "eu-west-3", httpVersion: "1.1" },
    ]);
  });

  it.each<[ListFoundationModelsCommandInput, string[], string[]]>([
    [{ byProvider: "mistral ai" }, ["mistral.mistral-large-2402-v1:0"], ["amazon.nova-pro-v1:0"]],
    [{ byOutputModality: "EMBEDDING" }, ["cohere.embed-v4:0"], ["amazon.nova-pro-v1:0"]],
    [{ byInferenceType: "PROVISIONED" }, ["amazon.nova-pro-v1:0:300k"], ["amazon.nova-pro-v1:0"]],
    [{ byCustomizationType: "DISTILLATION" }, ["amazon.nova-pro-v1:0"], ["amazon.nova-lite-v1:0"]],
    [
      { byProvider: "Amazon", byOutputModality: "TEXT" },
      ["amazon.nova-micro-v1:0"],
      ["amazon.nova-canvas-v1:0", "ai21.jamba-1-5-mini-v1:0"],
    ],
  ])("filters by %j", async (filter, present, absent) => {
    const ids = await listIds(await emulate(), filter);
    expect(ids).toEqual(expect.arrayContaining(present));
    for (const id of absent) expect(ids).not.toContain(id);
  });

  it("refuses a filter value outside its enumeration", async () => {
    const list = listIds(await emulate(), { byOutputModality: "VIDEO" as "TEXT" });
    await expect(list).rejects.toMatchObject({
      name: "ValidationException",
      message:
        "1 validation error detected: Value 'VIDEO' at 'byOutputModality' failed to satisfy constraint: " +
        "Member must satisfy enum value set: [TEXT, IMAGE, EMBEDDING]",
    });
  });

  it("refuses a provider's name that can be none", async () => {
    await expect(listIds(await emulate(), { byProvider: "Amazon!" })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("Value 'Amazon!' at 'byProvider'"),
    });
  });

  it("lists the models it is started with", async () => {
    const emulator = await emulate({ models: [], profiles: [] });
    expect(await listIds(emulator, {})).toEqual([]);
    expect(await listProfiles(emulator, "us-east-1")).toEqual([]);
  });
});

describe("ListInferenceProfiles", () => {
  it.each([
    ["us-east-1", ["us", "global"]],
    ["us-gov-west-1", ["us-gov"]],
    ["eu-central-1", ["eu", "global"]],
    ["ap-northeast-1", ["apac", "jp", "global"]],
    ["ap-southeast-2", ["apac", "au", "global"]],
    ["ap-south-1", ["apac", "global"]],
    ["sa-east-1", ["global"]],
  ])("lists in %s the profiles of %j", async (region, prefixes) => {
    const profiles = await listProfiles(await emulate(), region);
    const system = profiles.filter((profile) => profile.type === "SYSTEM_DEFINED");
    const found = new Set(system.map((profile) => profile.inferenceProfileId?.split(".")[0]));
    expect([...found].sort()).toEqual([...prefixes].sort());
    const partition = region.startsWith("us-gov") ? "aws-us-gov" : "aws";
    for (const profile of profiles) {
      expect(profile.inferenceProfileArn).toMatch(`arn:${partition}:bedrock:${region}:123456789012:`);
      for (const model of profile.models ?? []) expect(model.modelArn).toMatch(`arn:${partition}:bedrock:`);
    }
  });

  it("pages: twenty at a time when nothing is asked for, every profile exactly once", async () => {
    const emulator = await emulate();
    const whole = await listProfiles(emulator, "us-east-1", 1000);
    expect(whole.length).toBeGreaterThan(30);
    expect(emulator.calls).toHaveLength(1);
    expect(await listProfiles(emulator, "us-east-1")).toEqual(whole);
    expect(emulator.calls).toHaveLength(1 + Math.ceil(whole.length / 20));
    expect(await listProfiles(emulator, "us-east-1", 7)).toEqual(whole);
  });

  it("tells system profiles from application profiles", async () => {
    const client = controlClient(await emulate());
    const list = async (typeEquals: "APPLICATION" | "SYSTEM_DEFINED") =>
      (await client.send(new ListInferenceProfilesCommand({ typeEquals, maxResults: 1000 })))
        .inferenceProfileSummaries;
    expect(new Set((await list("SYSTEM_DEFINED"))?.map((profile) => profile.type))).toEqual(
      new Set(["SYSTEM_DEFINED"]),
    );
    expect((await list("APPLICATION"))?.map((profile) => profile.inferenceProfileName)).toEqual([
      "team-search",
      "support-chat",
    ]);
  });

  it.each([
    [{ maxResults: 0 }, "Value '0' at 'maxResults'"],
    [{ maxResults: 1001 }, "Value '1001' at 'maxResults'"],
    [{ maxResults: "x" as unknown as number }, "Malformed input request at 'maxResults'"],
    [{ nextToken: "made-up" }, "pagination token is invalid"],
    [{ nextToken: "a b" }, "Value 'a b' at 'nextToken'"],
    [{ typeEquals: "OTHER" as "APPLICATION" }, "Value 'OTHER' at 'typeEquals'"],
  ])("refuses %j", async (input, message) => {
    const list = controlClient(await emulate()).send(new ListInferenceProfilesCommand(input));
    await expect(list).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(message),
    });
  });
});

describe("single models and profiles", () => {
  it("gets a profile by id and by ARN, with the regions it reaches", async () => {
    const client = controlClient(await emulate());
    const byId = await client.send(
      new GetInferenceProfileCommand({ inferenceProfileIdentifier: "us.anthropic.claude-opus-4-6-v1" }),
    );
    expect(byId).toMatchObject({
      inferenceProfileName: "US Anthropic Claude Opus 4.6",
      description: "Routes requests to Anthropic Claude Opus 4.6 in us-east-1, us-east-2 and us-west-2.",
      status: "ACTIVE",
      models: ["us-east-1", "us-east-2", "us-west-2"].map((region) => ({
        modelArn: `arn:aws:bedrock:${region}::foundation-model/anthropic.claude-opus-4-6-v1`,
      })),
    });
    const byArn = await client.send(
      new GetInferenceProfileCommand({ inferenceProfileIdentifier: byId.inferenceProfileArn }),
    );
    expect({ ...byArn, $metadata: {} }).toEqual({ ...byId, $metadata: {} });
  });

  it("names the calling region and the whole world as destinations of a global profile", async () => {
    const emulator = await emulate();
    const profile = await controlClient(emulator, emulator, "eu-north-1").send(
      new GetInferenceProfileCommand({ inferenceProfileIdentifier: "global.anthropic.claude-sonnet-4-6" }),
    );
    expect(profile.models?.map((model) => model.modelArn)).toEqual([
      "arn:aws:bedrock:eu-north-1::foundation-model/anthropic.claude-sonnet-4-6",
      "arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-6",
    ]);
  });

  it("answers an unknown profile with ResourceNotFoundException", async () => {
    const get = controlClient(await emulate()).send(
      new GetInferenceProfileCommand({ inferenceProfileIdentifier: "us.no" }),
    );
    await expect(get).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $metadata: { httpStatusCode: 404 },
    });
  });

  it.each(["us.<no>", `us.${"a".repeat(2050)}`])("refuses what is no profile's id: %s", async (id) => {
    const get = controlClient(await emulate()).send(
      new GetInferenceProfileCommand({ inferenceProfileIdentifier: id }),
    );
    await expect(get).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(
        "at 'inferenceProfileIdentifier' failed to satisfy constraint",
      ) as string,
    });
  });

  it("gets a model by id and by ARN, and its availability", async () => {
    const client = controlClient(await emulate());
    const arn = "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0";
    for (const modelIdentifier of [arn, "meta.llama3-8b-instruct-v1:0"]) {
      const { modelDetails } = await client.send(new GetFoundationModelCommand({ modelIdentifier }));
      expect(modelDetails).toMatchObject({
        modelArn: arn,
        modelName: "Llama 3 8B Instruct",
        providerName: "Meta",
      });
    }
    const availability = await client.send(
      new GetFoundationModelAvailabilityCommand({ modelId: "meta.llama3-8b-instruct-v1:0" }),
    );
    expect(availability).toMatchObject({
      modelId: "meta.llama3-8b-instruct-v1:0",
      agreementAvailability: { status: "AVAILABLE" },
      authorizationStatus: "AUTHORIZED",
      entitlementAvailability: "AVAILABLE",
      regionAvailability: "AVAILABLE",
    });
  });

  it("refuses an unknown model", async () => {
    const get = controlClient(await emulate()).send(
      new GetFoundationModelCommand({ modelIdentifier: "a.b" }),
    );
    await expect(get).rejects.toMatchObject({
      name: "ValidationException",
      message: "The provided model identifier is invalid.",
    });
  });
});
