import { toOpenclawError } from "../session/aws-errors.ts";
import { discoverySettings } from "../config/resolve.ts";
import { idleProviderFilters } from "../models/idle-filters.ts";
import { type Check, ok, skip, warn } from "./check.ts";
import type { Examination } from "./examination.ts";

/** Whether these credentials may list the foundation models. */
const discoveryCheck: Check<Examination> = {
  id: "discovery",
  title: "discovery permission",
  needs: ["credentials", "region", "network"],
  hint: "Allow bedrock:ListFoundationModels to these credentials.",
  run: async (examination) => {
    if (await isOff(examination)) return skip("models.bedrockDiscovery.enabled is false");
    const { models, session } = await examination.listsFor({ kind: "discovery" });
    try {
      const found = await models();
      const streaming = found.filter((model) => model.streams === true && model.output.includes("TEXT"));
      const detail = `bedrock:ListFoundationModels: ${count(found.length, "model")} in ${session.region.value}, ${streaming.length} of them stream text`;
      if (found.length === 0)
        return warn(detail, `Bedrock may not be in ${session.region.value}: try --region us-east-1`);
      const filter = discoverySettings((await examination.setup()).config.value).providerFilter ?? [];
      const [idle] = idleProviderFilters({ region: session.region.value, models: found }, filter);
      return idle ? warn(`${detail}; ${idle.message}`, idle.hint) : ok(detail);
    } catch (failure) {
      throw toOpenclawError(failure, { session, action: "bedrock:ListFoundationModels" });
    }
  },
};

/** Whether these credentials may list the inference profiles. Without them most current models cannot be found. */
const profilesCheck: Check<Examination> = {
  id: "profiles",
  title: "profiles permission",
  needs: ["credentials", "region", "network"],
  hint: "Allow bedrock:ListInferenceProfiles to these credentials.",
  run: async (examination) => {
    if (await isOff(examination)) return skip("models.bedrockDiscovery.enabled is false");
    const { profiles, session } = await examination.listsFor({ kind: "discovery" });
    try {
      const found = await profiles();
      const own = found.filter(({ isApplication }) => isApplication).length;
      return ok(
        `bedrock:ListInferenceProfiles: ${count(found.length, "profile")}${own > 0 ? `, ${own} of them your own` : ""}`,
      );
    } catch (failure) {
      // Discovery goes on without profiles, so this is not the end.
      const error = toOpenclawError(failure, { session, action: "bedrock:ListInferenceProfiles" });
      return warn(error.message, error.hint);
    }
  },
};

async function isOff({ setup }: Examination): Promise<boolean> {
  return discoverySettings((await setup()).config.value).enabled === false;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** What is asked of AWS's lists, in the order in which it is shown. */
export const listsChecks = [discoveryCheck, profilesCheck];
