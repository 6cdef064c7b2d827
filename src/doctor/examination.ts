import { type AwsSession, openSession, urlOf } from "../session/session.ts";
import { once, oncePer } from "../once.ts";
import { discoverySettings } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import { instanceMetadata } from "../credentials/imds.ts";
import { reportCredentials } from "../credentials/report.ts";
import type { FoundationModel, InferenceProfile } from "../models/discovered.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { defaultModels } from "../models/default-models.ts";
import { hasMantle, isAtRuntime, isMantle, isOfBedrock } from "../models/provider-api.ts";
import {
  isComplete,
  MANTLE_TARGET,
  type ResolvedModel,
  resolveModel,
  type Target,
  targetOf,
} from "../models/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import type { Beginning } from "./begin-examination.ts";

/** What AWS lists in one region. Each list is asked for once, by whoever needs it first. */
export interface RegionLists {
  readonly session: AwsSession;
  /** Throws what the SDK throws. */
  models(): Promise<FoundationModel[]>;
  /** AWS's own profiles and the account's. Throws what the SDK throws. */
  profiles(): Promise<InferenceProfile[]>;
}

/** What the checks share: everything is found out once, by the check that needs it first. */
export class Examination {
  readonly options: GlobalOptions;
  readonly runtime: Runtime;
  readonly #sessions: AwsSession[] = [];
  readonly #listsOf = oncePer(createLists, ({ region }) => region.value);

  /** Throws `config-unreadable` and `config-invalid`. */
  readonly config: Beginning["config"];
  /** With an empty configuration where there is no readable one. Never throws. */
  readonly setup: Beginning["setup"];

  /** Asks nothing yet. */
  constructor({ options, runtime, config, setup }: Beginning) {
    this.options = options;
    this.runtime = runtime;
    this.config = config;
    this.setup = setup;
  }

  /** What the instance metadata service says; undefined where another source was chosen and nobody asks it. */
  readonly instance = once(async () => {
    const { chosen, instanceMetadata: settings } = (await this.setup()).decision;
    const isAsked = chosen.source === "default-chain" && chosen.step === "instance-metadata";
    return isAsked ? instanceMetadata(this.runtime, settings).answer() : undefined;
  });

  readonly credentials = once(async () =>
    reportCredentials((await this.setup()).decision, await this.instance()),
  );

  /** The resolved credentials; undefined for a bearer token. Throws the errors of credentials/provider.ts. */
  readonly identity = once(async () => {
    const authentication = await (await this.session()).authentication();
    return authentication.kind === "token" ? undefined : authentication.credentials();
  });

  /** Whose they are, by STS. Throws what the SDK throws, and credential errors. */
  readonly caller = once(async () => {
    const { askCallerIdentity } = await import("../session/caller-identity.ts");
    return askCallerIdentity(await this.session());
  });

  /** The session in which a model is called: its own region and endpoint. Throws `usage`. */
  readonly sessionFor = oncePer(async (target: Target) => {
    const session = await openSession(await this.setup(), target);
    this.#sessions.push(session);
    return session;
  }, JSON.stringify);

  /** The session of discovery. Throws `usage` for a bad region or endpoint. */
  readonly session = (): Promise<AwsSession> => this.sessionFor({ kind: "discovery" });

