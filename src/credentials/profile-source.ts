import { editDistance } from "../edit-distance.ts";
import type { Keys, SharedConfig, SharedConfigProblem } from "./shared-config.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

export type ProfileSource =
  | { kind: "static"; profile: string; accessKeyId: string; hasSessionToken: boolean }
  | { kind: "assume-role"; profile: string; roleArn: string; mfaSerial: string | undefined; from: RoleBase }
  | { kind: "web-identity"; profile: string; roleArn: string; tokenFile: string }
  | { kind: "process"; profile: string; program: string }
  | {
      kind: "sso";
      profile: string;
      /** The sso-session; undefined for the older form, with the start URL in the profile. */
      session: string | undefined;
      accountId: string;
      roleName: string;
    }
  | { kind: "login"; profile: string; session: string }
  /** Settings only, such as a region. */
  | { kind: "none"; profile: string }
  | { kind: "invalid"; profile: string; message: string; hint: string };

/** Whose credentials assume the role: another profile, or what `credential_source` names. */
export type RoleBase = ProfileSource | { kind: CredentialSource };

const CREDENTIAL_SOURCES = ["Environment", "Ec2InstanceMetadata", "EcsContainer"] as const;
export type CredentialSource = (typeof CREDENTIAL_SOURCES)[number];

const SSO_KEYS = ["sso_start_url", "sso_account_id", "sso_session", "sso_region", "sso_role_name"];

/**
 * Says what a profile takes its credentials from, in the order in which @aws-sdk/credential-provider-ini 3.973 looks
 * (`resolveProfileData`): a role before static keys, except in the profile that another one's `source_profile` names,
 * where static keys go first. Beside a web identity `source_profile` counts for nothing, as in botocore. What cannot give
 * credentials is told with its cause. `visited` are the profiles on the way here. test/credentials/profile-source.test.ts
 * holds it against botocore.
 */
export function explainProfile(
  name: string,
  shared: SharedConfig,
  visited: readonly string[] = [],
): ProfileSource {
  const keys = shared.profiles.get(name)?.keys ?? {};
  if (visited.length > 0 && isStatic(keys)) return staticSource(name, keys);
  const isWebIdentity = keys["web_identity_token_file"] !== undefined;
  const half = findHalf(["aws_access_key_id", "aws_secret_access_key"], keys);
  // As botocore, which looks for no role in a source that has a key.
  const mayBeRole = visited.length === 0 || half === undefined;
  const hasBase = (keys["source_profile"] ?? keys["credential_source"]) !== undefined;
  if (keys["role_arn"] && !isWebIdentity && hasBase && mayBeRole) {
    return explainRole(name, keys["role_arn"], shared, [...visited, name]);
  }
  if (isStatic(keys)) return staticSource(name, keys);
  if (keys["web_identity_token_file"] && keys["role_arn"]) {
    return {
      kind: "web-identity",
      profile: name,
      roleArn: keys["role_arn"],
      tokenFile: keys["web_identity_token_file"],
    };
  }
  if (keys["web_identity_token_file"]) {
    return invalid(
      name,
      `profile '${name}' has web_identity_token_file without role_arn`,
      `Add the role: aws configure set role_arn ARN --profile ${quoteForShell(name)}`,
    );
  }
  if (keys["credential_process"]) {
    return { kind: "process", profile: name, program: programOf(keys["credential_process"]) };
  }
  if (SSO_KEYS.some((key) => keys[key])) return explainSso(name, keys, shared);
  if (keys["login_session"]) return { kind: "login", profile: name, session: keys["login_session"] };
  // Beside another source half a pair is passed over, as by the SDK and botocore.
  if (half) {
    return invalid(name, `profile '${name}' has ${half.has} without ${half.lacks}`, editHint(name, shared));
  }
  if (keys["role_arn"]) {
    return invalid(
      name,
      `profile '${name}' has role_arn without source_profile, credential_source or web_identity_token_file`,
      `Add the missing setting: aws configure set source_profile NAME --profile ${quoteForShell(name)}`,
    );
  }
  return { kind: "none", profile: name };
}

