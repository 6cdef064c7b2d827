import {
  BedrockClient,
  CreateModelInvocationJobCommand,
  GetModelInvocationJobCommand,
  ListFoundationModelsCommand,
} from "@aws-sdk/client-bedrock";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { execFileSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createHome, openclaw, start, type RunOptions } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

interface Running {
  child: ChildProcessWithoutNullStreams;
  /** What it printed when it was ready. */
  stdout: string;
  stderr: () => string;
  /** Sends a signal and resolves with the exit code. */
  end: (signal: NodeJS.Signals) => Promise<number | null>;
}

async function run(args: string[], options: RunOptions = {}): Promise<Running> {
  const child = start(["emulator", ...args], createHome(), options) as ChildProcessWithoutNullStreams;
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const stdout = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk) => resolve(String(chunk)));
    void ended.then((code) => reject(new Error(`It ended with ${code}: ${stderr}`)));
  });
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  return { child, stdout, stderr: () => stderr, end };
}

function evaluate(lines: string, env: Record<string, string> = {}): Record<string, string> {
  const text = execFileSync("sh", ["-c", `${lines}\nenv`], { env, encoding: "utf8" });
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}

async function listModels(url: string, accessKeyId: string, secretAccessKey: string): Promise<number> {
  const client = new BedrockClient({
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return (await client.send(new ListFoundationModelsCommand({}))).modelSummaries?.length ?? 0;
}

describe("openclaw emulator", () => {
  it("prints lines for a shell that lead to it, and ends with 130 when interrupted", async () => {
    const emulator = await run([], { env: { AWS_REGION: "eu-west-1" } });
    const env = evaluate(emulator.stdout, { AWS_PROFILE: "mine", AWS_SESSION_TOKEN: "old" });
    expect(env).not.toHaveProperty("AWS_PROFILE");
    expect(env).not.toHaveProperty("AWS_SESSION_TOKEN");
    expect(env["AWS_REGION"]).toBe("eu-west-1");
    // What boto3 and version 1 of the AWS CLI read.
    expect(env["AWS_DEFAULT_REGION"]).toBe("eu-west-1");
    expect(emulator.stdout).toContain(`# Simulated Amazon Bedrock at ${env["AWS_ENDPOINT_URL"]} `);
    const count = await listModels(
      env["AWS_ENDPOINT_URL"] ?? "",
      env["AWS_ACCESS_KEY_ID"] ?? "",
      env["AWS_SECRET_ACCESS_KEY"] ?? "",
    );
    expect(count).toBeGreaterThan(50);
    expect(emulator.stderr()).toBe("");
    expect(await emulator.end("SIGINT")).toBe(130);
  });

  it("prints one JSON document with --json", async () => {
    const emulator = await run(["--json", "--region", "ap-south-1", "--host", "localhost"]);
    const document = JSON.parse(emulator.stdout) as {
      url: string;
      port: number;
      region: string;
      credentials: { accessKeyId: string; secretAccessKey: string; bearerToken: string };
    };
    expectSchema("emulator", document);
    expect(document).toEqual({
      url: `http://localhost:${document.port}`,
      port: expect.any(Number),
      region: "ap-south-1",
      credentials: {
        accessKeyId: expect.stringMatching(/^AKIA\w{16}$/),
        secretAccessKey: expect.any(String),
        bearerToken: expect.any(String),
      },
      jobs: {
        bucket: "openclaw-emulator",
        roleArn: "arn:aws:iam::123456789012:role/openclaw-emulator",
      },
    });
    const { accessKeyId, secretAccessKey } = document.credentials;
    expect(await listModels(document.url, accessKeyId, secretAccessKey)).toBeGreaterThan(50);
    expect(await emulator.end("SIGTERM")).toBe(143);
  });

  it("takes jobs of a single record that take no time, where it is asked to", async () => {
    const emulator = await run(["--json", "--job-seconds", "0", "--job-records", "1"]);
    const { url, credentials, jobs } = JSON.parse(emulator.stdout) as {
      url: string;
      credentials: { accessKeyId: string; secretAccessKey: string };
      jobs: { bucket: string; roleArn: string };
    };
    const settings = { endpoint: url, region: "eu-west-1", credentials, maxAttempts: 1 };
    const [storage, bedrock] = [new S3Client(settings), new BedrockClient(settings)];
    onTestFinished(() => [storage, bedrock].forEach((client) => client.destroy()));
    const messages = [{ role: "user", content: [{ text: "hi" }] }];
    const Body = JSON.stringify({ modelInput: { messages } });
    await storage.send(new PutObjectCommand({ Bucket: jobs.bucket, Key: "in/a.jsonl", Body }));
    const s3Uri = `s3://${jobs.bucket}`;
    const { jobArn: jobIdentifier } = await bedrock.send(
      new CreateModelInvocationJobCommand({
        jobName: "one",
        roleArn: jobs.roleArn,
        modelId: "eu.amazon.nova-lite-v1:0",
        modelInvocationType: "Converse",
        inputDataConfig: { s3InputDataConfig: { s3Uri: `${s3Uri}/in/` } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri } },
      }),
    );
    await vi.waitFor(async () => {
      const job = await bedrock.send(new GetModelInvocationJobCommand({ jobIdentifier }));
      expect(job).toMatchObject({ status: "Completed", successRecordCount: 1 });
    });
    expect(await emulator.end("SIGINT")).toBe(130);
  });

  it("names each call on stderr with --verbose, the key shortened", async () => {
    const emulator = await run(["--json", "-v"]);
    const { url, credentials } = JSON.parse(emulator.stdout) as {
      url: string;
      credentials: { accessKeyId: string; secretAccessKey: string };
    };
    const line = new Promise<string>((resolve) => {
      emulator.child.stderr.once("data", (chunk) => resolve(String(chunk)));
    });
    await listModels(url, credentials.accessKeyId, credentials.secretAccessKey);
    expect(await line).toBe(
      "openclaw: HTTP/1.1 GET /foundation-models (ListFoundationModels, AKIA…MPLE us-east-1): 200\n",
    );
    expect(await emulator.end("SIGINT")).toBe(130);
  });

  it("names on stderr what is asked for that it does not have, once each, and answers as AWS does", async () => {
    const emulator = await run(["--json"]);
    const { url } = JSON.parse(emulator.stdout) as { url: string };
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${url}${path}`, { method: "POST", body: "{}", ...init });
    for (let nth = 0; nth < 2; nth++) {
      const answer = await ask("/model/amazon.nova-lite-v1%3A0/invoke-with-bidirectional-stream");
      expect([answer.status, await answer.json()]).toMatchObject([
        404,
        { Output: { __type: "com.amazon.coral.service#UnknownOperationException" } },
      ]);
    }
    await ask("/guardrails");
    await ask("/nothing\u001b[31m");
    const target = await ask("/", { headers: { "x-amz-target": "DynamoDB_20120810.ListTables" } });
    expect([target.status, await target.json()]).toEqual([400, { __type: "UnknownOperationException" }]);
    for (const [Action, Version] of [
      ["AssumeRole", "2011-06-15"],
      ["ListRoles", "2010-05-08"],
    ] as const) {
      const action = await ask("/", { body: new URLSearchParams({ Action, Version }) });
      expect([action.status, await action.text()]).toEqual([
        400,
        expect.stringContaining(
          `<Code>InvalidAction</Code><Message>Could not find operation ${Action} for version ${Version}</Message>`,
        ),
      ]);
    }
    await ask("/foundation-models", { method: "GET", body: null });
    await vi.waitFor(() => expect(emulator.stderr()).toContain("ListRoles"));
    expect(emulator.stderr().split("\n").slice(0, -1)).toEqual([
      "openclaw: the emulator does not have InvokeModelWithBidirectionalStream (POST /model/amazon.nova-lite-v1%3A0/invoke-with-bidirectional-stream), and refused it",
      "openclaw: the emulator does not have CreateGuardrail (POST /guardrails), and refused it",
      expect.stringMatching(
        /^openclaw: the emulator does not have POST \/nothing[^\u001b]*, and refused it$/,
      ),
      "openclaw: the emulator does not have DynamoDB_20120810.ListTables (POST /), and refused it",
      "openclaw: the emulator does not have AssumeRole (POST /), and refused it",
      "openclaw: the emulator does not have ListRoles (POST /), and refused it",
    ]);
  });

  it("prints what other clients need, each line to paste as it stands", async () => {
    const { stdout } = await run([]);
    const env = evaluate(stdout.replaceAll(/^# (?=export (CLAUDE|ANTHROPIC|OPENAI))/gm, ""));
    const url = env["AWS_ENDPOINT_URL"];
    expect(env).toMatchObject({
      CLAUDE_CODE_USE_BEDROCK: "1",
      ANTHROPIC_BEDROCK_BASE_URL: url,
      ANTHROPIC_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_API_KEY: expect.stringMatching(/^ABSK/) as string,
      OPENAI_BASE_URL: `${url}/openai/v1`,
      OPENAI_API_KEY: env["ANTHROPIC_API_KEY"],
    });
    // What Claude Code asks for by itself is no model of Bedrock's.
    for (const name of ["ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"]) {
      const answer = await fetch(`${env["ANTHROPIC_BASE_URL"]}/v1/messages`, {
        method: "POST",
        headers: { "x-api-key": env["ANTHROPIC_API_KEY"] ?? "", "anthropic-version": "2023-06-01" },
        body: JSON.stringify({
          model: env[name],
          max_tokens: 9,
          messages: [{ role: "user", content: "hi" }],
        }),
      });
      expect(answer.status).toBe(200);
    }
  });

  it("lets calls fail that --fault names", async () => {
    const emulator = await run([
      "--json",
      "--fault",
      "ListFoundationModels:1=ThrottlingException: Slow down.",
    ]);
    const { url, credentials } = JSON.parse(emulator.stdout) as {
      url: string;
      credentials: { accessKeyId: string; secretAccessKey: string };
    };
    const list = () => listModels(url, credentials.accessKeyId, credentials.secretAccessKey);
    await expect(list()).rejects.toMatchObject({ name: "ThrottlingException", message: "Slow down." });
    expect(await list()).toBeGreaterThan(50);
    expect(await emulator.end("SIGINT")).toBe(130);
  });

  it("holds calls to the quotas of --tpm and --rpm", async () => {
    const { stdout } = await run(["--tpm", "100", "--tpm", "us-west-2=0", "--rpm", "50", "--json"]);
    const { url, credentials } = JSON.parse(stdout) as { url: string; credentials: { bearerToken: string } };
    const ask = async (max_completion_tokens: number): Promise<number> => {
      const body = {
        model: "us.openai.gpt-5.6-luna",
        max_completion_tokens,
        messages: [{ role: "user", content: "hi" }],
      };
      const answer = await fetch(`${url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${credentials.bearerToken}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      await answer.text();
      return answer.status;
    };
    expect(await ask(100)).toBe(429);
    expect(await ask(50)).toBe(200);
  });

  it.each(["many", "=5", "us-west-2=", "1.5", "-1", "nowhere=5"])("does not take --tpm %s", async (value) => {
    const { code, stderr } = await openclaw(["emulator", "--tpm", value], createHome());
    expect(code).toBe(2);
    expect(stderr).toContain(`--tpm '${value}'`);
  });

  it("says which fault does not exist", async () => {
    const result = await openclaw(["emulator", "--fault", "ConverseStream=explode"], createHome());
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^error: .*'explode'\.\nhint: .*ThrottlingException/);
  });

  it.each(["0.0.0.0", "192.168.1.7", "::", "example.com", "127.0.0.1.example.com"])(
    "refuses to listen on %s",
    async (host) => {
      const result = await openclaw(["emulator", "--host", host], createHome());
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toContain(`--host ${host} is not an address of this machine alone`);
      expect(result.stderr).toContain("hint: openclaw emulator --host 127.0.0.1\n");
    },
  );

  it("says so when the port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const result = await openclaw(["emulator", "--port", String(port)], createHome());
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toBe(
      `error: Port ${port} is already in use on 127.0.0.1.\nhint: openclaw emulator takes any free port.\n`,
    );
  });
});
