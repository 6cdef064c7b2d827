import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { PolicyDocument } from "../../src/iam/policy.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { allows } from "../helpers/iam.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const TITAN = "amazon.titan-embed-text-v2:0";
const COHERE = "cohere.embed-english-v3";

interface Document {
  model: string;
  dimensions: number;
  embeddings: (number[] | null)[];
  usage: { inputTokens: number };
  cost: { usd: number } | null;
}

async function read(machine: Emulated, args: string[], input = ""): Promise<Document> {
  const { stdout, code, stderr } = await machine.run(["embed", "--json", "-q", ...args], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const document = JSON.parse(stdout) as Document;
  expectSchema("embed", document);
  return document;
}

const bodies = ({ emulator }: Emulated): unknown[] =>
  emulator.calls.filter(({ route }) => route === "InvokeModel").map(({ body }) => body);

describe("embed", () => {
  it("prints a vector a text, as an array a line in a pipe", async () => {
    const machine = await emulate();
    const { stdout, stderr, code } = await machine.run([
      "embed",
      "-m",
      TITAN,
      "--dimensions",
      "256",
      "one",
      "two",
    ]);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    const vectors = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as number[]);
    expect(vectors.map(({ length }) => length)).toEqual([256, 256]);
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect(bodies(machine)).toEqual([
      { inputText: "one", dimensions: 256 },
      { inputText: "two", dimensions: 256 },
    ]);
  });

  it.each([
    [TITAN, 1024],
    ["amazon.titan-embed-text-v1", 1536],
    [COHERE, 1024],
    ["cohere.embed-multilingual-v3", 1024],
    ["cohere.embed-v4:0", 1536],
    ["us.cohere.embed-v4:0", 1536],
    ["global.cohere.embed-v4:0", 1536],
    ["amazon.nova-2-multimodal-embeddings-v1:0", 3072],
  ])("of %s tells model, dimensions, tokens and cost", async (model, dimensions) => {
    const machine = await emulate();
    const document = await read(machine, ["-m", model, "some words here", "others"]);
    expect(document).toMatchObject({ model, dimensions });
    expect(document.embeddings.map((vector) => vector?.length)).toEqual([dimensions, dimensions]);
    expect(document.usage.inputTokens).toBeGreaterThan(2);
    expect(document.cost?.usd).toBeGreaterThan(0);
  });

  it("takes stdin as one text without its last line end, for - and without an argument", async () => {
    const machine = await emulate();
    for (const args of [[], ["-"]]) await read(machine, ["-m", TITAN, ...args], "a text\nof two lines\n");
    expect(bodies(machine)).toEqual([
      { inputText: "a text\nof two lines" },
      { inputText: "a text\nof two lines" },
    ]);
  });

  it("takes the model of the settings, an alias, or a part of a name that is one model's", async () => {
    const machine = await emulate();
    machine.configure(
      JSON.stringify({
        agents: { defaults: { embeddingModel: "vectors", models: { [COHERE]: { alias: "vectors" } } } },
      }),
    );
    expect((await read(machine, ["a"])).model).toBe(COHERE);
    const named = await machine.run(["embed", "--json", "-m", "titan text embeddings v2", "a"]);
    expect((JSON.parse(named.stdout) as Document).model).toBe(TITAN);
    expect(named.stderr).toContain(`is ${TITAN}`);
    const several = await machine.run(["embed", "-m", "embed", "a"]);
    expect(several).toMatchObject({ code: 6, stdout: "" });
    expect(several.stderr).toContain(COHERE);
  });

  it("goes through the profile of the region where the model needs one", async () => {
    const machine = await emulate({
      script: ({ route, parameters }) =>
        route === "InvokeModel" && parameters["modelId"] === "cohere.embed-v4:0"
          ? {
              error: {
                name: "ValidationException",
                message:
                  "Invocation of model ID cohere.embed-v4:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
              },
            }
          : undefined,
    });
    const { stdout, stderr, code } = await machine.run(["embed", "--json", "-m", "cohere.embed-v4:0", "a"]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Document).model).toBe("us.cohere.embed-v4:0");
    expect(stderr).toContain("us.cohere.embed-v4:0");
  });

  it("tells a model what the texts are for, in either spelling, and says where it does not want to know", async () => {
    const machine = await emulate();
    for (const type of ["query", "search_query"])
      await read(machine, ["-m", COHERE, "--input-type", type, "a"]);
    expect(bodies(machine)).toEqual([
      { texts: ["a"], input_type: "search_query" },
      { texts: ["a"], input_type: "search_query" },
    ]);
    const { stderr, code } = await machine.run(["embed", "-m", TITAN, "--input-type", "query", "a"]);
    expect(code).toBe(0);
    expect(stderr).toContain("--input-type is left out");
  });

  it("writes its calls into the ledger, with their price", async () => {
    const machine = await emulate();
    await read(machine, ["-m", TITAN, "some text to embed"]);
    const { stdout } = await machine.run(["usage", "--json", "--by", "command"]);
    const { groups } = JSON.parse(stdout) as { groups: Record<string, unknown>[] };
    expect(groups).toMatchObject([{ command: "embed", calls: 1, outputTokens: 0, unpricedCalls: 0 }]);
    expect(groups[0]?.["inputTokens"]).toBe(5);
  });
});

