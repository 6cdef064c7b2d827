import { type Region, isRegionName } from "../aws/region.ts";
import { tellRegion } from "../credentials/network-findings.ts";
import { type Check, failAs, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** Which region is used, who named it, and who says otherwise. */
const regionCheck: Check<Examination> = {
  id: "region",
  title: "region",
  needs: [],
  hint: "openclaw config set models.bedrockDiscovery.region us-east-1",
  run: async (examination) => {
    const session = await examination.session();
    const { decision, shared } = session.setup;
    const profile = shared.profiles.get(decision.profileName);
    const models = await examination.bedrockModels();
    return judgeRegion(session.region, {
      profile:
        profile?.keys["region"] === undefined
          ? undefined
          : { name: profile.name, region: profile.keys["region"] },
      endpoints: [session.endpoint("bedrock"), session.endpoint("bedrock-runtime")].filter(
        (endpoint) => endpoint !== undefined,
      ),
      models: models.map(({ model, session: own }) => ({ id: model.id, region: own.region })),
    });
  },
};

interface OtherVoices {
  profile: { name: string; region: string } | undefined;
  /** Those that somebody named. */
  endpoints: readonly { url: string; source: string }[];
  /** The default model and its fallbacks, with the region each is called in and who named that. */
  models: readonly { id: string; region: Region }[];
}

/** Judges the region against what endpoints, models and the profile say. */
export function judgeRegion(region: Region, { profile, endpoints, models }: OtherVoices): Outcome {
  const { value, source } = region;
  if (!isRegionName(value)) {
    return failAs(
      "config-invalid",
      `'${value}' (${source}) is not an AWS region name.`,
      "Write it like us-east-1.",
    );
  }
  const detail = `${value} (${source})`;
  const told = endpoints.length > 0 ? undefined : tellRegion(region);
  if (told) return warn(`${detail}, where Amazon Bedrock is not known to be`, told.hint);
  for (const { url, source: namedBy } of endpoints) {
    const host = regionOfHost(url);
    if (host && host !== value) {
      return warn(
        `${detail}, but the endpoint ${url} (${namedBy}) is in ${host}`,
        `Use the region of the endpoint: --region ${quoteForShell(host)}`,
      );
    }
  }
  const elsewhere = models.find((model) => model.region.value !== value);
  if (elsewhere) {
    return warn(
      `${detail}, but the model ${elsewhere.id} is called in ${elsewhere.region.value} (${elsewhere.region.source})`,
      `Use one region: openclaw config set models.bedrockDiscovery.region ${quoteForShell(elsewhere.region.value)}`,
    );
  }
  if (profile && profile.region !== value) {
    const note = `${detail}; profile ${profile.name} says ${profile.region}`;
    return source === "default" || source === "instance metadata"
      ? ok(detail)
      : warn(note, `Use the profile's with: --region ${quoteForShell(profile.region)}`);
  }
  return ok(detail);
}

/** `bedrock.us-east-1.amazonaws.com`, `bedrock-runtime-fips.us-gov-west-1.amazonaws.com`, `vpce-….bedrock.eu-west-1.vpce.amazonaws.com`. */
const BEDROCK_HOST = /(?:^|\.)bedrock(?:-runtime|-mantle)?(?:-fips)?\.([a-z]{2,5}(?:-[a-z]+)+-\d{1,2})\./;

/** The region in the host name of a Bedrock endpoint of AWS, VPC endpoints included; undefined for any other host. */
export function regionOfHost(url: string): string | undefined {
  return BEDROCK_HOST.exec(new URL(url).hostname)?.[1];
}

/** What is asked of the region, in the order in which it is shown. */
export const regionChecks = [regionCheck];
