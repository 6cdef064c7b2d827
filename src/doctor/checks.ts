import { type Check, skip } from "./check.ts";
import { configChecks } from "./check-config.ts";
import { credentialsChecks } from "./check-credentials.ts";
import { listsChecks, mantleCheck } from "./check-lists.ts";
import { modelsChecks } from "./check-models.ts";
import { networkChecks } from "./check-network.ts";
import { providersCheck } from "./check-providers.ts";
import { regionChecks } from "./check-region.ts";
import { runtimeChecks } from "./check-runtime.ts";
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
 * The checks of a run: beside the usual ones those of other providers and of the endpoint `bedrock-mantle` where the
 * configuration has them, and what is loaded only where it is wanted: that of tools, those of a room above, and the probe,
 * one small billed call. Where only other providers' models are called, AWS is not asked.
 */
export function checksOf({
  usesAws = true,
  hasProviders,
  usesMantle,
  tools,
  others = [],
  probe,
}: {
  usesAws?: boolean;
  hasProviders?: boolean;
  usesMantle?: boolean;
  tools?: Check<Examination> | undefined;
  others?: readonly Check<Examination>[];
  probe?: Check<Examination> | undefined;
}): readonly Check<Examination>[] {
  return [
    ...runtimeChecks,
    ...configChecks,
    ...(usesAws ? AWS_CHECKS : AWS_CHECKS.map(withoutAws)),
    ...(usesMantle ? [mantleCheck] : []),
    ...(hasProviders ? [providersCheck] : []),
    ...(tools ? [tools] : []),
    ...others,
    ...(probe ? [probe] : []),
  ];
}
