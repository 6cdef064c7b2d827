import { type Edit, valueAt } from "../../config/edit-value.ts";
import { loadConfig } from "../../config/resolve.ts";
import type { Configuration } from "../../config/settings.ts";
import { updateConfig } from "../../config/update.ts";
import { shorten, usageError } from "../../errors.ts";
import { isRecord, textAt } from "../../json.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import { lookUpCatalog } from "../../models/catalog.ts";
import { didYouMean } from "../../models/nearest.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { printList } from "../../terminal/print-list.ts";
import { findKey } from "./find-key.ts";

export interface AliasOptions extends GlobalOptions {
  name?: string;
  model?: string;
  rm?: boolean;
  force?: boolean;
}

interface Alias {
  alias: string;
  key: string;
}

/**
 * Gives a model a short name, which every command takes; a name that another model has goes over to it. With `--rm` takes
 * the name away; without any lists them all. Throws `usage`, and what findKey throws.
 */
export async function run(options: AliasOptions, runtime: Runtime): Promise<void> {
  const { name, model, rm } = options;
  const { value: config } = await loadConfig(options, runtime);
  if (name === undefined) {
    if (rm) throw usageError("--rm takes the name to remove.", "openclaw models alias");
    return printAliases(listAliases(config), runtime);
  }
  if (rm) {
    if (model !== undefined)
      throw usageError(
        "--rm takes a name and no model.",
        `openclaw models alias --rm ${quoteForShell(name)}`,
      );
    return removeAlias(name, config, options, runtime);
  }
  if (model === undefined)
    throw usageError(
      `models alias takes a model for '${shorten(name)}'.`,
      `openclaw models alias ${quoteForShell(name)} MODEL`,
    );
  await setAlias(checkAlias(name), model, config, options, runtime);
}

function listAliases(config: Configuration): Alias[] {
  return Object.entries(config.agents?.defaults?.models ?? {}).flatMap(([key, { alias }]) =>
    alias === undefined ? [] : [{ alias, key }],
  );
}

/** Names are told apart without their case. */
function findAlias(name: string, aliases: readonly Alias[]): Alias | undefined {
  return aliases.find(({ alias }) => alias.toLowerCase() === name.toLowerCase());
}

/** Whether a name is that of a model, by the catalog or the configuration. */
function isId(name: string, { models }: Configuration): boolean {
  const configured = Object.entries(models?.providers ?? {}).flatMap(([provider, { models = [] }]) =>
    models.flatMap(({ id }) => [id, `${provider}/${id}`]),
  );
  return configured.includes(name) || lookUpCatalog(baseModelId(name) ?? name) !== undefined;
}

/** A name that can stand wherever a model can. Throws `usage`. */
function checkAlias(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== "" && !/[,\p{Cc}]/u.test(trimmed) && !trimmed.startsWith("-")) return trimmed;
  throw usageError(
    `'${shorten(name)}' cannot be the name of a model: it has to have something before, and no comma.`,
    "openclaw models alias fast MODEL",
  );
}

async function setAlias(
  name: string,
  model: string,
  config: Configuration,
  options: AliasOptions,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  const aliases = listAliases(config);
  if (isId(name, config) && !options.force)
    throw usageError(
      `'${shorten(name)}' is the id of a model, which could no longer be called by it.`,
      `openclaw models alias NAME ${quoteForShell(model)}`,
    );
  const command = `openclaw models alias ${quoteForShell(name)}`;
  const key = await findKey(command, { ...options, model }, runtime);
  const other = findAlias(name, aliases);
  const old = aliases.find((alias) => alias.key === key);
  if (other && other.key !== key) terminal.note(`openclaw: ${other.alias} was ${other.key}`);
  if (old && old.alias !== name) terminal.note(`openclaw: ${key} is ${name} now, and no longer ${old.alias}`);
  const { file } = await updateConfig(options, runtime, (value) => [
    ...removals(name, value).filter(({ path }) => !path.includes(key)),
    { op: "set", path: pathOf(key), value: name },
  ]);
  if (terminal.format === "json") await terminal.printJson({ alias: name, model: key, file });
  else await terminal.print(`${name} is ${key}.`);
}

async function removeAlias(
  name: string,
  config: Configuration,
  options: AliasOptions,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  const aliases = listAliases(config);
  const found = findAlias(name, aliases);
  if (!found) {
    const names = aliases.map(({ alias }) => alias);
    throw usageError(
      `No model has the name '${shorten(name)}'.`,
      didYouMean(name, names, "openclaw models alias"),
    );
  }
  const { file } = await updateConfig(options, runtime, (value) => removals(name, value));
  if (terminal.format === "json") await terminal.printJson({ alias: found.alias, model: null, file });
  else await terminal.print(`${found.alias} is no longer ${found.key}.`);
}

/**
 * Takes an alias away wherever it is in a configuration, which another program may have changed meanwhile; its entry, too,
 * where that has nothing else.
 */
function removals(name: string, value: unknown): Edit[] {
  const entries = valueAt(value, MODELS);
  return Object.entries(isRecord(entries) ? entries : {}).flatMap(([key, entry]): Edit[] => {
    if (!isRecord(entry) || textAt(entry, "alias")?.toLowerCase() !== name.toLowerCase()) return [];
    return [{ op: "unset", path: Object.keys(entry).length > 1 ? pathOf(key) : [...MODELS, key] }];
  });
}

const MODELS = ["agents", "defaults", "models"];

function pathOf(key: string): string[] {
  return [...MODELS, key, "alias"];
}

async function printAliases(aliases: readonly Alias[], { terminal }: Runtime): Promise<void> {
  if (terminal.format === "json")
    return terminal.printJson({
      count: aliases.length,
      aliases: aliases.map(({ alias, key }) => ({ alias, model: key })),
    });
  await printList(
    {
      items: aliases,
      columns: [{ title: "Name" }, { title: "Model" }],
      toCells: ({ alias, key }) => [alias, key],
      toFields: ({ alias, key }) => [alias, key],
      nothing: "No model has a name of its own; `openclaw models alias NAME MODEL` gives one.",
    },
    terminal,
  );
}
