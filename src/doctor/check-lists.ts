import { toOpenclawError } from "../session/aws-errors.ts";
import { discoverySettings } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import { idleProviderFilters } from "../models/idle-filters.ts";
import { type Check, fail, ok, skip, warn } from "./check.ts";
import { isMantle } from "../models/provider-api.ts";
import { streamsText } from "../models/callable.ts";
import type { FoundationModel, InferenceProfile } from "../models/discovered.ts";
import { listModels } from "../models/list.ts";
import type { Examination } from "./examination.ts";
import { count } from "../terminal/numbers.ts";

/** Whether these credentials may list the foundation models. */
const discoveryCheck: Check<Examination> = {
  id: "discovery",
  title: "discovery permission",
  needs: ["credentials", "region", "network"],
  hint: "Allow bedrock:ListFoundationModels to these credentials.",
  run: async (examination) => {
    if (await isOff(examination)) return skip("models.bedrockDiscovery.enabled is false");
    const lists = await examination.listsFor({ kind: "discovery" });
    const { session } = lists;
    try {
      const found = await lists.models();
      const { config } = await examination.setup();
      // Without the profiles nobody knows which models they reach; the next check tells why.
      const [profiles] = await Promise.allSettled([lists.profiles()]);
      const listed =
        profiles.status === "fulfilled" ? describeListed(found, profiles.value, config.value) : "";
      const detail = `bedrock:ListFoundationModels: ${count(found.length, "model")} in ${session.region.value}, ${found.filter(streamsText).length} of them stream text${listed}`;
      if (found.length === 0)
        return warn(detail, `Bedrock may not be in ${session.region.value}: try --region us-east-1`);
      const filter = discoverySettings(config.value).providerFilter ?? [];
      const [idle] = idleProviderFilters({ region: session.region.value, models: found }, filter);
      return idle ? warn(`${detail}; ${idle.message}`, idle.hint) : ok(detail);
    } catch (failure) {
      throw toOpenclawError(failure, { session, action: "bedrock:ListFoundationModels" });
    }
  },
};

/** How many of them `models list` has, which shows profiles in place of what they call. */
function describeListed(
  models: FoundationModel[],
  profiles: InferenceProfile[],
  config: Configuration,
): string {
  const listed = listModels({
    config: {},
    discovered: { region: "", fetchedAt: 0, models, profiles, warnings: [] },
    settings: discoverySettings(config),
    defaults: { primary: undefined, fallbacks: [] },
    hasCredentials: true,
    all: false,
    providers: [],
    search: undefined,
  });
  const own = listed.filter(({ kind }) => kind === "foundation-model").length;
  return `; models list shows ${own} of them and ${count(listed.length - own, "profile")}`;
}

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

/** Whether the endpoint `bedrock-mantle` is there, and these credentials may list its models. */
export const mantleCheck: Check<Examination> = {
  id: "mantle",
  title: "bedrock-mantle",
  needs: ["config", "credentials", "region", "network"],
  hint: "Allow bedrock-mantle:ListModels to these credentials: openclaw iam policy",
  run: async (examination) => {
    if (await isOff(examination)) return skip("models.bedrockDiscovery.enabled is false");
    const { session, models } = await examination.mantleLists();
    const isWanted = (await examination.models()).some(isMantle);
    try {
      const found = await models();
      return ok(`bedrock-mantle:ListModels: ${count(found.length, "model")} in ${session.region.value}`);
    } catch (failure) {
      const error = toOpenclawError(failure, { session, action: "bedrock-mantle:ListModels" });
      if (error.code === "interrupted") throw error;
      // What no default model needs may well be closed.
      return isWanted ? fail(error) : warn(error.message, error.hint);
    }
  },
};

async function isOff({ setup }: Examination): Promise<boolean> {
  return discoverySettings((await setup()).config.value).enabled === false;
}

/** What is asked of AWS's lists, in the order in which it is shown. */
export const listsChecks = [discoveryCheck, profilesCheck];
