import { usageError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { nearestIds } from "./nearest.ts";

/**
 * The fields of Anthropic's use-case form, the most characters of each, and what goes there:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html#model-access-modify
 */
const FIELDS: Readonly<Record<string, { most: number; says: string; isOptional?: true }>> = {
  companyName: { most: 128, says: "<name of the company>" },
  companyWebsite: { most: 128, says: "<https://its.website.example>" },
  intendedUsers: { most: 1, says: "<0: internal, 1: external, 2: both>" },
  industryOption: { most: 128, says: "<industry, such as Education or Software>" },
  otherIndustryOption: { most: 128, says: "", isOptional: true },
  useCases: { most: 8192, says: "<what the models are used for>" },
};

export type UseCaseForm = Readonly<Record<string, string>>;

/** The form to fill in. */
export function formTemplate(): UseCaseForm {
  return Object.fromEntries(Object.entries(FIELDS).map(([name, { says }]) => [name, says]));
}

/**
 * Reads a form that was filled in, JSON. `label` names it. Throws `usage` for what AWS would refuse: other fields, too long
 * a text, one that is left as the template has it.
 */
export function readForm(text: string, label: string): UseCaseForm {
  const form = parse(text, label);
  const names = Object.keys(FIELDS);
  for (const name of Object.keys(form)) {
    if (Object.hasOwn(FIELDS, name)) continue;
    const [nearest] = nearestIds(name, names);
    throw refused(`${label} has '${name}', which is no field of the form`, nearest ?? names.join(", "));
  }
  return Object.fromEntries(names.map((name) => [name, fieldOf(form, name, label)]));
}

function parse(text: string, label: string): Record<string, unknown> {
  let form: unknown;
  try {
    form = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refused(`${label} is no JSON: ${error.message}`);
  }
  if (!isRecord(form)) throw refused(`${label} is no JSON object`);
  return form;
}

function fieldOf(form: Readonly<Record<string, unknown>>, name: string, label: string): string {
  const { most, says, isOptional } = FIELDS[name] ?? { most: 0, says: "" };
  // A number is what people write for one, and AWS takes its text only.
  const given = typeof form[name] === "number" ? String(form[name]) : (form[name] ?? "");
  if (typeof given !== "string") throw refused(`'${name}' in ${label} is no text`);
  const value = given.trim();
  if (name === "intendedUsers" && !/^[012]$/.test(value))
    throw refused(`'${name}' in ${label} is '${value}'`, "0 (internal), 1 (external) or 2 (both)");
  if (value === says && !isOptional) throw refused(`'${name}' in ${label} is not filled in`);
  if (value === "" && !isOptional) throw refused(`'${name}' in ${label} is empty`);
  if (value.length > most)
    throw refused(`'${name}' in ${label} has ${value.length} characters`, `at most ${most}`);
  return value;
}

function refused(what: string, takes?: string): Error {
  return usageError(
    `${what}.`,
    takes === undefined
      ? "The form to fill in: openclaw models access MODEL --form-template"
      : `It takes ${takes}. The whole form: openclaw models access MODEL --form-template`,
  );
}
