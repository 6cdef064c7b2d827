import type { AwsCredentialIdentity } from "@smithy/types";
import type { Target } from "../models/resolve-model.ts";
import { type AwsSession, openSession, type Setup, readSetup } from "../session/session.ts";
import { once, oncePer } from "../session/once.ts";
import { type LoadedConfig, loadConfig } from "../config/resolve.ts";
import { instanceMetadata, type InstanceAnswer } from "../credentials/imds.ts";
import { type CredentialReport, reportCredentials } from "../credentials/report.ts";
import type { FoundationModel, InferenceProfile } from "../models/discovered.ts";
import { defaultModels } from "../models/default-models.ts";
import { resolveModel, type ResolvedModel } from "../models/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

/** What AWS lists in one region. Each list is asked for once, by whoever needs it first. */
export interface RegionLists {
  readonly session: AwsSession;
  /** Throws what the SDK throws. */
  models(): Promise<FoundationModel[]>;
  /** AWS's own profiles and the account's. Throws what the SDK throws. */
  profiles(): Promise<InferenceProfile[]>;
}

/** What the checks share: everything is found out once, by the check that needs it first. */
export interface Examination {
  readonly options: GlobalOptions;
  readonly runtime: Runtime;
  /** Throws `config-unreadable` and `config-invalid`. */
  config(): Promise<LoadedConfig>;
  /** With an empty configuration where there is no readable one. Never throws. */
  setup(): Promise<Setup>;
  /** What the instance metadata service says; undefined where another source was chosen and nobody asks it. */
  instance(): Promise<InstanceAnswer | undefined>;
  credentials(): Promise<CredentialReport>;
  /** The resolved credentials; undefined for a bearer token. Throws the errors of credentials/provider.ts. */
  identity(): Promise<AwsCredentialIdentity | undefined>;
  /** The session of discovery. Throws `usage` for a bad region or endpoint. */
  session(): Promise<AwsSession>;
  /** The session in which a model is called: its own region and endpoint. Throws `usage`. */
  sessionFor(target: Target): Promise<AwsSession>;
  /** The default model and its fallbacks, as they will be called. Throws config errors. */
  models(): Promise<ResolvedModel[]>;
  /** The lists of the region in which a model is called. */
  listsFor(target: Target): Promise<RegionLists>;
  /** Closes every connection. */
  close(): void;
}

/** Prepares an examination. Reads and asks nothing yet. */
export function createExamination(options: GlobalOptions, runtime: Runtime): Examination {
  const sessions: AwsSession[] = [];
  const config = once(() => loadConfig(options, runtime));
  const readableConfig = async (): Promise<LoadedConfig> => {
    try {
      return await config();
    } catch (failure) {
      // The check of the configuration tells it; the others go on with the defaults.
      if (failure instanceof OpenclawError) return { file: "", exists: false, value: {} };
      throw failure;
    }
  };
  const setup = once(async () => ({
    ...(await readSetup(options, runtime, await readableConfig())),
    keepsNothing: true,
  }));
  const open = async (target: Target): Promise<AwsSession> => {
    const session = await openSession(await setup(), target);
    sessions.push(session);
    return session;
  };
  const sessionFor = oncePer(open, JSON.stringify);
  const session = (): Promise<AwsSession> => sessionFor({ kind: "discovery" });
  const listsOf = oncePer(createLists, ({ region }) => region.value);
  const instance = once(async () => {
    const { chosen, instanceMetadata: settings } = (await setup()).decision;
    const isAsked = chosen.source === "default-chain" && chosen.step === "instance-metadata";
    return isAsked ? instanceMetadata(runtime, settings).answer() : undefined;
  });
  return {
    options,
    runtime,
    config,
    setup,
    instance,
    credentials: once(async () => reportCredentials((await setup()).decision, await instance())),
    identity: once(async () => {
      const authentication = await (await session()).authentication();
      return authentication.kind === "token" ? undefined : authentication.credentials();
    }),
    session,
    sessionFor,
    models: once(async () => {
      const { value } = await config();
      return defaultModels(value, runtime).map((text) => resolveModel(text, value));
    }),
    listsFor: async (target) => {
      const [discovery, own] = await Promise.all([session(), sessionFor(target)]);
      const nearest = own.region.value === discovery.region.value ? discovery : own;
      return listsOf(nearest);
    },
    close: () => {
      for (const opened of sessions) opened.close();
    },
  };
}

function createLists(session: AwsSession): RegionLists {
  return {
    session,
    models: once(async () => (await import("../discovery/discover.ts")).listModels(session)),
    profiles: once(async () => {
      const { listProfiles } = await import("../discovery/discover.ts");
      const [own, application] = await Promise.all([
        listProfiles(session),
        listProfiles(session, "APPLICATION"),
      ]);
      return [...new Map([...own, ...application].map((profile) => [profile.arn, profile])).values()];
    }),
  };
}
