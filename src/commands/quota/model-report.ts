import type { QuotaSurvey, QuotaWay } from "../../discovery/survey-quotas.ts";
import type { CallTokens, CallVerdict } from "../../models/quotas.ts";
import type { GlobalOptions } from "../../options.ts";

export interface QuotaOptions extends GlobalOptions {
  model?: string;
  /** Tokens. */
  inputTokens?: number;
  maxTokens?: number;
}

export interface ModelReport {
  /** As it is called: a profile, where it needs one. */
  id: string;
  name: string;
  region: string;
  /** The most tokens that it puts out where a call says nothing. */
  defaultMaxTokens: number;
  burndown: { output: number; source: string };
  survey: QuotaSurvey;
  way: QuotaWay | undefined;
  call: CallReport | undefined;
}

export interface CallReport extends CallTokens {
  /** Who says how many tokens may come out. */
  maxTokensSource: "flag" | "model";
  reserves: number;
  /** What is left of the quota's use at most when the call has ended. */
  settlesAtMost: number;
  verdict: CallVerdict;
}
