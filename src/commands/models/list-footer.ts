import { type ListedModel, type ListInput, listModels } from "../../models/list.ts";
import { isMantle, isOfBedrock, providerOfKey } from "../../models/provider-api.ts";
import type { ModelSurvey } from "../../discovery/survey.ts";
import { count, formatAge } from "../../terminal/numbers.ts";
import { explainMarks } from "./model-table.ts";

/**
 * What a person is told below the list at `now` (ms since 1970): how many models, where the list comes from and how old it
 * is, what kinds they are, and what is hidden by which flag or setting.
 */
export function footerLines({ setup, load, models, input }: ModelSurvey, now: number): string[] {
  const place = load.region ? ` in ${load.region}` : "";
  const age = load.discovered ? formatAge(now - load.discovered.fetchedAt) : "";
  const origin = {
    network: `, from ${setup.runtime.isEmulated ? "the emulator" : "AWS just now"}`,
    cache: `, from the list of ${age} ago (--refresh asks AWS now)`,
    stale: `, from the list of ${age} ago`,
    config: ", from the configuration only",
  }[load.source];
  const kinds = load.discovered ? countKinds(models, input) : "";
  const hidden = [hiddenByAll(models, input), hiddenByFilter(models, input)].filter((text) => text !== "");
  return [
    `${count(models.length, "model")}${place}${origin}`,
    ...(kinds === "" ? [] : [`${kinds}${hidden.map((text) => `; ${text}`).join("")}`]),
    explainMarks(models),
  ].filter((line) => line !== "");
}

/** In the same terms as doctor's line on the foundation models. */
function countKinds(models: readonly ListedModel[], { config }: ListInput): string {
  const isServers = ({ key }: ListedModel): boolean => {
    const providerId = providerOfKey(key);
    return !isOfBedrock({ providerId, provider: config.models?.providers?.[providerId] });
  };
  const isOfMantle = ({ key }: ListedModel): boolean => isMantle({ providerId: providerOfKey(key) });
  const mantle = models.filter(isOfMantle).length;
  const own = models.filter((model) => !isServers(model) && !isOfMantle(model));
  const of = (kind: ListedModel["kind"]): number => own.filter((model) => model.kind === kind).length;
  return list([
    [of("foundation-model"), "foundation model"],
    [of("inference-profile"), "inference profile"],
    [of("application-profile"), "profile of your own", "profiles of your own"],
    [of("configured"), "that only the configuration has", "that only the configuration has"],
    [mantle, "of bedrock-mantle", "of bedrock-mantle"],
    [models.length - own.length - mantle, "of other servers", "of other servers"],
  ]);
}

function hiddenByAll(models: readonly ListedModel[], input: ListInput): string {
  if (input.all) return "";
  const shown = new Set(models.map(({ key }) => key));
  const hidden = listModels({ ...input, all: true }).filter(({ key }) => !shown.has(key));
  if (hidden.length === 0) return "";
  const isModel = ({ kind }: ListedModel): boolean => kind === "foundation-model";
  const isLegacy = ({ tags }: ListedModel): boolean => tags.includes("legacy");
  const bases = hidden.filter(isModel);
  const current = bases.filter((model) => !isLegacy(model));
  const provisioned = current.filter(({ tags }) => tags.includes("provisioned")).length;
  const profiles = hidden.length - bases.length;
  const reasons = list([
    [current.length - provisioned, "that profiles call", "that profiles call"],
    [provisioned, "for provisioned throughput", "for provisioned throughput"],
    [bases.length - current.length, "legacy", "legacy"],
    [profiles, "profile of legacy models", "profiles of legacy models"],
  ]);
  return `--all shows ${hidden.length} more: ${reasons}`;
}

function hiddenByFilter(models: readonly ListedModel[], input: ListInput): string {
  if (input.settings.providerFilter.length === 0) return "";
  const unfiltered = listModels({ ...input, settings: { ...input.settings, providerFilter: [] } });
  const left = unfiltered.length - models.length;
  return left === 0 ? "" : `models.bedrockDiscovery.providerFilter hides ${left}`;
}

/** `2 models, 1 profile`: what there is none of is left out. */
function list(parts: readonly (readonly [number, string, string?])[]): string {
  return parts
    .filter(([number]) => number > 0)
    .map(([number, noun, nouns]) => count(number, noun, nouns))
    .join(", ");
}
