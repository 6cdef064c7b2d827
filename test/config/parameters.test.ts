import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { findSlashCommand } from "../../src/chat/interactive/slash-commands.ts";
import { parametersOf, type ParameterOptions } from "../../src/command-line/parameter-flags.ts";
import { readPlainCall } from "../../src/command-line/plain-call.ts";
import { exampleFor } from "../../src/config/example.ts";
import { findSetting } from "../../src/config/find-setting.ts";
import {
  type ChatParameters,
  choicesOf,
  flagName,
  type Parameter,
  PARAMETER_ROWS,
  type ParameterName,
} from "../../src/config/parameters.ts";
import type { Configuration } from "../../src/config/settings.ts";
import { validate } from "../../src/config/validate.ts";
import { planRequest } from "../../src/converse/plan-request.ts";
import { buildRequest, mergeParameters, userMessage } from "../../src/converse/request.ts";
import { PROGRAM } from "../../src/program.ts";
import { fromChatRequest } from "../../src/serve/dialects/chat-completions/from-chat-request.ts";

/** Three values of a parameter, all different. */
function samplesOf({ setting: { type } }: Parameter): [unknown, unknown, unknown] {
  switch (type.kind) {
    case "integer":
      return [2000, 3000, 4000];
    case "number":
      return [0.25, 0.5, 0.75];
    case "list":
      return [["END"], ["STOP", "HALT"], ["."]];
    case "choice":
      // Two where there are no more: the last one then differs from the one before.
      return [type.values.at(-1), type.values[0], type.values.at(-1)];
    default:
      throw new Error(`Say here what ${type.kind} may be`);
  }
}

/** A parameter as the only one. */
const only = (name: ParameterName, value: unknown): ChatParameters => ({ [name]: value });

/** A configuration with one value for every model, and one for the model `m`. */
const configured = (name: ParameterName, general: unknown, own?: unknown): Configuration => {
  const models = own === undefined ? {} : { models: { "amazon-bedrock/m": { params: { [name]: own } } } };
  return { agents: { defaults: { params: { [name]: general }, ...models } } };
};

const read = (...names: string[]): string =>
  readFileSync(path.join(import.meta.dirname, "../../docs", ...names), "utf8");

const KEYS = ["m", "amazon-bedrock/m"];

describe.each(PARAMETER_ROWS)("the parameter %s", (name, row) => {
  const [sample, second, third] = samplesOf(row);

  it("has a flag of chat that takes what the setting takes", () => {
    const words = [sample].flat().flatMap((value) => [`--${flagName(name)}`, String(value)]);
    const call = readPlainCall(PROGRAM, ["chat", ...words, "hi"]);
    expect(parametersOf(call?.options as ParameterOptions)).toEqual(only(name, sample));
  });

  it("has a setting for every model and one for each", () => {
    for (const place of [
      ["agents", "defaults", "params", name],
      ["agents", "defaults", "models", "any", "params", name],
    ])
      expect(findSetting(place)?.field).toBe(row.setting);
    expect(validate(configured(name, sample, second))).toEqual([]);
    expect(validate(configured(name, { no: "such value" }))).toHaveLength(1);
    expect(exampleFor({ kind: row.setting.type, field: row.setting })).not.toBe("");
  });

  it("is taken from the flag, then from the model's setting, then from the general one", () => {
    expect(mergeParameters({}, configured(name, sample), KEYS)).toEqual(only(name, sample));
    expect(mergeParameters({}, configured(name, sample, second), KEYS)).toEqual(only(name, second));
    expect(mergeParameters(only(name, third), configured(name, sample, second), KEYS)).toEqual(
      only(name, third),
    );
    expect(mergeParameters(only(name, undefined), {}, KEYS)).toEqual({});
  });

  it("stands in Converse's request, and nothing of it where it is not set", async () => {
    const messages = [userMessage("hi")];
    const plain = buildRequest({ modelId: "m", messages, parameters: {} });
    expect(plain).toEqual({ modelId: "m", messages });
    if (row.converse !== "by-family") {
      const [object, field] = row.converse;
      const request = buildRequest({ modelId: "m", messages, parameters: only(name, sample) });
      expect(request).toEqual({ ...plain, [object]: { [field]: sample } });
      return;
    }
    const id = "anthropic.claude-sonnet-4-6";
    const model = { key: `amazon-bedrock/${id}`, id, provider: "amazon-bedrock", configured: undefined };
    const plan = async (parameters: ChatParameters) =>
      (await planRequest({ model, messages, parameters } as never, id, {}, undefined)).input;
    expect(await plan(only(name, sample))).not.toEqual(await plan({}));
  });

  it("is read from each of its fields of a chat completion, in that API's words", async () => {
    const { fields = [], words } = row.completion ?? {};
    const pairs = words
      ? Object.entries(words)
      : [[sample, sample] as const, ...(Array.isArray(sample) ? [[sample[0], sample] as const] : [])];
    for (const field of fields) {
      for (const [word, expected] of pairs) {
        const request = { model: "m", messages: [{ role: "user", content: "hi" }], [field]: word };
        const { ask } = await fromChatRequest(request, undefined);
        expect(ask.parameters).toEqual(expected === undefined ? {} : only(name, expected));
      }
      const wrong = { model: "m", messages: [{ role: "user", content: "hi" }], [field]: { no: "value" } };
      await expect(fromChatRequest(wrong, undefined)).rejects.toMatchObject({ details: { param: field } });
    }
  });

  it("is documented with its setting and its flag", () => {
    expect(read("settings.md")).toContain(`\`agents.defaults.params.${name}\``);
    expect(read("commands", "chat.md")).toContain(`--${flagName(name)} `);
  });

  it("has a command in a conversation that names what it takes, where it has one", () => {
    if (!row.slashCommand) return;
    const { command } = findSlashCommand(`/${name}`) ?? {};
    expect(command?.says).toContain(choicesOf(row).join(", "));
    expect(choicesOf(row).length).toBeGreaterThan(1);
  });
});
