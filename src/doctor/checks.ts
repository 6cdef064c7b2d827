import { type Check, skip } from "./check.ts";
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

/** What says whether AWS answers, in the order in which it is shown; what each check needs decides when it runs. */
const AWS_CHECKS: readonly Check<Examination>[] = [
  ...credentialsChecks,
  ...regionChecks,
  ...networkChecks,
  ...listsChecks,
  ...modelsChecks,
];

/** A check where nobody calls a model of AWS: what is called is known without asking AWS, and the rest does not matter. */
function withoutAws(check: Check<Examination>): Check<Examination> {
  if (check.id === "default-model") return { ...check, needs: ["config"] };
  return { ...check, needs: [], run: async () => skip("no model of AWS is called") };
}

/**
 * The checks of a run; with `probe` one small billed call is among them, and other providers and the endpoint
 * `bedrock-mantle` and tools where the configuration has them. `others` are those of a room above. Where only other
 * providers' models are called, AWS is not asked.
 */
export function checksOf({
  probe,
  usesAws = true,
  hasProviders,
  usesMantle,
  usesTools,
  others = [],
}: {
  probe?: boolean | undefined;
  usesAws?: boolean;
  hasProviders?: boolean;
  usesMantle?: boolean;
  usesTools?: boolean;
  others?: readonly Check<Examination>[];
}): readonly Check<Examination>[] {
  return [
    ...runtimeChecks,
    ...configChecks,
    ...(usesAws ? AWS_CHECKS : AWS_CHECKS.map(withoutAws)),
    ...(usesMantle ? [mantleCheck] : []),
    ...(hasProviders ? [providersCheck] : []),
    ...(usesTools ? [toolsCheck] : []),
    ...others,
    ...(probe ? [probeCheck] : []),
  ];
}
