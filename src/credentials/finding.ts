import type { Endpoint, Service } from "../aws/endpoint.ts";
import type { Region } from "../aws/region.ts";
import type { Misspelt } from "../config/nearest-setting.ts";
import type { ErrorCode, OpenclawError } from "../errors.ts";
import type { Fault } from "../network/network-errors.ts";
import type { Environment } from "../runtime.ts";
import type { Chosen } from "./chosen.ts";
import type { SharedConfig } from "./shared-config.ts";

/**
 * What a finding may be the cause of: an error by its code, the part of the way to an answer that is broken, that nothing
 * signs, or that the chosen profile is broken. A broken connection has no code here: what is nearest decides.
 */
export type Explained =
  | Exclude<ErrorCode, "network" | "timeout" | "bad-response">
  | Fault
  | "nothing signs"
  | "a broken profile";

/** What comes of asking somebody else than was meant. */
export const NOT_THERE = ["the far end", "the answer"] as const satisfies readonly Explained[];

/** What a finding is about: who signs, how others are reached, or this program's own configuration. */
export type Topic = "credentials" | "the way" | "the configuration";

/** Something about a machine that a person should know, and what fails because of it. */
export interface Finding {
  id: string;
  topic: Topic;
  message: string;
  hint: string;
  explains: readonly Explained[];
}

export interface Scene {
  env: Environment;
  shared: SharedConfig;
  profileFlag: string | undefined;
  /** The active profile, which may not exist. */
  profileName: string;
  chosen: Chosen;
  /** The error of a profile or a key pair that is broken, where another source was chosen. */
  shadowed: { keys?: OpenclawError | undefined; profile?: OpenclawError | undefined };
  /** Whether AWS_PROFILE, or the flag, names a profile with credentials. */
  hasProfile: boolean;
  /** A profile that was named and has settings only, where the default chain decides. */
  settingsOf: string | undefined;
  /** Of the call that failed. */
  place?: Place | undefined;
}

/** What is known of a call only once it is made. */
export interface Place {
  /** The provider of the model; undefined where the models are listed. */
  providerId?: string | undefined;
  /** Keys of the configuration that look like slips. */
  misspelt?: readonly Misspelt[] | undefined;
  /** Who of AWS was asked, where, and at which endpoint; undefined is the region's own. */
  asked?: { service: Service; region: Region; endpoint: Endpoint | undefined } | undefined;
}

/** The two lines of a finding, and what it explains where that is less than its row says. */
export type Told = Pick<Finding, "message" | "hint"> & { explains?: readonly Explained[] };

export interface FindingRow {
  id: string;
  explains: readonly Explained[];
  /** Told only where something fails that it explains: it may be right as it is. */
  isSuspicion?: true;
  find: (scene: Scene) => Told | readonly Told[] | undefined;
}
