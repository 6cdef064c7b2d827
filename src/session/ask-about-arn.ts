import { parseArn } from "../aws/arn.ts";
import type { ArnFacts } from "../models/model-facts.ts";
import { callBedrock } from "./bedrock-operations.ts";
import type { AwsSession } from "./session.ts";

interface Question {
  /** The IAM action it needs. */
  action: string;
  /** What it needs besides, on the custom model behind a deployment. */
  besides?: string;
  ask: (session: AwsSession, arn: string) => Promise<ArnFacts>;
}

const PROMPT_ROUTER: Question = { action: "bedrock:GetPromptRouter", ask: askPromptRouter };
const PROFILE: Question = { action: "bedrock:GetInferenceProfile", ask: askProfile };

const QUESTIONS: Readonly<Record<string, Question>> = {
  "provisioned-model": {
    action: "bedrock:GetProvisionedModelThroughput",
    ask: async (session, arn) => {
      const { provisionedModelName, status, modelArn, foundationModelArn } = await callBedrock(
        session,
        "GetProvisionedModelThroughput",
        { provisionedModelId: arn },
      );
      return { name: provisionedModelName, status, targets: present(modelArn), base: foundationModelArn };
    },
  },
  "custom-model": {
    action: "bedrock:GetCustomModel",
    ask: async (session, arn) => {
      const { modelName, modelStatus, baseModelArn } = await callBedrock(session, "GetCustomModel", {
        modelIdentifier: arn,
      });
      return { name: modelName, status: modelStatus, targets: present(baseModelArn), base: baseModelArn };
    },
  },
  "custom-model-deployment": {
    action: "bedrock:GetCustomModelDeployment",
    besides: "bedrock:GetCustomModel",
    ask: async (session, arn) => {
      const { modelDeploymentName, status, modelArn } = await callBedrock(
        session,
        "GetCustomModelDeployment",
        { customModelDeploymentIdentifier: arn },
      );
      const { baseModelArn } = modelArn
        ? await callBedrock(session, "GetCustomModel", { modelIdentifier: modelArn })
        : {};
      return { name: modelDeploymentName, status, targets: present(modelArn), base: baseModelArn };
    },
  },
  "imported-model": {
    action: "bedrock:GetImportedModel",
    ask: async (session, arn) => {
      const { modelName, modelArchitecture } = await callBedrock(session, "GetImportedModel", {
        modelIdentifier: arn,
      });
      return {
        name: modelName,
        status: undefined,
        targets: [],
        base: undefined,
        architecture: modelArchitecture,
      };
    },
  },
  "prompt-router": PROMPT_ROUTER,
  "default-prompt-router": PROMPT_ROUTER,
  "application-inference-profile": PROFILE,
  "inference-profile": PROFILE,
};

/** The IAM action that a question about an ARN needs; undefined when AWS cannot be asked about one of its kind. */
export function actionAboutArn(arn: string): string | undefined {
  return questionAbout(arn)?.action;
}

/** What a policy has to allow for the question about an ARN: its actions, and what they are on. Empty where there is none. */
export function permissionsAboutArn(text: string): readonly { action: string; resource: string }[] {
  const { action, besides } = questionAbout(text) ?? {};
  const models = text.replace(/:custom-model-deployment\/.*$/, ":custom-model/*");
  return [
    ...(action === undefined ? [] : [{ action, resource: text }]),
    ...(besides === undefined ? [] : [{ action: besides, resource: models }]),
  ];
}

/** Asks AWS about the resource an ARN names; undefined when it cannot be asked. Throws as RestClient.send does. */
export async function askAboutArn(session: AwsSession, arn: string): Promise<ArnFacts | undefined> {
  return questionAbout(arn)?.ask(session, arn);
}

function questionAbout(text: string): Question | undefined {
  const arn = parseArn(text);
  return arn?.service === "bedrock" && Object.hasOwn(QUESTIONS, arn.resourceType)
    ? QUESTIONS[arn.resourceType]
    : undefined;
}

async function askPromptRouter(session: AwsSession, arn: string): Promise<ArnFacts> {
  const { promptRouterName, status, models, fallbackModel } = await callBedrock(session, "GetPromptRouter", {
    promptRouterArn: arn,
  });
  const targets = [...(models ?? []), fallbackModel].flatMap((model) => present(model?.modelArn));
  return {
    name: promptRouterName,
    status,
    targets: [...new Set(targets.toReversed())].toReversed(),
    base: undefined,
  };
}

async function askProfile(session: AwsSession, arn: string): Promise<ArnFacts> {
  const { inferenceProfileName, status, models } = await callBedrock(session, "GetInferenceProfile", {
    inferenceProfileIdentifier: arn,
  });
  const targets = (models ?? []).flatMap(({ modelArn }) => present(modelArn));
  return { name: inferenceProfileName, status, targets, base: targets[0] };
}

function present(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}
