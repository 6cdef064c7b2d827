import type { Target } from "../models/resolve-model.ts";
import type { LoadedConfig } from "../config/resolve.ts";
import { discoverySettings } from "../config/resolve.ts";
import { type CredentialDecision, decideCredentials } from "../credentials/order.ts";
import type { Authentication } from "../credentials/provider.ts";
import { loadSharedConfig, profileInForce, type SharedConfig } from "../credentials/shared-config.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { parseArn } from "../aws/arn.ts";
import { decideEndpoint, decideWishes, type Endpoint, type Service } from "../aws/endpoint.ts";
import {
  decideRegion,
  type Region,
  type RegionClaims,
  regionOfBaseUrl,
  resolveRegion,
} from "../aws/region.ts";
import type { ClientSession } from "./client-config.ts";
import type { ConnectionsAhead } from "../network/connections-ahead.ts";
import { oncePer } from "../once.ts";
import type { CalledService } from "./regional-endpoint.ts";
import type { RestClient } from "./rest-client.ts";
import { BASE_URL_END, MANTLE } from "../models/provider-api.ts";

/** What of a session is known without the network: cheap enough for a warm `models list`. */
export interface Setup {
  readonly options: GlobalOptions;
  readonly runtime: Runtime;
  readonly config: LoadedConfig;
  readonly shared: SharedConfig;
  readonly decision: CredentialDecision;
  /** True where no list that is learnt may be written to the disk: `doctor` leaves no trace. */
  readonly keepsNothing?: boolean;
  /** What was opened to AWS while the rest of the command was still being loaded. */
  readonly ahead?: ConnectionsAhead;
}

/** Reads the shared config and decides where credentials come from. Opens no socket. */
export async function readSetup(
  options: GlobalOptions,
  runtime: Runtime,
  config: LoadedConfig,
): Promise<Setup> {
  const shared = await loadSharedConfig(runtime.env, runtime.homeFolder);
  const decision = decideCredentials({
    ...(options.profile === undefined ? {} : { profileFlag: options.profile }),
    env: runtime.env,
    shared,
  });
  return { options, runtime, config, shared, decision };
}

/** The region for a target, or undefined when only the instance metadata service can tell. Throws `usage`. */
export function regionWithoutAsking(setup: Setup, target: Target): Region | undefined {
  return decideRegion(claimsOf(setup, target));
}

/** The endpoint of a service for a target; undefined means the region's own. Throws `usage`. */
export function endpointOf(setup: Setup, service: Service, target: Target): Endpoint | undefined {
  const { options, runtime, shared, decision } = setup;
  return decideEndpoint({
    service,
    flag: options.endpointUrl,
    env: runtime.env,
    profile: profileInForce(shared, decision.profileName),
    baseUrl: service === serviceOf(target) ? baseUrlOf(setup, target) : undefined,
  });
}

/** Region, credentials and clients for one target. Clients are built, and the SDK loaded, when first asked for. */
export interface AwsSession extends ClientSession {
  readonly setup: Setup;
  readonly target: Target;
  rest(service: CalledService): Promise<RestClient>;
  close(): void;
}

/** Opens a session: asks the instance for its region where that decides, and nothing else. Throws `usage`. */
export async function openSession(setup: Setup, target: Target): Promise<AwsSession> {
  const { runtime, decision } = setup;
  const region = await resolveRegion(claimsOf(setup, target));
  runtime.terminal.verbose(() => `region ${region.value} (${region.source})`);
  const clients: RestClient[] = [];
  const session: AwsSession = {
    setup,
    target,
    region,
    decision,
    endpoint: (service) => endpointOf(setup, service, target),
    authentication: () => authenticationOf(setup, region.value),
    rest: oncePer(async (service) => {
      const { openRestClient } = await import("./open-rest-client.ts");
      const client = await openRestClient(session, service);
      clients.push(client);
      return client;
    }),
    close: () => {
      for (const client of clients) client.destroy();
      setup.ahead?.close();
    },
  };
  return session;
}

/** Where a session calls a service: what somebody named, else the region's own endpoint. Throws as regionalEndpoint does. */
export async function urlOf(session: AwsSession, service: Service): Promise<string> {
  const named = session.endpoint(service);
  if (named) return named.url;
  const { setup, decision, region } = session;
  const profile = profileInForce(setup.shared, decision.profileName);
  const { locateService } = await import("./regional-endpoint.ts");
  return (await locateService(service, region.value, decideWishes(setup.runtime.env, profile))).url;
}

const authentications = new WeakMap<CredentialDecision, Promise<Authentication>>();

/** One for all sessions of a command: nobody types an MFA code for each model. The first one's region is that of STS. */
function authenticationOf(setup: Setup, region: string): Promise<Authentication> {
  const { decision, runtime, config } = setup;
  const keepsRoles = config.value.credentials?.cache;
  const known =
    authentications.get(decision) ??
    import("../credentials/provider.ts").then(({ buildAuthentication }) =>
      buildAuthentication(decision, { runtime, region, keepsRoles }),
    );
  authentications.set(decision, known);
  return known;
}

function claimsOf(setup: Setup, target: Target): RegionClaims {
  const { options, runtime, config, shared, decision } = setup;
  const { profileName } = decision;
  const arn = target.kind === "discovery" ? undefined : parseArn(target.id);
  const baseUrl = baseUrlOf(setup, target);
  const baseUrlRegion = baseUrl && regionOfBaseUrl(baseUrl.url, serviceOf(target));
  // Whatever Mantle answers is of its provider, configured or listed: its address goes before the region of discovery.
  const isDiscovered =
    serviceOf(target) === "bedrock-mantle" ? !baseUrlRegion : target.kind !== "configured-model";
  const asksInstance =
    decision.chosen.source === "default-chain" && decision.chosen.step === "instance-metadata";
  return {
    flag: options.region,
    arn: arn?.region ? { text: (target as { id: string }).id, region: arn.region } : undefined,
    discovery: isDiscovered ? discoverySettings(config.value).region : undefined,
    baseUrl: baseUrl && baseUrlRegion ? { region: baseUrlRegion, setting: baseUrl.setting } : undefined,
    env: runtime.env,
    profile: { name: profileName, region: shared.profiles.get(profileName)?.keys["region"] },
    askInstance: asksInstance ? () => regionOfInstance(runtime, decision) : undefined,
  };
}

async function regionOfInstance(runtime: Runtime, decision: CredentialDecision): Promise<string | undefined> {
  const { instanceMetadata } = await import("../credentials/imds.ts");
  return instanceMetadata(runtime, decision.instanceMetadata).region();
}

function baseUrlOf(setup: Setup, target: Target): { url: string; setting: string } | undefined {
  if (target.kind === "discovery") return undefined;
  const { providerId } = target;
  const url = setup.config.value.models?.providers?.[providerId]?.baseUrl;
  if (!url) return undefined;
  const setting = `models.providers.${providerId}.baseUrl`;
  if (providerId === MANTLE) return { url: url.replace(BASE_URL_END, ""), setting };
  // The region of the baseUrl is for the models configured with it; its host is for every call of the provider.
  return target.kind === "model" && regionOfBaseUrl(url) ? undefined : { url, setting };
}

/** The service that answers a target's models, which is what the `baseUrl` of its provider is for. */
export function serviceOf(target: Target): "bedrock-runtime" | "bedrock-mantle" {
  return target.kind !== "discovery" && target.providerId === MANTLE ? "bedrock-mantle" : "bedrock-runtime";
}
