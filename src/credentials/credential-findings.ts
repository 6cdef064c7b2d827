import { isKnownRegion, nearestRegion, REGIONS } from "../aws/known-regions.ts";
import { editDistance } from "../edit-distance.ts";
import { capitalize } from "../errors.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { Chosen } from "./chosen.ts";
import { readExpiry } from "./expiry.ts";
import { type FindingRow, NOT_THERE, type Told } from "./finding.ts";
import { maskKeyId } from "./mask.ts";
import { findHalf, type RoleBase, tellProblem } from "./profile-source.ts";
import { count } from "../terminal/numbers.ts";
import type { Keys, SharedConfig, SharedConfigProblem } from "./shared-config.ts";

const REJECTED = ["credentials-rejected", "credentials-expired"] as const;
/** What a wrong setting of a profile leads to. */
const ANY = ["a broken profile", ...REJECTED, "no-credentials", "access-denied"] as const;

const QUOTED = /^\s*["'\u2018-\u201F].*["'\u2018-\u201F]\s*$/s;

/** The name of a header's scheme, or of the variable, copied along with the value. */
const NAMED = /^\s*(?:Bearer\s|(?:export\s+)?AWS_[A-Z_]+\s*[=:])/i;

/** What the environment, the shared files and the choice between them show. */
export const CREDENTIAL_FINDINGS: readonly FindingRow[] = [
  {
    id: "value-in-quotes",
    explains: [...ANY, ...NOT_THERE],
    isSuspicion: true,
    find: ({ env, chosen, shared }) => [
      ...KEY_VARIABLES.filter((name) => signsFrom(chosen, name) && QUOTED.test(env[name] ?? "")).map(
        (name) => ({
          message: `${name} has quotes around its value, which are part of it.`,
          hint: `Write it without quotes, also in files of variables: export ${name}=…`,
        }),
      ),
      ...sectionsInUse(chosen, shared).flatMap(({ keys, where, fix }) =>
        Object.keys(keys)
          .filter((key) => key !== "credential_process" && QUOTED.test(keys[key] ?? ""))
          .map((key) => ({
            message: `${key} of ${where} has quotes around its value, which are part of it.`,
            hint: fix(key),
          })),
      ),
    ],
  },
  {
    id: "value-with-its-name",
    explains: REJECTED,
    isSuspicion: true,
    find: ({ env, chosen }) =>
      KEY_VARIABLES.filter((name) => signsFrom(chosen, name)).flatMap((name) => {
        const [before] = NAMED.exec(env[name] ?? "") ?? [];
        if (before === undefined) return [];
        return [
          {
            message: `The value of ${name} begins with ${before.trim()}, which is no part of it.`,
            hint: `Write what stands behind that alone: export ${name}=…`,
          },
        ];
      }),
  },
  {
    id: "setting-misspelt",
    explains: ANY,
    isSuspicion: true,
    find: ({ chosen, shared }) =>
      sectionsInUse(chosen, shared).flatMap(({ keys, where, file }) =>
        misspelt(keys).map(({ key, meant }) => ({
          message: `${capitalize(where)} has ${key}, which nobody reads; ${meant} is near.`,
          hint: `In ${file} write ${meant} in place of ${key}.`,
        })),
      ),
  },
  {
    id: "keys-swapped",
    explains: ["credentials-rejected"],
    isSuspicion: true,
    find: forKeys(({ id, secret, names, where }) =>
      /^(AKIA|ASIA)[A-Z\d]{12,}$/.test(secret) && !/^(AKIA|ASIA)/.test(id)
        ? {
            message: `${names.id} and ${names.secret}${where} stand in each other's place: a key id begins with AKIA or ASIA.`,
            hint: `Write each in its own place: ${names.setBoth}`,
          }
        : undefined,
    ),
  },
  {
    id: "session-token-stale",
    explains: REJECTED,
    isSuspicion: true,
    find: forKeys(({ id, token, names, where, profile }) =>
      id.startsWith("AKIA") && token !== undefined
        ? {
            message: `${maskKeyId(id)}${where} is a long-term key, and the ${names.token} beside it belongs to another.`,
            hint:
              profile === undefined
                ? `unset ${names.token}`
                : `Remove aws_session_token from it, or: aws configure set aws_session_token "" --profile ${quoteForShell(profile)}`,
          }
        : undefined,
    ),
  },
  {
    id: "session-token-missing",
    explains: ["credentials-rejected"],
    find: forKeys(({ id, token, names, where }) =>
      id.startsWith("ASIA") && token === undefined
        ? {
            message: `${maskKeyId(id)}${where} is a temporary key, which AWS rejects without ${names.token}.`,
            hint: names.setToken,
          }
        : undefined,
    ),
  },
  {
    id: "keys-before-source",
    explains: REJECTED,
    isSuspicion: true,
    find: ({ chosen, shared }) =>
      sectionsInUse(chosen, shared).flatMap(({ keys, where, file }) => {
        const setting = [
          "sso_account_id",
          "credential_process",
          "web_identity_token_file",
          "login_session",
        ].find((key) => keys[key] !== undefined);
        const isOfRole = keys["role_arn"] !== undefined && keys["web_identity_token_file"] === undefined;
        const isPair = keys["aws_access_key_id"] && keys["aws_secret_access_key"];
        if (setting === undefined || !isPair || isOfRole) return [];
        return [
          {
            message: `The key pair of ${where} goes before its ${setting}, of which nothing is used.`,
            hint: `Where the key pair is an old one, remove aws_access_key_id and aws_secret_access_key of ${where} from ${file}.`,
          },
        ];
      }),
  },
  {
    id: "key-misshapen",
    explains: ["credentials-rejected"],
    isSuspicion: true,
    find: forKeys(({ id, secret, names, where }) => {
      const wrong = shapeOf(id, secret, names);
      return wrong === undefined
        ? undefined
        : { message: `${wrong}${where}.`, hint: `Copy both again, whole: ${names.setBoth}` };
    }),
  },
  {
    id: "keys-outlived",
    explains: ["credentials-expired"],
    isSuspicion: true,
    find: ({ env, chosen }) => {
      const ends = readExpiry(env["AWS_CREDENTIAL_EXPIRATION"]);
      if (chosen.source !== "AWS_ACCESS_KEY_ID" || !ends) return undefined;
      return {
        message: `AWS_CREDENTIAL_EXPIRATION says that the key pair of the environment counts until ${ends.toISOString()}.`,
        hint: "Get a new key pair and session token, and set all of them with AWS_CREDENTIAL_EXPIRATION.",
      };
    },
  },
  {
    id: "blank",
    explains: ["nothing signs"],
    find: ({ env, chosen, shared }) => {
      const blanks = blankVariables(env);
      if (blanks.length === 0) return undefined;
      const [are, they] = blanks.length === 1 ? ["is", "it counts"] : ["are", "they count"];
      const [profile] = shared.profiles.keys();
      // Whoever meant a profile has it.
      const isMissed = blanks.includes("AWS_PROFILE") && profile !== undefined && signsNothing(chosen);
      return {
        message: `${blanks.join(" and ")} ${are} set but blank, so ${they} as not set.`,
        hint: isMissed
          ? `Name the profile: export AWS_PROFILE=${quoteForShell(profile)}`
          : `unset ${blanks.join(" ")}`,
      };
    },
  },
  {
    id: "bearer-shadowed",
    explains: [],
    find: ({ env, chosen }) =>
      env["AWS_BEARER_TOKEN_BEDROCK"] && chosen.source !== "AWS_BEARER_TOKEN_BEDROCK"
        ? {
            message: "AWS_BEARER_TOKEN_BEDROCK is set, but --profile goes before it.",
            hint: "unset AWS_BEARER_TOKEN_BEDROCK",
          }
        : undefined,
  },
  {
    id: "profile-shadowed",
    explains: REJECTED,
    find: ({ env, chosen, hasProfile }) => {
      const isKeys = chosen.source === "AWS_ACCESS_KEY_ID";
      if (!hasProfile || !(isKeys || chosen.source === "AWS_BEARER_TOKEN_BEDROCK")) return undefined;
      const first = isKeys ? "the key pair in the environment" : chosen.source;
      return {
        message: `AWS_PROFILE=${env["AWS_PROFILE"]} gives no credentials, because ${first} goes before it.`,
        hint: `Use the profile with: --profile ${quoteForShell(env["AWS_PROFILE"] ?? "")}`,
      };
    },
  },
  {
    id: "half-pair",
    explains: [],
    find: ({ env, shadowed: { keys } }) => {
      const half = findHalf(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], env);
      return half && keys
        ? { message: `${half.has} is set without ${half.lacks}.`, hint: keys.hint ?? "" }
        : undefined;
    },
  },
  {
    id: "session-token-alone",
    explains: ["nothing signs"],
    find: ({ env }) =>
      env["AWS_SESSION_TOKEN"] !== undefined && !(env["AWS_ACCESS_KEY_ID"] && env["AWS_SECRET_ACCESS_KEY"])
        ? {
            message: "AWS_SESSION_TOKEN is set without a key pair and is not used.",
            hint: "unset AWS_SESSION_TOKEN",
          }
        : undefined,
  },
  {
    id: "profile-invalid",
    explains: [],
    find: ({ shadowed: { profile } }) => profile && { message: profile.message, hint: profile.hint ?? "" },
  },
  {
    id: "profile-without-credentials",
    explains: ["nothing signs"],
    find: ({ settingsOf }) =>
      settingsOf === undefined
        ? undefined
        : {
            message: `The profile '${settingsOf}' has settings but no credentials, so the default chain decides.`,
            hint: `Give it credentials: aws configure --profile ${quoteForShell(settingsOf)}`,
          },
  },
  {
    id: "environment-passed-over",
    explains: ["nothing signs"],
    isSuspicion: true,
    find: ({ env, profileFlag }) => {
      const hasKeys = env["AWS_ACCESS_KEY_ID"] && env["AWS_SECRET_ACCESS_KEY"];
      const passed = env["AWS_BEARER_TOKEN_BEDROCK"]
        ? "AWS_BEARER_TOKEN_BEDROCK"
        : hasKeys && "AWS_ACCESS_KEY_ID";
      if (profileFlag === undefined || !passed) return undefined;
      return {
        message: `${passed} is set, but --profile ${quoteForShell(profileFlag)} goes before it and gives no credentials.`,
        hint: "Leave --profile out.",
      };
    },
  },
  {
    id: "web-identity-half",
    explains: ["nothing signs"],
    find: ({ env, profileFlag }) => {
      const half = findHalf(["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"], env);
      if (!half || profileFlag !== undefined) return undefined;
      return {
        message: `${half.has} is set without ${half.lacks} and is not used.`,
        hint: `Set ${half.lacks}, or: unset ${half.has}`,
      };
    },
  },
  {
    id: "container-twice",
    explains: ["no-credentials", ...NOT_THERE],
    find: ({ env, chosen }) => {
      if (!env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] || !env["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        return undefined;
      const isUsed = "step" in chosen && chosen.step === "container";
      return {
        message:
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are both set; the relative one is used.",
        hint: "unset AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ...(isUsed ? { hint: "unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" } : { explains: [] }),
      };
    },
  },
  {
    id: "default-profile",
    explains: ["nothing signs"],
    find: ({ env, profileFlag }) => {
      const other = env["AWS_DEFAULT_PROFILE"];
      if (other === undefined || profileFlag !== undefined || env["AWS_PROFILE"] !== undefined)
        return undefined;
      return {
        message: `AWS_DEFAULT_PROFILE=${other} is not read; AWS_PROFILE is what names a profile.`,
        hint: `export AWS_PROFILE=${quoteForShell(other)}`,
      };
    },
  },
  {
    id: "shared-config",
    explains: [],
    find: ({ shared, chosen }) => {
      const inUse = sectionsInUse(chosen, shared);
      const titles = new Set(inUse.map(({ title }) => title));
      const wanted = new Set(
        inUse.flatMap(({ keys }) => [
          `profile ${keys["source_profile"]}`,
          `sso-session ${keys["sso_session"]}`,
        ]),
      );
      return shared.problems.map((problem) => {
        const { within = "", missing = "", concerns } = problem;
        const decides = concerns === undefined || concerns.some((name) => SETTINGS.includes(name));
        return {
          ...tellProblem(problem),
          explains: [
            ...(keepsProfileAway(problem) ? ["nothing signs" as const] : []),
            ...(titles.has(within) || wanted.has(missing) ? ["a broken profile" as const] : []),
            ...(titles.has(within) && decides ? [...REJECTED, "no-credentials" as const] : []),
          ],
        };
      });
    },
  },
  {
    id: "sso-region-unknown",
    explains: NOT_THERE,
    isSuspicion: true,
    find: ({ chosen, shared }) =>
      sectionsInUse(chosen, shared).flatMap(({ keys: { sso_region: region }, where, file }) =>
        region === undefined || isKnownRegion(region)
          ? []
          : [
              {
                message: `No region ${region} (sso_region of ${where}) is known.`,
                hint: `In ${file} write the right one, such as: sso_region = ${nearestRegion(region, REGIONS)}`,
              },
            ],
      ),
  },
];

/** Whether a profile is not there, or none is, because of a problem. */
function keepsProfileAway({ line, missing }: SharedConfigProblem): boolean {
  return line === undefined || missing?.startsWith("profile ") === true;
}

/** The AWS variables that are set to blanks; bin/openclaw.js removes them, because the SDK would take them for values. */
function blankVariables(env: Environment): string[] {
  return (env["OPENCLAW_BLANK_VARIABLES"] ?? "").split(",").filter((name) => name.startsWith("AWS_"));
}

const KEY_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
];

