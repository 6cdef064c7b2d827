import { formatPath } from "../config/path.ts";
import { isRecord } from "../json.ts";
import { type Explained, type FindingRow, NOT_THERE } from "./finding.ts";

/** What this program's own configuration shows. */
export const CONFIGURATION_FINDINGS: readonly FindingRow[] = [
  {
    id: "configuration-misspelt",
    explains: [],
    isSuspicion: true,
    find: ({ place }) =>
      (place?.misspelt ?? [])
        .filter(({ path: [first, second, third], meant }) => {
          const isOfProvider = first === "models" && second === "providers" && meant.length > 3;
          return !isOfProvider || third === place?.providerId;
        })
        .map(({ path, meant, value }) => ({
          message: `The configuration has ${formatPath(path)}, which nobody reads; ${formatPath(meant)} is near.`,
          hint: `Rename ${String(path.at(-1))} to ${String(meant.at(-1))}: openclaw config validate`,
          explains: decidedBy(String(meant.at(-1)), value),
        })),
  },
];

/** The failures that a setting of the configuration decides about, by its name. */
const DECIDED: Readonly<Record<string, readonly Explained[]>> = {
  region: [...NOT_THERE, "access-denied", "model-access", "model-not-found", "needs-inference-profile"],
  baseUrl: [...NOT_THERE, "credentials-rejected", "access-denied", "model-not-found", "no-credentials"],
  api: [...NOT_THERE, "credentials-rejected", "access-denied", "model-not-found", "no-credentials"],
  apiKey: ["credentials-rejected", "access-denied", "no-credentials"],
  headers: ["credentials-rejected", "access-denied"],
  enabled: ["nothing signs"],
  model: ["no-default-model"],
  primary: ["no-default-model"],
  providers: ["model-not-found", "nothing signs"],
};

/** What a setting decides about, with those in it. */
function decidedBy(setting: string, value: unknown): Explained[] {
  const inner = isRecord(value) ? Object.entries(value) : [];
  const own = Object.hasOwn(DECIDED, setting) ? (DECIDED[setting] ?? []) : [];
  return [...own, ...inner.flatMap(([key, below]) => decidedBy(key, below))];
}
