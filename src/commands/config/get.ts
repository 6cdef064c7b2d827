import { maskedAt, notSet } from "../../config/edit-value.ts";
import {
  type EffectiveRegion,
  type EffectiveSetting,
  effectiveSettings,
  placeInForce,
} from "../../config/effective.ts";
import { locateConfig, missingFile, readConfigText } from "../../config/file.ts";
import { findSetting } from "../../config/find-setting.ts";
import { nearestSetting, notASetting, SEE_SETTINGS } from "../../config/nearest-setting.ts";
import { parseDocument } from "../../config/parse-document.ts";
import { formatPath, parsePath, type Path } from "../../config/path.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { loadConfig, type LoadedConfig } from "../../config/resolve.ts";
import type { OpenclawError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { layoutTable } from "../../terminal/table.ts";

export interface GetOptions extends GlobalOptions {
  path?: string;
  effective?: boolean;
}

/**
 * Prints a value of the configuration file, secrets masked: a scalar bare, an object or list as JSON, without a path
 * the whole file. Throws `config-not-set` naming the default, or the nearest path when the one given is no setting.
 */
export async function run(options: GetOptions, runtime: Runtime): Promise<void> {
  const path = options.path === undefined ? [] : parsePath(options.path);
  if (options.effective) return printEffective(path, options, runtime);
  // Not validated: who mends a wrong value wants to see it first.
  const value = maskedAt(await readValue(options, runtime), path);
  if (value === undefined) throw absent(path);
  await printValue(value, runtime);
}

async function readValue(options: GetOptions, runtime: Runtime): Promise<unknown> {
  const location = locateConfig(options, runtime);
  const text = await readConfigText(location.file);
  if (text === undefined && location.source === "--config") throw missingFile(location);
  return parseDocument(text ?? "", location.file);
}

async function printValue(value: unknown, { terminal }: Runtime): Promise<void> {
  if (terminal.format === "json") return terminal.printJson(value);
  if (typeof value === "object") return terminal.printDocument(value);
  await terminal.print(String(value));
}

async function printEffective(path: Path, options: GetOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const config = await loadConfig(options, runtime);
  const settings = effectiveSettings(config.value, path, await effectiveRegion(options, runtime, config));
  const [first] = settings;
  const isSingle = path.length > 0 && first?.path.length === path.length;
  if (first === undefined && path.length > 0) throw absent(path);
  if (terminal.format === "json") {
    return terminal.printJson(isSingle && first ? toDocument(first) : { settings: settings.map(toDocument) });
  }
  if (terminal.isStdoutTTY) {
    const style = await terminal.stdoutStyle();
    // Values come last: the long ones then wrap without moving the rest.
    const columns = [{ title: "setting" }, { title: "source" }, { title: "value", wraps: true }];
    const rows = settings.map((setting) => [
      formatPath(setting.path),
      { text: setting.source, look: style.dim },
      showValue(setting),
    ]);
    for (const line of layoutTable(columns, rows, terminal.columns, style.dim)) await terminal.print(line);
    return;
  }
  for (const setting of settings) {
    const fields = [showValue(setting), setting.source];
    await terminal.print((isSingle ? fields : [formatPath(setting.path), ...fields]).join("\t"));
  }
}

/** The region discovery would use, asking the instance metadata service only where nothing nearer names one. */
async function effectiveRegion(
  options: GlobalOptions,
  runtime: Runtime,
  config: LoadedConfig,
): Promise<EffectiveRegion> {
  const { openSession, readSetup, regionWithoutAsking } = await import("../../session/session.ts");
  const setup = await readSetup(options, runtime, config);
  const known = regionWithoutAsking(setup, { kind: "discovery" });
  if (known) return known;
  const session = await openSession(setup, { kind: "discovery" });
  session.close();
  return session.region;
}

function toDocument({ path, value, source, defaultText }: EffectiveSetting): Record<string, unknown> {
  return { path: formatPath(path), value, source, default: defaultText };
}

function showValue({ value, defaultText }: EffectiveSetting): string {
  if (defaultText !== undefined) return defaultText;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function absent(path: Path): OpenclawError {
  const found = findSetting(path);
  if (found === undefined) {
    const nearest = nearestSetting(path);
    return notSet(path, {
      message: `, and ${notASetting(nearest)}`,
      hint: nearest === undefined ? SEE_SETTINGS : `openclaw config get ${quoteForShell(nearest)}`,
    });
  }
  const fallback =
    found.field?.default === undefined ? found.field?.defaultText : JSON.stringify(found.field.default);
  return notSet(path, {
    message: fallback === undefined ? "." : `; its default is ${fallback}.`,
    hint:
      fallback === undefined
        ? `openclaw config set ${quoteForShell(formatPath(path))} VALUE`
        : `openclaw config get --effective ${quoteForShell(formatPath(placeInForce(path)))}`,
  });
}
