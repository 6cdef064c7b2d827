import type { LeftOut, LeftOutBy, ListedModel, ListInput } from "../../models/list.ts";
import { isMantle, isOfBedrock, providerOfKey } from "../../models/provider-api.ts";
import type { ModelSurvey } from "../../discovery/survey.ts";
import { count, formatAge } from "../../terminal/numbers.ts";
import { explainMarks } from "./model-table.ts";

/**
 * What a person is told below the list at `now` (ms since 1970): how many models, where the list comes from and how old it
 * is, what kinds they are, and what is hidden by which flag or setting.
 */
export function footerLines({ setup, load, models, leftOut, input }: ModelSurvey, now: number): string[] {
  const place = load.region ? ` in ${load.region}` : "";
  const age = load.discovered ? formatAge(now - load.discovered.fetchedAt) : "";
  const origin = {
    network: `, from ${setup.runtime.isEmulated ? "the emulator" : "AWS just now"}`,
    cache: `, from the list of ${age} ago (--refresh asks AWS now)`,
    stale: `, from the list of ${age} ago`,
    config: ", from the configuration only",
  }[load.source];
  const kinds = load.discovered ? inWords(countKinds(models, input)) : "";
  const hidden = countHidden(leftOut()).map(({ by, count: left, kinds: own }) =>
    own ? `${by} shows ${left} more: ${inWords(own)}` : `${by} hides ${left}`,
  );
  return [
    `${count(models.length, "model")}${place}${origin}`,
    [kinds, ...hidden].filter((text) => text !== "").join("; "),
    explainMarks(models),
  ].filter((line) => line !== "");
}

/** How many of a kind, and what one and several of it are called. */
type KindCount = readonly [number: number, noun: string, nouns: string];

/** In the same terms as doctor's line on the foundation models. */
export function countKinds(models: readonly ListedModel[], { config }: ListInput): KindCount[] {
  const isServers = ({ key }: ListedModel): boolean => {
    const providerId = providerOfKey(key);
    return !isOfBedrock({ providerId, provider: config.models?.providers?.[providerId] });
  };
  const isOfMantle = ({ key }: ListedModel): boolean => isMantle({ providerId: providerOfKey(key) });
  const mantle = models.filter(isOfMantle).length;
  const own = models.filter((model) => !isServers(model) && !isOfMantle(model));
  const of = (kind: ListedModel["kind"]): number => own.filter((model) => model.kind === kind).length;
  return [
    [of("foundation-model"), "foundation model", "foundation models"],
    [of("inference-profile"), "inference profile", "inference profiles"],
    [of("application-profile"), "profile of your own", "profiles of your own"],
    [of("configured"), "that only the configuration has", "that only the configuration has"],
    [mantle, "of bedrock-mantle", "of bedrock-mantle"],
    [models.length - own.length - mantle, "of other servers", "of other servers"],
  ];
}

/** What a flag or setting keeps out of the list. */
interface Hidden {
  by: string;
  count: number;
  /** Of `--all`, which shows them in place of hiding others. */
  kinds?: KindCount[];
}

/** The flag or setting of each, in the order in which they are told. */
const HIDDEN_BY: Readonly<Record<LeftOutBy, string>> = {
  all: "--all",
  search: "--search",
  providers: "--provider",
  providerFilter: "models.bedrockDiscovery.providerFilter",
};

/** What is hidden of all that there is, by what hides it: the list and what is hidden are all models. */
export function countHidden(leftOut: readonly LeftOut[]): Hidden[] {
  return Object.entries(HIDDEN_BY).flatMap(([reason, by]): Hidden[] => {
    const hidden = leftOut.flatMap((one) => (one.by === reason ? one.model : []));
    if (hidden.length === 0) return [];
    return [{ by, count: hidden.length, ...(reason === "all" ? { kinds: kindsOfHidden(hidden) } : {}) }];
  });
}

/** What `--all` shows besides. */
function kindsOfHidden(hidden: readonly ListedModel[]): KindCount[] {
  const isLegacy = ({ tags }: ListedModel): boolean => tags.includes("legacy");
  const bases = hidden.filter(({ kind }) => kind === "foundation-model");
  const profiles = hidden.filter(({ kind }) => kind !== "foundation-model");
  const current = bases.filter((model) => !isLegacy(model));
  const provisioned = current.filter(({ tags }) => tags.includes("provisioned")).length;
  const ended = profiles.filter(isLegacy).length;
  return [
    [current.length - provisioned, "that profiles call", "that profiles call"],
    [provisioned, "for provisioned throughput", "for provisioned throughput"],
    [bases.length - current.length, "legacy", "legacy"],
    [ended, "profile of legacy models", "profiles of legacy models"],
    [profiles.length - ended, "profile that is not active", "profiles that are not active"],
  ];
}

/** `2 models, 1 profile`: what there is none of is left out. */
function inWords(kinds: readonly KindCount[]): string {
  return kinds
    .filter(([number]) => number > 0)
    .map(([number, noun, nouns]) => count(number, noun, nouns))
    .join(", ");
}
