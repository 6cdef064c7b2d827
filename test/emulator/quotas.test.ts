import { CloudWatchClient, GetMetricDataCommand, type GetMetricDataInput } from "@aws-sdk/client-cloudwatch";
import { ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import {
  ListServiceQuotasCommand,
  paginateListServiceQuotas,
  type ServiceQuota,
  ServiceQuotasClient,
} from "@aws-sdk/client-service-quotas";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { emulate, runtimeClient } from "./clients.ts";

const NOVA_RPM = "On-demand model inference requests per minute for Amazon Nova Lite";

function quotaClient(emulator: Emulator, credentials = emulator): ServiceQuotasClient {
  const client = new ServiceQuotasClient({
    endpoint: emulator.url,
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

function metricClient(emulator: Emulator): CloudWatchClient {
  const client = new CloudWatchClient({
    endpoint: emulator.url,
    region: "us-east-1",
    credentials: emulator,
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

function environment({ url, accessKeyId, secretAccessKey }: Emulator): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: url,
    AWS_MAX_ATTEMPTS: "1",
  };
}

describe("Service Quotas", () => {
  it("lists the quotas of every model over several pages, each once", async () => {
    const emulator = await emulate();
    const names: string[] = [];
    let pages = 0;
    for await (const { Quotas = [] } of paginateListServiceQuotas(
      { client: quotaClient(emulator) },
      { ServiceCode: "bedrock" },
    )) {
      pages += 1;
      names.push(...Quotas.map(({ QuotaName = "" }) => QuotaName));
    }
    expect(pages).toBeGreaterThan(1);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain(NOVA_RPM);
    expect(names).toContain("Cross-region model inference tokens per minute for Anthropic Claude Opus 4.8");
    expect(names).not.toContain(
      "Cross-region model inference requests per minute for Anthropic Claude Opus 4.8",
    );
    expect(emulator.calls[0]?.permissions).toEqual([
      { action: "servicequotas:ListServiceQuotas", resource: "*", context: {} },
    ]);
  });

  it("gives one the value that it was told to have, and says that it is simulated", async () => {
    const client = quotaClient(await emulate({ quotas: { [NOVA_RPM]: 0 } }));
    const pages = paginateListServiceQuotas({ client }, { ServiceCode: "bedrock" });
    let quota: ServiceQuota | undefined;
    for await (const { Quotas = [] } of pages)
      quota ??= Quotas.find(({ QuotaName }) => QuotaName === NOVA_RPM);
    expect(quota).toMatchObject({ QuotaName: NOVA_RPM, Value: 0, Adjustable: false });
    expect(quota?.Description).toMatch(/simulated/i);
  });

  it.each([
    [{ ServiceCode: "nowhere" }, "NoSuchResourceException", 400],
    [{ ServiceCode: "bedrock", MaxResults: 101 }, "IllegalArgumentException", 400],
    [{ ServiceCode: "bedrock", QuotaCode: "?" }, "IllegalArgumentException", 400],
    [{ ServiceCode: "bedrock", QuotaAppliedAtLevel: "USER" as "ALL" }, "IllegalArgumentException", 400],
    [{ ServiceCode: "bedrock", NextToken: "bm9uZQ==" }, "InvalidPaginationTokenException", 400],
  ])("refuses %j as %s", async (input, name, status) => {
    const client = quotaClient(await emulate());
    await expect(client.send(new ListServiceQuotasCommand(input))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: status },
    });
  });

  it("takes no signature for another service, and no secret but its own", async () => {
    const emulator = await emulate();
    const wrong = { ...emulator, accessKeyId: emulator.accessKeyId, secretAccessKey: "wrong" };
    await expect(
      quotaClient(emulator, wrong).send(new ListServiceQuotasCommand({ ServiceCode: "bedrock" })),
    ).rejects.toMatchObject({ name: "InvalidSignatureException", $metadata: { httpStatusCode: 403 } });
  });

  it("fails as a script says, in its own form", async () => {
    const emulator = await emulate({
      script: () => ({ error: { name: "TooManyRequestsException", message: "slower" } }),
    });
    await expect(
      quotaClient(emulator).send(new ListServiceQuotasCommand({ ServiceCode: "bedrock" })),
    ).rejects.toMatchObject({ name: "TooManyRequestsException", message: "slower" });
  });
});

describe("CloudWatch", () => {
  const query = (MetricName: string, modelId: string, Id = "q0") => ({
    Id,
    MetricStat: {
      Metric: { Namespace: "AWS/Bedrock", MetricName, Dimensions: [{ Name: "ModelId", Value: modelId }] },
      Period: 60,
      Stat: "Sum",
    },
  });
  const lately = () => ({
    StartTime: new Date(Date.now() - 600_000),
    EndTime: new Date(Date.now() + 60_000),
  });

  it("tells what the emulator was called for, by the id of the call", async () => {
    const emulator = await emulate({
      script: ({ route, nth }) =>
        route === "Converse" && nth === 3
          ? { error: { name: "ThrottlingException", message: "no" } }
          : undefined,
    });
    const modelId = "us.anthropic.claude-opus-4-8";
    const client = runtimeClient(emulator, "HTTP/1.1");
    const messages = [{ role: "user" as const, content: [{ text: "hi there" }] }];
    let expected = 0;
    for (const _ of [1, 2]) {
      const { usage } = await client.send(new ConverseCommand({ modelId, messages }));
      expected += (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0) * 15;
    }
    await expect(client.send(new ConverseCommand({ modelId, messages }))).rejects.toThrow("no");
    const answer = await metricClient(emulator).send(
      new GetMetricDataCommand({
        MetricDataQueries: [
          query("Invocations", modelId),
          query("EstimatedTPMQuotaUsage", modelId, "q1"),
          query("InvocationThrottles", modelId, "q2"),
          query("Invocations", "amazon.nova-lite-v1:0", "q3"),
        ],
        ...lately(),
      }),
    );
    const sums = answer.MetricDataResults?.map(({ Values = [] }) =>
      Values.reduce((sum, value) => sum + value, 0),
    );
    expect(sums).toEqual([2, expected, 1, 0]);
    expect(answer.MetricDataResults?.[0]?.Timestamps?.[0]?.getTime()).toBeGreaterThan(Date.now() - 120_000);
    expect(answer.Messages?.[0]?.Value).toMatch(/simulated/i);
    expect(emulator.calls.at(-1)?.permissions).toEqual([
      { action: "cloudwatch:GetMetricData", resource: "*", context: {} },
    ]);
  });

  it.each([
    [{ MetricDataQueries: [], ...lately() }, /MetricDataQueries is required/],
    [
      { MetricDataQueries: [query("Invocations", "x")], StartTime: new Date(1000), EndTime: new Date(0) },
      /StartTime must be less/,
    ],
    [{ MetricDataQueries: [{ Id: "e1", Expression: "1+1" }], ...lately() }, /no metric math/],
    [
      { MetricDataQueries: [query("Invocations", "x", "Q0"), query("Invocations", "x", "Q1")], ...lately() },
      /^The value Q0 for parameter MetricDataQueries\.member\.1\.Id is not matching the expected pattern \^\[a-z\]\[a-zA-Z0-9_\]\*\$\.\nThe value Q1 .*member\.2\.Id/,
    ],
    [
      { MetricDataQueries: [query("Invocations", "x"), query("Invocations", "y")], ...lately() },
      /^The values for parameter id in MetricDataQueries are not unique\.$/,
    ],
    [
      { MetricDataQueries: [query("Invocations", "x")], StartTime: new Date(0), EndTime: new Date(0) },
      /^The parameter StartTime must not equal parameter EndTime\.$/,
    ],
    [{ MetricDataQueries: [query("Invocations", "x")], ...lately(), NextToken: "x" }, /next token/],
    [{ MetricDataQueries: [{ Id: "a" }], ...lately() }, /neither a MetricStat nor an Expression/],
  ])("refuses %j", async (input, message) => {
    const client = metricClient(await emulate());
    await expect(client.send(new GetMetricDataCommand(input))).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it.each([
    [{ Stat: "None" }, "The value None for parameter $.Stat is not a valid statistic."],
    [{ Stat: "p99" }, "The emulator computes Sum, Average, Maximum, Minimum, SampleCount, and no p99."],
    [{ Period: 90 }, "Period must be 1, 5, 10, 20, 30 or a multiple of 60."],
    [{ Period: 0 }, "The parameter $.Period must be greater than or equal to 1."],
    [{ Period: 60.5 }, "$.Period is of another type than it has to be."],
    [{ Unit: "Potatoes" }, "The parameter $.Unit must be a value in the set [ Seconds, Microseconds, "],
    [{ Metric: undefined }, "The parameter $.Metric is required."],
    [{ Metric: { Namespace: "" } }, "The parameter $.Metric.Namespace is required."],
    [
      { Metric: { Dimensions: [{ Name: "ModelId", Value: "x".repeat(1025) }] } },
      "The parameter $.Metric.Dimensions.member.1.Value must be shorter than 1025 characters.",
    ],
    [
      { Metric: { Dimensions: Array.from({ length: 31 }, () => ({ Name: "ModelId", Value: "x" })) } },
      "The collection $.Metric.Dimensions must not have a size greater than 30.",
    ],
  ])("refuses a statistic with %j", async (change, said) => {
    const { MetricStat, Id } = query("Invocations", "x");
    const input = { MetricDataQueries: [{ Id, MetricStat: { ...MetricStat, ...change } }], ...lately() };
    const message = said.replace("$", "MetricDataQueries.member.1.MetricStat");
    const client = metricClient(await emulate());
    await expect(client.send(new GetMetricDataCommand(input as GetMetricDataInput))).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe("boto3 and the AWS CLI", () => {
  it("read every quota, and the metrics", async (context) => {
    needBotocore(context);
    const emulator = await emulate();
    const client = runtimeClient(emulator, "HTTP/1.1");
    await client.send(
      new ConverseCommand({
        modelId: "amazon.nova-lite-v1:0",
        messages: [{ role: "user", content: [{ text: "hi" }] }],
      }),
    );
    const program = `
import boto3, datetime, json
quotas = [q for page in boto3.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="bedrock") for q in page["Quotas"]]
one = next(q for q in quotas if q["QuotaName"] == "${NOVA_RPM}")
now = datetime.datetime.now(datetime.timezone.utc)
cloudwatch = boto3.client("cloudwatch")
data = cloudwatch.get_metric_data(StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1), MetricDataQueries=[{"Id": "m1", "MetricStat": {"Metric": {"Namespace": "AWS/Bedrock", "MetricName": "Invocations", "Dimensions": [{"Name": "ModelId", "Value": "amazon.nova-lite-v1:0"}]}, "Period": 60, "Stat": "Sum"}}])
result = data["MetricDataResults"][0]
try:
    cloudwatch.get_metric_data(StartTime=now, EndTime=now, MetricDataQueries=[{"Id": "m1", "Expression": "1"}])
    refused = None
except cloudwatch.exceptions.ClientError as error:
    refused = error.response["Error"]["Code"]
print(json.dumps({"count": len(quotas), "value": one["Value"], "sum": sum(result["Values"]), "age": (now - result["Timestamps"][0]).total_seconds() < 120, "status": result["StatusCode"], "refused": refused}))
`;
    const told = await askPython(program, {}, environment(emulator));
    expect(told).toMatchObject({
      value: 200,
      sum: 1,
      age: true,
      status: "Complete",
      refused: "ValidationError",
    });
    expect((told as { count: number }).count).toBeGreaterThan(100);
  });

  it("is read by the AWS CLI", async (context) => {
    needBotocore(context);
    const emulator = await emulate();
    const cli = spawn(
      "aws",
      "service-quotas list-service-quotas --service-code bedrock --output json"
        .split(" ")
        .concat("--query", `Quotas[?QuotaName=='${NOVA_RPM}'].Value`),
      { env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...environment(emulator) } },
    );
    const [stdout, stderr] = await Promise.all([text(cli.stdout), text(cli.stderr)]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([200]);
  });
});
