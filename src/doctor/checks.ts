import type { Check } from "./check.ts";
import { configCheck } from "./check-config.ts";
import { credentialsCheck, identityCheck } from "./check-credentials.ts";
import { discoveryCheck, profilesCheck } from "./check-lists.ts";
import { defaultModelCheck, modelAccessCheck } from "./check-models.ts";
import { clockCheck, networkCheck } from "./check-network.ts";
import { probeCheck } from "./check-probe.ts";
import { providersCheck } from "./check-providers.ts";
import { regionCheck } from "./check-region.ts";
import { runtimeCheck } from "./check-runtime.ts";
import type { Examination } from "./examination.ts";

/** Every check but the probe, in the order in which they are shown; what each needs decides when it runs. */
const CHECKS: readonly Check<Examination>[] = [
  runtimeCheck,
  configCheck,
  credentialsCheck,
  identityCheck,
  regionCheck,
  clockCheck,
  networkCheck,
  discoveryCheck,
  profilesCheck,
  defaultModelCheck,
  modelAccessCheck,
];

/**
 * The checks of a run; with `probe` one small billed call is among them, and other providers where the configuration has
 * some.
 */
export function checksOf({
  probe,
  hasProviders,
}: {
  probe?: boolean | undefined;
  hasProviders?: boolean;
}): readonly Check<Examination>[] {
  return [...CHECKS, ...(hasProviders ? [providersCheck] : []), ...(probe ? [probeCheck] : [])];
}
