import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { AwsCredentialIdentityProvider, RetryStrategyV2, TokenIdentity } from "@smithy/types";
import { setTimeout as wait } from "node:timers/promises";
import { VERSION } from "../version.ts";
import type { Service } from "../aws/endpoint.ts";
import { createRequestHandler } from "../network/request-handler.ts";
import { createRetryStrategy, decideRetries, type RetrySettings } from "./retries.ts";
import type { AwsSession } from "./session.ts";

/** What every AWS client of this program is built with. */
export interface ClientConfig {
  region: string;
  profile: string;
  requestHandler: NodeHttpHandler;
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

/** Time for a whole answer, in ms. Without one the caller has bounds of its own: a model may think for long. */
const REQUEST_MS: Partial<Record<Service, number>> = { bedrock: 10_000, sts: 10_000 };

/** Builds the configuration of one client. Throws `usage` and the credential errors of credentials/provider.ts. */
export async function clientConfig(session: AwsSession, service: Service): Promise<ClientConfig> {
  const { runtime, shared } = session.setup;
  const { profileName } = session.decision;
  const keys = shared.profiles.get(profileName)?.keys;
  const retries = decideRetries(runtime.env, keys && { name: profileName, keys });
  const [authentication, requestHandler] = await Promise.all([
    session.authentication(),
    createRequestHandler(runtime, REQUEST_MS[service]),
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
      note: (line) => runtime.terminal.note(line),
    }),
    customUserAgent: [["openclaw", VERSION]],
    ...(endpoint ? { endpoint: endpoint.url } : {}),
    ...(authentication.kind === "token"
      ? { token: authentication.token, authSchemePreference: ["httpBearerAuth"] }
      : { credentials: authentication.credentials, authSchemePreference: ["sigv4"] }),
  };
}
