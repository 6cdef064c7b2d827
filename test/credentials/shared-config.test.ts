import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadSharedConfigFiles, loadSsoSessionData, parseKnownFiles } from "@smithy/core/config";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadSharedConfig, parseSharedFile, type Keys } from "../../src/credentials/shared-config.ts";
import { createHome } from "../helpers/openclaw.ts";

function plain(map: ReadonlyMap<string, Keys>): Record<string, Record<string, string>> {
  return Object.fromEntries([...map].map(([name, keys]) => [name, { ...keys }]));
}

/** Files with everything the grammar has: prefixes, quotes, comments, blocks, repetitions, odd spaces, broken lines. */
const name = fc.constantFrom("default", "dev", "prod.eu", "team-1", "a@b", "with space", "x/y", "9");
const key = fc.constantFrom(
  "region",
  "aws_access_key_id",
  "aws_secret_access_key",
  "role_arn",
  "s3",
  "endpoint_url",
  "a b",
  "x-y",
);
const value = fc.oneof(
  fc.constantFrom(
    "",
    "us-east-1",
    "AKIA123",
    "a=b",
    "x#y",
    "x ; comment",
    "x # comment",
    "x;y",
    '"quoted"',
    "ümlaut",
    " ",
  ),
  fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
);
const title = fc.oneof(
  name,
  name.map((text) => `profile ${text}`),
  name.map((text) => `profile "${text}"`),
  name.map((text) => `profile '${text}'`),
  name.map((text) => `profile  ${text}`),
  name.map((text) => `sso-session ${text}`),
  name.map((text) => `services ${text}`),
  name.map((text) => `plugins ${text}`),
  fc.constantFrom("preview", "profile.dotted", "sso-session.dotted", "", " default ", "profile\ttabbed"),
);
const line = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom("", "  ", "\t"), key, fc.constantFrom("=", " = ", "= "), value)
      .map((parts) => parts.join("")),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(title, fc.constantFrom("", " # note", "  "))
      .map(([text, rest]) => `[${text}]${rest}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "# comment",
      "; comment",
      "  # indented",
      "[broken",
      "no equals here",
      "= value",
      "]",
      "[]",
    ),
  },
);
const fileText = fc
  .tuple(fc.array(line, { maxLength: 25 }), fc.constantFrom("\n", "\r\n"), fc.constantFrom("", "\uFEFF"))
  .map(([lines, end, mark]) => mark + lines.join(end));

describe("the shared config and credentials files", () => {
  it("are read as the SDK reads them, whatever they hold", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "openclaw-shared-"));
    try {
      await fc.assert(
        fc.asyncProperty(fileText, fileText, async (config, credentials) => {
          const configFilepath = path.join(folder, "config");
          const filepath = path.join(folder, "credentials");
          writeFileSync(configFilepath, config);
          writeFileSync(filepath, credentials);
          const init = { filepath, configFilepath, ignoreCache: true };
          const theirs = await parseKnownFiles(init);
          const { configFile } = await loadSharedConfigFiles(init);
          const ours = await loadSharedConfig(
            { AWS_CONFIG_FILE: configFilepath, AWS_SHARED_CREDENTIALS_FILE: filepath },
            folder,
          );

          const isProfile = (section: string): boolean => !/^(profile|sso-session|services)\./.test(section);
          const expected = Object.fromEntries(
            Object.entries(theirs)
              .filter(([section]) => isProfile(section))
              .map(([section, keys]) => [section, { ...keys }]),
          );
          const withKeys = Object.fromEntries(
            [...ours.profiles]
              .filter(([, { keys }]) => Object.keys(keys).length > 0)
              .map(([section, { keys }]) => [section, { ...keys }]),
          );
          expect(withKeys).toEqual(expected);
          const sessions = Object.fromEntries(
            Object.entries(plain(ours.ssoSessions)).filter(([, keys]) => Object.keys(keys).length > 0),
          );
          expect(sessions).toEqual(plainRecord(await loadSsoSessionData(init)));
          const services = Object.fromEntries(
            Object.entries(configFile)
              .filter(([section]) => section.startsWith("services."))
              .map(([section, keys]) => [section.slice("services.".length), { ...keys }]),
          );
          const ourServices = Object.fromEntries(
            Object.entries(plain(ours.services)).filter(([, keys]) => Object.keys(keys).length > 0),
          );
          expect(ourServices).toEqual(services);
        }),
        { numRuns: 400 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("are looked for in ~/.aws and may be missing", async () => {
    const home = createHome();
    const shared = await loadSharedConfig({}, home);
    expect(shared).toMatchObject({
      configFile: path.join(home, ".aws", "config"),
      credentialsFile: path.join(home, ".aws", "credentials"),
      problems: [],
    });
    expect(shared.profiles.size).toBe(0);
  });

  it("merge by profile, the credentials file winning, and remember where each profile stands", async () => {
    const home = createHome();
    mkdirSync(path.join(home, ".aws"));
    writeFileSync(
      path.join(home, ".aws", "config"),
      "[profile dev]\nregion = eu-west-1\naws_access_key_id = OLD\n",
    );
    writeFileSync(path.join(home, ".aws", "credentials"), "[dev]\naws_access_key_id = NEW\n[alone]\nx = y\n");
    const shared = await loadSharedConfig({}, home);
    expect({ ...shared.profiles.get("dev")?.keys }).toEqual({
      region: "eu-west-1",
      aws_access_key_id: "NEW",
    });
    expect(shared.profiles.get("dev")?.files).toEqual(["config", "credentials"]);
    expect(shared.profiles.get("alone")?.files).toEqual(["credentials"]);
  });

  it("are found through the variables, with ~ for the home folder", async () => {
    const home = createHome();
    writeFileSync(path.join(home, "c"), "[profile dev]\nregion = eu-west-1\n");
    const shared = await loadSharedConfig({ AWS_CONFIG_FILE: "~/c" }, home);
    expect(shared.profiles.get("dev")?.keys["region"]).toBe("eu-west-1");
  });

  it("that a variable names and that are missing are a problem", async () => {
    const home = createHome();
    const shared = await loadSharedConfig({ AWS_SHARED_CREDENTIALS_FILE: "/nowhere/credentials" }, home);
    expect(shared.problems).toEqual([
      {
        file: "/nowhere/credentials",
        message: "AWS_SHARED_CREDENTIALS_FILE names '/nowhere/credentials', which does not exist",
      },
    ]);
  });

  it("that cannot be read are a problem, not a crash", async () => {
    const home = createHome();
    mkdirSync(path.join(home, ".aws", "config"), { recursive: true });
    const shared = await loadSharedConfig({}, home);
    expect(shared.problems).toEqual([
      {
        file: path.join(home, ".aws", "config"),
        message: expect.stringContaining("cannot be read: it is a folder"),
      },
    ]);
  });

  it("that permissions close are a problem", async ({ skip }) => {
    skip(process.getuid?.() === 0, "root reads every file");
    const home = createHome();
    mkdirSync(path.join(home, ".aws"));
    const file = path.join(home, ".aws", "config");
    writeFileSync(file, "[default]\n");
    chmodSync(file, 0o000);
    const shared = await loadSharedConfig({}, home);
    expect(shared.problems[0]?.message).toContain("permission denied");
  });

  it.each([
    ["config", "[profile dev]\nregion = x\noops\n", 3, "not 'key = value'"],
    ["config", "\n[profile dev\nregion = x\n", 2, "lacks its ]"],
    ["config", "region = x\n", 1, "before any [section]"],
    ["config", "[dev]\nregion = x\n", 1, "[profile dev]"],
    ["config", "[foo bar]\nregion = x\n", 1, "neither a profile"],
    ["config", "[profile a b]\nregion = x\n", 1, "does not take"],
    ["config", "[]\nregion = x\n", 1, "neither a profile"],
    ["config", "# first\n[profile __proto__]\n[profile dev]\na = b", 2, "ignores the whole file"],
    ["credentials", "[a]\nx = y\n[profile dev]\naws_access_key_id = x\n", 3, "[dev]"],
  ] as const)("in %s, %j is told with its line", (kind, text, line, message) => {
    const { problems } = parseSharedFile(text, "file", kind);
    expect(problems[0]).toMatchObject({ file: "file", line });
    expect(problems[0]?.message).toContain(message);
  });

  it("without a fault have no problems", () => {
    const text =
      "# mine\n[default]\nregion = x\ns3 =\n  max_concurrent_requests = 20\n[plugins]\na = b\n[profile 'dev']\nx = y ; note\n" +
      "[sso-session corp]\nsso_region = x\n[services s]\nsts =\n  endpoint_url = http://x\n";
    expect(parseSharedFile(text, "file", "config").problems).toEqual([]);
    expect(
      parseSharedFile("[default]\na = b\n[x y z]\n[profile.x]\n", "file", "credentials").problems,
    ).toEqual([]);
  });
});

function plainRecord(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([section, keys]) => [section, { ...(keys as object) }]),
  );
}
