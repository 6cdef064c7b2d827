import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { RecordedCall } from "../../src/emulator/recorded-call.ts";
import type { Script } from "../../src/emulator/script.ts";
import { emulate } from "../helpers/emulated.ts";
import { gate, MODEL, serve, type Served, serveEmulated } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";

const REGIONS = ["us-east-1", "us-east-2", "us-west-2"];
const CALLS = isThorough ? 1000 : 300;
const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

interface Answered {
  status: number;
  region: string | null;
  text: string;
  retryAfter: string | null;
  code?: string;
}

/** Asks over HTTP. Resolves with what came and from where. */
async function ask(
  { origin }: Served,
  { model = MODEL, prompt = "hi", system = "You are a crab.", stream = false } = {},
): Promise<Answered> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model,
      stream,
      messages: [
        { role: "system", content: system },
        { role: "user", content: prompt },
      ],
    }),
  });
  const text = await answer.text();
  const body = stream ? undefined : (JSON.parse(text) as { error?: { code: string } });
  return {
    status: answer.status,
    region: answer.headers.get("x-openclaw-region"),
    retryAfter: answer.headers.get("retry-after"),
    text,
    ...(body?.error && { code: body.error.code }),
  };
}

function converseRegions(served: Served): (string | undefined)[] {
  return served.emulator.calls.filter(({ route }) => route === "ConverseStream").map(({ region }) => region);
}

/** A script that has calls of models fail where this says so. */
function failing(when: (call: RecordedCall) => string | undefined): Script {
  return (call) => {
    if (call.route !== "ConverseStream") return undefined;
    const name = when(call);
    if (name === undefined) return undefined;
    if (name === "reset") return { drop: "reset" };
    return { error: { name, message: WORDS[name] ?? "no" } };
  };
}

const WORDS: Record<string, string> = {
  ThrottlingException: "Too many tokens, please wait before trying again.",
  ServiceQuotaExceededException: "Your request exceeds the service quota for your account.",
};

const serveRegions = (script?: Script, regions = REGIONS): Promise<Served> =>
  serve({ args: ["--regions", regions.join(",")], emulator: script ? { script } : {} });