type Role = Omit<Extract<ProfileSource, { kind: "assume-role" }>, "from">;

function explainRole(
  name: string,
  roleArn: string,
  shared: SharedConfig,
  visited: readonly string[],
): ProfileSource {
  const {
    source_profile: source = "",
    credential_source: credentialSource,
    mfa_serial: serial,
  } = shared.profiles.get(name)?.keys ?? {};
  const role: Role = { kind: "assume-role", profile: name, roleArn, mfaSerial: serial || undefined };
  if (source && credentialSource) {
    return invalid(
      name,
      `profile '${name}' has both source_profile and credential_source, and only one is allowed`,
      `Remove one of them in ${shared.configFile}.`,
    );
  }
  return credentialSource
    ? fromCredentialSource(role, credentialSource)
    : fromSourceProfile(role, source, shared, visited);
}

function fromCredentialSource(role: Role, source: string): ProfileSource {
  const { profile: name } = role;
  const known = CREDENTIAL_SOURCES.find((one) => one === source);
  if (known) return { ...role, from: { kind: known } };
  const near = nearestName(source, CREDENTIAL_SOURCES) ?? "Ec2InstanceMetadata";
  return invalid(
    name,
    `profile '${name}' has credential_source '${source}', which is none that AWS knows`,
    `Use Environment, Ec2InstanceMetadata or EcsContainer: aws configure set credential_source ${quoteForShell(near)} --profile ${quoteForShell(name)}`,
  );
}

/** Each is a call of STS, so that a longer chain would never be done; and whoever follows one calls itself. */
const MOST_ROLES = 100;

function fromSourceProfile(
  role: Role,
  source: string,
  shared: SharedConfig,
  visited: readonly string[],
): ProfileSource {
  const { profile: name } = role;
  const keys = shared.profiles.get(source)?.keys;
  // A profile may name itself, where its own static keys assume the role.
  const isOwn = source === name && visited.length === 1 && isStatic(keys ?? {});
  if (visited.includes(source) && !isOwn) {
    return invalid(
      name,
      `the profiles ${[...visited, source].map((visit) => `'${visit}'`).join(" → ")} name each other as source_profile`,
      `Let one of them have credentials of its own, in ${shared.configFile}.`,
    );
  }
  if (visited.length > MOST_ROLES) {
    return invalid(
      name,
      `profile '${visited[0]}' begins a chain of more than ${MOST_ROLES} roles, each of which names the next as source_profile`,
      `Let one of them have credentials of its own, in ${shared.configFile}.`,
    );
  }
  if (!keys) {
    const near = nearestName(
      source,
      [...shared.profiles.keys()].filter((other) => !visited.includes(other)),
    );
    return invalid(
      name,
      `profile '${name}' has source_profile '${source}', which does not exist${near === undefined ? "" : `; '${near}' does`}`,
      `Correct it: aws configure set source_profile ${near === undefined ? "NAME" : quoteForShell(near)} --profile ${quoteForShell(name)}`,
    );
  }
  if (!isStatic(keys) && !keys["role_arn"] && keys["credential_source"])
    return fromCredentialSource(role, keys["credential_source"]);
  const from = explainProfile(source, shared, visited);
  if (from.kind === "invalid") return from;
  if (from.kind === "none") {
    return invalid(
      name,
      `profile '${name}' has source_profile '${source}', which has no credentials`,
      `Give it some: aws configure --profile ${quoteForShell(source)}`,
    );
  }
  return { ...role, from };
}

