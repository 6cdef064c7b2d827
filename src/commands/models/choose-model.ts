import { Asker, type Choice } from "../../chat/interactive/picker.ts";
import { type ModelSurvey, surveyModels } from "../../discovery/survey.ts";
import type { ListedModel } from "../../models/list.ts";
import { providerOfKey, shortKey } from "../../models/provider-api.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { formatPriceColumn, formatTokenColumn } from "../../terminal/numbers.ts";
import type { Column } from "../../terminal/table.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { withoutCredentials } from "./first-steps.ts";

interface Choosing {
  /** Asks, where it is said, whether the model is to be the default, and keeps it on a yes. */
  keep?: (key: string) => Promise<void>;
}

/**
 * The key of the model that a person at the terminal chooses among those that can be called; undefined in a pipe, where
 * nobody is asked, and where they choose none. Throws why there is no model to choose from, and `interrupted`.
 */
export async function chooseModel(
  options: GlobalOptions,
  runtime: Runtime,
  { keep }: Choosing = {},
): Promise<string | undefined> {
  const screen = screenOfPerson(runtime);
  if (!screen) return undefined;
  const { terminal } = runtime;
  const survey = await surveyModels(options, runtime, {});
  const models = survey.models
    .filter(({ available }) => available)
    .toSorted((one, other) => rankOf(one) - rankOf(other));
  await tellProblems(survey, models, runtime);
  if (models.length === 0) return undefined;
  const asker = new Asker(runtime, screen, await terminal.stderrStyle());
  return asker.during(async () => {
    const chosen = await asker.choose({ question: "Model", columns: COLUMNS, choices: toChoices(models) });
    if (!chosen) return undefined;
    terminal.note(`Model: ${shortKey(chosen.key)}`);
    if (keep && (await asker.confirm("Keep it as the default model?"))) await keep(chosen.key);
    return chosen.key;
  });
}

/** Enter alone sends nothing to regions all over the world, and costs what is known. */
function rankOf({ id, cost }: ListedModel): number {
  return cost === null ? 2 : id.startsWith("global.") ? 1 : 0;
}

/** The screen of a person who sees what is asked and can answer; undefined where one of the streams leads elsewhere. */
function screenOfPerson({ stdin, terminal, env }: Runtime): Screen | undefined {
  const isPerson = stdin.isTTY === true && stdin.readable && terminal.isStdoutTTY;
  // A terminal that cannot take back what it shows has no place for a list.
  const isAble = env["TERM"] !== "dumb" && env["CI"] === undefined;
  return isPerson && isAble && terminal.format === "text" ? terminal.screen : undefined;
}

async function tellProblems(
  survey: ModelSurvey,
  models: readonly ListedModel[],
  runtime: Runtime,
): Promise<void> {
  const { load } = survey;
  if (models.length === 0) {
    if (!load.hasCredentials) throw await withoutCredentials(survey);
    if (load.error) throw load.error;
  }
  if (load.error) await runtime.terminal.warn(load.error.message, load.error.hint);
  for (const { message, hint } of load.warnings) await runtime.terminal.warn(message, hint);
}

/** Names are cut before prices are left out; the id of the one that Enter takes stands below. */
const COLUMNS: readonly Column[] = [
  { title: "Name", least: 20 },
  { title: "Answers from", dropOrder: 4 },
  { title: "Context", align: "right", dropOrder: 1 },
  { title: "$ in", align: "right", dropOrder: 3 },
  { title: "$ out", align: "right", dropOrder: 2 },
];

function toChoices(models: readonly ListedModel[]): Choice<ListedModel>[] {
  const costs = models.flatMap(({ cost }) => cost ?? []);
  const tokens = formatTokenColumn(models.map(({ contextWindow }) => contextWindow));
  const priceIn = formatPriceColumn(costs.map(({ input }) => input));
  const priceOut = formatPriceColumn(costs.map(({ output }) => output));
  return models.map((model) => {
    const { key, name, provider, cost, contextWindow, regions } = model;
    const place = placeOf(model);
    const prices = cost ? [priceIn(cost.input), priceOut(cost.output)] : ["", ""];
    const told = cost ? `, $${prices[0]} in, $${prices[1]} out` : "";
    return {
      value: model,
      words: [key, name, provider, place].join(" "),
      cells: [shortName(model), place, tokens(contextWindow), ...prices],
      // All of it, since a narrow terminal has no room for every column.
      details: [shortKey(key), `${place}${told}`, ...(regions.length > 1 ? [regions.join(", ")] : [])],
    };
  });
}

/** `US Anthropic Claude Opus 4.8` is `US Claude Opus 4.8`: what tells models apart stands at the end, and is cut first. */
function shortName({ name, provider, kind }: ListedModel): string {
  return kind === "inference-profile" ? name.replace(` ${provider} `, " ") : name;
}

/** Where an answer may come from: the region, the geography of a profile, or the server. */
function placeOf({ id, key, kind, regions }: ListedModel): string {
  const geography = kind === "inference-profile" ? (id.split(".", 1)[0] ?? "") : "";
  if (geography === "global") return "any region";
  if (geography !== "") return geography.toUpperCase();
  if (regions.length === 0) return providerOfKey(key);
  return regions.length === 1 ? (regions[0] ?? "") : `${regions.length} regions`;
}
