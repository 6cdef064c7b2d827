import { KNOWN_REGIONS, neighborOf } from "../aws/known-regions.ts";
import { shorten } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { withoutPrefix } from "./base-model-id.ts";
import { streamsText } from "./callable.ts";
import type { Discovered, Warning } from "./discovered.ts";
import { type ListedModel, type ListInput, listModels } from "./list.ts";
import { nearestIds } from "./nearest.ts";
import { matchesProvider } from "./provider-filter.ts";

const FILTER = "models.bedrockDiscovery.providerFilter";

/**
 * Which filter of a list matches nothing, with the nearest name, and why a list has nothing in it: a list that is empty
 * without a word looks like one that is broken. `models` is what the input came to.
 */
export function findIdleFilters(input: ListInput, models: readonly ListedModel[]): Warning[] {
  const filters = [
    ...idleProviderFilters(listedOf(input), input.settings.providerFilter),
    ...idleProviders(input, models),
  ];
  if (models.length > 0 || filters.length > 0) return filters;
  const reason = input.search === undefined ? emptyList(input) : idleSearch(input, input.search);
  return reason ? [reason] : [];
}

/** What both lists of AWS hold. */
function listedOf({ discovered, mantle }: ListInput): Pick<Discovered, "region" | "models"> | undefined {
  return discovered && { ...discovered, models: [...discovered.models, ...(mantle?.models ?? [])] };
}

/**
 * Entries of the configured filter that are the name of no provider, with the command that corrects them: a warning also
 * where others match.
 */
export function idleProviderFilters(
  discovered: Pick<Discovered, "region" | "models"> | undefined,
  filter: readonly string[],
): Warning[] {
  if (!discovered || discovered.models.length === 0) return [];
  const idle = filter.filter(
    (entry) =>
      !discovered.models.some(({ provider, id }) => matchesProvider([entry], provider, vendorOf(id))),
  );
  if (idle.length === 0) return [];
  const names = discovered.models.filter(streamsText).map(toNames);
  const correct = (entry: string, meant: string): string => {
    const corrected = JSON.stringify(filter.map((other) => (other === entry ? meant : other)));
    return ` Then: openclaw config set ${quoteForShell(FILTER)} ${quoteForShell(corrected)}`;
  };
  return idle.map((entry) =>
    noMatch(
      `${FILTER} has '${shorten(entry)}', which no provider in ${discovered.region} is called.`,
      entry,
      names,
      (meant) => correct(entry, meant),
    ),
  );
}

function idleProviders(input: ListInput, models: readonly ListedModel[]): Warning[] {
  const { providers, settings } = input;
  // One that matches is enough for a list that is not empty, where there is but one.
  if (providers.length === 0 || (providers.length === 1 && models.length > 0)) return [];
  const finds = (provider: string, change: Partial<ListInput>): boolean =>
    listModels({ ...input, search: undefined, ...change, providers: [provider] }).length > 0;
  const isUnfiltered = { settings: { ...settings, providerFilter: [] } };
  return providers.flatMap((provider): Warning[] => {
    if (finds(provider, {})) return [];
    if (finds(provider, isUnfiltered))
      return [
        toWarning(
          `${FILTER} leaves the models of '${shorten(provider)}' out.`,
          `openclaw config get ${quoteForShell(FILTER)}`,
        ),
      ];
    if (finds(provider, { ...isUnfiltered, all: true }))
      return [
        toWarning(
          `No model of '${shorten(provider)}' can be called as it stands.`,
          `${listCommand(input)} --all --provider ${quoteForShell(provider)}`,
        ),
      ];
    const parts = provider.split(",").map((part) => part.trim());
    if (parts.length > 1 && parts.some((part) => finds(part, isUnfiltered)))
      return [
        toWarning(
          `--provider '${shorten(provider)}' matches no model: it takes one name.`,
          [listCommand(input), ...parts.map((part) => `--provider ${quoteForShell(part)}`)].join(" "),
        ),
      ];
    const names = listModels({ ...input, ...isUnfiltered, search: undefined, providers: [] }).map(toNames);
    return [noMatch(`--provider '${shorten(provider)}' matches no model.`, provider, names)];
  });
}

function idleSearch(input: ListInput, search: string): Warning | undefined {
  const isElsewhere = !input.all && listModels({ ...input, all: true }).length > 0;
  if (!isElsewhere && listModels({ ...input, search: undefined }).length === 0) return emptyList(input);
  return toWarning(
    `--search '${shorten(search)}' is in the key or name of no model that is listed.`,
    isElsewhere
      ? `${listCommand(input)} --all --search ${quoteForShell(search)}`
      : `See all: ${listCommand(input)}`,
  );
}

/** The command that lists the same kind of models. */
function listCommand({ embeddings }: ListInput): string {
  return `openclaw models list${embeddings ? " --embeddings" : ""}`;
}

function emptyList(input: ListInput): Warning | undefined {
  const { discovered, settings, all, config } = input;
  if (!discovered) {
    // Why nothing could be discovered is told by who tried.
    return config.models?.bedrockDiscovery?.enabled === false
      ? toWarning(
          "Discovery is off, and no model is configured.",
          "openclaw config set models.bedrockDiscovery.enabled true",
        )
      : undefined;
  }
  const plain = { ...input, search: undefined, providers: [] };
  if (listModels({ ...plain, settings: { ...settings, providerFilter: [] } }).length > 0)
    return toWarning(
      `${FILTER} leaves no model in ${discovered.region}: ${settings.providerFilter.join(", ")}.`,
      `openclaw config unset ${quoteForShell(FILTER)}`,
    );
  if (!all && listModels({ ...plain, all: true }).length > 0)
    return toWarning(
      `No model in ${discovered.region} can be called as it stands.`,
      `See what there is: ${listCommand(input)} --all`,
    );
  const others = KNOWN_REGIONS.filter((region) => region !== discovered.region);
  return toWarning(
    `AWS lists no model in ${discovered.region} that ${input.embeddings ? "embeds text" : "answers in text"}.`,
    `Choose another region, for example: ${listCommand(input)} --region ${quoteForShell(neighborOf(discovered.region, others) ?? "NAME")}`,
  );
}

/** A provider as Bedrock calls it, and as its ids do. */
interface ProviderNames {
  provider: string;
  vendor: string;
}

function toNames({ provider, id }: { provider: string; id: string }): ProviderNames {
  return { provider, vendor: vendorOf(withoutPrefix(id)) };
}

function noMatch(
  message: string,
  typed: string,
  names: readonly ProviderNames[],
  correct: (meant: string) => string = () => "",
): Warning {
  const byForm = new Map(
    names.flatMap(({ provider, vendor }) => [
      [vendor, provider],
      [provider, provider],
    ]),
  );
  const [nearest = ""] = nearestIds(typed, [...byForm.keys()]);
  const all = [...new Set(names.map(({ provider }) => provider))].sort();
  const known =
    all.length === 0 ? "openclaw models list" : `The providers are: ${all.slice(0, MOST_NAMED).join(", ")}`;
  const meant = byForm.get(nearest) ?? nearest;
  return toWarning(message, nearest === "" ? known : `Did you mean '${meant}'?${correct(meant)}`);
}

/** So many names fit into a hint. */
const MOST_NAMED = 24;

function toWarning(message: string, hint: string): Warning {
  return { code: "no-match", message, hint };
}

function vendorOf(id: string): string {
  return id.split(".", 1)[0] ?? "";
}
