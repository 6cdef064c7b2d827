import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Script } from "../../../src/emulator/script.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { expectSchema } from "../../helpers/schema.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ROLE = "arn:aws:iam::123456789012:role/openclaw-batch";
const BUCKET = "s3://openclaw-emulator/nightly";
const DOCTOR = ["doctor", "--batch", BUCKET, "--role", ROLE];

interface Told {
  exitCode: number;
  checks: { id: string; status: string; detail: string; hint?: string }[];
}

/** A machine whose default model is given, or none. */
async function machine(script?: Script, model: string | undefined = MODEL): Promise<Emulated> {
  const user = await emulate({ ...(script && { script }), jobSeconds: 600 });
  user.configure(JSON.stringify({ agents: { defaults: model === "" ? {} : { model } } }));
  return user;
}

/** What the check of a name told, and the exit code. */
async function tell(
  user: Emulated,
  id: string,
  args: readonly string[] = DOCTOR,
  env: Record<string, string | undefined> = {},
) {
  const { stdout, stderr, code } = await user.run([...args, "--json"], { env });
  const told = JSON.parse(stdout) as Told;
  expectSchema("doctor", told);
  const check = told.checks.find((each) => each.id === id);
  return { ...check, exitCode: code, stderr };
}

/** Denies an action as IAM does where nothing allows it. */
const denying =
  (denied: string, action: string, name = "AccessDeniedException"): Script =>
  ({ route }) =>
    route === denied
      ? {
          error: {
            name,
            message: `User: arn:aws:iam::123456789012:user/me is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`,
            status: 403,
          },
        }
      : undefined;

describe("doctor --batch", () => {
  it("tells bucket, role, model and jobs, and not without the flag", async () => {
    const user = await machine();
    const { stdout, code, stderr } = await user.run([...DOCTOR, "--json"]);
    expect(code, stderr).toBe(0);
    const { checks } = JSON.parse(stdout) as Told;
    expect(checks.filter(({ id }) => id.startsWith("batch-"))).toMatchObject([
      { id: "batch-bucket", status: "ok", detail: "openclaw-emulator, in us-east-1" },
      { id: "batch-role", status: "ok", detail: expect.stringContaining("iam:GetRole") as string },
      { id: "batch-model", status: "ok", detail: `${MODEL}: a job takes 100 to 50000 records` },
      { id: "batch-jobs", status: "ok", detail: "none is unfinished in us-east-1" },
    ]);
    const plain = JSON.parse((await user.run(["doctor", "--json"])).stdout) as Told;
    expect(plain.checks.filter(({ id }) => id.startsWith("batch-"))).toEqual([]);
  });

  it("names the jobs that are not over", async () => {
    const user = await machine();
    writeFileSync(path.join(user.home, "lines.jsonl"), '{"prompt":"hi"}\n'.repeat(100));
    const submit = ["batch", "submit", "lines.jsonl", "--s3", BUCKET, "--role", ROLE];
    for (const job of ["first", "second"]) {
      const { code, stderr } = await user.run([...submit, "--name", job]);
      expect(code, stderr).toBe(0);
    }
    const told = await tell(user, "batch-jobs");
    expect(told).toMatchObject({ status: "ok", exitCode: 0 });
    expect(told.detail).toMatch(/^2 unfinished in us-east-1: second \(\w{12}, \w+\), first \(\w{12}, \w+\)$/);
  });

  it("skips the role where none is named, and says what makes one", async () => {
    const told = await tell(await machine(), "batch-role", ["doctor", "--batch", BUCKET]);
    expect(told).toMatchObject({ status: "skip", exitCode: 0 });
    expect(told.detail).toContain(`openclaw batch role --s3 ${BUCKET}/`);
  });
});