/** Whether nothing is named that would sign; an instance may yet be asked. */
function signsNothing(chosen: Chosen): boolean {
  return "step" in chosen && (chosen.step === "none" || chosen.step === "instance-metadata");
}

function signsFrom({ source }: Chosen, variable: string): boolean {
  if (source === "AWS_BEARER_TOKEN_BEDROCK") return variable === source;
  return source === "AWS_ACCESS_KEY_ID" && variable !== "AWS_BEARER_TOKEN_BEDROCK";
}

/** A section of the shared files that has a part in the credentials. */
interface Section {
  /** As SharedConfigProblem has it. */
  title: string;
  keys: Keys;
  where: string;
  file: string;
  /** What to do about a key of it. */
  fix: (key: string) => string;
}

function sectionsInUse(chosen: Chosen, shared: SharedConfig): Section[] {
  return profilesInUse(chosen).flatMap((name) => {
    const profile = shared.profiles.get(name);
    if (!profile) return [];
    const { keys, files } = profile;
    const file = files.map((kind) => shared[`${kind}File`]).join(" or ");
    const own = {
      title: `profile ${name}`,
      keys,
      where: `profile '${name}'`,
      file,
      fix: (key: string): string =>
        `Write it without quotes: aws configure set ${quoteForShell(key)} VALUE --profile ${quoteForShell(name)}`,
    };
    const session = shared.ssoSessions.get(keys["sso_session"] ?? "");
    if (!session) return [own];
    const where = `[sso-session ${keys["sso_session"]}]`;
    const fix = (key: string): string => `Write ${key} of ${where} without quotes in ${shared.configFile}.`;
    const title = `sso-session ${keys["sso_session"]}`;
    return [own, { title, keys: session, where, file: shared.configFile, fix }];
  });
}

