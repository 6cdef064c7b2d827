import { webSearchResources } from "../models/families.ts";
import { type Account, type CalledModel, type ModelResources, resourcesOf } from "./model-resources.ts";

/**
 * What a policy may be for: the commands `models`, `chat`, `embed`, `serve`, `doctor`, `quota` and `batch`, what `models
 * access` opens, and `chat --web`.
 */
export const PURPOSES = [
  "discovery",
  "chat",
  "embed",
  "serve",
  "doctor",
  "quota",
  "batch",
  "access",
  "web",
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** What it is for unless told otherwise: not for what is shown besides where it is allowed, and not for what has a price of its own. */
export const NEEDED_PURPOSES: readonly Purpose[] = PURPOSES.filter(
  (purpose) => !["quota", "batch", "access", "web"].includes(purpose),
);

/** Where jobs of batch inference read and write, and as whom. */
export interface BatchNeeds {
  bucket: string;
  /** Below which they do; empty for the whole bucket. */
  prefix: string;
  /** ARN of the role that is handed to Bedrock; undefined where nobody has named it. */
  role: string | undefined;
  /** ARN of the key that the bucket's objects are encrypted with; undefined for none of one's own. */
  kmsKey: string | undefined;
}

export interface PolicyStatement {
  /** Letters and digits only. */
  Sid: string;
  Effect: "Allow";
  Action: string[];
  Resource: string | string[];
  Condition?: { StringLike: Record<string, string[]> };
}

export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: PolicyStatement[];
}

/** Everything that decides which calls the program makes. */
export interface PolicyNeeds {
  purposes: readonly Purpose[];
  account: Account;
  /** Whether AWS's lists are asked for at all. */
  isDiscoveryOn: boolean;
  /** Whether a call of the models looks them up in AWS's lists. */
  looksUp: boolean;
  models: readonly CalledModel[];
  /** What texts are embedded with. */
  embedders: readonly CalledModel[];
  /** The region in which the endpoint `bedrock-mantle` is called; undefined where its provider is not configured. */
  mantleRegion: string | undefined;
  /** What `models show` and `models set` ask about ARNs among them that AWS's lists never hold. */
  asked: readonly { action: string; resource: string }[];
  /** Id or ARN; undefined for none. */
  guardrail: string | undefined;
  /** Whether a Bedrock API key makes the calls. */
  usesApiKey: boolean;
  /** Undefined where no bucket is named: then lines are asked from this machine only. */
  batch?: BatchNeeds | undefined;
}

/**
 * Answers are streamed from AWS (ConverseStream), also where they are handed on in one piece; a model that refuses tools in
 * a stream is asked by Converse. IAM has neither as an action.
 */
const INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

/**
 * Builds the policy that allows the calls the program makes, and no others. Actions and resource types are those of
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html; the models behind a profile may
 * be called through that profile only. GetCallerIdentity needs no permission. Without anything to allow it has no
 * statement.
 */
export function buildPolicy(needs: PolicyNeeds): PolicyDocument {
  const { purposes, account, models, guardrail, usesApiKey } = needs;
  const isFor = (...wanted: readonly Purpose[]): boolean =>
    wanted.some((purpose) => purposes.includes(purpose));
  const resources = models.map((model) => resourcesOf(model, account));
  const calls = isFor("chat", "serve", "batch", "web") ? callStatements(purposes, resources, account) : [];
  const guarded =
    calls.length > 0 && guardrail !== undefined ? guardrailArns(guardrail, models, account) : [];
  const projects = calls.length > 0 ? projectArns(models, account) : [];
  const mantle = mantleStatements(needs, {
    lists: isFor("discovery", "serve", "doctor", "batch"),
    calls: isFor("chat", "serve", "batch", "web"),
  });
  const statements = [
    ...(isFor("discovery", "serve", "doctor", "quota", "batch", "access") || needs.looksUp
      ? listStatements(needs)
      : []),
    ...(isFor("discovery", "doctor", "access") ? accessStatements(needs) : []),
    ...(isFor("access") ? openingStatements() : []),
    ...(isFor("discovery") ? readStatements(needs) : []),
    ...(isFor("quota", "batch", "access") ? quotaStatements(needs, isFor("quota")) : []),
    ...calls,
    ...statement("CallByResponses", ["bedrock:InvokeModel"], projects),
    ...(isFor("embed") ? embedStatements(needs) : []),
    ...(isFor("batch") ? jobStatements(needs, resources) : []),
    ...statement(
      "SearchWeb",
      ["bedrock:InvokeTool"],
      isFor("web")
        ? webSearchResources().map((tool) => `arn:${account.partition}:bedrock::${account.id}:${tool}`)
        : [],
    ),
    ...statement("ApplyGuardrail", ["bedrock:ApplyGuardrail"], guarded),
  ];
  const keyUses = [
    ...(statements.length > 0 ? ["bedrock:CallWithBearerToken"] : []),
    ...(mantle.length > 0 ? ["bedrock-mantle:CallWithBearerToken"] : []),
  ];
  const apiKey = usesApiKey && keyUses.length > 0 ? ["*"] : [];
  return {
    Version: "2012-10-17",
    Statement: [...statements, ...mantle, ...statement("UseApiKey", keyUses, apiKey)],
  };
}

