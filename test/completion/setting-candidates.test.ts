import { describe, expect, it } from "vitest";
import type { SettingUse } from "../../src/completion/value-kinds.ts";
import { settingCandidates, settingValues } from "../../src/completion/setting-candidates.ts";
import { valueAt } from "../../src/config/edit-value.ts";
import { childrenOf, findSetting } from "../../src/config/find-setting.ts";
import { parsePath } from "../../src/config/path.ts";
import { SETTINGS } from "../../src/config/settings.ts";

const KEY = "amazon-bedrock/us.amazon.nova-lite-v1:0";
/** A user's file, with settings of another program and a key that no path can hold. */
const value = {
  models: {
    bedrockDiscovery: { region: "us-east-1", providerFilter: ["amazon"] },
    providers: {
      "my-proxy": {
        baseUrl: "http://127.0.0.1:1",
        headers: { "X-Team": "a" },
        models: [{ id: "a" }, { id: "b" }],
      },
    },
  },
  agents: { defaults: { model: "opus", models: { [KEY]: { alias: "lite" } } } },
  otherProgram: { setting: 1, "two words": { deep: true } },
};
const input = (use: SettingUse) => ({
  use,
  value,
  modelKeys: [KEY, "x/plain"],
  regions: ["us-east-1", "eu-west-1"],
});
const offered = (text: string, use: SettingUse): string[] =>
  settingCandidates(text, input(use)).map((candidate) => candidate.value);
/** As bash does. */
const fitting = (text: string, use: SettingUse): string[] =>
  offered(text, use).filter((path) => path.startsWith(text));

/** The table's own settings at a place; a group has the dot that leads on, unless only the person knows its keys. */
const settingsAt = (...place: string[]): string[] =>
  childrenOf(findSetting(place)?.kind ?? SETTINGS).map(
    ({ key, kind }) =>
      [...place, key].join(".") +
      (childrenOf(kind).some((child) => child.key !== "<name>" && child.key !== "[]") ? "." : ""),
  );

describe("the paths that are offered", () => {
  it.each<[text: string, use: SettingUse, expected: string[]]>([
    ["", "set", settingsAt()],
    ["", "get", [...settingsAt(), "otherProgram."]],
    ["", "unset", ["models.", "agents.", "otherProgram."]],
    ["mod", "set", ["models."]],
    ["models.", "get", settingsAt("models")],
    [
      "models.bedrockDiscovery.re",
      "set",
      ["models.bedrockDiscovery.region", "models.bedrockDiscovery.refreshInterval"],
    ],
    [
      "models.bedrockDiscovery.",
      "unset",
      ["models.bedrockDiscovery.region", "models.bedrockDiscovery.providerFilter["],
    ],
    [
      "models.providers.",
      "set",
      [
        "models.providers.amazon-bedrock.",
        "models.providers.amazon-bedrock-mantle.",
        "models.providers.my-proxy.",
      ],
    ],
    ["models.providers.", "unset", ["models.providers.my-proxy."]],
    // One more than there are, for what is added.
    [
      "models.providers.my-proxy.models[",
      "set",
      [0, 1, 2].map((at) => `models.providers.my-proxy.models[${at}].`),
    ],
    [
      "models.providers.my-proxy.models[",
      "get",
      [0, 1].map((at) => `models.providers.my-proxy.models[${at}].`),
    ],
    ["models.providers.my-proxy.models[1]", "unset", ["models.providers.my-proxy.models[1].id"]],
    ["models.providers.my-proxy.headers", "set", ["models.providers.my-proxy.headers."]],
    ["models.providers.my-proxy.headers.", "set", ["models.providers.my-proxy.headers.X-Team"]],
    [
      "models.bedrockDiscovery.providerFilter",
      "set",
      ["models.bedrockDiscovery.providerFilter", "models.bedrockDiscovery.providerFilter["],
    ],
    // A value and a branch.
    [
      "agents.defaults.model",
      "set",
      ["agents.defaults.model", "agents.defaults.model.", "agents.defaults.models["],
    ],
    [
      "agents.defaults.models[",
      "set",
      [`agents.defaults.models[${KEY}].`, "agents.defaults.models[x/plain]."],
    ],
    ["agents.defaults.models[amazon", "get", [`agents.defaults.models[${KEY}].`]],
    ['agents.defaults.models["amazon', "get", [`agents.defaults.models["${KEY}"].`]],
    ["agents.defaults.models['amazon", "get", [`agents.defaults.models['${KEY}'].`]],
    [`agents.defaults.models["${KEY}"].al`, "get", [`agents.defaults.models["${KEY}"].alias`]],
    [`agents.defaults.models[${KEY}].params.rea`, "set", [`agents.defaults.models[${KEY}].params.reasoning`]],
    ["otherProgram.", "get", ["otherProgram.setting"]],
    ["otherProgram[", "unset", ["otherProgram[setting]", 'otherProgram["two words"].']],
    ["otherProgram.", "set", []],
    ["nonsense.", "set", []],
    ["models..", "set", []],
    ["models.bedrockDiscovery.region.", "set", []],
    ["__proto__.", "set", []],
  ])("after %j to %s", (text, use, expected) => {
    expect(fitting(text, use)).toEqual(expected);
  });

  it("are all paths that the command takes, level by level to the end", () => {
    for (const use of ["get", "set", "unset"] as const) {
      const waiting = [""];
      let count = 0;
      for (const text of waiting) {
        for (const candidate of settingCandidates(text, input(use))) {
          if (!candidate.value.startsWith(text) || candidate.value === text) continue;
          if (candidate.isBranch) {
            waiting.push(candidate.value);
            continue;
          }
          count += 1;
          const path = parsePath(candidate.value);
          if (use === "set") expect(findSetting(path), candidate.value).toBeDefined();
          if (use === "unset") expect(valueAt(value, path), candidate.value).toBeDefined();
        }
        expect(waiting.length).toBeLessThan(500);
      }
      expect(count).toBeGreaterThan(use === "unset" ? 8 : 40);
    }
  });
});

describe("the values that are offered", () => {
  it.each<[path: string, expected: string[]]>([
    ["models.bedrockDiscovery.enabled", ["true", "false"]],
    ["models.bedrockDiscovery.region", ["us-east-1", "eu-west-1"]],
    ["models.bedrockDiscovery.refreshInterval", []],
    ["models.providers.x.auth", ["aws-sdk", "api-key", "none"]],
    ["agents.defaults.params.cache", ["off", "5m", "1h"]],
    ["agents.defaults.model", [KEY, "x/plain"]],
    ["agents.defaults.model.primary", [KEY, "x/plain"]],
    ["agents.defaults.model.fallbacks[0]", [KEY, "x/plain"]],
    ["nonsense", []],
    ["models..", []],
  ])("for %s", (path, expected) => {
    expect(settingValues(path, input("set")).map((candidate) => candidate.value)).toEqual(expected);
  });
});