describe("doctor --batch fails", () => {
  it("where there is no such bucket", async () => {
    const told = await tell(await machine(), "batch-bucket", ["doctor", "--batch", "s3://nobodys/x"]);
    expect(told).toMatchObject({ status: "fail", exitCode: 6 });
    expect(told.detail).toContain("has not got the bucket 'nobodys'");
    expect(told.hint).toContain("aws s3 mb s3://nobodys");
  });

  it("where the bucket is in another region than the jobs", async () => {
    const user = await machine();
    await user.run(DOCTOR);
    const told = await tell(user, "batch-bucket", [...DOCTOR, "--region", "eu-west-1"]);
    expect(told).toMatchObject({ status: "fail", exitCode: 6 });
    expect(told.detail).toContain("is in us-east-1, and a job of eu-west-1");
    expect(told.hint).toContain("--region us-east-1");
  });

  it("where these credentials may not reach the bucket", async () => {
    const user = await machine(denying("HeadBucket", "s3:ListBucket", "AccessDenied"));
    const told = await tell(user, "batch-bucket");
    expect(told).toMatchObject({ status: "fail", exitCode: 4 });
    expect(told.detail).toContain("s3:ListBucket");
    expect(told.hint).toContain(`openclaw iam policy --for batch --s3 ${BUCKET}/`);
  });

  it("with a Bedrock API key, which opens no S3", async () => {
    const user = await machine();
    const { bearerToken } = user.emulator;
    const env = { AWS_BEARER_TOKEN_BEDROCK: bearerToken };
    expect(await tell(user, "batch-bucket", DOCTOR, env)).toMatchObject({
      status: "fail",
      detail: expect.stringContaining("API key") as string,
      exitCode: 4,
    });
    expect(await tell(user, "batch-role", DOCTOR, env)).toMatchObject({ status: "warn" });
  });

  it("with a role of another account", async () => {
    const role = ROLE.replace("123456789012", "210987654321");
    const args = ["doctor", "--batch", BUCKET, "--role", role];
    const told = await tell(await machine(), "batch-role", args);
    expect(told).toMatchObject({ status: "fail", exitCode: 6 });
    expect(told.detail).toMatch(/of the account 210987654321, and these credentials are of 123456789012/);
    expect(told.hint).toContain(`openclaw batch role --s3 ${BUCKET}/`);
  });

  it.each([
    ["a role that is none", ["--batch", BUCKET, "--role", "openclaw-batch"], "--role arn:aws:iam::"],
    ["a place that is none", ["--batch", "nightly"], "--batch s3://BUCKET/PREFIX"],
    ["a role without a place", ["--role", ROLE], "openclaw doctor --batch s3://BUCKET/PREFIX --role arn"],
  ])("with %s before anything is asked", async (_, args, says) => {
    const user = await machine();
    const { code, stderr } = await user.run(["doctor", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(user.emulator.calls).toEqual([]);
  });
});

describe("doctor --batch warns", () => {
  it("of a default model without batch inference", async () => {
    const told = await tell(await machine(undefined, "mistral.mistral-large-2402-v1:0"), "batch-model");
    expect(told).toMatchObject({ status: "warn", exitCode: 0 });
    expect(told.detail).toContain("so there are none");
    expect(told.hint).toContain("openclaw batch submit FILE -m MODEL");
  });

  it("where Service Quotas may not be asked", async () => {
    const user = await machine(denying("ListServiceQuotas", "servicequotas:ListServiceQuotas"));
    const told = await tell(user, "batch-model");
    expect(told).toMatchObject({ status: "warn", exitCode: 0 });
    expect(told.detail).toContain("servicequotas:ListServiceQuotas");
    expect(told.hint).toContain("openclaw iam policy --for quota");
  });

  it("where jobs may not be listed", async () => {
    const user = await machine(denying("ListModelInvocationJobs", "bedrock:ListModelInvocationJobs"));
    const told = await tell(user, "batch-jobs");
    expect(told).toMatchObject({ status: "warn", exitCode: 0 });
    expect(told.hint).toContain(`openclaw iam policy --for batch --s3 ${BUCKET}/`);
  });

  it("where STS does not tell the account", async () => {
    const env = { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1", AWS_MAX_ATTEMPTS: "1" };
    const told = await tell(await machine(), "batch-role", DOCTOR, env);
    expect(told).toMatchObject({ status: "warn", exitCode: 0 });
    expect(told.detail).toContain("whether it is of this account is not known");
  });

  it("of nothing where no model is the default", async () => {
    expect(await tell(await machine(undefined, ""), "batch-model")).toMatchObject({
      status: "skip",
      exitCode: 0,
    });
  });
});
