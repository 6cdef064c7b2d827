import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explainProfile, type RoleBase } from "../../src/credentials/profile-source.ts";
import { loadSharedConfig, type SharedConfig } from "../../src/credentials/shared-config.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { createHome } from "../helpers/openclaw.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { isThorough } from "../helpers/thorough.ts";

/** Config and credentials file of a machine; the profile that is asked about is `a`. */
type Files = readonly [config: string, credentials: string];

/**
 * What botocore's own providers make of a profile, without what stands before and behind profiles in its chain: the
 * sources down to the last one, and the keys of that one. Nobody is asked: roles are assumed when they are needed.
 */
const BOTOCORE = `
import json, os, sys, tempfile
import botocore.session
from botocore.exceptions import BotoCoreError
NAMES = {"assume-role-with-web-identity": "web identity", "custom-process": "process", "env": "Environment",
         "shared-credentials-file": "keys", "config-file": "keys"}
def tell(credentials):
    if credentials is None: return "nothing"
    if credentials.method == "assume-role":
        return "role < " + tell(credentials._refresh_using.__self__._source_credentials)
    name = NAMES.get(credentials.method, credentials.method)
    if name != "keys": return name
    keys = credentials.get_frozen_credentials()
    return " ".join(["keys", keys.access_key, keys.secret_key] + ([keys.token] if keys.token else []))
def read(folder, config, credentials):
    for name, text in (("config", config), ("credentials", credentials)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file: file.write(text)
    session = botocore.session.Session(include_builtin_handlers=False)
    chain = session.get_component("credential_provider")
    for name in ("env", "ec2-credentials-file", "boto-config", "container-role", "iam-role"): chain.remove(name)
    try: return tell(chain.load_credentials())
    except BotoCoreError: return "nothing"
with tempfile.TemporaryDirectory() as folder:
    os.environ.update(AWS_CONFIG_FILE=os.path.join(folder, "config"), AWS_PROFILE="a", AWS_DEFAULT_REGION="us-east-1",
                      AWS_SHARED_CREDENTIALS_FILE=os.path.join(folder, "credentials"),
                      AWS_ACCESS_KEY_ID="AKIAENV", AWS_SECRET_ACCESS_KEY="env")
    print(json.dumps([read(folder, *files) for files in json.load(sys.stdin)]))
`;

function tell(source: RoleBase, shared: SharedConfig): string {
  switch (source.kind) {
    case "assume-role": {
      return `role < ${tell(source.from, shared)}`;
    }
    case "static": {
      const keys = shared.profiles.get(source.profile)?.keys ?? {};
      const parts = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"].map(
        (key) => keys[key],
      );
      return ["keys", ...parts.filter(Boolean)].join(" ");
    }
    case "web-identity":
      return "web identity";
    case "none":
    case "invalid":
      return "nothing";
    default:
      return source.kind;
  }
}

async function readOurs(
  [config, credentials]: Files,
  home = createHome(),
): Promise<{
  told: string;
  message: string | undefined;
}> {
  writeSharedFiles(home, { config, credentials });
  const shared = await loadSharedConfig({}, home);
  const source = shared.profiles.has("a") ? explainProfile("a", shared) : undefined;
  return {
    told: source ? tell(source, shared) : "nothing",
    message: source?.kind === "invalid" ? source.message : undefined,
  };
}

const ROLE = "role_arn = arn:aws:iam::123456789012:role/R\n";
const KEYS = "aws_access_key_id = AKIA1\naws_secret_access_key = s1\n";
const PROCESS = `credential_process = echo '{"Version": 1, "AccessKeyId": "AKIAP", "SecretAccessKey": "p"}'\n`;
const PLACE = "sso_account_id = 123456789012\nsso_role_name = R\n";
const URL = "sso_start_url = https://corp.example/start\n";
const CORP = `[sso-session corp]\n${URL}sso_region = eu-west-1\n`;
const WEB = "web_identity_token_file = /token\n";

