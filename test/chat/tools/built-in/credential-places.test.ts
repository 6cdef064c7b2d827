import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CredentialPlaces, isWithin, PLACES } from "../../../../src/chat/tools/built-in/credential-places.ts";
import { testRuntime } from "../../../helpers/test-runtime.ts";

describe("places of credentials", () => {
  test.each([
    ["/home/me/.aws", ".aws"],
    ["/srv/homes/you/.aws/sso/cache/x.json", ".aws"],
    ["/home/me/.SSH/config", ".SSH"],
    ["/home/me/.ssh/id.pub", ".ssh"],
    ["/home/me/.config/gcloud/x", ".config/gcloud"],
    ["/home/me/.config/other", undefined],
    ["/home/me/.docker/config.json", ".docker/config.json"],
    ["/home/me/.docker/other.json", undefined],
    ["/w/.env", ".env"],
    ["/w/.env.local", ".env.local"],
    ["/w/prod.env", "prod.env"],
    ["/w/.env.example", undefined],
    ["/w/.env/.env.example", ".env"],
    ["/w/environment.ts", undefined],
    ["/w/.envrc", undefined],
    ["/w/id_rsa", "id_rsa"],
    ["/w/id_rsa.bak", "id_rsa.bak"],
    ["/w/id_rsa.pub", undefined],
    ["/home/me/.claude/.credentials.json", ".credentials.json"],
    ["/home/me/.claude/settings.json", undefined],
    ["/home/me/.codex/auth.json", ".codex/auth.json"],
    ["/home/me/.config/rclone/rclone.conf", ".config/rclone"],
    ["/home/me/.oci/config", ".oci"],
    ["/home/me/.bash_history", ".bash_history"],
    ["/w/bash_history", undefined],
    ["/w/.env~", ".env~"],
    ["/infra/prod.tfstate", "prod.tfstate"],
    ["/infra/terraform.tfstate.backup", "terraform.tfstate.backup"],
    ["/infra/main.tf", undefined],
    ["/w/id_ed25519_sk", "id_ed25519_sk"],
    ["/w/server.p12", "server.p12"],
    ["/w/p12", undefined],
    ["/w/.npmrc", ".npmrc"],
    ["/etc/shadow-", "etc/shadow-"],
    ["/run/secrets/kubernetes.io/serviceaccount/token", "run/secrets"],
    ["/proc/1/environ", "proc"],
    ["/processes/1", undefined],
    ["/state/sessions/x", "state"],
    ["/settings.json", "settings.json"],
    ["/keys/token", "token"],
    ["C:\\Users\\me\\.aws\\credentials", ".aws"],
  ])("'%s': %s", async (file, place) => {
    const env = {
      OPENCLAW_STATE_DIR: "/state",
      OPENCLAW_CONFIG_PATH: "/settings.json",
      AWS_WEB_IDENTITY_TOKEN_FILE: "/keys/token",
    };
    const places = await CredentialPlaces.find(testRuntime({ home: "/home/nobody-here", env }));
    expect(places.placeOf(file)).toBe(place);
  });

  test("are those of the page on tools", () => {
    const page = readFileSync(new URL("../../../../docs/tools.md", import.meta.url), "utf8");
    expect(page).toContain(PLACES.map((place) => `\`${place}\``).join(", "));
  });

  test("have the configuration that a flag names", async () => {
    const runtime = testRuntime({ home: "/home/nobody-here" });
    const places = await CredentialPlaces.find(runtime, { config: "/elsewhere/other.json" });
    expect(places.placeOf("/elsewhere/other.json")).toBe("other.json");
    expect(places.placeOf("/home/nobody-here/.openclaw/openclaw.json")).toBe(".openclaw");
  });
});

test.each([
  ["/a", "/a", true],
  ["/a", "/a/b", true],
  ["/a", "/ab", false],
  ["/a/b", "/a", false],
  ["/", "/a", true],
  ["/", "/", true],
])("in '%s' is '%s': %s", (folder, file, is) => {
  expect(isWithin(folder, file)).toBe(is);
});
