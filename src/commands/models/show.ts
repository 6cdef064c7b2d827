import { baseOf, keyOf, type ListedModel, regionsOf } from "../../discovery/list.ts";
import { unknownModel } from "../../discovery/resolve-model.ts";
import { type ModelSurvey, surveyModels } from "../../discovery/survey.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { formatPrice } from "../../terminal/numbers.ts";

export interface ShowOptions extends GlobalOptions {
  model: string;
}

interface Reach {
  id: string;
  name: string;
  regions: string[];
}

/** Shows what is known of one model and where each fact comes from. Throws `model-not-found` with the nearest ids. */
export async function run(options: ShowOptions, runtime: Runtime): Promise<void> {
  const survey = await surveyModels(options, runtime, { all: true });
  const { models, surroundings, load } = survey;
  const key = keyOf(options.model.trim(), surroundings.config.value);
  const model = models.find((candidate) => candidate.key === key);
  if (!model) {
    if (load.error) throw load.error;
    throw unknownModel(
      key.slice(key.indexOf("/") + 1),
      models.map(({ id }) => id),
    );
  }
  const profiles = profilesReaching(model, survey);
  const { terminal } = runtime;
  if (terminal.format === "json")
    return terminal.printJson({ ...model, priceSource: priceSource(model, survey), profiles });
  const { dim, bold } = await terminal.stdoutStyle();
  const rows: [string, string][] = [
    ["id", model.id],
    ["provider", model.provider],
    ["kind", model.kind],
    ["input", model.input],
    ["context", `${model.contextWindow} tokens (${model.limitsSource})`],
    ["max out", `${model.maxTokens} tokens (${model.limitsSource})`],
    ["reasoning", model.reasoning ? "yes" : "no"],
    ["price", describePrice(model, survey)],
    ["regions", model.regions.join(", ") || "unknown"],
    ...(model.tags.length > 0 ? [["tags", model.tags.join(", ")] as [string, string]] : []),
    ...profiles.map((profile): [string, string] => [
      "profile",
      `${profile.id} → ${profile.regions.join(", ")}`,
    ]),
    ["call it", callLine(model, profiles)],
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  await terminal.print(bold(model.name));
  for (const [title, value] of rows) await terminal.print(`${dim(title.padEnd(width))}  ${value}`);
}

function profilesReaching(model: ListedModel, { load: { discovered } }: ModelSurvey): Reach[] {
  if (!discovered || model.kind !== "foundation-model") return [];
  const bases = new Map(discovered.models.map((base) => [base.id, base]));
  return discovered.profiles
    .filter((profile) => profile.isActive && baseOf(profile, bases)?.id === model.id)
    .map((profile) => ({
      id: profile.isApplication ? profile.arn : profile.id,
      name: profile.name,
      regions: regionsOf(profile),
    }));
}

function priceSource(model: ListedModel, { surroundings }: ModelSurvey): "config" | "catalog" | null {
  if (!model.cost) return null;
  const providers = surroundings.config.value.models?.providers ?? {};
  const isConfigured = Object.entries(providers).some(([id, { models = [] }]) =>
    models.some(
      (entry) =>
        `${id}/${entry.id}` === model.key && Object.values(entry.cost ?? {}).some((price) => price > 0),
    ),
  );
  return isConfigured ? "config" : "catalog";
}

function describePrice(model: ListedModel, survey: ModelSurvey): string {
  if (!model.cost) return "unknown";
  const { input, output, cacheRead, cacheWrite } = model.cost;
  const cache = [
    ...(cacheRead === undefined ? [] : [`cache read $${formatPrice(cacheRead)}`]),
    ...(cacheWrite === undefined ? [] : [`cache write $${formatPrice(cacheWrite)}`]),
  ];
  const all = [`$${formatPrice(input)} in`, `$${formatPrice(output)} out`, ...cache].join(", ");
  return `${all} per million tokens (${priceSource(model, survey)}, estimate)`;
}

function callLine(model: ListedModel, profiles: readonly Reach[]): string {
  const through = model.tags.includes("needs-profile") ? profiles[0]?.id : undefined;
  return `openclaw chat --model ${through ?? model.id} "Hello"`;
}
