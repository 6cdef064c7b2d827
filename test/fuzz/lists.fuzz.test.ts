import type { HttpRequest } from "@smithy/protocol-http";
import path from "node:path";
import { expect, it } from "vitest";
import { readCache } from "../../src/discovery/cache.ts";
import { writeCache } from "../../src/discovery/cache-write.ts";
import { discover } from "../../src/discovery/discover.ts";
import { CATALOG_DATE } from "../../src/models/catalog.ts";
import type { Discovered } from "../../src/models/discovered.ts";
import { listModels } from "../../src/models/list.ts";
import { MODELS } from "../../src/emulator/models.ts";
import { EXIT_CODES, OpenclawError } from "../../src/errors.ts";
import { plainStyle } from "../../src/terminal/color.ts";
import { modelLines } from "../../src/commands/models/model-lines.ts";
import { modelTable } from "../../src/commands/models/model-table.ts";
import { createHome } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { testRuntime } from "../helpers/test-runtime.ts";
import { CASES, FIRST_SEED } from "./case-count.ts";
import { type FakeAnswer, sessionMaker } from "./fake-service.ts";
import { mutateJson } from "./mutate-json.ts";
import { createRandom, type Random } from "./random.ts";

const SUMMARIES = MODELS.slice(0, 12).map((model) =>
  Object.assign({ modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${model.modelId}` }, model),
);

const PROFILES = SUMMARIES.slice(0, 6).map(({ modelId, modelName, modelArn }, index) => ({
  inferenceProfileId: `us.${modelId}`,
  inferenceProfileArn: `arn:aws:bedrock:us-east-1:123456789012:${index < 4 ? "" : "application-"}inference-profile/us.${modelId}`,
  inferenceProfileName: `US ${modelName}`,
  description: "Routes requests to several regions.",
  models: [{ modelArn }, { modelArn: modelArn.replace("us-east-1", "us-west-2") }],
  status: "ACTIVE",
  type: index < 4 ? "SYSTEM_DEFINED" : "APPLICATION",
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
}));

interface Generated extends FakeAnswer {
  /** Ids of the items that are as they should be, in an answer that is. */
  sound: string[];
}

/** A list of the control plane: some of its items changed, sometimes all of it, sometimes not JSON at all. */
function answer<T extends object>(
  name: string,
  items: readonly T[],
  idOf: (item: T) => string,
  random: Random,
): Generated {
  const headers = { "content-type": "application/json", "x-amzn-requestid": "r-1" };
  const changed = items.map((item) => (random.percent(30) ? mutateJson(item, random) : item));
  const sound = items.filter((item, index) => changed[index] === item).map(idOf);
  const json = (value: unknown): Generated => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    return { status: 200, headers, body: text === "" ? [] : [Buffer.from(text)], sound: [] };
  };
  const document = {
    [name]: changed,
    ...(random.percent(20) ? { nextToken: random.pick(["a", "b", "c"]) } : {}),
  };
  switch (random.below(20)) {
    case 0:
      return { ...json(document), status: random.pick([204, 302, 400, 403, 404, 429, 500, 503]) };
    case 1:
      return json(mutateJson(document, random));
    case 2:
      return json(JSON.stringify(document).slice(0, random.below(5000)));
    case 3:
      return json(random.pick(["", "null", "[]", "<html>", "{", "\uFEFF{}", "1e999", '"text"']));
    default:
      return { ...json(document), sound };
  }
}

interface Service {
  models: Generated;
  pages: readonly Generated[];
}

function generateService(random: Random): Service {
  const pages = Array.from({ length: 1 + random.below(3) }, (_, index) =>
    answer(
      "inferenceProfileSummaries",
      PROFILES.slice(index),
      (profile) => profile.inferenceProfileId,
      random,
    ),
  );
  return { models: answer("modelSummaries", SUMMARIES, (model) => model.modelId, random), pages };
}

/** Some lists have pages, and some of those lead in a circle. */
function respond({ models, pages }: Service, { path: route, query = {} }: HttpRequest): FakeAnswer {
  if (route.endsWith("/foundation-models")) return models;
  const token = String(query["nextToken"] ?? "");
  return pages["abc".indexOf(token) % pages.length] ?? pages[0] ?? models;
}

it(
  `${CASES} lists, from seed ${FIRST_SEED}: each is listed as far as it makes sense, or is an error of the contract`,
  async () => {
    let service = generateService(createRandom(FIRST_SEED));
    const home = createHome();
    const runtime = testRuntime({ home, env: { AWS_ACCESS_KEY_ID: "AKIAFUZZ", AWS_SECRET_ACCESS_KEY: "s" } });
    const openSession = await sessionMaker(runtime, (request) => respond(service, request));
    const session = openSession(runtime);
    const outcomes = new Map<string, number>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + CASES; seed += 1) {
      service = generateService(createRandom(seed));
      const say = `seed ${seed} (OPENCLAW_FUZZ_SEED=${seed} OPENCLAW_FUZZ_CASES=1)`;
      let found: Discovered | undefined;
      let failure: unknown;
      try {
        found = await discover(session);
      } catch (error) {
        failure = error;
      }
      const { sound } = service.models;
      if (found === undefined) {
        // One odd model never hides the others.
        expect(sound, say).toEqual([]);
        expect(failure, say).toBeInstanceOf(OpenclawError);
        const { code, exitCode } = failure as OpenclawError;
        expect(["internal", "usage", "timeout"], say).not.toContain(code);
        expect(exitCode, say).toBe(EXIT_CODES[code]);
        outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
        continue;
      }
      expect(
        found.models.map(({ id }) => id),
        say,
      ).toEqual(expect.arrayContaining(sound));
      for (const warning of found.warnings) expect(Object.keys(EXIT_CODES), say).toContain(warning.code);
      expect(
        found.warnings.map(({ code }) => code),
        say,
      ).not.toContain("internal");
      expectListable(found, seed % 10 === 0, say);
      outcomes.set("listed", (outcomes.get("listed") ?? 0) + 1);
      if (seed % 20 === 0 && !found.isPartial) {
        const file = path.join(home, "cache", "models-fuzz.json");
        await writeCache(file, found);
        expect(await readCache(file), say).toEqual(JSON.parse(JSON.stringify(found)));
      }
    }
    if (CASES >= 500) {
      expect(outcomes.get("listed") ?? 0).toBeGreaterThan(CASES / 2);
      expect(outcomes.get("bad-response") ?? 0).toBeGreaterThan(CASES / 50);
    }
  },
  30 * 60_000,
);

/** Every way in which the list is shown takes it, and shows nothing that AWS did not name. */
function expectListable(discovered: Discovered, isChecked: boolean, say: string): void {
  const models = listModels({
    config: {},
    discovered,
    settings: { providerFilter: [], defaultContextWindow: 32_000, defaultMaxTokens: 4096 },
    defaults: { primary: undefined, fallbacks: [] },
    hasCredentials: true,
    all: true,
    providers: [],
    search: undefined,
  });
  const named = new Set([
    ...discovered.models.map(({ id }) => id),
    ...discovered.profiles.flatMap(({ id, arn }) => [id, arn]),
  ]);
  expect(
    models.map(({ id }) => id).filter((id) => !named.has(id)),
    say,
  ).toEqual([]);
  // Each model is one line, also for programs that read it.
  const lines = modelLines(models);
  expect(lines.join("\n").split("\n"), say).toHaveLength(Math.max(1, models.length));
  for (const line of lines) expect(line.split("\t"), say).toHaveLength(9);
  modelTable(models, 80, plainStyle);
  // Compiling a schema takes longer than everything above.
  if (!isChecked) return;
  expectSchema("models-list", {
    region: discovered.region,
    source: "network",
    fetchedAt: new Date(discovered.fetchedAt).toISOString(),
    catalogDate: CATALOG_DATE,
    count: models.length,
    models: JSON.parse(JSON.stringify(models)) as unknown,
    warnings: discovered.warnings,
  });
}
