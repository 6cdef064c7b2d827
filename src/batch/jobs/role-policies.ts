import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import type { Account, ModelResources } from "../../iam/model-resources.ts";
import { folderOf, type JobPlace, keyBelow } from "./job-place.ts";

export interface RoleNeeds {
  account: Account;
  region: string;
  place: JobPlace;
  /** Its name. */
  role: string;
  /** The account of the bucket; undefined for the role's own. */
  bucketOwner: string | undefined;
  /** ARN; undefined where the bucket needs none. */
  kmsKey: string | undefined;
  /** What the job calls, where that is an inference profile; undefined where none is known. */
  model: ModelResources | undefined;
}

interface Statement {
  Sid: string;
  Effect: "Allow";
  Principal?: { Service: string };
  Action: string | string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface RolePolicy {
  Version: "2012-10-17";
  Statement: Statement[];
}

export interface RolePolicies {
  /** Who may assume the role: Amazon Bedrock, for jobs of this account and region. */
  trust: RolePolicy;
  /** What the role may do. */
  role: RolePolicy;
  /** What whoever submits needs beside the permissions for Bedrock and S3: to hand the role on. */
  caller: RolePolicy;
}

const SERVICE = "bedrock.amazonaws.com";

/**
 * The policies of a role for batch inference, by https://docs.aws.amazon.com/bedrock/latest/userguide/batch-iam-sr.html, and the
 * right to pass it on (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
 */
export function rolePolicies(needs: RoleNeeds): RolePolicies {
  const { account, region, place, role, bucketOwner, kmsKey, model } = needs;
  const { partition, id } = account;
  const bucket = `arn:${partition}:s3:::${place.bucket}`;
  const ofOwner = { StringEquals: { "aws:ResourceAccount": bucketOwner ?? id } };
  return {
    trust: policy({
      Sid: "BatchInference",
      Effect: "Allow",
      Principal: { Service: SERVICE },
      Action: "sts:AssumeRole",
      Condition: {
        StringEquals: { "aws:SourceAccount": id },
        ArnEquals: { "aws:SourceArn": `arn:${partition}:bedrock:${region}:${id}:model-invocation-job/*` },
      },
    }),
    role: policy(
      {
        Sid: "ListBucket",
        Effect: "Allow",
        Action: ["s3:ListBucket"],
        Resource: bucket,
        Condition: ofOwner,
      },
      {
        Sid: "ReadAndWriteObjects",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `${bucket}/${keyBelow(place, "*")}`,
        Condition: ofOwner,
      },
      ...(kmsKey === undefined
        ? []
        : [
            {
              Sid: "UseKey",
              Effect: "Allow" as const,
              Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
              Resource: kmsKey,
              Condition: {
                StringEquals: {
                  "kms:ViaService": `s3.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`,
                },
              },
            },
          ]),
      ...(model && model.called.length > 0
        ? [
            {
              Sid: "CallModel",
              Effect: "Allow" as const,
              Action: ["bedrock:InvokeModel"],
              Resource: [...model.called, ...model.destinations],
            },
          ]
        : []),
    ),
    caller: policy({
      Sid: "PassRole",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: `arn:${partition}:iam::${id}:role/${role}`,
      Condition: { StringEquals: { "iam:PassedToService": SERVICE } },
    }),
  };
}

function policy(...statements: Statement[]): RolePolicy {
  return { Version: "2012-10-17", Statement: statements };
}

/** The shell commands that make the role, each policy in lines of its own. */
export function roleCommands(
  { trust, role, caller }: RolePolicies,
  { role: name, place, account }: RoleNeeds,
): string {
  // In single quotes, in which lines stay lines; a prefix may have one in it.
  const json = (document: RolePolicy): string =>
    `'${JSON.stringify(document, undefined, 2).replaceAll("'", String.raw`'\''`)}'`;
  const folder = folderOf(place);
  const arn = `arn:${account.partition}:iam::${account.id}:role/${name}`;
  return [
    "# The role that Amazon Bedrock works with: who may assume it.",
    `aws iam create-role --role-name ${quoteForShell(name)} --assume-role-policy-document ${json(trust)}`,
    "",
    `# What it may do: read and write ${folder}.`,
    `aws iam put-role-policy --role-name ${quoteForShell(name)} --policy-name batch-inference --policy-document ${json(role)}`,
    "",
    "# Whoever submits jobs needs this beside `openclaw iam policy --for batch`:",
    ...JSON.stringify(caller, undefined, 2)
      .split("\n")
      .map((line) => `# ${line}`),
    "",
    `# Then: openclaw batch submit FILE --s3 ${quoteForShell(folder)} --role ${quoteForShell(arn)}`,
  ].join("\n");
}
