import {
  type ChatParameters,
  collectParameters,
  type FlagGroup,
  PARAMETER_ROWS,
  type PARAMETERS,
  type ParameterName,
  type ParameterValue,
} from "../config/parameters.ts";
import type { Kind } from "../config/setting-kinds.ts";
import { type Flag, flag, readFlag } from "./declaration.ts";
import { integerFlag, numberFlag, repeatable } from "./flag-values.ts";

/** What the flags of the parameters come to, by the names of their options. */
export type ParameterOptions = {
  [Name in ParameterName as OptionName<(typeof PARAMETERS)[Name]["flag"]>]?: ParameterValue<Name>;
};

/** The option's name, as `readFlag` reads it: `maxTokens` of `--max-tokens <tokens>`. */
type OptionName<Notation extends string> = Notation extends `--${infer Name} <${string}>`
  ? CamelCase<Name>
  : never;
type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** The flags of the parameters of one group. */
export function parameterFlags(group: FlagGroup): Flag[] {
  return PARAMETER_ROWS.filter(([, row]) => row.group === group).map(([, row]) =>
    flag(row.flag, row.help, valueOf(row.setting.type)),
  );
}

/** The parameters that were given as flags. */
export function parametersOf(options: ParameterOptions): ChatParameters {
  return collectParameters(
    (_, row) => options[readFlag(flag(row.flag, row.help)).option as keyof ParameterOptions],
  );
}

function valueOf(kind: Kind): Flag["parse"] | readonly string[] {
  switch (kind.kind) {
    case "integer":
      return integerFlag(kind.minimum, kind.maximum);
    case "number":
      return numberFlag(kind.minimum, kind.maximum);
    case "choice":
      return kind.values;
    case "list":
      return repeatable;
    default:
      return undefined;
  }
}
