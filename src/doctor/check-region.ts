import { parseArn } from "../aws/arn.ts";
import { type Region, isRegionName } from "../aws/region.ts";
import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";
import { regionOfHost } from "./region-of-host.ts";

/** Which region is used, who named it, and who says otherwise. */
export const regionCheck: Check<Examination> = {
  id: "region",
  title: "region",
  needs: [],
  hint: "openclaw config set models.bedrockDiscovery.region us-east-1",
  run: async (examination) => {
    const session = await examination.session();
    const { decision, shared } = session.surroundings;
    const profile = shared.profiles.get(decision.profileName);
    return judgeRegion(session.region, {
      profile:
        profile?.keys["region"] === undefined
          ? undefined
          : { name: profile.name, region: profile.keys["region"] },
      endpoint: session.endpoint("bedrock"),
      modelIds: await modelIds(examination),
    });
  },
};

interface OtherVoices {
  profile: { name: string; region: string } | undefined;
  endpoint: { url: string; source: string } | undefined;
  /** Ids of the default model and its fallbacks. */
  modelIds: readonly string[];
}

/** Judges the region against what profile, endpoint and model ARNs say. Only a contradicting endpoint or ARN warns. */
export function judgeRegion(region: Region, { profile, endpoint, modelIds }: OtherVoices): Outcome {
  const { value, source } = region;
  if (!isRegionName(value)) {
    return fail(
      new OpenclawError("config-invalid", {
        message: `'${value}' (${source}) is not an AWS region name.`,
        hint: "Write it like us-east-1.",
      }),
    );
  }
  const detail = `${value} (${source})`;
  const host = endpoint && regionOfHost(endpoint.url);
  if (endpoint && host && host !== value) {
    return warn(
      `${detail}, but the endpoint ${endpoint.url} (${endpoint.source}) is in ${host}`,
      `Use --region ${host}, or the endpoint of ${value}.`,
    );
  }
  for (const id of modelIds) {
    const arn = parseArn(id);
    if (arn && arn.region !== "" && arn.region !== value) {
      return warn(
        `${detail}, but the model ${id} is called in ${arn.region}`,
        `Use one region: openclaw config set models.bedrockDiscovery.region ${arn.region}`,
      );
    }
  }
  if (profile && profile.region !== value) {
    const note = `${detail}; profile ${profile.name} says ${profile.region}`;
    return source === "default" || source === "instance metadata"
      ? ok(detail)
      : warn(note, `Use the profile's with: --region ${profile.region}`);
  }
  return ok(detail);
}

async function modelIds({ models }: Examination): Promise<string[]> {
  try {
    return (await models()).map(({ id }) => id);
  } catch (failure) {
    // What is wrong with the configuration is told by its own check.
    if (failure instanceof OpenclawError) return [];
    throw failure;
  }
}
