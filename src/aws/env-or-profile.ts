import type { Environment } from "../runtime.ts";

export interface ProfileKeys {
  name: string;
  keys: Readonly<Record<string, string>>;
}

/** What a variable has, else a key of the profile, white space aside, and which of them it was; undefined where neither has anything. */
export function readEnvOrProfile(
  env: Environment,
  profile: ProfileKeys | undefined,
  variable: string,
  key: string,
): { text: string; source: string } | undefined {
  const inEnv = env[variable]?.trim();
  if (inEnv) return { text: inEnv, source: variable };
  const inProfile = profile?.keys[key]?.trim();
  return profile && inProfile ? { text: inProfile, source: `${key} of profile ${profile.name}` } : undefined;
}
