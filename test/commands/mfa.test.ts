import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { openPty } from "../helpers/pty.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

const SECRET = "openclaw/test/secret/key/that/nobody/sees";
const PROMPT = "Enter MFA code for arn:aws:iam::123456789012:mfa/me:";

/** A machine on which a role is assumed with an MFA code, and a model in another region than the lists. */
async function guarded() {
  const machine = await emulate({
    accessKeys: { ASIASTSROLE000000001: { secretAccessKey: "secret", sessionToken: "token" } },
    // The spinner has come up by the time the question is asked.
    script: ({ route }) => (route === "ListFoundationModels" ? { pass: true, after: 300 } : undefined),
  });
  const identity = await startIdentityServer();
  writeSharedFiles(machine.home, {
    config:
      "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = base\n" +
      "mfa_serial = arn:aws:iam::123456789012:mfa/me\n",
    credentials: `[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = ${SECRET}\n`,
  });
  machine.configure(
    `{ agents: { defaults: { model: {
      primary: "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
      fallbacks: ["amazon.nova-micro-v1:0"],
    } } } }`,
  );
  const env = {
    ...machine.env,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_PROFILE: "admin",
    AWS_ENDPOINT_URL_STS: identity.url,
    AWS_REGION: "us-east-1",
  };
  return { machine, identity, env };
}

describe("a code of an MFA device", () => {
  it.each<[string[], string | RegExp]>([
    [["models", "list", "--plain"], "amazon-bedrock/amazon.nova-lite-v1:0"],
    [["doctor", "--probe"], /first\s+token after/],
    [["iam", "policy", "--for", "chat"], "CallModelsThroughProfiles"],
    [["chat", "hi"], "simulated answer"],
  ])("is asked for once by %j, and nothing is drawn over the question", async (args, expected) => {
    const { machine, identity, env } = await guarded();
    const terminal = openPty(args, machine.home, { env, columns: 120, rows: 60 });
    await terminal.see(PROMPT);
    const before = terminal.output();
    // Long enough for a spinner to draw what it should not.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(terminal.output()).toBe(before);
    terminal.type("123456\r");
    await terminal.see(expected);
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().filter((line) => line.includes(PROMPT))).toEqual([`${PROMPT} 123456`]);
    const codes = identity.calls.filter(({ action }) => action === "AssumeRole");
    expect(codes.map(({ parameters }) => parameters["TokenCode"])).toEqual(["123456"]);
  });

  it("is not asked for again while the role's session lasts, which doctor tells", async () => {
    const { machine, identity, env } = await guarded();
    const terminal = openPty(["models", "list", "--plain"], machine.home, { env });
    await terminal.see(PROMPT);
    terminal.type("123456\r");
    expect(await terminal.exit).toBe(0);
    // In a pipe, where nobody could be asked.
    expect((await machine.run(["models", "list", "--refresh", "--plain"], { env })).code).toBe(0);
    expect((await machine.run(["chat", "hi"], { env })).code).toBe(0);
    const lasts = "from the AWS CLI's cache, for (59|60) more minutes";
    const unanswered = await machine.run(["doctor"], { env });
    expect(unanswered.stdout).toMatch(new RegExp(` The credentials are ${lasts}\\.`));
    identity.answer("GetCallerIdentity", {
      status: 200,
      headers: { "content-type": "text/xml" },
      body: "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::1:assumed-role/Admin/me</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>",
    });
    const doctor = await machine.run(["doctor"], { env });
    expect(doctor.stdout).toMatch(new RegExp(`assumed-role/Admin/me, ${lasts}\\n`));
    expect(identity.calls.filter(({ action }) => action === "AssumeRole")).toHaveLength(1);
  });

  it("is an error in a pipe", async () => {
    const { machine, env } = await guarded();
    const result = await machine.run(["models", "list", "--json"], { env });
    expect(result.code).toBe(4);
    expect(JSON.parse(result.stdout)).toMatchObject({
      error: { code: "no-credentials", message: expect.stringContaining("mfa/me") },
    });
  });
});
