import type { Configuration, ModelParameters } from "../config/settings.ts";
import { shorten, usageError } from "../errors.ts";
import { didYouMean } from "../models/nearest.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

export type Template = NonNullable<Configuration["templates"]>[string];

export interface FilledTemplate {
  /** The question for what was typed and piped, which may be nothing. Throws `usage` where the template needs a text. */
  ask(input: string): string;
  system(input: string): string | undefined;
  model: string | undefined;
  params: ModelParameters;
  /** The tools that the model may call, and the MCP servers whose tools it may, by name. */
  tools: readonly string[];
  mcpServers: readonly string[];
  /** Whether it is a question by itself, or makes one of a text: then there is no conversation to begin. */
  isQuestion: boolean;
}

/** `$$`, `${name}` and `$name`; a $ before anything else is one. */
const PLACEHOLDER = /\$(?:(\$)|\{([^{}]*)\}|([\p{L}_][\p{L}\p{N}_]*))/gu;
/** The placeholder of what is typed and piped. */
const INPUT = "input";

/** The names of the parameters in the texts of a template, in their order. */
export function parametersOfTemplate({ prompt = "", system = "" }: Template): string[] {
  return [...new Set(placeholdersIn(`${prompt}\n${system}`))].filter((name) => name !== INPUT);
}

function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].flatMap(([, , braced, plain]) => braced?.trim() ?? plain ?? []);
}

/** The template of a name. Throws `usage` with the nearest name for one that is not there. */
export function findTemplate(name: string, config: Configuration): Template {
  const templates = config.templates ?? {};
  const found = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (found) return found;
  const names = Object.keys(templates);
  const otherwise =
    names.length > 0 ? "openclaw templates list" : `Make it: openclaw templates edit ${quoteForShell(name)}`;
  throw usageError(`There is no template '${shorten(name)}'.`, didYouMean(name, names, otherwise));
}

/**
 * Fills a template with the parameters that are given, as `name=value`, else with its defaults. Throws `usage` for a
 * parameter that is missing, that is not one, or that is given twice.
 */
export function fillTemplate(
  name: string,
  template: Template,
  given: readonly string[] = [],
): FilledTemplate {
  const wanted = parametersOfTemplate(template);
  const values = readParameters(name, given, wanted, template.defaults ?? {});
  const missing = wanted.filter((parameter) => !values.has(parameter));
  if (missing.length > 0) {
    const all = [...given, ...missing.map((parameter) => `${parameter}=VALUE`)];
    const flags = all.map((parameter) => `-p ${quoteForShell(parameter)}`).join(" ");
    throw usageError(
      `Template '${name}' needs a value for ${missing.join(" and ")}.`,
      `openclaw chat -t ${quoteForShell(name)} ${flags}`,
    );
  }
  const { prompt, system, model, params = {}, tools = [], mcpServers = [] } = template;
  const fill = (text: string, input: string): string =>
    text.replace(PLACEHOLDER, (match, dollar?: string, braced?: string, plain?: string) => {
      if (dollar !== undefined) return "$";
      const parameter = braced?.trim() ?? plain ?? "";
      return parameter === INPUT ? input : (values.get(parameter) ?? match);
    });
  const takesInput = placeholdersIn(`${prompt ?? ""}\n${system ?? ""}`).includes(INPUT);
  return {
    ask: (input) => {
      if (takesInput && input === "")
        throw usageError(
          `Template '${name}' takes a text for $input, and there is none.`,
          `openclaw chat -t ${quoteForShell(name)} "TEXT"`,
        );
      if (prompt === undefined) return input;
      const question = fill(prompt, input);
      const isWhole = placeholdersIn(prompt).includes(INPUT) || input === "";
      return isWhole ? question : `${question}\n\n${input}`;
    },
    system: (input) => (system === undefined ? undefined : fill(system, input)),
    model,
    params,
    tools,
    mcpServers,
    isQuestion: prompt !== undefined || takesInput,
  };
}

function readParameters(
  template: string,
  given: readonly string[],
  wanted: readonly string[],
  defaults: Readonly<Record<string, string>>,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const text of given) {
    const equals = text.indexOf("=");
    if (equals <= 0) throw usageError(`--param '${shorten(text)}' is not NAME=VALUE.`, "--param lang=de");
    const name = text.slice(0, equals).trim();
    if (name === INPUT) throw usageError("--param input is the prompt itself.", "Type it, or pipe it in.");
    if (!wanted.includes(name)) throw unknownParameter(template, name, wanted);
    if (values.has(name)) throw usageError(`--param ${name} is given twice.`, "Leave one of them out.");
    values.set(name, text.slice(equals + 1));
  }
  for (const [name, value] of Object.entries(defaults)) if (!values.has(name)) values.set(name, value);
  return values;
}

function unknownParameter(template: string, name: string, wanted: readonly string[]): Error {
  const otherwise = wanted.length > 0 ? `It has: ${wanted.join(", ")}` : "It has none: leave --param out.";
  return usageError(
    `Template '${template}' has no parameter '${shorten(name)}'.`,
    didYouMean(name, wanted, otherwise),
  );
}
