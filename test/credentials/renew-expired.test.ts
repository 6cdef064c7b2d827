import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/emulator/emulator.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { jsonError, startIdentityServer } from "../helpers/identity-server.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

const EXPIRED: ScriptedAnswer = {
  error: {
    name: "ExpiredTokenException",
    message: "The security token included in the request is expired",
    status: 403,
  },
};
const SECRET = "openclaw/test/secret/key/that/nobody/sees";
const OLD = "ASIAOLD0000000000OLDX";
const NEW = "ASIANEW0000000000NEWX";

/** A machine whose credential_process gives another key the second time it is asked. */
async function rotating(
  script: (accessKeyId: string | undefined) => ScriptedAnswer | undefined,
): Promise<Emulated> {
  const temporary = { secretAccessKey: SECRET, sessionToken: "token" };
  const emulated = await emulate({
    accessKeys: { [OLD]: temporary, [NEW]: temporary },
    script: ({ route, accessKeyId }) => (route === "ListFoundationModels" ? script(accessKeyId) : undefined),
  });
  const { home } = emulated;
  const program = path.join(home, "keys");
  writeFileSync(
    program,
    `#!/bin/sh\nKEY=${OLD}\n[ -e ${home}/asked ] && KEY=${NEW}\necho x >> ${home}/asked\n` +
      `echo "{\\"Version\\":1,\\"AccessKeyId\\":\\"$KEY\\",\\"SecretAccessKey\\":\\"${SECRET}\\",\\"SessionToken\\":\\"token\\"}"\n`,
  );
  chmodSync(program, 0o755);
  writeSharedFiles(home, { config: `[profile proc]\ncredential_process = ${program}\n` });
  return emulated;
}

const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: "proc" };
const signersOf = ({ emulator }: Emulated): (string | undefined)[] =>
  emulator.calls
    .filter(({ route }) => route === "ListFoundationModels")
    .map(({ accessKeyId }) => accessKeyId);
const askedOf = ({ home }: Emulated): number =>
  readFileSync(path.join(home, "asked"), "utf8").trim().split("\n").length;

describe("credentials that AWS calls expired", () => {
  it("are resolved anew once, and the request is sent again with the new ones", async () => {
    const machine = await rotating((id) => (id === OLD ? EXPIRED : undefined));
    const result = await machine.run(["models", "list", "--plain"], { env });
    expect(result.code).toBe(0);
    expect(signersOf(machine)).toEqual([OLD, NEW]);
    expect(askedOf(machine)).toBe(2);
  });

  it("are an error when the new ones have expired, too", async () => {
    const machine = await rotating(() => EXPIRED);
    const result = await machine.run(["models", "list", "--json"], { env });
    expect(result.code).toBe(4);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "credentials-expired" } });
    expect(signersOf(machine)).toEqual([OLD, NEW]);
  });

  it.each([
    ["sso", "aws sso login --profile sso", 2],
    // Of a role only its own credentials are in doubt: those that assume it are still in the cache.
    ["admin", "aws sso login --profile sso", 1],
  ])(
    "of profile %s are an error that says how to sign in again, when the sign-in is over",
    async (profile, hint, asked) => {
      const machine = await emulate({
        script: ({ route }) => {
          if (route !== "ListFoundationModels") return undefined;
          identity.answer(
            "GetRoleCredentials",
            jsonError("UnauthorizedException", "Session token not found or invalid", 401),
          );
          return EXPIRED;
        },
      });
      const identity = await startIdentityServer();
      await writeSsoToken(machine.home, "corp", {
        accessToken: "sso-token",
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      });
      writeSharedFiles(machine.home, {
        config:
          "[sso-session corp]\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n" +
          "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n" +
          "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = sso\n",
      });
      const result = await machine.run(["models", "list", "--json"], {
        env: {
          ...env,
          AWS_PROFILE: profile,
          AWS_ENDPOINT_URL_SSO: identity.url,
          AWS_ENDPOINT_URL_STS: identity.url,
        },
      });
      expect(result.code).toBe(4);
      expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "credentials-expired", hint } });
      expect(identity.calls.filter(({ action }) => action === "GetRoleCredentials")).toHaveLength(asked);
    },
  );

  it("are not tried again when they cannot change", async () => {
    const machine = await emulate({
      script: ({ route }) => (route === "ListFoundationModels" ? EXPIRED : undefined),
    });
    const result = await machine.run(["models", "list", "--json"]);
    expect(result.code).toBe(4);
    expect(signersOf(machine)).toHaveLength(1);
  });
});