describe("embed --lines below a quota", () => {
  const input = Array.from({ length: 20 }, (_, nth) => `text ${nth}\n`).join("");

  it.each([
    ["--rpm", "5", 5],
    // A text takes two or three tokens.
    ["--tpm", "15", 5],
  ])("holds to %s %s, and prints what came until --timeout", async (flag, value, expected) => {
    const machine = await emulate();
    const args = ["embed", "--lines", "-m", TITAN, flag, value, "--timeout", "2"];
    const { stdout, code, stderr } = await machine.run(args, { input });
    expect(code).toBe(5);
    expect(stderr).toContain("--timeout");
    const asked = bodies(machine).length;
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThanOrEqual(expected + 2);
    expect(stdout.trimEnd().split("\n")).toHaveLength(asked);
    if (flag === "--rpm") expect(asked).toBe(expected);
  });

  it("goes on more slowly where it is throttled, in the order of the lines", async () => {
    let refused = 0;
    const machine = await emulate({
      script: ({ route, body }) =>
        route === "InvokeModel" && JSON.stringify(body).includes("text 7") && refused++ === 0
          ? { error: { name: "ThrottlingException", message: "Too many requests, please wait." } }
          : undefined,
    });
    const env = { AWS_MAX_ATTEMPTS: "1" };
    const paced = await machine.run(["embed", "--lines", "-m", TITAN], { input, env });
    expect(paced.code).toBe(0);
    expect(paced.stderr).toMatch(/Too many requests, please wait\. Going on more slowly\.\n$/);
    const plain = await machine.run(["embed", "--lines", "-m", TITAN], { input, env });
    expect(plain.stdout).toBe(paced.stdout);
    expect(plain.stderr).toBe("");
  });

  it("asks for the quotas only where there are many texts", async () => {
    const machine = await emulate();
    const run = (count: number) =>
      machine.run(["embed", "--lines", "-m", TITAN], { input: "a text\n".repeat(count) });
    expect((await run(30)).code).toBe(0);
    expect(machine.routes()).not.toContain("ListServiceQuotas");
    expect((await run(60)).code).toBe(0);
    expect(machine.routes()).toContain("ListServiceQuotas");
  });
});

