/** An inference profile of the emulator, before a region is known. */
export interface EmulatedProfile {
  inferenceProfileId: string;
  inferenceProfileName: string;
  description?: string;
  type: "SYSTEM_DEFINED" | "APPLICATION";
  /** The regions that list it, by prefix of their name. */
  sourceRegions: readonly string[];
  modelId: string;
  /** Where requests may go; `source` stands for the calling region, the empty text for a region-less ARN. */
  destinations: readonly string[];
  createdAt: string;
  updatedAt: string;
}

interface Geography {
  prefix: string;
  label: string;
  sourceRegions: readonly string[];
  destinations: readonly string[];
}

/**
 * Source and destination regions after
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html, cut to the five models that the
 * service's own shape allows. A global profile names the source region and, without a region, everywhere.
 */
const GEOGRAPHIES = {
  us: {
    prefix: "us",
    label: "US",
    sourceRegions: ["us-east-", "us-west-", "ca-"],
    destinations: ["us-east-1", "us-east-2", "us-west-2"],
  },
  usGov: {
    prefix: "us-gov",
    label: "US-GOV",
    sourceRegions: ["us-gov-"],
    destinations: ["us-gov-east-1", "us-gov-west-1"],
  },
  eu: {
    prefix: "eu",
    label: "EU",
    sourceRegions: ["eu-"],
    destinations: ["eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-3"],
  },
  apac: {
    prefix: "apac",
    label: "APAC",
    sourceRegions: ["ap-"],
    destinations: ["ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"],
  },
  jp: {
    prefix: "jp",
    label: "JP",
    sourceRegions: ["ap-northeast-1", "ap-northeast-3"],
    destinations: ["ap-northeast-1", "ap-northeast-3"],
  },
  au: {
    prefix: "au",
    label: "AU",
    sourceRegions: ["ap-southeast-2", "ap-southeast-4"],
    destinations: ["ap-southeast-2", "ap-southeast-4"],
  },
  global: {
    prefix: "global",
    label: "Global",
    sourceRegions: ["af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-east-", "us-west-"],
    destinations: ["source", ""],
  },
} as const satisfies Record<string, Geography>;

/** Model, its name in profile names, the day the profile appeared, and the geographies that have it. */
const SYSTEM_PROFILES: readonly (readonly [string, string, string, readonly (keyof typeof GEOGRAPHIES)[]])[] =
  [
    ["amazon.nova-2-lite-v1:0", "Nova 2 Lite", "2025-12-02", ["us", "eu", "jp", "global"]],
    ["amazon.nova-lite-v1:0", "Nova Lite", "2024-12-02", ["us", "eu", "apac"]],
    ["amazon.nova-micro-v1:0", "Nova Micro", "2024-12-02", ["us", "eu", "apac"]],
    ["amazon.nova-premier-v1:0", "Nova Premier", "2025-04-30", ["us"]],
    ["amazon.nova-pro-v1:0", "Nova Pro", "2024-12-02", ["us", "eu", "apac"]],
    [
      "anthropic.claude-3-5-sonnet-20240620-v1:0",
      "Anthropic Claude 3.5 Sonnet",
      "2024-08-26",
      ["us", "eu", "apac"],
    ],
    [
      "anthropic.claude-3-7-sonnet-20250219-v1:0",
      "Anthropic Claude 3.7 Sonnet",
      "2025-02-24",
      ["us", "eu", "apac"],
    ],
    [
      "anthropic.claude-haiku-4-5-20251001-v1:0",
      "Anthropic Claude Haiku 4.5",
      "2025-10-15",
      ["us", "eu", "jp", "au", "global"],
    ],
    ["anthropic.claude-opus-4-1-20250805-v1:0", "Anthropic Claude Opus 4.1", "2025-08-05", ["us"]],
    [
      "anthropic.claude-opus-4-5-20251101-v1:0",
      "Anthropic Claude Opus 4.5",
      "2025-11-24",
      ["us", "eu", "global"],
    ],
    ["anthropic.claude-opus-4-6-v1", "Anthropic Claude Opus 4.6", "2026-02-05", ["us", "eu", "au", "global"]],
    ["anthropic.claude-opus-4-7", "Anthropic Claude Opus 4.7", "2026-04-16", ["us", "eu", "jp", "global"]],
    [
      "anthropic.claude-opus-4-8",
      "Anthropic Claude Opus 4.8",
      "2026-05-28",
      ["us", "eu", "jp", "au", "global"],
    ],
    [
      "anthropic.claude-sonnet-4-5-20250929-v1:0",
      "Anthropic Claude Sonnet 4.5",
      "2025-09-29",
      ["us", "usGov", "eu", "jp", "au", "global"],
    ],
    [
      "anthropic.claude-sonnet-4-6",
      "Anthropic Claude Sonnet 4.6",
      "2026-02-17",
      ["us", "eu", "jp", "au", "global"],
    ],
    [
      "anthropic.claude-sonnet-5",
      "Anthropic Claude Sonnet 5",
      "2026-06-30",
      ["us", "eu", "jp", "au", "global"],
    ],
    ["cohere.embed-v4:0", "Cohere Embed v4", "2025-10-01", ["us", "eu", "global"]],
    ["deepseek.r1-v1:0", "DeepSeek-R1", "2025-03-10", ["us"]],
    ["meta.llama3-1-70b-instruct-v1:0", "Meta Llama 3.1 70B Instruct", "2024-10-28", ["us"]],
    ["meta.llama3-3-70b-instruct-v1:0", "Meta Llama 3.3 70B Instruct", "2024-12-19", ["us"]],
    ["meta.llama4-maverick-17b-instruct-v1:0", "Meta Llama 4 Maverick 17B Instruct", "2025-04-28", ["us"]],
    ["meta.llama4-scout-17b-instruct-v1:0", "Meta Llama 4 Scout 17B Instruct", "2025-04-28", ["us"]],
    ["mistral.pixtral-large-2502-v1:0", "Mistral Pixtral Large 25.02", "2025-04-08", ["us", "eu"]],
    ["twelvelabs.pegasus-1-2-v1:0", "TwelveLabs Pegasus v1.2", "2025-07-15", ["us", "eu", "global"]],
    ["writer.palmyra-x4-v1:0", "Writer Palmyra X4", "2025-04-28", ["us"]],
    ["writer.palmyra-x5-v1:0", "Writer Palmyra X5", "2025-04-28", ["us"]],
  ];