/** What is in botocore's tests of its credential providers, by what each is about, and what both make of it. */
const PROFILES: readonly (readonly [about: string, files: Files, told: string])[] = [
  ["keys", [`[profile a]\n${KEYS}`, ""], "keys AKIA1 s1"],
  ["keys of the credentials file", ["", `[a]\n${KEYS}`], "keys AKIA1 s1"],
  ["a session token", ["", `[a]\n${KEYS}aws_session_token = t\n`], "keys AKIA1 s1 t"],
  ["a session token under its older name", ["", `[a]\n${KEYS}aws_security_token = t\n`], "keys AKIA1 s1 t"],
  [
    "both files: the credentials file goes first",
    [`[profile a]\n${KEYS}`, "[a]\naws_access_key_id = AKIA2\naws_secret_access_key = s2\n"],
    "keys AKIA2 s2",
  ],
  ["an id alone", ["[profile a]\naws_access_key_id = AKIA1\n", ""], "nothing"],
  ["a secret alone", ["[profile a]\naws_secret_access_key = s1\n", ""], "nothing"],
  ["a secret alone beside a process", [`[profile a]\naws_secret_access_key = s1\n${PROCESS}`, ""], "process"],
  [
    "a secret alone beside a web identity",
    [`[profile a]\naws_secret_access_key = s\n${ROLE}${WEB}`, ""],
    "web identity",
  ],
  ["an id alone beside a process", [`[profile a]\naws_access_key_id = AKIA1\n${PROCESS}`, ""], "process"],
  [
    "a role with the keys of a profile",
    [`[profile a]\n${ROLE}source_profile = b\n`, `[b]\n${KEYS}`],
    "role < keys AKIA1 s1",
  ],
  [
    "a role with its own keys",
    [`[profile a]\n${ROLE}source_profile = a\n${KEYS}`, ""],
    "role < keys AKIA1 s1",
  ],
  ["a role of a role of itself", [`[profile a]\n${ROLE}source_profile = a\n`, ""], "nothing"],
  [
    "a role of a role",
    [`[profile a]\n${ROLE}source_profile = b\n[profile b]\n${ROLE}source_profile = c\n`, `[c]\n${KEYS}`],
    "role < role < keys AKIA1 s1",
  ],
  [
    "a role of a role that has keys, too",
    [`[profile a]\n${ROLE}source_profile = b\n[profile b]\n${ROLE}source_profile = c\n${KEYS}`, ""],
    "role < keys AKIA1 s1",
  ],
  [
    "a role of a role beside half a key pair",
    [
      `[profile a]\n${ROLE}source_profile = b\n`,
      `[b]\n${ROLE}source_profile = c\naws_secret_access_key = s\n[c]\n${KEYS}`,
    ],
    "nothing",
  ],
  [
    "a role beside half a key pair",
    [`[profile a]\n${ROLE}source_profile = b\naws_access_key_id = AKIA2\n`, `[b]\n${KEYS}`],
    "role < keys AKIA1 s1",
  ],
  [
    "two roles of each other",
    [`[profile a]\n${ROLE}source_profile = b\n[profile b]\n${ROLE}source_profile = a\n`, ""],
    "nothing",
  ],
  ["a role of a profile that is not there", [`[profile a]\n${ROLE}source_profile = nobody\n`, ""], "nothing"],
  [
    "a role of a profile without credentials",
    [`[profile a]\n${ROLE}source_profile = b\n[profile b]\nregion = x\n`, ""],
    "nothing",
  ],
  [
    "a role of a process",
    [`[profile a]\n${ROLE}source_profile = b\n[profile b]\n${PROCESS}`, ""],
    "role < process",
  ],
  [
    "a role of a web identity",
    [`[profile a]\n${ROLE}source_profile = b\n[profile b]\n${ROLE}${WEB}`, ""],
    "role < web identity",
  ],
  [
    "a role of IAM Identity Center",
    [`${CORP}[profile a]\n${ROLE}source_profile = b\n[profile b]\nsso_session = corp\n${PLACE}`, ""],
    "role < sso",
  ],
  [
    "a role of the environment",
    [`[profile a]\n${ROLE}credential_source = Environment\n`, ""],
    "role < Environment",
  ],
  ["a role of a source that is none", [`[profile a]\n${ROLE}credential_source = Elsewhere\n`, ""], "nothing"],
  ["a source in small letters", [`[profile a]\n${ROLE}credential_source = environment\n`, ""], "nothing"],
  [
    "a role of two sources",
    [`[profile a]\n${ROLE}credential_source = Environment\nsource_profile = b\n`, `[b]\n${KEYS}`],
    "nothing",
  ],
  ["a role of nobody", [`[profile a]\n${ROLE}`, ""], "nothing"],
  ["a web identity", [`[profile a]\n${ROLE}${WEB}`, ""], "web identity"],
  [
    "a web identity beside a source",
    [`[profile a]\n${ROLE}${WEB}source_profile = b\n`, `[b]\n${KEYS}`],
    "web identity",
  ],
  ["a web identity without role", [`[profile a]\n${WEB}`, ""], "nothing"],
  ["a process", [`[profile a]\n${PROCESS}`, ""], "process"],
  ["a process in the credentials file", ["", `[a]\n${PROCESS}`], "process"],
  [
    "keys of the credentials file beside a process",
    [`[profile a]\n${PROCESS}`, `[a]\n${KEYS}`],
    "keys AKIA1 s1",
  ],
  ["an sso-session", [`${CORP}[profile a]\nsso_session = corp\n${PLACE}`, ""], "sso"],
  [
    "an sso-session with the same place again",
    [`${CORP}[profile a]\nsso_session = corp\n${PLACE}${URL}`, ""],
    "sso",
  ],
  [
    "an sso-session with another region",
    [`${CORP}[profile a]\nsso_session = corp\n${PLACE}sso_region = us-east-1\n`, ""],
    "nothing",
  ],
  [
    "an sso-session with another start URL",
    [`${CORP}[profile a]\nsso_session = corp\n${PLACE}sso_start_url = https://other.example\n`, ""],
    "nothing",
  ],
  ["an sso-session that is not there", [`${CORP}[profile a]\nsso_session = crop\n${PLACE}`, ""], "nothing"],
  [
    "an sso-session without region",
    [`[sso-session corp]\n${URL}[profile a]\nsso_session = corp\n${PLACE}`, ""],
    "nothing",
  ],
  [
    "an sso-session without account",
    [`${CORP}[profile a]\nsso_session = corp\nsso_role_name = R\n`, ""],
    "nothing",
  ],
  ["an sso-session alone", [`${CORP}[profile a]\nsso_session = corp\n`, ""], "nothing"],
  ["IAM Identity Center in the profile", [`[profile a]\n${PLACE}${URL}sso_region = eu-west-1\n`, ""], "sso"],
  ["IAM Identity Center without region", [`[profile a]\n${PLACE}${URL}`, ""], "nothing"],
  ["settings", ["[profile a]\nregion = eu-west-1\noutput = json\n", ""], "nothing"],
];