function explainSso(name: string, keys: Keys, shared: SharedConfig): ProfileSource {
  const incomplete = (message: string): ProfileSource =>
    invalid(name, message, `Set it up again: aws configure sso --profile ${quoteForShell(name)}`);
  const sessionName = keys["sso_session"];
  const session = sessionName === undefined ? undefined : shared.ssoSessions.get(sessionName);
  if (sessionName !== undefined && session === undefined) {
    const message = `profile '${name}' has sso_session '${sessionName}', which does not exist`;
    const near = nearestName(sessionName, [...shared.ssoSessions.keys()]);
    if (near === undefined) return incomplete(message);
    return invalid(
      name,
      `${message}; '${near}' does`,
      `aws configure set sso_session ${quoteForShell(near)} --profile ${quoteForShell(name)}`,
    );
  }
  const place = session ?? keys;
  const where = session ? `[sso-session ${sessionName}]` : `profile '${name}'`;
  for (const key of ["sso_start_url", "sso_region"]) {
    const [wanted, own] = [place[key], keys[key]];
    if (!wanted) return incomplete(`${where} lacks ${key}`);
    // The SDK and botocore refuse it, too: nobody knows which was meant.
    if (own !== undefined && own !== wanted) {
      return invalid(
        name,
        `profile '${name}' has ${key} ${own}, and ${where}, which it names, ${wanted}`,
        `aws configure set ${quoteForShell(key)} ${quoteForShell(wanted)} --profile ${quoteForShell(name)}`,
      );
    }
  }
  const { sso_account_id: accountId, sso_role_name: roleName } = keys;
  if (!accountId || !roleName) {
    return incomplete(`profile '${name}' lacks ${accountId ? "sso_role_name" : "sso_account_id"}`);
  }
  return { kind: "sso", profile: name, session: sessionName, accountId, roleName };
}

/** The name that another one was most likely meant to be; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((other) => ({ other, edits: editDistance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ edits }) => edits <= Math.max(2, name.length / 3))
    .toSorted((left, right) => left.edits - right.edits);
  return nearest?.other;
}

function isStatic(keys: Keys): boolean {
  return keys["aws_access_key_id"] !== undefined && keys["aws_secret_access_key"] !== undefined;
}

function staticSource(profile: string, keys: Keys): ProfileSource {
  const broken = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"].find(
    (key) => !/^[\x20-\x7E]*$/.test(keys[key] ?? ""),
  );
  if (broken !== undefined) {
    return invalid(
      profile,
      `profile '${profile}' has a line break, or a character beyond ASCII, in ${broken}`,
      `Write it again, as one line: aws configure --profile ${quoteForShell(profile)}`,
    );
  }
  return {
    kind: "static",
    profile,
    accessKeyId: keys["aws_access_key_id"] ?? "",
    hasSessionToken: keys["aws_session_token"] !== undefined,
  };
}

/** Which of two settings is there without the other; undefined where both are or none. */
export function findHalf(
  [first, second]: readonly [string, string],
  values: Readonly<Record<string, string | undefined>>,
): { has: string; lacks: string } | undefined {
  if (!values[first] === !values[second]) return undefined;
  return values[first] ? { has: first, lacks: second } : { has: second, lacks: first };
}

function invalid(profile: string, message: string, hint: string): ProfileSource {
  return { kind: "invalid", profile, message, hint };
}

function editHint(name: string, shared: SharedConfig): string {
  const inCredentials = shared.profiles.get(name)?.files.includes("credentials");
  return `Write both: aws configure --profile ${quoteForShell(name)}   (${inCredentials ? shared.credentialsFile : shared.configFile})`;
}

/** The two lines for a problem of a shared file. What is said of a whole file names it. */
export function tellProblem({ file, line, message, hint }: SharedConfigProblem): {
  message: string;
  hint: string;
} {
  const place = line === undefined ? "" : `${file}:${line}: `;
  const spot = line === undefined ? file : `line ${line} of ${file}`;
  return { message: `${place}${message}.`, hint: hint ?? `Correct ${spot}.` };
}

/** The program of a command line, without its folder and without arguments, which may hold secrets. */
function programOf(command: string): string {
  const word = /^\s*(?:"([^"]+)"|'([^']+)'|(\S+))/.exec(command);
  const program = word?.[1] ?? word?.[2] ?? word?.[3] ?? command;
  return program.slice(Math.max(program.lastIndexOf("/"), program.lastIndexOf("\\")) + 1);
}

/** What a chain of roles starts from: a profile with credentials of its own, or what `credential_source` names. */
export function startOf(source: ProfileSource): Exclude<RoleBase, { kind: "assume-role" }> {
  let current: RoleBase = source;
  while (current.kind === "assume-role") current = current.from;
  return current;
}
