import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { externalDataInterceptor, loadSsoSessionData, parseKnownFiles } from "@smithy/core/config";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Keys,
  loadSharedConfig,
  mergeProfiles,
  parseSharedFile,
} from "../../src/credentials/shared-config.ts";
import { writeForSdk } from "../../src/credentials/profile-credentials.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { createHome } from "../helpers/openclaw.ts";
import { isThorough } from "../helpers/thorough.ts";

/** What stands before the title of a section, as botocore and this program name what they keep. */
type Sections = Record<string, Record<string, string>>;
interface Read {
  profiles: Sections;
  ssoSessions: Sections;
  services: Sections;
}

function plain(map: ReadonlyMap<string, Keys>): Sections {
  return Object.fromEntries([...map].map(([name, keys]) => [name, { ...keys }]));
}

/** Files with everything the grammar has: prefixes, quotes, comments, blocks, repetitions, odd spaces, broken lines. */
const name = fc
  .tuple(
    fc.constantFrom("dev", "prod.eu", "team-1", "a@b", "with space", "x/y", "9", "ü", "a!b", "it's"),
    fc.nat(9),
  )
  .map((parts) => parts.join(""));
const key = fc
  .tuple(fc.constantFrom("region", "aws_access_key_id", "ROLE_ARN", "Endpoint_Url", "a b", "x-y"), fc.nat(9))
  .map((parts) => parts.join(""));
const value = fc.oneof(
  fc.constantFrom("", "us-east-1", "a=b", "a:b", "x#y", "x ; comment", "x # comment", "x;y", '"quoted"', "ü"),
  fc.constantFrom("😂", "\u00A0x\u00A0", "%(region)s", "${HOME}", "a\\b", "[x]", "https://x:1/?a=b#c"),
  fc
    .string({
      maxLength: 12,
      unit: fc.constantFrom(..."abcXYZ019-_./=:#;'\"[]()%$ \t".split("")),
    })
    // A value that is all comment makes what is indented below it a block here, and text there.
    .filter((text) => !/^\s*[#;]/.test(text)),
);
const quoted = (text: string): string => (/[\s']/.test(text) ? `"${text}"` : text);
const title = fc.oneof(
  { weight: 4, arbitrary: name.map((text) => `profile ${quoted(text)}`) },
  { weight: 1, arbitrary: name.map((text) => `profile ${text}`) },
  { weight: 1, arbitrary: name.map((text) => `profile\t'${text.replace("'", "")}'`) },
  { weight: 2, arbitrary: name.map((text) => `sso-session ${quoted(text)}`) },
  { weight: 2, arbitrary: name.map((text) => `services ${quoted(text)}`) },
  { weight: 1, arbitrary: name },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "default",
      "preview",
      "plugins",
      "profile.x",
      "",
      "Profile x",
      "profile a\\ b",
      'profile "a" "b"',
      'profile "a',
      'profile ""',
      "profile  x",
      "profilefoo",
      "sso-sessionfoo",
      "servicesfoo",
      "profile",
      "profile a]b",
    ),
  },
);
const setting = (indents: string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...indents), key, fc.constantFrom("=", " = ", "= ", ": "), value)
    .map((parts) => parts.join(""));
const section = fc
  .tuple(
    title,
    fc.constantFrom("", "", " # note", "# note", ";", "  "),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: setting([""]) },
        { weight: 1, arbitrary: setting(["", "  ", "\t"]) },
        {
          weight: 1,
          arbitrary: fc.constantFrom("s3 =\n  a = b\n\n  C = d # x\n  # no\n  e =", "", "# comment"),
        },
        { weight: 1, arbitrary: fc.constantFrom("; comment", "  # indented", "  words", "region = a\n  b") },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            "s4 =\n  in valid = x\n    deeper = y = z\n\t \n  = nameless",
            "s5 =\n  a @ b",
            "s6 =\n\n  a = b\nregion2 = x",
            "  -continued",
            "x = y\n \t -continued \t \n  # no\n  -and = continued ; too",
            "u\u00A0= v",
          ),
        },
      ),
      { maxLength: 4 },
    ),
  )
  .map(([text, rest, lines]) => [`[${text}]${rest}`, ...lines].join("\n"));