describe("embed --lines", () => {
  it("prints a line for each line in their order, however they are sent", async () => {
    const machine = await emulate({
      // The first answers come last.
      script: ({ route, nth }) =>
        route === "InvokeModel" && nth <= 3 ? { pass: true, after: 300 / nth } : undefined,
    });
    const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`);
    const { stdout, code } = await machine.run(["embed", "--lines", "-m", TITAN], {
      input: texts.join("\n"),
    });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(40);
    const { embeddings } = await read(machine, ["-m", TITAN, ...texts]);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(embeddings);
  });

  it("asks for 96 at once where the model takes them", async () => {
    const machine = await emulate();
    const input = Array.from({ length: 200 }, (_, index) => `text ${index}\r\n`).join("");
    const { embeddings } = await read(machine, ["--lines", "-m", COHERE], input);
    expect(embeddings).toHaveLength(200);
    const counts = bodies(machine).map((body) => (body as { texts: string[] }).texts.length);
    expect(counts).toEqual([96, 96, 8]);
    expect((bodies(machine)[0] as { texts: string[] }).texts[0]).toBe("text 0");
  });

  it("gives null for a line without text, and says so", async () => {
    const machine = await emulate();
    const { stdout, stderr, code } = await machine.run(["embed", "--lines", "-m", COHERE], {
      input: "a\n\n  \nb\n",
    });
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.slice(0, 1))).toEqual(["[", "n", "n", "[", ""]);
    expect(stderr).toContain("2 lines have");
  });

  it("has printed what came before a failure", async () => {
    const machine = await emulate({
      script: ({ route, body }) =>
        route === "InvokeModel" && JSON.stringify(body).includes("bad")
          ? { error: { name: "ValidationException", message: "Malformed input request" } }
          : undefined,
    });
    const { stdout, code } = await machine.run(["embed", "--lines", "-m", TITAN], {
      input: "a\nb\nbad\nc\n",
    });
    expect(code).toBe(6);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it.each<[string, string | Buffer, RegExp]>([
    [
      "is Latin-1",
      Buffer.from("gr\u00FCn", "latin1"),
      /Line 3 of what is piped in is not UTF-8 text: .*\(byte 2 is 0xfc\)/,
    ],
    ["is cut off in a character", Buffer.from("gr\u00FC").subarray(0, 3), /Line 3 of what is piped in/],
    ["has a zero byte", "a\0b", /Line 3 of what is piped in/],
  ])("has printed the lines before one that %s", async (_, bytes, message) => {
    const machine = await emulate();
    const input = Buffer.concat([
      Buffer.from("\uFEFFa\r\nb\u00FC\n"),
      Buffer.from(bytes),
      Buffer.from("\nc\n"),
    ]);
    const { stdout, stderr, code } = await machine.run(["embed", "--lines", "-m", TITAN], { input });
    expect(stderr).toMatch(message);
    expect(code).toBe(6);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(bodies(machine)).toEqual([{ inputText: "a" }, { inputText: "b\u00FC" }]);
  });

  it.each(["", "\n", "\nb\n"])(
    "reads no line into memory that is too long, with %j behind it",
    async (rest) => {
      const machine = await emulate();
      const { stdout, stderr, code } = await machine.run(["embed", "--lines", "-m", TITAN], {
        input: `a\n${"x".repeat(9_000_000)}${rest}`,
      });
      expect(stderr).toContain("Line 2 of stdin has more than 8 MB.");
      expect({ code, lines: stdout.trimEnd().split("\n").length }).toEqual({ code: 2, lines: 1 });
    },
  );

  it("of nothing is nothing", async () => {
    const machine = await emulate();
    expect(await machine.run(["embed", "--lines", "-m", TITAN], { input: "" })).toMatchObject({
      code: 0,
      stdout: "",
    });
    expect((await read(machine, ["--lines", "-m", TITAN])).embeddings).toEqual([]);
  });

  it("prints what is there while more may come, and ends within a second at SIGTERM", async () => {
    const machine = await emulate({
      script: ({ route, nth }) => (route === "InvokeModel" && nth > 2 ? { drop: "stall" } : undefined),
    });
    const running = machine.start(["embed", "--lines", "-m", TITAN], {
      isStdinOpen: true,
      input: "a\nb\nc\n",
    });
    await once(running.stdout, "data");
    const asked = Date.now();
    running.kill("SIGTERM");
    const [code, signal] = (await once(running, "exit")) as [number | null, string | null];
    expect(signal === "SIGTERM" || code === 143).toBe(true);
    expect(Date.now() - asked).toBeLessThan(2000);
  });

  it("ends quietly when its reader goes", async () => {
    const machine = await emulate();
    const input = "a line\n".repeat(3000);
    const running = machine.start(["embed", "--lines", "-m", COHERE], { input });
    const errors = text(running.stderr);
    await once(running.stdout, "data");
    running.stdout.destroy();
    const [code] = (await once(running, "exit")) as [number | null];
    expect({ code, errors: await errors }).toEqual({ code: 0, errors: "" });
  });
});

describe("embed refuses", () => {
  it.each([
    [["embed", "-m", TITAN, " "], 2, "There is no text"],
    [["embed", "-m", TITAN], 2, "There is no text"],
    [["embed", "-m", TITAN, "--lines", "a"], 2, "--lines"],
    [["embed", "-m", TITAN, "--dimensions", "0", "a"], 2, "--dimensions"],
    [["embed", "-m", TITAN, "--input-type", "poem", "a"], 2, "--input-type"],
    [["embed", "a"], 3, "agents.defaults.embeddingModel"],
    [["embed", "-m", TITAN, "--dimensions", "300", "a"], 6, "1024, 512, 256"],
    [["embed", "-m", "amazon.nova-lite-v1:0", "a"], 6, "models list --embeddings"],
    [["embed", "-m", "nobodys-model", "a"], 6, "nobodys-model"],
    [["embed", "-m", COHERE, "x".repeat(2049)], 6, "2,048"],
    [["embed", "-m", TITAN, "--max-cost", "0", "a"], 6, "--max-cost"],
  ])("%j with exit code %i", async (args, code, text) => {
    const machine = await emulate();
    const result = await machine.run(args);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(text);
    expect(machine.routes()).not.toContain("InvokeModel");
  });

  it("to wait longer than --timeout", async () => {
    const machine = await emulate({
      script: ({ route }) => (route === "InvokeModel" ? { drop: "stall" } : undefined),
    });
    const result = await machine.run(["embed", "-m", TITAN, "--timeout", "0.3", "a"]);
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("--timeout");
  });

  it("to go on when the budget of the configuration is spent", async () => {
    const machine = await emulate();
    machine.configure(JSON.stringify({ usage: { budget: { daily: 0.00000001 } } }));
    await machine.run(["embed", "-m", TITAN, "the first one is let through"]);
    expect(await machine.run(["embed", "-m", TITAN, "a"])).toMatchObject({ code: 6 });
    expect(await machine.run(["embed", "-m", TITAN, "--ignore-budget", "a"])).toMatchObject({ code: 0 });
  });

  it("what is denied, naming the action", async () => {
    const machine = await emulate({
      script: ({ route }) =>
        route === "InvokeModel"
          ? {
              error: {
                name: "AccessDeniedException",
                message: `User: arn:aws:iam::123456789012:user/dev is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/${TITAN} because no identity-based policy allows the bedrock:InvokeModel action`,
              },
            }
          : undefined,
    });
    const { code, stderr } = await machine.run(["embed", "-m", TITAN, "a"]);
    expect(code).toBe(4);
    expect(stderr).toContain("bedrock:InvokeModel");
  });
});

it("shows the beginning of each vector on a terminal", async () => {
  const machine = await emulate();
  const pty = openPty(["embed", "-m", TITAN, "a", "b"], machine.home, { env: machine.env });
  expect(await pty.exit).toBe(0);
  expect(pty.lines().filter((line) => /^\[-?[\d.]+, .*…\] {2}1,024 dimensions$/.test(line))).toHaveLength(2);
});

it("is allowed by `iam policy --for embed`, for the configured model alone", async () => {
  const machine = await emulate();
  for (const model of [TITAN, "us.cohere.embed-v4:0"]) {
    machine.configure(JSON.stringify({ agents: { defaults: { embeddingModel: model } } }));
    const policy = JSON.parse(
      (await machine.run(["iam", "policy", "--for", "embed"])).stdout,
    ) as PolicyDocument;
    machine.emulator.calls.length = 0;
    await machine.run(["embed", "a"]);
    const needed = machine.emulator.calls.flatMap(({ permissions }) => permissions);
    expect(needed.length).toBeGreaterThan(0);
    for (const permission of needed) expect(allows(policy, permission), permission.resource).toBe(true);
    expect(JSON.stringify(policy)).not.toContain("Stream");
  }
});

it("has no policy without a model of its own, and says which setting names one", async () => {
  const machine = await emulate();
  machine.configure(JSON.stringify({ agents: { defaults: { model: "amazon.nova-lite-v1:0" } } }));
  const setting = "openclaw config set agents.defaults.embeddingModel MODEL";
  const alone = await machine.run(["iam", "policy", "--for", "embed"]);
  expect(alone).toMatchObject({ code: 3, stderr: expect.stringContaining(setting) });
  const beside = await machine.run(["iam", "policy", "--for", "chat,embed"]);
  expect(beside).toMatchObject({ code: 0, stderr: expect.stringContaining(setting) });
  const usual = await machine.run(["iam", "policy"]);
  expect(usual).toMatchObject({ code: 0, stderr: "" });
});

it("lists what it can call with `models list --embeddings`, and nothing else", async () => {
  const machine = await emulate();
  machine.configure(
    JSON.stringify({ agents: { defaults: { model: "amazon.nova-lite-v1:0", embeddingModel: TITAN } } }),
  );
  const { stdout } = await machine.run(["models", "list", "--embeddings", "--json"]);
  const { models } = JSON.parse(stdout) as {
    models: { id: string; tags: string[]; cost: { input: number } | null; contextWindow: number }[];
  };
  expectSchema("models-list", JSON.parse(stdout));
  expect(models.map(({ id }) => id).sort()).toEqual(
    [
      TITAN,
      "amazon.nova-2-multimodal-embeddings-v1:0",
      "amazon.titan-embed-text-v1",
      COHERE,
      "cohere.embed-multilingual-v3",
      "cohere.embed-v4:0",
      "global.cohere.embed-v4:0",
      "us.cohere.embed-v4:0",
    ].sort(),
  );
  expect(models[0]).toMatchObject({ id: TITAN, tags: ["default"], cost: { input: 0.02 } });
  // InvokeModel takes them, and none of the APIs that a model answers by.
  expect(models).toEqual(
    models.map(() => expect.objectContaining({ api: null, maxTokens: null }) as unknown),
  );
  expect(models.map(({ contextWindow }) => contextWindow).toSorted((a, b) => a - b)).toEqual([
    512, 512, 8192, 8192, 8192, 128_000, 128_000, 128_000,
  ]);
  const usual = await machine.run(["models", "list", "--plain"]);
  expect(usual.stdout).not.toContain("embed");

  const shown = JSON.parse((await machine.run(["models", "show", COHERE, "--json"])).stdout) as unknown;
  expectSchema("models-show", shown);
  expect(shown).toMatchObject({ id: COHERE, api: null, apiSource: null });
  expect((await machine.run(["models", "show", COHERE])).stdout).toMatch(/^api +InvokeModel$/m);
});

it("keeps --embeddings in what it says to do next where nothing is listed", async () => {
  const machine = await emulate();
  const list = async (...flags: readonly string[]): Promise<string> => {
    const { stdout } = await machine.run(["models", "list", "--embeddings", "--json", ...flags]);
    const { warnings } = JSON.parse(stdout) as { warnings: { hint: string }[] };
    return warnings.map(({ hint }) => hint).join("\n");
  };
  expect(await list("--search", "zzz")).toBe("See all: openclaw models list --embeddings");
  expect(await list("--provider", "Amazon,Cohere")).toBe(
    "openclaw models list --embeddings --provider Amazon --provider Cohere",
  );
});