function profilesInUse(chosen: Chosen): string[] {
  if (chosen.source === "invalid") return chosen.profile === undefined ? [] : [chosen.profile];
  const names: string[] = [];
  let source: RoleBase | undefined = "from" in chosen ? chosen.from : undefined;
  while (source !== undefined && "profile" in source) {
    names.push(source.profile);
    source = source.kind === "assume-role" ? source.from : undefined;
  }
  return [...new Set(names)];
}

/** The settings of a profile and an sso-session that lead to credentials. */
const SETTINGS = [
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  "credential_process",
  "credential_source",
  "external_id",
  "mfa_serial",
  "role_arn",
  "source_profile",
  "sso_account_id",
  "sso_region",
  "sso_role_name",
  "sso_session",
  "sso_start_url",
  "web_identity_token_file",
];

/** Keys that are a slip away from one that is not there. */
function misspelt(keys: Keys): { key: string; meant: string }[] {
  return Object.keys(keys).flatMap((key) => {
    if (SETTINGS.includes(key)) return [];
    const [nearest] = SETTINGS.filter((setting) => keys[setting] === undefined)
      .map((meant) => ({ key, meant, edits: editDistance(key.replaceAll("-", "_"), meant) }))
      .filter(({ meant, edits }) => edits <= 2 || key.replaceAll("_", "") === meant.replaceAll("_", ""))
      .toSorted((left, right) => left.edits - right.edits);
    return nearest === undefined ? [] : [nearest];
  });
}

