import { discoverySettings, type LoadedConfig, loadConfig } from "../config/resolve.ts";
import { OpenclawError } from "../errors.ts";
import { once } from "../once.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { connectAhead, likelyTarget } from "../session/connect-ahead.ts";
import { readSetup, serviceOf, type Setup } from "../session/session.ts";

/** What an examination begins with, before the checks are loaded. */
export interface Beginning {
  readonly options: GlobalOptions;
  readonly runtime: Runtime;
  /** Throws `config-unreadable` and `config-invalid`. */
  readonly config: () => Promise<LoadedConfig>;
  /** With an empty configuration where there is no readable one, and with connections to AWS under way. Never throws. */
  readonly setup: () => Promise<Setup>;
}

/** Reads and asks nothing yet. */
export function beginExamination(options: GlobalOptions, runtime: Runtime): Beginning {
  const config = once(() => loadConfig(options, runtime));
  const setup = once(async () => {
    const readable = await config().catch((failure: unknown): LoadedConfig => {
      // The check of the configuration tells it; the others go on with the defaults.
      if (failure instanceof OpenclawError) return { file: "", exists: false, value: {} };
      throw failure;
    });
    return connect({ ...(await readSetup(options, runtime, readable)), keepsNothing: true });
  });
  return { options, runtime, config, setup };
}

/** To each endpoint one connection to see whether it answers, and one for each question. */
async function connect(setup: Setup): Promise<Setup> {
  const { config, decision } = setup;
  const target = { kind: "discovery" } as const;
  const isBearer = decision.chosen.source === "AWS_BEARER_TOKEN_BEDROCK";
  const model = once(() => likelyTarget(undefined, setup) ?? target);
  const isListed = (): boolean => discoverySettings(config.value).enabled !== false;
  const hasGates = (): boolean => model() !== target && serviceOf(model()) === "bedrock-runtime";
  return connectAhead(
    setup,
    () => ({ service: "bedrock", target, count: 1 }),
    () => (isListed() ? { service: "bedrock", target, count: 3 } : undefined),
    () => (hasGates() ? { service: "bedrock", target, count: 1 } : undefined),
    () => ({ service: "models", target: model(), count: 1 }),
    () => (isBearer ? undefined : { service: "sts", target, count: 2 }),
  );
}
