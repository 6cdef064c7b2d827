import type { OpenclawError } from "../errors.ts";

/** A foundation model as ListFoundationModels told it, reduced to what this program uses. */
export interface FoundationModel {
  id: string;
  arn: string;
  name: string;
  /** Provider name as Bedrock writes it, for example `Mistral AI`. */
  provider: string;
  /** Modalities in AWS's words, upper case; the service sends more than its model declares. */
  input: string[];
  output: string[];
  /** Undefined where the service left it out. */
  streams: boolean | undefined;
  /** `ON_DEMAND`, `PROVISIONED`, `INFERENCE_PROFILE`; undefined where the service left the list out. */
  inferenceTypes: string[] | undefined;
  /** `ACTIVE` or `LEGACY`. */
  lifecycle: string;
  /** When the model came, becomes LEGACY, costs more and ends, as far as the service says; ISO 8601. */
  startOfLife?: string | undefined;
  legacyFrom?: string | undefined;
  extendedAccessFrom?: string | undefined;
  endOfLife?: string | undefined;
  /** The endpoint that lists it, where that is not Bedrock's own. */
  endpoint?: "bedrock-mantle" | undefined;
}

/** An inference profile as ListInferenceProfiles told it. */
export interface InferenceProfile {
  id: string;
  arn: string;
  name: string;
  isApplication: boolean;
  isActive: boolean;
  description?: string | undefined;
  /** ARNs of the foundation models it routes to, one for each destination region. */
  modelArns: string[];
}

export interface Warning {
  code: string;
  message: string;
  hint: string;
}

/** What could not be had, and why, beside what there is all the same. */
export function toWarning(error: OpenclawError, what: string): Warning {
  return { code: error.code, message: `${what}: ${error.message}`, hint: error.hint ?? "openclaw doctor" };
}

/** What one round of questions to AWS found. This, unfiltered, is what the cache keeps. */
export interface Discovered {
  region: string;
  /** The endpoint that lists its models, where that is not Bedrock's own. */
  endpoint?: "bedrock-mantle";
  /** Milliseconds since 1970. */
  fetchedAt: number;
  models: FoundationModel[];
  profiles: InferenceProfile[];
  warnings: Warning[];
  /**
   * True when profiles are missing for a reason that may pass, unlike a permission: such a list is shown when there is
   * no better one, and never kept.
   */
  isPartial?: boolean;
}
