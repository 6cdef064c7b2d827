import type { Check } from "./check.ts";
import { configChecks } from "./check-config.ts";
import { credentialsChecks } from "./check-credentials.ts";
import { listsChecks, mantleCheck } from "./check-lists.ts";
import { modelsChecks } from "./check-models.ts";
import { networkChecks } from "./check-network.ts";
import { probeCheck } from "./check-probe.ts";
import { providersCheck } from "./check-providers.ts";
import { regionChecks } from "./check-region.ts";
import { runtimeChecks } from "./check-runtime.ts";
import { toolsCheck } from "./check-tools.ts";
import type { Examination } from "./examination.ts";

/** Every check but the probe, in the order in which they are shown; what each needs decides when it runs. */
const CHECKS: readonly Check<Examination>[] = [
  ...runtimeChecks,
  ...configChecks,
  ...credentialsChecks,
  ...regionChecks,
  ...networkChecks,
  ...listsChecks,
  ...modelsChecks,
];

/**
 * The checks of a run; with `probe` one small billed call is among them, and other providers and the endpoint
 * `bedrock-mantle` and tools where the configuration has them. `others` are those of a room above.
 */
export function checksOf({
  probe,
  hasProviders,
  usesMantle,
  usesTools,
  others = [],
}: {
  probe?: boolean | undefined;
  hasProviders?: boolean;
  usesMantle?: boolean;
  usesTools?: boolean;
  others?: readonly Check<Examination>[];
}): readonly Check<Examination>[] {
  return [
    ...CHECKS,
    ...(usesMantle ? [mantleCheck] : []),
    ...(hasProviders ? [providersCheck] : []),
    ...(usesTools ? [toolsCheck] : []),
    ...others,
    ...(probe ? [probeCheck] : []),
  ];
}
