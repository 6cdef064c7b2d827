import type { OpenclawError } from "../errors.ts";
import type { ProfileSource, RoleBase } from "./profile-source.ts";

/** Where the default chain ends up, as far as that can be told without asking anybody. */
export type ChainStep = "shared-config" | "web-identity" | "container" | "instance-metadata" | "none";

/** The one source whose credentials sign the requests. */
export type Chosen =
  | { source: "AWS_BEARER_TOKEN_BEDROCK" }
  | { source: "AWS_ACCESS_KEY_ID"; accessKeyId: string; hasSessionToken: boolean }
  | { source: "AWS_PROFILE"; profile: string; viaFlag: boolean; from: ProfileSource }
  | { source: "default-chain"; step: "shared-config"; profile: "default"; from: ProfileSource }
  | { source: "default-chain"; step: Exclude<ChainStep, "shared-config">; detail: string }
  /** `profile` is the one that is broken. */
  | { source: "invalid"; error: OpenclawError; profile?: string };

/** Whether resolving the credentials asks the person at the terminal for an MFA code, which a spinner would write over. */
export function asksForCode({ chosen }: { chosen: Chosen }): boolean {
  let source: RoleBase | undefined = "from" in chosen ? chosen.from : undefined;
  while (source?.kind === "assume-role" && source.mfaSerial === undefined) source = source.from;
  return source?.kind === "assume-role";
}
