import { describe, expect, it } from "vitest";
import type { ModelFacts } from "../../src/models/model-facts.ts";
import type { RecordedCall, ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { emulate } from "../helpers/emulated.ts";
import { expectSchema } from "../helpers/schema.ts";

const ACCOUNT = "123456789012";
const east = (resource: string): string => `arn:aws:bedrock:us-east-1:${ACCOUNT}:${resource}`;

const answered: StreamStep[] = [
  { event: "messageStart", payload: { role: "assistant" } },
  { event: "contentBlockDelta", payload: { contentBlockIndex: 0, delta: { text: "Hello." } } },
  { event: "messageStop", payload: { stopReason: "end_turn" } },
];

describe("chat --model ARN", () => {
  it.each([
    ["a foundation model", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0", "eu-west-1"],
    [
      "GovCloud",
      "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-lite-v1:0",
      "us-gov-west-1",
    ],
    ["China", "arn:aws-cn:bedrock:cn-north-1::foundation-model/amazon.nova-lite-v1:0", "cn-north-1"],
    [
      "an isolated region",
      "arn:aws-iso:bedrock:us-iso-east-1::foundation-model/amazon.nova-lite-v1:0",
      "us-iso-east-1",
    ],
    [
      "an inference profile",
      `arn:aws:bedrock:us-west-2:${ACCOUNT}:inference-profile/us.amazon.nova-lite-v1:0`,
      "us-west-2",
    ],
    [
      "a GovCloud inference profile",
      `arn:aws-us-gov:bedrock:us-gov-east-1:${ACCOUNT}:inference-profile/us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0`,
      "us-gov-east-1",
    ],
    [
      "an application profile",
      `arn:aws:bedrock:eu-west-1:${ACCOUNT}:application-inference-profile/k9m2x7q4w1ab`,
      "eu-west-1",
    ],
    ["a prompt router", `arn:aws:bedrock:eu-west-1:${ACCOUNT}:prompt-router/ab12cd34ef56`, "eu-west-1"],
    [
      "a default prompt router",
      `arn:aws:bedrock:us-west-2:${ACCOUNT}:default-prompt-router/anthropic.claude:1`,
      "us-west-2",
    ],
    [
      "an imported model",
      `arn:aws:bedrock:eu-central-1:${ACCOUNT}:imported-model/ab12cd34ef56`,
      "eu-central-1",
    ],
    [
      "a custom model deployment",
      `arn:aws:bedrock:us-west-2:${ACCOUNT}:custom-model-deployment/ab12cd34ef56`,
      "us-west-2",
    ],
    [
      "provisioned throughput",
      `arn:aws:bedrock:ap-southeast-2:${ACCOUNT}:provisioned-model/ab12cd34ef56`,
      "ap-southeast-2",
    ],
  ])("calls %s as it is, in the region it names", async (_, arn, region) => {
    const emulated = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? { stream: answered } : undefined),
    });
    const result = await emulated.run(["chat", "-m", arn, "hi"], { env: { AWS_REGION: "us-east-1" } });
    expect(result).toMatchObject({ code: 0, stdout: "Hello.\n" });
    expect(emulated.emulator.calls).toHaveLength(1);
    expect(emulated.emulator.calls[0]).toMatchObject({
      route: "ConverseStream",
      region,
      parameters: { modelId: arn },
    });
  });
});

