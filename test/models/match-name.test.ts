import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Configuration } from "../../src/config/settings.ts";
import { MODELS, PROFILES } from "../../src/emulator/models.ts";
import type { Discovered, FoundationModel } from "../../src/models/discovered.ts";
import {
  matchName,
  type Nameable,
  type NameMatch,
  successorOf,
  suggestIds,
} from "../../src/models/match-name.ts";
import { withoutPrefix } from "../../src/models/base-model-id.ts";
import { callableId, streamsText } from "../../src/models/callable.ts";
import { catalogIds, lookUpCatalog } from "../../src/models/catalog.ts";
import { listedBase } from "../../src/models/listed-id.ts";
import { isComplete, namedModel } from "../../src/models/resolve-model.ts";

/** What the emulator lists in a region, and models that are not among its own. */
function listIn(region: string, ...more: Partial<Discovered["models"][number]>[]): Discovered {
  const shape = {
    arn: "",
    input: ["TEXT"],
    output: ["TEXT"],
    streams: true,
    lifecycle: "ACTIVE",
    provider: "Anthropic",
  };
  const profiles = PROFILES.filter(({ sourceRegions }) =>
    sourceRegions.some((prefix) => region.startsWith(prefix)),
  );
  return {
    region,
    fetchedAt: 0,
    warnings: [],
    models: [
      ...MODELS.map((model) => ({
        id: model.modelId,
        arn: "",
        name: model.modelName,
        provider: model.providerName,
        input: [...model.inputModalities],
        output: [...model.outputModalities],
        streams: model.responseStreamingSupported,
        inferenceTypes: [...model.inferenceTypesSupported],
        lifecycle: model.modelLifecycle.status,
      })),
      ...more.map((model) =>
        Object.assign({ id: "", name: "", inferenceTypes: ["ON_DEMAND"] }, shape, model),
      ),
    ],
    profiles: profiles.map((profile) => ({
      id: profile.inferenceProfileId,
      arn: `arn:aws:bedrock:${region}:000000000000:inference-profile/${profile.inferenceProfileId}`,
      name: profile.inferenceProfileName,
      isApplication: profile.type === "APPLICATION",
      isActive: true,
      modelArns: profile.destinations.map(
        (destination) =>
          `arn:aws:bedrock:${destination === "source" ? region : destination}::foundation-model/${profile.modelId}`,
      ),
    })),
  };
}

function taken(match: NameMatch): unknown {
  return match.kind === "one" ? match.id : match.kind === "several" ? [...match.ids] : match.kind;
}

const VIRGINIA: Nameable = { discovered: listIn("us-east-1") };
const OPUS = "us.anthropic.claude-opus-4-8";