/**
 * The default projects that calls by OpenAI's Responses are looked at for, besides the model:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-openai-gpt-56-sol.html
 */
function projectArns(models: readonly CalledModel[], { partition, id }: Account): string[] {
  const called = models.filter(({ api }) => api === "openai-responses");
  return distinct(called.map(({ region }) => `arn:${partition}:bedrock:${region}:${id}:project/default`));
}

/**
 * What the endpoint `bedrock-mantle` looks at: its models have no ARNs of their own, so all of them belong to the project
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html).
 */
function mantleStatements(
  { account, isDiscoveryOn, mantleRegion }: PolicyNeeds,
  { lists, calls }: { lists: boolean; calls: boolean },
): PolicyStatement[] {
  if (mantleRegion === undefined) return [];
  const project = `arn:${account.partition}:bedrock-mantle:${mantleRegion}:${account.id}:project/default`;
  return [
    ...statement("ListMantleModels", ["bedrock-mantle:ListModels"], lists && isDiscoveryOn ? [project] : []),
    ...statement("CallMantleModels", ["bedrock-mantle:CreateInference"], calls ? [project] : []),
  ];
}

function listStatements({ isDiscoveryOn }: PolicyNeeds): PolicyStatement[] {
  const actions = ["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"];
  return statement("ListModels", actions, isDiscoveryOn ? ["*"] : []);
}

/** AWS has no resource types for these; the use-case form is Anthropic's. */
function accessStatements({ isDiscoveryOn, models }: PolicyNeeds): PolicyStatement[] {
  const actions = [
    "bedrock:GetFoundationModelAvailability",
    "bedrock:GetUseCaseForModelAccess",
    "bedrock:GetAccountDataRetention",
  ];
  return statement("CheckAccess", actions, isDiscoveryOn || models.length > 0 ? ["*"] : []);
}

/** Vectors come in one piece. */
function embedStatements({ embedders, account }: PolicyNeeds): PolicyStatement[] {
  const resources = embedders.map((model) => resourcesOf(model, account));
  const called = resources.flatMap((own) => own.called);
  const destinations = resources.flatMap((own) => own.destinations);
  const profiles = ofType(called, "inference-profile", "application-inference-profile");
  return [
    ...statement("EmbedTexts", ["bedrock:InvokeModel"], called),
    ...statement("EmbedTextsThroughProfiles", ["bedrock:InvokeModel"], destinations, {
      "bedrock:InferenceProfileArn": profiles,
    }),
  ];
}

/**
 * What whoever submits jobs of batch inference needs: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-prereq.html.
 * A job is made of the models that it asks, and the role is handed to Bedrock and nobody else
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html); a large file goes up in parts
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).
 */
function jobStatements(
  { batch, account, models }: PolicyNeeds,
  resources: readonly ModelResources[],
): PolicyStatement[] {
  if (!batch) return [];
  const { partition, id } = account;
  const bucket = `arn:${partition}:s3:::${batch.bucket}`;
  const jobs = models.map(({ region }) => `arn:${partition}:bedrock:${region}:${id}:model-invocation-job/*`);
  const asked = resources.flatMap((own) => [...own.called, ...own.destinations]);
  return [
    ...statement(
      "CreateJobs",
      ["bedrock:CreateModelInvocationJob"],
      jobs.length > 0 ? [...asked, ...jobs] : [],
    ),
    ...statement("FollowJobs", ["bedrock:GetModelInvocationJob", "bedrock:StopModelInvocationJob"], jobs),
    ...statement("ListJobs", ["bedrock:ListModelInvocationJobs"], ["*"]),
    ...statement("PassRole", ["iam:PassRole"], batch.role === undefined ? [] : [batch.role], {
      "iam:PassedToService": ["bedrock.amazonaws.com"],
    }),
    ...statement(
      "ReadAndWriteObjects",
      [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
      ],
      [`${bucket}/${batch.prefix === "" ? "" : `${batch.prefix}/`}*`],
    ),
    ...statement("ListBucket", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket]),
    ...statement(
      "UseKey",
      ["kms:Decrypt", "kms:GenerateDataKey"],
      batch.kmsKey === undefined ? [] : [batch.kmsKey],
    ),
  ];
}