describe("serve --regions", () => {
  it("asks the same region for prompts that begin alike, and all of the list for others", async () => {
    const served = await serveRegions();
    const regions = new Map<string, (string | null)[]>();
    for (let nth = 0; nth < 60; nth += 1) {
      const prompt = `question ${nth % 20}`;
      const { status, region } = await ask(served, { prompt });
      expect(status).toBe(200);
      regions.set(prompt, [...new Set([...(regions.get(prompt) ?? []), region])]);
    }
    expect([...regions.values()].every((found) => found.length === 1)).toBe(true);
    expect(new Set([...regions.values()].map(([only]) => only))).toEqual(new Set(REGIONS));
    expect(new Set(converseRegions(served))).toEqual(new Set(REGIONS));
  });

  it.each(["ThrottlingException", "ServiceUnavailableException", "ServiceQuotaExceededException", "reset"])(
    "moves on before the first byte at %s, and leaves that region alone for that model alone",
    async (name) => {
      const served = await serveRegions(
        failing(({ region, parameters }) =>
          region === "us-east-2" && parameters["modelId"] === MODEL ? name : undefined,
        ),
      );
      for (let nth = 0; nth < 30; nth += 1) {
        const { status, region } = await ask(served, { prompt: `question ${nth}` });
        expect(status).toBe(200);
        expect(["us-east-1", "us-west-2"]).toContain(region);
      }
      // Once: then it cools down. None of its tries again is in vain while another region answers.
      expect(converseRegions(served).filter((region) => region === "us-east-2")).toHaveLength(1);
      const others = new Set<string | null>();
      for (let nth = 0; nth < 30; nth += 1)
        others.add((await ask(served, { prompt: `question ${nth}`, model: "amazon.nova-pro-v1:0" })).region);
      expect(others).toContain("us-east-2");
      const moved = await served.logged(({ notices = [] }) => notices.length > 0);
      expect(moved.notices?.join()).toMatch(new RegExp(`Asking ${MODEL} in us-(east-1|west-2) instead`));
      expect(moved.region).toMatch(/us-(east-1|west-2)/);
    },
  );

  it("answers every call while one region is throttled and another dies on the way, and never leaves the list", async () => {
    let calls = 0;
    const script = failing(({ region, nth }) => {
      calls += 1;
      if (region === "us-east-1" && nth % 3 === 0) return "ThrottlingException";
      return region === "us-east-2" && calls > CALLS / 3 ? "reset" : undefined;
    });
    const served = await serveRegions(script);
    const statuses = new Map<number, number>();
    const one = async (nth: number): Promise<void> => {
      const { status } = await ask(served, { prompt: `question ${nth}`, stream: nth % 2 === 0 });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    };
    for (let first = 0; first < CALLS; first += 20)
      await Promise.all(Array.from({ length: 20 }, (_, nth) => one(first + nth)));
    expect(Object.fromEntries(statuses)).toEqual({ 200: CALLS });
    expect(new Set(converseRegions(served))).toEqual(new Set(REGIONS));
    for (const { route, region } of served.emulator.calls)
      if (route !== "GetCallerIdentity") expect(REGIONS).toContain(region);
  }, 120_000);

  it("spreads texts to embed over the list", async () => {
    const served = await serveRegions();
    const regions = new Set<string | null>();
    for (let nth = 0; nth < 20; nth += 1) {
      const answer = await fetch(`${served.origin}/v1/embeddings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "amazon.titan-embed-text-v2:0", input: `text ${nth}` }),
      });
      expect(answer.status).toBe(200);
      regions.add(answer.headers.get("x-openclaw-region"));
    }
    expect(regions.size).toBeGreaterThan(1);
  });

  it("counts tokens in the next region where one does not, and estimates where none does", async () => {
    let isOut = (region: string | undefined): boolean => region === "us-east-2";
    const served = await serve({
      args: ["--regions", REGIONS.join(",")],
      emulator: {
        script: ({ route, region }) =>
          route === "CountTokens" && isOut(region)
            ? { error: { name: "ThrottlingException", message: "slower" } }
            : undefined,
      },
    });
    const countAll = async (): Promise<Set<string | null>> => {
      const sources = new Set<string | null>();
      for (let nth = 0; nth < 12; nth += 1) {
        const answer = await fetch(`${served.origin}/v1/messages/count_tokens`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: CLAUDE, messages: [{ role: "user", content: `question ${nth}` }] }),
        });
        expect(answer.status).toBe(200);
        sources.add(answer.headers.get("x-tokens-source"));
      }
      return sources;
    };
    const asked = (): (string | undefined)[] =>
      served.emulator.calls.filter(({ route }) => route === "CountTokens").map(({ region }) => region);
    expect(await countAll()).toEqual(new Set(["count-tokens"]));
    expect(new Set(asked())).toEqual(new Set(REGIONS));
    isOut = () => true;
    expect(await countAll()).toEqual(new Set(["estimate"]));
    expect(asked().slice(-REGIONS.length).toSorted()).toEqual(REGIONS);
  });

  it("moves nowhere after the first byte", async () => {
    const served = await serve({
      args: ["--regions", REGIONS.join(",")],
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                pass: true,
                alter: async function* (steps) {
                  let deltas = 0;
                  for await (const step of steps) {
                    if ("event" in step && step.event === "contentBlockDelta" && deltas++ === 3)
                      return yield { exception: "throttlingException", payload: { message: "slower" } };
                    yield step;
                  }
                },
              }
            : undefined,
      },
    });
    const { status, text } = await ask(served, { stream: true });
    expect(status).toBe(200);
    expect(text).toContain("rate_limit_exceeded");
    expect(converseRegions(served)).toHaveLength(1);
  });

  it("is refused by all only where all refuse, each asked once and the last as often as usual", async () => {
    const served = await serveRegions(failing(() => "ThrottlingException"));
    const { status, code } = await ask(served);
    expect({ status, code }).toEqual({ status: 429, code: "rate_limit_exceeded" });
    expect(converseRegions(served).toSorted()).toEqual(REGIONS);
  });

  it("waits as long as AWS asks in every region before it asks again", async () => {
    const served = await serve({
      args: ["--regions", REGIONS.join(",")],
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                error: {
                  name: "ThrottlingException",
                  message: "slower",
                  headers: { "retry-after": "100" },
                },
              }
            : undefined,
      },
    });
    expect((await ask(served)).retryAfter).toBe("100");
    const again = await ask(served);
    expect(again.status).toBe(429);
    expect(Number(again.retryAfter)).toBeGreaterThan(90);
    expect(again.text).toContain("every region");
    expect(converseRegions(served)).toHaveLength(3);
  });

  it("keeps eu profiles in Europe, and asks by name for what each region has", async () => {
    const served = await serveRegions(undefined, ["us-east-1", "eu-west-1", "eu-central-1"]);
    const askAll = async (model: string): Promise<Set<string | null>> => {
      const regions = new Set<string | null>();
      for (let nth = 0; nth < 20; nth += 1)
        regions.add((await ask(served, { model, prompt: `${nth}` })).region);
      return regions;
    };
    expect(await askAll("eu.amazon.nova-lite-v1:0")).toEqual(new Set(["eu-west-1", "eu-central-1"]));
    expect(await askAll(CLAUDE)).toEqual(new Set(["us-east-1"]));
    expect(await askAll("global.anthropic.claude-opus-4-8")).toEqual(
      new Set(["us-east-1", "eu-west-1", "eu-central-1"]),
    );
    expect(await askAll("opus")).toEqual(new Set(["us-east-1", "eu-west-1", "eu-central-1"]));
    for (const { parameters, region = "" } of served.emulator.calls) {
      const [prefix] = (parameters["modelId"] ?? "").split(".");
      if (prefix === "us" || prefix === "eu") expect(region.startsWith(prefix)).toBe(true);
    }
    const { data } = await served.client.models.list();
    const ids = data.map(({ id }) => id);
    expect(ids).toContain(CLAUDE);
    expect(ids).toContain("eu.amazon.nova-lite-v1:0");
    expect(new Set(ids).size).toBe(ids.length);
    expect((await ask(served, { model: "us.nobody.knows-v1:0" })).code).toBe("model_not_found");
  });

  it("never moves what an ARN has in one region, nor asks one that is not of the list", async () => {
    const arn = (region: string): string =>
      `arn:aws:bedrock:${region}:123456789012:application-inference-profile/k9m2x7q4w1ab`;
    const served = await serveRegions(failing(() => "ThrottlingException"));
    expect((await ask(served, { model: arn("us-west-2") })).status).toBe(429);
    expect(converseRegions(served)).toEqual(["us-west-2"]);
    expect((await ask(served, { model: arn("eu-west-1") })).code).toBe("model_not_found");
    expect(converseRegions(served)).toEqual(["us-west-2"]);
  });

  it("asks all regions of a model before the next model of the map", async () => {
    const served = await serve({
      args: ["--regions", "us-east-1,us-west-2", "--map", `gpt=${MODEL},amazon.nova-pro-v1:0`],
      emulator: {
        script: failing(({ parameters }) =>
          parameters["modelId"] === MODEL ? "ThrottlingException" : undefined,
        ),
      },
    });
    const { status } = await ask(served, { model: "gpt" });
    expect(status).toBe(200);
    const asked = served.emulator.calls
      .filter(({ route }) => route === "ConverseStream")
      .map(({ parameters }) => parameters["modelId"]);
    expect(asked).toEqual([MODEL, MODEL, "amazon.nova-pro-v1:0"]);
  });

  it("resolves credentials once, and takes down which region answered", async () => {
    const emulated = await emulate();
    const served = await serveEmulated(emulated, {
      args: ["--regions", REGIONS.join(",")],
      env: {
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_EC2_METADATA_DISABLED: undefined,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: emulated.emulator.url,
      },
    });
    for (const prompt of ["a", "b", "c", "d", "e", "f"]) await ask(served, { prompt });
    expect(emulated.routes().filter((route) => route === "ImdsCredentials")).toHaveLength(1);
    const lines = served.log.filter(({ kind }) => kind === "request");
    expect(new Set(lines.map(({ region }) => region)).size).toBeGreaterThan(1);
    expect(await served.end()).toBe(143);
    const folder = path.join(served.home, ".openclaw/usage");
    const entries = readdirSync(folder).flatMap((name) =>
      readFileSync(path.join(folder, name), "utf8").trim().split("\n"),
    );
    const regions = entries.map((line) => (JSON.parse(line) as { region?: string }).region);
    expect(regions.toSorted()).toEqual(lines.map(({ region }) => region).toSorted());
  });

  it("begins to answer while the list of a region that is out is not there", async () => {
    const never = gate();
    const served = await serve({
      args: ["--regions", "us-east-1,us-west-2"],
      emulator: {
        script: ({ region, route }) =>
          region === "us-west-2" && route.startsWith("List")
            ? { after: never.opened, drop: "reset" }
            : undefined,
      },
    });
    const { region } = await ask(served, { prompt: "a" });
    expect(region).not.toBeNull();
    const more = await Promise.all(["b", "c", "d", "e"].map((prompt) => ask(served, { prompt })));
    expect(more.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { data } = await served.client.models.list();
    expect(data.map(({ id }) => id)).toContain(MODEL);
    expect((await fetch(`${served.origin}/ready`)).status).toBe(200);
    never.open();
  });

  it("says in the log which region of the list is none that is known", async () => {
    const served = await serveRegions(undefined, ["us-east-1", "us-wset-2"]);
    await served.logged(
      ({ message = "" }) => message.includes("'us-wset-2'") && message.includes("us-west-2"),
    );
  });

  it("says in the log which region stands in the list twice", async () => {
    const served = await serveRegions(undefined, ["us-east-1", "us-east-2", "us-east-1"]);
    await served.logged(
      ({ message }) => message === "--regions names 'us-east-1' more than once, and it counts once.",
    );
  });

  it("takes the list of the settings, and no other region with it", async () => {
    const emulated = await emulate();
    emulated.configure(JSON.stringify({ models: { regions: ["eu-west-1", "eu-north-1"] } }));
    const served = await serveEmulated(emulated);
    expect((await ask(served)).region).toMatch(/^eu-/);
    const one = await serveEmulated(emulated, { args: ["--region", "us-east-2"] });
    expect((await ask(one)).region).toBe("us-east-2");
  });

  it.each([
    [["--regions", "us-east-1,us-west"], "us-west"],
    [["--regions", ""], "--regions"],
    [["--regions", "us-east-1,us-gov-west-1"], "partitions"],
    [["--regions", "us-east-1", "--region", "us-west-2"], "'us-west-2' are both named"],
  ])("does not start with %j", async (args, text) => {
    const { code, stderr } = await (await emulate()).run(["serve", "--port", "0", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });
});