/** A profile of each kind, with what may stand beside it and changes nothing. */
const other = fc.constantFrom("a", "b", "c", "default", "nobody");
const halves = fc.constantFrom("", "", "", "aws_secret_access_key = half\n");
const anyHalf = fc.constantFrom("", "", "aws_secret_access_key = half\n", "aws_access_key_id = half\n");
const kind: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(other, anyHalf).map(([name, half]) => `${ROLE}source_profile = ${name}\n${half}`),
  },
  {
    weight: 1,
    arbitrary: other.map((name) => `${ROLE}source_profile = ${name}\nrole_session_name = me\n${KEYS}`),
  },
  { weight: 1, arbitrary: other.map((name) => `${ROLE}${WEB}source_profile = ${name}\n`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("Environment", "Nowhere"), anyHalf)
      .map(([name, half]) => `${ROLE}credential_source = ${name}\n${half}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("", "aws_session_token = t\n", "aws_security_token = t\n")
      .map((token) => KEYS + token),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          ROLE + WEB,
          WEB,
          PROCESS,
          `sso_session = corp\n${PLACE}`,
          `sso_session = corp\n${PLACE}${URL}`,
          `sso_session = corp\n${PLACE}sso_region = us-east-1\n`,
          "sso_session = corp\n",
          `${PLACE}${URL}sso_region = eu-west-1\n`,
          PLACE,
          "",
        ),
        halves,
      )
      .map((parts) => parts.join("")),
  },
);
const before = fc.constantFrom(
  "",
  "",
  "region = eu-west-1\n",
  "s3 =\n  max_concurrent_requests = 20\n",
  "# nothing\n",
);
const section = fc
  .tuple(before, kind, fc.boolean())
  .map(
    ([noise, keys, isUpper]) =>
      noise + (isUpper ? keys.replaceAll(/^\w+(?= =)/gm, (key) => key.toUpperCase()) : keys),
  );
const machine: fc.Arbitrary<Files> = fc
  .array(fc.tuple(section, fc.boolean()), { minLength: 2, maxLength: 3 })
  .map((sections) => {
    const write = (isCredentials: boolean): string =>
      sections
        .map(([text, isThere], index) => [["a", "b", "c"][index], text, isThere] as const)
        .filter(([, , isThere]) => isThere === isCredentials)
        .map(([name, text]) => `[${isCredentials ? "" : "profile "}${name}]\n${text}`)
        .join("");
    return [CORP + write(false), write(true)];
  });

describe("what a profile takes its credentials from", () => {
  it.each(PROFILES)("with %s is what it is for botocore", async (_, files, told) => {
    expect((await readOurs(files)).told).toBe(told);
  });

  it("is so for botocore indeed", async (context) => {
    needBotocore(context);
    const theirs = await askPython(
      BOTOCORE,
      PROFILES.map(([, files]) => files),
    );
    expect(theirs).toEqual(PROFILES.map(([, , told]) => told));
  });

  it("is what it is for botocore, whatever names what", async (context) => {
    needBotocore(context);
    const home = createHome();
    const machines = fc.sample(machine, isThorough ? 5000 : 250);
    const theirs = (await askPython(BOTOCORE, machines)) as string[];
    for (const [index, files] of machines.entries()) {
      const { told, message } = await readOurs(files, home);
      expect(told, JSON.stringify({ files, message }, null, 2)).toBe(theirs[index]);
    }
    expect(new Set(theirs).size).toBeGreaterThan(8);
  });

  /* Where botocore decides otherwise; docs/credentials.md has the list. */
  it.each<[string, Files, string]>([
    ["keys go before a web identity", [`[profile a]\n${KEYS}${ROLE}${WEB}`, ""], "keys AKIA1 s1"],
    [
      "keys go before IAM Identity Center",
      [`${CORP}[profile a]\n${KEYS}sso_session = corp\n${PLACE}`, ""],
      "keys AKIA1 s1",
    ],
    ["keys go before a process", [`[profile a]\n${KEYS}${PROCESS}`, ""], "keys AKIA1 s1"],
    [
      "a key pair may stand in two files",
      ["[profile a]\naws_access_key_id = AKIA1\n", "[a]\naws_secret_access_key = s1\n"],
      "keys AKIA1 s1",
    ],
    ["a role of nobody beside a process is passed over", [`[profile a]\n${ROLE}${PROCESS}`, ""], "process"],
    ["an empty setting is not set", [`[profile a]\nrole_arn =\n${PROCESS}`, ""], "process"],
    [
      "of two session tokens the one with the name of today counts",
      ["", `[a]\n${KEYS}aws_security_token = old\naws_session_token = new\n`],
      "keys AKIA1 s1 new",
    ],
  ])("%s, as in AWS's SDK", async (_, files, told) => {
    expect((await readOurs(files)).told).toBe(told);
  });

  it("names both places that an sso-session and its profile disagree about", async () => {
    const { message } = await readOurs([
      `${CORP}[profile a]\nsso_session = corp\n${PLACE}sso_region = us-east-1\n`,
      "",
    ]);
    expect(message).toBe(
      "profile 'a' has sso_region us-east-1, and [sso-session corp], which it names, eu-west-1",
    );
  });
});
