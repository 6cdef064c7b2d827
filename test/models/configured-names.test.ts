import { describe, expect, it } from "vitest";
import { childrenOf } from "../../src/config/find-setting.ts";
import { type Configuration, SETTINGS } from "../../src/config/settings.ts";
import { isAlias, keyOf, resolveModel } from "../../src/models/resolve-model.ts";

const configOf = (
  models: Record<string, { alias?: string }>,
  own: { id: string; name?: string }[] = [],
): Configuration =>
  ({
    agents: { defaults: { models } },
    models: { providers: { vendor: { baseUrl: "http://localhost:1/v1", models: own } } },
  }) as unknown as Configuration;

describe("the names of a configuration", () => {
  it("are aliases as they are written first, then in any case, the first of several", () => {
    const config = configOf({
      "v/a": { alias: "Fast" },
      "v/b": { alias: "fast" },
      "v/c": { alias: "fast" },
      "v/d": {},
    });
    expect(["Fast", "fast", "FAST"].map((name) => keyOf(name, config))).toEqual(["v/a", "v/b", "v/a"]);
    expect(["FAST", "slow"].map((name) => isAlias(name, config))).toEqual([true, false]);
  });

  it("are the ids and names of models in any spelling, where one model has them only", () => {
    const twice = [
      { id: "my-model", name: "One" },
      { id: "my-model", name: "Two" },
      { id: "other", name: "one too" },
      { id: "another", name: "One Too" },
    ];
    const config = configOf({}, twice);
    const keys = ["My Model", "two", "ONE", "one too"].map((name) => resolveModel(name, config).key);
    expect(keys).toEqual(["vendor/my-model", "vendor/my-model", "vendor/my-model", "amazon-bedrock/one too"]);
    expect(resolveModel("vendor/my-model", config).configured).toBe(twice[0]);
  });

  it("are looked through once, however often somebody asks for one", () => {
    let looks = 0;
    const models = Array.from({ length: 100 }, (_, index) => ({
      get id() {
        looks += 1;
        return `model-${index}`;
      },
    }));
    const config = configOf({}, models);
    for (let time = 0; time < 100; time += 1) resolveModel(`model ${time}`, config);
    expect(looks).toBeLessThan(2000);
  });
});

it("has what the table of settings has below a place made once", () => {
  expect(childrenOf(SETTINGS)).toBe(childrenOf(SETTINGS));
});
