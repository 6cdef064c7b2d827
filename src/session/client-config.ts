import { countDown } from "../terminal/spinner.ts";
import type { TimedHandler } from "../network/timed-handler.ts";
import type { AwsCredentialIdentityProvider, RetryStrategyV2, TokenIdentity } from "@smithy/types";
import { setTimeout as wait } from "node:timers/promises";
import { type Endpoint, type Service, SERVICE_NAMES } from "../aws/endpoint.ts";
import type { Region } from "../aws/region.ts";
import type { CredentialDecision } from "../credentials/order.ts";
import type { Authentication } from "../credentials/provider.ts";
import { profileInForce, type SharedConfig } from "../credentials/shared-config.ts";
import type { ConnectionsAhead } from "../network/connections-ahead.ts";
import { createRequestHandler } from "../network/request-handler.ts";
import type { Runtime } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { createRetryStrategy, decideRetries, type RetrySettings } from "./retries.ts";

export interface ClientSession {
  readonly setup: {
    readonly runtime: Runtime;
    readonly shared: SharedConfig;
    readonly ahead?: ConnectionsAhead;
  };
  readonly region: Region;
  readonly decision: CredentialDecision;
  /** The endpoint that somebody named; undefined means the region's own. */
  endpoint(service: Service): Endpoint | undefined;
  /** Throws `no-credentials`, `credentials-expired` and the others of credentials/provider.ts. */
  authentication(): Promise<Authentication>;
}

export interface ClientConfig {
  region: string;
  profile: string;
  requestHandler: TimedHandler;
  customUserAgent: [string, string][];
  /** Named outright, because the SDK would prefer a bearer token of the environment to the source that was chosen. */
  authSchemePreference: string[];
  maxAttempts: number;
  retryMode: RetrySettings["mode"];
  retryStrategy: RetryStrategyV2;
  endpoint?: string;
  credentials?: AwsCredentialIdentityProvider;
  token?: TokenIdentity;
}

/** Time for a whole answer that is not streamed, in ms. */
export const ANSWER_MS = 10_000;

/**
 * Builds the configuration of one client; its answers may take as long as they like unless a call says otherwise. Throws
 * `usage` and the credential errors of credentials/provider.ts.
 */
export async function clientConfig(session: ClientSession, service: Service): Promise<ClientConfig> {
  const { runtime, shared, ahead } = session.setup;
  const { profileName } = session.decision;
  const profile = profileInForce(shared, profileName);
  const retries = decideRetries(runtime.env, profile);
  const [authentication, requestHandler] = await Promise.all([
    session.authentication(),
    createRequestHandler(runtime, undefined, {
      profile,
      readsWhole: service === "sts",
      ahead,
    }),
  ]);
  const endpoint = session.endpoint(service);
  if (endpoint) runtime.terminal.verbose(() => `${service} endpoint ${endpoint.url} (${endpoint.source})`);
  return {
    region: session.region.value,
    profile: profileName,
    requestHandler,
    maxAttempts: retries.maxAttempts,
    retryMode: retries.mode,
    retryStrategy: createRetryStrategy(retries, {
      now: runtime.now,
      wait,
      who: SERVICE_NAMES[service] ?? "Bedrock",
      note: (line) => runtime.terminal.note(line),
      tellPause: (why, ms) => countDown(runtime, why, ms),
    }),
    customUserAgent: [["openclaw", VERSION]],
    ...(endpoint ? { endpoint: endpoint.url } : {}),
    ...(authentication.kind === "token"
      ? { token: authentication.token, authSchemePreference: ["httpBearerAuth"] }
      : { credentials: authentication.credentials, authSchemePreference: ["sigv4"] }),
  };
}
