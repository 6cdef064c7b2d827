import { OpenclawError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$?\$\{([A-Za-z_]\w*)\}/g;

/** True when the text takes a part from the environment. */
export function hasReference(text: string): boolean {
  return [...text.matchAll(REFERENCE)].some(([match]) => !match.startsWith("$$"));
}

/** The variables a text refers to that have no value. */
export function unsetVariables(text: string, env: Environment): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([match, name = ""]) =>
    match.startsWith("$$") || env[name] !== undefined ? [] : [name],
  );
}

/**
 * Puts the values of environment variables in place of `${NAME}`; `$${NAME}` stands for the text `${NAME}` itself.
 * Throws `config-invalid` naming a variable that is not set; `place` says which setting asks for it.
 */
export function expandEnv(text: string, env: Environment, place?: string): string {
  return text.replace(REFERENCE, (match, name: string) => {
    if (match.startsWith("$$")) return match.slice(1);
    const value = env[name];
    if (value === undefined) {
      throw new OpenclawError("config-invalid", {
        message: `The environment variable ${name} is not set${place ? `; ${place} takes its value` : ", but the configuration takes a value from it"}.`,
        hint: `export ${name}=…`,
        details: { variable: name, ...(place ? { path: place } : {}) },
      });
    }
    return value;
  });
}
