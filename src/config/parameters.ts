import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import type { ChatCompletionCreateParamsBase } from "openai/resources/chat/completions/completions";
import { choice, type Field, field, integer, list, number, string } from "./setting-kinds.ts";

/*
 * What a call may ask for beyond its messages, a row a parameter. Settings, the flags of `chat`, what of both is in
 * force, Converse's request, what `serve` reads of a chat completion and the documentation all come from here.
 */

/** The levels of reasoning in order of strength. */
export const REASONING_LEVELS = ["off", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** A parameter whose values are `T`. */
export interface Parameter<T = unknown, Notation extends string = string> {
  /** The entry of `agents.defaults.params` and `agents.defaults.models.<key>.params`. A flag takes what the setting takes. */
  setting: Field<T>;
  flag: Notation;
  /** What the flag does, as the help of `chat` has it, and the flags that it stands with there. */
  help: string;
  group: FlagGroup;
  /** Where Converse's request has it; what is sent for it may instead depend on the family of the model. */
  converse: readonly [ConverseObject, string] | "by-family";
  /** What carries it in a chat completion: the newest field first, and of one that takes a few words what each means here. */
  completion?: {
    fields: readonly CompletionField[];
    words?: Readonly<Record<string, NoInfer<T> | undefined>>;
  };
  /** Its name in a notice, when only Amazon Bedrock has it. */
  onlyBedrock?: string;
  /** Its command in a conversation at a terminal; one that takes a choice of words. */
  slashCommand?: {
    argument: string;
    /** What a word that is none of them is not: `level of reasoning`. */
    noun: string;
    /** What holds while it is not set. */
    unset: string;
  };
}

/** The fields of OpenAI's API, and those that other servers of it take besides and clients send. */
export type CompletionField = keyof ChatCompletionCreateParamsBase | "top_k";

export type FlagGroup = "length and sampling" | "reasoning" | "cache" | "service";

/** The objects in Converse's request that hold parameters. */
type ConverseObject = "inferenceConfig" | "serviceTier" | "performanceConfig";
type FieldsOf<O extends ConverseObject> = Required<NonNullable<ConverseStreamCommandInput[O]>>;

/** Those of their fields that take a `T`. */
type PlaceOf<T> = {
  [O in ConverseObject]: {
    [F in keyof FieldsOf<O>]: T extends FieldsOf<O>[F] ? readonly [O, F] : never;
  }[keyof FieldsOf<O>];
}[ConverseObject];

const parameter = <T, const Notation extends string>(
  row: Parameter<T, Notation> & { converse: PlaceOf<NoInfer<T>> | "by-family" },
): Parameter<T, Notation> => row;

/** Every parameter by its name, in the order in which the help names their flags and Converse's request has them. */
export const PARAMETERS = {
  maxTokens: parameter({
    setting: field(integer(1, "tokens"), "Most tokens to put out."),
    flag: "--max-tokens <tokens>",
    help: "most tokens to put out",
    group: "length and sampling",
    converse: ["inferenceConfig", "maxTokens"],
    completion: { fields: ["max_completion_tokens", "max_tokens"] },
  }),
  temperature: parameter({
    setting: field(number({ minimum: 0, maximum: 2 }), "Sampling temperature. Converse takes at most 1."),
    flag: "--temperature <number>",
    help: "sampling temperature, 0 to 2; Converse takes at most 1",
    group: "length and sampling",
    converse: ["inferenceConfig", "temperature"],
    completion: { fields: ["temperature"] },
  }),
  topP: parameter({
    setting: field(
      number({ minimum: 0, maximum: 1 }),
      "Nucleus sampling: the share of probability to choose from.",
    ),
    flag: "--top-p <number>",
    help: "nucleus sampling, 0 to 1",
    group: "length and sampling",
    converse: ["inferenceConfig", "topP"],
    completion: { fields: ["top_p"] },
  }),
  topK: parameter({
    setting: field(integer(1, "tokens"), "How many of the likeliest tokens to choose from."),
    flag: "--top-k <number>",
    help: "choose from so many of the likeliest tokens",
    group: "length and sampling",
    converse: "by-family",
    completion: { fields: ["top_k"] },
  }),
  stopSequences: parameter({
    setting: field(list(string), "Texts that end the answer."),
    flag: "--stop <text>",
    help: "text that ends the answer (repeatable)",
    group: "length and sampling",
    converse: ["inferenceConfig", "stopSequences"],
    completion: { fields: ["stop"] },
  }),
  reasoning: parameter({
    setting: field(choice(...REASONING_LEVELS), "How much the model reasons."),
    flag: "--reasoning <level>",
    help: "how much the model reasons",
    group: "reasoning",
    converse: "by-family",
    completion: {
      fields: ["reasoning_effort"],
      words: {
        none: "off",
        minimal: "minimal",
        low: "low",
        medium: "medium",
        high: "high",
        xhigh: "xhigh",
        max: "max",
      },
    },
    slashCommand: { argument: "[LEVEL]", noun: "level of reasoning", unset: "as the model does by itself" },
  }),
  cache: parameter({
    setting: field(choice("off", "5m", "1h"), "Prompt caching, by time to live."),
    flag: "--cache <time>",
    help: "cache the prompt for this long",
    group: "cache",
    converse: "by-family",
    onlyBedrock: "the prompt cache",
  }),
  serviceTier: parameter({
    setting: field(choice("default", "priority", "flex", "reserved"), "Bedrock service tier."),
    flag: "--service-tier <tier>",
    help: "Bedrock service tier",
    group: "service",
    converse: ["serviceTier", "type"],
    // `auto` leaves it to the server's configuration; `scale` and `fast` are OpenAI's alone.
    completion: {
      fields: ["service_tier"],
      words: { auto: undefined, default: "default", flex: "flex", priority: "priority" },
    },
    onlyBedrock: "the service tier",
  }),
  latency: parameter({
    setting: field(choice("standard", "optimized"), "Bedrock latency mode."),
    flag: "--latency <mode>",
    help: "Bedrock latency mode",
    group: "service",
    converse: ["performanceConfig", "latency"],
    onlyBedrock: "the latency mode",
  }),
};

export type ParameterName = keyof typeof PARAMETERS;

export type ParameterValue<Name extends ParameterName> =
  (typeof PARAMETERS)[Name] extends Parameter<infer T> ? T : never;

/** What a call asks for. Undefined means: do not send it. */
export type ChatParameters = { [Name in ParameterName]?: Readonly<ParameterValue<Name>> | undefined };

export const PARAMETER_ROWS = Object.entries(PARAMETERS) as [ParameterName, Parameter][];

/** The settings of the parameters. */
export const PARAMETER_FIELDS = Object.fromEntries(
  PARAMETER_ROWS.map(([name, { setting }]) => [name, setting]),
) as { [Name in ParameterName]: (typeof PARAMETERS)[Name]["setting"] };

/** The parameters that `read` finds a value for; it has to give each one a value that the parameter takes. */
export function collectParameters(read: (name: ParameterName, row: Parameter) => unknown): ChatParameters {
  const found = PARAMETER_ROWS.map(([name, row]) => [name, read(name, row)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

/** The words that a parameter takes; empty where it takes others than a few. */
export function choicesOf({ setting }: Parameter): readonly string[] {
  return setting.type.kind === "choice" ? setting.type.values : [];
}

/** What the one who asks calls a parameter: a person by its flag, a program by its field. */
export type ParameterNames = (name: ParameterName) => string;

/** The flag of a parameter, without its dashes: `max-tokens`. */
export function flagName(name: ParameterName): string {
  return /^--(\S+)/.exec(PARAMETERS[name].flag)?.[1] ?? name;
}
