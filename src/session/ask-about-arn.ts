import type { ArnFacts } from "../models/model-facts.ts";
import {
  GetCustomModelCommand,
  GetCustomModelDeploymentCommand,
  GetImportedModelCommand,
  GetInferenceProfileCommand,
  GetPromptRouterCommand,
  GetProvisionedModelThroughputCommand,
} from "@aws-sdk/client-bedrock";
import { parseArn } from "../aws/arn.ts";
import type { AwsSession } from "./session.ts";

interface Question {
  /** The IAM action it needs. */
  action: string;
  ask: (session: AwsSession, arn: string) => Promise<ArnFacts>;
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  "provisioned-model": {
    action: "bedrock:GetProvisionedModelThroughput",
    ask: async (session, arn) => {
      const answer = await (
        await session.bedrock()
      ).send(new GetProvisionedModelThroughputCommand({ provisionedModelId: arn }), options(session));
      return {
        name: answer.provisionedModelName,
        status: answer.status,
        targets: present(answer.modelArn),
        base: answer.foundationModelArn,
      };
    },
  },
  "custom-model": {
    action: "bedrock:GetCustomModel",
    ask: async (session, arn) => {
      const { modelName, modelStatus, baseModelArn } = await askCustomModel(session, arn);
      return { name: modelName, status: modelStatus, targets: present(baseModelArn), base: baseModelArn };
    },
  },
  "custom-model-deployment": {
    action: "bedrock:GetCustomModelDeployment",
    ask: async (session, arn) => {
      const command = new GetCustomModelDeploymentCommand({ customModelDeploymentIdentifier: arn });
      const answer = await (await session.bedrock()).send(command, options(session));
      const { baseModelArn } = answer.modelArn ? await askCustomModel(session, answer.modelArn) : {};
      return {
        name: answer.modelDeploymentName,
        status: answer.status,
        targets: present(answer.modelArn),
        base: baseModelArn,
      };
    },
  },
  "imported-model": {
    action: "bedrock:GetImportedModel",
    ask: async (session, arn) => {
      const command = new GetImportedModelCommand({ modelIdentifier: arn });
      const { modelName, modelArchitecture } = await (
        await session.bedrock()
      ).send(command, options(session));
      return {
        name: modelName,
        status: undefined,
        targets: [],
        base: undefined,
        architecture: modelArchitecture,
      };
    },
  },
  "prompt-router": { action: "bedrock:GetPromptRouter", ask: askPromptRouter },
  "default-prompt-router": { action: "bedrock:GetPromptRouter", ask: askPromptRouter },
  "application-inference-profile": { action: "bedrock:GetInferenceProfile", ask: askProfile },
  "inference-profile": { action: "bedrock:GetInferenceProfile", ask: askProfile },
};

/** The IAM action that a question about an ARN needs; undefined when AWS cannot be asked about one of its kind. */
export function actionAboutArn(arn: string): string | undefined {
  return questionAbout(arn)?.action;
}

/** Asks AWS about the resource an ARN names; undefined when it cannot be asked. Throws what the SDK throws. */
export async function askAboutArn(session: AwsSession, arn: string): Promise<ArnFacts | undefined> {
  return questionAbout(arn)?.ask(session, arn);
}

function questionAbout(text: string): Question | undefined {
  const arn = parseArn(text);
  return arn?.service === "bedrock" && Object.hasOwn(QUESTIONS, arn.resourceType)
    ? QUESTIONS[arn.resourceType]
    : undefined;
}

async function askCustomModel(session: AwsSession, arn: string) {
  const client = await session.bedrock();
  return client.send(new GetCustomModelCommand({ modelIdentifier: arn }), options(session));
}

async function askPromptRouter(session: AwsSession, arn: string): Promise<ArnFacts> {
  const client = await session.bedrock();
  const answer = await client.send(new GetPromptRouterCommand({ promptRouterArn: arn }), options(session));
  const targets = [...(answer.models ?? []), answer.fallbackModel].flatMap((model) =>
    present(model?.modelArn),
  );
  return {
    name: answer.promptRouterName,
    status: answer.status,
    targets: [...new Set(targets.toReversed())].toReversed(),
    base: undefined,
  };
}

async function askProfile(session: AwsSession, arn: string): Promise<ArnFacts> {
  const client = await session.bedrock();
  const command = new GetInferenceProfileCommand({ inferenceProfileIdentifier: arn });
  const answer = await client.send(command, options(session));
  const targets = (answer.models ?? []).flatMap(({ modelArn }) => present(modelArn));
  return { name: answer.inferenceProfileName, status: answer.status, targets, base: targets[0] };
}

function options(session: AwsSession): { abortSignal: AbortSignal } {
  return { abortSignal: session.setup.runtime.signal };
}

function present(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}
