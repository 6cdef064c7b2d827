import { describe, expect, it, onTestFinished } from "vitest";
import { listJobs } from "../../src/batch/jobs/job.ts";
import { listModels, listProfiles } from "../../src/discovery/discover.ts";
import { discoverMantle } from "../../src/discovery/list-mantle.ts";
import type { ScriptedAnswer } from "../../src/emulator/script.ts";
import { listOffers } from "../../src/session/model-access.ts";
import { ObjectStore } from "../../src/session/object-store.ts";
import { listBedrockQuotas, readQuotaUse } from "../../src/session/quota-operations.ts";
import type { AwsSession } from "../../src/session/session.ts";
import { emulate } from "../helpers/emulated.ts";
import { testSession } from "../helpers/test-session.ts";

const MODEL = "amazon.nova-lite-v1:0";

/** A session whose every call gets the same answer. */
async function answeredBy(answer: ScriptedAnswer): Promise<AwsSession> {
  const { home, env: keys } = await emulate({ script: () => answer });
  return (await testSession(home, { AWS_MAX_ATTEMPTS: "1", ...keys })).session;
}

const json = (body: object): ScriptedAnswer => ({
  http: { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
});

describe("a list of AWS", () => {
  const LISTS: [name: string, ask: (session: AwsSession) => Promise<unknown>][] = [
    ["models", listModels],
    ["inference profiles", listProfiles],
    ["models", discoverMantle],
    ["offers", (session) => listOffers(session, MODEL)],
    ["jobs", (session) => listJobs(session, { most: 100 })],
    ["quotas", listBedrockQuotas],
    ["metrics", (session) => readQuotaUse(session, [MODEL])],
  ];
  it.each(LISTS)("of %s is not empty where it is missing", async (name, ask) => {
    for (const body of [{}, { message: null }]) {
      await expect(ask(await answeredBy(json(body)))).rejects.toMatchObject({
        code: "bad-response",
        message: expect.stringMatching(
          new RegExp(
            `^http://127\\.0\\.0\\.1:\\d+ answered without a list of ${name}, which AWS never does\\.$`,
          ),
        ),
        hint: expect.stringMatching(/./),
      });
    }
  });

  it("of models that is longer than AWS's is refused", async () => {
    const models = Array.from({ length: 10_001 }, (_, nth) => ({ modelId: `m${nth}`, id: `m${nth}` }));
    const session = await answeredBy(json({ modelSummaries: models, data: models }));
    for (const ask of [listModels, discoverMantle])
      await expect(ask(session)).rejects.toMatchObject({
        code: "bad-response",
        message: expect.stringContaining("lists 10001 models, of which AWS has less than 10000."),
      });
  });

  it("of jobs may be empty", async () => {
    expect(await listJobs(await answeredBy(json({ invocationJobSummaries: [] })), { most: 100 })).toEqual([]);
  });

  it.each<[name: string, page: object, ask: (session: AwsSession) => Promise<unknown>]>([
    ["inference profiles", { inferenceProfileSummaries: [], nextToken: "a" }, listProfiles],
    ["jobs", { invocationJobSummaries: [], nextToken: "a" }, (session) => listJobs(session, { most: 100 })],
    ["metrics", { MetricDataResults: [], NextToken: "a" }, (session) => readQuotaUse(session, [MODEL])],
  ])("of %s that leads in a circle comes to an end", async (name, page, ask) => {
    await expect(ask(await answeredBy(json(page)))).rejects.toMatchObject({
      code: "bad-response",
      message: expect.stringContaining(`leads in a circle from page to page of ${name}.`),
    });
  });

  it("of objects that leads in a circle comes to an end", async () => {
    const body =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken></ListBucketResult>";
    const session = await answeredBy({
      http: { status: 200, headers: { "content-type": "application/xml" }, body },
    });
    const store = await ObjectStore.open(session, { name: "openclaw-emulator" });
    onTestFinished(() => store.close());
    const all = async (): Promise<void> => {
      for await (const object of store.list("")) expect(object).toBeUndefined();
    };
    await expect(all()).rejects.toMatchObject({
      code: "bad-response",
      message: expect.stringContaining("leads in a circle from page to page of objects."),
    });
  });
});