/**
 * AWS has no resource types for GetMetricData, and ListServiceQuotas is asked for a whole service. `models access` tells a
 * quota of 0, and nobody's use of it.
 */
function quotaStatements({ isDiscoveryOn, models }: PolicyNeeds, tellsUse: boolean): PolicyStatement[] {
  const actions = ["servicequotas:ListServiceQuotas", ...(tellsUse ? ["cloudwatch:GetMetricData"] : [])];
  return statement("ReadQuotas", actions, isDiscoveryOn || models.length > 0 ? ["*"] : []);
}

/**
 * What `models access` opens gates by. None has resource types; the two of AWS Marketplace are those that Bedrock's refusals
 * name (https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html).
 */
function openingStatements(): PolicyStatement[] {
  const actions = [
    "bedrock:PutUseCaseForModelAccess",
    "bedrock:ListFoundationModelAgreementOffers",
    "bedrock:CreateFoundationModelAgreement",
    "bedrock:PutAccountDataRetention",
    "aws-marketplace:Subscribe",
    "aws-marketplace:ViewSubscriptions",
  ];
  return statement("OpenAccess", actions, ["*"]);
}

function readStatements({ asked }: PolicyNeeds): PolicyStatement[] {
  return distinct(asked.map(({ action }) => action)).flatMap((action) =>
    statement(
      action.replace("bedrock:Get", "Read"),
      [action],
      asked.filter((other) => other.action === action).map(({ resource }) => resource),
    ),
  );
}

function callStatements(
  purposes: readonly Purpose[],
  resources: readonly ModelResources[],
  { partition, id }: Account,
): PolicyStatement[] {
  const called = resources.flatMap((own) => own.called);
  const destinations = resources.flatMap((own) => own.destinations);
  const counted = purposes.includes("chat") ? resources.flatMap((own) => own.counted) : [];
  const applications = ofType(called, "application-inference-profile");
  const profiles = [...ofType(called, "inference-profile"), ...applications];
  const routers = ofType(called, "prompt-router", "default-prompt-router");
  // Which models a router chooses from is its own affair; they may be called through it only.
  const behindRouters = [
    `arn:${partition}:bedrock:*::foundation-model/*`,
    `arn:${partition}:bedrock:*:${id}:inference-profile/*`,
  ];
  return [
    ...statement("CallModels", INVOKE, called),
    ...statement("CallModelsThroughProfiles", INVOKE, destinations, {
      "bedrock:InferenceProfileArn": profiles,
    }),
    ...statement("CallModelsThroughRouters", INVOKE, routers.length > 0 ? behindRouters : [], {
      "bedrock:PromptRouterArn": routers,
    }),
    ...statement("ReadApplicationProfiles", ["bedrock:GetInferenceProfile"], applications),
    ...statement("CountTokens", ["bedrock:CountTokens"], counted),
  ];
}

function ofType(arns: readonly string[], ...types: readonly string[]): string[] {
  return arns.filter((arn) => types.some((type) => arn.includes(`:${type}/`)));
}

/** The guardrail is applied in the region of each call. */
function guardrailArns(
  guardrail: string,
  models: readonly CalledModel[],
  { partition, id }: Account,
): string[] {
  if (guardrail.startsWith("arn:")) return [guardrail];
  return models.map(({ region }) => `arn:${partition}:bedrock:${region}:${id}:guardrail/${guardrail}`);
}

/** A statement, unless there is nothing that it would allow. */
function statement(
  Sid: string,
  actions: readonly string[],
  resources: readonly string[],
  condition?: Readonly<Record<string, readonly string[]>>,
): PolicyStatement[] {
  const [first, ...others] = distinct(resources);
  if (first === undefined) return [];
  const StringLike =
    condition &&
    Object.fromEntries(Object.entries(condition).map(([key, values]) => [key, distinct(values)]));
  return [
    {
      Sid,
      Effect: "Allow",
      Action: distinct(actions),
      Resource: first === "*" ? first : [first, ...others],
      ...(StringLike ? { Condition: { StringLike } } : {}),
    },
  ];
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