/** What AWS says about the resources of this account; `{}` for a fault of the test. */
const RESOURCES: Readonly<Record<string, object>> = {
  [`/provisioned-model-throughput/${east("provisioned-model/ab12cd34ef56")}`]: {
    modelUnits: 1,
    provisionedModelName: "nightly",
    provisionedModelArn: east("provisioned-model/ab12cd34ef56"),
    modelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0:300k",
    foundationModelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0:300k",
    status: "InService",
  },
  [`/model-customization/custom-model-deployments/${east("custom-model-deployment/ab12cd34ef56")}`]: {
    customModelDeploymentArn: east("custom-model-deployment/ab12cd34ef56"),
    modelDeploymentName: "tuned",
    modelArn: east("custom-model/amazon.nova-lite-v1:0:300k/cd34ef56ab12"),
    status: "Active",
  },
  [`/custom-models/${east("custom-model/amazon.nova-lite-v1:0:300k/cd34ef56ab12")}`]: {
    modelArn: east("custom-model/amazon.nova-lite-v1:0:300k/cd34ef56ab12"),
    modelName: "tuned-model",
    baseModelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0:300k",
  },
  [`/imported-models/${east("imported-model/ab12cd34ef56")}`]: {
    modelArn: east("imported-model/ab12cd34ef56"),
    modelName: "our-llama",
    modelArchitecture: "llama3",
  },
  [`/prompt-routers/${east("prompt-router/ab12cd34ef56")}`]: {
    promptRouterName: "cheap-first",
    promptRouterArn: east("prompt-router/ab12cd34ef56"),
    models: [
      { modelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0" },
      { modelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0" },
    ],
    fallbackModel: { modelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0" },
    status: "AVAILABLE",
    type: "custom",
  },
  // Shared by another account, so no list of this one holds it.
  ["/inference-profiles/arn:aws:bedrock:us-east-1:999999999999:application-inference-profile/zz12cd34ef56"]: {
    inferenceProfileName: "theirs",
    inferenceProfileArn: "arn:aws:bedrock:us-east-1:999999999999:application-inference-profile/zz12cd34ef56",
    inferenceProfileId: "zz12cd34ef56",
    models: [{ modelArn: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0" }],
    status: "ACTIVE",
    type: "APPLICATION",
  },
};

const notFound: ScriptedAnswer = {
  error: {
    name: "ResourceNotFoundException",
    status: 404,
    message: "The specified resource could not be found.",
  },
};

/** Answers about resources that the emulator does not have. */
function resources({ route, path }: RecordedCall): ScriptedAnswer | undefined {
  const body = RESOURCES[decodeURIComponent(path)];
  if (body) return { http: { status: 200, body } };
  return route === "Unknown" || path.startsWith("/inference-profiles/") ? notFound : undefined;
}

async function show(arn: string, script = resources) {
  const emulated = await emulate({ script });
  const { code, stdout, stderr } = await emulated.run(["models", "show", arn, "--json"]);
  return {
    emulated,
    code,
    stderr,
    document: JSON.parse(stdout) as ModelFacts & { error?: { code: string } },
  };
}

describe("models show ARN", () => {
  it.each<[string, string, object]>([
    [
      "a foundation model",
      "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
      {
        kind: "foundation-model",
        name: "Nova Pro",
        contextWindow: 300_000,
        base: { id: "amazon.nova-pro-v1:0" },
      },
    ],
    [
      "a foundation model of another region",
      "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0",
      { kind: "foundation-model", regions: ["eu-west-1"], region: "eu-west-1" },
    ],
    [
      "a model of GovCloud",
      "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
      { name: "Claude 3 Haiku", region: "us-gov-west-1", arn: { partition: "aws-us-gov" } },
    ],
    [
      "a system profile",
      east("inference-profile/us.anthropic.claude-opus-4-6-v1"),
      {
        kind: "inference-profile",
        regions: ["us-east-1", "us-east-2", "us-west-2"],
        base: { id: "anthropic.claude-opus-4-6-v1" },
        reasoningLevels: ["off", "low", "medium", "high", "max"],
      },
    ],
    [
      "an application profile",
      east("application-inference-profile/p3t8v5z6c0de"),
      { kind: "application-profile", name: "support-chat", base: { id: "anthropic.claude-sonnet-4-6" } },
    ],
    [
      "an application profile of another account",
      "arn:aws:bedrock:us-east-1:999999999999:application-inference-profile/zz12cd34ef56",
      { name: "theirs", contextWindow: 128_000, arn: { account: "999999999999", status: "ACTIVE" } },
    ],
    [
      "provisioned throughput",
      east("provisioned-model/ab12cd34ef56"),
      {
        kind: "other",
        name: "nightly",
        provider: "Amazon",
        contextWindow: 300_000,
        limitsSource: "catalog",
        arn: { names: "provisioned throughput", status: "InService", account: ACCOUNT },
      },
    ],
    [
      "a custom model deployment",
      east("custom-model-deployment/ab12cd34ef56"),
      {
        name: "tuned",
        contextWindow: 300_000,
        arn: { status: "Active", targets: [east("custom-model/amazon.nova-lite-v1:0:300k/cd34ef56ab12")] },
      },
    ],
    [
      "an imported model",
      east("imported-model/ab12cd34ef56"),
      {
        name: "our-llama",
        limitsSource: "default",
        arn: { names: "imported model", architecture: "llama3" },
      },
    ],
    [
      "a prompt router",
      east("prompt-router/ab12cd34ef56"),
      {
        name: "cheap-first",
        arn: {
          status: "AVAILABLE",
          // The one that answers for the others is the last.
          targets: [
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
          ],
        },
      },
    ],
  ])("tells what is known of %s", async (_, arn, expected) => {
    const { code, document } = await show(arn);
    expect(code).toBe(0);
    expectSchema("models-show", document);
    expect(document).toMatchObject(expected);
  });

  it.each([
    ["a prompt router that is gone", east("prompt-router/gone00000000")],
    [
      "a model that AWS does not have",
      "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-nonsense-v1:0",
    ],
    ["a role", `arn:aws:iam::${ACCOUNT}:role/EC2-Bedrock-Access`],
    ["a guardrail", east("guardrail/abcd1234efgh")],
  ])("does not know %s", async (_, arn) => {
    const { code, document } = await show(arn);
    expect(code).toBe(6);
    expect(document.error?.code).toBe("model-not-found");
  });

  it("tells what the ARN says by itself when AWS may not be asked about it", async () => {
    const denied: ScriptedAnswer = {
      error: {
        name: "AccessDeniedException",
        status: 403,
        message:
          "User: x is not authorized to perform: bedrock:GetPromptRouter because no identity-based policy allows it",
      },
    };
    const { code, document, stderr } = await show(east("prompt-router/ab12cd34ef56"), ({ route }) =>
      route === "Unknown" ? denied : undefined,
    );
    expect(code).toBe(0);
    expectSchema("models-show", document);
    expect(document).toMatchObject({
      kind: "other",
      arn: { names: "prompt router", region: "us-east-1", status: null },
    });
    expect(stderr).toContain("bedrock:GetPromptRouter");
  });

  it("refuses a --region that contradicts the ARN", async () => {
    const emulated = await emulate();
    const arn = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0";
    const { code, stderr } = await emulated.run(["models", "show", arn, "--region", "us-east-1"]);
    expect(code).toBe(2);
    expect(stderr).toContain("eu-west-1");
  });
});

describe("models set ARN", () => {
  it.each([
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
    "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0",
    east("inference-profile/us.anthropic.claude-opus-4-6-v1"),
    east("application-inference-profile/k9m2x7q4w1ab"),
    east("provisioned-model/ab12cd34ef56"),
    east("prompt-router/ab12cd34ef56"),
  ])("takes %s, as it is", async (arn) => {
    const emulated = await emulate({ script: resources });
    const { code, stdout } = await emulated.run(["models", "set", arn]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `Default model: amazon-bedrock/${arn}\n` });
    const { stdout: value } = await emulated.run(["config", "get", "agents.defaults.model"]);
    expect(value).toBe(`amazon-bedrock/${arn}\n`);
  });

  it.each([
    ["AWS says is gone", east("prompt-router/gone00000000"), "There is no model"],
    ["nobody could be asked about", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine", "--force"],
    ["is no model's", `arn:aws:iam::${ACCOUNT}:role/x`, "There is no model"],
  ])("refuses one that %s", async (_, arn, words) => {
    const emulated = await emulate({ script: resources });
    const { code, stderr } = await emulated.run(["models", "set", arn]);
    expect(code).toBe(6);
    expect(stderr).toContain(words);
    expect((await emulated.run(["config", "get", "agents.defaults.model"])).code).toBe(3);
    expect((await emulated.run(["models", "set", arn, "--force"])).code).toBe(0);
  });
});