function systemProfile(
  modelId: string,
  name: string,
  day: string,
  { prefix, label, sourceRegions, destinations }: Geography,
): EmulatedProfile {
  const last = destinations.at(-1);
  const where =
    prefix === "global"
      ? "globally across all supported AWS Regions"
      : `in ${destinations.slice(0, -1).join(", ")} and ${last}`;
  return {
    inferenceProfileId: `${prefix}.${modelId}`,
    inferenceProfileName: `${label} ${name}`,
    description: `Routes requests to ${name} ${where}.`,
    type: "SYSTEM_DEFINED",
    sourceRegions,
    modelId,
    destinations,
    createdAt: `${day}T00:00:00Z`,
    updatedAt: `${day}T00:00:00Z`,
  };
}

/** Application profiles belong to the account and stay in the region they were made in; here, in each region. */
const APPLICATION_PROFILES: readonly EmulatedProfile[] = [
  {
    inferenceProfileId: "k9m2x7q4w1ab",
    inferenceProfileName: "team-search",
    description: "Cost tracking for the search team",
    type: "APPLICATION",
    sourceRegions: [""],
    modelId: "amazon.nova-pro-v1:0",
    destinations: ["source"],
    createdAt: "2026-03-02T09:15:27Z",
    updatedAt: "2026-03-02T09:15:27Z",
  },
  {
    inferenceProfileId: "p3t8v5z6c0de",
    inferenceProfileName: "support-chat",
    type: "APPLICATION",
    sourceRegions: ["us-east-", "us-west-"],
    modelId: "anthropic.claude-sonnet-4-6",
    destinations: GEOGRAPHIES.us.destinations,
    createdAt: "2026-04-11T16:40:03Z",
    updatedAt: "2026-05-20T08:02:44Z",
  },
];

/** The inference profiles of the emulator, for all regions. */
export const PROFILES: readonly EmulatedProfile[] = [
  ...SYSTEM_PROFILES.flatMap(([modelId, name, day, geographies]) =>
    geographies.map((geography) => systemProfile(modelId, name, day, GEOGRAPHIES[geography])),
  ),
  ...APPLICATION_PROFILES,
];