/** A key pair that signs, or assumes the role that does. */
interface KeyPair {
  id: string;
  secret: string;
  token: string | undefined;
  /** Of the settings, with what sets key id and secret again, and the token. */
  names: { id: string; secret: string; token: string; setBoth: string; setToken: string };
  /** Behind a name: nothing for the environment, else ` in profile 'dev'`. */
  where: string;
  profile: string | undefined;
}

function forKeys(find: (pair: KeyPair) => Told | undefined): FindingRow["find"] {
  return ({ env, chosen, shared }) => {
    const id = env["AWS_ACCESS_KEY_ID"];
    // A temporary key without its token is worth a word also where another source signs.
    const own: KeyPair[] =
      id && env["AWS_SECRET_ACCESS_KEY"]
        ? [
            {
              id: id.trim(),
              secret: env["AWS_SECRET_ACCESS_KEY"].trim(),
              token: env["AWS_SESSION_TOKEN"],
              names: {
                id: "AWS_ACCESS_KEY_ID",
                secret: "AWS_SECRET_ACCESS_KEY",
                token: "AWS_SESSION_TOKEN",
                setBoth: "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…",
                // Its older name, which botocore still reads.
                setToken: env["AWS_SECURITY_TOKEN"]
                  ? 'export AWS_SESSION_TOKEN="$AWS_SECURITY_TOKEN"'
                  : "Set AWS_SESSION_TOKEN to the token that came with the key.",
              },
              where: "",
              profile: undefined,
            },
          ]
        : [];
    const isOfProfile = "from" in chosen || chosen.source === "invalid";
    const named = profilesInUse(chosen).flatMap((profile): KeyPair[] => {
      const keys = shared.profiles.get(profile)?.keys ?? {};
      const { aws_access_key_id: keyId, aws_secret_access_key: secret, aws_session_token: token } = keys;
      if (keyId === undefined || secret === undefined) return [];
      const names = {
        id: "aws_access_key_id",
        secret: "aws_secret_access_key",
        token: "aws_session_token",
        setBoth: `aws configure --profile ${quoteForShell(profile)}`,
        setToken: `aws configure set aws_session_token TOKEN --profile ${quoteForShell(profile)}`,
      };
      return [{ id: keyId, secret, token, names, where: ` in profile '${profile}'`, profile }];
    });
    const pairs = isOfProfile ? [...named, ...own.filter(({ token }) => token === undefined)] : own;
    return pairs.flatMap((pair) => find(pair) ?? []);
  };
}

/** What about a key pair cannot be as AWS makes them: 20 letters and digits, and 40 of base64. */
function shapeOf(id: string, secret: string, names: KeyPair["names"]): string | undefined {
  if (/\s/.test(id)) return `${names.id} has a space inside`;
  if (/\s/.test(secret)) return `${names.secret} has a space inside`;
  if (!/^(akia|asia)/i.test(id)) return undefined;
  if (!/^[A-Z\d]*$/.test(id)) return `${names.id} has characters that no key id has`;
  if (id.length !== 20) return `${names.id} has ${count(id.length, "character")}, and a key id of AWS has 20`;
  if (!/^[A-Za-z\d/+=]*$/.test(secret)) return `${names.secret} has characters that no secret key has`;
  if (secret.length !== 40)
    return `${names.secret} has ${count(secret.length, "character")}, and a secret key of AWS has 40`;
  return undefined;
}
