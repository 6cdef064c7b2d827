import * as fc from "fast-check";
import { expect, it } from "vitest";
import { countHidden, countKinds } from "../../src/commands/models/list-footer.ts";
import type { FoundationModel, InferenceProfile } from "../../src/models/discovered.ts";
import { type ListInput, listModels, siftModels } from "../../src/models/list.ts";

const REGION = "us-east-1";
const arnOf = (id: string): string => `arn:aws:bedrock:${REGION}::foundation-model/${id}`;

const models = fc.uniqueArray(
  fc.record({
    vendor: fc.constantFrom("amazon", "anthropic", "meta"),
    name: fc.constantFrom("one", "two", "three", "four", "five"),
    streams: fc.boolean(),
    lifecycle: fc.constantFrom("ACTIVE", "LEGACY"),
    inferenceTypes: fc.constantFrom(["ON_DEMAND"], ["INFERENCE_PROFILE"], ["PROVISIONED"]),
    profile: fc.constantFrom("none", "active", "inactive", "application"),
  }),
  { selector: ({ vendor, name }) => `${vendor}.${name}`, maxLength: 12 },
);

/** A list as one of the command's flags and settings, and what AWS has, come to. */
const inputs = fc
  .record({
    models,
    all: fc.boolean(),
    providers: fc.subarray(["amazon", "Anthropic", "nobody"]),
    providerFilter: fc.subarray(["meta", "anthropic"]),
    search: fc.option(fc.constantFrom("one", "two", "us.", "nothing"), { nil: undefined }),
    configured: fc.subarray(["amazon.one-v1:0", "amazon.own-v1:0"]),
    servers: fc.subarray(["llama"]),
  })
  .map(({ models: listed, providerFilter, configured, servers, ...flags }): ListInput => {
    const toModel = ({ vendor, name, ...rest }: (typeof listed)[number]): FoundationModel => ({
      id: `${vendor}.${name}-v1:0`,
      arn: arnOf(`${vendor}.${name}-v1:0`),
      name,
      provider: vendor,
      input: ["TEXT"],
      output: ["TEXT"],
      streams: rest.streams,
      inferenceTypes: [...rest.inferenceTypes],
      lifecycle: rest.lifecycle,
    });
    const profiles = listed.flatMap(({ profile, ...model }): InferenceProfile[] => {
      const { id, arn, name } = toModel({ profile, ...model });
      const own = `arn:aws:bedrock:${REGION}:123456789012:inference-profile/us.${id}`;
      const isApplication = profile === "application";
      const isActive = profile !== "inactive";
      return profile === "none"
        ? []
        : [{ id: `us.${id}`, arn: own, name: `US ${name}`, isActive, isApplication, modelArns: [arn] }];
    });
    const server = { baseUrl: "http://127.0.0.1:1/v1", api: "openai-completions" as const };
    return Object.assign(flags, {
      config: {
        models: {
          providers: {
            "amazon-bedrock": { models: configured.map((id) => ({ id })) },
            ...(servers.length > 0 ? { own: { ...server, models: servers.map((id) => ({ id })) } } : {}),
          },
        },
      },
      discovered: { region: REGION, fetchedAt: 0, models: listed.map(toModel), profiles, warnings: [] },
      settings: { providerFilter, defaultContextWindow: 32_000, defaultMaxTokens: 4096 },
      defaults: { primary: undefined, fallbacks: [] },
      hasCredentials: true,
    });
  });

it("counts what is listed by its kinds, and all that is not by the flag or setting that hides it", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
      const listed = listModels(input);
      const hidden = countHidden(siftModels(input).leftOut());
      const everything = listModels({
        ...input,
        all: true,
        search: undefined,
        providers: [],
        settings: { ...input.settings, providerFilter: [] },
      });
      expect(listed.length + sum(hidden.map(({ count }) => count))).toBe(everything.length);
      expect(sum(countKinds(listed, input).map(([number]) => number))).toBe(listed.length);
      for (const { by, count, kinds } of hidden) {
        expect(count).toBeGreaterThan(0);
        if (by !== "--all") continue;
        expect(sum((kinds ?? []).map(([number]) => number))).toBe(count);
        expect(listModels({ ...input, all: true })).toHaveLength(listed.length + count);
      }
    }),
  );
});
