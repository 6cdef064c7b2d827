import { OpenclawError } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Environment, Runtime } from "../runtime.ts";
import { expandEnv, hasReference, unsetVariables } from "./expand-env.ts";
import { findSetting } from "./find-setting.ts";
import { locateConfig, missingFile, readConfigText } from "./file.ts";
import type { Path } from "./path.ts";
import { parseDocument, VALIDATE } from "./parse-document.ts";
import { isSecretPath } from "./secrets.ts";
import { DISCOVERY_DEFAULTS, type Configuration, type DiscoverySettings } from "./settings.ts";
import { problemDetails, validate, type Problem } from "./validate.ts";
import { mapLeaves } from "./walk-value.ts";

export interface LoadedConfig {
  /** Absolute path of the file, whether it exists or not. */
  file: string;
  exists: boolean;
  /** The file's value, validated, keys of other programs included. `{}` without a file. */
  value: Configuration;
  /** True where `${NAME}` stands in it: then it says something else in another environment. */
  hasReferences?: boolean;
}

/**
 * The discovery settings with their defaults. Where `enabled` is undefined discovery is on when AWS credentials are found,
 * where `region` is, the region order decides.
 */
export type ResolvedDiscovery = Required<Omit<DiscoverySettings, "enabled" | "region">> & {
  enabled: boolean | undefined;
  region: string | undefined;
};

export interface DefaultModel {
  primary?: string;
  fallbacks: readonly string[];
}

/**
 * Reads and validates the configuration file; without a file the configuration is empty, but a `--config` that names a
 * missing one is an error. `${NAME}` is resolved where the variable is set; elsewhere, and in
 * secrets, it is left to `expandEnv` where the value is used. What is wrong with tools and MCP servers, which other
 * programs write there, too, is left to `configured-tools.ts`. Throws `config-unreadable` and `config-invalid`.
 */
export async function loadConfig(
  options: Pick<GlobalOptions, "config">,
  runtime: Runtime,
): Promise<LoadedConfig> {
  const location = locateConfig(options, runtime);
  const { file } = location;
  const text = await readConfigText(file);
  if (text === undefined) {
    if (location.source === "--config") throw missingFile(location);
    return { file, exists: false, value: {} };
  }
  const parsed = parseDocument(text, file);
  const hasReferences = text.includes("${");
  const value = hasReferences ? resolveReferences(parsed, runtime.env) : parsed;
  const problems = validate(value).filter(({ path }) => !isUsedAlone(path));
  if (problems.length > 0) throw invalidConfiguration(file, problems);
  const config = value as Configuration;
  return {
    file,
    exists: true,
    value: runtime.isEmulated ? withEmulatedDefault(config) : config,
    hasReferences,
  };
}

/** Whether a place is read by those alone who use what is there. */
function isUsedAlone(path: Path): boolean {
  return path.some((_, index) => findSetting(path.slice(0, index + 1))?.isExpandedInUse);
}

/** What the emulator's own default model makes of a configuration: it goes before the other. */
function withEmulatedDefault(config: Configuration): Configuration {
  const model = config.emulator?.model;
  if (model === undefined) return config;
  const { agents } = config;
  return { ...config, agents: { ...agents, defaults: { ...agents?.defaults, model } } };
}

/** The discovery settings: `models.bedrockDiscovery`, then the plugin's entry, then the defaults. */
export function discoverySettings(config: Configuration): ResolvedDiscovery {
  const plugin: DiscoverySettings = config.plugins?.entries?.["amazon-bedrock"]?.config?.discovery ?? {};
  const settings = { ...DISCOVERY_DEFAULTS, ...plugin, ...config.models?.bedrockDiscovery };
  const { enabled, region } = settings;
  return {
    ...settings,
    enabled,
    region: region === undefined ? undefined : requireResolved(region, "models.bedrockDiscovery.region"),
  };
}

/** The default model and its fallbacks, from either form of `agents.defaults.model`. */
export function defaultModel(config: Configuration): DefaultModel {
  const model = config.agents?.defaults?.model;
  if (model === undefined) return { fallbacks: [] };
  const { primary, fallbacks = [] } = typeof model === "string" ? { primary: model } : model;
  return {
    primary: requireResolved(primary, "agents.defaults.model"),
    fallbacks: fallbacks.map((key, index) =>
      requireResolved(key, `agents.defaults.model.fallbacks[${index}]`),
    ),
  };
}

/** The error for a file whose settings are of the wrong type: the first problem, and how to see all. */
function invalidConfiguration(file: string, problems: readonly Problem[]): OpenclawError {
  const others = problems.length - 1;
  const more = others === 1 ? " One more problem follows." : ` ${others} more problems follow.`;
  return new OpenclawError("config-invalid", {
    message: `${file}: ${problems[0]?.message}${others === 0 ? "" : more}`,
    hint: VALIDATE,
    details: { file, problems: problems.map(problemDetails) },
  });
}

/** A variable that is not set is an error only for those who need its value. */
function requireResolved(text: string, place: string): string {
  return hasReference(text) ? expandEnv(text, {}, place) : text;
}

/** Puts the values of set variables in place of `${NAME}` in every text that is not a secret. */
export function resolveReferences(value: unknown, env: Environment): unknown {
  return mapLeaves(value, ({ path, value: leaf }) => {
    if (typeof leaf !== "string" || !leaf.includes("${") || isSecretPath(path)) return leaf;
    const found = findSetting(path);
    if (found?.hasPlaceholders || found?.isExpandedInUse) return leaf;
    return unsetVariables(leaf, env).length === 0 ? expandEnv(leaf, env) : leaf;
  });
}
