import type { Configuration } from "../config/settings.ts";
import { OpenclawError } from "../errors.ts";
import type { ListedModel } from "../models/list.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { isShownWhole, neutralise, onOneLine } from "../terminal/neutralise.ts";
import { type Situation, staticCandidates } from "./situation.ts";
import type { Candidate, SettingUse, ValueKind } from "./value-kinds.ts";

/** What a line may go on with: candidates, or the names of files, which the shell knows best. */
export type Offer = "files" | readonly Candidate[];

/**
 * Finds what may stand at the cursor: from the command tree, the files of this program and the shared AWS files; never
 * from the network. A name that would act on a terminal, hide or break the line is not offered, whoever gave it. A broken configuration offers what can be known without it.
 */
export async function findCandidates(situation: Situation, runtime: Runtime): Promise<Offer> {
  const { wanted, before } = situation;
  const value = wanted?.kind === "value" ? wanted.value : undefined;
  if (value?.kind === "files") return "files";
  const found = value === undefined ? [] : await valuesFor(value, situation, runtime);
  return [
    ...staticCandidates(situation),
    ...found.flatMap((candidate) => (isShownWhole(candidate.value) ? [behind(before, candidate)] : [])),
  ];
}

function behind(before: string, candidate: Candidate): Candidate {
  const { value, description } = candidate;
  return {
    ...candidate,
    value: before + value,
    description: description && neutralise(onOneLine(description)),
  };
}

async function valuesFor(value: ValueKind, situation: Situation, runtime: Runtime): Promise<Candidate[]> {
  const options = optionsOf(situation);
  switch (value.kind) {
    case "region": {
      const { KNOWN_REGIONS } = await import("../aws/known-regions.ts");
      return asCandidates(KNOWN_REGIONS);
    }
    case "profile": {
      const { loadSharedConfig } = await import("../credentials/shared-config.ts");
      return asCandidates((await loadSharedConfig(runtime.env, runtime.homeFolder)).profiles.keys());
    }
    case "purpose": {
      const { PURPOSES } = await import("../iam/policy.ts");
      return asCandidates(PURPOSES);
    }
    case "topic": {
      const { topicCandidates } = await import("./topic-candidates.ts");
      return topicCandidates(situation.program, situation.positionals);
    }
    case "session": {
      const { sessionIds } = await import("../chat/sessions/session-files.ts");
      return asCandidates(await sessionIds(runtime));
    }
    case "tool":
    case "server":
    case "leave": {
      const { toolCandidates } = await import("./tool-candidates.ts");
      return toolCandidates(value.kind, await configOf(options, runtime));
    }
    case "template":
      return asCandidates(Object.keys((await configOf(options, runtime)).templates ?? {}));
    case "template-parameter":
      return templateParameters(situation, await configOf(options, runtime));
    case "alias": {
      const models = Object.values((await configOf(options, runtime)).agents?.defaults?.models ?? {});
      return asCandidates(models.flatMap(({ alias }) => alias ?? []));
    }
    case "model": {
      const { modelCandidates } = await import("./model-candidates.ts");
      return whereReadable(() => modelCandidates(situation.text, options, runtime), []);
    }
    case "provider":
      return asCandidates(new Set((await modelsOf(options, runtime)).map(({ provider }) => provider)));
    case "setting": {
      const { settingCandidates } = await import("./setting-candidates.ts");
      return settingCandidates(situation.text, await settingsInput(value.use, situation, runtime));
    }
    case "setting-value": {
      const { settingValues } = await import("./setting-candidates.ts");
      return settingValues(situation.positionals[0] ?? "", await settingsInput("set", situation, runtime));
    }
    default:
      return [];
  }
}

async function settingsInput(use: SettingUse, situation: Situation, runtime: Runtime) {
  const options = optionsOf(situation);
  const [{ locateConfig, readConfigText }, { parseDocument }, { KNOWN_REGIONS }] = await Promise.all([
    import("../config/file.ts"),
    import("../config/parse-document.ts"),
    import("../aws/known-regions.ts"),
  ]);
  const { file } = locateConfig(options, runtime);
  const value = await whereReadable<unknown>(
    async () => parseDocument((await readConfigText(file)) ?? "", file),
    {},
  );
  // The lists of models are read only where a model's key is a part of the path or the value.
  const isAboutModels = [situation.text, ...situation.positionals].some((path) =>
    path.startsWith("agents.defaults.model"),
  );
  const models = isAboutModels ? await modelsOf(options, runtime) : [];
  return { use, value, modelKeys: models.map(({ key }) => key), regions: KNOWN_REGIONS };
}

async function configOf(options: GlobalOptions, runtime: Runtime): Promise<Configuration> {
  const { loadConfig } = await import("../config/resolve.ts");
  return whereReadable(async () => (await loadConfig(options, runtime)).value, {});
}

/** The parameters of the template that was named, each to be followed by its value. */
async function templateParameters({ values }: Situation, config: Configuration): Promise<Candidate[]> {
  const name = values.get("--template") ?? "";
  const templates = config.templates ?? {};
  const template = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (!template) return [];
  const { parametersOfTemplate } = await import("../chat/template.ts");
  return parametersOfTemplate(template).map((parameter) => ({
    value: `${parameter}=`,
    description: template.defaults?.[parameter],
    isBranch: true,
  }));
}

async function modelsOf(options: GlobalOptions, runtime: Runtime): Promise<readonly ListedModel[]> {
  const { readModels } = await import("./model-candidates.ts");
  return whereReadable(async () => (await readModels(options, runtime)).models, []);
}

/** The flags of every command that were typed, as the program would read them. */
function optionsOf({ values }: Situation): GlobalOptions {
  return {
    config: values.get("--config"),
    profile: values.get("--profile"),
    region: values.get("--region"),
    endpointUrl: values.get("--endpoint-url"),
    color: false,
  };
}

/** What is wrong with a file is told by the command that needs it, not in the middle of a line that is being typed. */
async function whereReadable<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OpenclawError && error.code !== "interrupted") return otherwise;
    throw error;
  }
}

function asCandidates(values: Iterable<string>): Candidate[] {
  return [...values].map((value) => ({ value }));
}
