import { parseArn } from "../aws/arn.ts";
import type { Discovered } from "./discovered.ts";

/**
 * The id of the foundation model behind an id, a profile id (`us.`, `global.`, …) or an ARN. An application profile has
 * a name of its own, so AWS's list has to tell. Undefined for prompt routers, deployments and the like: their model is
 * not known before they answer.
 */
export function baseModelId(id: string, discovered?: Discovered): string | undefined {
  const arn = parseArn(id);
  if (!arn) return withoutPrefix(id);
  switch (arn.resourceType) {
    case "foundation-model":
      return arn.resourceId;
    case "inference-profile":
      return withoutPrefix(arn.resourceId);
    case "application-inference-profile": {
      const target = discovered?.profiles.find((profile) => profile.arn === id)?.modelArns[0];
      return target === undefined ? undefined : (parseArn(target)?.resourceId ?? target);
    }
    default:
      return undefined;
  }
}

/**
 * An id without a profile's prefix: `us.anthropic.claude-…` without its first part; `deepseek.v3.2` and
 * `openai.gpt-5.6-sol` have no such part.
 */
export function withoutPrefix(id: string): string {
  return /^[a-z]{2,6}(?:-[a-z]+)?\.([a-z][a-z0-9]+\..+)$/.exec(id)?.[1] ?? id;
}