  /** The default model and its fallbacks, as they will be called. Throws config errors. */
  readonly models = once(async () => {
    const { value } = await this.config();
    return Promise.all(defaultModels(value, this.runtime).map((text) => this.#name(text, value)));
  });

  /** The model that a name stands for: by AWS's lists where it is no whole id and they may be read. */
  async #name(text: string, config: Configuration): Promise<ResolvedModel> {
    const exact = resolveModel(text, config);
    if (isComplete(exact) || discoverySettings(config).enabled === false) return exact;
    const lists = await this.listsFor(targetOf(exact));
    const [models, profiles] = await Promise.allSettled([lists.models(), lists.profiles()]);
    // Why a list is not to be had is told by its own check.
    if (models.status === "rejected" || profiles.status === "rejected") return exact;
    const listed = { models: models.value, profiles: profiles.value, warnings: [] };
    const place = { region: lists.session.region.value, fetchedAt: 0 };
    const ofMantle = { endpoint: "bedrock-mantle" as const };
    if (isMantle(exact)) return resolveModel(text, config, { ...place, ...listed, ...ofMantle });
    const own = resolveModel(text, config, { ...place, ...listed });
    if (own.key !== exact.key || !hasMantle(config)) return own;
    const [there] = await Promise.allSettled([this.mantleLists().then((lists) => lists.models())]);
    if (there.status === "rejected") return own;
    const mantle = { ...place, ...ofMantle, models: there.value, profiles: [], warnings: [] };
    return resolveModel(text, config, { ...place, ...listed }, mantle);
  }

  /** Those of them that Bedrock answers, each with its session; none where the configuration or a region is wrong. */
  readonly bedrockModels = once(async (): Promise<{ model: ResolvedModel; session: AwsSession }[]> => {
    try {
      const models = (await this.models()).filter(isOfBedrock);
      return await Promise.all(
        models.map(async (model) => ({ model, session: await this.sessionFor(targetOf(model)) })),
      );
    } catch (failure) {
      // What is wrong with the configuration is told by its own check.
      if (failure instanceof OpenclawError) return [];
      throw failure;
    }
  });

  /** What the endpoint `bedrock-mantle` lists, which has no profiles. Throws `usage`. */
  readonly mantleLists = once(async (): Promise<RegionLists> => {
    const session = await this.sessionFor(MANTLE_TARGET);
    const models = once(async () => {
      const { discoverMantle } = await import("../discovery/list-mantle.ts");
      return (await discoverMantle(session)).models;
    });
    return { session, models, profiles: async () => [] };
  });

  /** The lists of the region in which a model is called, and of the endpoint. */
  async listsFor(target: Target): Promise<RegionLists> {
    if (target.kind !== "discovery" && isMantle(target)) return this.mantleLists();
    const [discovery, own] = await Promise.all([this.session(), this.sessionFor(target)]);
    return this.#listsOf(own.region.value === discovery.region.value ? discovery : own);
  }

  /** What AWS says about access to a foundation model, asked once in each region. Throws what the SDK throws. */
  readonly gates = oncePer(
    async ({ session, base }: { session: AwsSession; base: string }) => {
      const { createGateAsker } = await import("../discovery/ask-gates.ts");
      return createGateAsker(session).ask(base);
    },
    ({ session, base }) => `${session.region.value} ${base}`,
  );

  /**
   * Asks AWS what the checks will want to know as soon as a connection to it has come about, while they see what else is on
   * the way. What comes of it is theirs to tell.
   */
  async askAhead(): Promise<void> {
    try {
      const session = await this.session();
      const { ahead, config } = session.setup;
      if (discoverySettings(config.value).enabled === false) return;
      const [isReached] = await Promise.all([
        ahead?.hasReached(await urlOf(session, "bedrock")),
        session.rest("bedrock"),
        import("../discovery/discover.ts"),
      ]);
      if (!isReached) return;
      const lists = await this.listsFor({ kind: "discovery" });
      await Promise.allSettled([lists.models(), lists.profiles(), this.#askAccess()]);
    } catch (failure) {
      if (!(failure instanceof OpenclawError)) throw failure;
    }
  }

  async #askAccess(): Promise<void> {
    const models = (await this.bedrockModels()).map(({ model }) => model).filter(isAtRuntime);
    await Promise.allSettled(
      models.map(async (model) => {
        const base = baseModelId(model.id);
        const { session } = await this.listsFor(targetOf(model));
        if (base !== undefined) await this.gates({ session, base });
      }),
    );
  }

  /** Closes every connection. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
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