const fileText = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 30, arbitrary: section },
        { weight: 1, arbitrary: fc.constantFrom("[broken", "no equals here", "= value", "]", "[]") },
      ),
      { maxLength: 5 },
    ),
    fc.constantFrom("\n", "\r\n", "\r"),
  )
  .map(([sections, end]) => sections.join("\n").replaceAll("\n", end));

/** Reads pairs of files as botocore's session does; null where it gives up on one of them. */
const BOTOCORE = `
import json, os, sys, tempfile
from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigParseError
def flat(keys):
    out = {}
    for key, value in keys.items():
        if isinstance(value, dict):
            for inner, text in value.items(): out[key + "." + inner] = text
        else: out[key] = value
    return out
def read(folder, config, credentials):
    paths = []
    for name, text in (("config", config), ("credentials", credentials)):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w", encoding="utf-8", newline="") as file: file.write(text)
    try:
        loaded = load_config(paths[0])
        for name, keys in raw_config_parse(paths[1]).items():
            loaded["profiles"].setdefault(name, {}).update(keys)
    except ConfigParseError: return None
    return {ours: {name: flat(keys) for name, keys in loaded[theirs].items()} for ours, theirs in
            (("profiles", "profiles"), ("ssoSessions", "sso_sessions"), ("services", "services"))}
with tempfile.TemporaryDirectory() as folder:
    print(json.dumps([read(folder, *pair) for pair in json.load(sys.stdin)]))
`;