describe("in us-east-1", () => {
  it.each<[string, unknown]>([
    ...["opus", "OPUS", "Claude Opus", "claude-opus", "anthropic opus", "opus latest"].map(
      (name): [string, unknown] => [name, OPUS],
    ),
    ...["Claude Opus 4.8", "claude-opus-4.8", "opus 4.8", "Opus-4-8", "opus4.8", "opus_4_8", "4.8 opus"].map(
      (name): [string, unknown] => [name, OPUS],
    ),
    ...["anthropic.claude-opus-4.8", "Anthropic.Claude-Opus-4-8", "US.anthropic.claude-opus-4-8"].map(
      (name): [string, unknown] => [name, OPUS],
    ),
    ["us opus", OPUS],
    ["us.claude-opus-4-8", OPUS],
    ["US Claude Opus 4.8", OPUS],
    ["global opus", "global.anthropic.claude-opus-4-8"],
    // Parts of ids, as people shorten them.
    ["us.opus", OPUS],
    ["us.claude-opus", OPUS],
    ["anthropic.opus", OPUS],
    ["us.anthropic.claude-opus", OPUS],
    ["global.haiku", "global.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["anthropic.claude-sonnet", "us.anthropic.claude-sonnet-5"],
    ["sonnet4.5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["amazon.nova", "us.amazon.nova-2-lite-v1:0"],
    ["amazon.nova-lite", "amazon.nova-lite-v1:0"],
    ["amazon.nova-lite-v1", "amazon.nova-lite-v1:0"],
    ["us.amazon.nova-lite", "us.amazon.nova-lite-v1:0"],
    ["us nova lite", "us.amazon.nova-lite-v1:0"],
    ["deepseek.r1", "us.deepseek.r1-v1:0"],
    ["v3", "deepseek.v3-v1:0"],
    ["mistral-large", "mistral.mistral-large-3-675b-instruct"],
    ["ai21.jamba-mini", "ai21.jamba-1-5-mini-v1:0"],
    ["llama-4", ["us.meta.llama4-scout-17b-instruct-v1:0", "us.meta.llama4-maverick-17b-instruct-v1:0"]],
    ["meta.llama4", ["us.meta.llama4-scout-17b-instruct-v1:0", "us.meta.llama4-maverick-17b-instruct-v1:0"]],
    ["us.gpt-oss-20b", "uncallable"],
    ["eu.opus", "none"],
    ["zai.glm-5", "none"],
    ["Global Claude Sonnet 5", "global.anthropic.claude-sonnet-5"],
    ["claude-opus-4-5-20251101", "us.anthropic.claude-opus-4-5-20251101-v1:0"],
    ["sonnet", "us.anthropic.claude-sonnet-5"],
    ["sonnet 4.6", "us.anthropic.claude-sonnet-4-6"],
    ["haiku", "us.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["haiku 4", "us.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["claude 3 haiku", "anthropic.claude-3-haiku-20240307-v1:0"],
    ["haiku 3", "anthropic.claude-3-haiku-20240307-v1:0"],
    ["claude", "us.anthropic.claude-sonnet-5"],
    // What is printed of one model is that model; a family is its newest.
    ["nova lite", "amazon.nova-lite-v1:0"],
    ["Nova-Lite", "amazon.nova-lite-v1:0"],
    ["nova 2 lite", "us.amazon.nova-2-lite-v1:0"],
    ["nova", "us.amazon.nova-2-lite-v1:0"],
    ["nova micro", "amazon.nova-micro-v1:0"],
    ["nova pro", "amazon.nova-pro-v1:0"],
    ["deepseek", "deepseek.v3-v1:0"],
    ["deepseek v3.1", "deepseek.v3-v1:0"],
    ["deepseek r1", "us.deepseek.r1-v1:0"],
    ["mistral", "mistral.mistral-large-3-675b-instruct"],
    ["mistral large", "mistral.mistral-large-3-675b-instruct"],
    ["mistral large 24.02", "mistral.mistral-large-2402-v1:0"],
    ["Mistral Large (24.02)", "mistral.mistral-large-2402-v1:0"],
    ["llama 3.3", "us.meta.llama3-3-70b-instruct-v1:0"],
    ["llama3.3-70b", "us.meta.llama3-3-70b-instruct-v1:0"],
    ["maverick", "us.meta.llama4-maverick-17b-instruct-v1:0"],
    ["gpt-oss-120b", "openai.gpt-oss-120b-1:0"],
    ["gemma", "google.gemma-3-27b-it"],
    ["qwen3-32b", "qwen.qwen3-32b-v1:0"],
    ["palmyra", "us.writer.palmyra-x5-v1:0"],
    ["command r+", "cohere.command-r-plus-v1:0"],
    ["glm", "zai.glm-4.7"],
    ["llama 4", ["us.meta.llama4-scout-17b-instruct-v1:0", "us.meta.llama4-maverick-17b-instruct-v1:0"]],
    ["gpt-oss", ["openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b-1:0"]],
    ["large", expect.arrayContaining(["mistral.mistral-large-3-675b-instruct", "ai21.jamba-1-5-large-v1:0"])],
    ["opus 4", expect.arrayContaining([OPUS, "us.anthropic.claude-opus-4-1-20250805-v1:0"])],
    ["claude 3.5 sonnet", "uncallable"],
    ["nova premier", "uncallable"],
    ["eu opus", "none"],
    ["opus 9", "none"],
    ["opus haiku", "none"],
    ["gpt-4o", "none"],
    ["nope", "none"],
    ["instruct", "none"],
    ["4.8", "none"],
    ["", "none"],
    ["🎉", "none"],
  ])("%j is %s", (name, id) => {
    expect(taken(matchName(name, VIRGINIA))).toEqual(id);
  });

  it("a geography that has no profile of a model is told apart from a model that cannot be called", () => {
    expect(matchName("us gpt-oss-20b", VIRGINIA)).toMatchObject({ otherId: "openai.gpt-oss-20b-1:0" });
    expect(matchName("nova premier", VIRGINIA)).toMatchObject({ otherId: undefined });
  });

  it("several are told with the newest first", () => {
    const ids = taken(matchName("opus 4", VIRGINIA)) as string[];
    expect(ids.map((id) => /opus-4-(\d)/.exec(id)?.[1])).toEqual(["8", "7", "6", "5", "1"]);
  });
});

/** The catalog's models in the form of a list, with the profiles that the catalog has for them. */
function wholeCatalog(): Discovered {
  const ids = catalogIds();
  const bases = ids.filter((id) => withoutPrefix(id) === id && !ids.some((other) => isReleaseOf(other, id)));
  const profiles = ids.filter((id) => /^(?:us|global)\./.test(id));
  return {
    region: "us-east-1",
    fetchedAt: 0,
    warnings: [],
    models: bases.map((id) => {
      const { name = id, provider = "" } = lookUpCatalog(id) ?? {};
      const isReached = profiles.some((profile) => withoutPrefix(profile) === id);
      const inferenceTypes = [isReached ? "INFERENCE_PROFILE" : "ON_DEMAND"];
      const known = { id, arn: "", name, provider, inferenceTypes, lifecycle: "ACTIVE" };
      return Object.assign(known, { input: ["TEXT"], output: ["TEXT"], streams: true });
    }),
    profiles: profiles.map((id) => ({
      id,
      arn: `arn:aws:bedrock:us-east-1:000000000000:inference-profile/${id}`,
      name: id,
      isApplication: false,
      isActive: true,
      modelArns: [`arn:aws:bedrock:us-east-1::foundation-model/${withoutPrefix(id)}`],
    })),
  };
}

const RELEASE = /-v?\d+:\d+$|-v1$/;
const isReleaseOf = (id: string, plain: string): boolean => id !== plain && id.replace(RELEASE, "") === plain;

/** How people write a model: its name or its id, with and without vendor and release, with any punctuation, in any case. */
function writtenAs({ id, name }: FoundationModel): string[] {
  const bare = id.slice(id.indexOf(".") + 1);
  const whole = [name, id, bare, id.replace(RELEASE, ""), bare.replace(RELEASE, "")];
  const written = whole.flatMap((text) =>
    [".", "-", " ", "_", ""]
      .map((separator) => text.replaceAll(/[-\s._]+/g, separator))
      .concat(text, text.toUpperCase(), text.toLowerCase()),
  );
  return [...new Set(written)];
}

describe.each([
  ["the emulator's list", listIn("us-east-1")],
  ["the whole catalog", wholeCatalog()],
])("of %s", (_, discovered) => {
  const models = discovered.models.filter((base) => streamsText(base) && !/:\d+k$/.test(base.id));

  it("has models enough", () => expect(models.length).toBeGreaterThan(40));

  it.each(models.map((base) => [base.id, base] as const))(
    "%s is found however it is written, or is among those that are told",
    (id, base) => {
      const way = callableId(base, discovered);
      const lost = writtenAs(base).filter((text) => {
        const exact = namedModel(text, {});
        if (isComplete(exact)) return exact.id !== id;
        const match = matchName(exact.id, { discovered });
        if (match.kind === "one") return listedBase(match.id, discovered)?.id !== id;
        if (match.kind === "several") return !match.ids.includes(way ?? "");
        return match.kind === "none" || match.base.id !== id;
      });
      expect(lost).toEqual([]);
    },
  );
});

describe("elsewhere", () => {
  it.each([
    ["eu-west-1", "opus", /^eu\.anthropic\.claude-opus/],
    ["eu-central-1", "sonnet", /^eu\.anthropic\.claude-sonnet/],
    ["ap-northeast-1", "sonnet 4.5", /^(jp|apac)\.anthropic\.claude-sonnet-4-5/],
    ["ap-southeast-2", "sonnet 4.5", /^(au|apac)\.anthropic\.claude-sonnet-4-5/],
    ["us-gov-west-1", "sonnet 4.5", /^us-gov\.anthropic\.claude-sonnet-4-5/],
  ])("in %s %j is one of the geography's own", (region, name, id) => {
    expect(taken(matchName(name, { discovered: listIn(region) }))).toMatch(id);
  });

  it("the newest is taken that its geography reaches, and a global profile only when it is asked for", () => {
    const discovered = listIn("eu-west-1", {
      id: "anthropic.claude-opus-9",
      name: "Claude Opus 9",
      inferenceTypes: ["INFERENCE_PROFILE"],
    });
    discovered.profiles.push({
      id: "global.anthropic.claude-opus-9",
      arn: "arn:aws:bedrock:eu-west-1:000000000000:inference-profile/global.anthropic.claude-opus-9",
      name: "Global Claude Opus 9",
      isApplication: false,
      isActive: true,
      modelArns: ["arn:aws:bedrock:::foundation-model/anthropic.claude-opus-9"],
    });
    expect(taken(matchName("opus", { discovered }))).toMatch(/^eu\.anthropic\.claude-opus-4/);
    expect(taken(matchName("global opus", { discovered }))).toBe("global.anthropic.claude-opus-9");
    expect(matchName("opus 9", { discovered })).toMatchObject({
      kind: "uncallable",
      globalId: "global.anthropic.claude-opus-9",
    });
    const configuredIds = ["global.anthropic.claude-opus-9"];
    expect(taken(matchName("opus", { discovered, configuredIds }))).toBe("global.anthropic.claude-opus-9");
  });

  it("what this account is refused is not taken", () => {
    const isBarred = (id: string): boolean => id === "anthropic.claude-opus-4-8";
    expect(taken(matchName("opus", { ...VIRGINIA, isBarred }))).toBe("us.anthropic.claude-opus-4-7");
    expect(suggestIds("anthropic.claude-opus-4-88", { ...VIRGINIA, isBarred })).not.toContain(OPUS);
  });

  it("versions decide, not what their digits look like, and of one version the later release", () => {
    const named = (id: string, name: string) => ({ id, name });
    const discovered = listIn(
      "us-east-1",
      named("anthropic.claude-opus-4-10", "Claude Opus 4.10"),
      named("anthropic.claude-opus-4-2-20991231-v1:0", "Claude Opus 4.2"),
      named("anthropic.claude-tango-3-20240101-v1:0", "Claude 3 Tango"),
      named("anthropic.claude-tango-3-20240909-v2:0", "Claude 3 Tango v2"),
    );
    expect(taken(matchName("opus", { discovered }))).toBe("anthropic.claude-opus-4-10");
    expect(taken(matchName("tango", { discovered }))).toBe("anthropic.claude-tango-3-20240909-v2:0");
  });

  it("names that are no newer than each other are several", () => {
    const gemma = (size: string) => ({
      id: `google.gemma-3-${size}-it`,
      name: `Gemma 3 ${size.toUpperCase()}`,
      provider: "Google",
    });
    const discovered = listIn("us-east-1", gemma("4b"), gemma("12b"));
    expect(taken(matchName("gemma", { discovered }))).toEqual([
      "google.gemma-3-27b-it",
      "google.gemma-3-12b-it",
      "google.gemma-3-4b-it",
    ]);
    expect(taken(matchName("gemma 12b", { discovered }))).toBe("google.gemma-3-12b-it");
  });

  it("an application profile goes by the name that the account gave it", () => {
    const discovered = listIn("us-east-1");
    const own = discovered.profiles.find(({ isApplication }) => isApplication);
    expect(own).toBeDefined();
    expect(taken(matchName(own?.name.toUpperCase() ?? "", { discovered }))).toBe(own?.arn);
  });
});

describe("the successor of a retired model", () => {
  it.each([
    ["anthropic.claude-3-5-sonnet-20240620-v1:0", "us.anthropic.claude-sonnet-5"],
    ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", "us.anthropic.claude-sonnet-5"],
    ["anthropic.claude-3-opus-20240229-v1:0", OPUS],
    ["anthropic.claude-v2:1", "us.anthropic.claude-sonnet-5"],
    ["meta.llama2-13b-chat-v1", "us.meta.llama3-3-70b-instruct-v1:0"],
    ["arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-opus-20240229-v1:0", OPUS],
    ["amazon.titan-tg1-large", undefined],
    ["ai21.j2-ultra-v1", undefined],
  ])("%s is %s", (id, successor) => {
    expect(successorOf(id, VIRGINIA)).toBe(successor);
  });
});

describe("suggestions for", () => {
  it.each([
    ["us.anthropic.claude-opus-4-6-v1:0", "us.anthropic.claude-opus-4-6-v1"],
    ["us.anthropic.claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1"],
    ["eu.anthropic.claude-opus-4-8", OPUS],
    ["amazon.nova-lite-v9:0", "amazon.nova-lite-v1:0"],
    // A version that there is none of may be meant for any, so that the newest goes first.
    ["anthropic.claude-opus-4-77", OPUS],
    ["Claude Opus 9", OPUS],
    ["claude-opus-4-4", OPUS],
    ["eu.opus", OPUS],
    ["claude sonet 4.5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["sonet", "us.anthropic.claude-sonnet-5"],
    ["claude-opsu", OPUS],
    ["mistrl large", "mistral.mistral-large-3-675b-instruct"],
    ["eu.anthropic.claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1"],
    ["claude-opsu-4-8", OPUS],
    ["amazon.nova-lit-v1:0", "amazon.nova-lite-v1:0"],
  ])("%j begin with %s", (typed, first) => {
    expect(suggestIds(typed, VIRGINIA)[0]).toBe(first);
  });

  it.each(["anthropic.claude-opus-9", "us.anthropic.claude-haiku-4-9-v9:0", "sonnet 99", "nova-lite-v99"])(
    "%j are of no other family",
    (typed) => {
      const family = /opus|haiku|sonnet|nova/.exec(typed)?.[0] ?? "";
      const ids = suggestIds(typed, VIRGINIA);
      expect(ids.length).toBeGreaterThan(0);
      for (const id of ids) expect(id).toContain(family);
    },
  );

  it("a text that is like none are none", () => expect(suggestIds("zebra", VIRGINIA)).toEqual([]));
});

it("whatever is typed, what is taken or suggested can be called, and never by a global profile that was not asked for", () => {
  const lists = ["us-east-1", "eu-west-1", "ap-northeast-1", "us-gov-west-1"].map((region) => {
    const discovered = listIn(region);
    const active = discovered.profiles.filter(({ isActive }) => isActive).map(({ id }) => id);
    const callable = new Set([...discovered.models.map((base) => callableId(base, discovered)), ...active]);
    return { discovered, callable };
  });
  const part = constantFrom(
    ..."claude opus sonnet haiku nova lite llama mistral 3 4 4.8 5 v1 us eu - . 70b".split(" "),
  );
  const typed = oneof(
    array(part, { maxLength: 5 }).chain((parts) =>
      constantFrom(" ", "-", ".", "").map((separator) => parts.join(separator)),
    ),
    string(),
  );
  assert(
    property(typed, constantFrom(...lists), (text, { discovered, callable }) => {
      const match = matchName(text, { discovered });
      const ids = match.kind === "one" ? [match.id] : match.kind === "several" ? match.ids : [];
      for (const id of [...ids, ...suggestIds(text, { discovered })]) {
        expect(callable.has(id)).toBe(true);
        expect(id).not.toMatch(/^global\./);
      }
    }),
  );
});

it("looks at each profile a few times at most, however many models are only reached by one", () => {
  const plain = listIn(
    "us-east-1",
    ...Array.from({ length: 200 }, (_, nth) => ({
      id: `a.m${nth}-v1:0`,
      inferenceTypes: ["INFERENCE_PROFILE"],
    })),
  );
  let looks = 0;
  const profiles = plain.models.map(({ id }): Discovered["profiles"][number] => ({
    id: `us.${id}`,
    arn: "",
    name: id,
    isActive: true,
    isApplication: false,
    get modelArns() {
      looks += 1;
      return [`arn:aws:bedrock:us-east-1::foundation-model/${id}`];
    },
  }));
  suggestIds("nosuch", { discovered: { ...plain, profiles } });
  expect(looks / profiles.length).toBeLessThan(10);
});

describe("an id that another provider of AWS's models is configured with", () => {
  const converse = { api: "bedrock-converse-stream" } as const;
  const ID = "eu.amazon.nova-lite-v1:0";
  const taken = (providers: NonNullable<NonNullable<Configuration["models"]>["providers"]>): string =>
    namedModel(ID, { models: { providers } }).key;

  it("is that one, unless Amazon Bedrock's own has it, too, or several have", () => {
    const own = { ...converse, models: [{ id: ID }] };
    expect(taken({ other: own })).toBe(`other/${ID}`);
    expect(taken({ other: own, "amazon-bedrock": { models: [{ id: ID }] } })).toBe(`amazon-bedrock/${ID}`);
    expect(taken({ other: own, another: own })).toBe(`amazon-bedrock/${ID}`);
  });

  it("is AWS's own where the provider is a server of somebody else", () => {
    expect(taken({ corp: { api: "openai-completions", models: [{ id: ID }] } })).toBe(`amazon-bedrock/${ID}`);
  });
});
