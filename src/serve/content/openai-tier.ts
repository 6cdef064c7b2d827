import type { TokenUsage } from "../../models/usage.ts";

/** The tiers that Bedrock and OpenAI call the same. */
const TIERS = ["default", "flex", "priority"] as const;

/** The tier that served an answer, as OpenAI's APIs tell it; undefined where the service has said nothing of the kind. */
export function openaiTier({ serviceTier }: TokenUsage): (typeof TIERS)[number] | undefined {
  return TIERS.find((tier) => tier === serviceTier);
}