/** What docs/credentials.md lists as different: a comment ends a value here, where botocore takes it into the value. */
function withoutComments(sections: Sections): Sections {
  const strip = (text: string): string => {
    const [first = "", ...rest] = text.split("\n");
    return [(first.split(/(?:^|\s)[;#]/)[0] ?? "").trimEnd(), ...rest].join("\n");
  };
  return Object.fromEntries(
    Object.entries(sections).map(([section, keys]) => [
      section,
      Object.fromEntries(Object.entries(keys).map(([key, text]) => [key, strip(text)])),
    ]),
  );
}

describe("the shared config and credentials files", () => {
  it("are read as botocore reads them, whatever they hold", async (context) => {
    needBotocore(context);
    const pairs = fc.sample(fc.tuple(fileText, fileText), isThorough ? 20_000 : 800);
    const theirs = (await askPython(BOTOCORE, pairs)) as (Read | null)[];
    let read = 0;
    for (const [index, [config, credentials]] of pairs.entries()) {
      const ours = [
        parseSharedFile(config, "config", "config"),
        parseSharedFile(credentials, "credentials", "credentials"),
      ] as const;
      const problems = ours.flatMap((file) => file.problems.map(({ message }) => message));
      const about = JSON.stringify({ config, credentials, problems }, null, 2);
      const expected = theirs[index];
      if (expected === null) {
        // What botocore gives up on is told, and read as far as it goes.
        expect(problems, about).not.toEqual([]);
        continue;
      }
      if (expected === undefined) throw new Error("no answer");
      // Names that botocore has twice are one section here; a prefix in the credentials file is told.
      if (problems.some((message) => /stands in line|credentials file a profile/.test(message))) continue;
      read += 1;
      const merged = mergeProfiles(ours[0].profiles, ours[1].profiles);
      const profiles = new Map([...merged].map(([profile, { keys }]) => [profile, keys]));
      expect(withoutComments(plain(profiles)), about).toEqual(withoutComments(expected.profiles));
      expect(withoutComments(plain(ours[0].ssoSessions)), about).toEqual(
        withoutComments(expected.ssoSessions),
      );
      expect(withoutComments(plain(ours[0].services)), about).toEqual(withoutComments(expected.services));
    }
    expect(read).toBeGreaterThan(pairs.length / 10);
  });

  /*
   * The cases that the SDKs share for their parsers (smithy-rs, aws-config/test-data/profile-parser-tests.json), by what
   * each is about: the file, and the keys of the profiles that come of it. Where those have an error, the line is told
   * here and the rest is read.
   */
  it.each<[string, string, Sections, problems?: number]>([
    ["an empty file", "", {}],
    ["an empty profile", "[profile foo]", { foo: {} }],
    ["all characters of a name", "[profile Az9-_/.%@:+]", { "Az9-_/.%@:+": {} }],
    ["a title that is not closed", "[profile foo", {}, 1],
    ["spaces and tabs in a title", "[profile \tfoo \t]\n[profile\tbar]", { foo: {}, bar: {} }],
    ["spaces before the prefix", "[  profile foo  ]\nname = value", { foo: { name: "value" } }],
    ["a setting before any section", "name = value", {}, 1],
    ["a continuation before any section", " -continued", {}, 1],
    ["CRLF", "[profile foo]\r\nname = value\r\n", { foo: { name: "value" } }],
    ["CR", "[profile foo]\rname = value", { foo: { name: "value" } }],
    ["a byte order mark", "\uFEFF[profile foo]\nname = value\n a", { foo: { name: "value\na" } }],
    ["= in a value", "[profile foo]\nname = val=ue", { foo: { name: "val=ue" } }],
    ["letters beyond ASCII", "[profile foo]\nname = 😂ü", { foo: { name: "😂ü" } }],
    ["two settings", "[profile foo]\na = 1\nb = 2", { foo: { a: "1", b: "2" } }],
    ["spaces around", "[profile foo]\nname \t=  \tvalue \t", { foo: { name: "value" } }],
    ["an empty value", "[profile foo]\nname =", { foo: { name: "" } }],
    ["an empty key", "[profile foo]\n= value\na = b", { foo: { a: "b" } }, 1],
    ["no =", "[profile foo]\nkey\na = b", { foo: { a: "b" } }, 1],
    ["a colon, as botocore takes it", "[profile foo]\nkey : value", { foo: { key: "value" } }],
    [
      "blank lines",
      "\t \n[profile foo]\n\t\n \na = b\n\t \n[profile bar]\n \t",
      { foo: { a: "b" }, bar: {} },
    ],
    ["# comments", "# a\n[profile foo] # a\na = b # c # d\n  # e", { foo: { a: "b" } }],
    ["; comments", "; a\n[profile foo] ; a\na = b ; c ; d\n  ; e", { foo: { a: "b" } }],
    [
      "comments that touch",
      "[profile foo];a\na = b; c\nd = e# f\n[profile bar]#x",
      { foo: { a: "b; c", d: "e# f" }, bar: {} },
    ],
    ["brackets in a comment", "[profile foo] # see [bar]\na = b", { foo: { a: "b" } }],
    ["a value that is a comment", "[profile foo]\na = # b\nc = ;", { foo: { a: "", c: "" } }],
    ["continuations", "[profile foo]\na = b\n \t -c \t \n -d # e", { foo: { a: "b\n-c\n-d # e" } }],
    ["a continuation of nothing", "[profile foo]\n -c", { foo: {} }, 1],
    [
      "a continuation behind a title",
      "[profile foo]\na = b\n[profile bar]\n -c",
      { foo: { a: "b" }, bar: {} },
      1,
    ],
    ["a section twice", "[profile foo]\na = b\n[profile foo]\nc = d", { foo: { a: "b", c: "d" } }, 1],
    ["a key twice", "[profile foo]\nA = b\na = c", { foo: { a: "c" } }, 1],
    ["[profile default] first", "[profile default]\na = b\n[default]\nc = d", { default: { a: "b" } }, 1],
    ["[profile default] last", "[default]\nc = d\n[profile default]\na = b", { default: { a: "b" } }, 1],
    ["a name with spaces, bare", "[profile in valid]\na = b\n[profile bar]\nc = d", { bar: { c: "d" } }, 1],
    [
      "a name with spaces, quoted",
      "[profile \"my prof\"]\na = b\n[profile 'x y']\n",
      { "my prof": { a: "b" }, "x y": {} },
    ],
    ["keys in any case", "[profile Foo]\nAWS_ACCESS_KEY_ID = A", { Foo: { aws_access_key_id: "A" } }],
    [
      "a block",
      "[profile foo]\ns3 =\n name = value\n\t \n name2 = v # c\n  x =",
      { foo: { "s3.name": "value", "s3.name2": "v", "s3.x": "" } },
    ],
    [
      "a block with a comment",
      "[profile foo]\ns3 = # mine\n  a = b\nc = d",
      { foo: { "s3.a": "b", c: "d" } },
    ],
    ["a block without =", "[profile foo]\ns3 =\n invalid\na = b", { foo: { a: "b" } }, 1],
    ["all of it indented", "  [profile foo]\n  a = b\n  c = d", { foo: { a: "b", c: "d" } }],
    ["no prefix", "[foo]\na = b\n[profilefoo]\nc = d", {}, 2],
    [
      "names that mean something to JavaScript",
      "[profile __proto__]\n__proto__ = b\n[profile constructor]\n",
      { ["__proto__"]: { ["__proto__"]: "b" }, constructor: {} },
    ],
    [
      "a command with ; and # in it",
      "[profile foo]\ncredential_process = sh -c 'a ; b # c'",
      { foo: { credential_process: "sh -c 'a ; b # c'" } },
    ],
  ])("in config, %s", (_, text, expected, problems = 0) => {
    const parsed = parseSharedFile(text, "file", "config");
    expect(JSON.stringify(plain(parsed.profiles))).toBe(JSON.stringify(expected));
    expect(parsed.problems).toHaveLength(problems);
  });

  it.each<[string, string, Sections, problems?: number]>([
    [
      "names as they stand",
      "[   foo    ]\na = b\n[my prof]\n[x y z]",
      { foo: { a: "b" }, "my prof": {}, "x y z": {} },
    ],
    ["a prefix without a space", "[sso-sessionfoo]\na = b", { "sso-sessionfoo": { a: "b" } }],
    ["prefixes", "[profile foo]\na = b\n[sso-session x]\n[bar]", { bar: {} }, 2],
  ])("in credentials, %s", (_, text, expected, problems = 0) => {
    const parsed = parseSharedFile(text, "file", "credentials");
    expect(plain(parsed.profiles)).toEqual(expected);
    expect(parsed.problems).toHaveLength(problems);
  });

  it("have sso-sessions and services with names of all kinds", () => {
    const text =
      "[sso-session 'test sso']\nSSO_Region = x\n[services \"s 1\"]\nsts =\n  endpoint_url = http://x # y\nbedrock_runtime =\n\tendpoint_url=http://z\n";
    const { ssoSessions, services, problems } = parseSharedFile(text, "file", "config");
    expect(plain(ssoSessions)).toEqual({ "test sso": { sso_region: "x" } });
    expect(plain(services)).toEqual({
      "s 1": { "sts.endpoint_url": "http://x", "bedrock_runtime.endpoint_url": "http://z" },
    });
    expect(problems).toEqual([]);
  });

  it.each([
    [
      "UTF-16 with a mark",
      Buffer.from("\uFEFF[default]\r\nregion = x\r\n", "utf16le"),
      "looks like UTF-16 text (byte 0 is 0xff)",
    ],
    [
      "UTF-16 without",
      Buffer.from("[default]\r\nregion = x\r\n", "utf16le"),
      "looks like UTF-16LE text without",
    ],
    ["Latin 1", Buffer.from("[default]\nregion = \xfc\n", "latin1"), "not UTF-8"],
  ])("in %s are a problem that names the cause", async (_, bytes, message) => {
    const home = createHome();
    mkdirSync(path.join(home, ".aws"));
    writeFileSync(path.join(home, ".aws", "config"), bytes);
    const shared = await loadSharedConfig({}, home);
    expect(shared.problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
  });

  it("that are no files are a problem, and /dev/null is none", async () => {
    const home = createHome();
    const pipe = path.join(home, "pipe");
    execFileSync("mkfifo", [pipe]);
    const env = { AWS_CONFIG_FILE: pipe, AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
    const { problems } = await loadSharedConfig(env, home);
    expect(problems).toEqual([
      {
        file: pipe,
        message: `'${pipe}' cannot be read: it is a pipe (FIFO), and a regular file is expected`,
        hint: `ls -ld ${pipe}`,
      },
    ]);
  });

  it("are found behind variables in their paths", async () => {
    const home = createHome();
    writeFileSync(path.join(home, "c"), "[default]\nregion = x\n");
    for (const file of ["$WHERE/c", "${WHERE}/c"]) {
      const shared = await loadSharedConfig({ WHERE: home, AWS_CONFIG_FILE: file }, home);
      expect(shared.profiles.get("default")?.keys["region"]).toBe("x");
    }
  });

  it("reach the SDK as they are, whatever they hold", async () => {
    const home = createHome();
    mkdirSync(path.join(home, ".aws"));
    await fc.assert(
      fc.asyncProperty(fileText, fileText, async (config, credentials) => {
        writeFileSync(path.join(home, ".aws", "config"), config);
        writeFileSync(path.join(home, ".aws", "credentials"), credentials);
        const ours = await loadSharedConfig({}, home);
        externalDataInterceptor.interceptFile("/handed/config", writeForSdk(ours));
        const init = { configFilepath: "/handed/config", filepath: "/nowhere" };
        const known = await parseKnownFiles(init);
        const sessions: Record<string, Record<string, string | undefined>> = await loadSsoSessionData(init);
        const isSayable = (text: string): boolean => !/\n|(?:^|\s)[#;]/.test(text);
        const check = (keys: Keys, theirs: Readonly<Record<string, string | undefined>> = {}): void => {
          for (const [key, text] of Object.entries(keys))
            if (text !== "" && isSayable(`${key}=${text}`)) expect(theirs[key]).toBe(text);
        };
        for (const { name: profile, keys } of ours.profiles.values()) check(keys, known[profile]);
        for (const [session, keys] of ours.ssoSessions) check(keys, sessions[session]);
        for (const [service, keys] of ours.services) check(keys, known[`services.${service}`]);
      }),
      { numRuns: isThorough ? 5000 : 200 },
    );
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
        hint: "Name a file that is there, or: unset AWS_SHARED_CREDENTIALS_FILE",
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
        hint: `ls -ld ${path.join(home, ".aws", "config")}`,
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
    ["config", "[profile a b]\nregion = x\n", 1, 'write [profile "a b"]'],
    ["config", "[profile 'a b]\nregion = x\n", 1, "not closed"],
    ["config", "[profile]\nregion = x\n", 1, "no name"],
    ["config", "[Profile a]\nregion = x\n", 1, "write [profile a]"],
    ["config", "[Default]\nregion = x\n", 1, "[default]"],
    ["config", "[default\naws_access_key_id = x\n", 1, "lacks its ]"],
    ["config", "[default]\na = b\n[default]\nc = d\n", 3, "line 1 already"],
    ["config", "[default]\na = b\nA = c\n", 3, "a is set in line 2 already"],
    ["config", "[default]\nregion = x\n  output = json\n", 3, "output is indented"],
    ["config", "[default]\ns3 =\n  words\n", 3, "block s3"],
    ["config", "[default]\na = b\n[profile default]\nc = d\n", 3, "goes before [default]"],
    ["config", "[]\nregion = x\n", 1, "neither a profile"],
    ["credentials", "[a]\nx = y\n[profile dev]\naws_access_key_id = x\n", 3, "[dev]"],
  ] as const)("in %s, %j is told with its line", (kind, text, line, message) => {
    const { problems } = parseSharedFile(text, "file", kind);
    expect(problems[0]).toMatchObject({ file: "file", line });
    expect(problems[0]?.message).toContain(message);
  });

  it.each([
    ["config", "[profil work]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[profiles work]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[Profile work]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[profile:work]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[profile.work]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[profile a b]\n", 1, 'Write [profile "a b"] in', "profile a b"],
    ["config", "[profil 'a b']\n", 1, 'Write [profile "a b"] in', "profile a b"],
    ["config", "[work]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[sso-sesion corp]\n", 1, "Write [sso-session corp] in", "sso-session corp"],
    ["config", "[sso session corp]\n", 1, "Write [sso-session corp] in", "sso-session corp"],
    ["config", "[service local]\n", 1, "Write [services local] in", "services local"],
    ["config", "[sso-session]\n", 1, "Write [sso-session NAME] in", undefined],
    ["config", "[profile]\n", 1, "Write [profile NAME] in", undefined],
    ["config", "[[default]]\n", 1, "Write [default] in", "profile default"],
    ["config", "[profile work]]\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[profile work\nregion = x\n", 1, "Write [profile work] in", "profile work"],
    ["config", "[work # mine\nregion = x\n", 1, "Write [profile work] in", "profile work"],
    ["config", "profile work]\nregion = x\n", 1, "Write [profile work] in", "profile work"],
    ["config", "{default}\nregion = x\n", 1, "Write [default] in", "profile default"],
    ["config", "[default]\nregion us-east-1\n", 2, "Write region = VALUE in", undefined],
    ["config", "[default]\n= us-east-1\n", 2, "Write key = VALUE in", undefined],
    ["config", "region = x\n[default]\n", 1, "Write [default] above", "profile default"],
    [
      "config",
      "[default]\nregion = x\n  output = json\n",
      3,
      "Write output without the spaces before it in",
      undefined,
    ],
    [
      "config",
      "[default]\nregion = x\n  [profile work]\n",
      3,
      "Write [profile work] without the spaces before it in",
      "profile work",
    ],
    [
      "config",
      "[profile work]\na = b\n[profile work]\n",
      3,
      "Move its settings to those below line 1, and remove",
      undefined,
    ],
    ["config", "[profile work]\na = b\na = c\n", 3, "Remove line 2, or", undefined],
    ["config", "[default]\ns3 =\n  a = b\n  words\n", 4, "Write key = VALUE in", undefined],
    ["credentials", "[default\n", 1, "Write [default] in", "profile default"],
    ["credentials", "work]\naws_access_key_id = x\n", 1, "Write [work] in", "profile work"],
    ["credentials", "[profile work]\n", 1, "Write [work] in", "profile work"],
    ["credentials", "[profil work]\n", 1, "If 'work' is meant, write [work] in", "profile work"],
    ["credentials", "aws_access_key_id = x\n", 1, "Write [default] above", "profile default"],
    [
      "credentials",
      "[a]\naws_secret_access_key wJalrX\n",
      2,
      "Write aws_secret_access_key = VALUE in",
      undefined,
    ],
    // What stands alone may be a secret.
    ["credentials", "[a]\nwjalrxutnfemik7mdengbpxrficyexamplekey\n", 2, "Write key = VALUE in", undefined],
  ] as const)("in %s, %j tell what to write, and where", (kind, text, line, remedy, missing) => {
    const [problem] = parseSharedFile(text, "file", kind).problems;
    expect(problem).toMatchObject({ line, hint: `${remedy} line ${line} of file.` });
    expect(problem?.missing).toBe(missing);
    expect(problem?.message).not.toMatch(/wJalrX|wjalrx/);
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
