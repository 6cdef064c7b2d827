import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { roleCommands, type RoleNeeds, rolePolicies } from "../../../src/batch/jobs/role-policies.ts";
import { createHome } from "../../helpers/openclaw.ts";

const NEEDS: RoleNeeds = {
  account: { partition: "aws", id: "123456789012" },
  region: "us-east-1",
  place: { bucket: "my-bucket", prefix: "it's/batch" },
  role: "openclaw-batch",
  bucketOwner: undefined,
  kmsKey: undefined,
  model: undefined,
};

it("lets Bedrock assume the role for jobs of this account and region alone", () => {
  const { trust, caller } = rolePolicies({
    ...NEEDS,
    account: { partition: "aws-us-gov", id: "210987654321" },
  });
  expect(trust.Statement).toEqual([
    {
      Sid: "BatchInference",
      Effect: "Allow",
      Principal: { Service: "bedrock.amazonaws.com" },
      Action: "sts:AssumeRole",
      Condition: {
        StringEquals: { "aws:SourceAccount": "210987654321" },
        ArnEquals: {
          "aws:SourceArn": "arn:aws-us-gov:bedrock:us-east-1:210987654321:model-invocation-job/*",
        },
      },
    },
  ]);
  expect(caller.Statement).toMatchObject([
    {
      Action: "iam:PassRole",
      Resource: "arn:aws-us-gov:iam::210987654321:role/openclaw-batch",
      Condition: { StringEquals: { "iam:PassedToService": "bedrock.amazonaws.com" } },
    },
  ]);
});

it("lets the role use what is below the prefix, the key and the profile, and nothing else", () => {
  const bare = rolePolicies(NEEDS).role.Statement;
  expect(bare.map(({ Resource }) => Resource)).toEqual([
    "arn:aws:s3:::my-bucket",
    "arn:aws:s3:::my-bucket/it's/batch/*",
  ]);
  for (const { Condition } of bare)
    expect(Condition).toEqual({ StringEquals: { "aws:ResourceAccount": "123456789012" } });
  const whole = rolePolicies({
    ...NEEDS,
    account: { partition: "aws-cn", id: "123456789012" },
    region: "cn-north-1",
    bucketOwner: "210987654321",
    kmsKey: "arn:aws-cn:kms:cn-north-1:123456789012:key/a",
    model: { called: ["profile"], destinations: ["one", "two"], counted: [], isExact: true, isCovered: true },
  }).role.Statement;
  expect(whole).toMatchObject([
    { Condition: { StringEquals: { "aws:ResourceAccount": "210987654321" } } },
    { Condition: { StringEquals: { "aws:ResourceAccount": "210987654321" } } },
    {
      Resource: "arn:aws-cn:kms:cn-north-1:123456789012:key/a",
      Condition: { StringEquals: { "kms:ViaService": "s3.cn-north-1.amazonaws.com.cn" } },
    },
    { Action: ["bedrock:InvokeModel"], Resource: ["profile", "one", "two"] },
  ]);
});

it("prints commands that a shell takes as they are, whatever the prefix has in it", () => {
  const folder = createHome();
  const aws = path.join(folder, "aws");
  writeFileSync(aws, `#!/bin/sh\nfor last; do :; done\nprintf '%s\\0' "$*" "$last" >> ${folder}/said\n`);
  chmodSync(aws, 0o755);
  const policies = rolePolicies(NEEDS);
  execFileSync("/bin/sh", ["-e"], {
    input: roleCommands(policies, NEEDS),
    env: { PATH: `${folder}:${process.env["PATH"]}` },
  });
  const said = readFileSync(path.join(folder, "said"), "utf8").split("\0");
  expect(said[0]).toMatch(/^iam create-role --role-name openclaw-batch --assume-role-policy-document /);
  expect(JSON.parse(said[1] ?? "")).toEqual(policies.trust);
  expect(said[2]).toMatch(/^iam put-role-policy --role-name openclaw-batch /);
  expect(JSON.parse(said[3] ?? "")).toEqual(policies.role);
  expect(said).toHaveLength(5);
});
